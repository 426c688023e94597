"""What ``registers.rdl`` says, as data."""

from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from systemrdl.node import FieldNode, RootNode

__all__ = ["RDL", "Access", "RegisterField", "compile_rdl", "register_map"]

#: The description.
RDL = Path(__file__).with_name("registers.rdl")


class Access(Enum):
    """What a field is made of."""

    CONSTANT = "constant"  # reads the same always
    INPUT = "input"  # reads what the hardware says
    STORED = "stored"  # keeps what was written
    PULSE = "pulse"  # is 1 for a cycle after 1 was written
    FLAG = "flag"  # is set by hardware, and cleared by writing 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterField:
    """Bits of a register.

    Attributes
    ----------
    register, name
        Names of the register and, in it, of the field.
    offset
        Bytes from the first register to this one.
    low, width
        Lowest bit, and bits.
    access
        What it is made of.
    reset
        Value after reset, and of a constant always.
    """

    register: str
    name: str
    offset: int
    low: int
    width: int
    access: Access
    reset: int

    @property
    def member(self) -> str:
        """Name of the port that carries it."""
        return f"{self.register}_{self.name}".lower()


def compile_rdl(path: Path = RDL) -> "RootNode":
    """Return the root of a compiled SystemRDL file.

    Raises
    ------
    ImportError
        The compiler is not installed; says how to.
    systemrdl.RDLCompileError
        The file is wrong; the compiler prints what.
    """
    try:
        from systemrdl import RDLCompiler  # noqa: PLC0415 - late, for a good message
    except ImportError:
        raise ImportError(
            "the accelerator's registers need the SystemRDL compiler: pip install 'suzuri[nn]'"
        ) from None
    compiler = RDLCompiler()
    compiler.compile_file(str(path))
    return compiler.elaborate()


@cache
def register_map(path: Path = RDL) -> tuple[RegisterField, ...]:
    """Return the fields of all registers, in order of their addresses.

    Raises
    ------
    ImportError
        The compiler is not installed.
    ValueError
        A field has properties that the hardware does not know.
    """
    found = []
    for register in compile_rdl(path).top.registers():
        for field in register.fields():
            found.append(
                RegisterField(
                    register=register.inst_name,
                    name=field.inst_name,
                    offset=register.absolute_address,
                    low=field.low,
                    width=field.width,
                    access=_access(field),
                    reset=field.get_property("reset") or 0,
                )
            )
    return tuple(sorted(found, key=lambda field: (field.offset, field.low)))


def _access(field: "FieldNode") -> Access:
    stored = field.implements_storage
    if not stored and not field.is_sw_writable:
        return Access.INPUT if field.is_hw_writable else Access.CONSTANT
    if field.get_property("singlepulse"):
        return Access.PULSE
    if field.get_property("hwset") and str(field.get_property("onwrite")).endswith("woclr"):
        return Access.FLAG
    if stored and field.is_sw_writable and not field.is_hw_writable and not field.get_property("onwrite"):
        return Access.STORED
    raise ValueError(f"{field.get_path()}: no hardware is known for its properties")
