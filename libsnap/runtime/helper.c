/*
 * runtime/helper.c - start and end a process that shares the host's address space.
 */
#include "arch/arch.h"
#include "runtime/helper.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/arena.h"
#include "runtime/kernel_signal.h"
#include "runtime/os_linux.h"
#include "runtime/thread.h"
#include "write/sys.h"

#define STACK_BYTES ((size_t)512 << 10)
#define PAGE_BYTES  ((size_t)4096)
/* memory around the addresses that are used; libc's struct pthread is there */
#define THREAD_MARGIN  ((size_t)16 << 10)
#define CLOSE_AT_MOST  65536u
#define NAMESPACE_TEXT 64

/* ---- its memory ------------------------------------------------------------------------------ */

/*
 * Thread-local variables are found by their distance from the thread pointer, which is the same in
 * every thread.  Those that the helper uses are errno and libsnap's.
 */
bool snap__helper_prepare(struct snap__helper *helper)
{
	char *pointer = snap__arch_thread_pointer(), *low = pointer, *high = pointer;
	char *used[] = {(char *)&errno, (char *)&snap__thread_self};
	size_t below, above;
	int saved = errno;

	if (helper->memory)
		return true;
	for (size_t i = 0; i < sizeof(used) / sizeof(used[0]); i++) {
		low = used[i] < low ? used[i] : low;
		high = used[i] > high ? used[i] : high;
	}
	below = ((size_t)(pointer - low) + THREAD_MARGIN) & ~(PAGE_BYTES - 1);
	above = ((size_t)(high - pointer) + THREAD_MARGIN) & ~(PAGE_BYTES - 1);
	helper->size = PAGE_BYTES + STACK_BYTES + below + above;
	helper->memory = snap__map(helper->size);
	if (!helper->memory)
		return false;
	/* Beyond the stack's end nothing may be written. */
	syscall(SYS_mprotect, helper->memory, PAGE_BYTES, PROT_NONE);
	errno = saved;
	helper->thread_pointer = helper->memory + PAGE_BYTES + STACK_BYTES + below;
	return true;
}

/* The first words of a thread's block as libc expects them. */
static void prepare_thread_block(const struct snap__helper *helper)
{
#if SNAP__ARCH_POINTS_TO_THREAD
	char **words = (char **)(void *)helper->thread_pointer;

	/* words 3 to 6 of libc: whether there are several threads, and the stack guard */
	memcpy(&words[3], snap__arch_thread_pointer() + 24, 32);
	words[0] = words[2] = helper->thread_pointer;
	words[3] = (char *)1;
#else
	(void)helper;
#endif
}

/* ---- its first steps ------------------------------------------------------------------------- */

/* Have a table of file descriptors of our own, and empty it. */
static bool leave_files(void)
{
	struct rlimit limit = {0, 0};

	if (snap__os_private_files())
		return true;
	if (syscall(SYS_unshare, CLONE_FILES) != 0)
		return false;
	syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &limit);
	for (unsigned fd = 0; fd < limit.rlim_cur && fd < CLOSE_AT_MOST; fd++)
		syscall(SYS_close, fd);
	return true;
}

