/*
 * fork_alone.c - one lock.  A second thread holds it while it works; a thread that forks holds it
 * during the fork.
 */
#include "base/fork_alone.h"

#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t working = PTHREAD_MUTEX_INITIALIZER;

void fork_hold(void)
{
	pthread_mutex_lock(&working);
}

void fork_permit(void)
{
	pthread_mutex_unlock(&working);
}

pid_t fork_alone(void)
{
	pid_t pid;

	pthread_mutex_lock(&working);
	pid = fork();
	pthread_mutex_unlock(&working);
	return pid;
}
