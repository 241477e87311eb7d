/*
 * t21: filters of system calls that a program installs, and limits.
 * Stands for: a guest that opens a file, a socket or makes a process where the host may not, and is
 * killed for it, with the host or with each of its workers.
 *
 * t21_filters ACTION WAY [fork|fault]
 *
 * WAY is the call that installs the filter; `raw` is one that no library sees.
 */
#include "torture.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static void *volatile keep[2000], *volatile nowhere;

/* A system call past libc. */
static long raw(long number, long a, long b, long c)
{
	long result = -1;

#if defined(__x86_64__)
	register long r10 __asm__("r10") = 0, r8 __asm__("r8") = 0;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b,
			 x2 __asm__("x2") = c, x3 __asm__("x3") = 0, x4 __asm__("x4") = 0;

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
			 : "memory");
	result = x0;
#endif
	return result;
}

static void confine(unsigned action, const char *way)
{
	/* Who must ask for a filter that nobody saw being installed can do so by prctl() only. */
	unsigned more = strcmp(way, "raw") == 0 ? SYS_kcmp : SYS_prctl;
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 9, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 8, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, more, 7, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpid, 6, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_gettid, 5, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_tgkill, 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigaction, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_kill, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_wait4, 0, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, action),
	};
	struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};

	if (strcmp(way, "raw") == 0) {
		NEED(raw(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0) == 0);
		NEED(raw(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, (long)&program) == 0);
		return;
	}
	NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	if (strcmp(way, "seccomp") == 0)
		NEED(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC,
			     &program) == 0);
	else
		NEED(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

/* Without the privilege a filter is refused, unless the process has renounced new privileges. */
static void be_refused(void)
{
	struct sock_filter filter[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	struct sock_fprog program = {1, filter};
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	NEED(syscall(SYS_capget, &header, sets) == 0);
	sets[0].effective &= ~(1u << CAP_SYS_ADMIN);
	NEED(syscall(SYS_capset, &header, sets) == 0);
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0)
		NEED(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0 && errno == EACCES);
}

/* Nothing is installed: the answer says whether the kernel could. */
static void ask(void)
{
	NEED(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) != 0);
	NEED(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, (void *)16) != 0);
	NEED(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, NULL) != 0);
	NEED(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, NULL) != 0);
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

/* All addresses are taken but for a few pages, and the heap is full. */
static void leave_no_space(void)
{
	unsigned long pages = 0;
	FILE *statm = fopen("/proc/self/statm", "r");

	NEED(statm && fscanf(statm, "%lu", &pages) == 1 && fclose(statm) == 0);
	limit(RLIMIT_AS, pages * 4096 + (256 << 10));
}

int main(int argc, char **argv)
{
	const char *action = argc > 1 ? argv[1] : "", *way = argc > 2 ? argv[2] : "";

	allocate(0, 1000);
	if (strcmp(action, "kill") == 0)
		confine(SECCOMP_RET_KILL_PROCESS, way);
	else if (strcmp(action, "trap") == 0)
		confine(SECCOMP_RET_TRAP, way);
	else if (strcmp(action, "errno") == 0)
		confine(SECCOMP_RET_ERRNO | EPERM, way);
	else if (strcmp(action, "ask") == 0)
		ask();
	else if (strcmp(action, "refused") == 0)
		be_refused();
	else if (strcmp(action, "nproc") == 0)
		limit(RLIMIT_NPROC, 1);
	else if (strcmp(action, "as") == 0)
		leave_no_space();
	else if (strcmp(action, "fsize") == 0)
		limit(RLIMIT_FSIZE, 0);
	else if (strcmp(action, "nofile") == 0)
		limit(RLIMIT_NOFILE, 3);
	allocate(1000, 2000);
	if (argc > 3 && strcmp(argv[3], "fork") == 0)
		work_in_children();
	else if (argc > 3)
		*(volatile int *)nowhere = 1;
	printf("fine\n");
	return 0;
}
