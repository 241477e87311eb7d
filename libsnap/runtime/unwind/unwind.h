/*
 * unwind/unwind.h - from a point in a running thread to the id of its call stack.
 *
 * Rules are compiled from .eh_frame on first use of a pc and kept in a shared cache; each
 * thread keeps its last stack, verified slot by slot before any of it is reused.  Nothing here
 * allocates from the host, takes a lock that the loader could hold, or reads outside the
 * thread's own stack bounds.
 */
#ifndef SNAP_RUNTIME_UNWIND_H
#define SNAP_RUNTIME_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/arch.h"

/** The registers that .eh_frame rules of ordinary code depend on, as they are in the caller. */
struct snap__regs {
	uintptr_t pc; /* return address into the caller */
	uintptr_t sp; /* the caller's stack pointer after the call returns (the CFA) */
	uintptr_t fp; /* the caller's frame pointer register */
};

/** Registers of the function that called the one whose frame pointer is `frame` (that function must
 *  have been compiled with -fno-omit-frame-pointer). */
static inline struct snap__regs snap__regs_of_caller(const void *frame)
{
	const uintptr_t *slot = (const uintptr_t *)frame;

	return (struct snap__regs){
		.pc = snap__arch_code_address(slot[1]), .sp = snap__arch_cfa(frame), .fp = slot[0]};
}

/** A thread's kept stack and its stack bounds.  Zeroed memory is a valid empty one. */
struct snap__unwind_thread;
size_t snap__unwind_thread_size(void);

/** Bytes of it that were never written, and so take no memory: they wait for deeper stacks. */
uint64_t snap__unwind_untouched(const struct snap__unwind_thread *thread);

/** What one capture found. */
struct snap__capture {
	uint32_t stack;     /* id in the stack tree; 0 if the tree is full */
	bool truncated : 1; /* the walk ended before the thread's outermost frame */
	bool shortened : 1; /* the tree had room for the newest frames only */
	bool walked : 1;    /* it was not the kept one */
	uint16_t frames;    /* how many frames the stack has */
};

/**
 * Process-wide set-up; call once before any capture, from a context where the loader may be
 * used.  `depth_limit` is the most frames of a stack (newest are kept).
 */
void snap__unwind_init(unsigned depth_limit);

/** The call stack that starts at `at`.  Async-signal-safe. */
struct snap__capture snap__unwind_capture(struct snap__unwind_thread *thread,
					  const struct snap__regs *at);

/**
 * Add the native frames inside a point of the C stack to the tree, below `node`.  They are the
 * frames of the stack that `thread` captured last, whose node is `native`: from the newest one to
 * the one whose part of the stack contains the address `point`.  The latter is left out, unless it
 * is the only one.  Returns the new node; 0 if the captured stack is not kept, or there is no room.
 */
uint32_t snap__unwind_graft(const struct snap__unwind_thread *thread, uint32_t native,
			    uintptr_t point, uint32_t node);

/** From now on, keep as much of each stack as possible, for the function above. */
void snap__unwind_keep_all(void);

/** dlopen/dlclose happened: drop the rules and kept stacks of unmapped code. */
void snap__unwind_modules_changed(void);

/** Call it before another thread of the host takes over the state of an ended thread. */
void snap__unwind_thread_reset(struct snap__unwind_thread *thread);

/** In a forked child, on the one thread that is left. */
void snap__unwind_after_fork(struct snap__unwind_thread *thread);

/** How often each thing happened since the start: for `status` and the benchmarks. */
struct snap__unwind_counts {
	uint64_t captures, truncated, rules_compiled, frames_walked, frames_reused;
};
void snap__unwind_counts(struct snap__unwind_counts *out);

#endif
