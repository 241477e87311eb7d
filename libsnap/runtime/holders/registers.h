/*
 * holders/registers.h - the registers of a thread that ptrace has stopped.
 */
#ifndef SNAP_RUNTIME_HOLDERS_REGISTERS_H
#define SNAP_RUNTIME_HOLDERS_REGISTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/unwind/cfi.h"

#define SNAP__EXTENDED_SIZE 2816u /* vector registers; more (AMX tiles) holds no pointers */

struct snap__stopped {
	int id; /* the kernel's, of the thread */
	bool seized, stopped, read;
	bool ended; /* before it stopped: it has no registers */
	int signal; /* the signal that was being delivered to the thread when it stopped */
	uintptr_t sp, thread_pointer;
	struct snap__cfi_state state; /* where unwinding begins */
	uintptr_t general[64];        /* as the kernel gives them */
	unsigned char extended[SNAP__EXTENDED_SIZE];
	size_t general_size, extended_size;
	char name[16];
};

/** Read the registers of a thread that is stopped; false if the kernel refuses. */
bool snap__registers_read(struct snap__stopped *thread);

#endif
