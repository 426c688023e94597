// A core that is not of the family: RV32I with machine mode, several cycles an instruction,
// written for these tests. It has the ports of the contract, and no more.
module stranger #(
    parameter [31:0] RESET_VECTOR = 32'h8000_0000
) (
    input wire clk,
    input wire rst,
    output wire ibus__request,
    input wire ibus__grant,
    output wire [31:0] ibus__address,
    input wire ibus__response,
    input wire [31:0] ibus__read_data,
    input wire ibus__error,
    output wire dbus__request,
    input wire dbus__grant,
    output wire [31:0] dbus__address,
    output wire dbus__write,
    output reg [3:0] dbus__strobe,
    output wire [31:0] dbus__write_data,
    input wire dbus__response,
    input wire [31:0] dbus__read_data,
    input wire dbus__error,
    input wire interrupts__software,
    input wire interrupts__timer,
    input wire interrupts__external,
    output wire sleeping,
    output reg rvfi__valid,
    output reg [63:0] rvfi__order,
    output reg [31:0] rvfi__insn,
    output reg rvfi__trap,
    output reg rvfi__intr,
    output wire [1:0] rvfi__mode,
    output reg [4:0] rvfi__rd_addr,
    output reg [31:0] rvfi__rd_wdata,
    output reg [31:0] rvfi__pc_rdata,
    output reg [31:0] rvfi__pc_wdata,
    output reg [31:0] rvfi__mem_addr,
    output reg [3:0] rvfi__mem_rmask,
    output reg [3:0] rvfi__mem_wmask,
    output reg [31:0] rvfi__mem_rdata,
    output reg [31:0] rvfi__mem_wdata,
    output wire [31:0] rvfi__state__mstatus,
    output wire [31:0] rvfi__state__mepc,
    output wire [31:0] rvfi__state__mcause,
    output wire [31:0] rvfi__state__mtval,
    output wire [31:0] rvfi__state__mtvec,
    output wire [31:0] rvfi__state__mie,
    output wire [31:0] rvfi__state__mip,
    output wire [31:0] rvfi__state__mscratch,
    output wire [3:0] rvfi__stall
);
  localparam FETCH = 0, FETCHED = 1, EXECUTE = 2, ACCESS = 3, ACCESSED = 4;

  reg [2:0] state = FETCH;
  reg [31:0] pc = RESET_VECTOR, insn = 0;
  reg [31:0] registers[0:31];
  reg fetch_error = 0, entered = 0;
  reg mie_bit = 0, mpie_bit = 0;
  reg [31:0] mtvec = 0, mepc = 0, mcause = 0, mtval = 0, mscratch = 0, mie = 0;
  reg [63:0] mcycle = 0, minstret = 0;
  wire [31:0] mip = {20'd0, interrupts__external, 3'd0, interrupts__timer, 3'd0, interrupts__software, 3'd0};
  wire [31:0] mstatus = {19'd0, 2'b11, 3'd0, mpie_bit, 3'd0, mie_bit, 3'd0};
  wire [31:0] pending = mip & mie;

  assign rvfi__state__mstatus = mstatus;
  assign rvfi__state__mepc = mepc;
  assign rvfi__state__mcause = mcause;
  assign rvfi__state__mtval = mtval;
  assign rvfi__state__mtvec = mtvec;
  assign rvfi__state__mie = mie;
  assign rvfi__state__mip = mip;
  assign rvfi__state__mscratch = mscratch;
  assign rvfi__mode = 3;
  assign rvfi__stall = rvfi__valid ? 0 : state <= FETCHED ? 1 : state >= ACCESS ? 6 : 8;

  wire [4:0] opcode = insn[6:2];
  wire [2:0] f3 = insn[14:12];
  wire [31:0] a = insn[19:15] == 0 ? 0 : registers[insn[19:15]];
  wire [31:0] b = insn[24:20] == 0 ? 0 : registers[insn[24:20]];
  wire [31:0] imm_i = {{20{insn[31]}}, insn[31:20]};
  wire [31:0] imm_s = {{20{insn[31]}}, insn[31:25], insn[11:7]};
  wire [31:0] imm_b = {{20{insn[31]}}, insn[7], insn[30:25], insn[11:8], 1'b0};
  wire [31:0] imm_j = {{12{insn[31]}}, insn[19:12], insn[20], insn[30:21], 1'b0};
  wire is_op = opcode == 5'h0c, is_load = opcode == 0, is_store = opcode == 5'h08;
  wire [31:0] rhs = is_op ? b : imm_i;
  wire [31:0] address = a + (is_store ? imm_s : imm_i);
  wire [4:0] byte_shift = {address[1:0], 3'd0};
  wire [31:0] loaded = dbus__read_data >> byte_shift;
  wire misaligned = f3[1] ? address[1:0] != 0 : f3[0] && address[0];
  wire less = f3[1] ? a < b : $signed(a) < $signed(b);
  wire taken = (f3[2] ? less : a == b) ^ f3[0];

  assign ibus__request = state == FETCH && !(mie_bit && pending != 0);
  assign ibus__address = pc;
  assign dbus__request = state == ACCESS;
  assign dbus__address = {address[31:2], 2'd0};
  assign dbus__write = is_store;
  assign dbus__write_data = b << byte_shift;
  assign sleeping = state == EXECUTE && insn == 32'h1050_0073 && pending == 0;
  always @* dbus__strobe = (f3[1] ? 4'b1111 : f3[0] ? 4'b0011 : 4'b0001) << address[1:0];

  reg [31:0] alu, csr_old, csr_new, next_pc, result, value;
  reg [4:0] cause;
  reg traps, writes, csr_ok, done;

  always @* begin
    case (f3)
      0: alu = is_op && insn[30] ? a - b : a + rhs;
      1: alu = a << rhs[4:0];
      2: alu = {31'd0, $signed(a) < $signed(rhs)};
      3: alu = {31'd0, a < rhs};
      4: alu = a ^ rhs;
      5: alu = insn[30] ? $signed(a) >>> rhs[4:0] : a >> rhs[4:0];
      6: alu = a | rhs;
      default: alu = a & rhs;
    endcase
    if (f3 == 5 && insn[30]) begin
      alu = a >> rhs[4:0];
      if (a[31]) alu = ~(~a >> rhs[4:0]);
    end
  end

  always @* begin
    csr_ok = 1;
    csr_old = 0;
    case (insn[31:20])
      12'h300: csr_old = mstatus;
      12'h301: csr_old = 32'h4000_0100;
      12'h304: csr_old = mie;
      12'h305: csr_old = mtvec;
      12'h340: csr_old = mscratch;
      12'h341: csr_old = mepc;
      12'h342: csr_old = mcause;
      12'h343: csr_old = mtval;
      12'h344: csr_old = mip;
      12'hb00, 12'hc00: csr_old = mcycle[31:0];
      12'hb80, 12'hc80: csr_old = mcycle[63:32];
      12'hb02, 12'hc02: csr_old = minstret[31:0];
      12'hb82, 12'hc82: csr_old = minstret[63:32];
      12'hf11, 12'hf12, 12'hf13, 12'hf14: csr_old = 0;
      default: csr_ok = 0;
    endcase
    if (insn[31:30] == 3 && (f3[1:0] == 1 || insn[19:15] != 0)) csr_ok = 0;
    csr_new = f3[2] ? {27'd0, insn[19:15]} : a;
    if (f3[1:0] == 2) csr_new = csr_old | csr_new;
    if (f3[1:0] == 3) csr_new = csr_old & ~csr_new;
  end

  // What the instruction does: `done` unless it goes to the bus.
  always @* begin
    next_pc = pc + 4;
    result = alu;
    writes = 1;
    traps = 0;
    cause = 2;
    value = insn;
    done = 1;
    case (opcode)
      5'h0d: result = {insn[31:12], 12'd0};
      5'h05: result = pc + {insn[31:12], 12'd0};
      5'h1b, 5'h19: begin
        result = pc + 4;
        next_pc = opcode[1] ? pc + imm_j : address & ~32'd1;
        traps = next_pc[1];
        cause = 0;
        value = next_pc;
        if (!opcode[1] && f3 != 0) begin
          traps = 1;
          cause = 2;
          value = insn;
        end
      end
      5'h18: begin
        writes = 0;
        if (taken) next_pc = pc + imm_b;
        traps = next_pc[1];
        cause = 0;
        value = next_pc;
        if (f3[2:1] == 1) begin
          traps = 1;
          cause = 2;
          value = insn;
        end
      end
      5'h00, 5'h08: begin
        writes = is_load;
        traps = misaligned;
        cause = is_load ? 4 : 6;
        value = address;
        done = misaligned;
        if (f3[1:0] == 3 || f3 == 6 || is_store && f3[2]) begin
          traps = 1;
          done = 1;
          cause = 2;
          value = insn;
        end
      end
      5'h04: traps = f3 == 1 && insn[31:25] != 0 || f3 == 5 && (insn[31:25] & 7'h5f) != 0;
      5'h0c: traps = (insn[31:25] & (f3 == 0 || f3 == 5 ? 7'h5f : 7'h7f)) != 0;
      5'h03: begin
        writes = 0;
        traps = f3 > 1;
      end
      5'h1c: begin
        writes = f3 != 0;
        result = csr_old;
        if (f3[1:0] != 0) traps = !csr_ok;
        else
          case (insn)
            32'h0000_0073: begin
              traps = 1;
              cause = 11;
              value = 0;
            end
            32'h0010_0073: begin
              traps = 1;
              cause = 3;
              value = pc;
            end
            32'h3020_0073: next_pc = mepc;
            32'h1050_0073: done = pending != 0;
            default: traps = 1;
          endcase
      end
      default: traps = 1;
    endcase
    if (insn[1:0] != 3) begin
      traps = 1;
      cause = 2;
      value = insn;
      done = 1;
    end
    if (fetch_error) begin
      traps = 1;
      cause = 1;
      value = pc;
      done = 1;
    end
  end

  task enter(input interrupt, input [4:0] why, input [31:0] what);
    begin
      mepc <= pc;
      mcause <= {interrupt, 26'd0, why};
      mtval <= what;
      mpie_bit <= mie_bit;
      mie_bit <= 0;
      pc <= {mtvec[31:2], 2'd0} + (interrupt && mtvec[0] ? {25'd0, why, 2'd0} : 0);
      state <= FETCH;
    end
  endtask

  task retire(input trapped, input [31:0] to, input write, input [31:0] data);
    begin
      rvfi__valid <= 1;
      rvfi__order <= rvfi__order + 1;
      rvfi__insn <= insn;
      rvfi__trap <= trapped;
      rvfi__intr <= entered;
      entered <= 0;
      rvfi__pc_rdata <= pc;
      rvfi__pc_wdata <= trapped ? {mtvec[31:2], 2'd0} : to;
      rvfi__rd_addr <= write && !trapped ? insn[11:7] : 0;
      rvfi__rd_wdata <= write && !trapped && insn[11:7] != 0 ? data : 0;
      rvfi__mem_addr <= dbus__address;
      rvfi__mem_rmask <= is_load && !trapped ? dbus__strobe : 0;
      rvfi__mem_wmask <= is_store && !trapped ? dbus__strobe : 0;
      rvfi__mem_rdata <= dbus__read_data;
      rvfi__mem_wdata <= dbus__write_data;
      if (!trapped) begin
        minstret <= minstret + 1;
        pc <= to;
        state <= FETCH;
        if (write && insn[11:7] != 0) registers[insn[11:7]] <= data;
      end
    end
  endtask

  task write_csr;
    case (insn[31:20])
      12'h300: {mpie_bit, mie_bit} <= {csr_new[7], csr_new[3]};
      12'h304: mie <= csr_new & 32'h888;
      12'h305: mtvec <= csr_new & ~32'd2;
      12'h340: mscratch <= csr_new;
      12'h341: mepc <= csr_new & ~32'd3;
      12'h342: mcause <= csr_new & 32'h8000_001f;
      12'h343: mtval <= csr_new;
      12'hb00: mcycle[31:0] <= csr_new;
      12'hb80: mcycle[63:32] <= csr_new;
      12'hb02: minstret[31:0] <= csr_new;
      12'hb82: minstret[63:32] <= csr_new;
      default: ;
    endcase
  endtask

  wire [31:0] extended = f3[1] ? loaded :
      f3[0] ? {{16{loaded[15] && !f3[2]}}, loaded[15:0]} : {{24{loaded[7] && !f3[2]}}, loaded[7:0]};

  always @(posedge clk) begin
    rvfi__valid <= 0;
    mcycle <= mcycle + 1;
    case (state)
      FETCH:
      if (mie_bit && pending != 0) begin
        enter(1, pending[11] ? 11 : pending[3] ? 3 : 7, 0);
        entered <= 1;
      end else if (ibus__grant) state <= FETCHED;
      FETCHED:
      if (ibus__response) begin
        insn <= ibus__error ? 0 : ibus__read_data;
        fetch_error <= ibus__error;
        state <= EXECUTE;
      end
      EXECUTE:
      if (traps) begin
        retire(1, 0, 0, 0);
        enter(0, cause, value);
      end else if (done) begin
        retire(0, next_pc, writes, result);
        if (opcode == 5'h1c && f3 != 0 && (f3[1:0] == 1 || insn[19:15] != 0)) write_csr;
        if (insn == 32'h3020_0073) {mpie_bit, mie_bit} <= {1'b1, mpie_bit};
      end else if (is_load || is_store) state <= ACCESS;
      ACCESS: if (dbus__grant) state <= ACCESSED;
      ACCESSED:
      if (dbus__response) begin
        if (dbus__error) begin
          retire(1, 0, 0, 0);
          enter(0, is_load ? 5 : 7, address);
        end else retire(0, pc + 4, is_load, extended);
      end
      default: state <= FETCH;
    endcase
    if (rst) begin
      state <= FETCH;
      pc <= RESET_VECTOR;
      rvfi__order <= 0;
      {mpie_bit, mie_bit} <= 0;
      {mie, mtvec, mcause, mcycle, minstret} <= 0;
      entered <= 0;
    end
  end
endmodule
