/*
 * runtime/alone.c - a program with one thread stays one for libc.
 */
#include "runtime/alone.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/metrics.h"
#include "runtime/os_linux.h"
#include "runtime/record.h"

#define PASS_WAIT_NS 200000000ull
#define REST_WAIT_NS 20000000ull   /* who sleeps as long is not waited for */
#define HELD_WAIT_NS 1000000000ull /* a helper that was killed releases nobody */

enum hold { NOBODY, WANTED, HELD };

static atomic_uint hold; /* also what both sides wait for */
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

/* Is no signal blocked in the calling thread?  In a handler the handler's own is. */
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
	unsigned wanted = WANTED;

	if (!snap__alone())
		return true;
	atomic_store(&hold, WANTED);
	snap__record_attend(true);
	while (atomic_load(&hold) == WANTED && snap__os_mono_ns() < end &&
	       !snap__metrics_sleeps(&switches))
		snap__os_wait(&hold, WANTED, REST_WAIT_NS);
	snap__record_attend(false);
	return !atomic_compare_exchange_strong(&hold, &wanted, NOBODY);
}

void snap__alone_release(void)
{
	if (atomic_exchange(&hold, NOBODY) == HELD)
		snap__os_wake(&hold);
}

void snap__alone_here(void)
{
	uint64_t end = snap__os_mono_ns() + HELD_WAIT_NS;
	unsigned wanted = WANTED;

	snap__record_attend(false);
	if (!atomic_compare_exchange_strong(&hold, &wanted, HELD))
		return;
	snap__os_wake(&hold);
	while (atomic_load(&hold) == HELD && snap__os_mono_ns() < end)
		snap__os_wait(&hold, HELD, HELD_WAIT_NS / 4);
	atomic_store(&hold, NOBODY);
}

void snap__alone_after_fork(void)
{
	atomic_store(&hold, NOBODY);
	snap__record_attend(false);
}