/* Raise a limit to the hard limit; that of address space beyond it, if that is allowed. */
static void raise_limit(int what)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	if (what == RLIMIT_AS && syscall(SYS_prlimit64, 0, what, &limit, NULL) == 0)
		return;
	if (syscall(SYS_prlimit64, 0, what, NULL, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	syscall(SYS_prlimit64, 0, what, &limit, NULL);
}

/* The host's limits are not meant for the helper.  A fault of the helper must not dump the host's
 * memory. */
static void adjust_limits(void)
{
	const struct rlimit none = {0, 0};

	raise_limit(RLIMIT_NOFILE);
	raise_limit(RLIMIT_FSIZE);
	raise_limit(RLIMIT_AS);
	raise_limit(RLIMIT_DATA);
	syscall(SYS_prlimit64, 0, RLIMIT_CORE, &none, NULL);
}

static void enter(void *argument)
{
	struct snap__helper *helper = argument;
	uint64_t of_host[2];
	int status;

	snap__arch_float_begin(of_host); /* and it stays so */
	syscall(SYS_prctl, PR_SET_PDEATHSIG, SNAP__HELPER_SIGNAL, 0, 0, 0);
	syscall(SYS_prctl, PR_SET_NAME, "snapdiff", 0, 0, 0);
	helper->has_files = !leave_files();
	adjust_limits();
	snap__thread_internal(true);
	status = helper->main(helper->argument);
	for (;;)
		syscall(SYS_exit, status);
}

/* ---- starting -------------------------------------------------------------------------------- */

bool snap__signals_block(uint64_t *before)
{
	const uint64_t all = ~(uint64_t)0;

	*before = 0;
	return syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, before, sizeof(all)) == 0;
}

void snap__signals_restore(const uint64_t *before)
{
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, before, NULL, sizeof(*before));
}

/* Are the calling thread's children in the same pid namespace as the host?  The link that tells is there, but leads
 * nowhere, until a new namespace has its first process.  A helper must not become that one: with its end no
 * process could be made there any more. */
static bool children_are_near(void)
{
	static const char link[] = "/proc/thread-self/ns/pid_for_children";
	char own[NAMESPACE_TEXT], theirs[NAMESPACE_TEXT];
	ssize_t n = snap__sys_readlink("/proc/thread-self/ns/pid", own, sizeof(own));
	ssize_t m = snap__sys_readlink(link, theirs, sizeof(theirs));
	struct stat unused;

	if (n <= 0)
		return true;
	if (m <= 0)
		return snap__sys_lstat(AT_FDCWD, link, &unused) != 0;
	return n == m && memcmp(own, theirs, (size_t)n) == 0;
}

static bool is_forbidden;

void snap__helper_forbid(void)
{
	is_forbidden = true;
}

bool snap__helper_is_forbidden(void)
{
	return is_forbidden;
}

int snap__helper_start(struct snap__helper *helper, int (*main)(void *argument), void *argument)
{
	const unsigned long flags =
		CLONE_VM | CLONE_FILES | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
	int saved = errno, id = 0;
	uint64_t mask;
	long pid;

	if (is_forbidden)
		return ENOSYS;
	if (!snap__helper_reap(helper, 0))
		return EBUSY;
	if (!children_are_near()) {
		errno = saved;
		return EINVAL;
	}
	if (!snap__helper_prepare(helper)) {
		errno = saved;
		return ENOMEM;
	}
	prepare_thread_block(helper);
	helper->main = main;
	helper->argument = argument;
	helper->parent = snap__sys_getpid();
	atomic_store(&helper->id, -1); /* the kernel clears it when the helper has ended */
	snap__signals_block(&mask);
	pid = snap__arch_clone(flags, helper->memory + PAGE_BYTES + STACK_BYTES, &id, &helper->id,
			       helper->thread_pointer, enter, helper);
	snap__signals_restore(&mask);
	if (pid > 0)
		helper->unreaped = (int)pid;
	else
		atomic_store(&helper->id, 0);
	errno = saved;
	return pid > 0 ? 0 : (int)-pid;
}

/* ---- while it runs, and its end --------------------------------------------------------------- */

bool snap__helper_runs(const struct snap__helper *helper)
{
	return atomic_load(&helper->id) != 0;
}

/* The kernel wakes it through a futex that is not private. */
static void wait_until_gone(struct snap__helper *helper, uint64_t timeout_ns)
{
	struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / 1000000000u),
				   .tv_nsec = (long)(timeout_ns % 1000000000u)};

	syscall(SYS_futex, &helper->id, FUTEX_WAIT, -1, &timeout, NULL, 0);
}

