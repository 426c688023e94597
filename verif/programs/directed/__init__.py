"""Directed tests of the RISC-V cores: every instruction and every rule of traps and CSRs.

Each test is one program that checks itself: written by hand in ``assembly``,
or by the modules of ``generate``, whose expected values come from
:mod:`verif.programs.directed.reference`. ``tohost`` gets 1 when all is well,
or the number of the failing test twice, plus one.

    python -m verif.programs.directed --preset small
    python -m verif.programs.directed --preset fast --set issue_width=1 --test division
    python -m verif.programs.directed --preset small --on spike
"""
