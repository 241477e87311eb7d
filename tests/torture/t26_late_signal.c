/*
 * t26: a signal ends the process, and meets the thread that takes the snapshot of the exit.
 * Stands for: pools that end by SIGTERM those of their workers that are about to end by themselves.
 * Each of these waited for seconds, for its own snapshot.
 *
 * The recorder asks for the loaded objects when it takes that snapshot: this is the moment.
 */
#include "torture.h"

#include <dlfcn.h>
#include <link.h>
#include <signal.h>

typedef int seen_fn(struct dl_phdr_info *info, size_t size, void *user);

static volatile int is_leaving;

int dl_iterate_phdr(seen_fn *seen, void *user)
{
	int (*real)(seen_fn *, void *);
	int result;

	*(void **)&real = dlsym(RTLD_NEXT, "dl_iterate_phdr");
	result = real(seen, user);
	if (is_leaving) {
		is_leaving = 0;
		NEED(raise(SIGTERM) == 0);
		NEED(write(STDOUT_FILENO, "went on\n", 8) == 8);
	}
	return result;
}

int main(void)
{
	char *volatile kept = malloc(12345);

	NEED(kept);
	is_leaving = 1;
	return 0;
}
