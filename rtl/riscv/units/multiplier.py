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
    C. Baugh, B. Wooley, "A Two's Complement Parallel Array Multiplication
    Algorithm", 1973; A. Booth, "A Signed Binary Multiplication Technique", 1951.
    """

    def __init__(self, *, registered: bool) -> None:
        self._registered = registered
        super().__init__({"operation": In(2), "a": In(32), "b": In(32), "enable": In(1), "result": Out(32)})

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        a_signed, b_signed = self.operation != 3, ~self.operation[1]
        a = Cat(self.a, self.a[31] & a_signed)
        b = Cat(Const(0, 1), self.b, (self.b[31] & b_signed).replicate(2))
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


def _booth_rows(m: Module, a: Value, b: Value) -> list[Value]:
    """Return rows of 64 bits that add to a product; `b` begins with a 0 below its lowest bit."""
    rows, negations, correction = [], [], 0
    for digit in range(17):
        low, middle, high = (b[min(2 * digit + i, len(b) - 1)] for i in range(3))
        one, two = low ^ middle, (high & ~middle & ~low) | (~high & middle & low)
        row = Signal(34, name=f"digit_{digit}")
        double = Cat(Const(0, 1), a)
        single = Cat(a, a[32])
        m.d.comb += row.eq(((single & one.replicate(34)) | (double & two.replicate(34))) ^ high.replicate(34))
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
    bits leave. A ``mul`` whose ``b`` fits in 16 bits, with its sign, ends
    early.

    Parameters
    ----------
    bits
        Of ``b`` in a pass: 1, 2, 4, 8 or 16.

    Members
    -------
    start : In(1)
        Take the operands; only while not ``busy``, or with ``done``.
    operation : In(2)
        ``funct3[1:0]``: ``mul``, ``mulh``, ``mulhsu``, ``mulhu``. Holds until ``done``.
    a, b : In(32)
    busy, done : Out(1)
        Passes are being made; the last one is.
    result : Out(32)

    Timing
    ------
    ``done`` is ``32 / bits`` cycles after ``start``, or ``16 / bits`` for a
    short ``mul``; ``result`` is valid from the cycle after it, until the
    next ``start``. A ``start`` while ``busy`` drops the product before.

    Source
    ------
    C. Baugh, B. Wooley, "A Two's Complement Parallel Array Multiplication
    Algorithm", 1973: which partial products a sign complements.
    """

    def __init__(self, *, bits: int = 8) -> None:
        if bits not in (1, 2, 4, 8, 16):
            raise ValueError(f"bits must be 1, 2, 4, 8 or 16, not {bits}")
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
        bits = self._bits
        width = 33 + bits
        passes = 32 // bits
        a, b, total, carries = (
            Signal(n, name=name, reset_less=True)
            for n, name in ((32, "multiplicand"), (32, "low"), (33, "total"), (33, "carries"))
        )
        carry = Signal(reset_less=True)
        count = Signal(range(passes))
        short, upper = Signal(reset_less=True), Signal(reset_less=True)
        a_signed, high = Signal(reset_less=True), Signal(reset_less=True)

        # The top row of the last pass is negative when the sign of `b` is in it.
        halfway = count == passes // 2
        last = ~count.any()
        negative = Signal()
        m.d.comb += negative.eq((last & high) | (halfway & short & b[bits - 1]))
        rows: list[Value] = []
        for j in range(bits):
            row = Signal(32, name=f"product_{j}")
            flip = negative if j == bits - 1 else Const(0, 1)
            signs = Cat(flip.replicate(31), flip ^ a_signed)
            m.d.comb += row.eq((a & b[j].replicate(32)) ^ signs)
            rows.append(Cat(Const(0, j), row, Const(0, width - 32 - j)))
        corner = Cat(carry, Const(0, bits - 1)) | (negative << (bits - 1)) if bits > 1 else carry
        rows += [Cat(total, Const(0, bits)), Cat(carries, Const(0, bits))]
        extra = Signal(width)
        m.d.comb += extra.eq(corner if bits > 1 else carry + negative)
        sums = carry_save_sum(m, [*rows, extra], width)
        settled = Signal(bits + 1)
        m.d.comb += settled.eq(sums[0][:bits] + sums[1][:bits])

        with m.If(self.start):
            m.d.sync += [
                a.eq(self.a),
                b.eq(self.b),
                # The constant of the complemented products.
                total.eq(((self.operation == 1) | (self.operation == 2)) << 31),
                carries.eq(0),
                carry.eq(0),
                count.eq(passes - 1),
                self.busy.eq(1),
                upper.eq(self.operation.any()),
                a_signed.eq((self.operation == 1) | (self.operation == 2)),
                high.eq(self.operation == 1),
                short.eq(self._fits(self.b) & ~self.operation.any()),
            ]
        with m.Elif(self.busy):
            m.d.sync += [
                b.eq(Cat(b[bits:], settled[:bits])),
                total.eq(sums[0][bits:]),
                carries.eq(sums[1][bits:]),
                carry.eq(settled[bits]),
                count.eq(count - 1),
                self.busy.eq(~self.done),
            ]
        m.d.comb += self.done.eq(self.busy & (last | (halfway & short)))

        product = Signal(32)
        m.d.comb += product.eq(total + carries + carry)
        with m.If(short):
            m.d.comb += self.result.eq(Cat(b[16:], product[:16]))
        with m.Elif(upper):
            m.d.comb += self.result.eq(Cat(product[:31], product[31] ^ a_signed))
        with m.Else():
            m.d.comb += self.result.eq(b)
        return m

    def _fits(self, value: Value) -> Value:
        """Whether all bits from the 16th on are alike."""
        return value[15:].all() | ~value[15:].any()
