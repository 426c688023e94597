#include "image.h"

#include <elf.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

#include "options.h"

namespace lockstep {
namespace {

// A structure at an offset of the file, or an error that names the file.
template <typename T>
T at(const std::vector<char>& file, size_t offset, const std::string& path) {
  T item;
  if (offset > file.size() || file.size() - offset < sizeof(T))
    throw UsageError(path + ": the file is cut off");
  memcpy(&item, file.data() + offset, sizeof(T));
  return item;
}

uint32_t find_symbol(const std::vector<char>& file, const Elf32_Ehdr& header, const std::string& path,
                     const std::string& wanted) {
  for (unsigned i = 0; i < header.e_shnum; i++) {
    auto section = at<Elf32_Shdr>(file, header.e_shoff + i * sizeof(Elf32_Shdr), path);
    if (section.sh_type != SHT_SYMTAB) continue;
    auto names = at<Elf32_Shdr>(file, header.e_shoff + section.sh_link * sizeof(Elf32_Shdr), path);
    for (uint32_t j = 0; j < section.sh_size / sizeof(Elf32_Sym); j++) {
      auto symbol = at<Elf32_Sym>(file, section.sh_offset + j * sizeof(Elf32_Sym), path);
      size_t name = size_t(names.sh_offset) + symbol.st_name;
      if (name + wanted.size() < file.size() &&
          memcmp(file.data() + name, wanted.c_str(), wanted.size() + 1) == 0)
        return symbol.st_value;
    }
  }
  return 0;
}

// The format of $readmemh, as the harness reads it: words in hexadecimal, and @index.
void load_words(const std::vector<char>& file, const std::string& path, Memory& memory) {
  std::istringstream stream(std::string(file.begin(), file.end()));
  std::string token;
  uint64_t index = 0;
  while (stream >> token) {
    char* end = nullptr;
    bool place = token[0] == '@';
    uint64_t number = strtoull(token.c_str() + place, &end, 16);
    if (*end) throw UsageError(path + ": neither an ELF file nor words in hexadecimal");
    if (place) {
      index = number;
      continue;
    }
    uint32_t address, word = uint32_t(number);
    if (!memory.word_address(index++, address)) throw UsageError(path + ": it reaches beyond the memory");
    memcpy(memory.at(address), &word, 4);
  }
}

}  // namespace

Program load_program(const std::string& path, Memory& memory) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw UsageError(path + ": cannot be read");
  std::vector<char> file((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  if (file.size() < SELFMAG || memcmp(file.data(), ELFMAG, SELFMAG) != 0) {
    load_words(file, path, memory);
    return Program{memory.base(), 0};
  }
  auto header = at<Elf32_Ehdr>(file, 0, path);
  if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS32 ||
      header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_machine != EM_RISCV)
    throw UsageError(path + ": not a 32-bit little-endian RISC-V ELF file");
  for (unsigned i = 0; i < header.e_phnum; i++) {
    auto segment = at<Elf32_Phdr>(file, header.e_phoff + i * sizeof(Elf32_Phdr), path);
    if (segment.p_type != PT_LOAD || segment.p_memsz == 0) continue;
    if (!memory.contains(segment.p_paddr, segment.p_memsz))
      throw UsageError(path + ": a segment lies outside the memory");
    if (segment.p_offset > file.size() || file.size() - segment.p_offset < segment.p_filesz)
      throw UsageError(path + ": the file is cut off");
    memcpy(memory.at(segment.p_paddr), file.data() + segment.p_offset, segment.p_filesz);
  }
  Program program;
  program.entry = header.e_entry;
  program.tohost = find_symbol(file, header, path, "tohost");
  return program;
}

}  // namespace lockstep
