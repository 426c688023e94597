// The simulated system around a core: memory, interrupts, a test device, and what is
// recorded of a run. Verilator (with main.cpp) and Icarus Verilog read this one file.
//
// A generated file, `harness_core.v`, holds the module `harness_core`: the core behind
// fixed ports, and the macros HARNESS_LANES (instructions that may retire in a cycle) and
// HARNESS_FETCH_WORDS (1 or 2).
//
// Memory map: memory wherever the plusargs region0_base, region0_size ... say; then a CLINT
// at 0200_0000 and the test device at 1000_0000 where no memory lies. All else answers with
// a bus error.
//
// Plusargs (hexadecimal where marked h):
//   image=FILE           memory contents for $readmemh; addresses count the words of all
//                        regions, one after the other
//   regionN_base=h regionN_size=h   N of 0 to 7; multiples of 4 KiB
//   limit=N              clock cycles after which the run ends (0: none)
//   watchdog=N           cycles without an instruction after which it ends (0: none)
//   result=FILE          how it ended, as lines "name value"
//   trace=FILE           commit trace: 20 little-endian words an instruction
//   signature=FILE signature_begin=h signature_end=h signature_words=N   words a line
//   tohost=h fromhost=h  HTIF, by the addresses of these symbols
//   seed=N               of all that is random here
//   stall_grant=N stall_response=N     chance in percent that a cycle brings none
//   interrupt_rate=N     chance in 65536 per cycle that a line of interrupt_mask rises
//   interrupt_mask=h     lines by their bit in mip
//   time_divider=N       clock cycles of one count of mtime
//   reset_cycles=N
`timescale 1ns / 1ps
`default_nettype none
`include "harness_core.v"

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

  localparam LANES = `HARNESS_LANES;
  localparam FETCH_WORDS = `HARNESS_FETCH_WORDS;
  localparam QUEUE = 8;

  // ---- options -----------------------------------------------------------

  reg [63:0] limit = 0;
  reg [63:0] watchdog = 0;
  reg [31:0] tohost = 0, fromhost = 0;
  reg has_tohost = 0, has_fromhost = 0;
  reg [31:0] seed = 1;
  reg [31:0] stall_grant = 0, stall_response = 0;
  reg [31:0] interrupt_rate = 0, interrupt_mask = 32'hffff_0888;
  reg [31:0] time_divider = 1, reset_cycles = 4;
  reg [31:0] signature_begin = 0, signature_end = 0, signature_words = 1;
  reg waits = 0;
  reg [8*1024-1:0] trace_name = 0, result_name = 0, signature_name = 0;
  reg traced = 0;

  initial begin
    if ($value$plusargs("limit=%d", limit)) begin end
    if ($value$plusargs("watchdog=%d", watchdog)) begin end
    if ($value$plusargs("tohost=%h", tohost)) has_tohost = 1;
    if ($value$plusargs("fromhost=%h", fromhost)) has_fromhost = 1;
    if ($value$plusargs("seed=%d", seed)) begin end
    if ($value$plusargs("stall_grant=%d", stall_grant)) begin end
    if ($value$plusargs("stall_response=%d", stall_response)) begin end
    if ($value$plusargs("interrupt_rate=%d", interrupt_rate)) begin end
    if ($value$plusargs("interrupt_mask=%h", interrupt_mask)) begin end
    if ($value$plusargs("time_divider=%d", time_divider)) begin end
    if ($value$plusargs("reset_cycles=%d", reset_cycles)) begin end
    if ($value$plusargs("signature_begin=%h", signature_begin)) begin end
    if ($value$plusargs("signature_end=%h", signature_end)) begin end
    if ($value$plusargs("signature_words=%d", signature_words)) begin end
    if (time_divider == 0) time_divider = 1;
    waits = stall_grant != 0 || stall_response != 0;
    random = seed * 32'h9e37_79b9 ^ 32'h2545_f491;
    if (random == 0) random = 1;
  end

  // ---- memory ------------------------------------------------------------

  `include "harness_memory.v"

  // ---- the core ----------------------------------------------------------

  reg rst = 1;
  wire ibus_request, dbus_request, dbus_write, sleeping;
  wire [31:0] ibus_address, dbus_address, dbus_write_data;
  wire [3:0] dbus_strobe;
  reg ibus_grant = 1, dbus_grant = 1, ibus_response = 0, dbus_response = 0;
  reg ibus_error = 0, dbus_error = 0;
  reg [32*FETCH_WORDS-1:0] ibus_read_data = 0;
  reg [31:0] dbus_read_data = 0;
  reg [63:0] mtime = 0;
  reg [31:0] lines = 0;  // by their bit in mip

  wire [LANES-1:0] rvfi_valid, rvfi_trap, rvfi_halt, rvfi_intr;
  wire [64*LANES-1:0] rvfi_order;
  wire [32*LANES-1:0] rvfi_insn, rvfi_rd_wdata, rvfi_pc_rdata, rvfi_pc_wdata;
  wire [32*LANES-1:0] rvfi_mem_addr, rvfi_mem_rdata, rvfi_mem_wdata;
  wire [2*LANES-1:0] rvfi_mode;
  wire [5*LANES-1:0] rvfi_rd_addr;
  wire [4*LANES-1:0] rvfi_mem_rmask, rvfi_mem_wmask;
  wire [3:0] rvfi_stall;
  wire [31:0] state_mstatus, state_mepc, state_mcause, state_mtval;
  wire [31:0] state_mtvec, state_mie, state_mip, state_mscratch;

  harness_core core (
      .clk(clk),
      .rst(rst),
      .ibus_request(ibus_request),
      .ibus_grant(ibus_grant),
      .ibus_address(ibus_address),
      .ibus_response(ibus_response),
      .ibus_read_data(ibus_read_data),
      .ibus_error(ibus_error),
      .dbus_request(dbus_request),
      .dbus_grant(dbus_grant),
      .dbus_address(dbus_address),
      .dbus_write(dbus_write),
      .dbus_strobe(dbus_strobe),
      .dbus_write_data(dbus_write_data),
      .dbus_response(dbus_response),
      .dbus_read_data(dbus_read_data),
      .dbus_error(dbus_error),
      .lines(lines),
      .mtime(mtime),
      .sleeping(sleeping),
      .rvfi_valid(rvfi_valid),
      .rvfi_order(rvfi_order),
      .rvfi_insn(rvfi_insn),
      .rvfi_trap(rvfi_trap),
      .rvfi_halt(rvfi_halt),
      .rvfi_intr(rvfi_intr),
      .rvfi_mode(rvfi_mode),
      .rvfi_rd_addr(rvfi_rd_addr),
      .rvfi_rd_wdata(rvfi_rd_wdata),
      .rvfi_pc_rdata(rvfi_pc_rdata),
      .rvfi_pc_wdata(rvfi_pc_wdata),
      .rvfi_mem_addr(rvfi_mem_addr),
      .rvfi_mem_rmask(rvfi_mem_rmask),
      .rvfi_mem_wmask(rvfi_mem_wmask),
      .rvfi_mem_rdata(rvfi_mem_rdata),
      .rvfi_mem_wdata(rvfi_mem_wdata),
      .rvfi_stall(rvfi_stall),
      .state_mstatus(state_mstatus),
      .state_mepc(state_mepc),
      .state_mcause(state_mcause),
      .state_mtval(state_mtval),
      .state_mtvec(state_mtvec),
      .state_mie(state_mie),
      .state_mip(state_mip),
      .state_mscratch(state_mscratch)
  );

  // ---- chance ------------------------------------------------------------

  reg [31:0] random = 1;

  task next_random;
    begin
      random = random ^ (random << 13);
      random = random ^ (random >> 17);
      random = random ^ (random << 5);
    end
  endtask

  // ---- devices -----------------------------------------------------------

  reg [63:0] cycle = 0;  // since reset was released
  reg [63:0] now = 0;  // mtime, which the core sees a cycle later
  reg [63:0] mtimecmp = 64'hffff_ffff_ffff_ffff;
  reg [31:0] time_count = 0;
  reg msip = 0;
  reg [31:0] device_lines = 0, later_lines = 0, random_lines = 0;
  reg [15:0] later = 0;
  reg [63:0] htif = 0;
  reg [7:0] htif_wait = 0;

  // An access to memory or a device. `hangs`: it is never answered.
  reg [31:0] read_word;
  reg failed, hangs;

  task access(input [31:0] address, input write, input [3:0] strobe, input [31:0] data);
    begin
      hangs = 0;
      if (write) memory_write(address, strobe, data, failed);
      else memory_read(address, read_word, failed);
      if (failed) begin
        failed = 0;
        if (address[31:16] == 16'h0200) clint(address[15:0], write, strobe, data);
        else if (address[31:12] == 20'h1_0000) device(address[11:0], write, data);
        else failed = 1;
      end else if (write && has_tohost && address[31:3] == tohost[31:3]) begin
        if (address[2]) htif[63:32] = data;
        else htif[31:0] = data;
        // Both words of a request count: give the program time to write the second.
        if (htif_wait == 0 && htif != 0) begin
          htif_wait = 64;
          end_cycle = cycle;
          end_instructions = instructions;
        end
      end
    end
  endtask

  function [31:0] merged(input [31:0] old, input [31:0] data, input [3:0] strobe);
    merged = {
      strobe[3] ? data[31:24] : old[31:24],
      strobe[2] ? data[23:16] : old[23:16],
      strobe[1] ? data[15:8] : old[15:8],
      strobe[0] ? data[7:0] : old[7:0]
    };
  endfunction

  task clint(input [15:0] offset, input write, input [3:0] strobe, input [31:0] data);
    begin
      read_word = 0;
      case (offset)
        16'h0000: begin
          read_word = {31'd0, msip};
          if (write && strobe[0]) msip = data[0];
        end
        16'h4000: begin
          read_word = mtimecmp[31:0];
          if (write) mtimecmp[31:0] = merged(mtimecmp[31:0], data, strobe);
        end
        16'h4004: begin
          read_word = mtimecmp[63:32];
          if (write) mtimecmp[63:32] = merged(mtimecmp[63:32], data, strobe);
        end
        16'hbff8: begin
          read_word = now[31:0];
          if (write) now[31:0] = merged(now[31:0], data, strobe);
        end
        16'hbffc: begin
          read_word = now[63:32];
          if (write) now[63:32] = merged(now[63:32], data, strobe);
        end
        default: failed = offset >= 16'hc000;
      endcase
    end
  endtask

  task device(input [11:0] offset, input write, input [31:0] data);
    begin
      read_word = 0;
      case (offset)
        12'h000: if (write) put(data[7:0]);
        12'h004: if (write) finish_soon(data);
        12'h008: read_word = cycle[31:0];
        12'h00c: read_word = cycle[63:32];
        12'h010: begin
          read_word = device_lines;
          if (write) device_lines = data;
        end
        12'h014:
        if (write) begin
          later = data[31:16];
          // As an index: the number of the line in mip, in the low half.
          later_lines = 32'd1 << data[4:0];
        end
        default: begin
          failed = offset[11];
          hangs = offset[11:10] == 2'b01;
        end
      endcase
    end
  endtask

  task put(input [7:0] character);
    begin
      $write("%c", character);
      if (character == 8'h0a) $fflush;
    end
  endtask

  // ---- HTIF --------------------------------------------------------------

  reg [31:0] call_number, call_a0, call_a1, call_a2, call_at;
  reg call_failed;

  task serve_htif;
    begin
      call_at = htif[31:0];
      if (htif[63:48] == 16'h0101) put(htif[7:0]);
      else if (htif[63:48] == 0 && htif[0]) finish_soon({1'b0, htif[31:1]});
      else if (htif[63:48] == 0) begin  // a system call's block of eight doublewords
        memory_read(call_at, call_number, call_failed);
        memory_read(call_at + 8, call_a0, call_failed);
        memory_read(call_at + 16, call_a1, call_failed);
        memory_read(call_at + 24, call_a2, call_failed);
        if (call_number == 93) finish_soon(call_a0);
        else if (call_number == 64) put_block(call_a1, call_a2);
        else call_a2 = 32'hffff_ffda;  // -ENOSYS
        memory_write(call_at, 4'hf, call_a2, call_failed);
        memory_write(call_at + 4, 4'hf, {32{call_a2[31]}}, call_failed);
        if (has_fromhost) memory_write(fromhost, 4'hf, 1, call_failed);
      end
      if (!ending) begin
        memory_write({tohost[31:3], 3'd0}, 4'hf, 0, call_failed);
        memory_write({tohost[31:3], 3'd4}, 4'hf, 0, call_failed);
      end
      htif = 0;
    end
  endtask

  task put_block(input [31:0] address, input [31:0] length);
    reg [31:0] at, word;
    begin
      call_failed = 0;
      for (at = address; at != address + length && !call_failed; at = at + 1) begin
        memory_read({at[31:2], 2'd0}, word, call_failed);
        word = word >> {at[1:0], 3'd0};
        if (!call_failed) put(word[7:0]);
      end
      $fflush;
    end
  endtask

  // ---- the end -----------------------------------------------------------

  reg ending = 0, ended = 0;
  reg [6:0] drain = 0;
  reg [31:0] exit_code = 0;
  reg [63:0] end_cycle = 0, end_instructions = 0;

  // The run ends a little later, so that the instruction that asked for it is recorded.
  task finish_soon(input [31:0] code);
    if (!ending) begin
      ending = 1;
      drain = 64;
      exit_code = code;
      if (htif == 0) begin
        end_cycle = cycle;
        end_instructions = instructions;
      end else drain = 1;
    end
  endtask

  integer file, i;

  task finish_now(input [8*16-1:0] status);
    if (!ended) begin
      ended = 1;
      if (!ending) begin
        end_cycle = cycle;
        end_instructions = instructions;
      end
      if ($value$plusargs("result=%s", result_name)) write_result(status);
      if ($value$plusargs("signature=%s", signature_name)) write_signature;
      if (traced) trace_close;
`ifdef VERILATOR
      harness_done();
`else
      $finish(0);
`endif
    end
  endtask

  task write_result(input [8*16-1:0] status);
    begin
      file = $fopen(result_name, "w");
      $fwrite(file, "status %0s\n", status);
      $fwrite(file, "code %0d\n", exit_code);
      $fwrite(file, "cycles %0d\n", end_cycle);
      $fwrite(file, "instructions %0d\n", end_instructions);
      for (i = 0; i < 16; i = i + 1) $fwrite(file, "stall%0d %0d\n", i, stalls[i]);
      $fwrite(file, "traps %0d\n", traps);
      $fwrite(file, "interrupts %0d\n", interrupts);
      if (traps != 0) $fwrite(file, "trap %h %h %h\n", trap_pc, trap_cause, trap_value);
      if (illegal) $fwrite(file, "illegal %h %h\n", illegal_pc, illegal_insn);
      if (fault) $fwrite(file, "fault %h %h %h %h\n", fault_pc, fault_cause, fault_value, fault_insn);
      $fwrite(file, "pairs %0d\n", pairs);
      $fwrite(file, "sleeping %0d\n", sleeping);
      $fwrite(file, "ibus %0d %0d %h\n", ibus_request && !ibus_grant, ibus_owed, ibus_last);
      $fwrite(file, "dbus %0d %0d %h\n", dbus_request && !dbus_grant, dbus_owed, dbus_last);
      for (i = 0; i < 16; i = i + 1)
        if (last_count >= 16 - i)
          $fwrite(file, "last %h %h %0d\n", last_pc[(last_count+i)%16], last_insn[(last_count+i)%16],
                  last_trap[(last_count+i)%16]);
      $fclose(file);
    end
  endtask

  reg [31:0] signature_at, signature_word;
  reg signature_failed;

  task write_signature;
    begin
      file = $fopen(signature_name, "w");
      for (signature_at = signature_begin; signature_at < signature_end;
           signature_at = signature_at + 4 * signature_words) begin
        for (i = signature_words - 1; i >= 0; i = i - 1) begin
          memory_read(signature_at + 4 * i, signature_word, signature_failed);
          $fwrite(file, "%h", signature_word);
        end
        $fwrite(file, "\n");
      end
      $fclose(file);
    end
  endtask

  // ---- what retires ------------------------------------------------------

  reg [63:0] instructions = 0, traps = 0, interrupts = 0, quiet = 0, pairs = 0;
  reg [63:0] stalls[0:15];
  reg [31:0] last_pc[0:15];
  reg [31:0] last_insn[0:15];
  reg [15:0] last_trap = 0;
  reg [31:0] last_count = 0;
  reg [31:0] trap_pc = 0, trap_cause = 0, trap_value = 0, illegal_pc = 0, illegal_insn = 0;
  reg [31:0] fault_pc = 0, fault_cause = 0, fault_value = 0, fault_insn = 0;
  reg [15:0] traps_in_a_row = 0;  // of one instruction, without a return between
  reg [15:0] turns = 0;  // instructions in a row that jump to themselves
  reg illegal = 0, fault = 0;
  localparam MRET = 32'h3020_0073;

  initial for (i = 0; i < 16; i = i + 1) stalls[i] = 0;

  `include "harness_trace.v"

  integer lane;

  task record;
    begin
      stalls[rvfi_stall] = stalls[rvfi_stall] + 1;
      if (|rvfi_valid) begin
        quiet = 0;
        for (lane = 0; lane < LANES; lane = lane + 1)
          if (rvfi_valid[lane]) begin
            if (rvfi_intr[lane]) interrupts = interrupts + 1;
            if (rvfi_trap[lane]) record_trap;
            else begin
              instructions = instructions + 1;
              if (rvfi_insn[32*lane+:32] == MRET) traps_in_a_row = 0;
              if (rvfi_pc_wdata[32*lane+:32] == rvfi_pc_rdata[32*lane+:32]) turns = turns + 1;
              else turns = 0;
            end
            // What only repeats itself would say nothing in the end: keep what came before.
            if (traps_in_a_row <= 1 && turns <= 1) begin
              last_pc[last_count%16] = rvfi_pc_rdata[32*lane+:32];
              last_insn[last_count%16] = rvfi_insn[32*lane+:32];
              last_trap[last_count%16] = rvfi_trap[lane];
              last_count = last_count + 1;
            end
            if (traced) trace_lane;
          end
        if (LANES == 2 && &rvfi_valid) pairs = pairs + 1;
      end else if (!sleeping) quiet = quiet + 1;
      if (stop) finish_now("interrupted");
      else if (traps_in_a_row == 1000) finish_now("trap_loop");
      else if (turns >= 1000 && endless) finish_now("loop");
      else if (watchdog != 0 && quiet == watchdog) finish_now("stuck");
      else if (limit != 0 && cycle == limit) finish_now("limit");
    end
  endtask

  // Nothing will interrupt the program: it has said so, and waits for no answer of the harness.
  // A core that does not show its CSRs may be in any state.
  wire shown = (state_mstatus | state_mtvec | state_mcause) != 0;
  wire endless = rvfi_mode[1:0] == 2'd3 && (!state_mstatus[3] || state_mie == 0)
      && shown && !ending && htif_wait == 0;

  task record_trap;
    begin
      traps = traps + 1;
      turns = 0;
      if (trap_pc == rvfi_pc_rdata[32*lane+:32]) traps_in_a_row = traps_in_a_row + 1;
      else traps_in_a_row = 1;
      trap_pc = rvfi_pc_rdata[32*lane+:32];
      trap_cause = state_mcause;
      trap_value = state_mtval;
      if (state_mcause == 2 && !illegal) begin
        illegal = 1;
        illegal_pc = trap_pc;
        illegal_insn = rvfi_insn[32*lane+:32];
      end
      // Misaligned, or refused by the bus or by memory protection.
      if (shown && !fault && state_mcause < 8 && state_mcause != 2 && state_mcause != 3) begin
        fault = 1;
        fault_pc = trap_pc;
        fault_cause = state_mcause;
        fault_value = state_mtval;
        fault_insn = rvfi_insn[32*lane+:32];
      end
    end
  endtask

  // ---- buses -------------------------------------------------------------

  // Answers that are due, when they may be late.
  reg [32*FETCH_WORDS:0] ibus_queue[0:QUEUE-1];
  reg [32:0] dbus_queue[0:QUEUE-1];
  reg [2:0] ibus_head = 0, ibus_tail = 0, dbus_head = 0, dbus_tail = 0;
  reg [15:0] ibus_owed = 0, dbus_owed = 0;  // answers not given yet
  reg [31:0] ibus_last = 0, dbus_last = 0;  // the last granted addresses
  reg [3:0] ibus_due = 0, dbus_due = 0;
  reg [32*FETCH_WORDS:0] fetched;
  reg [31:0] fetched_word;
  reg fetch_failed;
  integer word;

  task serve_data;
    begin
      dbus_response <= 0;
      if (dbus_request && dbus_grant) begin
        access(dbus_address, dbus_write, dbus_strobe, dbus_write_data);
        dbus_last = dbus_address;
        dbus_owed = dbus_owed + 1;
        if (!hangs) begin
          if (waits) begin
            dbus_queue[dbus_tail] = {failed, read_word};
            dbus_tail = dbus_tail + 1;
            dbus_due = dbus_due + 1;
          end else begin
            dbus_response <= 1;
            dbus_error <= failed;
            dbus_read_data <= read_word;
            dbus_owed = dbus_owed - 1;
          end
        end
      end
    end
  endtask

  task serve_fetch;
    begin
      ibus_response <= 0;
      if (ibus_request && ibus_grant) begin
        memory_fetch(ibus_address, fetched);
        ibus_last = ibus_address;
        ibus_owed = ibus_owed + 1;
        if (waits) begin
          ibus_queue[ibus_tail] = fetched;
          ibus_tail = ibus_tail + 1;
          ibus_due = ibus_due + 1;
        end else begin
          ibus_response <= 1;
          {ibus_error, ibus_read_data} <= fetched;
          ibus_owed = ibus_owed - 1;
        end
      end
    end
  endtask

  // Grants and answers that come when chance has it.
  task serve_late;
    begin
      next_random;
      if (ibus_due != 0 && random[15:0] % 100 >= stall_response) begin
        ibus_response <= 1;
        {ibus_error, ibus_read_data} <= ibus_queue[ibus_head];
        ibus_head = ibus_head + 1;
        ibus_due = ibus_due - 1;
        ibus_owed = ibus_owed - 1;
      end
      if (dbus_due != 0 && random[31:16] % 100 >= stall_response) begin
        dbus_response <= 1;
        {dbus_error, dbus_read_data} <= dbus_queue[dbus_head];
        dbus_head = dbus_head + 1;
        dbus_due = dbus_due - 1;
        dbus_owed = dbus_owed - 1;
      end
      next_random;
      ibus_grant <= ibus_due < QUEUE - 1 && random[15:0] % 100 >= stall_grant;
      dbus_grant <= dbus_due < QUEUE - 1 && random[31:16] % 100 >= stall_grant;
    end
  endtask

  task raise_lines;
    begin
      if (later != 0) begin
        later = later - 1;
        if (later == 0) device_lines = device_lines | later_lines;
      end
      if (interrupt_rate != 0) begin
        next_random;
        if (random[15:0] < interrupt_rate) random_lines = random_lines ^ (32'd1 << random[20:16]);
        // What has risen falls again after 32 cycles or so, handled or not.
        if (random[25:21] == 0) random_lines = 0;
        random_lines = random_lines & interrupt_mask;
      end
      lines <= device_lines | random_lines | {24'd0, now >= mtimecmp, 3'd0, msip, 3'd0};
    end
  endtask

  always @(posedge clk) begin
    if (rst) begin
      if (reset_cycles == 0) rst <= 0;
      else reset_cycles = reset_cycles - 1;
    end else if (!ended) begin
      serve_data;
      serve_fetch;
      if (waits) serve_late;
      raise_lines;
      cycle = cycle + 1;
      time_count = time_count + 1;
      if (time_count >= time_divider) begin
        time_count = 0;
        now = now + 1;
      end
      mtime <= now;
      record;
      if (htif_wait != 0) begin
        htif_wait = htif_wait - 1;
        if (htif_wait == 0) serve_htif;
      end
      if (drain != 0) begin
        drain = drain - 1;
        if (drain == 0) finish_now("exit");
      end
    end
  end

`ifdef HARNESS_WAVES
`ifndef VERILATOR
  reg [8*1024-1:0] waves_name;
  initial
    if ($value$plusargs("waves=%s", waves_name)) begin
      $dumpfile(waves_name);
      $dumpvars(0, harness);
    end
`endif
`endif
endmodule
