"""What ``suzuri isa lockstep`` says of a program that Spike executed like the core."""

from __future__ import annotations

import pytest
from tiny_elf import STOP, elf, words

from flow.cli.isa_lockstep_cmd import _tell_ending
from flow.isa.elf import read_elf
from flow.isa.simulation import Ending, Result
from flow.model.errors import CheckFailed

BASE = 0x8000_0000


def told(ending: Ending, code: int = 0) -> None:
    program = read_elf(elf({BASE: words(STOP)}), "x.elf")
    result = Result(ending=ending, code=code, cycles=9, instructions=5, last=((BASE, STOP, False),))
    _tell_ending(result, program, "rv32i", 9)


def test_the_exit_code_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    told(Ending.EXIT, 3)
    assert capsys.readouterr().out == "exit code 3\n"


def test_a_program_without_end_is_right_as_far_as_it_went(capsys: pytest.CaptureFixture[str]) -> None:
    told(Ending.LIMIT)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "Note: the program did not end within 9 cycles; it was at 0x80000000\n"


def test_a_core_that_is_stuck_has_failed() -> None:
    with pytest.raises(CheckFailed, match="no instruction came to its end any more after 0x80000000"):
        told(Ending.STUCK)
