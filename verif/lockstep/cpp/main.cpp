// lockstep PROGRAM --trace TRACE: a core's trace against Spike.
// lockstep PROGRAM -- SIMULATOR +plusargs: the same with what a simulator writes while it runs.
// lockstep PROGRAM --emit TRACE: what Spike itself does, in the same format.
//
// Exit code: 0 agreement, 1 mismatch, 2 wrong usage or input.

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iostream>

#include "compare.h"
#include "coverage.h"
#include "reference.h"

namespace lockstep {
namespace {

struct File {
  File(const std::string& path, const char* mode) : handle(path == "-" ? (*mode == 'r' ? stdin : stdout) : fopen(path.c_str(), mode)) {
    if (!handle) throw UsageError(path + ": cannot be opened");
  }
  ~File() { if (handle != stdin && handle != stdout) fclose(handle); }
  FILE* handle;
};

// A simulator that writes its trace into a pipe. It ends at the latest with this object.
class Simulator {
 public:
  explicit Simulator(const std::vector<std::string>& command) {
    int ends[2];
    if (pipe(ends) != 0) throw UsageError("cannot make a pipe");
    fcntl(ends[0], F_SETPIPE_SZ, 1 << 20);
    std::string trace = "+trace=/dev/fd/" + std::to_string(ends[1]);
    std::vector<char*> arguments;
    for (auto& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(const_cast<char*>(trace.c_str()));
    arguments.push_back(nullptr);
    child_ = fork();
    if (child_ == 0) {
      close(ends[0]);
      execvp(arguments[0], arguments.data());
      _exit(127);
    }
    close(ends[1]);
    stream = child_ < 0 ? nullptr : fdopen(ends[0], "rb");
    if (!stream) throw UsageError("cannot start " + command[0]);
  }

  // Wait for its own end; whether it was a good one.
  bool finish() {
    int status = 0;
    waitpid(child_, &status, 0);
    child_ = -1;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

  ~Simulator() {
    fclose(stream);
    if (child_ > 0) {
      kill(child_, SIGKILL);
      waitpid(child_, nullptr, 0);
    }
  }

  FILE* stream;

 private:
  pid_t child_;
};

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\', out += c;
    else if (c == '\n') out += "\\n";
    else if (static_cast<unsigned char>(c) < 32) out += ' ';
    else out += c;
  }
  return out + "\"";
}

void write_report(const Options& options, const Comparator& comparator, const std::string& status) {
  if (options.report.empty()) return;
  std::ofstream out(options.report);
  out << "{\"status\": " << quoted(status) << ", \"instructions\": " << comparator.instructions
      << ", \"cycles\": " << (comparator.instructions ? comparator.last_cycle - comparator.first_cycle + 1 : 0)
      << ", \"traps\": " << comparator.traps << ", \"interrupts\": " << comparator.interrupts
      << ", \"spurious_reservations\": " << comparator.spurious_reservations;
  if (status == "mismatch") {
    auto& m = comparator.mismatch();
    out << ", \"mismatch\": {\"field\": " << quoted(m.field) << ", \"expected\": " << m.expected
        << ", \"actual\": " << m.actual << ", \"cycle\": " << comparator.last_cycle
        << ", \"text\": " << quoted(comparator.describe()) << "}";
  }
  out << "}\n";
}

int compare(const Options& options) {
  TraceDevices devices;
  Model model(options, devices);
  Comparator comparator(options, model, devices);
  std::unique_ptr<Coverage> coverage;
  if (!options.coverage.empty()) coverage = std::make_unique<Coverage>(options.table);
  std::unique_ptr<Simulator> simulator;
  std::unique_ptr<File> file;
  if (options.simulator.empty()) file = std::make_unique<File>(options.trace, "rb");
  else simulator = std::make_unique<Simulator>(options.simulator);
  RecordReader reader(file ? file->handle : simulator->stream);
  std::string status = "match";
  bool stopped = false;
  while (const Record* record = reader.next()) {
    if (!comparator.check(*record)) {
      status = "mismatch";
      break;
    }
    if (coverage) coverage->sample(*record, comparator.outcome(), model);
    if (record->halt() || comparator.instructions == options.limit) {
      stopped = true;
      break;
    }
  }
  if (status == "match" && simulator && !stopped && !simulator->finish()) status = "broken";
  if (status == "match" && comparator.instructions == 0) status = "empty";
  if (status == "match" && reader.torn()) status = "torn";
  if (coverage) coverage->write(options.coverage);
  write_report(options, comparator, status);
  if (status == "mismatch") std::cerr << comparator.describe();
  if (status == "empty") std::cerr << "no instruction in the trace\n";
  if (status == "torn") std::cerr << "the trace ends inside a record\n";
  if (status == "broken") std::cerr << "the simulator broke\n";
  return status == "match" ? 0 : status == "mismatch" ? 1 : 2;
}

int emit(const Options& options) {
  PlatformDevices devices;
  Model model(options, devices);
  Reference reference(options, model, devices);
  File file(options.emit, "wb");
  Record record;
  uint64_t count = 0;
  while ((options.limit == 0 || count < options.limit) && reference.step(record)) {
    if (fwrite(&record, sizeof record, 1, file.handle) != 1) return 2;
    count++;
  }
  bool ended = devices.ended || options.limit == 0 || count < options.limit;
  std::cerr << devices.console;
  if (!options.report.empty())
    std::ofstream(options.report) << "{\"status\": \"" << (ended ? "ended" : "limit")
                                  << "\", \"instructions\": " << count << ", \"code\": " << devices.code << "}\n";
  return 0;
}

}  // namespace
}  // namespace lockstep

int main(int argc, char** argv) {
  try {
    auto options = lockstep::parse_options(argc, argv);
    return options.emit.empty() ? lockstep::compare(options) : lockstep::emit(options);
  } catch (const lockstep::UsageError& error) {
    std::cerr << error.what() << "\n";
    return 2;
  }
}
