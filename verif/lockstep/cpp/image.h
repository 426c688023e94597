// Flat memory, and programs loaded into it.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace lockstep {

class Memory {
 public:
  // Base and size of each region, in the order in which an image counts their words.
  explicit Memory(const std::vector<std::pair<uint32_t, uint64_t>>& regions) {
    for (auto& [base, size] : regions) regions_.push_back({base, std::vector<uint8_t>(size)});
  }

  bool contains(uint32_t address, size_t size) const { return find(address, size) != nullptr; }
  uint8_t* at(uint32_t address) {
    const Region* region = find(address, 1);
    return const_cast<uint8_t*>(&region->bytes[address - region->base]);
  }
  // The address of a word of an image.
  bool word_address(uint64_t index, uint32_t& address) const {
    for (auto& region : regions_) {
      if (index < region.bytes.size() / 4) {
        address = uint32_t(region.base + 4 * index);
        return true;
      }
      index -= region.bytes.size() / 4;
    }
    return false;
  }
  uint32_t base() const { return regions_.front().base; }

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

 private:
  struct Region {
    uint32_t base;
    std::vector<uint8_t> bytes;
  };
  const Region* find(uint32_t address, size_t size) const {
    for (auto& region : regions_)
      if (address >= region.base && uint64_t(address) - region.base + size <= region.bytes.size()) return &region;
    return nullptr;
  }

  std::vector<Region> regions_;
};

struct Program {
  uint32_t entry = 0;
  uint32_t tohost = 0;  // 0: none
};

// Load an ELF file (32-bit, little-endian, RISC-V), or words as $readmemh has them; throws
// UsageError.
Program load_program(const std::string& path, Memory& memory);

}  // namespace lockstep
