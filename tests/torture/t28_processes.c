/*
 * t28 HOW: processes that start, change or end in ways that are rare.
 * Stands for: daemons, sandboxes' launchers, garbage collectors' runtimes and test harnesses; each has
 * a way of its own to lose a recording, or to be disturbed by one.
 */
#include "torture.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

extern char **environ;
static char **arguments;

/* Run ourselves again, with `how` instead; does not return. */
static void again(const char *how)
{
	char *next[] = {arguments[0], (char *)(uintptr_t)how, NULL};

	execve("/proc/self/exe", next, environ);
	NEED(!"exec");
}

static void tell(const char *what, int status)
{
	printf("%s: exited %d, signal %d\n", what, WIFEXITED(status) ? WEXITSTATUS(status) : -1,
	       WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	fflush(stdout);
}

static void collect(const char *what, pid_t child)
{
	int status = 0;

	NEED(child > 0 && waitpid(child, &status, 0) == child);
	tell(what, status);
}

/* ---- starting --------------------------------------------------------------------------------- */

/* As a service does: two forks, a session, no descriptors, another directory. */
static void daemonise(void)
{
	int ends[2], status = 0;
	char byte = 0;
	pid_t child;

	NEED(pipe(ends) == 0);
	child = fork();
	if (child == 0) {
		setsid();
		if (fork() != 0)
			_exit(3);
		NEED(dup2(ends[1], 0) == 0);
		closefrom(1);
		umask(0777);
		NEED(chdir("/") == 0 && open("/dev/null", O_RDWR) == 1 && dup(1) == 2);
		churn(5000);
		NEED(write(0, "d", 1) == 1);
		exit(0);
	}
	close(ends[1]);
	NEED(waitpid(child, &status, 0) == child && read(ends[0], &byte, 1) == 1);
	tell("first child", status);
	printf("daemon says %c\n", byte);
	NEED(read(ends[0], &byte, 1) == 0); /* it has ended */
}

static void by_clone3(void)
{
	struct clone_args how;
	long child;

	memset(&how, 0, sizeof(how));
	how.exit_signal = SIGCHLD;
	child = syscall(SYS_clone3, &how, sizeof(how));
	if (child < 0) {
		puts("no clone3");
		return;
	}
	if (child == 0) {
		churn(2000);
		_exit(4);
	}
	collect("clone3", (pid_t)child);
}

static void by_vfork(void)
{
	char *const command[] = {"sh", "-c", "exit 6", NULL};
	pid_t child = vfork();

	if (child == 0) {
		execv("/bin/sh", command);
		_exit(127);
	}
	collect("vfork and exec", child);
	child = vfork();
	if (child == 0) {
		execv("/no/such", command);
		_exit(126);
	}
	collect("vfork and failed exec", child);
	child = vfork();
	if (child == 0)
		_exit(5);
	collect("vfork", child);
	NEED(posix_spawn(&child, "/bin/sh", NULL, NULL, command, environ) == 0);
	collect("posix_spawn", child);
}

static void by_script(void)
{
	char path[] = "/tmp/snap-script.XXXXXX";
	int fd = mkstemp(path);
	char *const command[] = {path, NULL};
	pid_t child;

	NEED(fd >= 0);
	dprintf(fd, "#! %s\n", arguments[2]);
	NEED(fchmod(fd, 0700) == 0 && close(fd) == 0);
	child = fork();
	if (child == 0) {
		execv(path, command);
		_exit(127);
	}
	collect("script of a static program", child);
	unlink(path);
}

static void in_signal(int number)
{
	(void)number;
	churn(20);
}

static volatile sig_atomic_t interruptions;

static void is_interrupted(int number)
{
	(void)number;
	interruptions++;
}

/* Children while a timer's signals interrupt everything. */
static void under_signals(void)
{
	struct itimerval often = {{0, 500}, {0, 500}}, never = {{0, 0}, {0, 0}};
	struct sigaction action = {.sa_handler = is_interrupted, .sa_flags = SA_RESTART};

	NEED(sigaction(SIGPROF, &action, NULL) == 0);
	setitimer(ITIMER_PROF, &often, NULL);
	for (int i = 0; i < 5; i++) {
		pid_t child = fork();

		if (child == 0) {
			churn(1000);
			exit(i);
		}
		collect("child", child);
	}
	setitimer(ITIMER_PROF, &never, NULL);
}

/* ---- threads and stacks ------------------------------------------------------------------------- */

static void *in_small_thread(void *unused)
{
	void *held = NULL;

	(void)unused;
	for (int i = 0; i < 200; i++) {
		held = malloc(3000);
		NEED(held);
		free(held);
	}
	return malloc(50000);
}

static void small_stacks(void)
{
	pthread_attr_t attributes;
	pthread_t threads[8];
	void *result;

	NEED(pthread_attr_init(&attributes) == 0 &&
	     pthread_attr_setstacksize(&attributes, 16384) == 0);
	for (int i = 0; i < 8; i++)
		NEED(pthread_create(&threads[i], &attributes, in_small_thread, NULL) == 0);
	for (int i = 0; i < 8; i++) {
		NEED(pthread_join(threads[i], &result) == 0 && result);
		free(result);
	}
}

static void *exits_from_small_thread(void *unused)
{
	(void)unused;
	exit(9);
}

static void exit_from_small_stack(void)
{
	pthread_attr_t attributes;
	pthread_t thread;

	NEED(pthread_attr_init(&attributes) == 0 &&
	     pthread_attr_setstacksize(&attributes, 16384) == 0);
	NEED(pthread_create(&thread, &attributes, exits_from_small_thread, NULL) == 0);
	pthread_join(thread, NULL);
}

/* The smallest alternate stack that the kernel takes here. */
static void small_alternate_stack(void)
{
	size_t size = (size_t)sysconf(_SC_MINSIGSTKSZ);
	stack_t stack;

	size = ((size < 2048 ? 2048 : size) + 8192 + 4095) & ~(size_t)4095;
	stack = (stack_t){.ss_size = size,
			  .ss_sp = mmap(NULL, size + 4096, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)};
	NEED(stack.ss_sp != MAP_FAILED);
	mprotect(stack.ss_sp, 4096, PROT_NONE); /* what is below it must not be touched */
	stack.ss_sp = (char *)stack.ss_sp + 4096;
	NEED(sigaltstack(&stack, NULL) == 0);
}

static void handler_on_alternate_stack(void)
{
	struct sigaction action = {.sa_handler = in_signal, .sa_flags = SA_ONSTACK};

	small_alternate_stack();
	NEED(sigaction(SIGUSR1, &action, NULL) == 0);
	for (int i = 0; i < 100; i++)
		raise(SIGUSR1);
	puts("handled");
}

static void death_on_alternate_stack(void)
{
	small_alternate_stack();
	raise(SIGTERM);
}

/* ---- ending ------------------------------------------------------------------------------------- */

static void exit_handler(int number)
{
	exit(number);
}

static void exit_in_handler(void)
{
	signal(SIGUSR2, exit_handler);
	raise(SIGUSR2);
}

static void aborts(void)
{
	churn(10);
	abort();
}

static void forks(void)
{
	pid_t child = fork();

	if (child == 0) {
		churn(10);
		_exit(8);
	}
	collect("child of a destructor", child);
}

static void *library;

static void closes(void)
{
	dlclose(library);
	churn(10);
}

static void closes_at_exit(void)
{
	void *(*allocate)(int);

	library = dlopen(arguments[2], RTLD_NOW);
	NEED(library);
	*(void **)&allocate = dlsym(library, "plugin_allocate");
	NEED(allocate && allocate(1));
	atexit(closes);
}

/* ---- descriptors and places ----------------------------------------------------------------------- */

static void broken_stderr(void)
{
	int ends[2];

	NEED(pipe(ends) == 0 && dup2(ends[1], 2) == 2);
	close(ends[0]);
	close(ends[1]);
}

/* Whoever writes a message to descriptor 2 destroys the file. */
static void data_at_stderr(void)
{
	FILE *file = tmpfile();
	char line[64] = "";

	NEED(file && dup2(fileno(file), 2) == 2);
	churn(3000);
	NEED(write(2, "data\n", 5) == 5);
	rewind(file);
	NEED(fgets(line, sizeof(line), file));
	printf("the file has %s", line);
	printf("and then %s\n", fgets(line, sizeof(line), file) ? line : "nothing");
}

static void no_descriptors(void)
{
	close(0);
	close(1);
	close(2);
	churn(3000);
	NEED(open("/dev/null", O_RDWR) == 0 && open("/dev/null", O_RDWR) == 1 &&
	     open("/dev/null", O_RDWR) == 2);
}

static void no_room_for_descriptors(void)
{
	const struct rlimit three = {3, 3};

	NEED(setrlimit(RLIMIT_NOFILE, &three) == 0);
	churn(3000);
	forks();
}

static void directory_is_removed(void)
{
	char path[] = "/tmp/snap-gone.XXXXXX";

	NEED(mkdtemp(path) && chdir(path) == 0 && rmdir(path) == 0);
	forks();
}

/* ---- rights and environment ------------------------------------------------------------------------ */

static void not_dumpable(void)
{
	NEED(setgid(65534) == 0 && setuid(65534) == 0);
	NEED(prctl(PR_SET_DUMPABLE, 0) == 0);
	churn(3000);
	forks();
	printf("dumpable %d\n", prctl(PR_GET_DUMPABLE));
}

static void no_new_privileges(void)
{
	NEED(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	forks();
}

static void run_again(const char *how)
{
	fflush(stdout);
	if (strcmp(how, "clearenv") == 0) {
		clearenv();
		again("leaf");
	}
	if (strcmp(how, "unpreload") == 0) {
		setenv("LD_PRELOAD", "", 1);
		again("leaf");
	}
	if (strcmp(how, "fixed_addresses") == 0) {
		NEED(personality(ADDR_NO_RANDOMIZE) != -1);
		again("leaf");
	}
	if (strcmp(how, "three_times") == 0)
		again("twice");
	if (strcmp(how, "twice") == 0)
		again("leaf");
}

/* A process without a parent that waits, whose children the kernel collects. */
static void children_ignored(void)
{
	signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < 5; i++) {
		pid_t child = fork();

		if (child == 0) {
			churn(100);
			exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
	printf("no children: %d\n", errno == ECHILD);
}

/* As a tracer does: children of every kind are waited for, until there is none. */
static void waits_for_all(void)
{
	siginfo_t info;
	int status = 0;

	usleep(20000); /* whoever is to run beside us runs */
	churn(3000);
	for (int i = 0; i < 3; i++) {
		if (fork() == 0) {
			churn(100);
			exit(3 + i);
		}
		if (i == 0)
			while (waitpid(-1, &status, __WALL) > 0)
				tell("waitpid", status);
		else if (i == 1)
			while (wait4(-1, &status, __WALL, NULL) > 0)
				tell("wait4", status);
		else
			while (waitid(P_ALL, 0, &info, WEXITED | __WALL) == 0)
				tell("waitid", info.si_status << 8);
		printf("no more: %d, %d\n", errno, waitpid(-1, &status, __WCLONE | WNOHANG));
		fflush(stdout);
		churn(3000);
	}
}

static atomic_bool is_over;

static void *churn_on(void *unused)
{
	while (!atomic_load(&is_over))
		churn(100);
	return unused;
}

/* The same while another thread allocates. */
static void waits_beside_thread(void)
{
	enum { ROUNDS = 20000 };
	int status, rounds = 0, none = 0;
	siginfo_t info;
	pthread_t thread;

	if (pthread_create(&thread, NULL, churn_on, NULL) != 0)
		exit(2);
	for (; rounds < ROUNDS; rounds++) {
		none += waitpid(-1, &status, __WALL) == -1 && errno == ECHILD;
		none += waitid(P_ALL, 0, &info, WEXITED | __WALL) == -1 && errno == ECHILD;
	}
	atomic_store(&is_over, true);
	pthread_join(thread, NULL);
	printf("no children: %d of %d\n", none, 2 * ROUNDS);
}

static const struct {
	const char *name;
	void (*run)(void);
} ways[] = {
	{"daemon", daemonise},
	{"clone3", by_clone3},
	{"vfork", by_vfork},
	{"script", by_script},
	{"profiled", under_signals},
	{"small_stacks", small_stacks},
	{"exit_from_small_stack", exit_from_small_stack},
	{"alternate", handler_on_alternate_stack},
	{"death_on_alternate", death_on_alternate_stack},
	{"exit_in_handler", exit_in_handler},
	{"broken_stderr", broken_stderr},
	{"data_at_stderr", data_at_stderr},
	{"no_descriptors", no_descriptors},
	{"three_descriptors", no_room_for_descriptors},
	{"directory_is_removed", directory_is_removed},
	{"not_dumpable", not_dumpable},
	{"no_new_privileges", no_new_privileges},
	{"children_ignored", children_ignored},
	{"waits_for_all", waits_for_all},
	{"waits_beside_thread", waits_beside_thread},
	{"closes_at_exit", closes_at_exit},
};

static void set_end(const char *how)
{
	if (strcmp(how, "abort_at_exit") == 0)
		atexit(aborts);
	if (strcmp(how, "fork_at_exit") == 0)
		atexit(forks);
	if (strcmp(how, "quick") == 0) {
		at_quick_exit(forks);
		quick_exit(7);
	}
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";

	arguments = argv;
	churn(2000);
	set_end(how);
	run_again(how);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(how, ways[i].name) == 0)
			ways[i].run();
	puts(how);
	return 0;
}
