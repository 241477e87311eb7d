/*
 * unwind/signal_frame.h - from the end of a signal handler to what was interrupted, on processors
 * where the kernel's code for that has no call frame information.
 */
#ifndef SNAP_RUNTIME_UNWIND_SIGNAL_FRAME_H
#define SNAP_RUNTIME_UNWIND_SIGNAL_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/arch.h"
#include "runtime/unwind/cfi.h"

#if SNAP__ARCH_BARE_SIGNAL_FRAME
/**
 * If a handler that returns to `pc` returns to the kernel, turn `state` into that of the
 * interrupted code, with every register known; `sp` is the stack pointer at `pc`.  False: it is
 * other code, or what is there cannot be read.  In frames_NAME.c.
 */
bool snap__signal_frame_step(uintptr_t pc, uintptr_t sp, struct snap__cfi_state *state,
			     snap__cfi_read_fn *read, void *context);
#else
static inline bool snap__signal_frame_step(uintptr_t pc, uintptr_t sp,
					   struct snap__cfi_state *state, snap__cfi_read_fn *read,
					   void *context)
{
	(void)pc;
	(void)sp;
	(void)state;
	(void)read;
	(void)context;
	return false;
}
#endif

#endif
