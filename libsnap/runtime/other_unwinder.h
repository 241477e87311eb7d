/*
 * runtime/other_unwinder.h - libunwind, to check our own unwinder (verify.h).
 *
 * It is loaded while the program starts, and never linked, so that the host cannot see its names.
 * It shares no code with our unwinder.  Of libunwind only the part for other processes is used,
 * with our own functions for memory and for the place of unwind tables: so it takes no lock of the
 * loader's, allocates nothing and reads nothing that is not mapped.
 */
#ifndef SNAP_RUNTIME_OTHER_UNWINDER_H
#define SNAP_RUNTIME_OTHER_UNWINDER_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/unwind/unwind.h"

/** What became of a stack. */
enum snap__other_end {
	SNAP__OTHER_WHOLE,       /* all frames up to the outermost */
	SNAP__OTHER_TRUNCATED,   /* the frames noted are sound, but it could not go on */
	SNAP__OTHER_NO_ROOM,     /* there are more frames than there was room for */
	SNAP__OTHER_NOT_REACHED, /* it did not reach the first frame to compare */
};

/**
 * Load libunwind.  Call it where dlopen() may be called, before anything is recorded.
 * Returns NULL, or a sentence (static) on why there is none.
 */
const char *snap__other_load(void);

/**
 * Unwind the calling thread, and note the frames from the one that `at` describes on: `pcs` gets
 * the address of a byte inside each call, or of the interrupted instruction; `*count` of at most
 * `room` of them.  For one thread at a time.
 */
enum snap__other_end snap__other_unwind(const struct snap__regs *at, uintptr_t *pcs, unsigned room,
					unsigned *count);

/** The object that has code at `pc`: its load bias, and its name as the loader has it.  False if
 *  there is none.  Asks the loader, not modules.h. */
bool snap__other_module(uintptr_t pc, uintptr_t *bias, const char **name);

#endif
