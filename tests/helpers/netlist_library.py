"""A tiny Liberty library for tests that need no tool."""

from __future__ import annotations

from flow.formats.liberty import CellLibrary, Liberty


def _gate(name: str, area: float, function: str, pins: str = "AB", limit: float = 0.5) -> str:
    inputs = "".join(f"pin ({p}) {{ direction : input; capacitance : 0.01; }}\n" for p in pins)
    return (
        f"cell ({name}) {{ area : {area};\n{inputs}"
        f'pin (Y) {{ direction : output; function : "{function}"; max_capacitance : {limit};\n'
        'timing () { related_pin : "A"; cell_rise (t) { values ("0.1, 0.2"); } }\n'
        'internal_power () { rise_power (t) { values ("1, 2"); } } } }\n'
    )


def _flop(name: str, area: float, limit: float) -> str:
    return (
        f'cell ({name}) {{ area : {area};\nff (IQ, IQN) {{ next_state : "D"; clocked_on : "CK"; }}\n'
        "pin (D) { direction : input; capacitance : 0.01; }\n"
        "pin (CK) { direction : input; capacitance : 0.01; clock : true; }\n"
        f'pin (Q) {{ direction : output; function : "IQ"; max_capacitance : {limit}; }} }}\n'
    )


TEXT = (
    "/* a comment { with a brace */\nlibrary (tiny) {\n"
    'time_unit : "1ps";\ncapacitive_load_unit (1, ff);\ndefault_wire_load : "big";\n'
    "lu_table_template (t) { variable_1 : input_net_transition; }\n"
    + _gate("NAND2X1", 4.0, "!(A & B)")
    + _gate("NAND2X2", 6.0, "!(A & B)")
    + _gate("XOR2X1", 8.0, "A ^ B")
    + _gate("BUFX1", 2.0, "A", "A", 0.2)
    + _gate("BUFX4", 5.0, "A", "A", 2.0)
    + _gate("INVX1", 1.0, "A'", "A")
    + _flop("DFFX1", 10.0, 0.1)
    + _flop("DFFX2", 12.0, 9.0)
    + 'cell (TIE1) { area : 1; pin (Y) { direction : output; function : "1"; } }\n'
    + 'cell (TIE0) { area : 1; pin (Y) { direction : output; function : "0"; } }\n'
    + "cell (FILL1) { area : 1; }\n}\n"
)


def tiny() -> CellLibrary:
    """Return the library; one unit of capacitance is a femtofarad."""
    return CellLibrary([Liberty(TEXT)])
