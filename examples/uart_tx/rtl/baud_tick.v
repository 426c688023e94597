// Pulses tick for one clock in every DIVISOR clocks, counted from enable.
module baud_tick #(
    parameter DIVISOR = 16
) (
    input  wire clk,
    input  wire rst,
    input  wire enable,
    output wire tick
);

  localparam WIDTH = DIVISOR > 1 ? $clog2(DIVISOR) : 1;
  localparam [WIDTH-1:0] LAST = DIVISOR[WIDTH-1:0] - 1'b1;

  reg [WIDTH-1:0] count;

  assign tick = enable && count == LAST;

  always @(posedge clk)
    if (rst || !enable || tick) count <= {WIDTH{1'b0}};
    else count <= count + 1'b1;

endmodule
