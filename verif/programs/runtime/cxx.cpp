// What C++ needs and libstdc++, which Debian's compiler lacks, would give. All of it is weak:
// a library that is linked goes first.
//
// Without exceptions and run-time types; constructors of statics in functions have no lock,
// since there is one thread.
#include <stddef.h>
#include <stdlib.h>

#define WEAK __attribute__((weak))

WEAK void *operator new(size_t size) {
    void *memory = malloc(size ? size : 1);
    if (!memory) abort();
    return memory;
}
WEAK void *operator new[](size_t size) { return operator new(size); }
WEAK void operator delete(void *memory) noexcept { free(memory); }
WEAK void operator delete[](void *memory) noexcept { free(memory); }
WEAK void operator delete(void *memory, size_t) noexcept { free(memory); }
WEAK void operator delete[](void *memory, size_t) noexcept { free(memory); }

extern "C" {
WEAK void *__dso_handle;
WEAK void __cxa_pure_virtual() { abort(); }
WEAK int __cxa_guard_acquire(char *guard) { return !*guard; }
WEAK void __cxa_guard_release(char *guard) { *guard = 1; }
WEAK void __cxa_guard_abort(char *) {}
}
