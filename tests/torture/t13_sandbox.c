/*
 * t13: sandboxes.
 * Stands for: agents that crash, or kill the host, where system calls are refused: seccomp filters,
 * a limit on address space, no /proc.
 */
#include "torture.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* Refuse what opens files and sockets, as a parser in a browser is confined. */
static void confine(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_open, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	};
	struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};

	NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	NEED(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	struct rlimit limit = {200ul << 20, 200ul << 20};

	if (strcmp(how, "seccomp") == 0) {
		confine();
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
