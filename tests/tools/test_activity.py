"""Activity files: SAIF and VCD say the same, and hostile ones are refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from flow.tools.activity import ActivityError, read_activity

VCD = """$date today $end
$timescale 100ps $end
$scope module tb $end
$var wire 1 ! clk $end
$var reg 2 " d [1:0] $end
$scope module dut $end
$var wire 1 ! clk $end
$var wire 2 " d [1:0] $end
$scope begin pe[0] $end
$var reg 4 # r [3:0] $end
$var real 64 R volts $end
$upscope $end
$upscope $end
$upscope $end
$enddefinitions $end
#0
0!
bx "
b0 #
r1.5 R
#10
1!
b01 "
#20
0!
b11 "
b1010 #
#30
1!
b0 "
#40
0!
"""

SAIF = r"""(SAIFILE
(SAIFVERSION "2.0")
(DIVIDER / )
(TIMESCALE 100 ps)
(DURATION 40)
(INSTANCE tb
  (NET (clk (T0 20) (T1 20) (TX 0) (TC 4) (IG 0)))
  (INSTANCE dut
    (NET
      (clk (T0 20) (T1 20) (TX 0) (TC 4))
      (d\[0\] (T0 10) (T1 20) (TX 10) (TC 1))
      (d\[1\] (T0 20) (T1 10) (TX 10) (TC 2)))
    (INSTANCE pe\[0\] (NET (r\[1\] (T0 20) (T1 20) (TC 1))))
  )))
"""


def _file(tmp_path: Path, text: str, name: str = "a") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_vcd_counts_toggles_and_time(tmp_path: Path) -> None:
    found = read_activity(_file(tmp_path, VCD), ports=["clk", "d"], names=["pe[0].r"])
    assert found.scope == "tb.dut"
    assert found.duration_ns == pytest.approx(4.0)
    assert found.nets["clk"] == (4, pytest.approx(0.5))
    # d[0]: x, 1, 1, 0: leaving x is no toggle.
    assert found.nets["d[0]"] == (1, pytest.approx(0.5))
    assert found.nets["d[1]"] == (2, pytest.approx(0.25))
    assert found.nets["pe[0].r[1]"] == (1, pytest.approx(0.5))
    assert found.nets["pe[0].r[0]"] == (0, 0.0)
    assert not any("volts" in name for name in found.nets)


def test_saif_says_the_same(tmp_path: Path) -> None:
    vcd = read_activity(_file(tmp_path, VCD, "v"), ports=["clk", "d"], names=["pe[0].r"])
    saif = read_activity(_file(tmp_path, SAIF, "s"), ports=["clk", "d"], names=["pe[0].r"])
    assert saif.scope == vcd.scope and saif.duration_ns == pytest.approx(vcd.duration_ns)
    assert {name: saif.nets[name] for name in saif.nets} == {name: vcd.nets[name] for name in saif.nets}


def test_a_scope_can_be_named_and_gzip_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.vcd.gz"
    path.write_bytes(gzip.compress(VCD.encode()))
    assert read_activity(path, scope="dut").scope == "tb.dut"
    with pytest.raises(ActivityError, match=r"no scope 'chip'; it has tb, tb.dut"):
        read_activity(path, scope="chip")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("hello\n", "neither SAIF nor VCD"),
        ("$timescale 1ns $end\n$scope module tb $end\n", "cut short"),
        (SAIF[:260], "cut short"),
        (VCD, "no scope with the ports"),
    ],
)
def test_bad_files_are_refused(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(ActivityError, match=what):
        read_activity(_file(tmp_path, text), ports=["alpha", "beta"])


def test_a_vcd_cut_in_its_middle_counts_up_to_there(tmp_path: Path) -> None:
    found = read_activity(_file(tmp_path, VCD[: VCD.index("#30") + 1]), scope="tb.dut")
    assert found.nets["clk"][0] == 2


def test_saif_reads_the_same_however_it_is_laid_out(tmp_path: Path) -> None:
    one, many = tmp_path / "one.saif", tmp_path / "many.saif"
    words = SAIF.replace("(", " ( ").replace(")", " ) ").split()
    quoted = " ".join(words).replace("( ", "(").replace(" )", ")")
    one.write_text(quoted)
    many.write_text(quoted.replace(" (", "\n("))
    plain = tmp_path / "plain.saif"
    plain.write_text(SAIF)
    read = [read_activity(path, ports=["clk", "d"]) for path in (plain, one, many)]
    assert read[0].nets
    assert read[0] == read[1] == read[2]
