/*
 * runtime/verify.h - SNAP_VERIFY=N: every Nth stack is unwound a second time, by libunwind.
 *
 * For tests of the recorder, and for users who want to check it.  Return addresses are compared
 * frame by frame, and so is the object that each is said to lie in.  Differences are printed on
 * standard error, the first few in full, and counted in snapshots (losses.verify_mismatches).
 */
#ifndef SNAP_RUNTIME_VERIFY_H
#define SNAP_RUNTIME_VERIFY_H

#include <stdint.h>

#include "runtime/thread.h"
#include "runtime/unwind/unwind.h"

/** One stack in this many is verified; 0: none.  Constant while recording. */
extern unsigned snap__verify_every;

/** Once, where dlopen() may be called, before recording begins.  `depth` is the most frames that
 * stacks have.  If there is no libunwind, it prints that, and nothing is verified. */
void snap__verify_init(unsigned every, unsigned depth);

/**
 * Verify `found`, which was captured at `at` just now by the calling thread, if it is its turn. The
 * frames between this call and the host's code must be the ones that were there then.
 */
void snap__verify(struct snap__thread *thread, const struct snap__regs *at,
		  const struct snap__capture *found);

uint64_t snap__verify_mismatches(void);
/** Stacks that were unwound a second time and did not differ. */
uint64_t snap__verify_agreed(void);

/** One line with all the counts, on standard error. */
void snap__verify_report(void);

/** Around fork(): nobody else may be in libunwind when the process is copied. */
void snap__verify_before_fork(void);
void snap__verify_after_fork_in_parent(void);
void snap__verify_after_fork_in_child(void);

#endif
