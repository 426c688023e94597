#include "reference.h"

namespace lockstep {
namespace {

constexpr uint32_t kClint = 0x02000000, kCompare = kClint + 0x4000, kTime = kClint + 0xBFF8;
constexpr uint32_t kTest = 0x10000000;

}  // namespace

bool PlatformDevices::load(uint32_t address, unsigned size, uint32_t& data) {
  uint32_t word = 0;
  switch (address & ~3u) {
    case kClint: word = software_; break;
    case kCompare: word = uint32_t(compare_); break;
    case kCompare + 4: word = uint32_t(compare_ >> 32); break;
    case kTime: word = uint32_t(cycle); break;
    case kTime + 4: word = uint32_t(cycle >> 32); break;
    case kTest + 8: word = uint32_t(cycle); break;
    default: break;
  }
  data = word >> 8 * (address & 3);
  if (size < 4) data &= (1u << 8 * size) - 1;
  return true;
}

bool PlatformDevices::store(uint32_t address, unsigned size, uint32_t data) {
  if (size != 4 && address != kTest) return true;
  switch (address) {
    case kClint: software_ = data & 1; break;
    case kCompare: compare_ = (compare_ & ~0xFFFFFFFFull) | data; break;
    case kCompare + 4: compare_ = uint64_t(data) << 32 | uint32_t(compare_); break;
    case kTest: console += char(data); break;
    case kTest + 4: ended = true, code = data; break;
    case kTest + 0x10: raised_ = data; break;
    case kTest + 0x14: later_.emplace(cycle + (data >> 16), 1u << (data & 31)); break;
    default: break;
  }
  return true;
}

void PlatformDevices::advance() {
  cycle++;
  while (!later_.empty() && later_.begin()->first <= cycle) {
    raised_ |= later_.begin()->second;
    later_.erase(later_.begin());
  }
}

uint32_t PlatformDevices::lines() const {
  return raised_ | software_ << 3 | (cycle >= compare_ ? 1u << 7 : 0);
}

Reference::Reference(const Options& options, Model& model, PlatformDevices& devices)
    : options_(options), model_(model), devices_(devices), decoder_(options.table) {}

bool Reference::ended(const Access& store) {
  return devices_.ended || (store.done && model_.program.tohost && store.address == model_.program.tohost &&
                            (store.data & 1));
}

bool Reference::step(Record& record) {
  if (ended(model_.store)) return false;
  memset(&record, 0, sizeof record);
  devices_.advance();
  uint32_t pending = devices_.lines() & options_.interrupt_mask;
  bool interrupted = false;
  uint32_t candidates = pending & model_.csr(CSR_MIE);
  for (unsigned cause : {11u, 3u, 7u, 31u, 30u, 29u, 28u, 27u, 26u, 25u, 24u, 23u, 22u, 21u, 20u, 19u, 18u, 17u, 16u})
    if (!interrupted && (candidates >> cause & 1)) interrupted = model_.take_interrupt(cause);
  uint32_t insn = 0;
  bool fetched = model_.memory.instruction(model_.pc(), insn);
  record.word[kPc] = model_.pc();
  record.word[kInsn] = insn;
  unsigned mode = model_.mode();
  bool trapped = model_.step();
  const Decoded& decoded = decoder_.decode(insn);
  unsigned rd = fetched && !trapped && decoded.rd > 0 ? unsigned(decoded.rd) : 0;
  if (rd && (insn & 0x7F) == 0x73 && (insn >> 20) == CSR_MIP) model_.set_x(rd, pending);
  record.set_flags(trapped, interrupted, mode, trapped ? 0 : model_.load.mask(),
                   trapped ? 0 : model_.store.mask(), rd);
  record.word[kRdData] = rd ? model_.x(rd) : 0;
  const Access& access = model_.load.done ? model_.load : model_.store;
  if (access.done && !trapped) record.word[kMemAddress] = access.address & ~3u;
  if (model_.load.done) record.word[kMemRead] = model_.load.lanes();
  if (model_.store.done) record.word[kMemWrite] = model_.store.lanes();
  record.word[kNextPc] = model_.pc();
  uint32_t state[8];
  model_.csr_state(state);
  memcpy(&record.word[kMstatus], state, sizeof state);
  record.word[kMip] = pending;
  record.word[kOrder] = order_++;
  record.word[kCycle] = uint32_t(devices_.cycle);
  record.word[kCycleHigh] = uint32_t(devices_.cycle >> 32);
  return true;
}

}  // namespace lockstep
