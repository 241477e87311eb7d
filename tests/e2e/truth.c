/*
 * truth.c - one scenario per name: every entry point, realloc in all its forms, threads, forks,
 * and every way to end.
 */
#include "truth.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>

extern void cfree(void *) __attribute__((weak));
extern void free_sized(void *, size_t) __attribute__((weak));

static void *volatile sink;

/* ---- every entry point ------------------------------------------------------------------- */

SITE static void *site_malloc(size_t n)
{
	sink = malloc(n);
	return came(truth_of("site_malloc"), sink, n);
}

SITE static void *site_calloc(size_t n)
{
	sink = calloc(3, n);
	return came(truth_of("site_calloc"), sink, 3 * n);
}

SITE static void *site_realloc_null(size_t n)
{
	sink = realloc(NULL, n);
	return came(truth_of("site_realloc_null"), sink, n);
}

SITE static void *site_reallocarray(size_t n)
{
	sink = reallocarray(NULL, 2, n);
	return came(truth_of("site_reallocarray"), sink, 2 * n);
}

SITE static void *site_memalign(size_t n)
{
	sink = memalign(256, n);
	return came(truth_of("site_memalign"), sink, n);
}

SITE static void *site_aligned_alloc(size_t n)
{
	sink = aligned_alloc(64, n);
	return came(truth_of("site_aligned_alloc"), sink, n);
}

SITE static void *site_posix_memalign(size_t n)
{
	void *p = NULL;

	if (posix_memalign(&p, 4096, n) != 0)
		return NULL;
	return came(truth_of("site_posix_memalign"), p, n);
}

SITE static void *site_valloc(size_t n)
{
	sink = valloc(n);
	return came(truth_of("site_valloc"), sink, n);
}

SITE static void *site_pvalloc(size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	sink = pvalloc(n);
	return came(truth_of("site_pvalloc"), sink, (n + page - 1) / page * page);
}

SITE static void *site_strdup(size_t n)
{
	char text[4096];

	memset(text, 'x', sizeof(text));
	text[n % sizeof(text)] = '\0';
	sink = strdup(text); /* libc allocates on behalf of its caller */
	return came(truth_of("site_strdup"), sink, n % sizeof(text) + 1);
}

static void entry_points(void)
{
	static const struct {
		void *(*make)(size_t);
		const char *site;
		size_t factor;
	} makers[] = {
		{site_malloc, "site_malloc", 1},
		{site_calloc, "site_calloc", 3},
		{site_realloc_null, "site_realloc_null", 1},
		{site_reallocarray, "site_reallocarray", 2},
		{site_memalign, "site_memalign", 1},
		{site_aligned_alloc, "site_aligned_alloc", 1},
		{site_posix_memalign, "site_posix_memalign", 1},
		{site_valloc, "site_valloc", 1},
	};
	static const size_t sizes[] = {0, 1, 24, 25, 100, 4096, 65536, 1048575, 1048576, 3000001};

	for (size_t m = 0; m < sizeof(makers) / sizeof(makers[0]); m++)
		for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
			void *keep = makers[m].make(sizes[s]);
			void *drop = makers[m].make(sizes[s]);

			if (drop) {
				went(truth_of(makers[m].site), sizes[s] * makers[m].factor);
				if (free_sized && s % 2)
					free_sized(drop, sizes[s] * makers[m].factor);
				else if (cfree && s % 3 == 0)
					cfree(drop);
				else
					free(drop);
			}
			(void)keep;
		}
	site_pvalloc(1);
	site_pvalloc(5000);
	for (size_t i = 0; i < 100; i++)
		site_strdup(i);
	free(NULL);
}

/* ---- realloc ------------------------------------------------------------------------------ */

SITE static void *site_grow(void *p, size_t n)
{
	sink = realloc(p, n);
	return came(truth_of("site_grow"), sink, n);
}

SITE static void *site_array_grow(void *p, size_t count, size_t size)
{
	sink = reallocarray(p, count, size);
	return sink ? came(truth_of("site_array_grow"), sink, count * size) : NULL;
}

static void resizing(void)
{
	char *p = site_malloc(10), *q, *r;

	p = site_grow(p, 1000); /* grows, perhaps moves */
	went(truth_of("site_malloc"), 10);
	for (size_t n = 2000; n < 4000000; n *= 2) { /* through mmap thresholds */
		p = site_grow(p, n);
		went(truth_of("site_grow"), n == 2000 ? 1000 : n / 2);
	}
	q = site_malloc(5000);
	q = site_grow(q, 100); /* shrinks in place */
	went(truth_of("site_malloc"), 5000);
	r = site_malloc(77);
	if (realloc(r, SIZE_MAX / 2 - 100) || errno != ENOMEM) /* fails: the block is as it was */
		abort();
	if (site_array_grow(r, SIZE_MAX / 2, 3) || errno != ENOMEM)
		abort();
	r = site_array_grow(r, 7, 11);
	went(truth_of("site_malloc"), 77);
	r = site_malloc(500);
	errno = 5;
	if (realloc(r, 0)) /* glibc frees it and returns NULL */
		abort();
	if (errno != 5)
		abort();
	went(truth_of("site_malloc"), 500);
	sink = q;
}

