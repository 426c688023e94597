"""Plan the Tcl of timing and of power.

What comes back is printed as lines that start with ``@@`` and a key, so that
reading does not depend on the layout of reports, except for paths.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from flow.tools.opensta.sdc import quote

__all__ = ["Load", "activity_lines", "power_script", "sta_path", "timing_script"]

_ODD = re.compile(r"[\[\]/\\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What to load, by names that are safe in a script."""

    libraries: tuple[str, ...]
    netlist: str
    top: str

    def lines(self) -> list[str]:
        """Return the commands that read libraries and netlist, and set the units."""
        return [
            *(f"read_liberty {quote(name)}" for name in self.libraries),
            # The first library decides OpenSTA's units: these are ours, whatever it says.
            "set_cmd_units -time ns -capacitance pF -voltage V -current mA -resistance kOhm -power W",
            f"read_verilog {quote(self.netlist)}",
            f"link_design {quote(self.top)}",
            'puts "@@linked"',
        ]


_TIMING = r"""
proc suzuri_name {object} { return [string map {"\n" " "} [get_full_name $object]] }
proc suzuri_ends {kind} {
  set key [expr {$kind eq "max" ? "setup" : "hold"}]
  foreach end [find_timing_paths -path_delay $kind -group_count 10000000 -endpoint_count 1] {
    set pin [sta::Vertex_pin [sta::PathEnd_vertex $end]]
    puts "@@$key [sta::time_sta_ui [sta::PathEnd_slack $end]] [suzuri_name $pin]"
  }
}
proc suzuri_paths {kind count} {
  puts "@@paths $kind"
  report_checks -path_delay $kind -group_count $count -endpoint_count 1 -format full \
    -fields {capacitance slew net} -digits 6
  puts "@@end"
}
proc suzuri_finite {value} { return [expr {$value < 1e20 && $value > -1e20}] }
"""

_SEARCH = r"""
# The highest frequency: scale all periods and port delays until the worst slack is nothing.
# Slack grows with the scale, so a bracket and false position find it; each try re-times what changed.
proc suzuri_slack {scale} { suzuri_constrain $scale; return [worst_slack] }
proc suzuri_fmax {period slack} {
  if {![suzuri_finite $slack]} { puts "@@fmax none"; return }
  set low 0.0; set high 0.0; set f_low 0.0; set f_high 0.0; set have_low 0; set have_high 0
  set scale 1.0; set f $slack; set tries 0
  while {$tries < 40} {
    if {$f >= 0} {
      set high $scale; set f_high $f; set have_high 1
    } else {
      set low $scale; set f_low $f; set have_low 1
    }
    if {$have_low && $have_high} {
      if {$high - $low < 0.0005 * $high} { break }
      set guess [expr {$high - $f_high * ($high - $low) / ($f_high - $f_low)}]
      # Keep off the ends, so that the bracket always shrinks from both sides.
      set margin [expr {0.02 * ($high - $low)}]
      if {$guess < $low + $margin} { set guess [expr {$low + $margin}] }
      if {$guess > $high - $margin} { set guess [expr {$high - $margin}] }
      if {$f_high < 0.0002 * $period * $high} { break }
      if {$tries % 4 == 3} { set guess [expr {0.5 * ($low + $high)}] }
    } elseif {$have_high} {
      # A path that ports share grows by less than the period: step further each time.
      set guess [expr {$scale - $f / $period * (1.001 + 0.75 * $tries)}]
      if {$guess <= 0.0} { set guess [expr {$scale * 0.25}] }
      if {$guess * $period < 1e-6} { puts "@@fmax none"; return }
    } else {
      set guess [expr {$scale + (1.0 + 0.75 * $tries) * (-$f / $period) + 0.001 * $scale}]
    }
    set scale $guess
    set f [suzuri_slack $scale]
    if {![suzuri_finite $f]} { puts "@@fmax none"; return }
    incr tries
  }
  if {$have_high && $have_low} {
    puts "@@fmax [expr {$high * $period}]"
  } elseif {$have_high} {
    puts "@@fmax_at_least [expr {$high * $period}]"
  } else {
    puts "@@fmax none"
  }
}
"""


def _guarded(body: str) -> str:
    """Return Tcl that says so and stops when a command fails."""
    return (
        "if {[catch {\n"
        + body
        + '\n} message]} { puts "@@failed $message"; exit 3 }\nputs "@@done"\nexit 0\n'
    )


