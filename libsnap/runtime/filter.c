/*
 * runtime/filter.c - run a filter of system calls for the calls that libsnap makes.
 *
 * Arguments of calls that are not given count as 0.
 */
#include "runtime/filter.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "arch/arch.h"
#include "runtime/os_linux.h"
#include "runtime/process.h"

#define PAGE_BYTES 4096u

/* The calls that libsnap makes in each recorded program, from its start to its last snapshot, and
   that not all programs make themselves. */
static const int calls[] = {
	SYS_clock_gettime, SYS_close,        SYS_fcntl,     SYS_futex,         SYS_geteuid,
	SYS_getpid,        SYS_getppid,      SYS_gettid,    SYS_madvise,       SYS_mkdirat,
	SYS_mmap,          SYS_mprotect,     SYS_munmap,    SYS_newfstatat,    SYS_openat,
	SYS_prctl,         SYS_pread64,      SYS_prlimit64, SYS_read,          SYS_readlinkat,
	SYS_renameat2,     SYS_rt_sigaction, SYS_uname,     SYS_rt_sigpending, SYS_rt_sigprocmask,
	SYS_sysinfo,       SYS_write,
};

struct machine {
	uint32_t a, x, memory[BPF_MEMWORDS];
	const struct seccomp_data *data;
};

static uint32_t load(const struct machine *m, const struct sock_filter *at)
{
	uint32_t word = 0;

	switch (BPF_MODE(at->code)) {
	case BPF_IMM:
		return at->k;
	case BPF_MEM:
		return m->memory[at->k % BPF_MEMWORDS];
	case BPF_LEN:
		return sizeof(*m->data);
	default:
		if (at->k <= sizeof(*m->data) - sizeof(word))
			memcpy(&word, (const char *)m->data + at->k, sizeof(word));
		return word;
	}
}

static uint32_t compute(uint32_t a, const struct sock_filter *at, uint32_t operand)
{
	switch (BPF_OP(at->code)) {
	case BPF_ADD:
		return a + operand;
	case BPF_SUB:
		return a - operand;
	case BPF_MUL:
		return a * operand;
	case BPF_DIV:
		return operand ? a / operand : 0;
	case BPF_AND:
		return a & operand;
	case BPF_OR:
		return a | operand;
	case BPF_XOR:
		return a ^ operand;
	case BPF_LSH:
		return operand < 32 ? a << operand : 0;
	case BPF_RSH:
		return operand < 32 ? a >> operand : 0;
	case BPF_NEG:
		return 0u - a;
	default:
		return a;
	}
}

/* How many instructions are skipped. */
static uint32_t jump(uint32_t a, const struct sock_filter *at, uint32_t operand)
{
	switch (BPF_OP(at->code)) {
	case BPF_JA:
		return at->k;
	case BPF_JEQ:
		return a == operand ? at->jt : at->jf;
	case BPF_JGT:
		return a > operand ? at->jt : at->jf;
	case BPF_JGE:
		return a >= operand ? at->jt : at->jf;
	default:
		return a & operand ? at->jt : at->jf;
	}
}

/* Everything but jumps and the end. */
static void step(struct machine *m, const struct sock_filter *at, uint32_t operand)
{
	switch (BPF_CLASS(at->code)) {
	case BPF_LD:
		m->a = load(m, at);
		break;
	case BPF_LDX:
		m->x = load(m, at);
		break;
	case BPF_ST:
		m->memory[at->k % BPF_MEMWORDS] = m->a;
		break;
	case BPF_STX:
		m->memory[at->k % BPF_MEMWORDS] = m->x;
		break;
	case BPF_ALU:
		m->a = compute(m->a, at, operand);
		break;
	default: /* BPF_MISC */
		if (BPF_MISCOP(at->code) == BPF_TAX)
			m->x = m->a;
		else
			m->a = m->x;
		break;
	}
}

