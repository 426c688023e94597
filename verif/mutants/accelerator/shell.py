"""Faults of the accelerator around its compute engine, which random programs and errors must find."""

from verif.mutants import Mutant

__all__ = ["PARAMETERS", "SHELL"]

#: Small memories: programs that fill them are short.
PARAMETERS = {"array": 4, "bus_width": 32, "activation_kib": 2, "weight_kib": 1, "psum_words": 16}

_FOLDER = "rtl/tensor/accelerator"


def _mutant(name: str, file: str, anchor: str, replacement: str) -> Mutant:
    return Mutant(
        name=name, path=f"{_FOLDER}/{file}.py", anchor=anchor, replacement=replacement, parameters=PARAMETERS
    )


#: Grouped by what is broken.
SHELL = (
    # Bursts and beats.
    _mutant(
        "burst_crosses_4_kib",
        "transfer",
        "to_boundary = ~address[low:high]",
        "to_boundary = ~(address[low:high] & 0)",
    ),
    _mutant("row_ends_late", "transfer", "<= to_boundary", "< to_boundary"),
    _mutant(
        "stride_ignored",
        "transfer",
        "next_row.eq(block.address + block.stride)",
        "next_row.eq(block.address)",
    ),
    _mutant("row_too_few", "transfer", "busy.eq(block.rows != 1)", "busy.eq(block.rows > 2)"),
    _mutant(
        "pitch_ignored", "transfer", "next_row.eq(block.address + block.pitch)", "next_row.eq(address + 1)"
    ),
    _mutant("who_asked_forgotten", "bus", "order.w_data.eq(fetch.valid)", "order.w_data.eq(0)"),
    _mutant(
        "address_withdrawn",
        "bus",
        "with m.If(self.arready):\n            m.d.sync += self.arvalid.eq(0)",
        "with m.If(1):\n            m.d.sync += self.arvalid.eq(0)",
    ),
    _mutant("last_beat_missed", "bus", "self.wlast.eq(lengths.r_en)", "self.wlast.eq(place == 3)"),
    _mutant("read_error_ignored", "load", "self.beat.payload.error & (command.error == 0)", "0"),
    _mutant("write_error_ignored", "store", "with m.If(self.answered & self.error):", "with m.If(0):"),
    _mutant(
        "done_before_answers",
        "store",
        "& self.answered & (bursts == 1)",
        "& (walker.i.ready & ~walker.active)",
    ),
    _mutant("store_buffer_overrun", "store", "walker.active & (room != 0)", "walker.active"),
    # Memory.
    _mutant("grant_without_bank", "memory", "client.ready.eq(~(asked & taken).any())", "client.ready.eq(1)"),
    _mutant(
        "row_of_wrapped_word",
        "memory",
        "client.address[2:] + (client.address[:2] > number)",
        "client.address[2:] + 0",
    ),
    _mutant("word_of_another_bank", "memory", "read[(first + i)[:2]]", "read[(first - i)[:2]]"),
    # Packing.
    _mutant("fill_is_zero", "pack_ring", "Cat(Mux(inside, byte, self.fill)", "Cat(Mux(inside, byte, 0)"),
    _mutant(
        "padding_not_left",
        "pack_chunks",
        "chunk.low.eq(Mux(before < 0, 0,",
        "chunk.low.eq(Mux(before < 9, 0,",
    ),
    _mutant("rows_below_read", "pack_chunks", "(line < command.in_rows)", "(line <= command.in_rows)"),
    _mutant("vertical_stride_one", "pack_chunks", "walk.eq(command.row_step)", "walk.eq(1)"),
    _mutant(
        "ring_overrun", "pack_ring", "fits.eq(used + taken <= size)", "fits.eq(used + taken <= size + word)"
    ),
    _mutant(
        "column_distance_one", "pack", "next_place.eq(place + held.target_column)", "next_place.eq(place + 1)"
    ),
    # Order and checks.
    _mutant(
        "starts_before_its_turn",
        "queue",
        "self.o.valid.eq(compared & ~self.missing.any())",
        "self.o.valid.eq(compared)",
    ),
    _mutant("waits_not_of_pack", "queue", "self.missing.eq(behind)", "self.missing.eq(behind & 0b1101)"),
    _mutant(
        "ends_too_early",
        "sequencer",
        "with m.Elif(ended & dispatcher.ended):",
        "with m.Elif(dispatcher.ended):",
    ),
    _mutant("deadlock_not_seen", "sequencer", "settled.eq(stuck & (patience == _PATIENCE))", "settled.eq(0)"),
    _mutant("restart_keeps_counts", "sequencer", "under_way.eq(0), done[engine].eq(0)", "under_way.eq(0)"),
    _mutant("zero_rows_taken", "dispatch", "with m.If(zero[0] | (weights", "with m.If((weights"),
    _mutant("end_one_beyond", "extents", "over | (total > limit)", "over | (total > limit + 1)"),
    _mutant(
        "carry_lost",
        "extents",
        "over.eq(over | total_next[_WIDTH] | step_over)",
        "over.eq(over | total_next[_WIDTH])",
    ),
)
