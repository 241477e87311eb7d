/*
 * t31 ACTION WAY PROGRAM [ARGUMENT...]: install a filter of system calls, then become the program or start it.
 * Stands for: launchers of sandboxes, whose programs were ended for calls that only we make.
 *
 * ACTION is kill, trap or errno; WAY is exec, mild (the filter leaves getpid() alone), path (the program is
 * looked for), vfork, system, child (the
 * filter is the child's alone), borrower (the same of a child of vfork(), where getpid() is left alone; then the
 * parent, which has a harmless filter of its own, becomes the program, too) or strict (the same, without
 * getpid()).
 */
#include "torture.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* Looking for a file does not need it, where access() is a system call of its own. */
#ifdef SYS_access
#define UNUSED SYS_faccessat
#else
#define UNUSED SYS_sysinfo
#endif

static void confine(unsigned action, unsigned call)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_STMT(BPF_ST, 3),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, UNUSED, 6, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sysinfo, 5, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat2, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigpending, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mkdirat, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_LD | BPF_MEM, 3),
		BPF_STMT(BPF_LD | BPF_IMM, action),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};

	NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	NEED(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static int status_of(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

static int started(pid_t child)
{
	int status = 0;

	NEED(child > 0 && waitpid(child, &status, 0) == child);
	return status_of(status);
}

/* Nobody reads what is at the wrong address: the kernel says EFAULT, with us as without. */
static void ask_in_vain(void)
{
	NEED(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, (void *)16) != 0 && errno == EFAULT);
}

static void become(const char *way, char **arguments)
{
	char *name = strrchr(arguments[0], '/');

	if (strcmp(way, "path") != 0) {
		execv(arguments[0], arguments);
		return;
	}
	NEED(name);
	*name = '\0';
	NEED(setenv("PATH", arguments[0], 1) == 0);
	arguments[0] = name + 1;
	execvp(arguments[0], arguments);
}

static int borrowed(unsigned action, unsigned call, char **arguments)
{
	pid_t child = vfork();

	if (child == 0) {
		confine(action, call);
		execv(arguments[0], arguments);
		_exit(1);
	}
	return started(child);
}

int main(int argc, char **argv)
{
	unsigned action = SECCOMP_RET_ERRNO | EPERM;
	const char *way = argc > 3 ? argv[2] : "";
	pid_t child;

	NEED(argc > 3);
	if (strcmp(argv[1], "kill") == 0)
		action = SECCOMP_RET_KILL_PROCESS;
	else if (strcmp(argv[1], "trap") == 0)
		action = SECCOMP_RET_TRAP;
	if (strcmp(way, "child") == 0) {
		child = fork();
		if (child == 0) {
			confine(action, SYS_getpid);
			execv(argv[3], argv + 3);
			_exit(1);
		}
		return started(child);
	}
	NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	ask_in_vain();
	if (strcmp(way, "borrower") == 0 || strcmp(way, "strict") == 0) {
		unsigned call = way[0] == 's' ? SYS_getpid : UNUSED;

		printf("%d\n", borrowed(action, call, argv + 3));
		fflush(stdout);
		confine(SECCOMP_RET_ALLOW, UNUSED);
		execv(argv[3], argv + 3);
		return 1;
	}
	confine(action, strcmp(way, "mild") == 0 ? UNUSED : SYS_getpid);
	if (strcmp(way, "system") == 0)
		return status_of(system(argv[3]));
	if (strcmp(way, "vfork") == 0) {
		child = vfork();
		if (child == 0) {
			execv(argv[3], argv + 3);
			_exit(1);
		}
		return started(child);
	}
	become(way, argv + 3);
	return 1;
}
