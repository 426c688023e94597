// Targets of other buses, in front of the harness's own: one access at a time.

// Wishbone B4, classic cycles. `adr` counts words of WIDTH bits.
module harness_wishbone #(
    parameter WIDTH = 32,
    parameter ADDRESS = 30
) (
    input wire clk,
    input wire rst,
    input wire cyc,
    input wire stb,
    input wire [ADDRESS-1:0] adr,
    input wire [WIDTH/8-1:0] sel,
    input wire we,
    input wire [WIDTH-1:0] dat_w,
    output wire ack,
    output wire err,
    output wire [WIDTH-1:0] dat_r,
    output wire request,
    input wire grant,
    output wire [31:0] address,
    output wire write,
    output wire [WIDTH/8-1:0] strobe,
    output wire [WIDTH-1:0] write_data,
    input wire response,
    input wire [WIDTH-1:0] read_data,
    input wire error
);
  reg busy = 0;
  assign request = cyc && stb && !busy;
  assign address = {adr, {(32 - ADDRESS) {1'b0}}};
  assign write = we;
  assign strobe = sel;
  assign write_data = dat_w;
  assign ack = busy && response && !error;
  assign err = busy && response && error;
  assign dat_r = read_data;
  always @(posedge clk)
    if (rst) busy <= 0;
    else if (request && grant) busy <= 1;
    else if (response) busy <= 0;
endmodule

// AXI4-Lite.
module harness_axi4lite #(
    parameter WIDTH = 32
) (
    input wire clk,
    input wire rst,
    input wire arvalid,
    output wire arready,
    input wire [31:0] araddr,
    output reg rvalid,
    input wire rready,
    output reg [WIDTH-1:0] rdata,
    output reg [1:0] rresp,
    input wire awvalid,
    output wire awready,
    input wire [31:0] awaddr,
    input wire wvalid,
    output wire wready,
    input wire [WIDTH-1:0] wdata,
    input wire [WIDTH/8-1:0] wstrb,
    output reg bvalid,
    input wire bready,
    output reg [1:0] bresp,
    output wire request,
    input wire grant,
    output wire [31:0] address,
    output wire write,
    output wire [WIDTH/8-1:0] strobe,
    output wire [WIDTH-1:0] write_data,
    input wire response,
    input wire [WIDTH-1:0] read_data,
    input wire error
);
  reg busy = 0, writing = 0;
  initial {rvalid, bvalid, rdata, rresp, bresp} = 0;
  wire idle = !busy && !rvalid && !bvalid;
  assign write = awvalid && wvalid;
  assign request = idle && (write || arvalid);
  assign awready = request && grant && write;
  assign wready = awready;
  assign arready = request && grant && !write;
  assign address = write ? awaddr : araddr;
  assign strobe = write ? wstrb : {(WIDTH / 8) {1'b1}};
  assign write_data = wdata;
  always @(posedge clk) begin
    if (rready) rvalid <= 0;
    if (bready) bvalid <= 0;
    if (request && grant) begin
      busy <= 1;
      writing <= write;
    end
    if (busy && response) begin
      busy <= 0;
      rvalid <= !writing;
      bvalid <= writing;
      rdata <= read_data;
      rresp <= error ? 2'b10 : 2'b00;
      bresp <= error ? 2'b10 : 2'b00;
    end
    if (rst) {busy, rvalid, bvalid} <= 0;
  end
endmodule
