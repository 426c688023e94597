"""OpenOCD's remote_bitbang protocol, for a real debugger at a simulated port."""

import socket
from collections.abc import Awaitable, Callable

__all__ = ["RemoteBitbang"]


class RemoteBitbang:
    """Serve one OpenOCD that has ``adapter driver remote_bitbang``.

    It listens from its making on; while it waits for a command, simulated
    time stands still.

    Parameters
    ----------
    put
        Sets ``tck``, ``tms`` or ``tdi``.
    take
        Returns ``tdo``.
    wait
        Waits for half a period of ``tck``, after its pins were set.

    Source
    ------
    OpenOCD, doc/manual/jtag/drivers/remote_bitbang.txt.
    """

    def __init__(
        self,
        put: Callable[[str, int], None],
        take: Callable[[], int],
        wait: Callable[[], Awaitable[object]],
    ) -> None:
        self._put, self._take, self._wait = put, take, wait
        self._server = socket.create_server(("127.0.0.1", 0))

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.getsockname()[1])

    async def serve(self, timeout_s: float = 60) -> int:
        """Serve until the debugger leaves; return how often the pins were set."""
        self._server.settimeout(timeout_s)
        count = 0
        with self._server, self._server.accept()[0] as connection:
            connection.settimeout(timeout_s)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while commands := connection.recv(4096):
                answers = bytearray()
                for command in commands.decode():
                    if command in "01234567":
                        value = int(command)
                        for index, pin in enumerate(("tdi", "tms", "tck")):
                            self._put(pin, value >> index & 1)
                        await self._wait()
                        count += 1
                    elif command == "R":
                        answers += b"1" if self._take() else b"0"
                    elif command == "Q":
                        return count
                connection.sendall(answers)
        return count