bool snap__helper_reap(struct snap__helper *helper, uint64_t timeout_ns)
{
	uint64_t end = timeout_ns ? snap__os_mono_ns() + timeout_ns : 0, now;
	int saved = errno;

	while (snap__helper_runs(helper) && end > (now = snap__os_mono_ns()))
		wait_until_gone(helper, end - now);
	/* If the helper was killed, the kernel has cleared the word as well. */
	if (!snap__helper_runs(helper) && helper->unreaped) {
		while (syscall(SYS_wait4, helper->unreaped, NULL, __WALL, NULL) < 0 &&
		       errno == EINTR)
			;
		helper->unreaped = 0;
	}
	errno = saved;
	return !snap__helper_runs(helper);
}

bool snap__helper_wake(const struct snap__helper *helper)
{
	int saved = errno, pid = helper->unreaped;
	bool woken = pid == 0 || syscall(SYS_kill, pid, SNAP__HELPER_SIGNAL) == 0;

	errno = saved;
	return woken;
}

void snap__helper_limit(unsigned seconds)
{
	static int timer = -1;
	const struct itimerspec when = {.it_value = {.tv_sec = (time_t)seconds}};
	struct sigevent kill_us = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
	static int owner;

	if (owner != snap__sys_getpid()) {
		if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &kill_us, &timer) != 0)
			return;
		owner = snap__sys_getpid();
	}
	syscall(SYS_timer_settime, timer, 0, &when, NULL);
}

bool snap__helper_host_ended(const struct snap__helper *helper)
{
	return snap__sys_getppid() != helper->parent;
}

bool snap__helper_host_left(const struct snap__helper *helper)
{
	long order = syscall(SYS_kcmp, helper->parent, (long)snap__sys_getpid(), KCMP_VM, 0, 0);

	return order > 0; /* negative: the system call is not allowed here */
}

/* ---- calls that may never return -------------------------------------------------------------- */

#if SNAP__ARCH_CAN_JUMP
static void *way_out[5]; /* of __builtin_setjmp() */
#endif
static const struct snap__helper *caller;
static volatile bool was_woken;

static void leave_call(void)
{
#if SNAP__ARCH_CAN_JUMP
	__builtin_longjmp(way_out, 1);
#else
	syscall(SYS_exit, 0); /* this compiler cannot jump on this processor */
#endif
}

/* The kernel signals a helper also when the thread that started it ends. */
static void on_wake(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	(void)context;
	if (snap__helper_host_ended(caller))
		leave_call();
	was_woken = true;
}

/* The handler is the helper's own: helper and host do not share the table of signal actions. */
static void open_for_wakes(void)
{
	const struct snap__kernel_action ours = {on_wake,
						 SA_SIGINFO | SA_RESTART | SNAP__ARCH_RESTORE_FLAG,
						 SNAP__ARCH_RESTORE_CODE, ~(uint64_t)0};
	const uint64_t others = ~(1ull << (SNAP__HELPER_SIGNAL - 1));

	syscall(SYS_rt_sigaction, SNAP__HELPER_SIGNAL, &ours, NULL, sizeof(ours.mask));
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &others, NULL, sizeof(others));
}

bool snap__helper_call(const struct snap__helper *helper, void (*fn)(void *argument),
		       void *argument)
{
	volatile bool returned = false;
	uint64_t ignored;

	caller = helper;
	was_woken = false;
#if SNAP__ARCH_CAN_JUMP
	if (__builtin_setjmp(way_out) == 0)
#endif
	{
		open_for_wakes();
		if (!snap__helper_host_ended(helper)) {
			fn(argument);
			returned = true;
		}
	}
	snap__signals_block(&ignored);
	if (was_woken) /* the code that waits for the signal has not seen it */
		syscall(SYS_kill, snap__sys_getpid(), SNAP__HELPER_SIGNAL);
	return returned;
}

void snap__helper_after_fork(struct snap__helper *helper)
{
	atomic_store(&helper->id, 0);
	helper->unreaped = 0;
}
