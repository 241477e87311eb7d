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

#endif
