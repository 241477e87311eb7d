/*
 * t10: thousands of short threads, and destructors that still allocate and free.
 * Stands for: per-thread buffers that are never given back, and agents that crash in the
 * destructors of thread-specific data that run after their own.
 */
#include "torture.h"

#include <pthread.h>

static pthread_key_t keys[4];

static void destructor(void *value)
{
	free(value);
	churn(2);
}

static void *in_thread(void *unused)
{
	for (int i = 0; i < 4; i++)
		pthread_setspecific(keys[i], malloc(64));
	churn(5);
	return unused;
}

int main(void)
{
	pthread_t threads[8];

	for (int i = 0; i < 4; i++)
		NEED(pthread_key_create(&keys[i], destructor) == 0);
	for (int round = 0; round < 1250; round++) {
		for (int i = 0; i < 8; i++)
			NEED(pthread_create(&threads[i], NULL, in_thread, NULL) == 0);
		for (int i = 0; i < 8; i++)
			pthread_join(threads[i], NULL);
	}
	return 0;
}
