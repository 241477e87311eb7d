/*
 * holders/registers.c - read the registers of a stopped thread through ptrace.
 */
#include "runtime/holders/registers.h"

#include <elf.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "arch/arch.h"

static size_t read_set(int thread, long set, void *buffer, size_t size)
{
	struct iovec vector = {buffer, size};

	return syscall(SYS_ptrace, PTRACE_GETREGSET, (long)thread, set, &vector) == 0
		       ? vector.iov_len
		       : 0;
}

static bool read_extended(struct snap__stopped *t)
{
	t->extended_size =
		read_set(t->id, SNAP__ARCH_PTRACE_EXTENDED, t->extended, sizeof(t->extended));
	if (t->extended_size == 0)
		t->extended_size = read_set(t->id, NT_PRFPREG, t->extended, sizeof(t->extended));
	return t->extended_size > 0;
}

static void take_state(struct snap__stopped *t)
{
	static const unsigned char by_dwarf_number[SNAP__REG_COUNT] = SNAP__ARCH_PTRACE_ORDER;

	for (unsigned i = 0; i < SNAP__REG_COUNT; i++)
		t->state.reg[i] = t->general[by_dwarf_number[i]];
	t->state.pc = t->general[SNAP__ARCH_PTRACE_PC];
	t->sp = t->general[SNAP__ARCH_PTRACE_SP];
#if defined(SNAP__ARCH_PTRACE_THREAD_POINTER)
	t->thread_pointer = t->general[SNAP__ARCH_PTRACE_THREAD_POINTER];
#else
	read_set(t->id, SNAP__ARCH_PTRACE_THREAD_POINTER_SET, &t->thread_pointer,
		 sizeof(t->thread_pointer));
#endif
}

bool snap__registers_read(struct snap__stopped *t)
{
	t->general_size = read_set(t->id, NT_PRSTATUS, t->general, sizeof(t->general));
	if (t->general_size < SNAP__ARCH_PTRACE_WORDS * sizeof(*t->general) || !read_extended(t))
		return false;
	take_state(t);
	t->state.known = (uint32_t)((1ull << SNAP__REG_COUNT) - 1);
	t->state.wanted = SNAP__ARCH_KEPT;
	t->state.exact = true;
	return true;
}
