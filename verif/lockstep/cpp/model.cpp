#include "model.h"

#include <iostream>

namespace lockstep {
namespace {

constexpr reg_t kInhibitRetired = 4;  // mcountinhibit.IR

// mie with the local interrupts, which Spike lacks.
class WideMie : public mie_csr_t {
 public:
  WideMie(processor_t* proc, uint32_t mask) : mie_csr_t(proc, CSR_MIE), mask_(mask) {}

 private:
  reg_t write_mask() const noexcept override { return mask_; }
  const uint32_t mask_;
};

// A register with some writable bits.
class MaskedCsr : public csr_t {
 public:
  MaskedCsr(processor_t* proc, reg_t address, uint32_t mask, uint32_t value)
      : csr_t(proc, address), mask_(mask), value_(value) {}
  reg_t read() const noexcept override { return value_; }

 protected:
  bool unlogged_write(const reg_t value) noexcept override {
    value_ = (value_ & ~mask_) | (uint32_t(value) & mask_);
    return true;
  }

 private:
  const uint32_t mask_;
  uint32_t value_;
};

// mtvec: direct, or vectored with an aligned table.
class VectorCsr : public csr_t {
 public:
  VectorCsr(processor_t* proc, uint32_t alignment) : csr_t(proc, CSR_MTVEC), alignment_(alignment) {}
  reg_t read() const noexcept override { return reg_t(sreg_t(int32_t(value_))); }

 protected:
  bool unlogged_write(const reg_t value) noexcept override {
    value_ = uint32_t(value) & ~2u;
    if (value_ & 1) value_ = (value_ & ~(alignment_ - 1)) | 1;
    return true;
  }

