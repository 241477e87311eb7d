/*
 * runtime/sandbox.c - try in a child process whether a call would kill the host.
 *
 * The child is a copy, not a vfork: if it is killed with a core dump, older kernels kill every
 * process that shares its memory.  Its exit sends no signal, so that the host's handlers and plain
 * wait() do not notice it.
 */
#include "runtime/sandbox.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/kcmp.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/os_linux.h"
#include "runtime/text.h"

static bool began_filtered;
static uint64_t filters_at_start;

bool snap__sandbox_is_filtered(void)
{
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == SECCOMP_MODE_FILTER;
}

/* 0: none, or this kernel does not count them. */
static uint64_t count_filters(void)
{
	static const char name[] = "\nSeccomp_filters:";
	char text[2048];
	const char *line = NULL;

	if (snap__os_read_file("/proc/self/status", text, sizeof(text)) > 0)
		line = strstr(text, name);
	return line ? snap__parse_u64(line + sizeof(name) - 1, NULL) : 0;
}

void snap__sandbox_begin(void)
{
	int saved = errno;

	began_filtered = snap__sandbox_is_filtered();
	filters_at_start = began_filtered ? count_filters() : 0;
	errno = saved;
}

bool snap__sandbox_was_entered(void)
{
	int saved = errno;
	bool entered = began_filtered ? count_filters() > filters_at_start
				      : prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != SECCOMP_MODE_DISABLED;

	errno = saved;
	return entered;
}

/* Both run in the child: files that they open are closed at its end. */
static void try_socket(void)
{
	syscall(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static void try_kcmp(void)
{
	long self = syscall(SYS_getpid);

	syscall(SYS_kcmp, self, self, KCMP_VM, 0, 0);
}

static void attempt_in_child(void (*attempt)(void))
{
	const struct rlimit no_core = {0, 0};

	syscall(SYS_prlimit64, 0, RLIMIT_CORE, &no_core, NULL);
	attempt();
	syscall(SYS_exit, 0);
}

static bool survives(void (*attempt)(void))
{
	long child = syscall(SYS_clone, 0ul, NULL, NULL, NULL, NULL);
	int status = -1;
	long reaped;

	if (child == 0)
		attempt_in_child(attempt);
	if (child <= 0)
		return false;
	do
		reaped = syscall(SYS_wait4, child, &status, __WALL, NULL);
	while (reaped < 0 && errno == EINTR);
	return reaped == child && WIFEXITED(status);
}

static bool survives_here(void (*attempt)(void))
{
	int saved = errno;
	bool survived = !snap__sandbox_is_filtered() || survives(attempt);

	errno = saved;
	return survived;
}

void snap__sandbox_end_at_waits(void)
{
	static struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_futex, 0, 6),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, (uint32_t)FUTEX_CMD_MASK),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FUTEX_WAIT, 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FUTEX_WAIT_BITSET, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FUTEX_LOCK_PI, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FUTEX_WAIT_REQUEUE_PI, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	const struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};

	/* Without it the copy waits until its time limit. */
	if (syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		syscall(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

bool snap__sandbox_survives_socket(void)
{
	return survives_here(try_socket);
}

bool snap__sandbox_survives_kcmp(void)
{
	return survives_here(try_kcmp);
}
