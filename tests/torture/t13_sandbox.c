/*
 * t13: sandboxes.
 * Stands for: agents that crash, or kill the host, where system calls are refused: seccomp filters,
 * a limit on address space, no /proc.  Filters that kill are for what the host's own threads do:
 * whoever asks there for more than the host itself needs ends it.
 */
#include "torture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define LANDLOCK_CREATE_RULESET 444 /* older headers do not have them */
#define LANDLOCK_RESTRICT_SELF  446

/* Refuse what opens files and sockets, as a parser in a browser is confined. */
static void confine(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 4, 0),
#ifdef SYS_open
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_open, 3, 0),
#else
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 3, 0),
#endif
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	};
	struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};

	NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	NEED(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

/* From now on this thread may allocate, wait, write and end; anything else kills the process. */
static void confine_or_die(void)
{
	static const int allowed[] = {SYS_read,           SYS_write,        SYS_brk,
				      SYS_mmap,           SYS_munmap,       SYS_mremap,
				      SYS_madvise,        SYS_mprotect,     SYS_futex,
				      SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sched_yield,
				      SYS_clock_gettime,  SYS_getpid,       SYS_getrandom,
				      SYS_exit,           SYS_exit_group};
	enum { COUNT = sizeof(allowed) / sizeof(allowed[0]) };
	struct sock_filter filter[COUNT + 3];
	struct sock_fprog program = {COUNT + 3, filter};

	filter[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, nr));
	for (int i = 0; i < COUNT; i++)
		filter[1 + i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							     (unsigned)allowed[i], COUNT - i, 0);
	filter[COUNT + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	filter[COUNT + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	NEED(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

/* Landlock: from now on no file can be opened or made.  An older kernel has none. */
static void restrict_files(void)
{
	const unsigned long handled[] = {(1ul << 13) - 1}; /* every right of its first version */
	int rules = (int)syscall(LANDLOCK_CREATE_RULESET, handled, sizeof(handled), 0);

	NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	if (rules < 0)
		return;
	NEED(syscall(LANDLOCK_RESTRICT_SELF, rules, 0) == 0);
	close(rules);
	NEED(open("/dev/null", O_RDONLY) == -1 && errno == EACCES);
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	struct rlimit limit = {200ul << 20, 200ul << 20};

	if (strcmp(how, "seccomp") == 0) {
		confine();
	} else if (strcmp(how, "kill") == 0) {
		confine_or_die();
		churn(3000);
	} else if (strcmp(how, "landlock") == 0) {
		restrict_files();
		churn(3000);
	} else if (strcmp(how, "as") == 0) {
		NEED(setrlimit(RLIMIT_AS, &limit) == 0);
		for (int i = 0; i < 3000; i++) { /* to the limit, ours included, and on */
			void *volatile p = malloc(100000);

			(void)p;
		}
	} else if (strcmp(how, "noproc") == 0) {
		if (geteuid() == 0 && syscall(SYS_unshare, CLONE_NEWNS) == 0) {
			mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
			umount2("/proc", MNT_DETACH);
		}
	}
	if (strcmp(how, "userns") == 0) { /* refused to processes with several threads */
		int result = unshare(CLONE_NEWUSER);

		puts(result == 0 ? "new" : "refused"); /* the same, recorded or not */
	}
	for (int i = 0; i < 20; i++) {
		char *volatile p = malloc(64);

		free(p);
	}
	return 0;
}
