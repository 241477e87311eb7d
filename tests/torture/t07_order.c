/*
 * t07: order, failure and errno.
 * Stands for: the race in which a block is freed, handed to another thread and recorded there
 * before the first thread's record of it is removed; for blocks lost when realloc fails; for a
 * clobbered errno.
 */
#include "torture.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/resource.h>

static void *race(void *unused)
{
	for (int i = 0; i < 200000; i++) {
		void *volatile p = malloc(40); /* one size: addresses wander between threads */

		free(p);
	}
	return unused;
}

int main(void)
{
	volatile size_t huge = PTRDIFF_MAX; /* volatile: compilers warn of what is asked for here */
	struct rlimit limit;
	pthread_t threads[4];
	char *p;

	mallopt(M_ARENA_MAX, 1);
	for (int i = 0; i < 4; i++)
		NEED(pthread_create(&threads[i], NULL, race, NULL) == 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);

	NEED(getrlimit(RLIMIT_AS, &limit) == 0);
	limit.rlim_cur = 1ul << 30;
	NEED(setrlimit(RLIMIT_AS, &limit) == 0);
	p = malloc(1000);
	strcpy(p, "still here");
	for (int i = 0; i < 1000; i++) {
		errno = 0;
		NEED(realloc(p, 2ul << 30) == NULL && errno == ENOMEM);
		errno = 0;
		NEED(malloc(huge) == NULL && errno == ENOMEM);
		errno = 0;
		NEED(calloc(huge, 4) == NULL && errno == ENOMEM);
		errno = 0;
		NEED(reallocarray(p, huge, 4) == NULL && errno == ENOMEM);
	}
	NEED(strcmp(p, "still here") == 0);
	errno = 77;
	free(p);
	free(malloc(1 << 20)); /* unmaps */
	NEED(errno == 77);
	errno = 78;
	churn(1000);
	NEED(errno == 78);
	return 0;
}
