/*
 * shared.c - a copy is made while two threads are in realloc() of a shared heap (shared_heap.c), each
 * of the same old place.  Ends with 1 if that changed the heap.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BEFORE  4096u
#define AFTER   123456u /* these three: see shared_heap.c */
#define AGAIN   4080u
#define MAY_END 100

extern int snap_take_holders(const char *label, int retained) __attribute__((weak));

static char *volatile moving, *volatile next;
static const unsigned char *volatile old; /* where it was */

static void *work(void *unused)
{
	(void)unused;
	moving = realloc(moving, AFTER);
	return NULL;
}

static void *work_again(void *unused)
{
	(void)unused;
	next = malloc(AGAIN);
	next = realloc(next, AFTER);
	return NULL;
}

static int count_changed(void)
{
	int changed = 0;

	for (unsigned i = 0; i < BEFORE; i++)
		changed += old[i] != 0xee;
	return changed;
}

int main(void)
{
	atomic_int *stage = dlsym(RTLD_DEFAULT, "shared_heap_stage");
	pthread_t thread, second;
	int changed;

	moving = malloc(BEFORE);
	if (!stage || !moving)
		return 2;
	old = (const unsigned char *)moving;
	memset(moving, 0x5a, BEFORE);
	pthread_create(&thread, NULL, work, NULL);
	while (atomic_load(stage) != 1)
		usleep(1000);
	pthread_create(&second, NULL, work_again, NULL);
	while (atomic_load(stage) != 2)
		usleep(1000);
	if ((const unsigned char *)next != old)
		return 3;
	if (snap_take_holders)
		snap_take_holders(NULL, 0);
	changed = count_changed();
	atomic_store(stage, MAY_END);
	pthread_join(thread, NULL);
	pthread_join(second, NULL);
	printf("%d bytes of the heap were changed\n", changed);
	return changed != 0;
}
