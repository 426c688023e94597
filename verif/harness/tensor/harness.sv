// The simulated system around an accelerator: clock, reset, memory, and what starts a program through
// the registers and waits for its end. Verilator (with main.cpp) and Icarus Verilog read this one file.
//
// HARNESS_BUS is the width of the memory port in bits; HARNESS_MEMORY_BITS (24) says how many bytes of
// memory there are, from address 0. README.md lists the plusargs.
`timescale 1ns / 1ps
`default_nettype none
`ifndef HARNESS_BUS
`define HARNESS_BUS 64
`endif
`ifndef HARNESS_MEMORY_BITS
`define HARNESS_MEMORY_BITS 24
`endif

`ifdef VERILATOR
module harness (
    input wire clk,
    input wire stop  // end now: the user has had enough
);
`else
module harness;
  reg clk = 0;
  wire stop = 0;
  always #5 clk = ~clk;
`endif

  localparam BUS = `HARNESS_BUS;

  // ---- options -----------------------------------------------------------

  reg [63:0] limit = 100_000_000;
  reg [31:0] base0 = 0, base1 = 0, base2 = 0, base3 = 0, offset = 0, expected = 0;
  reg [31:0] step1 = 0, step2 = 0, runs = 1, stop_at = 0, rst_cycles = 4;
  reg [8*1024-1:0] name = 0, result_name = 0, events_name = 0;
  integer result_file = 0, events_file = 0;

  initial begin
    if ($value$plusargs("limit=%d", limit)) begin end
    if ($value$plusargs("base0=%h", base0)) begin end
    if ($value$plusargs("base1=%h", base1)) begin end
    if ($value$plusargs("base2=%h", base2)) begin end
    if ($value$plusargs("base3=%h", base3)) begin end
    if ($value$plusargs("base1_step=%h", step1)) begin end
    if ($value$plusargs("base2_step=%h", step2)) begin end
    if ($value$plusargs("offset=%h", offset)) begin end
    if ($value$plusargs("config=%h", expected)) begin end
    if ($value$plusargs("runs=%d", runs)) begin end
    if ($value$plusargs("stop_at=%d", stop_at)) begin end
    if ($value$plusargs("reset_cycles=%d", rst_cycles)) begin end
    if ($value$plusargs("result=%s", result_name)) result_file = $fopen(result_name, "w");
    if ($value$plusargs("events=%s", events_name)) events_file = $fopen(events_name, "w");
  end

  // ---- the accelerator ---------------------------------------------------

  reg rst = 1;
  wire arvalid, arready, awvalid, awready, wvalid, wready, wlast, bvalid, bready, rvalid, rready, rlast;
  wire [31:0] araddr, awaddr;
  wire [7:0] arlen, awlen;
  wire [2:0] arsize, awsize;
  wire [1:0] arburst, awburst, bresp, rresp;
  wire [BUS-1:0] wdata, rdata;
  wire [BUS/8-1:0] wstrb;
  reg reg_awvalid = 0, reg_wvalid = 0, reg_arvalid = 0;
  reg [6:0] reg_address = 0;
  reg [31:0] reg_wdata = 0;
  wire reg_awready, reg_wready, reg_arready, reg_bvalid, reg_rvalid;
  wire [31:0] reg_rdata;
  wire [1:0] reg_bresp, reg_rresp;
  wire interrupt;
  wire [3:0] started, done, pending, missing0, missing1, missing2, missing3;
  wire [63:0] started_tag, done_tag;

  accelerator dut (
      .clk(clk),
      .rst(rst),
      .memory__arvalid(arvalid),
      .memory__arready(arready),
      .memory__araddr(araddr),
      .memory__arlen(arlen),
      .memory__arsize(arsize),
      .memory__arburst(arburst),
      .memory__rvalid(rvalid),
      .memory__rready(rready),
      .memory__rdata(rdata),
      .memory__rresp(rresp),
      .memory__rlast(rlast),
      .memory__awvalid(awvalid),
      .memory__awready(awready),
      .memory__awaddr(awaddr),
      .memory__awlen(awlen),
      .memory__awsize(awsize),
      .memory__awburst(awburst),
      .memory__wvalid(wvalid),
      .memory__wready(wready),
      .memory__wdata(wdata),
      .memory__wstrb(wstrb),
      .memory__wlast(wlast),
      .memory__bvalid(bvalid),
      .memory__bready(bready),
      .memory__bresp(bresp),
      .registers__awvalid(reg_awvalid),
      .registers__awready(reg_awready),
      .registers__awaddr(reg_address),
      .registers__wvalid(reg_wvalid),
      .registers__wready(reg_wready),
      .registers__wdata(reg_wdata),
      .registers__wstrb(4'hf),
      .registers__bvalid(reg_bvalid),
      .registers__bready(1'b1),
      .registers__bresp(reg_bresp),
      .registers__arvalid(reg_arvalid),
      .registers__arready(reg_arready),
      .registers__araddr(reg_address),
      .registers__rvalid(reg_rvalid),
      .registers__rready(1'b1),
      .registers__rdata(reg_rdata),
      .registers__rresp(reg_rresp),
      .interrupt(interrupt),
      .event__started(started),
      .event__started_tag(started_tag),
      .event__done(done),
      .event__done_tag(done_tag),
      .pending(pending),
      .missing__0(missing0),
      .missing__1(missing1),
      .missing__2(missing2),
      .missing__3(missing3)
  );

  harness_memory #(.BUS(BUS), .BITS(`HARNESS_MEMORY_BITS)) memory (
      .clk(clk),
      .rst(rst),
      .arvalid(arvalid),
      .arready(arready),
      .araddr(araddr),
      .arlen(arlen),
      .arsize(arsize),
      .arburst(arburst),
      .rvalid(rvalid),
      .rready(rready),
      .rdata(rdata),
      .rresp(rresp),
      .rlast(rlast),
      .awvalid(awvalid),
      .awready(awready),
      .awaddr(awaddr),
      .awlen(awlen),
      .awsize(awsize),
      .awburst(awburst),
      .wvalid(wvalid),
      .wready(wready),
      .wdata(wdata),
      .wstrb(wstrb),
      .wlast(wlast),
      .bvalid(bvalid),
      .bready(bready),
      .bresp(bresp)
  );

  // ---- events, and what each engine was last seen doing ------------------

  reg [63:0] cycle = 0;  // since reset
  reg [63:0] begun = 0;  // cycle of the start
  reg [3:0] under_way = 0;
  reg [63:0] last_tag = 0;
  integer e, engine;

  always @(posedge clk) begin
    for (e = 0; e < 4; e = e + 1) begin
      if (started[e]) begin
        last_tag[16*e+:16] <= started_tag[16*e+:16];
        under_way[e] <= 1;
        if (events_file != 0)
          $fdisplay(events_file, "%0d %0d started %0d", cycle - begun, e, started_tag[16*e+:16]);
      end
      if (done[e]) begin
        if (!started[e] && last_tag[16*e+:16] == done_tag[16*e+:16]) under_way[e] <= 0;
        if (events_file != 0)
          $fdisplay(events_file, "%0d %0d done %0d", cycle - begun, e, done_tag[16*e+:16]);
      end
    end
  end

  task explain(input integer n);
    reg [3:0] missing;
    begin
      case (n)
        0: begin $write("LOAD    "); missing = missing0; end
        1: begin $write("PACK    "); missing = missing1; end
        2: begin $write("COMPUTE "); missing = missing2; end
        default: begin $write("STORE   "); missing = missing3; end
      endcase
      if (under_way[n]) $write("executes command %0d", last_tag[16*n+:16]);
      else $write("is idle");
      if (pending[n]) begin
        $write("; the next one waits for");
        if (missing == 0) $write(" this engine");
        if (missing[0]) $write(" LOAD");
        if (missing[1]) $write(" PACK");
        if (missing[2]) $write(" COMPUTE");
        if (missing[3]) $write(" STORE");
      end
      $write("\n");
    end
  endtask

  // ---- the program's run -------------------------------------------------

  localparam SETUP = 9, READOUT = 15;
  reg [2:0] state = 0;
  localparam RESET = 0, WRITE = 1, RUN = 2, READ = 3, NEXT = 4, STOP = 5;
  reg [4:0] index = 0;
  reg [31:0] run = 0;
  reg issued = 0;
  reg failed = 0;
  reg limited = 0, stopped = 0;

  function [38:0] setup(input [4:0] n);
    case (n)
      0: setup = {7'h20, base0};
      1: setup = {7'h24, base1 + run * step1};
      2: setup = {7'h28, base2 + run * step2};
      3: setup = {7'h2c, base3};
      4: setup = {7'h18, offset};
      5: setup = {7'h1c, expected};
      6: setup = {7'h14, 32'd3};
      7: setup = {7'h10, 32'd3};
      default: setup = {7'h08, 32'd1};
    endcase
  endfunction

  function [6:0] readout(input [4:0] n);
    case (n)
      0: readout = 7'h00;
      1: readout = 7'h04;
      2: readout = 7'h0c;
      default: readout = 7'h40 + 4 * (n - 3);
    endcase
  endfunction

  task say(input [4:0] n, input [31:0] value);
    if (result_file != 0)
      case (n)
        0: $fdisplay(result_file, "id %0d", value);
        1: $fdisplay(result_file, "config %0d", value);
        2: begin
          $fdisplay(result_file, "busy %0d", value[0]);
          $fdisplay(result_file, "done %0d", value[1]);
          $fdisplay(result_file, "error %0d", value[2]);
          $fdisplay(result_file, "code %0d", value[7:4]);
          $fdisplay(result_file, "engine %0d", value[9:8]);
          $fdisplay(result_file, "tag %0d", value[31:16]);
        end
        3: $fdisplay(result_file, "cycles %0d", value);
        4: $fdisplay(result_file, "compute_busy %0d", value);
        5: $fdisplay(result_file, "stall_weights %0d", value);
        6: $fdisplay(result_file, "stall_activations %0d", value);
        7: $fdisplay(result_file, "stall_output %0d", value);
        8: $fdisplay(result_file, "stall_wait %0d", value);
        9: $fdisplay(result_file, "load_busy %0d", value);
        10: $fdisplay(result_file, "store_busy %0d", value);
        11: $fdisplay(result_file, "pack_busy %0d", value);
        12: $fdisplay(result_file, "bus_read_beats %0d", value);
        13: $fdisplay(result_file, "bus_write_beats %0d", value);
        default: $fdisplay(result_file, "bus_stall %0d", value);
      endcase
  endtask

  always @(posedge clk) begin
    cycle <= cycle + 1;
    rst <= cycle < rst_cycles;
    if (reg_awvalid && reg_awready) reg_awvalid <= 0;
    if (reg_wvalid && reg_wready) reg_wvalid <= 0;
    if (reg_arvalid && reg_arready) reg_arvalid <= 0;
    case (state)
      RESET: if (!rst) state <= WRITE;
      WRITE:
      if (!issued) begin
        {reg_address, reg_wdata} <= setup(index);
        reg_awvalid <= 1;
        reg_wvalid <= 1;
        issued <= 1;
      end else if (reg_bvalid) begin
        issued <= 0;
        index <= index + 1;
        if (index == SETUP - 1) begin
          index <= 0;
          begun <= cycle;
          stopped <= 0;
          state <= RUN;
          if (events_file != 0 && runs != 1) $fdisplay(events_file, "run %0d", run);
        end
      end
      RUN: begin
        if (interrupt) state <= READ;
        else if (stop || cycle - begun > limit) begin
          limited <= 1;
          state <= READ;
          $display("harness: %0s after %0d cycles", stop ? "interrupted" : "no end", cycle - begun);
          for (engine = 0; engine < 4; engine = engine + 1) explain(engine);
          $display("memory  %0d reads and %0d writes are under way", memory.reads, memory.writes);
        end else if (stop_at != 0 && !stopped && cycle - begun == {32'd0, stop_at}) begin
          stopped <= 1;
          state <= STOP;
        end
      end
      STOP:
      if (!issued) begin
        {reg_address, reg_wdata} <= {7'h08, 32'd2};
        reg_awvalid <= 1;
        reg_wvalid <= 1;
        issued <= 1;
      end else if (reg_bvalid) begin
        issued <= 0;
        index <= 31;  // the pulse, and its effect, come first
        state <= READ;
      end
      READ:
      if (index >= 24) index <= index + 1;
      else if (!issued) begin
        if (index == 0 && result_file != 0) begin
          $fdisplay(result_file, "run %0d", run);
          $fdisplay(result_file, "limited %0d", limited);
        end
        reg_address <= readout(index);
        reg_arvalid <= 1;
        issued <= 1;
      end else if (reg_rvalid) begin
        issued <= 0;
        // After a stop the memory port becomes quiet first.
        if (!(index == 2 && stopped && reg_rdata[0]) || cycle - begun > limit) begin
          say(index, reg_rdata);
          if (index == 2) failed <= reg_rdata[2];
          index <= index + 1;
        end
        if (index == READOUT - 1) begin
          index <= 0;
          state <= NEXT;
        end
      end
      NEXT: begin
        run <= run + 1;
        if (run + 1 < runs && !limited && (!failed || stop_at != 0)) begin
          state <= WRITE;
        end else begin
          memory.dump;
          if (result_file != 0) begin
            $fdisplay(result_file, "protocol %0d", memory.complaints);
            $fclose(result_file);
          end
          if (events_file != 0) $fclose(events_file);
          $finish;
        end
      end
      default: state <= RESET;
    endcase
  end
endmodule
`default_nettype wire
