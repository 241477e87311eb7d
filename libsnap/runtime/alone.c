/*
 * runtime/alone.c - a program with one thread stays one for libc.
 */
#include "runtime/alone.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/os_linux.h"
#include "runtime/record.h"
#include "runtime/text.h"

#define SHOW_WAIT_NS 20000000ull

/*
 * KNOWN: libc knows all threads, and always did as far as we care.  HIDDEN: not ours.  TOLD: it
 * does, but the host's thread may still be where it went without a lock.
 */
enum state { KNOWN, HIDDEN, TOLD };

static atomic_uint state;
static atomic_uint shown; /* the host's thread was here; also what is waited for */
static volatile char *flags[2];

void snap__alone_init(char *of_libc, char *of_program)
{
	flags[0] = of_libc;
	flags[1] = of_program ? of_program : of_libc;
}

static void set_flags(char value)
{
	atomic_thread_fence(memory_order_seq_cst);
	*flags[0] = value;
	*flags[1] = value;
	atomic_thread_fence(memory_order_seq_cst);
}

bool snap__alone(void)
{
	return flags[0] && *flags[0] && *flags[1];
}

void snap__alone_hide(void)
{
	if (!flags[0] || *flags[0])
		return; /* libc has taken no note of a second thread: then there is no rule we know
			 */
	atomic_store(&state, HIDDEN);
	set_flags(1);
}

void snap__alone_tell(void)
{
	unsigned hidden = HIDDEN;

	if (!flags[0])
		return;
	if (*flags[0] == 0) /* the host has made a thread: it settled that itself, in libc */
		atomic_compare_exchange_strong(&state, &hidden, KNOWN);
	else if (atomic_compare_exchange_strong(&state, &hidden, TOLD))
		set_flags(0);
}

void snap__alone_here(void)
{
	snap__record_attend(false);
	atomic_store(&shown, 1);
	snap__os_wake(&shown);
}

/* The host's thread allocates: it passes by the recorder, and that is outside of the allocator. */
static bool host_passes_by(void)
{
	uint64_t end = snap__os_mono_ns() + SHOW_WAIT_NS;

	atomic_store(&shown, 0);
	snap__record_attend(true);
	while (atomic_load(&shown) == 0 && snap__os_mono_ns() < end)
		snap__os_wait(&shown, 0, SHOW_WAIT_NS / 4);
	snap__record_attend(false);
	return atomic_load(&shown) != 0;
}

/* The file `name` of the host's thread in /proc. */
static long read_of_host(const char *name, char *text, size_t size)
{
	char path[64];
	struct snap__text full = SNAP__TEXT(path);

	snap__text_add(&full, "/proc/self/task/");
	snap__text_add_u64(&full, (uint64_t)getpid());
	snap__text_add(&full, name);
	return snap__os_read_file(path, text, size);
}

/* The host's thread waits in a system call that the allocator has no use for, and is not in a
   signal handler, which could have come in the middle of anything: then a signal would be blocked.
 */
static bool host_rests(void)
{
	static const long of_allocators[] = {SYS_mmap,  SYS_munmap,     SYS_mremap,
					     SYS_brk,   SYS_madvise,    SYS_mprotect,
					     SYS_futex, SYS_sched_yield};
	static const char none_blocked[] = "\nSigBlk:\t0000000000000000\n";
	char text[2500];
	uint64_t call;

	if (read_of_host("/status", text, sizeof(text)) < 0)
		return false;
	if (!memmem(text, strlen(text), none_blocked, sizeof(none_blocked) - 1))
		return false;
	if (read_of_host("/syscall", text, sizeof(text)) < 0 || text[0] < '0' || text[0] > '9')
		return false; /* "running", or -1 for what is no call */
	call = snap__parse_u64(text, NULL);
	for (size_t i = 0; i < sizeof(of_allocators) / sizeof(of_allocators[0]); i++)
		if (call == (uint64_t)of_allocators[i])
			return false;
	return true;
}

/* Is no signal blocked in the calling thread?  In a handler the handler's own is. */
static bool is_in_no_handler(void)
{
	uint64_t blocked = 1;

	return syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &blocked, sizeof(blocked)) == 0 &&
	       blocked == 0;
}

bool snap__alone_settle(bool by_host)
{
	unsigned told = TOLD;

	snap__alone_tell();
	if (atomic_load(&state) == KNOWN)
		return true;
	if (by_host ? !is_in_no_handler() : !host_passes_by() && !host_rests())
		return false;
	atomic_compare_exchange_strong(&state, &told, KNOWN);
	return true;
}

void snap__alone_after_fork(void)
{
	atomic_store(&state, KNOWN);
	snap__record_attend(false);
}
