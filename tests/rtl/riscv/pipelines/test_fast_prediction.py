"""The fast pipeline's target buffer and return addresses."""

from amaranth.sim import Simulator

from rtl.riscv.config import CoreConfig
from rtl.riscv.pipelines.fast.predictor import BranchKind, Predictor

SETS = 8
LANES = 4  # halfwords of a block
WAYS = 3


def address(block: int, position: int = 0) -> int:
    """Return the halfword address of a place in the first set's `block`-th block."""
    return block * SETS * LANES + position


def run(bench) -> None:
    dut = Predictor(CoreConfig.preset("fast", btb_entries=WAYS * SETS))
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)

    async def testbench(ctx):
        await bench(ctx, dut)

    simulator.add_testbench(testbench)
    simulator.run()


async def execute(ctx, dut, where, target, *, known=0, taken=True, near=True, kind=BranchKind.BRANCH):
    """Tell the predictor of a branch; one that it did not know is entered."""
    values = {
        "valid": 1, "address": where, "kind": kind, "taken": taken, "target": target,
        "near": near, "known": known, "allocate": taken and not known,
    }  # fmt: skip
    for name, value in values.items():
        ctx.set(getattr(dut.update, name), value)
    await ctx.tick()
    ctx.set(dut.update.valid, 0)


def predict(ctx, dut, where):
    """Return where fetch goes from a block, or None for the next one; and which ways know of it."""
    ctx.set(dut.block, where // LANES)
    ctx.set(dut.start, where % LANES)
    target = (ctx.get(dut.position), ctx.get(dut.target)) if ctx.get(dut.taken) else None
    return target, ctx.get(dut.known)


def test_three_branches_of_a_set_are_kept():
    async def bench(ctx, dut):
        for block in range(4):
            await execute(ctx, dut, address(block, 1), 100 + block)
        assert predict(ctx, dut, address(0)) == (None, 0), "the oldest is replaced"
        assert [predict(ctx, dut, address(block))[0] for block in (1, 2, 3)] == [(1, 101), (1, 102), (1, 103)]

    run(bench)


def test_the_first_taken_branch_of_a_block_counts():
    async def bench(ctx, dut):
        for position, target in ((3, 300), (0, 200), (2, 250)):
            await execute(ctx, dut, address(5, position), target)
        assert predict(ctx, dut, address(5)) == ((0, 200), 0b111)
        assert predict(ctx, dut, address(5, 1)) == ((2, 250), 0b101), "fetch begins behind the first"
        for _ in range(2):
            await execute(ctx, dut, address(5, 2), 0, known=0b100, taken=False)
        assert predict(ctx, dut, address(5, 1)) == ((3, 300), 0b101), "one that is not taken is passed"

    run(bench)


def test_far_targets_are_not_kept():
    async def bench(ctx, dut):
        await execute(ctx, dut, address(1), 100, near=False)
        assert predict(ctx, dut, address(1)) == (None, 0)

    run(bench)


def test_returns_go_behind_calls():
    async def bench(ctx, dut):
        call, back = address(1, 1), address(2, 3)
        await execute(ctx, dut, call, back, kind=BranchKind.CALL)
        await execute(ctx, dut, back, 0, kind=BranchKind.RETURN)
        ctx.set(dut.advance, 1)
        assert predict(ctx, dut, call)[0] == (1, back)
        await ctx.tick()
        assert predict(ctx, dut, back)[0] == (3, call + 1)

    run(bench)