 private:
  const uint32_t alignment_;
  uint32_t value_ = 0;
};

}  // namespace

bool Devices::mapped(uint32_t address) {
  return (address >= 0x10000000 && address < 0x10000800) ||
         (address >= 0x02000000 && address < 0x0200C000);
}

Model::Model(const Options& options, Devices& devices)
    : memory(options.memory), options_(options), devices_(devices), adopted_(4096) {
  debug_mmu = nullptr;
  config_.isa = options_.isa.c_str();
  config_.priv = options_.privileges.c_str();
  config_.pmpregions = options_.pmp_regions;
  config_.pmpgranularity = 4;
  config_.hartids = {0};
  config_.trigger_count = 0;
  processor_ = std::make_unique<processor_t>(options_.isa.c_str(), options_.privileges.c_str(), &config_,
                                             this, 0, false, nullptr, std::cerr);
  harts_[0] = processor_.get();
  processor_->reset();
  state_ = processor_->get_state();
  if (options_.pmp_regions) {  // Spike opens region 0 for software that knows no PMP
    processor_->put_csr(CSR_PMPCFG0, 0);
    processor_->put_csr(CSR_PMPADDR0, 0);
  }
  state_->mie = std::make_shared<WideMie>(processor_.get(), options_.interrupt_mask);
  state_->csrmap[CSR_MIE] = state_->mie;
  count_trap_csrs(options_.csrs);
  if (!options_.csrs.empty()) apply(options_.csrs);
  program = load_program(options_.image, memory);
  if (options_.tohost) program.tohost = options_.tohost;
  state_->pc = reg_t(sreg_t(int32_t(options_.have_pc ? options_.pc : program.entry)));
}

Model::~Model() = default;

void Model::count_trap_csrs(const std::vector<CsrRule>& rules) {
  uint32_t masks[2] = {~0u, ~0u};
  for (auto& rule : rules)
    if ((rule.address == CSR_MCAUSE || rule.address == CSR_MTVAL) && rule.kind == CsrRule::kMasked)
      masks[rule.address - CSR_MCAUSE] = rule.mask;
  cause_ = std::make_shared<CountedCsr>(processor_.get(), CSR_MCAUSE, masks[0], 0);
  value_ = std::make_shared<CountedCsr>(processor_.get(), CSR_MTVAL, masks[1], 0);
  state_->csrmap[CSR_MCAUSE] = state_->mcause = cause_;
  state_->csrmap[CSR_MTVAL] = state_->mtval = value_;
}

// The core has the registers of the rules and no others.
void Model::apply(const std::vector<CsrRule>& rules) {
  std::unordered_map<reg_t, csr_t_p> kept;
  for (auto& rule : rules) {
    auto found = state_->csrmap.find(rule.address);
    bool counted = rule.address == CSR_MCAUSE || rule.address == CSR_MTVAL;
    csr_t_p csr = found == state_->csrmap.end() ? nullptr : found->second;
    if (rule.kind == CsrRule::kConst)
      csr = std::make_shared<MaskedCsr>(processor_.get(), rule.address, 0, rule.value);
    else if (rule.kind == CsrRule::kMasked && !counted)
      csr = std::make_shared<MaskedCsr>(processor_.get(), rule.address, rule.mask, rule.value);
    else if (rule.kind == CsrRule::kVector)
      csr = state_->mtvec = std::make_shared<VectorCsr>(processor_.get(), rule.value);
    if (!csr) {
      char text[80];
      snprintf(text, sizeof text, "--csr: Spike has no CSR %#x: say const or masked", rule.address);
      throw UsageError(text);
    }
    kept[rule.address] = csr;
    adopted_[rule.address & 0xFFF] = rule.kind == CsrRule::kAdopt;
  }
  if (kept.count(CSR_MSCRATCH) == 0) throw UsageError("--csr: mscratch is not among the registers");
  state_->csrmap = kept;
}

bool Model::step() {
  load.done = store.done = false;
  unsigned causes = cause_->writes, values = value_->writes;
  reg_t inhibited = state_->mcountinhibit->read() & kInhibitRetired;
  processor_->step(1);
  processor_->clear_waiting_for_interrupt();
  // A write of mcountinhibit takes effect after its instruction, which counts as before; Spike
  // looks at the new value.
  reg_t inhibits = state_->mcountinhibit->read() & kInhibitRetired;
  if (inhibits != inhibited) {
    auto& count = state_->minstret;
    if (inhibits) count->bump(1);
    else count->bump(~reg_t(0));
  }
  return cause_->writes != causes && value_->writes != values;
}

bool Model::interrupt_enabled(unsigned cause) const {
  bool globally = state_->prv < PRV_M || (state_->mstatus->read() & MSTATUS_MIE);
  return globally && (state_->mie->read() >> cause & 1);
}

bool Model::take_interrupt(unsigned cause) {
  if (!interrupt_enabled(cause)) return false;
  set_pending(1u << cause);
  bool trapped = step();
  set_pending(0);
  return trapped;
}

void Model::csr_state(uint32_t (&state)[8]) const {
  state[0] = uint32_t(state_->mstatus->read());
  state[1] = uint32_t(state_->mepc->read());
  state[2] = uint32_t(cause_->read());
  state[3] = uint32_t(value_->read());
  state[4] = uint32_t(state_->mie->read());
  state[5] = uint32_t(state_->mip->read());
  state[6] = uint32_t(state_->mtvec->read());
  state[7] = csr(CSR_MSCRATCH);
}

uint32_t Model::csr(unsigned address) const {
  auto found = state_->csrmap.find(address);
  return found == state_->csrmap.end() ? 0 : uint32_t(found->second->read());
}

std::string Model::disassemble(uint32_t insn) const {
  return processor_->get_disassembler()->disassemble(insn_t(insn));
}

bool Model::mmio_fetch(reg_t address, size_t size, uint8_t* bytes) {
  if (!memory.contains(uint32_t(address), size)) return false;
  memcpy(bytes, memory.at(uint32_t(address)), size);
  return true;
}

bool Model::mmio_load(reg_t address, size_t size, uint8_t* bytes) {
  uint32_t where = uint32_t(address), data = 0;
  if (memory.contains(where, size))
    memcpy(&data, memory.at(where), size);
  else if (!Devices::mapped(where) || !devices_.load(where, unsigned(size), data))
    return false;
  load = {true, where, unsigned(size), data};
  memcpy(bytes, &data, size);
  return true;
}

bool Model::mmio_store(reg_t address, size_t size, const uint8_t* bytes) {
  uint32_t where = uint32_t(address), data = 0;
  memcpy(&data, bytes, size);
  if (memory.contains(where, size))
    memcpy(memory.at(where), bytes, size);
  else if (!Devices::mapped(where) || !devices_.store(where, unsigned(size), data))
    return false;
  store = {true, where, unsigned(size), data};
  return true;
}

}  // namespace lockstep
