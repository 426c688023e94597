// Sorts eight unsigned numbers by Batcher's bitonic network, with a register after every second rank.
module sorter #(parameter W = 8) (
  input clk, input [8*W-1:0] in, output [8*W-1:0] out
);
  reg [W-1:0] rank0 [0:7];
  reg [W-1:0] rank2 [0:7];
  reg [W-1:0] rank4 [0:7];
  reg [W-1:0] rank6 [0:7];
  reg [W-1:0] a [0:7];
  integer i;

  // One rank of comparators: `span` apart, up or down by the bit `block` of the place.
  task rank(input integer span, input integer block);
    integer k;
    reg [W-1:0] low, high;
    for (k = 0; k < 8; k = k + 1)
      if ((k & span) == 0) begin
        low = a[k] < a[k + span] ? a[k] : a[k + span];
        high = a[k] < a[k + span] ? a[k + span] : a[k];
        a[k] = (k & block) == 0 ? low : high;
        a[k + span] = (k & block) == 0 ? high : low;
      end
  endtask

  always @(posedge clk) begin
    for (i = 0; i < 8; i = i + 1) rank0[i] <= in[W*i +: W];
    for (i = 0; i < 8; i = i + 1) a[i] = rank0[i];
    rank(1, 2); rank(2, 4);
    for (i = 0; i < 8; i = i + 1) rank2[i] <= a[i];
    for (i = 0; i < 8; i = i + 1) a[i] = rank2[i];
    rank(1, 4); rank(4, 8);
    for (i = 0; i < 8; i = i + 1) rank4[i] <= a[i];
    for (i = 0; i < 8; i = i + 1) a[i] = rank4[i];
    rank(2, 8); rank(1, 8);
    for (i = 0; i < 8; i = i + 1) rank6[i] <= a[i];
  end
  genvar g;
  generate
    for (g = 0; g < 8; g = g + 1) begin : port
      assign out[W*g +: W] = rank6[g];
    end
  endgenerate
endmodule
