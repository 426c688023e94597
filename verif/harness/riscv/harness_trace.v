// Included in `harness`: the commit trace, by C++ under Verilator, by $fwrite under Icarus.
// trace_lane writes the record of `lane`: 20 words, little-endian.

  function [31:0] trace_flags(input integer of);
    trace_flags = {
      11'd0, rvfi_rd_addr[5*of+:5],
      rvfi_mem_wmask[4*of+:4], rvfi_mem_rmask[4*of+:4],
      3'd0, rvfi_mode[2*of+:2], rvfi_halt[of], rvfi_intr[of], rvfi_trap[of]
    };
  endfunction

  initial if ($value$plusargs("trace=%s", trace_name)) begin
`ifdef VERILATOR
    traced = harness_trace_open(trace_name) == 0;
`else
    trace_file = $fopen(trace_name, "wb");
    traced = trace_file != 0;
`endif
  end

`ifdef VERILATOR

  import "DPI-C" function int unsigned harness_trace_open(input string name);
  import "DPI-C" function void harness_trace_close();
  import "DPI-C" function void harness_trace(
      input int unsigned flags, input int unsigned pc, input int unsigned insn,
      input int unsigned rd_wdata, input int unsigned mem_addr, input int unsigned mem_rdata,
      input int unsigned mem_wdata, input int unsigned pc_wdata, input int unsigned mstatus,
      input int unsigned mepc, input int unsigned mcause, input int unsigned mtval,
      input int unsigned mie, input int unsigned mip, input int unsigned mtvec,
      input int unsigned mscratch, input int unsigned order, input longint unsigned cycle);

  task trace_lane;
    harness_trace(
        trace_flags(lane), rvfi_pc_rdata[32*lane+:32], rvfi_insn[32*lane+:32],
        rvfi_rd_wdata[32*lane+:32], rvfi_mem_addr[32*lane+:32], rvfi_mem_rdata[32*lane+:32],
        rvfi_mem_wdata[32*lane+:32], rvfi_pc_wdata[32*lane+:32], state_mstatus, state_mepc,
        state_mcause, state_mtval, state_mie, state_mip, state_mtvec, state_mscratch,
        rvfi_order[64*lane+:32], cycle);
  endtask

  task trace_close;
    harness_trace_close();
  endtask

`else

  integer trace_file = 0;

  task trace_lane;
    $fwrite(trace_file, "%u", {
        cycle[63:32], 32'd0, rvfi_order[64*lane+:32], state_mscratch, state_mtvec, state_mip,
        state_mie, state_mtval, state_mcause, state_mepc, state_mstatus, cycle[31:0],
        rvfi_pc_wdata[32*lane+:32], rvfi_mem_wdata[32*lane+:32], rvfi_mem_rdata[32*lane+:32],
        rvfi_mem_addr[32*lane+:32], rvfi_rd_wdata[32*lane+:32], rvfi_insn[32*lane+:32],
        rvfi_pc_rdata[32*lane+:32], trace_flags(lane)});
  endtask

  task trace_close;
    $fclose(trace_file);
  endtask

`endif
