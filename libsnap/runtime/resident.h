/*
 * runtime/resident.h - which pages of the process's address space are in memory.
 *
 * Only private memory counts: pages of files and shared ones have figures of their own.  The kernel
 * is asked through /proc/self/pagemap, which delays no thread: a read locks no more than 2 MiB at a
 * time.  Pages that were only read do not count, because they take no memory.  They do count while
 * another process shares our pages since a fork, because then the two kinds look the same.
 */
#ifndef SNAP_RUNTIME_RESIDENT_H
#define SNAP_RUNTIME_RESIDENT_H

#include <stdbool.h>
#include <stdint.h>

/**
 * Begin to ask, for a process of about `bytes`.  False: it would take too long, or the kernel does
 * not say.  If the program `ends`, it may take long.  Only the thread that writes a snapshot may
 * call the functions of this file.  With 0 bytes, the time that it takes is not used to predict the
 * next time.
 */
bool snap__resident_begin(uint64_t bytes, bool ends);
void snap__resident_end(void);

/** Between the two: bytes of the pages that [start, end) touches. */
uint64_t snap__resident_in(uintptr_t start, uintptr_t end);

/** The same; and for each page whether it is there, in `present`, which has room for them. */
uint64_t snap__resident_pages(uintptr_t start, uintptr_t end, bool *present);

/** Of a block, the bytes of whole pages that are not in private memory. */
uint64_t snap__resident_absent(uintptr_t address, uint64_t size);

/** Receives one figure in bytes. */
typedef void snap__resident_fn(void *user, const char *key, uint64_t bytes);

/** Of a module: all of its pages that are in memory, and of these the private ones, such as
 * variables that were written to.  False: it is not mapped now. */
struct snap__module;
struct snap__resident_module {
	uint64_t all, own;
};
bool snap__resident_of_module(const struct snap__module *module, struct snap__resident_module *sum);

/** The memory of the program's modules besides their files, the memory of the recorder, and the
 * stacks of threads that allocated. */
void snap__resident_each(snap__resident_fn *fn, void *user);

#endif
