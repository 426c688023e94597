// The memory behind the AXI4 port: bytes from address 0, a latency, pauses at random, and errors where
// asked for. It also checks what the manager does, and counts complaints.
`timescale 1ns / 1ps
`default_nettype none

module harness_memory #(
    parameter BUS  = 64,
    parameter BITS = 24
) (
    input wire clk,
    input wire rst,
    input wire arvalid,
    output wire arready,
    input wire [31:0] araddr,
    input wire [7:0] arlen,
    input wire [2:0] arsize,
    input wire [1:0] arburst,
    output reg rvalid,
    input wire rready,
    output reg [BUS-1:0] rdata,
    output reg [1:0] rresp,
    output reg rlast,
    input wire awvalid,
    output wire awready,
    input wire [31:0] awaddr,
    input wire [7:0] awlen,
    input wire [2:0] awsize,
    input wire [1:0] awburst,
    input wire wvalid,
    output wire wready,
    input wire [BUS-1:0] wdata,
    input wire [BUS/8-1:0] wstrb,
    input wire wlast,
    output reg bvalid,
    input wire bready,
    output reg [1:0] bresp
);

  localparam BYTES = BUS / 8;
  localparam QUEUE = 16;

  reg [7:0] mem[0:(1<<BITS)-1];

  // ---- options -----------------------------------------------------------

  reg [31:0] latency = 20, seed = 1, stall = 0;
  reg [31:0] read_error = 32'hffff_ffff, write_error = 32'hffff_ffff;
  reg [8*1024-1:0] name = 0;
  reg [31:0] at = 0, bytes = 0;
  integer n, file, got;

  task load(input [8*1024-1:0] from, input [31:0] where);
    begin
      file = $fopen(from, "rb");
      if (file == 0) begin
        $display("harness: cannot open the image %0s", from);
        $finish;
      end else begin
        got = $fread(mem, file, where);
        $fclose(file);
      end
    end
  endtask

  initial begin
    if ($value$plusargs("latency=%d", latency)) begin end
    if ($value$plusargs("seed=%d", seed)) begin end
    if ($value$plusargs("stall=%d", stall)) begin end
    if ($value$plusargs("read_error=%h", read_error)) begin end
    if ($value$plusargs("write_error=%h", write_error)) begin end
    random = {seed * 32'h9e37_79b9 ^ 32'h2545_f491, seed ^ 32'h1234_5678};
    if (random == 0) random = 1;
    if ($value$plusargs("image0=%s", name)) begin
      at = 0;
      if ($value$plusargs("image0_at=%h", at)) begin end
      load(name, at);
    end
    if ($value$plusargs("image1=%s", name)) begin
      at = 0;
      if ($value$plusargs("image1_at=%h", at)) begin end
      load(name, at);
    end
    if ($value$plusargs("image2=%s", name)) begin
      at = 0;
      if ($value$plusargs("image2_at=%h", at)) begin end
      load(name, at);
    end
    if ($value$plusargs("image3=%s", name)) begin
      at = 0;
      if ($value$plusargs("image3_at=%h", at)) begin end
      load(name, at);
    end
  end

  task write_region(input [8*1024-1:0] to, input [31:0] where, input [31:0] size);
    begin
      file = $fopen(to, "w");
      for (n = where; n < where + size; n = n + 1) $fwrite(file, "%02x\n", mem[n]);
      $fclose(file);
    end
  endtask

  task dump;
    begin
      at = 0;
      bytes = 0;
      if ($value$plusargs("dump0=%s", name)) begin
        if ($value$plusargs("dump0_at=%h", at)) begin end
        if ($value$plusargs("dump0_bytes=%h", bytes)) begin end
        write_region(name, at, bytes);
      end
      if ($value$plusargs("dump1=%s", name)) begin
        if ($value$plusargs("dump1_at=%h", at)) begin end
        if ($value$plusargs("dump1_bytes=%h", bytes)) begin end
        write_region(name, at, bytes);
      end
    end
  endtask

  // ---- pauses ------------------------------------------------------------

  reg [63:0] random = 1;
  wire [7:0] rate = (stall * 256) / 100;
  wire pause_ar = random[7:0] < rate, pause_r = random[15:8] < rate, pause_aw = random[23:16] < rate;
  wire pause_w = random[31:24] < rate, pause_b = random[39:32] < rate;

  always @(posedge clk) random <= next(random);

  function [63:0] next(input [63:0] x);
    reg [63:0] y;
    begin
      y = x ^ (x << 13);
      y = y ^ (y >> 7);
      next = y ^ (y << 17);
    end
  endfunction

  // ---- reads -------------------------------------------------------------

  reg [31:0] cycle = 0;
  reg [31:0] r_address[0:QUEUE-1], r_time[0:QUEUE-1];
  reg [8:0] r_beats[0:QUEUE-1];
  reg [3:0] r_head = 0, r_tail = 0;
  reg [4:0] reads = 0, reads_next = 0;  // what is seen outside changes after the edge
  reg [8:0] r_place = 0;
  integer complaints = 0;

  task complain(input [8*60-1:0] what);
    begin
      $display("harness: the memory port breaks a rule: %0s", what);
      complaints = complaints + 1;
    end
  endtask

  // Whether an address answers with an error: outside the memory, or in the page that was named.
  function wrong(input [31:0] address, input [31:0] page);
    wrong = (address >> BITS) != 0 || (address >> 12) == (page >> 12);
  endfunction

  task check(input [31:0] address, input [7:0] len, input [2:0] size, input [1:0] burst);
    begin
      if ((1 << size) != BYTES) complain("size is not the port's");
      if (burst != 1) complain("burst is not INCR");
      if (address % BYTES != 0) complain("address is not aligned");
      if ((address >> 12) != ((address + (len + 1) * BYTES - 1) >> 12)) complain("crosses 4 KiB");
    end
  endtask

  assign arready = reads != QUEUE && !pause_ar;

  integer i;
  reg [31:0] a;
  always @(posedge clk) begin
    cycle <= cycle + 1;
    if (arvalid && arready) begin
      check(araddr, arlen, arsize, arburst);
      r_address[r_tail] = araddr;
      r_beats[r_tail] = {1'b0, arlen} + 1;
      r_time[r_tail] = cycle + latency;
      r_tail = r_tail + 1;
      reads_next = reads_next + 1;
    end
    if (rvalid && rready) rvalid <= 0;
    if ((!rvalid || rready) && reads_next != 0 && !pause_r && $signed(cycle - r_time[r_head] + 1) >= 0) begin
      a = r_address[r_head] + r_place * BYTES;
      rvalid <= 1;
      rresp <= wrong(a, read_error) ? 2 : 0;
      for (i = 0; i < BYTES; i = i + 1) rdata[8*i+:8] <= mem[a[BITS-1:0]+i[BITS-1:0]];
      rlast <= r_place + 1 == r_beats[r_head];
      r_place = r_place + 1;
      if (r_place == r_beats[r_head]) begin
        r_place = 0;
        r_head = r_head + 1;
        reads_next = reads_next - 1;
      end
    end
    if (rst) begin
      rvalid <= 0;
      reads_next = 0;
      r_head = 0;
      r_tail = 0;
      r_place = 0;
    end
    reads <= reads_next;
  end

  // ---- writes ------------------------------------------------------------

  reg [31:0] w_address[0:QUEUE-1];
  reg [8:0] w_beats[0:QUEUE-1];
  reg [3:0] w_head = 0, w_tail = 0;
  reg [4:0] w_open = 0, w_open_next = 0;  // addresses whose data are not all there
  reg [4:0] writes = 0, writes_next = 0;  // not answered
  reg [8:0] w_place = 0;
  reg w_wrong = 0;
  reg [31:0] b_time[0:QUEUE-1];
  reg b_wrong[0:QUEUE-1];
  reg [3:0] b_head = 0, b_tail = 0;
  reg [4:0] b_open = 0;

  assign awready = writes != QUEUE && !pause_aw;
  assign wready  = w_open != 0 && !pause_w;

  integer j;
  reg [31:0] b;
  always @(posedge clk) begin
    if (bvalid && bready) begin
      bvalid <= 0;
      writes_next = writes_next - 1;
    end
    if ((!bvalid || bready) && b_open != 0 && !pause_b && $signed(cycle - b_time[b_head]) >= 0) begin
      bvalid <= 1;
      bresp <= b_wrong[b_head] ? 2 : 0;
      b_head = b_head + 1;
      b_open = b_open - 1;
    end
    if (wvalid && wready) begin
      b = w_address[w_head] + w_place * BYTES;
      if (wrong(b, write_error)) w_wrong = 1;
      else for (j = 0; j < BYTES; j = j + 1) if (wstrb[j]) mem[b[BITS-1:0]+j[BITS-1:0]] = wdata[8*j+:8];
      w_place = w_place + 1;
      if (wlast != (w_place == w_beats[w_head])) complain("WLAST is at another beat than the length says");
      if (w_place == w_beats[w_head]) begin
        b_time[b_tail] = cycle + latency;
        b_wrong[b_tail] = w_wrong;
        b_tail = b_tail + 1;
        b_open = b_open + 1;
        w_wrong = 0;
        w_place = 0;
        w_head = w_head + 1;
        w_open_next = w_open_next - 1;
      end
    end
    if (awvalid && awready) begin
      check(awaddr, awlen, awsize, awburst);
      w_address[w_tail] = awaddr;
      w_beats[w_tail] = {1'b0, awlen} + 1;
      w_tail = w_tail + 1;
      w_open_next = w_open_next + 1;
      writes_next = writes_next + 1;
    end
    if (rst) begin
      bvalid <= 0;
      writes_next = 0;
      w_open_next = 0;
      b_open = 0;
      w_place = 0;
      w_head = 0;
      w_tail = 0;
      b_head = 0;
      b_tail = 0;
    end
    writes <= writes_next;
    w_open <= w_open_next;
  end

  // ---- what is offered stays until it is taken ---------------------------

  reg ar_waits = 0, aw_waits = 0, w_waits = 0;
  reg [31:0] ar_was = 0, aw_was = 0;
  reg [BUS-1:0] w_was = 0;
  always @(posedge clk) begin
    if (!rst && ar_waits && (!arvalid || araddr != ar_was)) complain("AR changes before it is taken");
    if (!rst && aw_waits && (!awvalid || awaddr != aw_was)) complain("AW changes before it is taken");
    if (!rst && w_waits && (!wvalid || wdata != w_was)) complain("W changes before it is taken");
    ar_waits <= arvalid && !arready && !rst;
    aw_waits <= awvalid && !awready && !rst;
    w_waits  <= wvalid && !wready && !rst;
    ar_was   <= araddr;
    aw_was   <= awaddr;
    w_was    <= wdata;
  end
endmodule
`default_nettype wire
