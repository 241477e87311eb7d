/*
 * t02: thread-local storage.
 * Stands for: agents whose TLS access calls malloc (general-dynamic TLS in a dlopened library),
 * which calls the agent; and static TLS that does not fit when the agent itself is loaded late.
 */
#include "torture.h"

#include <dlfcn.h>
#include <pthread.h>

static _Thread_local char large[64 * 1024];

static void *in_thread(void *unused)
{
	large[sizeof(large) - 1] = 1;
	churn(500);
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t threads[8];
	void *late =
		argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL; /* libsnap itself, passive if new */

	NEED(argc < 2 || late);
	for (int i = 0; i < 8; i++)
		NEED(pthread_create(&threads[i], NULL, in_thread, NULL) == 0);
	for (int i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	if (late)
		dlclose(late);
	churn(100);
	return 0;
}
