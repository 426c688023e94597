// Spike as the reference: one hart, flat memory, no device tree, one instruction at a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "image.h"
#include "options.h"
#include "riscv/cfg.h"
#include "riscv/disasm.h"
#include "riscv/mmu.h"
#include "riscv/processor.h"
#include "riscv/simif.h"

namespace lockstep {

// One data access of an instruction.
struct Access {
  bool done = false;
  uint32_t address = 0;
  unsigned size = 0;
  uint32_t data = 0;

  unsigned mask() const { return done ? ((1u << size) - 1) << (address & 3) : 0; }
  uint32_t lanes() const { return data << 8 * (address & 3); }
};

// What is beyond memory. The default map is that of the simulation harness.
class Devices {
 public:
  virtual ~Devices() = default;
  virtual bool load(uint32_t address, unsigned size, uint32_t& data) = 0;
  virtual bool store(uint32_t address, unsigned size, uint32_t data) = 0;

  static bool mapped(uint32_t address);
};

// A trap CSR that knows how often it was written: a trap writes mcause and mtval together.
class CountedCsr : public csr_t {
 public:
  CountedCsr(processor_t* proc, reg_t address, uint32_t mask, uint32_t value)
      : csr_t(proc, address), mask_(mask), value_(value) {}
  reg_t read() const noexcept override { return value_; }
  unsigned writes = 0;

 protected:
  bool unlogged_write(const reg_t value) noexcept override {
    value_ = (value_ & ~mask_) | (uint32_t(value) & mask_);
    writes++;
    return true;
  }

 private:
  const uint32_t mask_;
  uint32_t value_;
};

class Model : public simif_t {
 public:
  Model(const Options& options, Devices& devices);
  ~Model() override;

  // Do one instruction. Returns whether it trapped; its accesses are in `load` and `store`.
  bool step();

  // Whether an interrupt of this cause would be taken now.
  bool interrupt_enabled(unsigned cause) const;
  // Enter the handler of an interrupt that is enabled. Returns whether that happened.
  bool take_interrupt(unsigned cause);

  uint32_t pc() const { return uint32_t(state_->pc); }
  unsigned mode() const { return unsigned(state_->prv); }
  uint32_t x(unsigned number) const { return uint32_t(state_->XPR[number]); }
  void set_x(unsigned number, uint32_t value) { state_->XPR.write(number, sreg_t(int32_t(value))); }
  // mstatus, mepc, mcause, mtval, mie, mip, mtvec, mscratch: the order of a record.
  void csr_state(uint32_t (&state)[8]) const;
  uint32_t csr(unsigned address) const;
  bool adopted(unsigned csr) const { return adopted_[csr & 0xFFF]; }
  void drop_reservation() { processor_->get_mmu()->yield_load_reservation(); }
  void set_pending(uint32_t mask) { state_->mip->backdoor_write_with_mask(~reg_t(0), mask); }
  std::string disassemble(uint32_t insn) const;

  Memory memory;
  Program program;
  Access load, store;

  // simif_t
  char* addr_to_mem(reg_t) override { return nullptr; }  // every access is to be seen
  bool reservable(reg_t address) override { return memory.contains(uint32_t(address), 1); }
  bool mmio_fetch(reg_t address, size_t size, uint8_t* bytes) override;
  bool mmio_load(reg_t address, size_t size, uint8_t* bytes) override;
  bool mmio_store(reg_t address, size_t size, const uint8_t* bytes) override;
  void proc_reset(unsigned) override {}
  const cfg_t& get_cfg() const override { return config_; }
  const std::map<size_t, processor_t*>& get_harts() const override { return harts_; }
  const char* get_symbol(uint64_t) override { return nullptr; }

 private:
  void apply(const std::vector<CsrRule>& rules);
  void count_trap_csrs(const std::vector<CsrRule>& rules);

  const Options& options_;
  Devices& devices_;
  cfg_t config_;
  std::map<size_t, processor_t*> harts_;
  std::unique_ptr<processor_t> processor_;
  state_t* state_;
  std::shared_ptr<CountedCsr> cause_, value_;
  std::vector<bool> adopted_;
};

}  // namespace lockstep
