"""Multipliers: an array of partial products, used once or several times a product."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["IterativeMultiplier", "Multiplier", "carry_save_sum"]


def carry_save_sum(m: Module, rows: list[Value], width: int) -> tuple[Value, Value]:
    """Return two values whose sum is that of `rows`, modulo two to the `width`.

    Full adders in levels, three rows to two, so that the depth grows with
    the logarithm of the rows.
    """
    level = 0
    while len(rows) > 2:
        left = []
        for first in range(0, len(rows) - 2, 3):
            a, b, c = (Signal(width, name=f"row_{level}_{first + i}") for i in range(3))
            m.d.comb += [x.eq(row) for x, row in zip((a, b, c), rows[first : first + 3], strict=True)]
            carry = Cat(Const(0, 1), (a & b) | (c & (a ^ b)))
            left += [a ^ b ^ c, carry[:width]]
        rows = left + rows[len(rows) - len(rows) % 3 :]
        level += 1
    return rows[0], rows[1]


class Multiplier(wiring.Component):
    """Multiply with one whole array.

    Parameters
    ----------
    registered
        Registers before the last addition: a product each cycle, one cycle
        after its operands. Else combinational.

    Members
    -------
    operation : In(2)
        ``funct3[1:0]``: ``mul``, ``mulh``, ``mulhsu``, ``mulhu``.
    a, b : In(32)
    enable : In(1)
        Take operands. When ``registered``; else without effect.
    result : Out(32)

    Timing
    ------
    ``result`` in the cycle of the operands, or, when ``registered``, from
    the cycle after an ``enable`` until the next.

    Source
    ------
    A. Booth, "A Signed Binary Multiplication Technique", 1951, with digits of 2 bits.
    """

    def __init__(self, *, registered: bool) -> None:
        self._registered = registered
        super().__init__({"operation": In(2), "a": In(32), "b": In(32), "enable": In(1), "result": Out(32)})

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        a_signed, b_signed = self.operation != 3, ~self.operation[1]
        a, b = Signal(33), Signal(35)
        m.d.comb += [
            a.eq(Cat(self.a, self.a[31] & a_signed)),
            b.eq(Cat(Const(0, 1), self.b, (self.b[31] & b_signed).replicate(2))),
        ]
        total, carries = carry_save_sum(m, _booth_rows(m, a, b), 64)
        upper = self.operation != 0
        if self._registered:
            held = [Signal(64, name=name, reset_less=True) for name in ("total", "carries")]
            upper_held = Signal(reset_less=True)
            with m.If(self.enable):
                m.d.sync += [held[0].eq(total), held[1].eq(carries), upper_held.eq(upper)]
            total, carries = held
            upper = upper_held
        product = Signal(64)
        m.d.comb += [
            product.eq(total + carries),
            self.result.eq(Mux(upper, product[32:], product[:32])),
        ]
        return m


def _booth_row(m: Module, a: Value, bits: Value, digit: int) -> tuple[Value, Value]:
    """Return 33 bits of `a` times a digit, in 34 bits; and the 1 to add when it is negative.

    `bits` are the digit's two and the one below them.
    """
    low, middle, high = three = Signal(3, name=f"bits_{digit}")
    one, two = Signal(name=f"one_{digit}"), Signal(name=f"two_{digit}")
    m.d.comb += [
        three.eq(bits),
        one.eq(low ^ middle),
        two.eq((high & ~middle & ~low) | (~high & middle & low)),
    ]
    row = Signal(34, name=f"digit_{digit}")
    single, double = Cat(a, a[32]), Cat(Const(0, 1), a)
    m.d.comb += row.eq(((single & one.replicate(34)) | (double & two.replicate(34))) ^ high.replicate(34))
    return row, high


def _booth_rows(m: Module, a: Value, b: Value) -> list[Value]:
    """Return rows of 64 bits that add to a product; `b` begins with a 0 below its lowest bit."""
    rows, negations, correction = [], [], 0
    for digit in range(17):
        bits = Cat(b[min(2 * digit + i, len(b) - 1)] for i in range(3))
        row, high = _booth_row(m, a, bits, digit)
        # A complemented sign, and a constant, in place of the sign's extension.
        rows.append(Cat(Const(0, 2 * digit), row[:33], ~row[33])[:64])
        correction -= 1 << (33 + 2 * digit)
        # The +1 of a negative row comes two places below the next one.
        negations += [high, Const(0, 1)]
    rows.append(Cat(*negations))
    rows.append(Const(correction % (1 << 64), 64))
    return rows


class IterativeMultiplier(wiring.Component):
    """Multiply in several passes over `bits` bits of ``b``.

    Sum and carries stay apart between the passes; each pass settles the
    lowest bits of the product, which move into ``b`` from above as its own
    bits leave. For the high half, sum and carries are added after each pass:
    apart, they do not know the sign. A ``mul`` whose ``b`` fits in 16 bits,
    with its sign, ends halfway.

    Parameters
    ----------
    bits
        Of ``b`` in a pass: 2, 4, 8 or 16.

    Members
    -------
    start : In(1)
        Take the operands; what was under way is dropped.
    operation : In(2)
        ``funct3[1:0]``: ``mul``, ``mulh``, ``mulhsu``, ``mulhu``; with ``start``.
    a, b : In(32)
    busy, done : Out(1)
        Passes are being made; the last one is.
    result : Out(32)

    Timing
    ------
    ``done`` is ``32 / bits`` cycles after ``start``; half of that for a
    short ``mul``, twice less one for a high half. ``result`` is valid from
    the cycle after it, until the next ``start``.

    Source
    ------
    A. Booth, "A Signed Binary Multiplication Technique", 1951, with digits of 2 bits.
    """

    def __init__(self, *, bits: int = 8) -> None:
        if bits not in (2, 4, 8, 16):
            raise ValueError(f"bits must be 2, 4, 8 or 16, not {bits}")
        self._bits = bits
        super().__init__(
            {
                "start": In(1),
                "operation": In(2),
                "a": In(32),
                "b": In(32),
                "busy": Out(1),
                "done": Out(1),
                "result": Out(32),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        bits, passes = self._bits, 32 // self._bits
        a, b, total, carries = (
            Signal(n, name=name, reset_less=True)
            for n, name in ((33, "multiplicand"), (32, "low"), (34, "total"), (34, "carries"))
        )
        # Below the lowest bit of `b`; out of the settled bits.
        below, carry = Signal(reset_less=True), Signal(reset_less=True)
        short, upper, unsigned = (Signal(name=n, reset_less=True) for n in ("short", "upper", "unsigned_b"))
        count, adding = Signal(range(passes)), Signal()
        last, halfway = ~count.any(), count == passes // 2

        rows = self._digits(m, a, Cat(below, b[:bits]))
        # An unsigned `b` with its top bit set is 2**32 more than its digits say.
        beyond = (last & unsigned & b[bits - 1]).replicate(34) & Cat(a, a[32])
        rows += [
            Cat(carry, Const(0, bits - 1), beyond),
            Cat(total, total[33].replicate(bits)),
            Cat(carries, Const(0, bits)),
        ]
        sums = [Signal(bits + 34, name=name) for name in ("sums", "sum_carries")]
        m.d.comb += [x.eq(y) for x, y in zip(sums, carry_save_sum(m, rows, bits + 34), strict=True)]
        settled, product = Signal(bits + 1), Signal(34)
        m.d.comb += [
            settled.eq(sums[0][:bits] + sums[1][:bits]),
            product.eq(total + carries + carry),
            self.done.eq(self.busy & ~adding & (last | (halfway & short))),
        ]

        with m.If(self.start):
            m.d.sync += [
                a.eq(Cat(self.a, self.a[31] & (self.operation != 3))),
                b.eq(self.b),
                below.eq(0),
                total.eq(0),
                carries.eq(0),
                carry.eq(0),
                count.eq(passes - 1),
                adding.eq(0),
                self.busy.eq(1),
                upper.eq(self.operation.any()),
                unsigned.eq(self.operation[1]),
                short.eq((self.b[15:].all() | ~self.b[15:].any()) & ~self.operation.any()),
            ]
        with m.Elif(adding):
            m.d.sync += [total.eq(product), carries.eq(0), carry.eq(0), adding.eq(0)]
        with m.Elif(self.busy):
            m.d.sync += [
                b.eq(Cat(b[bits:], settled[:bits])),
                below.eq(b[bits - 1]),
                total.eq(sums[0][bits:]),
                carries.eq(sums[1][bits:]),
                carry.eq(settled[bits]),
                count.eq(count - 1),
                adding.eq(upper & ~last),
                self.busy.eq(~self.done),
            ]
        with m.If(short):
            m.d.comb += self.result.eq(Cat(b[16:], product[:16]))
        with m.Elif(upper):
            m.d.comb += self.result.eq(product[:32])
        with m.Else():
            m.d.comb += self.result.eq(b)
        return m

    def _digits(self, m: Module, a: Value, b: Value) -> list[Value]:
        """Return a row for each digit of `b`, which begins with the bit below its lowest."""
        rows, correction, before = [], 0, Const(0, 0)
        for digit in range(self._bits // 2):
            row, high = _booth_row(m, a, b[2 * digit : 2 * digit + 3], digit)
            # A complemented sign, and a constant, in place of the sign's extension; and below the
            # row, what completes the one before it when that is negative.
            rows.append(Cat(before, row[:33], ~row[33], Const(0, self._bits - 2 * digit)))
            correction -= 1 << (33 + 2 * digit)
            before = Cat(Const(0, 2 * digit), high, Const(0, 1))
        constant = (correction >> 33) % (1 << (self._bits + 1))
        rows.append(Cat(before, Const(0, 33 - len(before)), Const(constant, self._bits + 1)))
        return rows
