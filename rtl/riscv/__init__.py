"""RISC-V cores: one generator, three presets.

Start at :class:`rtl.riscv.core.Core` and :class:`rtl.riscv.config.CoreConfig`;
:mod:`rtl.riscv.interfaces` has the ports.
"""
