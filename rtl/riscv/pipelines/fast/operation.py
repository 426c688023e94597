"""What passes from stage to stage of the fast pipeline."""

from enum import IntEnum

from amaranth.hdl import unsigned
from amaranth.lib import data, enum

from rtl.riscv.config import CoreConfig
from rtl.riscv.pipelines.fast.predictor import ways
from rtl.riscv.units.alu import AluControl

__all__ = ["Atomic", "Operation", "Special", "pair_layout"]


class Special(enum.Enum, shape=unsigned(4)):
    """What executes alone, at the end of the pipeline, by other means than the units."""

    NONE = 0
    ILLEGAL = 1
    FETCH_FAULT = 2
    FETCH_FAULT_SECOND = 3  # in the second half of an instruction that crosses blocks
    ECALL = 4
    EBREAK = 5
    MRET = 6
    WFI = 7
    FENCE_I = 8
    CSR = 9
    DRET = 10
    REFETCH = 11  # a void prediction cut the instruction in two
    INTERRUPT = 12  # in place of the next instruction
    HALT = 13  # into debug mode, in place of the next instruction
    CUSTOM = 14
    ATOMIC = 15


class Atomic(IntEnum):
    """``funct5`` of the A extension."""

    ADD = 0x00
    SWAP = 0x01
    LR = 0x02
    SC = 0x03
    XOR = 0x04
    OR = 0x08
    AND = 0x0C
    MIN = 0x10
    MAX = 0x14
    MINU = 0x18
    MAXU = 0x1C


class Operation(data.Struct):
    """One decoded instruction.

    Members
    -------
    rs1, rs2, rd
        Registers; 0 where the instruction has none.
    writes
        It writes ``rd``, which is not ``x0``.
    immediate
        Of a special instruction, its bits as fetched.
    alu, function
        What the ALU does; ``funct3``.
    use_pc, use_immediate, use_length
        The first operand is ``pc``; the second the immediate, or the
        instruction's length.
    load, store, branch, jump, indirect, call, ret, multiply, long
        These; ``jump`` are ``jal`` and ``jalr``, and ``indirect`` is
        ``jalr``. ``call`` and ``ret`` follow the convention for ``x1``, ``x5``.
        ``multiply`` is a product of the array; ``long`` are operations of :class:`LongUnit`.
    csr_write
        A CSR instruction that writes.
    atomic
        ``funct5`` of an atomic instruction; its first half is a ``load``,
        and that of SC a ``store``.
    special
        Not :attr:`Special.NONE`: the instruction is alone in its pair.
    """

    rs1: 5
    rs2: 5
    rd: 5
    writes: 1
    immediate: 32
    alu: AluControl
    function: 3
    use_pc: 1
    use_immediate: 1
    use_length: 1
    load: 1
    store: 1
    branch: 1
    jump: 1
    indirect: 1
    call: 1
    ret: 1
    multiply: 1
    long: 1
    csr_write: 1
    atomic: 5
    special: Special


def pair_layout(config: CoreConfig) -> data.StructLayout:
    """Return the layout of one or two instructions that pass the pipeline together.

    Members: ``valid`` (a bit for each slot, the older instruction in slot 0);
    ``pc`` (31 bits, halfwords); ``long`` (32 bits wide, not 16); ``predicted``
    (the last of them is predicted taken); ``known`` (for the
    predictor); ``operations``; with two slots ``chain`` (which operands of
    the second are the first's result) and ``constant`` (which are the first's
    immediate); and for RVFI ``raw``, the bits as fetched.
    """
    slots = config.issue_width
    members = {
        "valid": unsigned(slots),
        "pc": unsigned(31),
        "long": unsigned(slots),
        "predicted": unsigned(1),
        "known": unsigned(ways(config)),
        "operations": data.ArrayLayout(Operation, slots),
    }
    if slots == 2:
        members |= {"chain": unsigned(2), "constant": unsigned(2)}
    if config.rvfi:
        members["raw"] = data.ArrayLayout(unsigned(32), slots)
    return data.StructLayout(members)
