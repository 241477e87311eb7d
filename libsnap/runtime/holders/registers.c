/*
 * holders/registers.c - register sets of ptrace, by processor.
 */
#include "runtime/holders/registers.h"

#include <elf.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef NT_X86_XSTATE
#define NT_X86_XSTATE 0x202
#endif
#ifndef NT_ARM_TLS
#define NT_ARM_TLS 0x401
#endif

static size_t read_set(int thread, long set, void *buffer, size_t size)
{
	struct iovec vector = {buffer, size};

	return syscall(SYS_ptrace, PTRACE_GETREGSET, (long)thread, set, &vector) == 0
		       ? vector.iov_len
		       : 0;
}

#if defined(__x86_64__)
/* The order of struct user_regs_struct. */
enum {
	R15,
	R14,
	R13,
	R12,
	RBP,
	RBX,
	R11,
	R10,
	R9,
	R8,
	RAX,
	RCX,
	RDX,
	RSI,
	RDI,
	ORIG_RAX,
	RIP,
	CS,
	EFLAGS,
	RSP,
	SS,
	FS_BASE,
	GENERAL_COUNT
};

static bool read_extended(struct snap__stopped *t)
{
	t->extended_size = read_set(t->id, NT_X86_XSTATE, t->extended, sizeof(t->extended));
	if (t->extended_size == 0)
		t->extended_size = read_set(t->id, NT_PRFPREG, t->extended, sizeof(t->extended));
	return t->extended_size > 0;
}

static void take_state(struct snap__stopped *t)
{
	static const unsigned char by_dwarf_number[SNAP__REG_COUNT] = {
		RAX, RDX, RCX, RBX, RSI, RDI, RBP, RSP, R8, R9, R10, R11, R12, R13, R14, R15, RIP};

	for (unsigned i = 0; i < SNAP__REG_COUNT; i++)
		t->state.reg[i] = t->general[by_dwarf_number[i]];
	t->state.pc = t->general[RIP];
	t->sp = t->general[RSP];
	t->thread_pointer = t->general[FS_BASE];
}
#else
enum { STACK_POINTER = 31, PC, PSTATE, GENERAL_COUNT };

static bool read_extended(struct snap__stopped *t)
{
	t->extended_size = read_set(t->id, NT_PRFPREG, t->extended, sizeof(t->extended));
	return t->extended_size > 0;
}

static void take_state(struct snap__stopped *t)
{
	for (unsigned i = 0; i < SNAP__REG_COUNT; i++)
		t->state.reg[i] = t->general[i];
	t->state.pc = t->general[PC];
	t->sp = t->general[STACK_POINTER];
	read_set(t->id, NT_ARM_TLS, &t->thread_pointer, sizeof(t->thread_pointer));
}
#endif

bool snap__registers_read(struct snap__stopped *t)
{
	t->general_size = read_set(t->id, NT_PRSTATUS, t->general, sizeof(t->general));
	if (t->general_size < GENERAL_COUNT * sizeof(*t->general) || !read_extended(t))
		return false;
	take_state(t);
	t->state.known = (uint32_t)((1ull << SNAP__REG_COUNT) - 1);
	t->state.wanted = SNAP__ARCH_KEPT;
	t->state.exact = true;
	return true;
}
