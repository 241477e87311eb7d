/*
 * runtime/kernel_signal.h - a signal's action as the kernel itself wants it: for signals that libc
 * refuses to handle, and for processes in which libc's functions must not be called.
 */
#ifndef SNAP_RUNTIME_KERNEL_SIGNAL_H
#define SNAP_RUNTIME_KERNEL_SIGNAL_H

#include <signal.h>
#include <stdint.h>

/* The kernel's struct sigaction, the same on all processors here.  The flags include
   SNAP__ARCH_RESTORE_FLAG, and the restorer is SNAP__ARCH_RESTORE_CODE (arch/arch.h). */
struct snap__kernel_action {
	void (*handler)(int, siginfo_t *, void *);
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

#endif
