/*
 * runtime/vdso.h - read the clock without a function that other libraries may replace.
 *
 * libc's clock_gettime() can be another preloaded library's, which is not ready when we start.  The
 * kernel's function in the vdso needs no system call, which may be forbidden by then.
 */
#ifndef SNAP_RUNTIME_VDSO_H
#define SNAP_RUNTIME_VDSO_H

#include <time.h>

/** The time of `clock`; `*now` stays as it is if there is no such clock. */
void snap__vdso_clock(clockid_t clock, struct timespec *now);

/** The process is about to forbid itself to read the processor's counter of time (PR_SET_TSC, strict mode
 * of seccomp): from here on clocks are those that the kernel sets at each of its ticks. */
void snap__vdso_without_counter(void);

#endif
