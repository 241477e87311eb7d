/*
 * arch/arch.h - what libsnap knows of the processor that it is compiled for.
 *
 * All names that depend on the processor start with SNAP__ARCH_, SNAP__REG_ or snap__arch_.  For
 * each processor there are:
 *
 *   arch/NAME.h                     facts, and functions that must be inlined
 *   arch/code_NAME.c                functions of a few instructions, most of them in assembly
 *   preload/syscall_NAME.c          libc's syscall(), which libsnap.so replaces
 *   runtime/unwind/frames_NAME.c    only if frames need more than arch/NAME.h has
 *
 * To add one, write these files, and add an #include below.  libsnap/CMakeLists.txt has the flags
 * that only one processor needs.
 */
#ifndef SNAP_ARCH_ARCH_H
#define SNAP_ARCH_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
#include "arch/x86_64.h"
#elif defined(__aarch64__)
#include "arch/aarch64.h"
#else
#error "libsnap records on x86-64 and aarch64"
#endif

/* ---- registers and code (runtime/unwind) ---- */

/**
 * Store the registers that the ABI preserves across calls, the stack pointer, and the return
 * address of the caller, by DWARF number: those of SNAP__ARCH_KEPT.  A walk that knows every
 * register starts from these.  Other entries are not changed.
 */
void snap__arch_here(uintptr_t registers[SNAP__REG_COUNT]);

/** Whether the instruction before `code` is a call. `code[-8]` to `code[-1]` are readable. */
bool snap__arch_follows_call(const uint8_t *code);

/* ---- threads and signals ---- */

/** Make `pointer` the thread pointer of the calling thread. */
void snap__arch_set_thread_pointer(void *pointer);

/**
 * Call entry(argument) in a new process on `stack`, with `thread_pointer`.  libc's clone() is not
 * used: musl's refuses these flags.  Returns the pid, or a negative errno value.
 */
long snap__arch_clone(unsigned long flags, void *stack, int *parent_id, void *child_id,
		      void *thread_pointer, void (*entry)(void *), void *argument);

/**
 * Whether a signal came while the thread was in a system call, but in none that malloc() makes.
 * `context` is the handler's ucontext_t; `pid` is that of the process.  False: it was not, or
 * this cannot be told on this processor.
 */
bool snap__arch_came_in_a_call(const void *context, int pid);

#endif
