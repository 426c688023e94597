#include "decode.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "options.h"

namespace lockstep {
namespace {

constexpr unsigned kSlots = 1 << 14;

int field(char source, uint32_t insn) {
  switch (source) {
    case 'd': return int(insn >> 7 & 31);
    case 's': return int(insn >> 15 & 31);
    case 't': return int(insn >> 20 & 31);
    case 'c': return int(insn >> 2 & 31);
    case 'p': return int(8 + (insn >> 2 & 7));
    case 'q': return int(8 + (insn >> 7 & 7));
    case '1': return 1;
    case '2': return 2;
    default: return -1;
  }
}

int32_t immediate(char kind, uint32_t insn) {
  int32_t word = int32_t(insn);
  switch (kind) {
    case 'I': return word >> 20;
    case 'S': return (word >> 25) << 5 | int32_t(insn >> 7 & 31);
    case 'B':
      return (word >> 31) << 12 | int32_t((insn >> 7 & 1) << 11 | (insn >> 25 & 63) << 5 | (insn >> 8 & 15) << 1);
    case 'U': return int32_t(insn & 0xFFFFF000);
    case 'J':
      return (word >> 31) << 20 |
             int32_t((insn >> 12 & 0xFF) << 12 | (insn >> 20 & 1) << 11 | (insn >> 21 & 0x3FF) << 1);
    case 'H': return int32_t(insn >> 20 & 31);
    case 'C':
    case 'Z': return int32_t(insn >> 20);
    default: return 0;
  }
}

}  // namespace

Decoder::Decoder(const std::string& path) : slots_(kSlots) {
  std::ifstream stream(path);
  if (!stream) throw UsageError(path + ": cannot be read");
  std::string line;
  while (std::getline(stream, line)) {
    std::istringstream words(line);
    Entry entry;
    std::string match, mask, fields, kind;
    if (!(words >> entry.name >> entry.group >> match >> mask >> fields >> kind) || fields.size() != 3)
      throw UsageError(path + ": not an instruction: '" + line + "'");
    entry.match = uint32_t(std::stoul(match, nullptr, 16));
    entry.mask = uint32_t(std::stoul(mask, nullptr, 16));
    entry.rd = fields[0], entry.rs1 = fields[1], entry.rs2 = fields[2], entry.immediate = kind[0];
    auto group = std::find(groups_.begin(), groups_.end(), entry.group);
    entry.group_index = unsigned(group - groups_.begin());
    if (group == groups_.end()) groups_.push_back(entry.group);
    entry.index = unsigned(entries_.size());
    entries_.push_back(entry);
  }
}

Decoded Decoder::find(uint32_t insn) const {
  Decoded decoded;
  decoded.size = (insn & 3) == 3 ? 4 : 2;
  for (auto& entry : entries_) {
    if ((insn & entry.mask) != entry.match) continue;
    if (entry.group == "illegal") break;
    decoded.entry = &entry;
    decoded.rd = field(entry.rd, insn);
    decoded.rs1 = field(entry.rs1, insn);
    decoded.rs2 = field(entry.rs2, insn);
    decoded.immediate = immediate(entry.immediate, insn);
    break;
  }
  return decoded;
}

const Decoded& Decoder::decode(uint32_t insn) {
  Slot& slot = slots_[(insn ^ insn >> 13 ^ insn >> 22) % kSlots];
  if (!slot.valid || slot.insn != insn) {
    slot.insn = insn;
    slot.valid = true;
    slot.decoded = find(insn);
  }
  return slot.decoded;
}

}  // namespace lockstep
