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

#include "arch/arch.h"
#include "runtime/metrics.h"
#include "runtime/os_linux.h"
#include "runtime/record.h"
#include "runtime/trigger.h"
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
	if (snap__trigger_is_filtered())
		return false;
	if (!atomic_compare_exchange_strong(&hold, &seen, WANTED))
		return seen == OFFERED && atomic_compare_exchange_strong(&hold, &seen, HELD);
	snap__record_attend(true);
	while (atomic_load(&hold) == WANTED && snap__os_mono_ns() < end &&
	       !snap__metrics_sleeps(&switches))
		snap__os_wait(&hold, WANTED, REST_WAIT_NS);
	snap__record_attend(false);
	return !atomic_compare_exchange_strong(&hold, &wanted, NOBODY) && wanted == HELD;
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
	bool silent = snap__trigger_is_silent(); /* a filter may kill for waiting */

	snap__record_attend(false);
	if (!atomic_compare_exchange_strong(&hold, &wanted, silent ? NOBODY : HELD) || silent)
		return;
	snap__os_wake(&hold);
	wait_until_released();
}

/* Not while another handler runs: it may have interrupted malloc(). */
static bool came_outside(const ucontext_t *context)
{
	uint64_t blocked;

	memcpy(&blocked, &context->uc_sigmask, sizeof(blocked));
	return blocked == 0 && snap__arch_came_in_a_call(context, snap__sys_getpid());
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
