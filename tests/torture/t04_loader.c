/*
 * t04: the loader's locks.
 * Stands for: the AB/BA deadlock of profilers that unwind with dl_iterate_phdr() while they hold a
 * lock that malloc takes, when another thread allocates inside dl_iterate_phdr() or dlopen().
 */
#include "torture.h"

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>

static volatile int stop;

static int allocate(struct dl_phdr_info *info, size_t size, void *user)
{
	(void)info;
	(void)size;
	(void)user;
	churn(3);
	return 0;
}

static void *iterate(void *unused)
{
	while (!stop)
		dl_iterate_phdr(allocate, NULL);
	return unused;
}

static void *allocate_much(void *unused)
{
	while (!stop)
		churn(100);
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t threads[4];

	NEED(argc > 1);
	for (int i = 0; i < 4; i++)
		NEED(pthread_create(&threads[i], NULL, i % 2 ? iterate : allocate_much, NULL) == 0);
	for (int i = 0; i < 200; i++) {
		void *handle = dlopen(argv[1], RTLD_NOW);

		NEED(handle);
		dlclose(handle);
	}
	stop = 1;
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
