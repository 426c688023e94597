// A unit for custom instructions, to exercise the extension interface.
//
// rd = rs1 + 3 * rs2 after funct3 cycles (0: in the cycle of the request); funct7 of all
// ones is refused as illegal.
module harness_custom (
    input wire clk,
    input wire rst,
    input wire request,
    output wire ready,
    input wire [31:0] instruction,
    input wire [31:0] rs1,
    input wire [31:0] rs2,
    output wire valid,
    output wire [31:0] data,
    output wire error
);
  reg busy = 0;
  reg [2:0] left = 0;
  reg [31:0] result = 0;
  reg refused = 0;

  wire [31:0] sum = rs1 + rs2 + {rs2[30:0], 1'b0};
  wire illegal = &instruction[31:25];
  wire at_once = instruction[14:12] == 0;

  assign ready = !busy;
  assign valid = busy ? left == 0 : request && at_once;
  assign data = busy ? result : sum;
  assign error = busy ? refused : illegal;

  always @(posedge clk) begin
    if (rst) busy <= 0;
    else if (busy) begin
      left <= left - 1;
      if (left == 0) busy <= 0;
    end else if (request && !at_once) begin
      busy <= 1;
      left <= instruction[14:12] - 1;
      result <= sum;
      refused <= illegal;
    end
  end
endmodule