/* The kernel has not checked the code yet.  Jumps lead only forward, so this loop ends. */
static uint32_t answer(const struct sock_fprog *filter, struct seccomp_data data)
{
	const struct sock_filter *code = filter->filter;
	struct machine m = {.data = &data};
	size_t count = filter->len;

	data.arch = SNAP__ARCH_AUDIT;
	for (uint64_t at = 0; at < count; at++) {
		struct sock_filter now = code[at];
		uint32_t operand = BPF_SRC(now.code) == BPF_X ? m.x : now.k;

		if (BPF_CLASS(now.code) == BPF_RET)
			return BPF_RVAL(now.code) == BPF_A ? m.a : now.k;
		if (BPF_CLASS(now.code) == BPF_JMP)
			at += jump(m.a, &now, operand);
		else
			step(&m, &now, operand);
	}
	return SECCOMP_RET_ALLOW;
}

/* Those that an allocation may need for the recorder, with what filters look at. */
static const struct seccomp_data at_allocations[] = {
	{.nr = SYS_mmap,
	 .args = {[2] = PROT_READ | PROT_WRITE,
		  [3] = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		  [4] = UINT64_MAX}},
	{.nr = SYS_munmap},
	{.nr = SYS_madvise, .args = {[2] = MADV_DONTDUMP}},
	{.nr = SYS_madvise, .args = {[2] = MADV_DONTNEED}},
	{.nr = SYS_sched_yield},
	{.nr = SYS_rt_sigprocmask},
};

static bool refuses(uint32_t answered)
{
	uint32_t action = answered & SECCOMP_RET_ACTION_FULL;

	return action != SECCOMP_RET_ALLOW && action != SECCOMP_RET_LOG;
}

static bool ends(uint32_t answered)
{
	uint32_t action = answered & SECCOMP_RET_ACTION_FULL;

	return action == SECCOMP_RET_KILL_PROCESS || action == SECCOMP_RET_KILL_THREAD ||
	       action == SECCOMP_RET_TRAP;
}

static bool can_be_read(const void *from, size_t size)
{
	const char *at = from, *last = at + size - 8; /* eight bytes are looked at */

	for (; at < last; at += PAGE_BYTES - 8)
		if (!snap__os_is_readable(at))
			return false;
	return snap__os_is_readable(last);
}

/* A child of vfork() uses its parent's memory, but its filter is not the parent's. */
static atomic_bool ends_us, ends_borrower, seals;

/* Memory that is refused is as bad as a call that ends us; of the others only the latter counts. */
static bool seals_us(const struct sock_fprog *filter)
{
	bool does = false;

	for (size_t i = 0; i < sizeof(at_allocations) / sizeof(at_allocations[0]); i++) {
		uint32_t answered = answer(filter, at_allocations[i]);

		does |= at_allocations[i].nr == SYS_mmap ? refuses(answered) : ends(answered);
	}
	return does;
}

static void learn(const struct sock_fprog *filter, bool of_borrower)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (ends(answer(filter, (struct seccomp_data){.nr = calls[i]})))
			atomic_store(of_borrower ? &ends_borrower : &ends_us, true);
	if (!of_borrower && seals_us(filter))
		atomic_store(&seals, true);
}

bool snap__filter_learn(const void *program, bool of_borrower)
{
	struct sock_fprog filter;

	if (!program)
		return false;
	if (!can_be_read(program, sizeof(filter)))
		return false;
	memcpy(&filter, program, sizeof(filter));
	if (filter.len == 0 || filter.len > BPF_MAXINSNS ||
	    !can_be_read(filter.filter, filter.len * sizeof(*filter.filter)))
		return false;
	learn(&filter, of_borrower);
	return true;
}

void snap__filter_learn_strict(bool of_borrower)
{
	atomic_store(of_borrower ? &ends_borrower : &ends_us, true);
	if (!of_borrower)
		atomic_store(&seals, true);
}

bool snap__filter_seals(void)
{
	return atomic_load(&seals);
}

bool snap__filter_ends_us(void)
{
	return atomic_load(&ends_us) ||
	       (atomic_load(&ends_borrower) && !snap__process_has_thread_word());
}
