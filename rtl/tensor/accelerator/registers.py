"""The registers: an AXI4-Lite block made of ``registers.rdl``, its C header and its page.

``python -m rtl.tensor.accelerator.registers OUT`` writes ``suzuri_accelerator.h``
and ``html/`` into the folder OUT.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from rtl.tensor.accelerator.config import AcceleratorConfig
from rtl.tensor.accelerator.register_map import Access, RegisterField, compile_rdl, register_map

__all__ = ["AxiLite", "Registers", "config_value", "main"]

_SLVERR = 2


def config_value(config: AcceleratorConfig) -> int:
    """Return what the register ``CONFIG`` reads."""
    values = {
        "ARRAY": config.array,
        "BUS_BYTES": config.bus_bytes,
        "ACTIVATION": config.activation_kib.bit_length() - 1,
        "WEIGHT": config.weight_kib.bit_length() - 1,
        "PSUM": config.psum_words.bit_length() - 1,
    }
    return sum(values[f.name] << f.low for f in register_map() if f.register == "CONFIG")


class AxiLite(wiring.Signature):
    """AXI4-Lite of 32 bits, seen from the manager; PROT is not there.

    Parameters
    ----------
    address_width
        Bits of a byte address.
    """

    def __init__(self, address_width: int) -> None:
        super().__init__(
            {
                "awvalid": Out(1),
                "awready": In(1),
                "awaddr": Out(address_width),
                "wvalid": Out(1),
                "wready": In(1),
                "wdata": Out(32),
                "wstrb": Out(4),
                "bvalid": In(1),
                "bready": Out(1),
                "bresp": In(2),
                "arvalid": Out(1),
                "arready": In(1),
                "araddr": Out(address_width),
                "rvalid": In(1),
                "rready": Out(1),
                "rdata": In(32),
                "rresp": In(2),
            }
        )


class Registers(wiring.Component):
    """An AXI4-Lite subordinate with the registers of a SystemRDL file.

    Offsets without a register answer with SLVERR; writing what only reads
    does nothing. Bytes that are not strobed keep their value.

    Parameters
    ----------
    fields
        The registers' fields; those of ``registers.rdl`` by default.

    Members
    -------
    bus : In, AxiLite
    REGISTER_FIELD (in lower case) : Out
        Of each field that software writes: its value, or for a cycle after
        writing 1, a pulse.
    REGISTER_FIELD : In
        Of each field that software only reads: what it reads.
    REGISTER_FIELD_set : In(1)
        Of each field that software clears: sets it; goes before clearing.

    Timing
    ------
    A write takes effect two cycles after address and data are there; data are
    read two cycles after the address. One access of each kind at a time.

    Raises
    ------
    ImportError
        The SystemRDL compiler is not installed.
    """

    def __init__(self, fields: Sequence[RegisterField] | None = None) -> None:
        self._fields = tuple(register_map() if fields is None else fields)
        self._address_width = max(field.offset for field in self._fields).bit_length()
        members = {"bus": In(AxiLite(self._address_width))}
        for field in self._fields:
            if field.access is Access.INPUT:
                members[field.member] = In(field.width)
            elif field.access is not Access.CONSTANT:
                members[field.member] = Out(field.width, init=field.reset)
            if field.access is Access.FLAG:
                members[f"{field.member}_set"] = In(field.width)
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        """Return the two channels, and each field's bits."""
        m = Module()
        offsets = sorted({field.offset for field in self._fields})
        self._write(m, offsets)
        self._read(m, offsets)
        return m

    def _write(self, m: Module, offsets: list[int]) -> None:
        bus = self.bus
        address, have_address = Signal(self._address_width - 2), Signal()
        written, strobe, have_data = Signal(32), Signal(4), Signal()
        apply = Signal()
        m.d.comb += [
            bus.awready.eq(~have_address),
            bus.wready.eq(~have_data),
            apply.eq(have_address & have_data & ~bus.bvalid),
        ]
        with m.If(bus.awvalid & ~have_address):
            m.d.sync += [address.eq(bus.awaddr[2:]), have_address.eq(1)]
        with m.If(bus.wvalid & ~have_data):
            m.d.sync += [written.eq(bus.wdata), strobe.eq(bus.wstrb), have_data.eq(1)]
        with m.If(bus.bready):
            m.d.sync += bus.bvalid.eq(0)
        with m.If(apply):
            m.d.sync += [have_address.eq(0), have_data.eq(0), bus.bvalid.eq(1), bus.bresp.eq(_SLVERR)]
            with m.Switch(address), m.Case(*(offset // 4 for offset in offsets)):
                m.d.sync += bus.bresp.eq(0)

        mask = Cat(bit.replicate(8) for bit in strobe)
        for field in self._fields:
            here = apply & (address == field.offset // 4)
            bits = slice(field.low, field.low + field.width)
            new, chosen = written[bits], mask[bits] & here.replicate(field.width)
            if field.access is Access.STORED:
                value = getattr(self, field.member)
                m.d.sync += value.eq((new & chosen) | (value & ~chosen))
            elif field.access is Access.PULSE:
                m.d.sync += getattr(self, field.member).eq(new & chosen)
            elif field.access is Access.FLAG:
                value, sets = getattr(self, field.member), getattr(self, f"{field.member}_set")
                m.d.sync += value.eq((value & ~(new & chosen)) | sets)

    def _read(self, m: Module, offsets: list[int]) -> None:
        bus = self.bus
        address, have_address = Signal(self._address_width - 2), Signal()
        m.d.comb += bus.arready.eq(~have_address & ~bus.rvalid)
        with m.If(bus.arvalid & bus.arready):
            m.d.sync += [address.eq(bus.araddr[2:]), have_address.eq(1)]
        with m.If(bus.rready):
            m.d.sync += bus.rvalid.eq(0)
        with m.If(have_address):
            m.d.sync += [have_address.eq(0), bus.rvalid.eq(1), bus.rdata.eq(0), bus.rresp.eq(_SLVERR)]
            with m.Switch(address):
                for offset in offsets:
                    with m.Case(offset // 4):
                        m.d.sync += [bus.rdata.eq(self._value(offset)), bus.rresp.eq(0)]

    def _value(self, offset: int) -> Value:
        """Return what a register reads."""
        parts: list[Value] = []
        at = 0
        for field in self._fields:
            if field.offset != offset:
                continue
            parts.append(Const(0, field.low - at))
            if field.access is Access.CONSTANT:
                parts.append(Const(field.reset, field.width))
            elif field.access is Access.PULSE:
                parts.append(Const(0, field.width))
            else:
                parts.append(getattr(self, field.member))
            at = field.low + field.width
        return Cat(parts)


def write_documents(out: Path) -> list[Path]:
    """Write the C header and the HTML page of the registers.

    Parameters
    ----------
    out
        Folder; made if need be.

    Returns
    -------
    list of Path
        The header, and the page.

    Raises
    ------
    ImportError
        The PeakRDL exporters are not installed.
    """
    try:
        from peakrdl_cheader.exporter import CHeaderExporter  # noqa: PLC0415 - needed here alone
        from peakrdl_html import HTMLExporter  # noqa: PLC0415
    except ImportError as error:
        raise ImportError(f"{error.name} is not installed: pip install 'suzuri[nn]'") from None
    out.mkdir(parents=True, exist_ok=True)
    header = out / "suzuri_accelerator.h"
    CHeaderExporter().export(compile_rdl().top, str(header))
    HTMLExporter().export(compile_rdl().top, str(out / "html"))
    return [header, out / "html" / "index.html"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the documents into the folder that the command line names."""
    parser = argparse.ArgumentParser(description="Write the C header and the HTML page of the registers.")
    parser.add_argument("out", type=Path, help="folder to write into")
    options = parser.parse_args(arguments)
    try:
        written = write_documents(options.out)
    except ImportError as error:
        print(error, file=sys.stderr)
        return 1
    for path in written:
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
