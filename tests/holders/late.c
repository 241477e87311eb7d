/*
 * late.c - a thread that does not stop when it is asked to: the kernel lets it wait for a child of
 * vfork() first.  Says "ready" when that child runs.  When standard input ends, it lets the child go, and
 * says "on" when the thread is back.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int child_runs[2], child_goes[2], thread_is_back[2];

static void *wait_for_child(void *unused)
{
	char byte = 0;

	(void)unused;
	if (vfork() == 0) {
		if (write(child_runs[1], &byte, 1) != 1 || read(child_goes[0], &byte, 1) != 1)
			_exit(1);
		_exit(0);
	}
	return write(thread_is_back[1], &byte, 1) == 1 ? &child_runs : NULL;
}

int main(void)
{
	pthread_t thread;
	void *result;
	char byte;

	if (pipe(child_runs) || pipe(child_goes) || pipe(thread_is_back) ||
	    pthread_create(&thread, NULL, wait_for_child, NULL) ||
	    read(child_runs[0], &byte, 1) != 1)
		return 1;
	puts("ready");
	fflush(stdout);
	while (getchar() != EOF)
		;
	if (write(child_goes[1], &byte, 1) != 1 || read(thread_is_back[0], &byte, 1) != 1 ||
	    pthread_join(thread, &result) || !result)
		return 1;
	puts("on");
	return 0;
}
