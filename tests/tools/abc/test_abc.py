"""ABC: commands planned, logs read."""

from __future__ import annotations

import json

from flow.model.tool import ToolIdentity
from flow.tools.abc import check_possible, graph_lines, prove_command, read_log, statements, states_visited

TOOL = ToolIdentity(name="abc", flavour="path", version="1", digest="0", path="/opt/abc", licence="MIT")
PLACES = ("a.py:3", "a.py:7", "b.py:9")
FAILED = 'Output 1 of miter "model" was asserted in frame 5. Time =     0.09 sec\n'
HELD = "No output asserted in 7 frames. Resource limit reached (conf limit 0). Time =     0.54 sec\n"
COVERED = (
    "Output  0 was asserted in frame  3 (solved  1 out of 3 outputs).\n"
    "Output  2 was asserted in frame  4 (solved  2 out of 3 outputs).\n"
)
ALL = COVERED + "Output  1 was asserted in frame  5 (solved  3 out of 3 outputs).\n"


def test_reads_which_assertion_fails_and_when() -> None:
    reading = read_log(FAILED, "bmc", PLACES, 1)
    (message,) = reading.errors
    assert (message.code, message.place, message.text) == (
        "ASSERT",
        "a.py:7",
        "an assertion fails in cycle 6",
    )
    assert reading.data["status"] == "failed"


def test_reads_what_holds() -> None:
    assert read_log(HELD, "bmc", PLACES, 1).data == {"status": "passed", "step": 7, "covered": {}}
    assert read_log("Property proved.  Time =     0.81 sec\n", "prove", PLACES, 1).data["status"] == "passed"
    # All of them were constants, so that there was nothing to search.
    merged = "All outputs solved or timed out in frame 1.\nProperty UNDECIDED.  Time =     0.01 sec\n"
    assert read_log(merged, "prove", PLACES, 1).data["status"] == "passed"
    assert read_log("Property UNDECIDED.\n", "prove", PLACES, 1).data["status"] == ""


def test_reads_which_cover_statements_are_reached() -> None:
    reading = read_log(COVERED + HELD, "cover", PLACES, 0)
    assert [m.place for m in reading.errors] == ["a.py:7"]
    assert reading.data["covered"] == {"a.py:3": 3, "b.py:9": 4}
    assert reading.data["status"] == "failed"
    assert read_log(ALL, "cover", PLACES, 0).data["status"] == "passed"


def test_reads_that_it_broke() -> None:
    reading = read_log('Cannot open input file "model.aig".\n', "bmc", PLACES, 0)
    assert reading.data["status"] == ""
    assert reading.errors[0].code == "SOLVER"


def test_what_holds_because_nothing_can_happen_is_a_failure() -> None:
    held = read_log(HELD, "bmc", PLACES, 1)
    assert check_possible(held, FAILED, 8) is held
    refused = check_possible(held, HELD, 8)
    assert refused.data["status"] == "failed"
    assert refused.errors[0].text == "the assumptions exclude each other within 8 cycles"
    assert check_possible(held, "", 8).data["status"] == ""


def test_few_states_end_the_search_early() -> None:
    text = "Explored all reachable states after completing 4 frames.  Time =     0.08 sec\n"
    assert states_visited(text) == 3
    assert states_visited(HELD) == 0
    assert read_log(text, "bmc", PLACES, 1).data["status"] == "passed"


def test_names_outputs_by_their_source() -> None:
    names = json.dumps({"asserts": [["\\_w_", "\\assert_2"], ["\\_w_", "\\assert_1"]]})
    model = (
        "; yosys-smt2-assert 0 _w_.assert_1 a.v:3.4-3.9\n; yosys-smt2-assert 1 _w_.assert_2 b.v:1.1-1.2|c\n"
    )
    assert statements(names, model) == ("b.v:1.1-1.2", "a.v:3.4-3.9")


def test_starts_where_reset_leaves_it() -> None:
    lines = graph_lines("top", reset="rst", any_start=True, cover=False)
    assert "connect -set rst 1'0" in lines
    assert lines.index("setattr -unset init w:* @resettable %d") > lines.index("opt_dff")
    assert not any(
        "init w:*" in line for line in graph_lines("top", reset=None, any_start=False, cover=False)
    )


def test_asks_for_what_the_mode_needs() -> None:
    assert "bmc3 -g -F 7; write_cex" in prove_command(TOOL, "bmc", 7).argv[2]
    assert "bmc3 -g -a -x -F 7" in prove_command(TOOL, "cover", 7).argv[2]
    assert "pdr; write_cex" in prove_command(TOOL, "prove", 7).argv[2]
