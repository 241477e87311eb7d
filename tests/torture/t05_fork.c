/*
 * t05: processes.
 * Stands for: locks that a child inherits from a thread it does not have; a helper thread that is
 * missing in the child and waited for; files that a vfork child writes in its parent's name.
 */
#include "torture.h"

#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

extern char **environ;
static volatile int stop;

static void *allocate_much(void *unused)
{
	while (!stop)
		churn(50);
	return unused;
}

static void reap(pid_t child)
{
	int status;

	NEED(child > 0);
	NEED(waitpid(child, &status, 0) == child);
	NEED(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static void forks(int depth)
{
	pid_t child = fork();

	if (child == 0) {
		churn(200);
		if (depth > 0)
			forks(depth - 1);
		if (depth % 2)
			exit(7);
		_exit(7);
	}
	reap(child);
}

static void raw_clone(void)
{
	pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (child == 0) {
		churn(200); /* no fork handler has run */
		_exit(7);
	}
	reap(child);
}

static void vforks(void)
{
	pid_t child = vfork();

	if (child == 0)
		_exit(7);
	reap(child);
}

static void spawns(void)
{
	char *argv[] = {"sh", "-c", "exit 7", NULL};
	pid_t child;

	NEED(posix_spawn(&child, "/bin/sh", NULL, NULL, argv, environ) == 0);
	reap(child);
}

int main(void)
{
	pthread_t threads[3];

	for (int i = 0; i < 3; i++)
		NEED(pthread_create(&threads[i], NULL, allocate_much, NULL) == 0);
	for (int i = 0; i < 20; i++) {
		forks(2);
		raw_clone();
		vforks();
		spawns();
	}
	stop = 1;
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	NEED(system("exit 7") == 7 << 8);
	return 0;
}
