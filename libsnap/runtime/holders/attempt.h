/*
 * holders/attempt.h - in the copy: call code of others that may fault, and go on if it does.
 *
 * The copy is a process of its own, so that its signal handlers are nobody else's.  Where the compiler
 * cannot jump (arch/arch.h), a fault ends the copy.
 */
#ifndef SNAP_RUNTIME_HOLDERS_ATTEMPT_H
#define SNAP_RUNTIME_HOLDERS_ATTEMPT_H

#include <stdbool.h>

/** Handle faults from now on.  One outside of an attempt still ends the copy. */
void snap__attempts_begin(void);

/** Call `fn(argument)`; false if it did not return because of a fault.  Attempts may be nested.  The
 * memory of the copy does not change, so that the same attempt ends at the same place again. */
bool snap__attempt(void (*fn)(void *argument), void *argument);

#endif
