/*
 * runtime/thread_pointer.h - where the calling thread's thread-local variables hang.
 */
#ifndef SNAP_RUNTIME_THREAD_POINTER_H
#define SNAP_RUNTIME_THREAD_POINTER_H

#include <stddef.h>

/** NULL on processors that are not supported. */
static inline char *snap__thread_pointer(void)
{
	char *pointer = NULL;

#if defined(__x86_64__)
	__asm__ volatile("mov %%fs:0, %0" : "=r"(pointer));
#elif defined(__aarch64__)
	__asm__ volatile("mrs %0, tpidr_el0" : "=r"(pointer));
#endif
	return pointer;
}

#endif
