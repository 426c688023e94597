"""The interfaces of a core, and of the system unit inside it."""

from amaranth.hdl import unsigned
from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out

from rtl.riscv import isa
from rtl.riscv.config import CoreConfig

__all__ = [
    "STATE",
    "CustomUnit",
    "DebugPort",
    "InterruptLines",
    "MemoryBus",
    "Rvfi",
    "StallReason",
    "SystemPort",
    "core_signature",
]


#: CSRs that verification sees as they are after each cycle.
STATE = ("mstatus", "mepc", "mcause", "mtval", "mtvec", "mie", "mip", "mscratch")


class StallReason(enum.Enum, shape=unsigned(4)):
    """As :class:`rtl.riscv.isa.StallReason`, for hardware."""

    NONE = isa.StallReason.NONE
    FETCH = isa.StallReason.FETCH
    BRANCH = isa.StallReason.BRANCH
    LOAD_USE = isa.StallReason.LOAD_USE
    MULTIPLY = isa.StallReason.MULTIPLY
    DIVIDE = isa.StallReason.DIVIDE
    DATA_BUS = isa.StallReason.DATA_BUS
    SYSTEM = isa.StallReason.SYSTEM
    EXECUTE = isa.StallReason.EXECUTE
    SLEEP = isa.StallReason.SLEEP
    CUSTOM = isa.StallReason.CUSTOM


class MemoryBus(wiring.Signature):
    """Requests that are granted, and responses in their order. Seen from the core.

    A request counts in the cycle in which ``request`` and ``grant`` are both
    high; until then it holds and nothing of it changes. Each granted
    request brings one cycle of ``response``, at the earliest in the cycle
    after its grant, in the order of the grants. The core takes every
    response when it comes. A memory of one cycle grants always and answers
    in the next cycle, so that one access a cycle is reached. ``grant`` may
    depend on ``request`` combinationally; ``request`` never on ``grant``.

    Parameters
    ----------
    data_width
        32 or 64.
    writable
        Whether it has write signals; the instruction bus has none.

    Members
    -------
    request, grant : Out, In
        The handshake of an access.
    address : Out(32)
        Byte address, a multiple of ``data_width // 8``.
    write, strobe, write_data : Out
        Write or read; the bytes that count, of reads too; the data.
    response, read_data, error : In
        The answer; ``error`` says that the access failed.
    """

    def __init__(self, *, data_width: int = 32, writable: bool = True) -> None:
        members = {
            "request": Out(1),
            "grant": In(1),
            "address": Out(32),
            "response": In(1),
            "read_data": In(data_width),
            "error": In(1),
        }
        if writable:
            members |= {
                "write": Out(1),
                "strobe": Out(data_width // 8),
                "write_data": Out(data_width),
            }
        super().__init__(members)


class InterruptLines(wiring.Signature):
    """Level-sensitive interrupt requests. Seen from the core.

    Parameters
    ----------
    local
        Fast local interrupts.

    Members
    -------
    software, timer, external : In(1)
        ``mip.MSIP``, ``mip.MTIP``, ``mip.MEIP``.
    local : In(local)
        ``mip`` from bit 16; only when there are any.
    """

    def __init__(self, local: int = 0) -> None:
        members = {"software": In(1), "timer": In(1), "external": In(1)}
        if local:
            members["local"] = In(local)
        super().__init__(members)


class CustomUnit(wiring.Signature):
    """A unit for the opcodes custom-0 to custom-3. Seen from the core.

    The core offers an instruction only when it is certain to be executed,
    and one at a time. ``request_valid`` holds, with its operands, until
    ``request_ready``; then the unit answers once, in the same cycle or any
    later one. The answer ends the instruction: ``rd`` is written unless it
    is ``x0``, or, with ``response_error``, an illegal instruction trap is
    taken.

    Members
    -------
    request_valid, request_ready : Out, In
        The handshake.
    instruction, rs1, rs2 : Out(32)
        The instruction word and the values of its source registers.
    response_valid, response_data, response_error : In
        The result for ``rd``.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "request_valid": Out(1),
                "request_ready": In(1),
                "instruction": Out(32),
                "rs1": Out(32),
                "rs2": Out(32),
                "response_valid": In(1),
                "response_data": In(32),
                "response_error": In(1),
            }
        )


class DebugPort(wiring.Signature):
    """Between a debug module and a core's pipeline. Seen from the pipeline.

    A halted core executes instructions that the module injects, one at a
    time, instead of fetched ones; they see and change registers, CSRs and
    memory as ever, in machine mode. ``dscratch0`` is not storage: it reads
    ``data_in``, and a write to it strobes ``data_write`` with ``data_out``,
    which is how values come and go.

    Members
    -------
    halt_request, halt_on_reset, resume_request : In(1)
        Levels. ``resume_request`` counts only while halted.
    halted : Out(1)
        The core is in debug mode.
    instruction_valid, instruction_ready, instruction : In(1), Out(1), In(32)
        The injected instruction, taken when both are high; never a
        compressed one.
    done, error : Out(1)
        A strobe when it has been executed; with ``error``, it raised an
        exception, which changed nothing else.
    data_in, data_out, data_write : In(32), Out(32), Out(1)
        The window behind ``dscratch0``.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "halt_request": In(1),
                "halt_on_reset": In(1),
                "resume_request": In(1),
                "halted": Out(1),
                "instruction_valid": In(1),
                "instruction_ready": Out(1),
                "instruction": In(32),
                "done": Out(1),
                "error": Out(1),
                "data_in": In(32),
                "data_out": Out(32),
                "data_write": Out(1),
            }
        )


