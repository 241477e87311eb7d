/*
 * signal_frame.c - reads the registers that the kernel saved when it called a handler.
 */
#include "runtime/unwind/signal_frame.h"

#if defined(__aarch64__)

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <ucontext.h>

/* mov x8, #139 (rt_sigreturn); svc #0: what debuggers know it by, and so does not change. */
#define SIGRETURN 0xd4000001d2801168u
#define WORD      sizeof(uintptr_t)

/* What the kernel puts at the handler's stack pointer. */
struct signal_frame {
	siginfo_t info;
	ucontext_t context;
};

#define SAVED(field) (offsetof(struct signal_frame, context.uc_mcontext.field))

/* Instructions are aligned to 4 bytes, what can be read to 8. */
static bool read_code(uintptr_t pc, uint64_t *code, snap__cfi_read_fn *read, void *context)
{
	uintptr_t low, high;

	if (pc % WORD == 0)
		return read(context, pc, code);
	if (!read(context, pc - 4, &low) || !read(context, pc + 4, &high))
		return false;
	*code = low >> 32 | high << 32;
	return true;
}

/* The kernel keeps that code where it is: once seen, it need not be read again. */
static bool is_sigreturn(uintptr_t pc, snap__cfi_read_fn *read, void *context)
{
	static _Atomic uintptr_t seen;
	uint64_t code;

	if (pc == atomic_load_explicit(&seen, memory_order_relaxed))
		return true;
	if (pc % 4 != 0 || !read_code(pc, &code, read, context) || code != SIGRETURN)
		return false;
	atomic_store_explicit(&seen, pc, memory_order_relaxed);
	return true;
}

bool snap__signal_frame_step(uintptr_t pc, uintptr_t sp, struct snap__cfi_state *state,
			     snap__cfi_read_fn *read, void *context)
{
	struct snap__cfi_state before = {.wanted = state->wanted, .exact = true};

	if (!is_sigreturn(pc, read, context) || !read(context, sp + SAVED(pc), &before.pc) ||
	    !read(context, sp + SAVED(sp), &before.reg[SNAP__REG_SP]))
		return false;
	for (unsigned reg = 0; reg < SNAP__REG_SP; reg++)
		if (!read(context, sp + SAVED(regs) + reg * WORD, &before.reg[reg]))
			return false;
	before.known = UINT32_MAX;
	*state = before;
	return true;
}

#else
typedef int snap__signal_frame_is_elsewhere; /* ISO C wants a declaration */
#endif
