/*
 * short_calls.c - run a command in which no read and no write moves more than so many bytes.
 *
 * usage: short_calls BYTES COMMAND [ARG...]
 *
 * A read or a write may always move fewer bytes than it was asked to. On a disk that hardly ever
 * happens, so that code which relies on it is not noticed.  The command and all that it starts are
 * traced, and the count of
 * each read and write is cut before the kernel sees it.  How often that
 * was is printed on descriptor 9, if it is open.  The exit status is the command's; 77 where
 * tracing is not
 * possible.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SKIPPED = 77 };

#if defined(__x86_64__)
enum { PIDS = 1 << 22, LOADER = 832 /* bytes of a library that it wants at once */ };

static unsigned long most;
static unsigned long cut;
static unsigned char inside[PIDS]; /* is the process between the entry and the exit of a call? */

static bool is_counted(unsigned long call)
{
	return call == SYS_read || call == SYS_write || call == SYS_pread64 || call == SYS_pwrite64;
}

static void shorten(pid_t pid)
{
	struct user_regs_struct registers;
	unsigned long room = most;

	if (ptrace(PTRACE_GETREGS, pid, 0, &registers) != 0)
		return;
	if ((registers.orig_rax == SYS_read || registers.orig_rax == SYS_pread64) && room < LOADER)
		room = LOADER;
	if (!is_counted(registers.orig_rax) || registers.rdx <= room)
		return;
	registers.rdx = room;
	cut += ptrace(PTRACE_SETREGS, pid, 0, &registers) == 0;
}

/* Returns the signal to hand on. */
static int stopped(pid_t pid, int status)
{
	int number = WSTOPSIG(status);

	if (number == (SIGTRAP | 0x80)) {
		inside[pid % PIDS] ^= 1;
		if (inside[pid % PIDS])
			shorten(pid);
		return 0;
	}
	if (status >> 16) {
		if (status >> 16 == PTRACE_EVENT_EXEC)
			inside[pid % PIDS] = 1; /* the call's exit comes next */
		return 0;
	}
	return number == SIGSTOP ? 0 : number; /* how a new process begins */
}

static int trace(pid_t child)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
			     PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
	int status, result = 0;
	pid_t pid;

	if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_SETOPTIONS, child, 0, options) != 0)
		return SKIPPED;
	ptrace(PTRACE_SYSCALL, child, 0, 0);
	while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		if (pid <= 0)
			continue;
		if (WIFSTOPPED(status)) {
			ptrace(PTRACE_SYSCALL, pid, 0, (long)stopped(pid, status));
			continue;
		}
		inside[pid % PIDS] = 0;
		if (pid == child)
			result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
	dprintf(9, "%lu\n", cut);
	return result;
}

int main(int argc, char **argv)
{
	pid_t child;

	most = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
	if (!most)
		return 2;
	child = fork();
	if (child == 0) {
		close(9);
		if (ptrace(PTRACE_TRACEME, 0, 0, 0) != 0)
			_exit(SKIPPED);
		raise(SIGSTOP);
		execv(argv[2], argv + 2);
		_exit(127);
	}
	return child > 0 ? trace(child) : SKIPPED;
}
#else
int main(void)
{
	return SKIPPED;
}
#endif
