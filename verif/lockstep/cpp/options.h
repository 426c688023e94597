// What the command line says.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace lockstep {

// A wrong command line, program or table: exit code 2.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// How the core's CSR at an address differs from Spike's.
struct CsrRule {
  enum Kind {
    kKeep,    // as Spike has it
    kConst,   // reads as `value`, ignores writes
    kMasked,  // `mask` bits are writable, the others read as in `value`
    kVector,  // mtvec: the table of the vectored mode is aligned to `value` bytes
    kAdopt,   // as Spike has it, but what a read returned is taken from the trace
  };
  uint32_t address = 0;
  Kind kind = kKeep;
  uint32_t value = 0, mask = 0;
};

struct Options {
  std::string isa = "rv32imc_zicsr_zifencei_zicntr";
  std::string privileges = "m";
  std::string image;
  std::string trace;      // compare with it
  std::string emit;       // or write what Spike itself does
  std::string coverage;   // counters, JSON
  std::string report;     // the result, JSON
  std::string table;      // instructions, for coverage and for `emit`
  std::vector<std::pair<uint32_t, uint64_t>> memory;  // 4 MiB at 8000_0000 where none is given
  uint32_t tohost = 0;    // instead of the program's symbol
  std::vector<std::string> simulator;  // start it, and compare with the trace that it is told to write
  bool have_pc = false;
  uint32_t pc = 0;
  unsigned pmp_regions = 0;
  uint32_t interrupt_mask = 0x888;  // writable bits of mie
  std::vector<CsrRule> csrs;        // when not empty: there are no other CSRs
  uint64_t limit = 0;               // instructions, 0 for no limit
  unsigned patience = 64;           // instructions that may retire while an interrupt waits
};

Options parse_options(int argc, char** argv);

}  // namespace lockstep
