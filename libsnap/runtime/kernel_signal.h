/*
 * runtime/kernel_signal.h - a signal's action as the kernel itself wants it, for signals that libc
 * refuses to handle, and for processes in which libc has nothing to say.
 */
#ifndef SNAP_RUNTIME_KERNEL_SIGNAL_H
#define SNAP_RUNTIME_KERNEL_SIGNAL_H

#include <signal.h>
#include <stdint.h>

#ifndef SA_RESTORER
#define SA_RESTORER 0x04000000
#endif

/* The kernel's struct sigaction, the same on x86-64 and aarch64. */
struct snap__kernel_action {
	void (*handler)(int, siginfo_t *, void *);
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

/** To be added to the flags, and the restorer that goes with it. */
#if defined(__x86_64__)
void snap__doorbell_return(void);
#define SNAP__RESTORE_FLAG SA_RESTORER
#define SNAP__RESTORE_CODE snap__doorbell_return
#else
#define SNAP__RESTORE_FLAG 0
#define SNAP__RESTORE_CODE NULL
#endif

#endif
