/*
 * rests.c - the main thread pauses until a signal comes; another thread waits for standard input.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void *wait_for_input(void *unused)
{
	char byte;

	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	exit(0);
	return unused;
}

int main(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, wait_for_input, NULL) != 0)
		return 1;
	puts("rests");
	fflush(stdout);
	pause();
	puts("disturbed");
	return 2;
}
