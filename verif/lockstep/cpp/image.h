// Flat memory, and programs loaded into it.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace lockstep {

class Memory {
 public:
  Memory(uint32_t base, uint32_t size) : base_(base), bytes_(size) {}

  bool contains(uint32_t address, size_t size) const {
    uint64_t offset = uint64_t(address) - base_;
    return address >= base_ && offset + size <= bytes_.size();
  }
  uint8_t* at(uint32_t address) { return &bytes_[address - base_]; }

  // The instruction at an address: two or four bytes, none where there is no memory.
  bool instruction(uint32_t pc, uint32_t& word) {
    if (!contains(pc, 2)) return false;
    uint16_t low, high = 0;
    memcpy(&low, at(pc), 2);
    if ((low & 3) == 3) {
      if (!contains(pc + 2, 2)) return false;
      memcpy(&high, at(pc + 2), 2);
    }
    word = uint32_t(high) << 16 | low;
    return true;
  }

  uint32_t aligned_word(uint32_t address) {
    uint32_t word;
    memcpy(&word, at(address & ~3u), 4);
    return word;
  }

 private:
  uint32_t base_;
  std::vector<uint8_t> bytes_;
};

struct Program {
  uint32_t entry = 0;
  uint32_t tohost = 0;  // 0: none
};

// Load an ELF file (32-bit, little-endian, RISC-V), or words as $readmemh has them, counted from
// `base`; throws UsageError.
Program load_program(const std::string& path, Memory& memory, uint32_t base);

}  // namespace lockstep