class Rvfi(wiring.Signature):
    """The RISC-V Formal Interface, and what lockstep needs beyond it. Seen from the core.

    A vector has one lane for each instruction that may retire in a cycle,
    lane 0 in the low bits, the older in the lower lane. A cycle's values
    come in one piece, a fixed number of cycles after the commit. An
    instruction that traps retires with ``trap``; the first instruction of a
    handler that an interrupt started has ``intr``. Debug mode retires
    nothing here.

    The group below ``state`` holds the CSRs as they are *after* the youngest
    instruction of the cycle, including its trap entry. An instruction that
    writes a CSR, traps or returns is therefore alone in its cycle.

    Parameters
    ----------
    lanes
        Instructions that may retire in a cycle.

    Source
    ------
    RVFI: YosysHQ/riscv-formal, docs/rvfi.md.
    """

    def __init__(self, lanes: int = 1) -> None:
        widths = {
            "valid": 1,
            "order": 64,
            "insn": 32,  # as fetched: the low half alone for a compressed one
            "trap": 1,
            "halt": 1,
            "intr": 1,
            "mode": 2,
            "ixl": 2,
            "rs1_addr": 5,
            "rs2_addr": 5,
            "rs1_rdata": 32,
            "rs2_rdata": 32,
            "rd_addr": 5,
            "rd_wdata": 32,
            "pc_rdata": 32,
            "pc_wdata": 32,
            "mem_addr": 32,  # aligned to 4
            "mem_rmask": 4,
            "mem_wmask": 4,
            "mem_rdata": 32,
            "mem_wdata": 32,
        }
        members = {name: Out(width * lanes) for name, width in widths.items()}
        members["state"] = Out(wiring.Signature({name: Out(32) for name in STATE}))
        members["stall"] = Out(StallReason)
        super().__init__(members)


