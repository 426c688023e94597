"""Numbers of the RISC-V specifications that the hardware and its benches share. Imports no library.

Source: The RISC-V Instruction Set Manual, volumes I (20240411) and II
(20240411); RISC-V External Debug Support 0.13.2 and 1.0.
"""

from enum import IntEnum

__all__ = ["Cause", "Csr", "DebugCause", "Interrupt", "Mode", "Opcode", "StallReason"]


class Opcode(IntEnum):
    """Bits 6 to 2 of an instruction whose bits 1 to 0 are ``11``."""

    LOAD = 0x00
    CUSTOM_0 = 0x02
    MISC_MEM = 0x03
    OP_IMM = 0x04
    AUIPC = 0x05
    STORE = 0x08
    CUSTOM_1 = 0x0A
    AMO = 0x0B
    OP = 0x0C
    LUI = 0x0D
    CUSTOM_2 = 0x16
    BRANCH = 0x18
    JALR = 0x19
    JAL = 0x1B
    SYSTEM = 0x1C
    CUSTOM_3 = 0x1E


class Mode(IntEnum):
    """Privilege modes."""

    USER = 0
    MACHINE = 3


class Cause(IntEnum):
    """Exception causes (``mcause`` with its top bit clear)."""

    INSTRUCTION_MISALIGNED = 0
    INSTRUCTION_FAULT = 1
    ILLEGAL_INSTRUCTION = 2
    BREAKPOINT = 3
    LOAD_MISALIGNED = 4
    LOAD_FAULT = 5
    STORE_MISALIGNED = 6
    STORE_FAULT = 7
    ECALL_U = 8
    ECALL_M = 11


class Interrupt(IntEnum):
    """Interrupt causes (``mcause`` with its top bit set). Local ones follow from 16."""

    SOFTWARE = 3
    TIMER = 7
    EXTERNAL = 11
    LOCAL = 16


class DebugCause(IntEnum):
    """Why a core entered debug mode (``dcsr.cause``)."""

    EBREAK = 1
    TRIGGER = 2
    HALT_REQUEST = 3
    STEP = 4
    RESET_HALT = 5


class StallReason(IntEnum):
    """Why no instruction retired in a cycle; one reason a cycle, the oldest instruction's."""

    NONE = 0  # something retired
    FETCH = 1  # no instruction has come from memory
    BRANCH = 2  # the pipeline refills after a taken or mispredicted branch
    LOAD_USE = 3  # an operand is still being loaded
    MULTIPLY = 4
    DIVIDE = 5
    DATA_BUS = 6  # a load or store waits for the bus
    SYSTEM = 7  # CSR access, trap entry and return, fence
    EXECUTE = 8  # an instruction that takes several cycles by itself
    SLEEP = 9  # WFI, or halted by the debugger
    CUSTOM = 10  # the extension interface


class Csr(IntEnum):
    """Addresses of control and status registers."""

    CYCLE = 0xC00
    TIME = 0xC01
    INSTRET = 0xC02
    CYCLEH = 0xC80
    TIMEH = 0xC81
    INSTRETH = 0xC82
    MVENDORID = 0xF11
    MARCHID = 0xF12
    MIMPID = 0xF13
    MHARTID = 0xF14
    MCONFIGPTR = 0xF15
    MSTATUS = 0x300
    MISA = 0x301
    MIE = 0x304
    MTVEC = 0x305
    MCOUNTEREN = 0x306
    MENVCFG = 0x30A
    MSTATUSH = 0x310
    MENVCFGH = 0x31A
    MCOUNTINHIBIT = 0x320
    MHPMEVENT3 = 0x323
    MSCRATCH = 0x340
    MEPC = 0x341
    MCAUSE = 0x342
    MTVAL = 0x343
    MIP = 0x344
    PMPCFG0 = 0x3A0
    PMPADDR0 = 0x3B0
    TSELECT = 0x7A0
    TDATA1 = 0x7A1
    TDATA2 = 0x7A2
    TDATA3 = 0x7A3
    TINFO = 0x7A4
    DCSR = 0x7B0
    DPC = 0x7B1
    DSCRATCH0 = 0x7B2
    MCYCLE = 0xB00
    MINSTRET = 0xB02
    MHPMCOUNTER3 = 0xB03
    MCYCLEH = 0xB80
    MINSTRETH = 0xB82
    MHPMCOUNTER3H = 0xB83
