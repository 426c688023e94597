"""Pictures of waves: the right signals, the right stretch of time, the right values."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from regress_sample import regression

from flow.regress.model import Regression, Result, Verdict
from flow.report.regress import write
from flow.report.regress.pictures import failed_at, pictures
from flow.report.regress.waves import Trace, Window, read
from flow.report.regress.wavesvg import draw

pytest.importorskip("pywellen", reason="pywellen is missing: pip install pywellen")


def vcd(path: Path, cycles: int = 100, *, clock: str = "clk", extra: int = 0) -> Path:
    """Write a counter: 10 ns a cycle, `count` and `ready` change with the clock; `extra` more lie deeper."""
    deep = [f"$var wire 8 e{n} deep{n} $end" for n in range(extra)]
    lines = [
        "$timescale 1ps $end", "$scope module top $end", f"$var wire 1 c {clock} $end",
        "$var wire 1 r rst $end", "$var wire 8 n count [7:0] $end", "$var wire 1 y ready $end",
        "$scope module inner $end", "$var wire 8 n count [7:0] $end", "$var wire 8 q hidden [7:0] $end",
        "$var real 64 t temperature $end", *deep, "$upscope $end", "$upscope $end", "$enddefinitions $end",
        "#0", "0c", "1r", "bx n", "0y", "b0 q", "r0 t",
    ]  # fmt: skip
    lines += [f"b0 e{n}" for n in range(extra)]
    for cycle in range(cycles):
        lines += [f"#{cycle * 10_000 + 5_000}", "1c", f"{1 if cycle < 2 else 0}r"]
        if cycle >= 2:
            lines += [f"b{cycle & 255:b} n", f"{cycle & 1}y", f"b{cycle * 7 & 255:b} q", f"r{cycle / 2} t"]
        lines += [f"b{cycle & 255:b} e{n}" for n in range(extra)]
        lines += [f"#{cycle * 10_000 + 10_000}", "0c"]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def trace(window: Window, name: str) -> Trace:
    (found,) = [t for t in window.traces if t.name == name]
    return found


def test_the_window_is_some_cycles_around_the_failure(tmp_path: Path) -> None:
    window = read(vcd(tmp_path / "a.vcd"), failed_ns=505.0)
    assert window is not None and window.scope == "top"
    assert window.failed_ns == 505.0
    assert (window.start_ns, window.end_ns) == pytest.approx((505.0 - 235.0, 525.0), abs=6)
    count = trace(window, "count")
    assert count.width == 8
    at = [value for when, value in count.changes if when <= 505.0]
    assert int(at[-1], 2) == 50
    assert count.changes[0][0] <= window.start_ns, "the value at the beginning is known"
    assert [t.name for t in window.traces][:2] == ["clk", "rst"]
    assert [t.name for t in window.traces].count("inner.count") == 0, (
        "a net is shown once, where it is named first"
    )
    assert trace(window, "inner.temperature").width == 0


def test_a_failure_without_a_time_lies_at_the_end(tmp_path: Path) -> None:
    path = vcd(tmp_path / "a.vcd")
    for when in (None, 1e9, float("nan")):
        window = read(path, failed_ns=when)
        assert window is not None and window.failed_ns == window.end_ns == 1000.0


def test_named_signals_are_chosen_among_many(tmp_path: Path) -> None:
    path = vcd(tmp_path / "a.vcd", extra=60)
    window = read(path, text="AssertionError: deep57 is 3, expected 4")
    assert window is not None and "inner.deep57" in [t.name for t in window.traces]
    assert len(window.traces) == 20 and window.left_out == 66 - 20
    without = read(path)
    assert without is not None and "inner.deep57" not in [t.name for t in without.traces]


def test_without_a_clock_the_last_changes_are_shown(tmp_path: Path) -> None:
    window = read(vcd(tmp_path / "a.vcd", cycles=200, clock="tick"))
    assert window is not None and window.end_ns - window.start_ns < 700


def test_ports_that_verilator_repeats_are_shown_once(tmp_path: Path) -> None:
    path = vcd(tmp_path / "a.vcd")
    scope = "$scope module $rootio $end\n$var wire 1 z clk $end\n$var wire 1 p alone $end\n$upscope $end\n"
    text = path.read_text().replace("$scope module top", scope + "$scope module top", 1)
    path.write_text(text.replace("#0\n", "#0\n0z\n0p\n", 1))
    window = read(path)
    assert window is not None
    names = [t.name for t in window.traces]
    assert "top.clk" in names and "$rootio.alone" in names and "$rootio.clk" not in names


@pytest.mark.parametrize("content", [b"", b"no waves at all", bytes(range(256)) * 8])
def test_a_torn_file_gives_no_picture(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.fst").write_bytes(content)
    assert read(tmp_path / "a.fst") is None
    assert read(tmp_path / "none.fst") is None


@pytest.mark.sim
def test_reads_what_a_simulator_writes(tmp_path: Path) -> None:
    if shutil.which("iverilog") is None:
        pytest.skip("no Icarus: apt-get install iverilog")
    (tmp_path / "t.v").write_text(
        "`timescale 1ns/1ps\nmodule tb; reg clk = 0; reg [7:0] n = 0; always #5 clk = ~clk;\n"
        "always @(posedge clk) n <= n + 1;\n"
        'initial begin $dumpfile("t.fst"); $dumpvars; #400 $finish; end endmodule\n'
    )
    subprocess.run(["iverilog", "-o", "t", "t.v"], cwd=tmp_path, check=True)
    subprocess.run(["vvp", "t", "-fst"], cwd=tmp_path, check=True, capture_output=True)
    whole = (tmp_path / "t.fst").read_bytes()
    window = read(tmp_path / "t.fst", failed_ns=200.0)
    assert window is not None and int([v for t, v in trace(window, "n").changes if t <= 200.0][-1], 2) == 20
    (tmp_path / "t.fst").write_bytes(whole[: len(whole) // 2])
    assert read(tmp_path / "t.fst") is None


def window(*traces: Trace) -> Window:
    return Window(start_ns=0.0, end_ns=100.0, failed_ns=80.0, scope="top", traces=traces)


def test_draws_bits_as_lines_and_buses_as_boxes_with_hexadecimal_values() -> None:
    bit = Trace(name="valid", width=1, changes=((0.0, "0"), (50.0, "1")))
    bus = Trace(name="data", width=12, changes=((0.0, "000011111010"), (60.0, "0000xxxx1010")))
    svg = draw(window(bit, bus), "waves")
    assert re.search(r'<path d="M[\d.]+ 26\.0L[\d.]+ 26\.0L[\d.]+ 12\.0L[\d.]+ 12\.0" class="line">', svg)
    assert ">0fa</text>" in svg and ">0xa</text>" in svg
    assert svg.count('class="bus"') == 1 and svg.count('class="bus unknown"') == 1
    assert svg.count('class="cursor"') == 1


def test_an_unknown_bit_is_no_level() -> None:
    svg = draw(window(Trace(name="a", width=1, changes=((0.0, "x"), (10.0, "0")))), "waves")
    assert svg.count('class="unknown"') == 1


def test_text_of_a_dump_is_escaped() -> None:
    assert "<b>" not in draw(window(Trace(name="<b>", width=4, changes=((0.0, "<b>"),))), "<b>")


def test_when_a_failure_happened_adds_up_what_ran_before() -> None:
    def row(case: str, ns: float | None, verdict: Verdict, seed: int = 1) -> Result:
        return Result(test="t", testcase=case, seed=seed, sim_time_ns=ns, verdict=verdict)

    rows = [row("a", 100, Verdict.PASS), row("other", 7, Verdict.FAIL, 2), row("b", 50, Verdict.FAIL),
            row("c", None, Verdict.TIMEOUT)]  # fmt: skip
    found = failed_at(Regression(id="r", design="d", results=rows))
    assert found == {("t", "b", 1): 150, ("t", "other", 2): 7}


def test_each_bucket_gets_the_picture_of_its_first_member_with_waves(tmp_path: Path) -> None:
    vcd(tmp_path / "waves" / "a.vcd")
    made = regression()
    second = made.buckets[0].members[1]
    rows = [
        dataclasses.replace(r, waves="waves/a.vcd", sim_time_ns=500.0) if r.key == second else r
        for r in made.results
    ]
    made = dataclasses.replace(made, results=rows)
    assert list(pictures(made, tmp_path)) == [second]
    text = write(made, tmp_path / "r.html").read_text()
    assert text.count('class="waves"') == 1


def test_waves_outside_the_folder_are_not_read(tmp_path: Path) -> None:
    vcd(tmp_path / "a.vcd")
    made = regression()
    rows = [dataclasses.replace(r, waves="../a.vcd") for r in made.results]
    assert pictures(dataclasses.replace(made, results=rows), tmp_path / "home") == {}
