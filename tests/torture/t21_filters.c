/*
 * t21: filters of system calls that a program installs, and limits.
 * Stands for: a guest that opens a file, a socket or makes a process where the host may not, and is
 * killed for it, with the host or with each of its workers.
 *
 * t21_filters ACTION WAY [fork]
 */
#include "torture.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static void *volatile keep[2000];

static void confine(unsigned action, int by_syscall)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 5, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_kill, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_wait4, 0, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, action),
	};
	struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};

	NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	if (by_syscall)
		NEED(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC,
			     &program) == 0);
	else
		NEED(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static void allocate(int from, int to)
{
	for (int i = from; i < to; i++) {
		free(keep[i]);
		keep[i] = malloc(3000);
	}
}

static void work_in_children(void)
{
	for (int n = 0; n < 3; n++) {
		pid_t child = fork();
		int status = 0;

		if (child == 0) {
			allocate(0, 2000);
			_exit(5);
		}
		NEED(waitpid(child, &status, 0) == child);
		printf("worker %x\n", (unsigned)status);
	}
}

static void limit(int what, rlim_t value)
{
	const struct rlimit limits = {value, value};

	NEED(setrlimit(what, &limits) == 0);
}

int main(int argc, char **argv)
{
	const char *action = argc > 1 ? argv[1] : "", *way = argc > 2 ? argv[2] : "";

	allocate(0, 1000);
	if (strcmp(action, "kill") == 0)
		confine(SECCOMP_RET_KILL_PROCESS, strcmp(way, "seccomp") == 0);
	else if (strcmp(action, "trap") == 0)
		confine(SECCOMP_RET_TRAP, strcmp(way, "seccomp") == 0);
	else if (strcmp(action, "errno") == 0)
		confine(SECCOMP_RET_ERRNO | EPERM, strcmp(way, "seccomp") == 0);
	else if (strcmp(action, "fsize") == 0)
		limit(RLIMIT_FSIZE, 0);
	else if (strcmp(action, "nofile") == 0)
		limit(RLIMIT_NOFILE, 3);
	allocate(1000, 2000);
	if (argc > 3)
		work_in_children();
	printf("fine\n");
	return 0;
}
