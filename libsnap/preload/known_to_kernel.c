/*
 * preload/known_to_kernel.c - wrappers of calls after which only the kernel may know of some memory
 * of the program: call the real function, and note that memory for the search for holders.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "preload/entry.h"
#include "preload/real.h"
#include "runtime/holders/owned.h"
#include "runtime/thread.h"

#define NO_MEMORY ((void *)-1)

ENTRY void *sbrk(intptr_t increment)
{
	void *(*real)(intptr_t);
	uintptr_t low;
	void *base;

	if (!snap__real_one(&real, &snap__real.sbrk, "sbrk")) {
		errno = ENOMEM;
		return NO_MEMORY;
	}
	base = real(increment);
	low = (uintptr_t)base;
	if (base != NO_MEMORY && increment != 0)
		snap__owned_break(low, low + (uintptr_t)increment, __builtin_return_address(0));
	return base;
}

ENTRY int brk(void *end)
{
	void *(*real_sbrk)(intptr_t);
	int (*real)(void *);
	void *before;
	int result;

	if (!snap__real_one(&real, &snap__real.brk, "brk")) {
		errno = ENOMEM;
		return -1;
	}
	before = snap__real_one(&real_sbrk, &snap__real.sbrk, "sbrk") ? real_sbrk(0) : NO_MEMORY;
	result = real(end);
	if (result == 0 && before != NO_MEMORY && before != end)
		snap__owned_break((uintptr_t)before, (uintptr_t)end, __builtin_return_address(0));
	return result;
}

/* It may be called by a handler of a signal, and by a thread that never allocated: such a thread's
 * stack for signals is not noted. */
ENTRY int sigaltstack(const stack_t *restrict stack, stack_t *restrict before)
{
	struct snap__thread *thread = snap__thread_self;
	int result = snap__real.sigaltstack ? snap__real.sigaltstack(stack, before)
					    : (int)syscall(SYS_sigaltstack, stack, before);

	if (result == 0 && stack && thread)
		atomic_store(&thread->signal_stack,
			     stack->ss_flags & SS_DISABLE ? 0 : (uintptr_t)stack->ss_sp);
	return result;
}
