"""The small design that every PDK must map, time, power and simulate."""

from __future__ import annotations

from pdk_adapters.equivalence import Port

__all__ = [
    "CONFORMANCE_CLOCK", "CONFORMANCE_PORTS", "CONFORMANCE_RESETS", "CONFORMANCE_RTL", "CONFORMANCE_TOP",
]  # fmt: skip

CONFORMANCE_TOP = "suzuri_conformance"
CONFORMANCE_CLOCK = "clk"
#: Reset ports and their active levels: one asynchronous, one synchronous.
CONFORMANCE_RESETS = {"rst_n": 0, "srst": 1}
CONFORMANCE_PORTS = (
    Port(name="clk", direction="input"),
    Port(name="rst_n", direction="input"),
    Port(name="srst", direction="input"),
    Port(name="en", direction="input"),
    Port(name="load", direction="input"),
    Port(name="sel", direction="input", width=3),
    Port(name="a", direction="input", width=8),
    Port(name="b", direction="input", width=8),
    Port(name="count", direction="output", width=8),
    Port(name="sum", direction="output", width=9),
    Port(name="shift", direction="output", width=8),
    Port(name="muxed", direction="output"),
    Port(name="preset", direction="output", width=8),
    Port(name="fan", direction="output", width=32),
    Port(name="product", direction="output", width=8),
    Port(name="logic_out", direction="output", width=8),
    Port(name="late", direction="output", width=2),
    Port(name="constant", direction="output", width=4),
)
CONFORMANCE_RTL = """\
// One of everything that mapping must get right.
module suzuri_conformance (
    input clk, input rst_n, input srst, input en, input load,
    input [2:0] sel, input [7:0] a, input [7:0] b,
    output reg [7:0] count, output reg [8:0] sum, output reg [7:0] shift, output reg muxed,
    output reg [7:0] preset, output reg [31:0] fan, output [7:0] product,
    output [7:0] logic_out, output reg [1:0] late, output [3:0] constant
);
  // Counter: flops with asynchronous clear and enable.
  always @(posedge clk or negedge rst_n)
    if (!rst_n) count <= 8'd0;
    else if (load) count <= a;
    else if (en) count <= count + 8'd1;
  // Adder into plain flops.
  always @(posedge clk) sum <= a + b + {8'd0, en};
  // Shift register with synchronous reset.
  always @(posedge clk)
    if (srst) shift <= 8'd0;
    else shift <= {shift[6:0], a[0] ^ b[0]};
  // Multiplexer tree.
  always @(posedge clk) muxed <= a[sel];
  // Asynchronous set and clear, mixed.
  always @(posedge clk or negedge rst_n)
    if (!rst_n) preset <= 8'hA5;
    else preset <= {preset[6:0], preset[7]} ^ b;
  // A net with a high fanout: one enable for 32 flops.
  always @(posedge clk)
    if (srst) fan <= 32'd0;
    else if (en) fan <= {fan[23:0], a} ^ {4{b}};
  // Falling edge.
  always @(negedge clk or negedge rst_n)
    if (!rst_n) late <= 2'b10;
    else late <= {late[0], a[1]};
  // Deeper logic, complex gates, parity.
  assign product = a[3:0] * b[3:0];
  assign logic_out = {
    ^a, ~^b, &a[3:0] | ~|b[7:4], (a[0] & b[0]) | (a[1] & ~b[1]) | (a[2] ^ b[2]),
    a < b, a == b, sel[0] ? (a[4] | b[4]) : ~(a[5] & b[5]), (a[6] | b[6]) & (a[7] | ~b[7])
  };
  // Tie cells.
  assign constant = 4'b1010;
endmodule
"""
