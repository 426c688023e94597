"""Faults of the MAC tile, of a FIFO and of the bridge to AXI4-Lite, of different kinds."""

from dataclasses import dataclass

from verif.mutants import Mutant
from verif.mutants.mac_tile import MUTANTS, PARAMETERS

__all__ = ["DESIGNS", "FAULTS", "Design", "Fault"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """A design under regression.

    Attributes
    ----------
    name
        Short.
    folder
        Where its manifest is, relative to the sources' root.
    """

    name: str
    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault of a design."""

    design: Design
    mutant: Mutant


_TILE = Design(name="tile", folder="rtl/tensor")
_FIFO = Design(name="fifo", folder="examples/fifo")
_BRIDGE = Design(name="bridge", folder="rtl/riscv/bus")
DESIGNS = (_TILE, _FIFO, _BRIDGE)

#: Of the tile as its manifest has it. `stale_lane` is left out: there it shows the same as `dropped_lane`.
_OF_THE_TILE = (
    "unsigned_weight", "unsigned_activation", "dropped_lane", "tree_sign_lost", "saturates", "first_ignored",
    "first_early", "last_ignored", "tree_stage_skipped", "swap_late", "bubble_accumulated", "weights_overrun",
    "lanes_reversed", "swap_without_weights", "column_off_by_one", "stall_ignored", "beat_repeated",
    "skid_lost", "offer_withdrawn", "reset_keeps_done",
)  # fmt: skip

_FIFO_FAULTS = {
    "level_never_falls": ("level + push - pop", "level + push"),
    "level_at_both": (
        "level <= level + push - pop",
        "level <= push && pop ? level + 1'b1 : level + push - pop",
    ),
    "one_place_lost": ("i_ready = level != DEPTH", "i_ready = level != DEPTH - 1"),
    "takes_when_full": ("i_ready = level != DEPTH", "i_ready = 1'b1"),
    "last_word_kept": ("o_valid = level != 0", "o_valid = level > 1"),
    "next_word_shown": ("o_data  = words[head]", "o_data  = words[next(head)]"),
    "wraps_early": ("place == DEPTH - 1 ?", "place == DEPTH - 2 ?"),
    "top_bit_lost": ("words[tail] <= i_data", "words[tail] <= i_data & 8'h7f"),
    "overwrites_when_full": ("if (push) words", "if (i_valid) words"),
    "head_waits_for_push": ("if (pop) head", "if (pop && !push) head"),
}

_BRIDGE_FAULTS = {
    "offer_not_held": ("valid.eq(begins | (valid & ~ready))", "valid.eq(begins)"),
    "address_follows": ("with m.If(accepted & ~write):", "with m.If(memory.request & ~write):"),
    "strobes_ignored": ("axi.wstrb.eq(memory.strobe)", "axi.wstrb.eq(15)"),
    "data_overwritten": ("& (~axi.wvalid | axi.wready)", ""),
    "read_overtakes_write": ("free = Mux(memory.write, write_free, free) & same",
                             "free = Mux(memory.write, write_free, free)"),
    "one_request_too_many": ("free & (waiting != self._depth)", "free & ~waiting.all()"),
    "read_error_lost": ("axi.bresp[1], axi.rresp[1]", "axi.bresp[1], 0"),
    "write_error_lost": ("axi.bresp[1], axi.rresp[1]", "0, axi.rresp[1]"),
    "answer_not_counted": ("waiting + accepted - answer", "waiting + accepted - axi.rvalid"),
    "bytes_turned": ("axi.wdata.eq(memory.write_data)", "axi.wdata.eq(memory.write_data.rotate_left(8))"),
}  # fmt: skip


def _mutant(name: str, path: str, anchor: str, replacement: str) -> Mutant:
    return Mutant(name=name, path=path, anchor=anchor, replacement=replacement)


_BY_NAME = {mutant.name: mutant for mutant in MUTANTS if mutant.parameters == PARAMETERS}

#: One for each night.
FAULTS = (
    *(Fault(design=_TILE, mutant=_BY_NAME[name]) for name in _OF_THE_TILE),
    *(Fault(design=_FIFO, mutant=_mutant(name, "examples/fifo/rtl/fifo.sv", *change))
      for name, change in _FIFO_FAULTS.items()),
    *(Fault(design=_BRIDGE, mutant=_mutant(name, "rtl/riscv/bus/axi4lite.py", *change))
      for name, change in _BRIDGE_FAULTS.items()),
)  # fmt: skip
