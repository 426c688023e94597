// 32-bit ALU: sum, difference, comparisons, logic, shifts and rotations, with flags; registered in and out.
module alu (
  input clk, input [3:0] operation, input [31:0] a, input [31:0] b,
  output reg [31:0] result, output reg zero, output reg carry
);
  reg [3:0] op;
  reg [31:0] x, y;
  reg [31:0] r;
  reg c;
  always @* begin
    c = 0;
    case (op)
      4'd0: {c, r} = x + y;
      4'd1: {c, r} = {1'b0, x} - {1'b0, y};
      4'd2: r = x & y;
      4'd3: r = x | y;
      4'd4: r = x ^ y;
      4'd5: r = x << y[4:0];
      4'd6: r = x >> y[4:0];
      4'd7: r = $signed(x) >>> y[4:0];
      4'd8: r = (x << y[4:0]) | (x >> (6'd32 - y[4:0]));
      4'd9: r = $signed(x) < $signed(y);
      4'd10: r = x < y;
      4'd11: r = $signed(x) < $signed(y) ? x : y;
      4'd12: r = x & ~y;
      default: r = y;
    endcase
  end
  always @(posedge clk) begin
    op <= operation; x <= a; y <= b;
    result <= r; zero <= r == 0; carry <= c;
  end
endmodule
