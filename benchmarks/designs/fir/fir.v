// FIR filter: eight taps that can be loaded, direct form, one register between products and sum.
module fir #(parameter W = 10, parameter TAPS = 8) (
  input clk, input rst, input load, input [2:0] tap,
  input signed [W-1:0] coefficient, input signed [W-1:0] x,
  output reg signed [2*W+2:0] y
);
  reg signed [W-1:0] c [0:TAPS-1];
  reg signed [W-1:0] line [0:TAPS-1];
  reg signed [2*W-1:0] product [0:TAPS-1];
  reg signed [2*W+2:0] sum;
  integer i;
  always @* begin
    sum = 0;
    for (i = 0; i < TAPS; i = i + 1) sum = sum + product[i];
  end
  always @(posedge clk) begin
    if (rst) begin
      for (i = 0; i < TAPS; i = i + 1) begin
        c[i] <= 0; line[i] <= 0; product[i] <= 0;
      end
      y <= 0;
    end else begin
      if (load) c[tap] <= coefficient;
      line[0] <= x;
      for (i = 1; i < TAPS; i = i + 1) line[i] <= line[i-1];
      for (i = 0; i < TAPS; i = i + 1) product[i] <= c[i] * line[i];
      y <= sum;
    end
  end
endmodule
