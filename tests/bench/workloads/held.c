/*
 * held.c - a chain of live blocks: held BLOCKS.
 *
 * Linked with LeakSanitizer it has the blocks looked through once, and prints the milliseconds of wall time and of CPU
 * time that this took.  Otherwise it prints "ready", writes into random blocks until its standard input ends, and then
 * prints for each window of 5 ms when it ended (CLOCK_MONOTONIC, ns) and how many writes were made in it.
 */
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum { WINDOW_NS = 5000000, BATCH = 64, MOST_WINDOWS = 200000 };

struct block {
	struct block *next;
	uint64_t payload[3];
};

/* Not static: a compiler drops what is only written, and the blocks with it. */
struct block *newest;
struct block **blocks;

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void make_blocks(size_t count)
{
	blocks = malloc(count * sizeof(struct block *));
	if (!blocks)
		exit(1);
	for (size_t i = 0; i < count; i++) {
		struct block *block = malloc(sizeof(*block));

		if (!block)
			exit(1);
		block->next = newest;
		newest = blocks[i] = block;
	}
}

#ifdef LEAK_SANITIZER
int __lsan_do_recoverable_leak_check(void);

static double cpu_ms(int who)
{
	struct rusage usage;

	getrusage(who, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

/* The tracer is a separate process, and this one waits for it. */
static int look_through(void)
{
	double cpu = cpu_ms(RUSAGE_SELF) + cpu_ms(RUSAGE_CHILDREN);
	uint64_t start = now();
	int leaks = __lsan_do_recoverable_leak_check();

	printf("%.3f %.3f\n", (double)(now() - start) / 1e6,
	       cpu_ms(RUSAGE_SELF) + cpu_ms(RUSAGE_CHILDREN) - cpu);
	return leaks;
}
#else
struct window {
	uint64_t end, writes;
};

static int input_ended(void)
{
	struct pollfd input = {.fd = 0, .events = POLLIN};

	return poll(&input, 1, 0) > 0; /* not -1: the signal that asks for a snapshot may end it */
}

static void write_windows(size_t count)
{
	struct window *windows = calloc(MOST_WINDOWS, sizeof(*windows));
	uint64_t random = 88172645463325252u, begin = now();
	size_t used = 0;

	while (windows && used < MOST_WINDOWS) {
		for (int i = 0; i < BATCH; i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			blocks[random % count]->payload[0]++;
		}
		windows[used].writes += BATCH;
		windows[used].end = now();
		if (windows[used].end - begin < WINDOW_NS)
			continue;
		begin = windows[used++].end;
		if (input_ended())
			break;
	}
	for (size_t i = 0; i < used; i++)
		printf("%llu %llu\n", (unsigned long long)windows[i].end,
		       (unsigned long long)windows[i].writes);
}
#endif

int main(int argc, char **argv)
{
	size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;

	if (count == 0)
		return 2;
	make_blocks(count);
#ifdef LEAK_SANITIZER
	return look_through();
#else
	puts("ready");
	fflush(stdout);
	write_windows(count);
	return 0;
#endif
}