/* ---- threads ------------------------------------------------------------------------------ */

#define PER_THREAD 20000
static _Atomic(void *) mailbox[1024];

SITE static void *site_thread(size_t n)
{
	return malloc(n);
}

SITE static void *site_cross(size_t n)
{
	return malloc(n);
}

SITE static void *site_short(size_t n)
{
	return malloc(n);
}

static void *busy_thread(void *argument)
{
	uintptr_t seed = (uintptr_t)argument * 7919 + 1;
	struct truth *mine = truth_of("site_thread"), *cross = truth_of("site_cross");

	for (int i = 0; i < PER_THREAD; i++) {
		size_t n = 16 + (seed = seed * 1103515245 + 12345) % 500;
		void *p = came(mine, site_thread(n), n), *other;

		if (i % 10) {
			went(mine, n);
			free(p);
		}
		/* A block that another thread will free; its first bytes hold its size. */
		p = came(cross, site_cross(n), n);
		*(size_t *)p = n;
		other = atomic_exchange(&mailbox[seed / 65536 % 1024], p);
		if (other) {
			went(cross, *(size_t *)other);
			free(other);
		}
	}
	return NULL;
}

static void run_threads(int count)
{
	pthread_t threads[64];

	truth_of("site_thread");
	truth_of("site_cross");
	for (int i = 0; i < count; i++)
		pthread_create(&threads[i], NULL, busy_thread, (void *)(uintptr_t)i);
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

static void *short_thread(void *argument)
{
	return came(truth_of("site_short"), site_short((size_t)(uintptr_t)argument + 1),
		    (size_t)(uintptr_t)argument + 1);
}

static void short_threads(void)
{
	truth_of("site_short");
	for (uintptr_t i = 0; i < 2000; i++) {
		pthread_t thread;

		pthread_create(&thread, NULL, short_thread, (void *)i);
		pthread_join(thread, NULL);
	}
}

/* A destructor of thread-specific data that frees and allocates, after the recorder's own ran. */
static pthread_key_t late_key;

SITE static void *site_late(size_t n)
{
	return malloc(n);
}

static void late_destructor(void *value)
{
	static _Atomic int rounds;

	went(truth_of("site_late"), 123);
	free(value);
	if (rounds++ < 50)
		pthread_setspecific(late_key, came(truth_of("site_late"), site_late(123), 123));
}

static void *late_thread(void *unused)
{
	pthread_setspecific(late_key, came(truth_of("site_late"), site_late(123), 123));
	return unused;
}

static void late_destructors(void)
{
	truth_of("site_late");
	pthread_key_create(&late_key, late_destructor);
	for (int i = 0; i < 20; i++) {
		pthread_t thread;

		pthread_create(&thread, NULL, late_thread, NULL);
		pthread_join(thread, NULL);
	}
}

/* ---- processes ----------------------------------------------------------------------------- */

static void forking(void)
{
	void *p = site_malloc(1000), *q = site_malloc(2000);
	pid_t child = fork();

	if (child == 0) {
		went(truth_of("site_malloc"), 1000); /* inherited, freed in the child only */
		free(p);
		site_calloc(50);
		truth_print();
		_exit(0);
	}
	waitpid(child, NULL, 0);
	site_malloc(3000);
	child = fork();
	if (child == 0) {
		run_threads(4);
		truth_print();
		exit(0);
	}
	waitpid(child, NULL, 0);
	child = vfork();
	if (child == 0)
		_exit(0); /* borrows our memory: must leave no file */
	waitpid(child, NULL, 0);
	sink = q;
}

static void *exit_in_thread(void *unused)
{
	(void)unused;
	site_malloc(321);
	truth_print();
	exit(0);
}

/* ---- which ---------------------------------------------------------------------------------- */

int main(int argc, char **argv)
{
	const char *scenario = argc > 1 ? argv[1] : "";
	pthread_t thread;

	if (strcmp(scenario, "entry") == 0)
		entry_points();
	else if (strcmp(scenario, "realloc") == 0)
		resizing();
	else if (strcmp(scenario, "threads1") == 0)
		run_threads(1);
	else if (strcmp(scenario, "threads8") == 0)
		run_threads(8);
	else if (strcmp(scenario, "short_threads") == 0)
		short_threads();
	else if (strcmp(scenario, "late_destructors") == 0)
		late_destructors();
	else if (strcmp(scenario, "fork") == 0)
		forking();
	else if (strcmp(scenario, "exit_thread") == 0) {
		pthread_create(&thread, NULL, exit_in_thread, NULL);
		pthread_join(thread, NULL);
	} else if (strncmp(scenario, "end_", 4) == 0) {
		site_malloc(100);
		site_calloc(100);
	} else {
		return 2;
	}
	truth_print();
	if (strcmp(scenario, "end__exit") == 0)
		_exit(3);
	if (strcmp(scenario, "end__Exit") == 0)
		_Exit(3);
	if (strcmp(scenario, "end_quick_exit") == 0)
		quick_exit(3);
	if (strcmp(scenario, "end_exit") == 0)
		exit(3);
	if (strcmp(scenario, "end_pthread_exit") == 0)
		pthread_exit(NULL);
	return 0;
}
