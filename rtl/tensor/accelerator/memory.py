"""The memories on chip: banks of one port, and who may use each in a cycle."""

from functools import reduce
from operator import or_

from amaranth.hdl import Array, Cat, Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In
from amaranth.utils import ceil_log2

from ips.sram.component import Sram
from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.accelerator.interfaces import ReadPort, WritePort

__all__ = ["ActivationMemory", "WeightMemory", "transfer_words"]

_READERS = ("compute_read", "pack_read", "store")


def transfer_words(config: AcceleratorConfig) -> int:
    """Return how many words of the activation memory a beat of the memory port holds, at least 1."""
    return max(1, config.bus_bytes // config.activation_word)


def _selected(choices: list[tuple[Value, Value]]) -> Value:
    """Return the value whose condition holds; at most one does, and 0 when none."""
    return reduce(or_, (value & condition.replicate(len(value)) for condition, value in choices))


class ActivationMemory(wiring.Component):
    """Four banks of one port, word ``i`` in bank ``i % 4``, shared by six clients.

    A request names a first word and how many follow. It is granted with all
    its banks, or not at all: when no client before it asks for one of them.
    The order of the clients is that of the members. One that asks behind a
    client that was refused itself is refused too, which keeps grants shallow;
    the first of those who ask is always granted.

    Parameters
    ----------
    config : AcceleratorConfig
        The accelerator.

    Members
    -------
    compute_read : In, ReadPort of 4 words
    compute_write : In, WritePort of 2 words
    load : In, WritePort of ``transfer_words(config)`` words
    pack_read : In, ReadPort of 3 words
    pack_write : In, WritePort of 1 word
    store : In, ReadPort of ``transfer_words(config)`` words
        Clients, the most urgent first.

    Timing
    ------
    ``ready`` follows the requests in the same cycle. A word that is written
    is read from the next cycle on. Data are there in the cycle after the
    grant, and no longer. An address beyond the memory wraps.
    """

    def __init__(self, config: AcceleratorConfig) -> None:
        self._config = config
        word, width = config.activation_word, ceil_log2(config.activation_words)
        beat = transfer_words(config)
        super().__init__(
            {
                "compute_read": In(ReadPort(word=word, words=4, address_width=width)),
                "compute_write": In(WritePort(word=word, words=2, address_width=width)),
                "load": In(WritePort(word=word, words=beat, address_width=width)),
                "pack_read": In(ReadPort(word=word, words=3, address_width=width)),
                "pack_write": In(WritePort(word=word, words=1, address_width=width)),
                "store": In(ReadPort(word=word, words=beat, address_width=width)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the banks, the grants, and what turns words into their places."""
        m = Module()
        config = self._config
        clients = {name: getattr(self, name) for name in self.signature.members}
        taken: Value = Const(0, 4)
        granted = {}
        for name, client in clients.items():
            count = client.count if hasattr(client, "count") else Const(1)
            # Twice the banks: what runs over the last one goes on at the first.
            reach = Signal(8, name=f"{name}_reach")
            asked = Signal(4, name=f"{name}_asked")
            m.d.comb += [
                reach.eq(Cat(count > place for place in range(len(client.data))) << client.address[:2]),
                asked.eq((reach[:4] | reach[4:]) & client.valid.replicate(4)),
                client.ready.eq(~(asked & taken).any()),
            ]
            granted[name] = asked & client.ready.replicate(4)
            taken = taken | asked

        banks = [Sram(words=config.activation_words // 4, width=8 * config.activation_word) for _ in range(4)]
        for number, bank in enumerate(banks):
            m.submodules[f"bank{number}"] = bank
            mine = {name: mask[number] for name, mask in granted.items()}
            rows = {
                name: client.address[2:] + (client.address[:2] > number) for name, client in clients.items()
            }
            m.d.comb += [
                bank.enable.eq(Cat(mine.values()).any()),
                bank.write.eq(Cat(mine[name] for name in mine if name not in _READERS).any()),
                bank.address.eq(
                    _selected([(mine[name], row[: len(bank.address)]) for name, row in rows.items()])
                ),
                bank.write_data.eq(
                    _selected([(mine[n], self._word(n, number)) for n in clients if n not in _READERS])
                ),
            ]

        read = Array(bank.read_data for bank in banks)
        for name in _READERS:
            client = clients[name]
            first = Signal(2, name=f"{name}_first")
            with m.If(client.valid & client.ready):
                m.d.sync += first.eq(client.address[:2])
            m.d.comb += [word.eq(read[(first + i)[:2]]) for i, word in enumerate(client.data)]
        return m

    def _word(self, name: str, bank: int) -> Value:
        """Return what a client writes to a bank: the word of its request that lies there."""
        client = getattr(self, name)
        words = [Value.cast(word) for word in client.data]
        if len(words) == 1:
            return words[0]
        place = (Const(bank, 2) - client.address[:2])[:2]
        return Value.cast(Array(words[i % len(words)] for i in range(4))[place])


class WeightMemory(wiring.Component):
    """Two banks of one port, word ``i`` in bank ``i % 2``: one reader, and LOAD.

    Where both want a bank the reader has it; as both move on by one word they
    then take turns.

    Parameters
    ----------
    config : AcceleratorConfig
        The accelerator.

    Members
    -------
    read : In, ReadPort of 1 word
        Always granted.
    load : In, WritePort of 1 word

    Timing
    ------
    As of :class:`ActivationMemory`.
    """

    def __init__(self, config: AcceleratorConfig) -> None:
        self._config = config
        word, width = config.weight_word, ceil_log2(config.weight_words)
        super().__init__(
            {
                "read": In(ReadPort(word=word, words=1, address_width=width)),
                "load": In(WritePort(word=word, words=1, address_width=width)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the banks and the grants."""
        m = Module()
        config = self._config
        read, load = self.read, self.load
        m.d.comb += [
            read.ready.eq(1),
            load.ready.eq(~(read.valid & (read.address[0] == load.address[0]))),
        ]
        banks = [Sram(words=config.weight_words // 2, width=8 * config.weight_word) for _ in range(2)]
        for number, bank in enumerate(banks):
            m.submodules[f"bank{number}"] = bank
            reads = read.valid & (read.address[0] == number)
            writes = load.valid & load.ready & (load.address[0] == number)
            m.d.comb += [
                bank.enable.eq(reads | writes),
                bank.write.eq(~reads),
                bank.address.eq(Array([load.address[1:], read.address[1:]])[reads]),
                bank.write_data.eq(load.data[0]),
            ]
        odd = Signal()
        with m.If(read.valid):
            m.d.sync += odd.eq(read.address[0])
        m.d.comb += read.data[0].eq(Array(bank.read_data for bank in banks)[odd])
        return m
