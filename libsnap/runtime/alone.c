/*
 * runtime/alone.c - keep a single-threaded program single-threaded for libc.
 */
#include "runtime/alone.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "runtime/metrics.h"
#include "runtime/os_linux.h"
#include "runtime/record.h"
#include "write/sys.h"

#define PASS_WAIT_NS 200000000ull
#define REST_WAIT_NS 20000000ull /* do not wait for a thread that sleeps this long */
/* A killed helper cannot release the thread, so the wait is bounded. */
#define HELD_WAIT_NS 1000000000ull

enum hold { NOBODY, WANTED, OFFERED, HELD };

static atomic_uint hold; /* both sides wait on this word */
static volatile char *flags[2];

void snap__alone_init(char *of_libc, char *of_program)
{
	flags[0] = of_libc;
	flags[1] = of_program ? of_program : of_libc;
}

bool snap__alone(void)
{
	return flags[0] ? *flags[0] && *flags[1] : snap__metrics_threads() == 1;
}

/* Does the calling thread block no signal? Inside a handler, at least the handler's own signal
 * is blocked. */
static bool is_in_no_handler(void)
{
	uint64_t blocked = 1;

	return syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &blocked, sizeof(blocked)) == 0 &&
	       blocked == 0;
}

bool snap__alone_waits_outside(void)
{
	return !snap__alone() || is_in_no_handler();
}

bool snap__alone_hold(void)
{
	uint64_t end = snap__os_mono_ns() + PASS_WAIT_NS, switches = 0;
	unsigned wanted = WANTED, seen = NOBODY;

	if (!snap__alone())
		return true;
	if (!atomic_compare_exchange_strong(&hold, &seen, WANTED))
		return seen == OFFERED && atomic_compare_exchange_strong(&hold, &seen, HELD);
	snap__record_attend(true);
	while (atomic_load(&hold) == WANTED && snap__os_mono_ns() < end &&
	       !snap__metrics_sleeps(&switches))
		snap__os_wait(&hold, WANTED, REST_WAIT_NS);
	snap__record_attend(false);
	return !atomic_compare_exchange_strong(&hold, &wanted, NOBODY);
}

void snap__alone_release(void)
{
	if (atomic_exchange(&hold, NOBODY) >= OFFERED)
		snap__os_wake(&hold);
}

static void wait_until_released(void)
{
	uint64_t end = snap__os_mono_ns() + HELD_WAIT_NS;

	while (atomic_load(&hold) == HELD && snap__os_mono_ns() < end)
		snap__os_wait(&hold, HELD, HELD_WAIT_NS / 4);
	atomic_store(&hold, NOBODY);
}

void snap__alone_here(void)
{
	unsigned wanted = WANTED;

	snap__record_attend(false);
	if (!atomic_compare_exchange_strong(&hold, &wanted, HELD))
		return;
	snap__os_wake(&hold);
	wait_until_released();
}

#if defined(__x86_64__)
/* malloc() makes these calls itself. */
static bool is_of_memory(greg_t call)
{
	return call == SYS_brk || call == SYS_mmap || call == SYS_munmap || call == SYS_mremap ||
	       call == SYS_madvise || call == SYS_mprotect;
}

/*
 * After a system call, rcx holds the address of the next instruction.  A call that a signal ended
 * returns -EINTR.  A call that will be restarted has its number in rax, and rip points before it.
 * kill() and tgkill() of the process itself return 0; malloc() makes no other call whose first
 * argument is the pid.
 */
static bool came_in_a_call(const ucontext_t *context)
{
	const greg_t *r = context->uc_mcontext.gregs;

	if (r[REG_RCX] == r[REG_RIP] + 2)
		return !is_of_memory(r[REG_RAX]);
	return r[REG_RCX] == r[REG_RIP] &&
	       (r[REG_RAX] == -EINTR || (r[REG_RAX] == 0 && r[REG_RDI] == snap__sys_getpid()));
}
#else
static bool came_in_a_call(const ucontext_t *context)
{
	(void)context;
	return false;
}
#endif

/* Not while another handler runs: it may have interrupted malloc(). */
static bool came_outside(const ucontext_t *context)
{
	uint64_t blocked;

	memcpy(&blocked, &context->uc_sigmask, sizeof(blocked));
	return blocked == 0 && came_in_a_call(context);
}

bool snap__alone_offer(const void *context)
{
	unsigned seen = NOBODY;

	if (!snap__alone() || !came_outside(context))
		return false;
	if (atomic_compare_exchange_strong(&hold, &seen, OFFERED))
		return true;
	if (seen != WANTED || !atomic_compare_exchange_strong(&hold, &seen, HELD))
		return false;
	snap__record_attend(false);
	snap__os_wake(&hold);
	return true;
}

void snap__alone_stay(void)
{
	uint64_t end = snap__os_mono_ns() + PASS_WAIT_NS;
	unsigned offered = OFFERED;

	while (atomic_load(&hold) == OFFERED && snap__os_mono_ns() < end)
		snap__os_wait(&hold, OFFERED, REST_WAIT_NS);
	if (!atomic_compare_exchange_strong(&hold, &offered, NOBODY) && offered == HELD)
		wait_until_released();
}

void snap__alone_after_fork(void)
{
	atomic_store(&hold, NOBODY);
	snap__record_attend(false);
}
