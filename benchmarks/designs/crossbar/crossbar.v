// Crossbar of four inputs and four outputs, a round-robin arbiter at each output, outputs registered.
module crossbar #(parameter W = 16) (
  input clk, input rst,
  input [3:0] valid, input [7:0] target, input [4*W-1:0] data, output [3:0] ready,
  output reg [3:0] out_valid, output reg [4*W-1:0] out_data, input [3:0] out_ready
);
  reg [1:0] last [0:3];
  reg [3:0] request [0:3];
  reg [3:0] grant [0:3];
  integer o, i, k;
  wire [3:0] open = ~out_valid | out_ready;
  always @* begin
    for (o = 0; o < 4; o = o + 1) begin
      for (i = 0; i < 4; i = i + 1) request[o][i] = valid[i] && target[2*i +: 2] == o;
      grant[o] = 0;
      // The first in turn after the one that was served last.
      for (k = 4; k >= 1; k = k - 1)
        if (request[o][(last[o] + k) & 3]) grant[o] = 4'b0001 << ((last[o] + k) & 3);
      if (!open[o]) grant[o] = 0;
    end
  end
  assign ready = grant[0] | grant[1] | grant[2] | grant[3];
  always @(posedge clk)
    if (rst) begin
      out_valid <= 0; out_data <= 0;
      for (o = 0; o < 4; o = o + 1) last[o] <= 3;
    end else
      for (o = 0; o < 4; o = o + 1)
        if (open[o]) begin
          out_valid[o] <= |grant[o];
          for (i = 0; i < 4; i = i + 1)
            if (grant[o][i]) begin
              out_data[W*o +: W] <= data[W*i +: W];
              last[o] <= i;
            end
        end
endmodule
