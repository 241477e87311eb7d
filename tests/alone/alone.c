/*
 * alone.c - a program with one thread; it prints whether libc takes it for single-threaded.
 *
 *   alone WAY
 *
 * Prints "one" or "several", as libc counts threads, when main() begins. Then it does what WAY
 * says, and prints the count again at its end, unless a signal ends it.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/single_threaded.h>
#include <unistd.h>

enum { BLOCKS = 1024, LARGEST = 3000 }; /* the allocator of a larger heap is not always asked */

static unsigned char *blocks[BLOCKS];
static size_t sizes[BLOCKS];
static uint64_t state = 88172645463325252u;

static uint64_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state >> 16;
}

static void say(void)
{
	puts(__libc_single_threaded ? "one" : "several");
	fflush(stdout);
}

/* Blocks of all sizes come and go; each must still hold what was put into it. */
static void churn(long rounds)
{
	for (long i = 0; i < rounds; i++) {
		size_t at = next_random() % BLOCKS, size = 1 + next_random() % LARGEST;

		for (size_t k = 0; k < sizes[at]; k += 97)
			if (blocks[at][k] != (unsigned char)at)
				abort();
		free(blocks[at]);
		blocks[at] = malloc(size);
		if (!blocks[at])
			abort();
		memset(blocks[at], (int)at, size);
		sizes[at] = size;
	}
}

static void leave(int number)
{
	exit(number == SIGALRM ? 7 : 1);
}

/* Call exit() from a handler that interrupts malloc(), as careless programs do. */
static void exit_in_handler(void)
{
	struct sigaction action = {.sa_handler = leave};

	sigaction(SIGALRM, &action, NULL);
	ualarm(50000, 0);
	for (;;)
		churn(1000);
}

/* Until standard input is closed. */
static void churn_until_told(void)
{
	char byte;

	for (;;) {
		churn(200000);
		if (read(STDIN_FILENO, &byte, 1) == 0)
			return;
	}
}

/* Never at rest before standard input is closed. */
static void churn_until_closed(void)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

	do
		churn(20000);
	while (poll(&input, 1, 0) == 0);
}

static void rest_until_told(void)
{
	char byte;

	churn(20000);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
}

/* The signal that asks for a snapshot, sent to itself. */
static void raise_and_rest(void)
{
	churn(20000);
	raise(SIGUSR1);
	rest_until_told();
}

static void rest_in_handler(int number)
{
	char byte;

	raise(number == SIGALRM ? SIGUSR1 : SIGKILL);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	_exit(0);
}

/* The same from a handler, which may have interrupted malloc(). */
static void raise_in_handler(void)
{
	struct sigaction action = {.sa_handler = rest_in_handler};

	sigaction(SIGALRM, &action, NULL);
	ualarm(50000, 0);
	for (;;)
		churn(1000);
}

static void *do_nothing(void *unused)
{
	return unused;
}

static void make_thread(void)
{
	pthread_t thread;

	churn(20000);
	if (pthread_create(&thread, NULL, do_nothing, NULL) != 0 || pthread_join(thread, NULL) != 0)
		abort();
	churn(20000);
}

int main(int argc, char **argv)
{
	const char *way = argc > 1 ? argv[1] : "churn";

	say();
	if (strcmp(way, "exit_in_handler") == 0)
		exit_in_handler();
	else if (strcmp(way, "churn_until_told") == 0)
		churn_until_told();
	else if (strcmp(way, "churn_until_closed") == 0)
		churn_until_closed();
	else if (strcmp(way, "rest_until_told") == 0)
		rest_until_told();
	else if (strcmp(way, "raise_and_rest") == 0)
		raise_and_rest();
	else if (strcmp(way, "raise_in_handler") == 0)
		raise_in_handler();
	else if (strcmp(way, "thread") == 0)
		make_thread();
	else
		churn(200000);
	say();
	return 0;
}
