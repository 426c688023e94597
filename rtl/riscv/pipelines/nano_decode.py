"""What an instruction asks of the nano pipeline."""

from amaranth.hdl import Cat, Module, Mux, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from rtl.riscv.config import CoreConfig
from rtl.riscv.isa import Opcode

__all__ = ["Decoder"]

_CUSTOM = (Opcode.CUSTOM_0, Opcode.CUSTOM_1, Opcode.CUSTOM_2, Opcode.CUSTOM_3)

_KINDS = (
    "load",
    "store",
    "branch",
    "jal",
    "jalr",
    "lui",
    "auipc",
    "op",
    "op_imm",
    "fence",
    "system",
    "custom",
)


class Decoder(wiring.Component):
    """Decode an RV32I, Zicsr and Zifencei instruction.

    Parameters
    ----------
    config
        The core: ``e`` limits the registers, ``custom`` admits its opcodes.

    Members
    -------
    instruction : In(32)
    load, store, branch, jal, jalr, lui, auipc, op, op_imm, fence, system, custom : Out(1)
        Its opcode. At most one is high.
    immediate : Out(32)
        The immediate operand, in the format of its opcode.
    csr, ecall, ebreak, mret, wfi : Out(1)
        What kind of ``system`` instruction it is.
    shift : Out(1)
        A shift, by a register or an immediate.
    illegal : Out(1)
        There is no such instruction in this core. CSRs are not looked at.

    Source
    ------
    The RISC-V Instruction Set Manual, volume I, chapters 2, 3, 6 and 35;
    volume II, section 3.3.
    """

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        flags = (*_KINDS, "csr", "ecall", "ebreak", "mret", "wfi", "shift", "illegal")
        super().__init__(
            {"instruction": In(32), "immediate": Out(32), **{name: Out(1) for name in flags}},
        )

    def elaborate(self, platform: object) -> Module:
        """Return the logic."""
        m = Module()
        word = self.instruction
        opcode, funct3, function = word[2:7], word[12:15], word[20:32]
        kinds = {
            "load": Opcode.LOAD,
            "store": Opcode.STORE,
            "branch": Opcode.BRANCH,
            "jal": Opcode.JAL,
            "jalr": Opcode.JALR,
            "lui": Opcode.LUI,
            "auipc": Opcode.AUIPC,
            "op": Opcode.OP,
            "op_imm": Opcode.OP_IMM,
            "fence": Opcode.MISC_MEM,
            "system": Opcode.SYSTEM,
        }
        for name, value in kinds.items():
            m.d.comb += getattr(self, name).eq(opcode == value)
        if self._config.custom != "none":
            m.d.comb += self.custom.eq(opcode.matches(*(f"{value:05b}" for value in _CUSTOM)))
        plain = self.system & ~funct3.any() & ~word[7:12].any() & ~word[15:20].any()
        m.d.comb += [
            self.csr.eq(self.system & funct3[:2].any()),
            self.ecall.eq(plain & (function == 0x000)),
            self.ebreak.eq(plain & (function == 0x001)),
            self.mret.eq(plain & (function == 0x302)),
            self.wfi.eq(plain & (function == 0x105)),
            self.shift.eq((self.op | self.op_imm) & (funct3[:2] == 1)),
            self.immediate.eq(self._immediate()),
            self.illegal.eq(~self._legal() | (word[:2] != 3)),
        ]
        return m

    def _immediate(self) -> Value:
        word = self.instruction
        sign = word[31]
        upper = self.lui | self.auipc
        by_destination = self.store | self.branch  # their low bits are where others name rd
        eleven = Mux(self.branch, word[7], Mux(self.jal, word[20], sign & ~upper))
        zero = Mux(self.store, word[7], word[20] & ~(upper | self.jal | self.branch))
        return Cat(
            zero,
            Mux(by_destination, word[8:12], word[21:25] & (~upper).replicate(4)),
            word[25:31] & (~upper).replicate(6),
            eleven,
            Mux(upper | self.jal, word[12:20], sign.replicate(8)),
            Mux(upper, word[20:31], sign.replicate(11)),
            sign,
        )

    def _legal(self) -> Value:
        word = self.instruction
        funct3, funct7 = word[12:15], word[25:32]
        base = ~funct7.any()
        alternative = (funct7 == 0x20) & ((funct3 == 5) | (self.op & (funct3 == 0)))
        legal = (
            (self.load & ~(funct3[0] & funct3[1]) & ~(funct3[2] & funct3[1]))
            | (self.store & ~funct3[2] & ~(funct3[0] & funct3[1]))
            | (self.branch & ~(funct3[1] & ~funct3[2]))
            | (self.jalr & ~funct3.any())
            | (self.fence & ~funct3[1:].any())
            | (self.op_imm & ~self.shift)
            | ((self.op | self.op_imm) & (base | alternative))
            | (self.csr | self.ecall | self.ebreak | self.mret | self.wfi)
            | (self.jal | self.lui | self.auipc | self.custom)
        )
        return legal & ~self._beyond_registers() if self._config.e else legal

    def _beyond_registers(self) -> Value:
        """Whether it names one of ``x16`` to ``x31``, which RV32E lacks."""
        word = self.instruction
        reads_first = ~(self.lui | self.auipc | self.jal | self.fence | (self.system & word[14]))
        reads_second = self.op | self.store | self.branch | self.custom
        writes = ~(self.store | self.branch | self.fence)
        return (word[11] & writes) | (word[19] & reads_first) | (word[24] & reads_second)
