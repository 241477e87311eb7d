/*
 * holders/attempt.c - a handler that leaves a fault by a jump.
 */
#include "runtime/holders/attempt.h"

#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arch/arch.h"
#include "runtime/kernel_signal.h"

#if SNAP__ARCH_CAN_JUMP
#define STACK_BYTES ((size_t)64 << 10) /* registers of a processor take up to 12 KiB */

static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
static void **volatile way_out; /* of __builtin_setjmp(), of the innermost attempt */
static _Alignas(16) char handler_stack[STACK_BYTES]; /* the usual one may be full */

/* Outside of an attempt the instruction faults again, and that ends the copy. */
static void on_fault(int number, siginfo_t *info, void *context)
{
	static const struct snap__kernel_action usual = {0};

	(void)info;
	(void)context;
	if (way_out)
		__builtin_longjmp(way_out, 1);
	syscall(SYS_rt_sigaction, number, &usual, NULL, sizeof(usual.mask));
}

/* The jump does not give back the mask of signals, so the handler must not change it. */
void snap__attempts_begin(void)
{
	const struct snap__kernel_action ours = {
		on_fault, SA_SIGINFO | SA_NODEFER | SA_ONSTACK | SNAP__ARCH_RESTORE_FLAG,
		SNAP__ARCH_RESTORE_CODE, 0};
	const stack_t stack = {.ss_sp = handler_stack, .ss_size = sizeof(handler_stack)};
	uint64_t opened = 0;

	syscall(SYS_sigaltstack, &stack, NULL);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		syscall(SYS_rt_sigaction, faults[i], &ours, NULL, sizeof(ours.mask));
		opened |= 1ull << (faults[i] - 1);
	}
	syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &opened, NULL, sizeof(opened));
}

bool snap__attempt(void (*fn)(void *argument), void *argument)
{
	void *here[5], **const before = way_out;

	if (__builtin_setjmp(here) != 0) {
		way_out = before;
		return false;
	}
	way_out = here;
	fn(argument);
	way_out = before;
	return true;
}
#else
void snap__attempts_begin(void)
{
}

bool snap__attempt(void (*fn)(void *argument), void *argument)
{
	fn(argument);
	return true;
}
#endif
