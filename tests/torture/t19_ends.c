/*
 * t19: the ways in which a process ends.
 * Stands for: a last snapshot that is missing when it matters most; a status, a core or a handler
 * that a guest has changed; a disposition that the program is not told the truth about.
 */
#include "torture.h"

#include <assert.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static void *volatile keep[1000];

static void own_handler(int number)
{
	static const char text[] = "handled\n";

	NEED(write(STDOUT_FILENO, text, sizeof(text) - 1) == (ssize_t)sizeof(text) - 1);
	_exit(number == SIGTERM ? 7 : 8);
}

/* As crash reporters do: say something, and die of the same signal. */
static void report_and_die(int number)
{
	NEED(write(STDOUT_FILENO, "report\n", 7) == 7);
	signal(number, SIG_DFL);
	raise(number);
}

/* Says something, and leaves the rest to abort(). */
static void report(int number)
{
	struct sigaction now;

	NEED(write(STDOUT_FILENO, "report\n", 7) == 7);
	NEED(sigaction(number, NULL, &now) == 0);
	NEED(now.sa_handler == report ||
	     (now.sa_handler == SIG_DFL && (now.sa_flags & (int)SA_RESETHAND)));
	NEED(!(now.sa_flags & SA_SIGINFO));
}

static sigjmp_buf after_abort;

static void jump(int number)
{
	siglongjmp(after_abort, number);
}

/* Leaves abort() by a jump, once; later signals are only reported. */
static void jump_first(int number)
{
	static volatile sig_atomic_t jumped;

	if (!jumped++)
		siglongjmp(after_abort, number);
	NEED(write(STDOUT_FILENO, "report\n", 7) == 7);
}

static void live_on(void)
{
	struct sigaction now;

	NEED(sigaction(SIGABRT, NULL, &now) == 0 && now.sa_handler == jump_first);
	raise(SIGABRT);
	kill(getpid(), SIGABRT);
	NEED(write(STDOUT_FILENO, "alive\n", 6) == 6);
}

/* `how`: what abort() meets. */
static void abort_with(const char *how)
{
	struct sigaction action = {.sa_handler = report};

	if (strcmp(how, "once") == 0)
		action.sa_flags = (int)SA_RESETHAND;
	if (strcmp(how, "nothing") == 0)
		action.sa_handler = SIG_IGN;
	if (strcmp(how, "jump") == 0)
		action.sa_handler = jump;
	if (strcmp(how, "live") == 0)
		action.sa_handler = jump_first;
	NEED(sigaction(SIGABRT, &action, NULL) == 0);
	if (sigsetjmp(after_abort, 1) != 0) {
		if (action.sa_handler == jump_first) {
			live_on();
			return;
		}
		NEED(signal(SIGABRT, SIG_DFL) == jump);
		return;
	}
	if (strcmp(how, "assert") == 0)
		assert(getpid() == 0);
	abort();
}

/* As reporters do that run once: the fault or the signal comes again, and ends the program. */
static void once(const char *how)
{
	struct sigaction action = {.sa_handler = report, .sa_flags = (int)SA_RESETHAND}, before;

	for (int number = 1; number < SIGKILL; number++) {
		NEED(sigaction(number, &action, NULL) == 0);
		NEED(sigaction(number, &action, &before) == 0);
		NEED(before.sa_handler == report && (before.sa_flags & (int)SA_RESETHAND));
	}
	NEED(signal(SIGHUP, SIG_DFL) == report);
	if (strcmp(how, "fault") == 0)
		*(volatile int *)8 = 1;
	if (strcmp(how, "sysv") == 0) { /* what signal() is in C11 without extensions */
		NEED(sysv_signal(SIGQUIT, report) == report);
		NEED(sysv_signal(SIGQUIT, report) == report);
	}
	raise(SIGQUIT);
	raise(SIGQUIT);
}

static void sigaction_as(int number, void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler};

	NEED(sigaction(number, &action, NULL) == 0);
}

/* What libc says of dispositions that the program has not touched, or has put back. */
static void print_dispositions(void)
{
	struct sigaction now;

	sigaction_as(SIGHUP, SIG_IGN);
	NEED(signal(SIGUSR1, own_handler) == SIG_DFL);
	NEED(signal(SIGUSR1, SIG_DFL) == own_handler);
	NEED(signal(SIGUSR1, SIG_DFL) == SIG_DFL);
	for (int number = 1; number < 32; number++)
		if (sigaction(number, NULL, &now) == 0)
			printf("%d %s %x\n", number,
			       now.sa_handler == SIG_DFL   ? "default"
			       : now.sa_handler == SIG_IGN ? "ignored"
							   : "handled",
			       (unsigned)now.sa_flags);
	fflush(stdout);
}

__attribute__((noinline)) static int recurse(int depth)
{
	char volatile room[4096];

	room[depth % 4096] = (char)depth;
	return recurse(depth + 1) + room[0];
}

static void exit_without_libc(void)
{
#if defined(__x86_64__)
	__asm__ volatile("syscall" : : "a"(SYS_exit_group), "D"(3));
#elif defined(__aarch64__)
	register long number __asm__("x8") = SYS_exit_group;
	register long status __asm__("x0") = 3;

	__asm__ volatile("svc #0" : : "r"(number), "r"(status));
#endif
}

static int number_of(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} all[] = {{"abrt", SIGABRT}, {"term", SIGTERM}, {"int", SIGINT},   {"quit", SIGQUIT},
		   {"hup", SIGHUP},   {"alrm", SIGALRM}, {"usr1", SIGUSR1}, {"usr2", SIGUSR2},
		   {"kill", SIGKILL}, {"xcpu", SIGXCPU}, {"pipe", SIGPIPE}, {"trap", SIGTRAP},
		   {"real", 40}};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(all[i].name, name) == 0)
			return all[i].number;
	return 0;
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	const struct rlimit no_core = {0, 0};

	setrlimit(RLIMIT_CORE, &no_core);
	for (int i = 0; i < 1000; i++)
		keep[i] = malloc(100);
	if (number_of(how))
		kill(getpid(), number_of(how));
	else if (strcmp(how, "abort") == 0)
		abort();
	else if (strncmp(how, "abort_", 6) == 0)
		abort_with(how + 6);
	else if (strncmp(how, "once_", 5) == 0)
		once(how + 5);
	else if (strcmp(how, "segv") == 0)
		*(volatile int *)8 = 1;
	else if (strcmp(how, "ill") == 0)
		__builtin_trap();
	else if (strcmp(how, "overflow") == 0)
		return recurse(0);
	else if (strcmp(how, "raw") == 0)
		syscall(SYS_exit_group, 3);
	else if (strcmp(how, "bare_metal") == 0)
		exit_without_libc();
	else if (strcmp(how, "exec") == 0)
		execl("/bin/sh", "sh", "-c", "exit 3", (char *)NULL);
	else if (strcmp(how, "failed_exec") == 0)
		execl("/does/not/exist", "x", (char *)NULL);
	else if (strcmp(how, "own") == 0)
		sigaction_as(SIGTERM, own_handler), raise(SIGTERM);
	else if (strcmp(how, "ignored") == 0)
		sigaction_as(SIGTERM, SIG_IGN), raise(SIGTERM);
	else if (strcmp(how, "reporter") == 0)
		sigaction_as(SIGSEGV, report_and_die), *(volatile int *)8 = 1;
	else if (strcmp(how, "dispositions") == 0)
		print_dispositions();
	return 5;
}
