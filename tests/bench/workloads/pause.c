/*
 * pause.c - how long does an allocation take at worst, while a snapshot is written and without?
 *
 *   pause [LIVE [THREADS [SECONDS]]]
 *
 * LIVE small blocks are made; then threads replace blocks and note how long each malloc/free pair
 * took, by the clock and by the thread's own CPU time, and whether the kernel took the processor
 * away meanwhile. In the first half nothing else happens; at the start of the second half a
 * snapshot is asked for, if libsnap is there.  Only pairs that overlap with its writing count as
 * the second half's.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "random.h"

enum { MOST_THREADS = 16, BUCKETS = 400 };

/* Pairs of one kind of time. */
struct gaps {
	uint64_t count;
	uint64_t by_length[BUCKETS]; /* eight buckets for each doubling, in ns */
	double longest;              /* microseconds; the next ones likewise */
	double longest_running;      /* by the thread's own CPU time */
	double longest_preempted;    /* the kernel gave the processor to somebody else */
	double longest_waiting;      /* the thread gave it up by itself: it waited for something */
	double longest_undisturbed;  /* neither of the two */
};

struct worker {
	uint64_t random;
	void **blocks;
	size_t count;
	struct gaps quiet, writing;
};

static atomic_int stage; /* 0 quiet, 1 writing, 2 the end */

static double now_us(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

/* By the logarithm of a length in ns, in eighths. */
static int bucket_of(double us)
{
	uint64_t ns = us < 0.001 ? 1 : (uint64_t)(us * 1000);
	int power = 63 - __builtin_clzll(ns);
	int eighth = power >= 3 ? (int)(ns >> (power - 3) & 7) : 0;
	int bucket = power * 8 + eighth;

	return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

static double length_of(int bucket)
{
	return (double)((8 + (uint64_t)bucket % 8) << (bucket / 8)) / 8 / 1000;
}

static double larger(double a, double b)
{
	return a > b ? a : b;
}

struct moment {
	double clock, cpu;
	struct rusage usage;
};

/* Nothing comes between reading the clock and the pair, so that a disturbance counts for its pair.
 */
static void look_before(struct moment *moment)
{
	getrusage(RUSAGE_THREAD, &moment->usage);
	moment->cpu = now_us(CLOCK_THREAD_CPUTIME_ID);
	moment->clock = now_us(CLOCK_MONOTONIC);
}

static void look_after(struct moment *moment)
{
	moment->clock = now_us(CLOCK_MONOTONIC);
	moment->cpu = now_us(CLOCK_THREAD_CPUTIME_ID);
	getrusage(RUSAGE_THREAD, &moment->usage);
}

static void note(struct gaps *gaps, const struct moment *before, const struct moment *after)
{
	double clock = after->clock - before->clock;

	gaps->count++;
	gaps->by_length[bucket_of(clock)]++;
	gaps->longest = larger(gaps->longest, clock);
	gaps->longest_running = larger(gaps->longest_running, after->cpu - before->cpu);
	if (after->usage.ru_nvcsw != before->usage.ru_nvcsw)
		gaps->longest_waiting = larger(gaps->longest_waiting, clock);
	else if (after->usage.ru_nivcsw != before->usage.ru_nivcsw)
		gaps->longest_preempted = larger(gaps->longest_preempted, clock);
	else
		gaps->longest_undisturbed = larger(gaps->longest_undisturbed, clock);
}

__attribute__((noinline)) static void *make_block(uint64_t *random)
{
	char *block = malloc(16 + next_random(random) % 64);

	if (!block)
		abort();
	block[0] = 1;
	return block;
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	int now;

	while ((now = atomic_load(&stage)) < 2) {
		void **place = &worker->blocks[next_random(&worker->random) % worker->count];
		struct moment before, after;

		look_before(&before);
		free(*place);
		*place = make_block(&worker->random);
		look_after(&after);
		/* A pair in which writing began or ended belongs to it. */
		if (now == 1 || atomic_load(&stage) == 1)
			note(&worker->writing, &before, &after);
		else
			note(&worker->quiet, &before, &after);
	}
	return NULL;
}

static void add(struct gaps *sum, const struct gaps *more)
{
	sum->count += more->count;
	for (int i = 0; i < BUCKETS; i++)
		sum->by_length[i] += more->by_length[i];
	sum->longest = larger(sum->longest, more->longest);
	sum->longest_running = larger(sum->longest_running, more->longest_running);
	sum->longest_preempted = larger(sum->longest_preempted, more->longest_preempted);
	sum->longest_waiting = larger(sum->longest_waiting, more->longest_waiting);
	sum->longest_undisturbed = larger(sum->longest_undisturbed, more->longest_undisturbed);
}

static double percentile(const struct gaps *gaps, double part)
{
	uint64_t seen = 0;

	for (int i = 0; i < BUCKETS; i++) {
		seen += gaps->by_length[i];
		if ((double)seen >= part * (double)gaps->count)
			return length_of(i);
	}
	return 0;
}

/* One line of numbers, in microseconds, for pause.py. */
static void print(const char *name, const struct gaps *gaps)
{
	printf("%s %llu %.2f %.2f %.2f %.2f %.1f %.1f %.1f %.1f %.1f\n", name,
	       (unsigned long long)gaps->count, percentile(gaps, 0.5), percentile(gaps, 0.99),
	       percentile(gaps, 0.9999), percentile(gaps, 0.999999), gaps->longest,
	       gaps->longest_running, gaps->longest_preempted, gaps->longest_waiting,
	       gaps->longest_undisturbed);
}

static void sleep_ms(long ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&ts, NULL);
}

int main(int argc, char **argv)
{
	size_t live = argc > 1 ? strtoull(argv[1], NULL, 10) : 5000000;
	size_t threads = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	long seconds = argc > 3 ? strtol(argv[3], NULL, 10) : 2;
	static struct worker workers[MOST_THREADS];
	pthread_t handles[MOST_THREADS];
	struct gaps quiet = {0}, writing = {0};
	int (*take)(const char *);
	double took;

	if (threads < 1 || threads > MOST_THREADS || live < threads)
		return 2;
	for (size_t t = 0; t < threads; t++) {
		workers[t].random = t * 2 + 1;
		workers[t].count = live / threads;
		workers[t].blocks = calloc(workers[t].count, sizeof(void *));
		for (size_t i = 0; i < workers[t].count; i++)
			workers[t].blocks[i] = make_block(&workers[t].random);
	}
	*(void **)&take = dlsym(RTLD_DEFAULT, "snap_take");
	for (size_t t = 0; t < threads; t++)
		if (pthread_create(&handles[t], NULL, work, &workers[t]))
			return 1;
	sleep_ms(seconds * 1000);
	atomic_store(&stage, 1);
	took = now_us(CLOCK_MONOTONIC);
	if (!take)
		sleep_ms(seconds * 1000);
	else if (take("pause") != 0)
		return 1;
	took = now_us(CLOCK_MONOTONIC) - took;
	atomic_store(&stage, 2);
	for (size_t t = 0; t < threads; t++) {
		pthread_join(handles[t], NULL);
		add(&quiet, &workers[t].quiet);
		add(&writing, &workers[t].writing);
	}
	print("quiet", &quiet);
	print("writing", &writing);
	printf("took %.0f\n", take ? took : 0);
	return 0;
}
