#include "options.h"

#include <cstdlib>

namespace lockstep {
namespace {

uint64_t number(const std::string& option, const std::string& text) {
  char* end = nullptr;
  uint64_t value = strtoull(text.c_str(), &end, 0);
  if (text.empty() || *end) throw UsageError(option + ": not a number: '" + text + "'");
  return value;
}

// ADDRESS=keep | const:VALUE | masked:MASK:VALUE | vector:BYTES | adopt
CsrRule csr_rule(const std::string& text) {
  size_t equals = text.find('=');
  if (equals == std::string::npos) throw UsageError("--csr: not ADDRESS=RULE: '" + text + "'");
  CsrRule rule;
  rule.address = uint32_t(number("--csr", text.substr(0, equals)));
  std::string kind = text.substr(equals + 1);
  if (kind == "keep") return rule;
  if (kind == "adopt") {
    rule.kind = CsrRule::kAdopt;
  } else if (kind.rfind("const:", 0) == 0) {
    rule.kind = CsrRule::kConst;
    rule.value = uint32_t(number("--csr", kind.substr(6)));
  } else if (kind.rfind("vector:", 0) == 0) {
    rule.kind = CsrRule::kVector;
    rule.value = uint32_t(number("--csr", kind.substr(7)));
  } else if (kind.rfind("masked:", 0) == 0 && kind.find(':', 7) != std::string::npos) {
    size_t colon = kind.find(':', 7);
    rule.kind = CsrRule::kMasked;
    rule.mask = uint32_t(number("--csr", kind.substr(7, colon - 7)));
    rule.value = uint32_t(number("--csr", kind.substr(colon + 1)));
  } else {
    throw UsageError("--csr: no such rule: '" + text + "'");
  }
  return rule;
}

// BASE:SIZE
std::pair<uint32_t, uint64_t> region(const std::string& option, const std::string& text) {
  size_t colon = text.find(':');
  if (colon == std::string::npos) throw UsageError(option + ": not BASE:SIZE: '" + text + "'");
  return {uint32_t(number(option, text.substr(0, colon))), number(option, text.substr(colon + 1))};
}

}  // namespace

Options parse_options(int argc, char** argv) {
  Options options;
  std::vector<std::pair<uint32_t, uint64_t>> local;
  for (int i = 1; i < argc; i++) {
    std::string name = argv[i];
    if (name == "--") {
      options.simulator.assign(argv + i + 1, argv + argc);
      break;
    }
    if (name.rfind("--", 0) != 0) {
      if (!options.image.empty()) throw UsageError("more than one program: '" + name + "'");
      options.image = name;
      continue;
    }
    if (++i == argc) throw UsageError(name + ": its value is missing");
    std::string value = argv[i];
    if (name == "--isa") options.isa = value;
    else if (name == "--priv") options.privileges = value;
    else if (name == "--trace") options.trace = value;
    else if (name == "--emit") options.emit = value;
    else if (name == "--coverage") options.coverage = value;
    else if (name == "--report") options.report = value;
    else if (name == "--table") options.table = value;
    else if (name == "--memory") options.memory.push_back(region(name, value));
    else if (name == "--local-memory") local.push_back(region(name, value));
    else if (name == "--pc") options.pc = uint32_t(number(name, value)), options.have_pc = true;
    else if (name == "--pmp") options.pmp_regions = unsigned(number(name, value));
    else if (name == "--interrupts") options.interrupt_mask = uint32_t(number(name, value));
    else if (name == "--csr") options.csrs.push_back(csr_rule(value));
    else if (name == "--tohost") options.tohost = uint32_t(number(name, value));
    else if (name == "--limit") options.limit = number(name, value);
    else if (name == "--patience") options.patience = unsigned(number(name, value));
    else throw UsageError("no such option: " + name);
  }
  if (options.memory.empty()) options.memory.emplace_back(0x80000000, 4u << 20);
  options.memory.insert(options.memory.end(), local.begin(), local.end());
  if (options.image.empty()) throw UsageError("no program");
  int sources = !options.trace.empty() + !options.emit.empty() + !options.simulator.empty();
  if (sources != 1) throw UsageError("give one of --trace, --emit and -- SIMULATOR");
  if ((!options.emit.empty() || !options.coverage.empty()) && options.table.empty())
    throw UsageError("--emit and --coverage need --table");
  return options;
}

}  // namespace lockstep
