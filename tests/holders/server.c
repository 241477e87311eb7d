/*
 * server.c - a program whose holders are known: a registry of sessions, a cache in a thread's
 * variable, lost blocks, a ring of two.  Waits until its standard input ends; for each byte of it, it
 * takes a snapshot with holders.  Before it does so for a 'g', it loses 20 blocks with 20 others, and
 * adds 20 sessions.  For an 'h' it takes no snapshot: a new index refers to all sessions, g_newest
 * to one of them, and it writes a line.
 *
 * Figures that run.py expects: 100 sessions of 48 bytes with a name of 32 each, in 10 buckets of
 * g_registry; 7 entries of 64 bytes of the thread's cache; 5 lost blocks of 56 bytes that refer to
 * 5 of 104; one ring of two blocks of 72.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern int snap_take_holders(const char *label, int retained) __attribute__((weak));

#define NOINLINE   __attribute__((noinline, noclone))
#define USE(value) __asm__ volatile("" : : "r"(value) : "memory")

struct session {
	struct session *next;
	char *name;
	long fill[4];
};

struct session **g_registry, **g_index, *g_newest;
__thread void *t_cache[7];

NOINLINE struct session *new_session(unsigned i)
{
	struct session *s = malloc(sizeof(*s));

	memset(s, 0, sizeof(*s));
	s->next = g_registry[i % 10];
	g_registry[i % 10] = s;
	return s;
}

NOINLINE char *new_name(void)
{
	char *name = malloc(32);

	memset(name, 'n', 32);
	return name;
}

NOINLINE void fill_registry(void)
{
	g_registry = calloc(10, sizeof(struct session *));
	for (unsigned i = 0; i < 100; i++)
		new_session(i)->name = new_name();
}

NOINLINE void *new_entry(void)
{
	return calloc(1, 64);
}

NOINLINE void *lose_inner(void)
{
	return calloc(1, 104);
}

NOINLINE void lose(void)
{
	void **outer = calloc(1, 56);

	outer[2] = lose_inner();
	USE(outer);
}

NOINLINE void **new_link(void)
{
	return calloc(1, 72);
}

NOINLINE void lose_ring(void)
{
	void **one = new_link(), **two = new_link();

	one[3] = two;
	two[4] = one;
	USE(one);
}

NOINLINE static void wipe(void)
{
	volatile char fill[32768];

	for (size_t i = 0; i < sizeof(fill); i++)
		fill[i] = 0;
}

static void *prepare(void *unused)
{
	(void)unused;
	fill_registry();
	for (volatile int i = 0; i < 5; i++) /* volatile: one call, not five */
		lose();
	lose_ring();
	wipe();
	return NULL;
}

static pthread_barrier_t started;

static void *worker(void *unused)
{
	void *volatile used = NULL; /* its frame holds an entry, too */

	(void)unused;
	for (volatile size_t i = 0; i < 7; i++)
		used = t_cache[i] = new_entry();
	wipe();
	pthread_barrier_wait(&started);
	for (;;) {
		pause();
		USE(used);
	}
}

static void grow(void)
{
	for (volatile int i = 0; i < 20; i++) {
		lose();
		new_session((unsigned)i)->name = new_name();
	}
}

/* Two more that hold sessions. */
NOINLINE static void hold(void)
{
	size_t count = 0;

	g_index = calloc(100, sizeof(struct session *));
	for (unsigned i = 0; i < 10; i++)
		for (struct session *s = g_registry[i]; s; s = s->next)
			g_index[count++] = s;
	g_newest = g_registry[0];
	puts("held");
	fflush(stdout);
}

int main(void)
{
	void *volatile table; /* its frame holds the table, too */
	pthread_t thread;
	char byte;

	pthread_barrier_init(&started, NULL, 2);
	pthread_create(&thread, NULL, prepare, NULL);
	pthread_join(thread, NULL);
	pthread_create(&thread, NULL, worker, NULL);
	pthread_barrier_wait(&started);
	table = g_registry;
	wipe();
	puts("ready");
	fflush(stdout);
	while (read(0, &byte, 1) > 0) {
		if (byte == 'h') {
			hold();
			continue;
		}
		if (byte == 'g')
			grow();
		wipe();
		if (snap_take_holders)
			snap_take_holders(NULL, 0);
		USE(table);
	}
	return 0;
}
