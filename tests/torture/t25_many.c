/*
 * t25: thousands of threads at once, each with a few blocks, most of them waiting.
 * Stands for: servers with a thread for each connection, in which the recorder took 21 KiB a thread.
 *
 * Prints how many threads could be made, and the process's anonymous memory in KiB while they wait.
 */
#include "torture.h"

#include <pthread.h>
#include <semaphore.h>

#define THREADS 4000

static sem_t ready, leave;

FAR static void *block(size_t size)
{
	char *volatile p = malloc(size);

	NEED(p);
	p[0] = 1;
	return p;
}

static void *connection(void *unused)
{
	void *kept = block(200);

	free(block(300));
	free(block(400));
	sem_post(&ready);
	while (sem_wait(&leave) != 0)
		;
	free(kept);
	return unused;
}

static long anonymous_kib(void)
{
	char line[256];
	long found = 0;
	FILE *status = fopen("/proc/self/status", "r");

	NEED(status);
	while (!found && fgets(line, sizeof(line), status))
		(void)sscanf(line, "RssAnon: %ld", &found);
	fclose(status);
	return found;
}

int main(void)
{
	static pthread_t threads[THREADS];
	pthread_attr_t attributes;
	int made = 0;

	NEED(pthread_attr_init(&attributes) == 0 &&
	     pthread_attr_setstacksize(&attributes, 64 << 10) == 0);
	NEED(sem_init(&ready, 0, 0) == 0 && sem_init(&leave, 0, 0) == 0);
	while (made < THREADS && pthread_create(&threads[made], &attributes, connection, NULL) == 0)
		made++;
	for (int i = 0; i < made; i++)
		while (sem_wait(&ready) != 0)
			;
	printf("%d %ld\n", made, anonymous_kib());
	for (int i = 0; i < made; i++)
		sem_post(&leave);
	for (int i = 0; i < made; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