class SystemPort(wiring.Signature):
    """Between a pipeline and the system unit (CSRs, traps, interrupts). Seen from the pipeline.

    Everything from the unit is combinational in its registers, and, where it
    says so, in what the pipeline drives. Strobes take effect at the next
    clock edge; at most one of ``csr_commit``, ``trap``, ``mret``, ``dret``
    and ``debug_enter`` is high in a cycle.

    Members
    -------
    csr_address, csr_operation, csr_write, csr_operand : Out(12), Out(2), Out(1), Out(32)
        A CSR access: ``funct3[1:0]`` (1 write, 2 set, 3 clear); whether it
        writes (not for set and clear with ``rs1`` or immediate 0); the operand.
    csr_read, csr_illegal : In(32), In(1)
        The old value and whether the access is refused; they follow the
        members above combinationally.
    csr_commit : Out(1)
        Do it. Without, an access has no effect.
    trap, trap_interrupt, trap_cause, trap_pc, trap_value : Out(1, 1, 5, 32, 32)
        Enter a trap handler: interrupt or exception, cause, ``mepc``, ``mtval``.
    trap_target : In(32)
        Where the handler is; follows ``trap_interrupt`` and ``trap_cause``.
    mret, mret_target : Out(1), In(32)
        Return from a trap, and to where.
    retired : Out(2)
        How many instructions retire in this cycle; those that trap do not count.
    interrupt, interrupt_cause : In(1), In(5)
        An interrupt is pending and enabled: take it before the next instruction.
    wake : In(1)
        An interrupt is pending in ``mip & mie``, whatever ``mstatus`` says: WFI ends.
    mode, data_mode : In(2)
        The privilege mode; and that of loads and stores (``mstatus.MPRV``).
    wfi_illegal, mret_illegal : In(1)
        Whether WFI or MRET traps in this mode.
    debug_enter, debug_cause, debug_pc : Out(1, 3, 32)
        Enter debug mode. A trap's target and mode then stay as they are.
    dret, dret_target : Out(1), In(32)
        Leave it, and to where.
    debug_mode, debug_step, debug_ebreak : In(1)
        In debug mode; ``dcsr.step``; whether EBREAK enters debug mode here.
    debug_data_in, debug_data_out, debug_data_write : Out(32), In(32), In(1)
        The window behind ``dscratch0``, see :class:`DebugPort`.
    state : In, as ``Rvfi.state``
        The registers as they are now.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "csr_address": Out(12),
                "csr_operation": Out(2),
                "csr_write": Out(1),
                "csr_operand": Out(32),
                "csr_read": In(32),
                "csr_illegal": In(1),
                "csr_commit": Out(1),
                "trap": Out(1),
                "trap_interrupt": Out(1),
                "trap_cause": Out(5),
                "trap_pc": Out(32),
                "trap_value": Out(32),
                "trap_target": In(32),
                "mret": Out(1),
                "mret_target": In(32),
                "retired": Out(2),
                "interrupt": In(1),
                "interrupt_cause": In(5),
                "wake": In(1),
                "mode": In(2),
                "data_mode": In(2),
                "wfi_illegal": In(1),
                "mret_illegal": In(1),
                "debug_enter": Out(1),
                "debug_cause": Out(3),
                "debug_pc": Out(32),
                "dret": Out(1),
                "dret_target": In(32),
                "debug_mode": In(1),
                "debug_step": In(1),
                "debug_ebreak": In(1),
                "debug_data_in": Out(32),
                "debug_data_out": In(32),
                "debug_data_write": In(1),
                "state": In(wiring.Signature({name: Out(32) for name in STATE})),
            }
        )


def core_signature(config: CoreConfig) -> wiring.Signature:
    """Return the ports of a core with native buses.

    Members: ``ibus`` and ``dbus`` (:class:`MemoryBus`), ``interrupts``
    (:class:`InterruptLines`), ``time`` (In(64), what the ``time`` CSR reads;
    only with ``zicntr``), ``sleeping`` (Out(1), the core waits in WFI and its
    clock may be slowed), ``fence_i`` (Out(1), a strobe with the commit of a
    FENCE.I, before anything younger is fetched; with an instruction cache),
    ``custom`` (:class:`CustomUnit`, when it is a port),
    ``debug`` (:class:`DebugPort`, when there is a debugger), ``rvfi``
    (:class:`Rvfi`, when asked for).
    """
    members = {
        "ibus": Out(MemoryBus(data_width=config.fetch_width, writable=False)),
        "dbus": Out(MemoryBus()),
        "interrupts": Out(InterruptLines(config.local_interrupts)),
        "sleeping": Out(1),
    }
    if config.zicntr:
        members["time"] = In(64)
    if config.instruction_cache_bytes:
        members["fence_i"] = Out(1)
    if config.custom != "none":
        members["custom"] = Out(CustomUnit())
    if config.debug != "none":
        members["debug"] = Out(DebugPort())
    if config.rvfi:
        members["rvfi"] = Out(Rvfi(config.issue_width))
    return wiring.Signature(members)
