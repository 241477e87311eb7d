/*
 * test_unwind_oracle.h - compares captures with glibc's backtrace(), which walks with libgcc's
 * unwinder and shares no code with ours.
 */
#ifndef TEST_UNWIND_ORACLE_H
#define TEST_UNWIND_ORACLE_H

#include <execinfo.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/modules.h"
#include "runtime/stacks.h"
#include "runtime/unwind/unwind.h"

#define ORACLE_DEPTH  512
#define ORACLE_FRAMES (ORACLE_DEPTH + 64)
#define UNTAGGED(pc)  ((pc) & (((uintptr_t)1 << SNAP__PC_TAG_SHIFT) - 1))
#define NOT_INLINED   __attribute__((noinline, noclone, noipa))
#ifdef __clang__
#undef NOT_INLINED
#define NOT_INLINED __attribute__((noinline))
#endif

static __thread struct snap__unwind_thread *oracle_thread;
static __thread unsigned long oracle_checked, oracle_wrong;

static inline void oracle_start(void)
{
	static bool ready;

	if (!ready)
		snap__unwind_init(ORACLE_DEPTH);
	ready = true;
	oracle_thread = calloc(1, snap__unwind_thread_size());
}

/* The stack `id` as pcs, newest first. */
static inline unsigned oracle_list(uint32_t id, uintptr_t *pcs, unsigned most)
{
	unsigned n = 0;

	for (; id && n < most; id = snap__stacks_parent(id))
		pcs[n++] = UNTAGGED(snap__stacks_pc(id));
	return n;
}

static inline void oracle_show(const uintptr_t *ours, unsigned n, void **theirs, unsigned m)
{
	for (unsigned i = 0; i < n || i < m; i++)
		fprintf(stderr, "  %2u  %14lx  %14lx\n", i, i < n ? ours[i] : 0,
			i < m ? (unsigned long)theirs[i] : 0);
}

/* backtrace() gives return addresses, the tree the byte before them (or an exact pc). */
static inline bool oracle_agrees(const uintptr_t *ours, unsigned n, void **theirs, unsigned m)
{
	if (n != m)
		return false;
	for (unsigned i = 0; i < n; i++)
		if ((uintptr_t)theirs[i] - ours[i] > 1)
			return false;
	return true;
}

/* Capture the caller's stack with both, and count whether they agree. */
NOT_INLINED static struct snap__capture oracle_check(void)
{
	struct snap__regs regs = snap__regs_of_caller(__builtin_frame_address(0));
	struct snap__capture capture = snap__unwind_capture(oracle_thread, &regs);
	uintptr_t ours[ORACLE_FRAMES];
	void *list[ORACLE_FRAMES], **theirs = list;
	unsigned n = oracle_list(capture.stack, ours, ORACLE_FRAMES);
	unsigned m = (unsigned)backtrace(list, ORACLE_FRAMES);

	while (m && (uintptr_t)*theirs != regs.pc) {
		theirs++;
		m--;
	}
	if (m > ORACLE_DEPTH && capture.truncated)
		n = m = capture.frames; /* the rest was cut off, as it should be */
	oracle_checked++;
	if (!oracle_agrees(ours, n, theirs, m) || n != capture.frames) {
		if (oracle_wrong++ < 3)
			oracle_show(ours, n, theirs, m);
	}
	return capture;
}

#endif
