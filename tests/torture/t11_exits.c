/*
 * t11: the ways to end.
 * Stands for: agents that write their result twice, not at all, or wait for ever at exit for a
 * thread that is gone or for one that still allocates.
 */
#include "torture.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

static void *allocate_for_ever(void *unused)
{
	for (;;)
		churn(50);
	return unused;
}

static void *exit_too(void *unused)
{
	usleep(1000);
	exit(5);
	return unused;
}

/* Threads of a child call exit() together.  40 times: the second one seldom comes in the wrong moment. */
static void exit_together(void)
{
	for (int i = 0; i < 40; i++) {
		pid_t child = fork();
		int status = 0;

		if (child == 0) {
			pthread_t thread;

			for (int k = 0; k < 4; k++)
				NEED(pthread_create(&thread, NULL, exit_too, NULL) == 0);
			pause();
		}
		NEED(child > 0 && waitpid(child, &status, 0) == child);
		NEED(WIFEXITED(status) && WEXITSTATUS(status) == 5);
	}
}

static void at_exit(void)
{
	churn(50);
}

static void on_signal(int number)
{
	(void)number;
	_exit(5);
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	pthread_t thread;

	atexit(at_exit);
	for (int i = 0; i < 3; i++)
		NEED(pthread_create(&thread, NULL, allocate_for_ever, NULL) == 0);
	usleep(20000);
	if (strcmp(how, "exit") == 0)
		exit(5);
	if (strcmp(how, "_exit") == 0)
		_exit(5);
	if (strcmp(how, "quick_exit") == 0)
		quick_exit(5);
	if (strcmp(how, "two") == 0) { /* both at once: one wins, and neither hangs */
		NEED(pthread_create(&thread, NULL, exit_too, NULL) == 0);
		usleep(1000);
		_exit(5);
	}
	if (strcmp(how, "together") == 0)
		exit_together();
	if (strcmp(how, "handler") == 0) {
		signal(SIGUSR1, on_signal);
		kill(getpid(), SIGUSR1);
		pause();
	}
	if (strcmp(how, "exec") == 0)
		execl("/bin/sh", "sh", "-c", "exit 5", (char *)NULL);
	if (strcmp(how, "abort") == 0)
		abort();
	return 5;
}
