/*
 * resize.c - an array of pointers that is nearly always being moved by realloc(), and copies of the
 * process meanwhile.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ELEMENTS  2000u
#define SNAPSHOTS 8
#define SMALLEST  ((size_t)1 << 20)
#define LARGEST   ((size_t)16 << 20)
#define STEP      ((size_t)64 << 10)

extern int snap_take_holders(const char *label, int retained) __attribute__((weak));

static char **array, *neighbour; /* each is in the way of the other, so that both must move */
static atomic_bool is_ready, is_over;

__attribute__((noinline)) static char *held_element(void)
{
	char *made = malloc(56);

	memset(made, 1, 56);
	return made;
}

static void *resized(void *block, size_t size)
{
	void *fresh = realloc(block, size);

	if (!fresh)
		abort();
	return fresh;
}

static void *work(void *unused)
{
	(void)unused;
	while (!atomic_load(&is_over)) {
		char **small = malloc(SMALLEST), **large = array;

		memcpy(small, array, ELEMENTS * sizeof(*array));
		array = small;
		free(large);
		free(neighbour);
		neighbour = malloc(SMALLEST);
		for (size_t size = SMALLEST; size < LARGEST && !atomic_load(&is_over);
		     size += STEP) {
			array = resized(array, size);
			neighbour = resized(neighbour, size);
			atomic_store(&is_ready, 1);
		}
	}
	return NULL;
}

int main(void)
{
	pthread_t thread;

	mallopt(M_MMAP_THRESHOLD, 1 << 30); /* realloc() is to copy, not to remap */
	array = malloc(SMALLEST);
	for (unsigned i = 0; i < ELEMENTS; i++)
		array[i] = held_element();
	pthread_create(&thread, NULL, work, NULL);
	while (!atomic_load(&is_ready))
		usleep(1000);
	for (int i = 0; i < SNAPSHOTS && snap_take_holders; i++)
		snap_take_holders(NULL, 0);
	atomic_store(&is_over, 1);
	pthread_join(thread, NULL);
	return 0;
}
