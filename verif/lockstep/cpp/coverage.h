// Functional coverage of a run: counters by name. What they should reach is said elsewhere.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compare.h"
#include "decode.h"

namespace lockstep {

// Counters over a product of small axes.
class Cross {
 public:
  Cross(std::string name, std::vector<std::vector<std::string>> axes);
  template <typename... Index>
  void hit(Index... index) {
    size_t position = 0, axis = 0;
    ((position = position * axes_[axis++].size() + size_t(index)), ...);
    hits_[position]++;
  }
  void write(std::ostream& out) const;

 private:
  std::string name_;
  std::vector<std::vector<std::string>> axes_;
  std::vector<uint64_t> hits_;
};

class Coverage {
 public:
  explicit Coverage(const std::string& table);
  void sample(const Record& record, const Outcome& outcome, Model& model);
  void write(const std::string& path) const;

 private:
  struct Past {  // an instruction that has retired
    int rd = -1;
    unsigned group = 0;
    uint32_t store = 1;  // word that it wrote; 1: none
  };

  void sample_operands(const Decoded& decoded, const Outcome& outcome);
  void sample_hazards(const Decoded& decoded, unsigned group);
  void sample_control(const Record& record, const Decoded& decoded, const Outcome& outcome);
  void sample_memory(const Record& record, const Decoded& decoded, const Outcome& outcome, Model& model);
  void sample_system(const Record& record, const Decoded& decoded, const Outcome& outcome, Model& model);
  void sample_interrupt(const Outcome& outcome, Model& model);
  unsigned group_of(const Decoded& decoded) const;

  Decoder decoder_;
  std::vector<std::string> groups_, names_;
  Cross instruction_, operands_, registers_, shifts_, immediates_, hazards_, sequence_, branches_, jumps_,
      alignment_, memory_, aliasing_, traps_, nesting_, interrupts_at_, interrupts_after_, modes_, modified_;
  std::vector<std::pair<std::string, uint64_t>> csrs_;
  std::vector<uint32_t> csr_hits_;
  Past past_[3];
  unsigned last_size_ = 4, last_mode_ = 3, depth_ = 0;
  std::vector<uint8_t> stored_;  // recently stored words, hashed, since the last fence.i and before it
};

}  // namespace lockstep
