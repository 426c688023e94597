#include "compare.h"

#include <cstdarg>

namespace lockstep {
namespace {

const char* const kState[8] = {"mstatus", "mepc", "mcause", "mtval", "mie", "mip", "mtvec", "mscratch"};
constexpr uint32_t kSystemOpcode = 0x73;

std::string format(const char* text, ...) __attribute__((format(printf, 1, 2)));
std::string format(const char* text, ...) {
  char buffer[256];
  va_list arguments;
  va_start(arguments, text);
  vsnprintf(buffer, sizeof buffer, text, arguments);
  va_end(arguments);
  return buffer;
}

bool is_csr_access(uint32_t insn) { return (insn & 0x7F) == kSystemOpcode && (insn >> 12 & 3) != 0; }

// Machine external, software, timer; then local ones, the highest first.
int first_interrupt(uint32_t pending) {
  for (int cause : {11, 3, 7})
    if (pending >> cause & 1) return cause;
  return pending ? 31 - __builtin_clz(pending) : -1;
}

}  // namespace

Comparator::Comparator(const Options& options, Model& model, TraceDevices& devices)
    : options_(options), model_(model), devices_(devices) {
  model_.csr_state(state_seen_);
}

bool Comparator::fail(const char* field, uint32_t expected, uint32_t actual, std::string note) {
  mismatch_ = {field, expected, actual, std::move(note)};
  return false;
}

bool Comparator::check(const Record& record) {
  history_[instructions % kHistory] = record;
  if (instructions++ == 0) {
    expected_order_ = record.word[kOrder];
    first_cycle = record.cycle();
  }
  last_cycle = record.cycle();
  if (record.word[kOrder] != expected_order_)
    return fail("order", expected_order_, record.word[kOrder], "a retired instruction is missing or repeated");
  expected_order_++;

  outcome_.interrupt = -1;
  if (record.interrupt() && !enter_interrupt(record)) return false;
  if (!check_fetch(record)) return false;
  for (unsigned i = 0; i < 32; i++) outcome_.registers[i] = model_.x(i);
  outcome_.mode = model_.mode();

  prepare(record);
  bool trapped = model_.step();
  outcome_.trapped = trapped;
  traps += trapped;
  if (!trapped && record.trap())
    return fail("trap", 0, 1, format("the core trapped with mcause %#x, mtval %#x", record.word[kMcause],
                                     record.word[kMtval]));
  if (trapped && !record.trap())
    return fail("trap", 1, 0,
                format("Spike trapped with mcause %#x, mtval %#x", model_.csr(CSR_MCAUSE), model_.csr(CSR_MTVAL)));
  adopt(record, trapped);
  if (!check_registers(record, trapped)) return false;
  if (!trapped && !check_memory(record)) return false;
  if (record.word[kNextPc] != model_.pc()) return fail("pc_wdata", model_.pc(), record.word[kNextPc]);
  bool system = trapped || record.interrupt() || (outcome_.insn & 0x7F) == kSystemOpcode;
  return check_state(record, system) && check_patience(record);
}

// Which interrupt the core has taken. The handler's first instruction may hide it again by a trap
// or by writing mcause: then the handler's address, or the priorities, tell.
int Comparator::interrupt_cause(const Record& record) const {
  uint32_t cause = record.word[kMcause], tvec = model_.csr(CSR_MTVEC);
  if ((cause >> 31) && !record.trap() && !is_csr_access(record.word[kInsn])) return int(cause & 31);
  uint32_t offset = record.word[kPc] - (tvec & ~3u);
  if ((tvec & 1) && offset < 128) return int(offset / 4);
  if (cause >> 31) return int(cause & 31);
  uint32_t enabled = model_.csr(CSR_MIE);
  int before = first_interrupt(last_mip_ & enabled);
  return before >= 0 ? before : first_interrupt(record.word[kMip] & enabled);
}

bool Comparator::enter_interrupt(const Record& record) {
  int cause = interrupt_cause(record);
  outcome_.interrupt = cause;
  outcome_.interrupted_pc = model_.pc();
  outcome_.interrupted_mode = model_.mode();
  interrupts++;
  if (cause < 0) return fail("intr", 0, 1, "no interrupt is pending and enabled");
  if (!model_.interrupt_enabled(unsigned(cause)))
    return fail("intr", 0, 1, format("the core took interrupt %d, which is disabled", cause));
  // Pending before as well as after, a more urgent one was passed over.
  uint32_t pending = last_mip_ & record.word[kMip] & model_.csr(CSR_MIE);
  int urgent = first_interrupt(pending | 1u << cause);
  if (urgent != cause) return fail("intr", uint32_t(urgent), uint32_t(cause), "wrong priority");
  if (!model_.take_interrupt(unsigned(cause)))
    return fail("intr", 0, 1, format("Spike does not take interrupt %d", cause));
  waiting_ = 0;
  return true;
}

bool Comparator::check_fetch(const Record& record) {
  if (record.word[kPc] != model_.pc()) return fail("pc", model_.pc(), record.word[kPc]);
  if (record.mode() != model_.mode()) return fail("mode", model_.mode(), record.mode());
  outcome_.insn = 0;
  // What a failed fetch brought does not count.
  bool fetched = model_.memory.instruction(record.word[kPc], outcome_.insn);
  bool faulted = record.trap() && record.word[kMcause] <= 1;
  if (fetched && !faulted && record.word[kInsn] != outcome_.insn)
    return fail("insn", outcome_.insn, record.word[kInsn]);
  return true;
}

// Some of what the core did is its own choice: tell Spike before the step.
void Comparator::prepare(const Record& record) {
  devices_.set(record.word[kMemRead]);
  // A reservation may be lost for any reason; keeping one that is lost is wrong.
  bool conditional = (record.word[kInsn] & 0xF800707F) == (0x03u << 27 | 0x202F);
  if (conditional && !record.trap() && record.write_mask() == 0 && record.word[kRdData] == 1) {
    model_.drop_reservation();
    spurious_reservations++;
  }
  uint32_t where = model_.program.tohost;
  if (where && record.read_mask() && (record.word[kMemAddress] & ~3u) - (where & ~63u) < 128 &&
      model_.memory.contains(record.word[kMemAddress] & ~3u, 4))  // the host answers there
    memcpy(model_.memory.at(record.word[kMemAddress] & ~3u), &record.word[kMemRead], 4);
}

// And some after it: counters, pending interrupts.
void Comparator::adopt(const Record& record, bool trapped) {
  uint32_t insn = outcome_.insn;
  if (trapped || !is_csr_access(insn) || !model_.adopted(insn >> 20)) return;
  unsigned rd = insn >> 7 & 31;
  if (rd && record.rd() == rd) model_.set_x(rd, record.word[kRdData]);
}

bool Comparator::check_registers(const Record& record, bool trapped) {
  unsigned rd = record.rd();
  if (trapped && rd) return fail("rd_addr", 0, rd, "an instruction that traps writes no register");
  if (rd == 0 && record.word[kRdData]) return fail("rd_wdata", 0, record.word[kRdData], "x0 is zero");
  for (unsigned i = 1; i < 32; i++)
    if (i != rd && model_.x(i) != outcome_.registers[i])
      return fail("rd_addr", i, rd, format("Spike writes %#x to x%u", model_.x(i), i));
  if (rd && model_.x(rd) != record.word[kRdData])
    return fail("rd_wdata", model_.x(rd), record.word[kRdData], format("register x%u", rd));
  return true;
}

bool Comparator::check_memory(const Record& record) {
  const Access &load = model_.load, &store = model_.store;
  if (load.mask() != record.read_mask()) return fail("mem_rmask", load.mask(), record.read_mask());
  if (store.mask() != record.write_mask()) return fail("mem_wmask", store.mask(), record.write_mask());
  if (!load.done && !store.done) return true;
  uint32_t address = (load.done ? load.address : store.address) & ~3u;
  if (address != record.word[kMemAddress]) return fail("mem_addr", address, record.word[kMemAddress]);
  auto bytes = [](unsigned mask) {
    return (mask & 1 ? 0xFFu : 0) | (mask & 2 ? 0xFF00u : 0) | (mask & 4 ? 0xFF0000u : 0) |
           (mask & 8 ? 0xFF000000u : 0);
  };
  uint32_t lanes = bytes(load.mask());
  if ((load.lanes() ^ record.word[kMemRead]) & lanes)
    return fail("mem_rdata", load.lanes() & lanes, record.word[kMemRead] & lanes);
  lanes = bytes(store.mask());
  if ((store.lanes() ^ record.word[kMemWrite]) & lanes)
    return fail("mem_wdata", store.lanes() & lanes, record.word[kMemWrite] & lanes);
  return true;
}

// Spike's CSRs change by system instructions, traps and interrupts only, so that an ordinary
// instruction needs a look only at the core's.
bool Comparator::check_state(const Record& record, bool system) {
  constexpr unsigned kPending = 5;  // mip follows the lines, which Spike does not see
  const uint32_t* actual = &record.word[kMstatus];
  if (system) model_.csr_state(state_seen_);
  for (unsigned i = 0; i < 8; i++)
    if (i != kPending && actual[i] != state_seen_[i]) return fail(kState[i], state_seen_[i], actual[i]);
  uint32_t stray = actual[kPending] & ~options_.interrupt_mask;
  return stray ? fail("mip", 0, stray, "a bit that is not an interrupt of this core") : true;
}

bool Comparator::check_patience(const Record& record) {
  uint32_t mip = record.word[kMip], enabled = record.word[kMie];
  bool globally = model_.mode() < 3 || (record.word[kMstatus] & MSTATUS_MIE);
  waiting_ = globally && (mip & last_mip_ & enabled) ? waiting_ + 1 : 0;
  last_mip_ = mip;
  if (waiting_ <= options_.patience) return true;
  return fail("intr", 1, 0, format("mip %#x & mie %#x wait for %u instructions", mip, enabled, waiting_));
}

std::string Comparator::describe() const {
  const Record& bad = history_[(instructions - 1) % kHistory];
  std::string text = format("mismatch in %s: Spike 0x%08x, core 0x%08x", mismatch_.field.c_str(),
                            mismatch_.expected, mismatch_.actual);
  if (!mismatch_.note.empty()) text += " (" + mismatch_.note + ")";
  text += format("\n  at instruction %llu, cycle %llu, pc 0x%08x: %s\n",
                 (unsigned long long)(instructions - 1), (unsigned long long)bad.cycle(), bad.word[kPc],
                 model_.disassemble(bad.word[kInsn]).c_str());
  text += "last instructions of the core:\n";
  uint64_t shown = instructions < kHistory ? instructions : kHistory;
  for (uint64_t i = instructions - shown; i < instructions; i++) {
    const Record& r = history_[i % kHistory];
    text += format("  %10llu %c %08x %08x  %-34s", (unsigned long long)r.cycle(), "U?SM"[r.mode()],
                   r.word[kPc], r.word[kInsn], model_.disassemble(r.word[kInsn]).c_str());
    if (r.rd()) text += format(" x%u=%08x", r.rd(), r.word[kRdData]);
    if (r.read_mask()) text += format(" [%08x]/%x->%08x", r.word[kMemAddress], r.read_mask(), r.word[kMemRead]);
    if (r.write_mask()) text += format(" [%08x]/%x<-%08x", r.word[kMemAddress], r.write_mask(), r.word[kMemWrite]);
    if (r.interrupt()) text += " interrupt";
    if (r.trap()) text += format(" trap %u mtval=%08x", r.word[kMcause], r.word[kMtval]);
    text += "\n";
  }
  text += "registers before it:";
  for (unsigned i = 0; i < 32; i++)
    text += format("%s x%-2u %08x", i % 8 ? "" : "\n ", i, outcome_.registers[i]);
  text += "\nCSRs, Spike | core:\n";
  uint32_t state[8];
  model_.csr_state(state);
  for (unsigned i = 0; i < 8; i++)
    text += format("  %-8s %08x | %08x\n", kState[i], state[i], bad.word[kMstatus + i]);
  return text;
}

}  // namespace lockstep
