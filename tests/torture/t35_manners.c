/*
 * t35 HOW: what a program rarely looks at, and a recorder must leave alone all the same.
 * Stands for: arithmetic, clocks and system calls of ours in a thread that has forbidden them, and state of
 * the thread or of the C library that our own calls change.
 */
#include "torture.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

enum { DEPTH = 5, PATHS = 1 << (2 * DEPTH) };
static void *kept[PATHS];

/* Four ways at each of DEPTH levels: a stack of its own for each path. */
FAR static void *walk(unsigned path, int depth, size_t size)
{
	void *volatile block;

	switch (path >> (2 * depth) & 3) {
	case 0:
		block = depth ? walk(path, depth - 1, size) : malloc(size);
		break;
	case 1:
		block = depth ? walk(path, depth - 1, size) : malloc(size + 1);
		break;
	case 2:
		block = depth ? walk(path, depth - 1, size) : malloc(size + 2);
		break;
	default:
		block = depth ? walk(path, depth - 1, size) : malloc(size + 3);
		break;
	}
	return block;
}

static void allocate_everywhere(size_t size)
{
	for (unsigned i = 0; i < PATHS; i++) {
		kept[i] = walk(i, DEPTH - 1, size);
		NEED(kept[i]);
	}
}

static void free_all(void)
{
	for (unsigned i = 0; i < PATHS; i++)
		free(kept[i]);
}

/* ---- what is forbidden -------------------------------------------------------------------------- */

/* read(), write() and exit() are left; the counter of time is forbidden as well. */
static void strict(void)
{
	/* What is freed now is there later, without a system call. */
	for (unsigned i = 0; i < PATHS; i++)
		kept[i] = malloc(120);
	free_all();
	NEED(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0);
	allocate_everywhere(100);
	NEED(write(STDOUT_FILENO, "strict\n", 7) == 7);
	syscall(SYS_exit, 3);
}

/* A filter that kills whoever changes the address space. */
static void no_mappings(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_munmap, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_madvise, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};

	NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	NEED(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
	for (int round = 0; round < 20; round++) {
		allocate_everywhere(100 + (size_t)round);
		if (round < 19)
			free_all();
	}
}

/* A filter that kills whoever waits or wakes, while a helper takes one snapshot after the other. */
static void no_waits(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_futex, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sched_yield, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clock_nanosleep, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};
	struct timespec begin, now;

	NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	NEED(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	do {
		allocate_everywhere(100);
		free_all();
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec * 1000 + now.tv_nsec / 1000000 <
		 begin.tv_sec * 1000 + begin.tv_nsec / 1000000 + 300);
}

/* The same, behind a filter that forbids nothing of the kind. */
static void no_more_mappings(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};

	NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	NEED(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
	no_mappings();
}

static void counter(void)
{
#ifdef PR_SET_TSC
	(void)prctl(PR_SET_TSC, PR_TSC_SIGSEGV); /* other processors have none */
#endif
	allocate_everywhere(1000);
}

/* ---- what is noticed ---------------------------------------------------------------------------- */

static void floats(void)
{
	feclearexcept(FE_ALL_EXCEPT);
	allocate_everywhere(1000);
	free_all();
	printf("exceptions %x\n", (unsigned)fetestexcept(FE_ALL_EXCEPT));
	fflush(stdout);
	fesetround(FE_UPWARD);
	feenableexcept(FE_ALL_EXCEPT); /* SIGFPE at each */
	allocate_everywhere(1000);
	free_all();
	NEED(fegetround() == FE_UPWARD);
	fedisableexcept(FE_ALL_EXCEPT);
}

static void errors(void)
{
	const char *message = dlerror();

	printf("%s\n", message ? message : "none before");
	NEED(!dlopen("/no/such/library", RTLD_NOW));
	allocate_everywhere(1000);
	message = dlerror();
	printf("%s\n", message ? message : "none after");
}

static volatile sig_atomic_t handled;

static void handle(int number)
{
	handled += number;
}

static void print_action(const char *when, int number)
{
	struct sigaction now;

	NEED(sigaction(number, NULL, &now) == 0);
	printf("%s: %s, flags %x, %s\n", when,
	       now.sa_handler == SIG_DFL  ? "default"
	       : now.sa_handler == handle ? "handled"
					  : "ignored",
	       (unsigned)now.sa_flags & ~0x04000000u, /* libc's own */
	       sigismember(&now.sa_mask, SIGINT) ? "masks" : "masks nothing");
}

