// CRC-32 of Ethernet (reflected, 0xedb88320), eight bytes a clock.
module crc32 (
  input clk, input rst, input valid, input [63:0] data, output [31:0] crc
);
  reg [31:0] state, next;
  reg [63:0] held;
  reg pending;
  integer i;
  assign crc = ~state;
  always @* begin
    next = state;
    for (i = 0; i < 64; i = i + 1)
      next = (next >> 1) ^ ((next[0] ^ held[i]) ? 32'hedb88320 : 32'h0);
  end
  always @(posedge clk)
    if (rst) begin
      state <= 32'hffffffff; pending <= 0; held <= 0;
    end else begin
      pending <= valid;
      if (valid) held <= data;
      if (pending) state <= next;
    end
endmodule
