"""What a debugger does with one hart, in the order in which OpenOCD does it."""

from enum import IntEnum

from rtl.riscv.debug.dmi import CommandError, DmiRegister
from rtl.riscv.isa import Csr
from verif.agents.debug.transport import Transport

__all__ = ["DebugError", "Debugger", "Halt"]

_ACTIVE, _NDMRESET, _CLEAR_RESET_HALT, _SET_RESET_HALT = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_ACKNOWLEDGE_RESET, _RESUME, _HALT = 1 << 28, 1 << 30, 1 << 31
_STEP, _EBREAK_MODES = 1 << 2, 1 << 15 | 1 << 13 | 1 << 12
_POLLS = 2000
_X8, _X9 = 8, 9
_FENCE_I, _EBREAK, _C_EBREAK = 0x0000_100F, 0x0010_0073, 0x9002


class Halt(IntEnum):
    """Why the hart halted (``dcsr.cause``)."""

    EBREAK = 1
    TRIGGER = 2
    REQUEST = 3
    STEP = 4
    RESET = 5


class DebugError(Exception):
    """The debug module refused, or did not do in time, what was asked."""


class Debugger:
    """Halt, resume, step, registers, memory, breakpoints.

    Parameters
    ----------
    transport
        The way to the debug module.
    """

    def __init__(self, transport: Transport) -> None:
        self._dmi = transport
        self._saved: dict[int, tuple[int, int]] = {}

    async def examine(self) -> int:
        """Switch the debug module on, check what it has, halt the hart; return ``misa``."""
        await self._dmi.write(DmiRegister.DMCONTROL, 0)
        await self._dmi.write(DmiRegister.DMCONTROL, _ACTIVE)
        await self._dmi.write(DmiRegister.DMCONTROL, _ACTIVE | 0x03FF_FFC0)  # which hart bits there are
        control = await self._dmi.read(DmiRegister.DMCONTROL)
        if control != _ACTIVE:
            raise DebugError(f"dmcontrol {control:#010x}: not active, or more than one hart")
        status = await self.status()
        if status & 0xF not in (2, 3) or not status & 1 << 7:
            raise DebugError(f"dmstatus {status:#010x}: version or authentication")
        abstract = await self._dmi.read(DmiRegister.ABSTRACTCS)
        if abstract & 0xF < 1 or abstract >> 24 & 0x1F < 2:
            raise DebugError(f"abstractcs {abstract:#010x}: too little data or program buffer")
        await self._dmi.write(DmiRegister.DMCONTROL, _ACTIVE | _ACKNOWLEDGE_RESET)
        await self.halt()
        return await self.read_register(Csr.MISA)

    async def status(self) -> int:
        """Return ``dmstatus``."""
        return await self._dmi.read(DmiRegister.DMSTATUS)

    async def halted(self) -> bool:
        """Whether the hart is halted."""
        return bool(await self.status() & 1 << 9)

    async def wait_halted(self) -> Halt:
        """Wait until the hart halts; return why it did."""
        for _ in range(_POLLS):
            if await self.halted():
                return Halt(await self.read_register(Csr.DCSR) >> 6 & 7)
        raise DebugError("the hart does not halt")

    async def halt(self) -> Halt:
        """Halt the hart; return why it is halted."""
        await self._dmi.write(DmiRegister.DMCONTROL, _ACTIVE | _HALT)
        reason = await self.wait_halted()
        await self._dmi.write(DmiRegister.DMCONTROL, _ACTIVE)
        return reason

    async def resume(self) -> None:
        """Let the hart run, from ``dpc``."""
        await self._dmi.write(DmiRegister.DMCONTROL, _ACTIVE | _RESUME)
        for _ in range(_POLLS):
            if await self.status() & 1 << 17:
                return
        raise DebugError("the hart does not acknowledge to resume")

    async def step(self) -> Halt:
        """Execute one instruction; return why the hart halted."""
        control = await self.read_register(Csr.DCSR)
        await self.write_register(Csr.DCSR, control | _STEP)
        await self.resume()
        reason = await self.wait_halted()
        await self.write_register(Csr.DCSR, await self.read_register(Csr.DCSR) & ~_STEP)
        return reason

    async def reset(self, *, halt: bool) -> None:
        """Reset all but the debug module; halt before the first instruction, or let it run."""
        wanted = _SET_RESET_HALT if halt else _CLEAR_RESET_HALT
        await self._dmi.write(DmiRegister.DMCONTROL, _ACTIVE | wanted)
        await self._dmi.write(DmiRegister.DMCONTROL, _ACTIVE | _NDMRESET)
        await self._dmi.write(DmiRegister.DMCONTROL, _ACTIVE)
        if not await self.status() & 1 << 19:
            raise DebugError("the hart was not reset")
        if halt:
            await self.wait_halted()
        await self._dmi.write(DmiRegister.DMCONTROL, _ACTIVE | _ACKNOWLEDGE_RESET | _CLEAR_RESET_HALT)

    async def command(self, value: int) -> CommandError:
        """Run an abstract command; return its error, which is cleared."""
        await self._dmi.write(DmiRegister.COMMAND, value)
        return await self.finish()

    async def finish(self) -> CommandError:
        """Wait for the end of a command; return its error, which is cleared."""
        for _ in range(_POLLS):
            abstract = await self._dmi.read(DmiRegister.ABSTRACTCS)
            if not abstract & 1 << 12:
                error = CommandError(abstract >> 8 & 7)
                if error:
                    await self._dmi.write(DmiRegister.ABSTRACTCS, 7 << 8)
                return error
        raise DebugError("an abstract command does not end")

    async def _must(self, value: int, what: str) -> None:
        error = await self.command(value)
        if error:
            raise DebugError(f"{what}: {error.name}")

    async def read_register(self, number: int) -> int:
        """Return a CSR, or a general register from 0x1000."""
        await self._must(2 << 20 | 1 << 17 | number, f"read register {number:#x}")
        return await self._dmi.read(DmiRegister.DATA0)

    async def write_register(self, number: int, value: int) -> None:
        """Write a CSR, or a general register from 0x1000."""
        await self._dmi.write(DmiRegister.DATA0, value)
        await self._must(2 << 20 | 1 << 17 | 1 << 16 | number, f"write register {number:#x}")

    async def execute(self, *instructions: int) -> CommandError:
        """Run up to two instructions in the program buffer."""
        for index in range(2):
            word = instructions[index] if index < len(instructions) else _EBREAK
            await self._dmi.write(DmiRegister.PROGBUF0 + index, word)
        return await self.command(1 << 18)

    async def read_memory(self, address: int, size: int = 4) -> int:
        """Return 1, 2 or 4 bytes, by an abstract command."""
        await self._dmi.write(DmiRegister.DATA1, address)
        await self._must(2 << 24 | (size.bit_length() - 1) << 20, f"read {address:#x}")
        return await self._dmi.read(DmiRegister.DATA0)

    async def write_memory(self, address: int, value: int, size: int = 4) -> None:
        """Write 1, 2 or 4 bytes, by an abstract command."""
        await self._dmi.write(DmiRegister.DATA1, address)
        await self._dmi.write(DmiRegister.DATA0, value)
        await self._must(2 << 24 | (size.bit_length() - 1) << 20 | 1 << 16, f"write {address:#x}")

    async def read_block(self, address: int, words: int) -> list[int]:
        """Return words through the program buffer, one access of ``data0`` for each."""
        saved = [await self.read_register(0x1000 + number) for number in (_X8, _X9)]
        await self._dmi.write(DmiRegister.PROGBUF0, 0x0004_2483)  # lw x9, 0(x8)
        await self._dmi.write(DmiRegister.PROGBUF1, 0x0044_0413)  # addi x8, x8, 4
        await self._dmi.write(DmiRegister.DATA0, address)
        await self._must(2 << 20 | 1 << 18 | 1 << 17 | 1 << 16 | 0x1000 + _X8, "begin a block")
        await self._must(2 << 20 | 1 << 18 | 1 << 17 | 0x1000 + _X9, "read a block")
        await self._dmi.write(DmiRegister.ABSTRACTAUTO, 1)
        values = []
        for index in range(words):
            if index == words - 1:
                await self._dmi.write(DmiRegister.ABSTRACTAUTO, 0)
            values.append(await self._dmi.read(DmiRegister.DATA0))
            if error := await self.finish():
                await self._dmi.write(DmiRegister.ABSTRACTAUTO, 0)
                raise DebugError(f"read {address + 4 * index:#x}: {error.name}")
        for number, value in zip((_X8, _X9), saved, strict=True):
            await self.write_register(0x1000 + number, value)
        return values

    async def write_block(self, address: int, values: list[int]) -> None:
        """Write words through the program buffer, and make them visible to fetches."""
        saved = [await self.read_register(0x1000 + number) for number in (_X8, _X9)]
        await self.write_register(0x1000 + _X8, address)
        await self._dmi.write(DmiRegister.PROGBUF0, 0x0094_2023)  # sw x9, 0(x8)
        await self._dmi.write(DmiRegister.PROGBUF1, 0x0044_0413)  # addi x8, x8, 4
        await self._dmi.write(DmiRegister.DATA0, values[0])
        await self._must(2 << 20 | 1 << 18 | 1 << 17 | 1 << 16 | 0x1000 + _X9, "write a block")
        await self._dmi.write(DmiRegister.ABSTRACTAUTO, 1)
        for value in values[1:]:
            await self._dmi.write(DmiRegister.DATA0, value)
            if error := await self.finish():
                raise DebugError(f"write a block at {address:#x}: {error.name}")
        await self._dmi.write(DmiRegister.ABSTRACTAUTO, 0)
        for number, value in zip((_X8, _X9), saved, strict=True):
            await self.write_register(0x1000 + number, value)
        await self.fence()

    async def fence(self) -> None:
        """Make what was written visible to fetches."""
        if error := await self.execute(_FENCE_I):
            raise DebugError(f"fence.i: {error.name}")

    async def halt_at_ebreak(self) -> None:
        """Let EBREAK halt in every mode."""
        await self.write_register(Csr.DCSR, await self.read_register(Csr.DCSR) | _EBREAK_MODES)

    async def set_software_breakpoint(self, address: int, size: int = 4) -> None:
        """Put EBREAK in the place of an instruction."""
        self._saved[address] = (await self.read_memory(address, size), size)
        await self.write_memory(address, _EBREAK if size == 4 else _C_EBREAK, size)
        await self.fence()

    async def remove_software_breakpoint(self, address: int) -> None:
        """Put the instruction back."""
        value, size = self._saved.pop(address)
        await self.write_memory(address, value, size)
        await self.fence()

    async def triggers(self) -> list[int]:
        """Return the types of all triggers, as ``tinfo`` has them."""
        found = []
        for index in range(32):
            if await self.command(2 << 20 | 1 << 17 | Csr.TSELECT) != CommandError.NONE:
                break
            await self.write_register(Csr.TSELECT, index)
            if await self.read_register(Csr.TSELECT) != index:
                break
            if await self.read_register(Csr.TDATA1) >> 28 == 0:
                break
            found.append(await self.read_register(Csr.TINFO) & 0xFFFF)
        return found

    async def set_trigger(
        self, index: int, address: int, *, execute: bool = False, load: bool = False, store: bool = False
    ) -> None:
        """Halt before an instruction, or before a load or store."""
        await self.write_register(Csr.TSELECT, index)
        await self.write_register(Csr.TDATA1, 0)
        await self.write_register(Csr.TDATA2, address)
        value = 2 << 28 | 1 << 27 | 1 << 12 | 1 << 6 | execute << 2 | store << 1 | int(load)
        await self.write_register(Csr.TDATA1, value)
        if await self.read_register(Csr.TDATA1) != value:
            raise DebugError(f"trigger {index} cannot match {address:#x} so")

    async def remove_trigger(self, index: int) -> None:
        """Disarm a trigger."""
        await self.write_register(Csr.TSELECT, index)
        await self.write_register(Csr.TDATA1, 0)
