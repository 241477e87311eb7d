/*
 * t03: whose stack is it?
 * Stands for: agents that ask pthread_getattr_np(), which allocates and reads /proc/self/maps, from
 * inside malloc; and those that read beyond the stack of a thread whose stack the program supplied.
 */
#include "torture.h"

#include <pthread.h>
#include <sys/mman.h>

FAR static void *in_thread(void *unused)
{
	pthread_attr_t attributes;
	void *base;
	size_t size;

	churn(100);
	NEED(pthread_getattr_np(pthread_self(), &attributes) == 0);
	NEED(pthread_attr_getstack(&attributes, &base, &size) == 0);
	pthread_attr_destroy(&attributes);
	churn(100);
	return unused;
}

int main(void)
{
	size_t size = 64 * 1024, page = 4096;
	pthread_attr_t attributes;
	pthread_t thread;

	in_thread(NULL);
	for (int i = 0; i < 20; i++) {
		/* The stack ends where readable memory ends, at both sides. */
		char *map =
			mmap(NULL, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		NEED(map != MAP_FAILED);
		NEED(mprotect(map + page, size, PROT_READ | PROT_WRITE) == 0);
		pthread_attr_init(&attributes);
		NEED(pthread_attr_setstack(&attributes, map + page, size) == 0);
		NEED(pthread_create(&thread, &attributes, in_thread, NULL) == 0);
		pthread_join(thread, NULL);
		pthread_attr_destroy(&attributes);
		munmap(map, size + 2 * page); /* a later thread must not look here */
	}
	return 0;
}
