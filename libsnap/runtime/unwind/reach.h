/*
 * unwind/reach.h - which stack memory a walk may read.
 *
 * A thread's home is the stack that it was started on: it stays mapped as long as the thread runs,
 * so what was once found readable there stays readable.  Another stack (for signals, or of a
 * coroutine) may be gone the next time: each capture probes it again.
 *
 * Nothing here asks the C library or /proc about stacks: pthread_getattr_np() allocates and
 * takes a lock of the thread's, and sandboxes have no /proc.
 */
#ifndef SNAP_RUNTIME_UNWIND_REACH_H
#define SNAP_RUNTIME_UNWIND_REACH_H

#include <stdbool.h>
#include <stdint.h>

/** One thread's; zeroed memory is a valid empty one. */
struct snap__reach {
	uintptr_t home_low; /* readable from here up to home_high */
	uintptr_t home_high;
	uintptr_t foreign_low; /* known to be separate from the home stack: not asked again */
	uintptr_t foreign_high;
	uintptr_t away_low; /* pages elsewhere that this capture found readable */
	uintptr_t away_high;
};

/** Find out whether `sp` is on the home stack, and how much above it is known to be readable. */
bool snap__reach_is_home_slow(struct snap__reach *reach, uintptr_t sp);

/** Begin a capture at `sp`; true if that is on the thread's home stack. */
static inline bool snap__reach_begin(struct snap__reach *reach, uintptr_t sp)
{
	reach->away_low = reach->away_high = 0;
	return (sp >= reach->home_low && sp < reach->home_high) ||
	       snap__reach_is_home_slow(reach, sp);
}

/** Whether the word at `address` is known to be readable home stack. */
static inline bool snap__reach_has(const struct snap__reach *reach, uintptr_t address)
{
	return address - reach->home_low < reach->home_high - reach->home_low &&
	       (address & (sizeof(uintptr_t) - 1)) == 0;
}

/** Whether the word at `address` can be read, by asking the kernel.  Async-signal-safe. */
bool snap__reach_is_readable(uintptr_t address);

/** Read a word of any stack, after a probe if needed; false if it cannot be read. */
bool snap__reach_read(struct snap__reach *reach, uintptr_t address, uintptr_t *value);

#endif