def timing_script(
    load: Load, *, sdc: str, period_ns: float, scaled_sdc: str | None = None, paths: int = 10
) -> str:
    """Return the Tcl of one timing run.

    Parameters
    ----------
    sdc
        File with the constraints.
    period_ns
        Period of the main clock.
    scaled_sdc
        Text of the constraints in terms of the variable ``scale``, to search
        the highest frequency; ``None`` when the constraints are the user's.
    paths
        How many worst paths to report.
    """
    lines = [
        *load.lines(),
        f"read_sdc {quote(sdc)}",
        'puts "@@ws [worst_slack]"',
        "suzuri_ends max",
        "suzuri_ends min",
        "suzuri_register_paths",
        'puts "@@checks"',
        "check_setup -verbose",
        'puts "@@end"',
        f"suzuri_paths max {paths}",
        f"suzuri_paths min {paths}",
    ]
    head = _TIMING + _REGISTERS
    if scaled_sdc is not None:
        head += "proc suzuri_constrain {scale} {\n" + scaled_sdc + "}\n" + _SEARCH
        lines.append(f"suzuri_fmax {period_ns!r} [worst_slack]")
    return head + _guarded("\n".join(lines))


_REGISTERS = r"""
proc suzuri_register_paths {} {
  set from [all_registers -clock_pins]
  set to [all_registers -data_pins]
  puts "@@registers [llength $from]"
  if {[llength $from] == 0 || [llength $to] == 0} { return }
  set ends [find_timing_paths -path_delay max -from $from -to $to -group_count 1]
  foreach end $ends {
    set margin [expr {[sta::PathEnd_slack $end]}]
    puts "@@reg2reg [sta::time_sta_ui $margin]"
  }
}
"""

_POWER = r"""
proc suzuri_act {name activity duty} {
  set pin [sta::find_pin $name]
  if {$pin eq "NULL"} { puts "@@nopin $name"; return }
  sta::set_power_pin_activity $pin $activity $duty
}
proc suzuri_instances {corner} {
  set iterator [sta::leaf_instance_iterator]
  while {[$iterator has_next]} {
    set instance [$iterator next]
    if {[$instance liberty_cell] ne "NULL"} {
      puts "@@instance [sta::instance_power $instance $corner] [get_full_name $instance]"
    }
  }
  $iterator finish
}
"""


def sta_path(instances: Sequence[str]) -> str:
    """Return an instance path as OpenSTA looks it up: brackets and slashes in names escaped."""
    if len(instances) == 1 and _ODD.search(instances[0]) is None:
        return instances[0]
    return "/".join(_ODD.sub(r"\\\g<0>", name) for name in instances)


def activity_lines(
    instances: Iterable[tuple[str, Mapping[str, int]]], rates: Mapping[int, tuple[float, float]]
) -> str:
    """Return the Tcl that sets the activity of every pin whose net has a rate.

    Parameters
    ----------
    instances
        ``(path, nets by pin)``, the path as `sta_path` gives it; blank for
        the top, whose pins are its ports.
    rates
        ``(toggles a cycle, share of time high)`` by net.
    """
    numbers = {net: f" {toggles:.6g} {high:.6g}\n" for net, (toggles, high) in rates.items()}
    lines = []
    for path, pins in instances:
        start = f"{path}/" if path else ""
        for pin, net in pins.items():
            rate = numbers.get(net)
            if rate is not None:
                lines.append(f"suzuri_act {quote(start + pin)}{rate}")
    return "".join(lines)


def power_script(
    load: Load, *, sdc: str, activity: float, duty: float, pins: str | None = None, instances: bool = True
) -> str:
    """Return the Tcl of one power run.

    Parameters
    ----------
    activity, duty
        Toggles a cycle and share of time high of inputs that nothing is
        known of.
    pins
        File with `activity_lines`.

    Notes
    -----
    OpenSTA 2.0.17 propagates activities once, before the first answer, and
    overwrites those of driver pins while it does so; activities set after
    that first answer stay, but are not propagated. So it is asked once, and
    then every pin is set, drivers and readers.
    """
    lines = [
        *load.lines(),
        f"read_sdc {quote(sdc)}",
        f"set_power_activity -input -activity {activity!r} -duty {duty!r}",
        "set corner [sta::cmd_corner]",
        "set ignored [sta::design_power $corner]",
    ]
    if pins is not None:
        lines.append(f"source {quote(pins)}")
    lines.append('puts "@@power [sta::design_power $corner]"')
    if instances:
        lines.append("suzuri_instances $corner")
    return _POWER + _guarded("\n".join(lines))
