/*
 * holders/libc.h - facts about the C library's own memory (glibc; less is known of others).
 */
#ifndef SNAP_RUNTIME_HOLDERS_LIBC_H
#define SNAP_RUNTIME_HOLDERS_LIBC_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/holders/ranges.h"
#include "runtime/holders/space.h"

/** The memory that the allocator of the recorded blocks owns. */
void snap__libc_allocator(struct snap__ranges *owned, struct snap__space *space);

/** How many bytes behind the block's end are its own as well; of allocators other than glibc's, at
 *  most. */
uint64_t snap__libc_rest(struct snap__space *space, uint32_t block);

/**
 * glibc keeps its main arena among its global variables: its lists of free memory point into the
 * last bytes of live blocks.  The part of [low, high) that it is; empty if it is not there.
 */
struct snap__range snap__libc_main_arena(uintptr_t low, uintptr_t high);

/** The mapping of a thread's stack, its thread-local variables and libc's data above it. */
struct snap__range snap__libc_stack(struct snap__space *space, uintptr_t sp,
				    uintptr_t thread_pointer);

/** The same without the list: if the area is or was the stack of a thread, the thread pointer; else
 * 0. */
uintptr_t snap__libc_thread_in(struct snap__space *space, const struct snap__area *area);

/** glibc's list of the threads that run, and of those that have ended and were not joined. */
struct snap__libc_threads {
	uintptr_t head, at; /* places in the list */
	uintptr_t offset;   /* of a thread's place from its pointer */
};
/** Begin with the pointer of the main thread.  False if the list is not as expected. */
bool snap__libc_threads_begin(struct snap__space *space, uintptr_t main_thread,
			      struct snap__libc_threads *threads);
/** Go on with the list of ended threads whose stacks glibc keeps for the next ones. */
void snap__libc_threads_kept(struct snap__libc_threads *threads);
/** The stack of a thread as pthread_create() noted it; empty if it is not found. */
struct snap__range snap__libc_thread_stack(struct snap__space *space, uintptr_t thread_pointer);
/** The pointer of the next thread; 0: there are no more. */
uintptr_t snap__libc_threads_next(struct snap__space *space, struct snap__libc_threads *threads);

/** Where the thread's variables of the module with that tls_id are; 0 if it has none yet. */
uintptr_t snap__libc_tls_block(struct snap__space *space, uintptr_t thread_pointer, size_t tls_id);

/** Of the thread's variables that lie on its stack's mapping, the lowest address above `sp`. */
uintptr_t snap__libc_tls_low(struct snap__space *space, uintptr_t thread_pointer, uintptr_t sp);

/** What libc keeps for the thread itself: around the thread pointer. */
struct snap__range snap__libc_thread_data(struct snap__space *space, uintptr_t thread_pointer);

#endif
