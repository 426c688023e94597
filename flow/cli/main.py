"""The ``suzuri`` command: its group, its exit codes, and how it shows errors.

Exit codes: 0 good, 1 a check failed, 2 the user's input, 3 a tool or machine,
130 interrupted.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
from types import FrameType
from typing import Any

import click

from flow.cli.lazy import LazyGroup
from flow.cli.output import discard, flush, make_printable, settle

__all__ = ["main", "suzuri"]

#: Commands, where they live, and their one line of help, so that
#: ``suzuri --help`` imports none of them.
_COMMANDS = {
    "new": ("flow.cli.new_cmd:new", "Start a design of your own."),
    "plan": ("flow.cli.plan_cmd:plan", "Say what would run, and why."),
    "run": ("flow.cli.run_cmd:run", "Verify a design and measure its power, performance and area."),
    "test": ("flow.cli.test_cmd:test", "Run one test with one seed."),
    "regress": ("flow.cli.regress_cmd:regress", "Run tests with many seeds, and sort out what failed."),
    "sweep": ("flow.cli.sweep_cmd:sweep", "Explore a space of parameters, flow options and PDKs."),
    "bisect": ("flow.cli.bisect_cmd:bisect", "Find the commit that brought a failure."),
    "isa": ("flow.cli.isa_cmd:isa", "Build and run programs on RISC-V cores."),
    "nn": ("flow.cli.nn_cmd:nn", "Compile neural networks for the accelerator, and run them."),
    "ppa": ("flow.cli.ppa_cmd:ppa", "Find the fastest clock or the least area, and guard them."),
    "report": ("flow.cli.report_cmd:report", "Show a run again, or list runs."),
    "pdk": ("flow.cli.pdk_cmd:pdk", "List, check and install PDKs."),
    "doctor": ("flow.cli.doctor_cmd:doctor", "Say what this machine has, lacks, and how to install it."),
    "lock": ("flow.cli.lock_cmd:lock", "Pin tools and PDKs in tools.lock, or compare with it."),
    "gc": ("flow.cli.gc_cmd:gc", "Free space: drop what was not used for longest."),
    "completion": ("flow.cli.completion_cmd:completion", "Print the shell completion script."),
}


class _Suzuri(LazyGroup):
    lazy = _COMMANDS


@click.group(cls=_Suzuri, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(package_name="suzuri", prog_name="suzuri")
@click.pass_context
def suzuri(ctx: click.Context, debug: bool) -> None:
    """Take a chip from Python or Verilog to verified RTL, power, performance and area.

    Exit codes: 0 good, 1 a check failed, 2 your input, 3 a tool or machine.
    """
    ctx.obj = {"debug": debug}


def _terminate(_number: int, _frame: FrameType | None) -> None:
    """Treat SIGTERM and SIGHUP like Ctrl-C, so that tools are stopped and results kept."""
    raise KeyboardInterrupt


def main(argv: list[str] | None = None) -> None:
    """Run the command line and exit."""
    from flow.model.errors import FlowError

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _terminate)
    arguments = sys.argv[1:] if argv is None else argv
    debug = "--debug" in arguments or os.environ.get("SUZURI_DEBUG") == "1"
    # --debug is understood wherever it stands.
    arguments = ["--debug", *[a for a in arguments if a != "--debug"]] if debug else arguments
    make_printable()
    try:
        code = _command(arguments)
    except click.ClickException as error:
        with contextlib.suppress(OSError):  # the exit code says it too
            error.show()
        code = 2
    except (KeyboardInterrupt, click.Abort):
        click.echo("\nInterrupted. Finished steps are kept; the same command goes on from there.", err=True)
        code = 130
    except FlowError as error:
        if debug:
            raise
        _complain(str(error))
        code = error.exit_code
    except BrokenPipeError:
        discard()  # the reader of a pipe went away: not worth a word
        code = 0
    except Exception as error:
        if debug:
            raise
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            discard()
            _complain(
                f"{error.filename or 'the output'}: {error.strerror}. Free some space and run it again."
            )
            sys.exit(3)
        _complain(
            f"suzuri itself failed: {type(error).__name__}: {error}. "
            "Run it again with --debug and report what it prints."
        )
        code = 3
    settle()
    sys.exit(code if isinstance(code, int) else 0)


def _command(arguments: list[str]) -> object:
    """Run a command to its end; what it returns or exits with."""
    try:
        code: object = suzuri.main(args=arguments, prog_name="suzuri", standalone_mode=False)
    except SystemExit as end:
        code = end.code
    flush()
    return code


def _complain(text: str) -> None:
    label = click.style("Error:", fg="red", bold=True) if sys.stderr.isatty() else "Error:"
    with contextlib.suppress(OSError):  # the exit code says it too
        click.echo(f"{label} {text}", err=True)


def echo_json(data: Any) -> None:  # noqa: ANN401 - any JSON value
    """Print `data` as JSON."""
    import json

    click.echo(json.dumps(data, indent=2, default=str))


if __name__ == "__main__":
    main()
