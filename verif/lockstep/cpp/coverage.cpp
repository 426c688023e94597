#include "coverage.h"

#include <algorithm>
#include <fstream>
#include <ostream>

namespace lockstep {
namespace {

using Names = std::vector<std::string>;

const Names kValues = {"zero", "one", "minus_one", "max", "min", "positive", "negative"};
const Names kOverlap = {"distinct", "rd_rs1", "rd_rs2", "rs1_rs2", "all_same", "rd_x0"};
const Names kAmounts = {"0", "1", "31", "other"};
const Names kImmediates = {"zero", "max", "min", "positive", "negative"};
const Names kDistances = {"1", "2", "3"};
const Names kOperand = {"rs1", "rs2"};
const Names kTaken = {"not_taken", "taken"};
const Names kDirection = {"backward", "forward"};
const Names kHalf = {"word", "half"};  // alignment of an address to 4
const Names kLink = {"x0", "ra", "t0", "other"};
const Names kSize = {"2", "4"};
const Names kOffset = {"0", "1", "2", "3"};
const Names kFault = {"done", "misaligned", "fault"};
const Names kRegion = {"memory", "device", "unmapped"};
const Names kMode = {"U", "M"};
const Names kOperation = {"write", "set", "clear", "read_set", "read_clear"};
const Names kAllowed = {"done", "illegal"};
const Names kDepth = {"1", "2", "3"};

Names numbers(unsigned count) {
  Names names;
  for (unsigned i = 0; i < count; i++) names.push_back(std::to_string(i));
  return names;
}

unsigned value_class(uint32_t value) {
  switch (value) {
    case 0: return 0;
    case 1: return 1;
    case 0xFFFFFFFF: return 2;
    case 0x7FFFFFFF: return 3;
    case 0x80000000: return 4;
    default: return value >> 31 ? 6 : 5;
  }
}

unsigned link_class(int rd) { return rd == 0 ? 0 : rd == 1 ? 1 : rd == 5 ? 2 : 3; }

constexpr unsigned kStored = 1 << 16;

}  // namespace

Cross::Cross(std::string name, std::vector<Names> axes) : name_(std::move(name)), axes_(std::move(axes)) {
  size_t size = 1;
  for (auto& axis : axes_) size *= axis.size();
  hits_.resize(size);
}

void Cross::write(std::ostream& out) const {
  out << '"' << name_ << "\": {";
  bool first = true;
  for (size_t i = 0; i < hits_.size(); i++) {
    if (!hits_[i]) continue;
    std::string bin;
    size_t rest = i;
    for (size_t axis = axes_.size(); axis-- > 0;) {
      auto& names = axes_[axis];
      bin = names[rest % names.size()] + (bin.empty() ? "" : "*" + bin);
      rest /= names.size();
    }
    out << (first ? "\"" : ", \"") << bin << "\": " << hits_[i];
    first = false;
  }
  out << "}";
}

Coverage::Coverage(const std::string& table)
    : decoder_(table),
      groups_([this] {
        Names names = decoder_.groups();
        names.erase(std::remove(names.begin(), names.end(), "illegal"), names.end());
        names.push_back("illegal");  // group_of() relies on its being the last
        return names;
      }()),
      names_([this] {
        Names names;
        for (auto& entry : decoder_.entries()) names.push_back(entry.name);
        return names;
      }()),
      instruction_("instruction", {names_}),
      operands_("operands", {names_, kValues, kValues}),
      registers_("registers", {names_, kOverlap}),
      shifts_("shift_amount", {names_, kAmounts}),
      immediates_("immediate", {names_, kImmediates}),
      hazards_("hazard", {groups_, groups_, kOperand, kDistances}),
      sequence_("sequence", {groups_, groups_}),
      branches_("branch", {names_, kTaken, kDirection, kHalf}),
      jumps_("jump", {names_, kLink, kHalf}),
      alignment_("alignment", {kSize, kSize, kHalf}),
      memory_("memory", {names_, kOffset, kFault, kRegion}),
      aliasing_("store_to_load", {names_, kDistances}),
      traps_("trap", {numbers(16), groups_, kMode}),
      nesting_("nesting", {kDepth}),
      interrupts_at_("interrupt_at", {numbers(32), groups_, kMode}),
      interrupts_after_("interrupt_after", {numbers(32), groups_}),
      modes_("mode_change", {kMode, kMode}),
      modified_("self_modified", {kSize}),
      csr_hits_(4096 * 5 * 2 * 2),
      stored_(kStored) {}

unsigned Coverage::group_of(const Decoded& decoded) const {
  if (!decoded.entry) return unsigned(groups_.size() - 1);
  return unsigned(std::find(groups_.begin(), groups_.end(), decoded.entry->group) - groups_.begin());
}

void Coverage::sample(const Record& record, const Outcome& outcome, Model& model) {
  const Decoded& decoded = decoder_.decode(outcome.insn);
  unsigned group = group_of(decoded);
  if (outcome.interrupt >= 0) sample_interrupt(outcome, model);
  if (outcome.trapped) {
    sample_system(record, decoded, outcome, model);
  } else if (decoded.entry) {
    instruction_.hit(decoded.entry->index);
    sample_operands(decoded, outcome);
    sample_control(record, decoded, outcome);
    if (decoded.entry->group == "csr" || decoded.entry->group == "system")
      sample_system(record, decoded, outcome, model);
    size_t word = record.word[kPc] / 4 % kStored;
    if (stored_[word] == 2) modified_.hit(decoded.size / 4), stored_[word] = 0;
    if (decoded.entry->name == "fence.i")
      for (auto& state : stored_) state = state ? 2 : 0;
  }
  if (decoded.entry) {
    sample_hazards(decoded, group);
    if (record.read_mask() | record.write_mask() || outcome.trapped) sample_memory(record, decoded, outcome, model);
  }
  sequence_.hit(past_[0].group, group);
  alignment_.hit(last_size_ / 4, decoded.size / 4, (record.word[kPc] >> 1) & 1);
  if (outcome.mode != last_mode_) modes_.hit(last_mode_ == 3, outcome.mode == 3);
  last_mode_ = outcome.mode;
  last_size_ = decoded.size;
  past_[2] = past_[1];
  past_[1] = past_[0];
  past_[0] = {outcome.trapped ? -1 : decoded.rd, group,
              record.write_mask() ? record.word[kMemAddress] : 1};
}

void Coverage::sample_operands(const Decoded& decoded, const Outcome& outcome) {
  unsigned index = decoded.entry->index;
  int rd = decoded.rd, rs1 = decoded.rs1, rs2 = decoded.rs2;
  if (rs1 >= 0) {
    unsigned first = value_class(outcome.registers[rs1]);
    operands_.hit(index, first, rs2 >= 0 ? value_class(outcome.registers[rs2]) : 0u);
  }
  if (rd >= 0) {
    unsigned overlap = rd == 0 ? 5 : rd == rs1 && rd == rs2 ? 4 : rd == rs1 ? 1 : rd == rs2 ? 2
                       : rs1 >= 0 && rs1 == rs2 ? 3 : 0;
    registers_.hit(index, overlap);
  }
  int32_t immediate = decoded.immediate;
  char kind = decoded.entry->immediate;
  if (kind == 'H') shifts_.hit(index, immediate == 0 ? 0 : immediate == 1 ? 1 : immediate == 31 ? 2 : 3);
  if (kind == 'I' || kind == 'S')
    immediates_.hit(index, immediate == 0 ? 0 : immediate == 2047 ? 1 : immediate == -2048 ? 2
                                                     : immediate > 0 ? 3 : 4);
}

void Coverage::sample_hazards(const Decoded& decoded, unsigned group) {
  int sources[2] = {decoded.rs1, decoded.rs2};
  for (unsigned operand = 0; operand < 2; operand++) {
    if (sources[operand] <= 0) continue;
    for (unsigned distance = 0; distance < 3; distance++) {
      if (past_[distance].rd != sources[operand]) continue;
      hazards_.hit(past_[distance].group, group, operand, distance);
      break;  // the youngest writer counts
    }
  }
}

void Coverage::sample_control(const Record& record, const Decoded& decoded, const Outcome&) {
  const Entry& entry = *decoded.entry;
  uint32_t pc = record.word[kPc], next = record.word[kNextPc];
  bool half = pc & 2;
  if (entry.group == "branch") {
    bool taken = next != pc + decoded.size;
    branches_.hit(entry.index, taken, taken ? next > pc : decoded.immediate > 0, half);
  } else if (entry.group == "jump" || entry.group == "jumpr") {
    jumps_.hit(entry.index, link_class(decoded.rd < 0 ? 0 : decoded.rd), (next >> 1) & 1);
  }
}

void Coverage::sample_memory(const Record& record, const Decoded& decoded, const Outcome& outcome,
                             Model& model) {
  const Entry& entry = *decoded.entry;
  if (entry.group != "load" && entry.group != "store" && entry.group != "amo") return;
  uint32_t address = record.word[kMemAddress], offset = 0;
  unsigned fault = 0, mask = record.read_mask() | record.write_mask();
  if (outcome.trapped) {
    uint32_t cause = record.word[kMcause];
    if (cause < 4 || cause > 7) return;
    fault = cause == 4 || cause == 6 ? 1 : 2;
    address = record.word[kMtval];
    offset = address & 3;
  } else if (mask) {
    offset = unsigned(__builtin_ctz(mask));
  }
  bool ram = model.memory.contains(address, 1);
  memory_.hit(entry.index, offset, fault, ram ? 0 : Devices::mapped(address) ? 1 : 2);
  if (outcome.trapped) return;
  if (record.write_mask()) stored_[address / 4 % kStored] = 1;
  for (unsigned distance = 0; distance < 3 && record.read_mask(); distance++)
    if (past_[distance].store == address) {
      aliasing_.hit(entry.index, distance);
      break;
    }
}

void Coverage::sample_system(const Record& record, const Decoded& decoded, const Outcome& outcome, Model&) {
  bool machine = outcome.mode == 3;
  if (decoded.entry && decoded.entry->group == "csr") {
    bool illegal = outcome.trapped && record.word[kMcause] == 2;
    unsigned operation = (outcome.insn >> 12 & 3) - 1;
    if (operation && (outcome.insn >> 15 & 31) == 0) operation += 2;
    csr_hits_[(((outcome.insn >> 20) * 5 + operation) * 2 + machine) * 2 + illegal]++;
  }
  if (outcome.trapped) {
    uint32_t cause = record.word[kMcause] & 15;
    traps_.hit(cause, cause == 1 ? unsigned(groups_.size() - 1) : group_of(decoded), machine);
    if (depth_ < 3) depth_++;
    nesting_.hit(depth_ - 1);
  } else if (decoded.entry && decoded.entry->name == "mret" && depth_) {
    depth_--;
  }
}

void Coverage::sample_interrupt(const Outcome& outcome, Model& model) {
  uint32_t insn = 0;
  model.memory.instruction(outcome.interrupted_pc, insn);
  unsigned at = group_of(decoder_.decode(insn));
  unsigned cause = unsigned(outcome.interrupt);
  interrupts_at_.hit(cause, at, outcome.interrupted_mode == 3);
  interrupts_after_.hit(cause, past_[0].group);
  if (depth_ < 3) depth_++;
  nesting_.hit(depth_ - 1);
}

void Coverage::write(const std::string& path) const {
  std::ofstream out(path);
  out << "{";
  for (const Cross* cross :
       {&instruction_, &operands_, &registers_, &shifts_, &immediates_, &hazards_, &sequence_, &branches_,
        &jumps_, &alignment_, &memory_, &aliasing_, &traps_, &nesting_, &interrupts_at_, &interrupts_after_,
        &modes_, &modified_}) {
    cross->write(out);
    out << ",\n";
  }
  out << "\"csr\": {";
  bool first = true;
  for (unsigned i = 0; i < csr_hits_.size(); i++) {
    if (!csr_hits_[i]) continue;
    char address[16];
    snprintf(address, sizeof address, "%#05x", i / 20);
    out << (first ? "\"" : ", \"") << address << "*" << kOperation[i / 4 % 5] << "*" << kMode[i / 2 % 2] << "*"
        << kAllowed[i % 2] << "\": " << csr_hits_[i];
    first = false;
  }
  out << "}}\n";
  if (!out) throw UsageError(path + ": cannot be written");
}

}  // namespace lockstep
