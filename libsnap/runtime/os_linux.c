/*
 * runtime/os_linux.c - the system calls behind os_linux.h.
 */
#include "runtime/os_linux.h"
#include "arch/arch.h"
#include "runtime/vdso.h"
#include "write/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#define CLOSE_RANGE_UNSHARE_FLAG 2u

void snap__os_wait(atomic_uint *word, unsigned value, uint64_t timeout_ns)
{
	int saved = errno;
	struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / 1000000000u),
				   .tv_nsec = (long)(timeout_ns % 1000000000u)};

	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value,
		timeout_ns == UINT64_MAX ? NULL : &timeout, NULL, 0);
	errno = saved;
}

void snap__os_wake(atomic_uint *word)
{
	int saved = errno;

	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 0x7fffffff, NULL, NULL, 0);
	errno = saved;
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now = {0};

	snap__vdso_clock(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t snap__os_wall_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

uint64_t snap__os_mono_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t snap__os_thread_cpu_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t snap__os_process_cpu_ns(int pid)
{
	/* The kernel's number for the CPU clock of a process. */
	return clock_ns((clockid_t)((~(unsigned)pid << 3) | 2u));
}

static atomic_bool sealed;
static const void *unsealed; /* the thread pointer of the one thread that is not */

void snap__os_seal(const void *thread_pointer)
{
	unsealed = thread_pointer;
	atomic_store(&sealed, true);
}

bool snap__os_is_sealed(void)
{
	return __builtin_expect(atomic_load_explicit(&sealed, memory_order_relaxed), 0) &&
	       (!unsealed || snap__arch_thread_pointer() != unsealed);
}

void snap__os_yield(void)
{
	if (!snap__os_is_sealed())
		syscall(SYS_sched_yield);
}

void snap__os_sleep(uint64_t ns)
{
	int saved = errno;
	struct timespec time = {.tv_sec = (time_t)(ns / 1000000000u),
				.tv_nsec = (long)(ns % 1000000000u)};

	syscall(SYS_nanosleep, &time, NULL);
	errno = saved;
}

int snap__os_thread_id(void)
{
	return (int)syscall(SYS_gettid);
}

uint64_t snap__os_machine_memory(void)
{
	struct sysinfo info = {0};
	int saved = errno;

	if (syscall(SYS_sysinfo, &info) != 0)
		info.totalram = 0;
	errno = saved;
	return (uint64_t)info.totalram * info.mem_unit;
}

/* The kernel reads the set of signals at that address before it finds that `how` is invalid. */
bool snap__os_is_readable(const void *address)
{
	int saved = errno, error;

	if (snap__os_is_sealed())
		return false;
	syscall(SYS_rt_sigprocmask, -1, address, NULL, 8);
	error = errno;
	errno = saved;
	return error == EINVAL;
}

/* `at_once`: one read gives everything. */
static long read_file(const char *path, char *buffer, size_t size, bool at_once)
{
	int saved = errno;
	int fd = snap__sys_open(path, O_RDONLY | O_CLOEXEC);
	size_t used = 0;

	buffer[0] = '\0';
	if (fd < 0) {
		errno = saved;
		return -1;
	}
	while (used + 1 < size) {
		ssize_t got = snap__sys_read(fd, buffer + used, size - 1 - used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		used += (size_t)got;
		if (at_once)
			break;
	}
	buffer[used] = '\0';
	snap__sys_close(fd);
	errno = saved;
	return (long)used;
}

long snap__os_read_file(const char *path, char *buffer, size_t size)
{
	return read_file(path, buffer, size, false);
}

long snap__os_read_record(const char *path, char *buffer, size_t size)
{
	return read_file(path, buffer, size, true);
}

bool snap__os_write_all(int fd, const void *data, size_t size, int *error)
{
	int saved = errno;
	const char *at = data;

	while (size > 0) {
		ssize_t put = snap__sys_write(fd, at, size);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0) {
			*error = put < 0 ? errno : EIO;
			errno = saved;
			return false;
		}
		at += put;
		size -= (size_t)put;
	}
	errno = saved;
	return true;
}

static const uint64_t raised_by_writes = 1ull << (SIGPIPE - 1) | 1ull << (SIGXFSZ - 1);

static uint64_t pending_signals(void)
{
	uint64_t pending = 0;

	syscall(SYS_rt_sigpending, &pending, sizeof(pending));
	return pending & raised_by_writes;
}

void snap__quiet_begin(struct snap__quiet *quiet)
{
	int saved = errno;

	quiet->mask = 0;
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &raised_by_writes, &quiet->mask,
		sizeof(quiet->mask));
	quiet->pending = pending_signals();
	errno = saved;
}

void snap__quiet_end(const struct snap__quiet *quiet)
{
	const struct timespec at_once = {0, 0};
	int saved = errno;
	uint64_t ours = pending_signals() & ~quiet->pending;

	while (ours && syscall(SYS_rt_sigtimedwait, &ours, NULL, &at_once, sizeof(ours)) > 0)
		ours = pending_signals() & ~quiet->pending;
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &quiet->mask, NULL, sizeof(quiet->mask));
	errno = saved;
}

bool snap__os_private_files(void)
{
	int saved = errno;
	long failed = syscall(SYS_close_range, 0u, ~0u, CLOSE_RANGE_UNSHARE_FLAG);

	errno = saved;
	return failed == 0;
}

bool snap__os_make_directory(const char *path)
{
	int saved = errno;
	struct stat info;
	bool there = (snap__sys_mkdir(path, 0777) == 0 || errno == EEXIST) &&
		     snap__sys_stat(AT_FDCWD, path, &info) == 0 && S_ISDIR(info.st_mode);

	errno = saved;
	return there;
}

void *snap__os_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
	return (void *)syscall(SYS_mmap, address, size, protection, flags, fd, offset);
}

int snap__os_munmap(void *base, size_t size)
{
	return (int)syscall(SYS_munmap, base, size);
}

void *snap__os_mremap(void *base, size_t size, size_t new_size, int flags, void *wanted)
{
	return (void *)syscall(SYS_mremap, base, size, new_size, flags, wanted);
}

atomic_uint *snap__os_fork_witness(void)
{
	int saved = errno;
	size_t page = (size_t)getauxval(AT_PAGESZ);
	void *base = snap__os_mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				   -1, 0);

	if (base != MAP_FAILED && snap__sys_madvise(base, page, MADV_WIPEONFORK) != 0) {
		snap__os_munmap(base, page);
		base = MAP_FAILED;
	}
	errno = saved;
	return base == MAP_FAILED ? NULL : base;
}
