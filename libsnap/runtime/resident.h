/*
 * runtime/resident.h - what of the process's address space is in memory, page by page.
 *
 * Only private memory counts: pages of files and shared ones have figures of their own.  The kernel
 * is asked through /proc/self/pagemap, which holds nobody up: a read locks no more than 2 MiB at a
 * time.  Pages that were only read do not count, because they take no memory; while another process
 * shares our pages since a fork, these cannot be told, and count.
 */
#ifndef SNAP_RUNTIME_RESIDENT_H
#define SNAP_RUNTIME_RESIDENT_H

#include <stdbool.h>
#include <stdint.h>

/**
 * Begin to ask, for a process of about `bytes`.  False: it would take long, which is no matter to a
 * program that `ends`, or the kernel does not say.  All functions of this file are for the thread
 * that writes a snapshot.  With 0 bytes, what it takes says nothing about the next time.
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

/** Of a module: all that is in memory, and private pages alone, such as variables that were written
 * to.  False: it is not mapped now. */
struct snap__module;
struct snap__resident_module {
	uint64_t all, own;
};
bool snap__resident_of_module(const struct snap__module *module, struct snap__resident_module *sum);

/** What the program's modules have in memory besides their files, what the recorder has, and the
 *  stacks of threads that allocated. */
void snap__resident_each(snap__resident_fn *fn, void *user);

#endif
