"""Sums over slots: partial sums in memory, and depthwise sums in flops."""

from amaranth.hdl import Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ips.sram.component import Sram
from rtl.tensor.accelerator.compute.layouts import TILE_WIDTH, token_layout
from rtl.tensor.accelerator.config import AcceleratorConfig

__all__ = ["PartialSums", "TileSums"]

_NOTHING = 1 << 31  # as int32 less than any difference of an activation and a zero point


class TileSums(wiring.Component):
    """What a slot adds to each column's sum; depthwise, what a step adds, pixel after pixel.

    Parameters
    ----------
    config
        Shape of the accelerator.

    Members
    -------
    valid, token, dots : In
        Sums of four lanes each, by column.
    o_valid, o_token : Out
        What comes out with its token.
    tile : Out, array of signed(20)
        By column.

    Timing
    ------
    Latency one cycle. The pixels of a depthwise step follow one another; no
    slot but a depthwise one that completes nothing may come meanwhile.
    """

    def __init__(self, config: AcceleratorConfig) -> None:
        self._config = config
        n = config.array
        dots = data.ArrayLayout(data.ArrayLayout(signed(18), n // 4), n)
        super().__init__(
            {
                "valid": In(1),
                "token": In(token_layout(config)),
                "dots": In(dots),
                "o_valid": Out(1),
                "o_token": Out(token_layout(config)),
                "tile": Out(data.ArrayLayout(signed(TILE_WIDTH), n)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the sum over lanes, and for each pixel of a depthwise step an accumulator."""
        m = Module()
        n, pixels, token = self._config.array, self._config.depthwise_pixels, self.token
        lane = data.ArrayLayout(signed(TILE_WIDTH), n)
        running = [Signal(lane, name=f"running_{g}") for g in range(pixels)]
        kept = [Signal(lane, name=f"kept_{g}") for g in range(1, pixels)]
        after = [Signal(lane, name=f"after_{g}") for g in range(pixels)]
        depthwise = self.valid & token.depthwise
        complete = depthwise & token.complete
        for g in range(pixels):
            for column in range(n):
                before = Mux(token.row_first, 0, running[g][column])
                m.d.comb += after[g][column].eq(before + self.dots[column][g])
        with m.If(depthwise):
            m.d.sync += [running[g].eq(after[g]) for g in range(pixels)]
        left, end = Signal(range(max(pixels, 2))), Signal()
        m.d.sync += [self.o_token.eq(token), self.o_valid.eq(self.valid & ~token.depthwise)]
        with m.If(complete):
            m.d.sync += [
                self.o_valid.eq(1),
                self.o_token.result.eq(1),
                self.o_token.end.eq(token.end & (token.pixels == 1)),
                self.tile.eq(after[0]),
                left.eq(token.pixels - 1),
                end.eq(token.end),
                *(kept[g - 1].eq(after[g]) for g in range(1, pixels)),
            ]
        with m.Elif(left != 0):
            m.d.sync += [
                self.o_valid.eq(1),
                self.o_token.eq(0),
                self.o_token.result.eq(1),
                self.o_token.end.eq(end & (left == 1)),
                left.eq(left - 1),
            ]
            if kept:
                m.d.sync += self.tile.eq(kept[0])
                m.d.sync += [kept[g].eq(kept[g + 1]) for g in range(pixels - 2)]
        with m.Elif(self.valid & ~token.depthwise):
            for column in range(n):
                m.d.sync += self.tile[column].eq(sum(self.dots[column][g] for g in range(n // 4)))
        return m


class PartialSums(wiring.Component):
    """Add to the bias or to partial sums, and keep these in two banks with one port each.

    Reading lies three cycles before writing, and slots alternate between the
    banks: so a pixel is mostly written while one of the other bank is read.
    What finds its bank taken all the same (after a gap, or in a block of an
    odd number of pixels) waits a cycle: then the other bank is read, or none.

    Parameters
    ----------
    config
        Shape of the accelerator.

    Members
    -------
    early_valid, early_token : In
        A token, two cycles before its sums: the memory is read.
    bias_valid : In(1)
        A token at `early_token` comes now.
    valid, token, tile : In
        What is added.
    bias : In, array of N
        Biases of the group that begins.
    bias_taken : Out(1)
        They are taken over.
    maximum : In(1)
        The command that begins takes the largest value.
    o_valid, o_token : Out
        A token, one cycle after `valid`.
    sums : Out, array of signed(32)
        With it: the sums.
    """

    def __init__(self, config: AcceleratorConfig) -> None:
        self._config = config
        n = config.array
        token = token_layout(config)
        super().__init__(
            {
                "early_valid": In(1),
                "early_token": In(token),
                "valid": In(1),
                "token": In(token),
                "tile": In(data.ArrayLayout(signed(TILE_WIDTH), n)),
                "bias": In(data.ArrayLayout(unsigned(32), n)),
                "bias_taken": Out(1),
                "o_valid": Out(1),
                "o_token": Out(token),
                "sums": Out(data.ArrayLayout(signed(32), n)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the adders and the banks."""
        m = Module()
        n, early, token = self._config.array, self.early_token, self.token
        words = data.ArrayLayout(signed(32), n)
        bias, addend, read = Signal(words), Signal(words), Signal(words)
        m.d.comb += self.bias_taken.eq(self.early_valid & early.bias)
        with m.If(self.early_valid & early.bias):
            m.d.sync += bias.eq(self.bias)
        with m.Elif(self.early_valid & early.command):
            m.d.sync += [bias[i].eq(Mux(early.maximum, _NOTHING, 0)) for i in range(n)]
        from_memory = Signal()
        m.d.sync += from_memory.eq(self.early_valid & early.memory)
        m.d.sync += addend.eq(Mux(from_memory, read, bias))
        with m.If(self.valid):
            for i in range(n):
                before = Mux(token.chain, self.sums[i], addend[i])
                larger = Mux(before > self.tile[i], before, self.tile[i])
                value = Mux(token.maximum, Mux(token.skip, before, larger), before + self.tile[i])
                m.d.sync += self.sums[i].eq(value)
        m.d.sync += [self.o_valid.eq(self.valid), self.o_token.eq(token)]
        self._banks(m, read)
        return m

    def _banks(self, m: Module, read: Signal) -> None:
        """Read with the early token, write with the last one, or as soon as the bank is free."""
        early, write = self.early_token, self.o_token
        width = 32 * self._config.array
        wanted, coming = Signal(), Signal()
        waits, waiting = Signal(), Signal()
        late, late_place = Signal(width), Signal.like(write.write_place)
        m.d.comb += [
            wanted.eq(self.early_valid & early.memory),
            coming.eq(self.o_valid & write.write),
        ]
        answered = Signal()
        m.d.sync += answered.eq(early.read_place[0])
        blocked, held = Signal(), Signal()  # what comes, and what waits, cannot be written now
        m.d.comb += [
            held.eq(waiting & wanted & (early.read_place[0] == late_place[0])),
            blocked.eq(
                coming
                & (
                    (wanted & (early.read_place[0] == write.write_place[0]))
                    | (waiting & (late_place[0] == write.write_place[0]))
                )
            ),
            waits.eq(blocked),
        ]
        m.d.sync += waiting.eq(held | waits)
        with m.If(waits):
            m.d.sync += [late.eq(self.sums), late_place.eq(write.write_place)]
        banks = []
        for number in range(2):
            bank = Sram(words=self._config.psum_words // 2, width=width)
            m.submodules[f"bank_{number}"] = bank
            banks.append(bank)
            reads = wanted & (early.read_place[0] == number)
            old = waiting & (late_place[0] == number)
            new = coming & (write.write_place[0] == number)
            m.d.comb += [
                bank.enable.eq(reads | old | new),
                bank.write.eq(~reads),
                bank.address.eq(
                    Mux(reads, early.read_place[1:], Mux(old, late_place[1:], write.write_place[1:]))
                ),
                bank.write_data.eq(Mux(old, late, self.sums)),
            ]
        m.d.comb += read.eq(Mux(answered, banks[1].read_data, banks[0].read_data))
