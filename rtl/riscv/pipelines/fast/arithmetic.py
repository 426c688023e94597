"""Multiplication and division of the fast pipeline."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from rtl.riscv.units.multiplier import carry_save_sum

__all__ = ["LongUnit", "LowMultiplier"]


class LowMultiplier(wiring.Component):
    """The low half of a product: ``mul``.

    Rows of Booth's digits, cut off at 32 bits: half of a full array.

    Members
    -------
    a, b : In(32)
    result : Out(32)
        Of the operands a cycle ago.

    Timing
    ------
    One product a cycle; ``result`` comes late in the cycle after its operands.

    Source
    ------
    A. Booth, "A Signed Binary Multiplication Technique", 1951.
    """

    a: In(32)
    b: In(32)
    result: Out(32)

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        rows: list[Value] = []
        negations: list[Value] = []
        factor = Cat(Const(0, 1), self.b)
        doubled = Cat(Const(0, 1), self.a)
        for digit in range(16):
            low, middle, high = (factor[2 * digit + i] for i in range(3))
            width = 32 - 2 * digit
            one, two = low ^ middle, (high & ~middle & ~low) | (~high & middle & low)
            row = Signal(width, name=f"digit_{digit}")
            single, double = self.a[:width], doubled[:width]
            m.d.comb += row.eq(
                ((single & one.replicate(width)) | (double & two.replicate(width))) ^ high.replicate(width)
            )
            rows.append(Cat(Const(0, 2 * digit), row))
            negations += [high, Const(0, 1)]
        rows.append(Cat(*negations))
        total, carries = (Signal(32, name=name, reset_less=True) for name in ("total", "carries"))
        sums = carry_save_sum(m, rows, 32)
        m.d.sync += [total.eq(sums[0]), carries.eq(sums[1])]
        m.d.comb += self.result.eq(total + carries)
        return m


class LongUnit(wiring.Component):
    """Division, and both halves of products, a bit a cycle.

    One adder and one pair of shifting registers serve both.

    Parameters
    ----------
    early_out
        Skip zeros above the dividend's highest bit, four in a cycle.
    products
        Whether it multiplies; else it divides only.

    Members
    -------
    start : In(1)
        Take the operands; only while not ``busy``.
    function : In(3)
        ``funct3``. Holds until the end.
    a, b : In(32)
    busy : Out(1)
    result : Out(32)
        Valid from the cycle in which ``busy`` has fallen.

    Timing
    ------
    33 cycles from ``start`` to ``result`` for products, 34 for quotients; with
    ``early_out`` three less for every four leading zeros of the dividend's
    magnitude, and 2 in all when the divisor is 0.
    """

    start: In(1)
    function: In(3)
    a: In(32)
    b: In(32)
    busy: Out(1)
    result: Out(32)

    def __init__(self, *, early_out: bool = True, products: bool = True) -> None:
        self._early_out = early_out
        self._products = products
        super().__init__()

    def elaborate(self, platform: object) -> Module:
        """Return the logic.

        The dividend is made positive first, and the result gets its sign at
        the end. A negative divisor is added instead of subtracted. Of a
        product, the last step subtracts: a signed multiplier's top bit.
        """
        m = Module()
        high, low, factor = Signal(33), Signal(32), Signal(32)
        negative_a, negative_b = Signal(), Signal()
        count, signing, fresh = Signal(6), Signal(), Signal()
        divides = self.function[2] if self._products else Const(1, 1)
        rest = self.function[1]
        a_signed = Mux(divides, ~self.function[0], self.function[:2] != 3)
        b_signed = Mux(divides, ~self.function[0], ~self.function[1])

        # high:low moves left for quotients, right for products.
        last = count == 1
        subtracts = last & negative_a
        augend, addend, carry, total = Signal(34), Signal(34), Signal(), Signal(34)
        extended = Cat(factor, negative_b.replicate(2))
        with m.If(divides):
            m.d.comb += [
                augend.eq(Cat(low[31], high[:32])),
                addend.eq(Cat(factor ^ (~negative_b).replicate(32), Const(1, 1))),
                carry.eq(~negative_b),
            ]
        with m.Else():
            m.d.comb += [
                augend.eq(Cat(high, high[32])),
                addend.eq((extended ^ subtracts.replicate(34)) & low[0].replicate(34)),
                carry.eq(subtracts & low[0]),
            ]
        m.d.comb += total.eq(augend + addend + carry)
        fits = total[33]

        selected, negate, settled = Signal(32), Signal(), Signal(32)
        m.d.comb += [
            selected.eq(Mux(rest & ~signing, high[:32], low)),
            negate.eq(negative_a ^ (negative_b & ~rest & ~signing)),
            settled.eq((selected ^ negate.replicate(32)) + negate),
            self.busy.eq(signing | count.any()),
        ]
        product = Mux(self.function[:2].any(), high[:32], low)
        m.d.comb += self.result.eq(Mux(divides, settled, product))
        with m.If(self.start):
            m.d.sync += [
                low.eq(self.a),
                high.eq(0),
                factor.eq(self.b),
                negative_a.eq(a_signed & self.a[31]),
                negative_b.eq(b_signed & self.b[31]),
                count.eq(32),
                signing.eq(divides),
                fresh.eq(1),
            ]
        with m.Elif(signing):
            m.d.sync += [signing.eq(0), low.eq(settled)]
            with m.If(~factor.any()):
                m.d.sync += [
                    count.eq(0),
                    low.eq(0xFFFF_FFFF),
                    high.eq(low),
                    negative_a.eq(0),
                    negative_b.eq(0),
                ]
        with m.Elif(count.any()):
            skips = fresh & divides & ~low[28:].any() & (count[2:].any() & ~last) & (count != 4)
            with m.If(skips if self._early_out else 0):
                m.d.sync += [low.eq(low << 4), count.eq(count - 4)]
            with m.Else():
                m.d.sync += [count.eq(count - 1), fresh.eq(0)]
                with m.If(divides):
                    m.d.sync += [
                        high.eq(Mux(fits, total[:32], augend[:32])),
                        low.eq(Cat(fits, low[:31])),
                    ]
                with m.Else():
                    m.d.sync += [high.eq(total[1:]), low.eq(Cat(low[1:], total[0]))]
        return m
