// Spike alone with the harness's devices, writing a trace as the simulated top would.
#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <string>

#include "decode.h"
#include "model.h"
#include "record.h"

namespace lockstep {

// Interrupt controller and test device of the simulation harness; a cycle is an instruction.
class PlatformDevices : public Devices {
 public:
  bool load(uint32_t address, unsigned size, uint32_t& data) override;
  bool store(uint32_t address, unsigned size, uint32_t data) override;
  void advance();
  uint32_t lines() const;

  uint64_t cycle = 0;
  bool ended = false;
  uint32_t code = 0;
  std::string console;

 private:
  uint32_t software_ = 0, raised_ = 0;
  uint64_t compare_ = ~0ull;
  std::multimap<uint64_t, uint32_t> later_;
};

class Reference {
 public:
  Reference(const Options& options, Model& model, PlatformDevices& devices);

  // Do one instruction and fill in the record. Returns false when the program has ended.
  bool step(Record& record);

 private:
  bool ended(const Access& store);

  const Options& options_;
  Model& model_;
  PlatformDevices& devices_;
  Decoder decoder_;
  uint32_t order_ = 0;
};

}  // namespace lockstep
