/*
 * t32: a peak that four threads reach together, and that is over as soon as they have met.
 * Stands for: a thread that did not wait while another one's snapshot was written, and freed what
 * the next snapshot was due for.
 */
#include "torture.h"

#include <pthread.h>

enum { THREADS = 4, BLOCKS = 26 };

static pthread_barrier_t all;

static void *work(void *unused)
{
	char *blocks[BLOCKS];

	pthread_barrier_wait(&all);
	for (int i = 0; i < BLOCKS; i++) {
		blocks[i] = malloc(1 << 20);
		NEED(blocks[i]);
		blocks[i][0] = 1;
	}
	pthread_barrier_wait(&all);
	for (int i = 0; i < BLOCKS; i++)
		free(blocks[i]);
	return unused;
}

int main(void)
{
	pthread_t threads[THREADS];

	NEED(pthread_barrier_init(&all, NULL, THREADS) == 0);
	for (int i = 0; i < THREADS; i++)
		NEED(pthread_create(&threads[i], NULL, work, NULL) == 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	puts("met");
	return 0;
}