#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* sigset() */
static void held(void)
{
	printf("%d ", sigset(SIGUSR1, SIG_HOLD) == SIG_DFL);
	printf("%d ", sigset(SIGUSR1, handle) == SIG_HOLD);
	printf("%d\n", sigset(SIGUSR1, SIG_DFL) == handle);
	print_action("after sigset()", SIGUSR1);
}

/* What a child of vfork() does to its signals does not concern its parent. */
static void borrowed(void)
{
	struct sigaction plain = {.sa_handler = SIG_DFL, .sa_flags = SA_NODEFER};
	int status = 0;
	pid_t child;

	sigfillset(&plain.sa_mask);
	signal(SIGUSR1, handle);
	signal(SIGPIPE, SIG_IGN);
	child = vfork();
	if (child == 0) {
		signal(SIGUSR1, SIG_DFL);
		signal(SIGPIPE, SIG_DFL);
		signal(SIGHUP, SIG_IGN);
		sigaction(SIGTERM, &plain, NULL);
		raise(SIGTERM);
		_exit(1);
	}
	NEED(waitpid(child, &status, 0) == child && WTERMSIG(status) == SIGTERM);
	print_action("TERM", SIGTERM);
	print_action("HUP", SIGHUP);
	print_action("PIPE", SIGPIPE);
	print_action("USR1", SIGUSR1);
	raise(SIGUSR1);
	printf("handled %d\n", handled == SIGUSR1);
}

static void say(const char *what, int result)
{
	printf("%s: %d, errno %d\n", what, result, errno);
	errno = 0;
}

/* The kernel answers EFAULT for an address that nobody can read. */
static void addresses(void)
{
	char *nowhere = (char *)(uintptr_t)(16 + (handled & 1));
	char *plain[] = {(char *)(uintptr_t) "true", NULL};
	char *half[] = {(char *)(uintptr_t) "A=b", nowhere, NULL};

	say("path", execve(nowhere, plain, environ));
	say("arguments", execve("/bin/true", (char **)nowhere, environ));
	say("environment", execve("/bin/true", plain, (char **)nowhere));
	say("an argument", execve("/bin/true", half, environ));
	say("a variable", execve("/bin/true", plain, half));
	say("path, no environment", execve(nowhere, plain, NULL));
}

/* The first process of a new pid namespace is the host's child: when that ends, no other can be made. */
static void spaces(void)
{
	int status = 0;
	pid_t child;

	printf("%d\n", unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID) == 0);
	fflush(stdout);
	churn(3000);
	child = fork();
	if (child == 0) {
		churn(3000);
		printf("%d\n", (int)getpid() == 1);
		fflush(stdout);
		child = fork();
		if (child == 0) {
			churn(3000);
			_exit(6);
		}
		NEED(child > 0 && waitpid(child, &status, 0) == child);
		exit(WEXITSTATUS(status));
	}
	NEED(child > 0 && waitpid(child, &status, 0) == child);
	printf("%d\n", WEXITSTATUS(status));
}

/* For as long as standard input is open. */
static void stay(void)
{
	char byte;

	fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
	while (read(STDIN_FILENO, &byte, 1) != 0) {
		churn(500);
		usleep(1000);
	}
}

static void *use_keys(void *made)
{
	const pthread_key_t *keys = made;

	churn(10);
	NEED(pthread_setspecific(keys[0], malloc(10)) == 0 &&
	     pthread_setspecific(keys[1], malloc(10)) == 0);
	return NULL;
}

/* A key that nobody has made is used, as programs do by mistake, then the first ones are made, and threads end. */
static void keys(void)
{
	pthread_key_t made[2];
	pthread_t thread;

	printf("not made: %d\n", pthread_setspecific(0, kept));
	NEED(pthread_key_create(&made[0], free) == 0 && pthread_key_create(&made[1], free) == 0);
	printf("made: %u %u\n", made[0], made[1]);
	for (int i = 0; i < 10; i++)
		NEED(pthread_create(&thread, NULL, use_keys, made) == 0 &&
		     pthread_join(thread, NULL) == 0);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} ways[] = {
		{"strict", strict},
		{"no_mappings", no_mappings},
		{"no_more_mappings", no_more_mappings},
		{"no_waits", no_waits},
		{"counter", counter},
		{"floats", floats},
		{"errors", errors},
		{"held", held},
		{"borrowed", borrowed},
		{"keys", keys},
		{"addresses", addresses},
		{"spaces", spaces},
		{"stay", stay},
	};

	for (size_t i = 0; argc > 1 && i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(argv[1], ways[i].name) == 0)
			ways[i].run();
	puts("done");
	return 0;
}
