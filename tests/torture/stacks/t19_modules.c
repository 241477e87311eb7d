/*
 * t19_modules: code that is replaced by other code at the same place, and processes that are
 * copies. Stands for: rules and names of a closed module that are believed of the one that took its
 * place.
 *
 * t19_modules RED BLUE: two modules of one size, the function plugin_relay() at one offset in both.
 * Prints how often the second was mapped where the first had been.
 */
#include "../torture.h"

#include <dlfcn.h>
#include <sys/wait.h>

typedef void *relay_fn(void *(*)(int), int);

FAR static void *keep(int size)
{
	return malloc((size_t)size);
}

/* Call keep() by way of the module; `*place` is where its function was. */
FAR static void *by_module(const char *path, int size, void **place)
{
	void *handle = dlopen(path, RTLD_NOW);
	void *symbol, *block;
	relay_fn *relay = NULL;

	NEED(handle);
	symbol = dlsym(handle, "plugin_relay");
	memcpy(&relay, &symbol, sizeof(relay));
	NEED(relay);
	block = relay(keep, size);
	free(relay(keep, size));
	*place = symbol;
	NEED(dlclose(handle) == 0);
	return block;
}

static int replace_modules(char **paths, int rounds)
{
	void *place[2] = {NULL, NULL};
	int same = 0;

	for (int i = 0; i < rounds; i++) {
		int which = (i * 7 / 3) % 2;

		free(by_module(paths[which], which ? 300 : 200, &place[which]));
		same += place[0] == place[1];
	}
	return same;
}

static void in_copies(char **paths)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		replace_modules(paths, 10);
		exit(0);
	}
	NEED(waitpid(child, &status, 0) == child && status == 0);
	for (int i = 0; i < 20; i++) {
		child = vfork();
		if (child == 0) {
			free(keep(50 + i));
			_exit(0);
		}
		NEED(waitpid(child, &status, 0) == child && status == 0);
	}
}

/* What is left is counted by whoever reads the snapshot: 7 blocks of 2,000 and 5 of 3,000 bytes. */
static void leave_blocks(char **paths)
{
	void *place;

	for (int i = 0; i < 7; i++) {
		NEED(by_module(paths[0], 2000, &place));
		if (i < 5)
			NEED(by_module(paths[1], 3000, &place));
	}
}

int main(int argc, char **argv)
{
	int same;

	NEED(argc > 2);
	same = replace_modules(argv + 1, 200);
	in_copies(argv + 1);
	leave_blocks(argv + 1);
	printf("%d\n", same);
	return 0;
}
