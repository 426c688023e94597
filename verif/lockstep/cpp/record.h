// One retired instruction, as the simulated top writes it: 20 little-endian words.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstring>

namespace lockstep {

enum Word {
  kFlags, kPc, kInsn, kRdData, kMemAddress, kMemRead, kMemWrite, kNextPc, kCycle,
  kMstatus, kMepc, kMcause, kMtval, kMie, kMip, kMtvec, kMscratch, kOrder, kReserved, kCycleHigh,
  kWords
};

struct Record {
  uint32_t word[kWords];

  bool trap() const { return word[kFlags] & 1; }
  bool interrupt() const { return word[kFlags] >> 1 & 1; }
  bool halt() const { return word[kFlags] >> 2 & 1; }
  unsigned mode() const { return word[kFlags] >> 3 & 3; }
  unsigned read_mask() const { return word[kFlags] >> 8 & 15; }
  unsigned write_mask() const { return word[kFlags] >> 12 & 15; }
  unsigned rd() const { return word[kFlags] >> 16 & 31; }
  uint64_t cycle() const { return uint64_t(word[kCycleHigh]) << 32 | word[kCycle]; }

  void set_flags(bool trap, bool interrupt, unsigned mode, unsigned read_mask, unsigned write_mask,
                 unsigned rd) {
    word[kFlags] = unsigned(trap) | unsigned(interrupt) << 1 | mode << 3 | read_mask << 8 |
                   write_mask << 12 | rd << 16;
  }
};

static_assert(sizeof(Record) == 80, "a record is 80 bytes");

// Records from a file or FIFO. The stream may end anywhere; `torn()` says whether inside a record.
class RecordReader {
 public:
  explicit RecordReader(FILE* file) : file_(file) {}

  const Record* next() {
    if (position_ == count_) {
      if (!fill()) return nullptr;
    }
    return &buffer_[position_++];
  }

  bool torn() const { return torn_; }

 private:
  bool fill() {
    // A short read of a FIFO is an ordinary event: keep what is left of a record for the next.
    size_t bytes = 0;
    while (bytes < sizeof(Record)) {
      size_t got = fread(reinterpret_cast<char*>(buffer_) + bytes, 1,
                         bytes ? sizeof(Record) - bytes : sizeof(buffer_), file_);
      if (got == 0) {
        torn_ = torn_ || bytes != 0;
        return false;
      }
      bytes += got;
      if (bytes % sizeof(Record) && bytes > sizeof(Record)) {
        size_t missing = sizeof(Record) - bytes % sizeof(Record);
        size_t rest = fread(reinterpret_cast<char*>(buffer_) + bytes, 1, missing, file_);
        bytes += rest;
        torn_ = rest != missing;
      }
    }
    position_ = 0;
    count_ = bytes / sizeof(Record);
    return true;
  }

  static constexpr size_t kCapacity = 1024;
  FILE* file_;
  Record buffer_[kCapacity];
  size_t position_ = 0, count_ = 0;
  bool torn_ = false;
};

}  // namespace lockstep
