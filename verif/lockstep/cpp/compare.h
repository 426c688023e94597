// The core's trace against Spike, instruction by instruction.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "model.h"
#include "record.h"

namespace lockstep {

// What reading a device returned is what the core saw.
class TraceDevices : public Devices {
 public:
  void set(uint32_t word) { word_ = word; }
  bool load(uint32_t address, unsigned size, uint32_t& data) override {
    data = word_ >> 8 * (address & 3);
    if (size < 4) data &= (1u << 8 * size) - 1;
    return true;
  }
  bool store(uint32_t, unsigned, uint32_t) override { return true; }

 private:
  uint32_t word_ = 0;
};

struct Mismatch {
  std::string field;  // empty: none
  uint32_t expected = 0, actual = 0;
  std::string note;
};

// How an instruction came out, for coverage.
struct Outcome {
  bool trapped = false;
  int interrupt = -1;         // its cause, when a handler begins here
  uint32_t interrupted_pc = 0;
  unsigned interrupted_mode = 3;
  unsigned mode = 3;          // in which it ran
  uint32_t insn = 0;          // from memory; 0 where there is none
  uint32_t registers[32];     // before
};

class Comparator {
 public:
  Comparator(const Options& options, Model& model, TraceDevices& devices);

  // Do in Spike what the record says that the core did. Returns whether they agree.
  bool check(const Record& record);

  const Mismatch& mismatch() const { return mismatch_; }
  const Outcome& outcome() const { return outcome_; }
  std::string describe() const;  // the mismatch, for people

  uint64_t instructions = 0, traps = 0, interrupts = 0, first_cycle = 0, last_cycle = 0;
  uint64_t spurious_reservations = 0;

 private:
  bool fail(const char* field, uint32_t expected, uint32_t actual, std::string note = "");
  bool enter_interrupt(const Record& record);
  bool check_fetch(const Record& record);
  bool check_registers(const Record& record, bool trapped);
  bool check_memory(const Record& record);
  bool check_state(const Record& record, bool system);
  bool check_patience(const Record& record);
  void prepare(const Record& record);
  void adopt(const Record& record, bool trapped);
  int interrupt_cause(const Record& record) const;

  static constexpr unsigned kHistory = 20;
  const Options& options_;
  Model& model_;
  TraceDevices& devices_;
  Mismatch mismatch_;
  Outcome outcome_;
  std::array<Record, kHistory> history_;
  uint32_t expected_order_ = 0;
  uint32_t state_seen_[8] = {};
  uint32_t last_mip_ = 0;
  unsigned waiting_ = 0;
};

}  // namespace lockstep
