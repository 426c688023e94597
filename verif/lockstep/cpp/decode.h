// Which instruction a word is: from the table that the generator uses, too.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lockstep {

struct Entry {
  std::string name, group;
  uint32_t match = 0, mask = 0;
  char rd = '-', rs1 = '-', rs2 = '-', immediate = '-';
  unsigned index = 0, group_index = 0;
  bool is_group(const char* name_of_group) const { return group == name_of_group; }
};

struct Decoded {
  const Entry* entry = nullptr;  // none: illegal
  int rd = -1, rs1 = -1, rs2 = -1;
  int32_t immediate = 0;
  unsigned size = 4;
};

class Decoder {
 public:
  explicit Decoder(const std::string& path);
  const Decoded& decode(uint32_t insn);
  const std::vector<Entry>& entries() const { return entries_; }
  const std::vector<std::string>& groups() const { return groups_; }

 private:
  struct Slot {
    uint32_t insn = 0;
    bool valid = false;
    Decoded decoded;
  };
  Decoded find(uint32_t insn) const;

  std::vector<Entry> entries_;
  std::vector<std::string> groups_;
  std::vector<Slot> slots_;
};

}  // namespace lockstep
