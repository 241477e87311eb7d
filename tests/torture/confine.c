/*
 * confine.c - start a program in a confinement: confine MODE PROGRAM [ARGUMENT...]
 *
 *   refuse    a filter refuses sockets, clone3 and what makes a new file last
 *   service   a filter kills whoever asks for what the ordinary services of a system never do
 *   offline   a filter kills whoever asks for a socket
 *   noproc    a mount namespace without /proc
 *   nobody    user and group 65534, without any other group
 *
 * Linked statically, so that what is preloaded into the program is not preloaded into this.
 */
#include <errno.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY       65534
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MOST_RULES   64u

static const int files_and_sockets[] = {
	SYS_socket, SYS_fsync, SYS_fdatasync, SYS_renameat, SYS_linkat, SYS_renameat2,
#ifdef SYS_rename
	SYS_rename,
#endif
};
static const int sockets[] = {SYS_socket, SYS_socketpair, SYS_bind,   SYS_listen,
			      SYS_accept, SYS_accept4,    SYS_connect};
static const int not_of_services[] = {SYS_ptrace,
				      SYS_perf_event_open,
				      SYS_bpf,
				      SYS_process_vm_readv,
				      SYS_kcmp,
				      SYS_lookup_dcookie,
				      SYS_mount,
				      SYS_process_vm_writev,
				      SYS_umount2,
				      SYS_pivot_root,
				      SYS_swapon,
				      SYS_init_module,
				      SYS_reboot,
				      SYS_kexec_load,
				      SYS_acct,
				      SYS_userfaultfd,
				      SYS_quotactl,
				      SYS_settimeofday,
				      SYS_adjtimex,
				      SYS_clock_settime,
				      SYS_nfsservctl,
				      SYS_vhangup,
				      SYS_open_by_handle_at};

/* `action` for the given system calls; clone3 is said not to exist, as containers do. */
static int filter(const int *calls, size_t count, unsigned action)
{
	struct sock_filter rules[MOST_RULES];
	struct sock_fprog program = {0, rules};

#define ADD(...) rules[program.len++] = (struct sock_filter)__VA_ARGS__
	ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
	for (size_t i = 0; i < count; i++) {
		ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i], 0, 1));
		ADD(BPF_STMT(BPF_RET | BPF_K, action));
	}
	ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1));
	ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS));
	ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
#undef ADD
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static int without_proc(void)
{
	return unshare(CLONE_NEWNS) == 0 &&
	       mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       umount2("/proc", MNT_DETACH) == 0;
}

static int as_nobody(void)
{
	return setgroups(0, NULL) == 0 && setgid(NOBODY) == 0 && setuid(NOBODY) == 0;
}

static int confine(const char *mode)
{
	if (strcmp(mode, "refuse") == 0)
		return filter(files_and_sockets, COUNT(files_and_sockets),
			      SECCOMP_RET_ERRNO | EPERM);
	if (strcmp(mode, "service") == 0)
		return filter(not_of_services, COUNT(not_of_services), SECCOMP_RET_KILL_PROCESS);
	if (strcmp(mode, "offline") == 0)
		return filter(sockets, COUNT(sockets), SECCOMP_RET_KILL_PROCESS);
	if (strcmp(mode, "noproc") == 0)
		return without_proc();
	if (strcmp(mode, "nobody") == 0)
		return as_nobody();
	errno = EINVAL;
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 3 || !confine(argv[1])) {
		perror("confine");
		return 125;
	}
	execv(argv[2], argv + 2);
	perror(argv[2]);
	return 127;
}
