/*
 * t14: code that comes and goes.
 * Stands for: stale unwind rules and addresses: a module is closed, another is mapped in its place,
 * and the old module's blocks are attributed to the new one, or the unwinder follows rules of code
 * that is gone.
 */
#include "torture.h"

#include <dlfcn.h>

int main(int argc, char **argv)
{
	void *kept[2] = {NULL, NULL};

	NEED(argc > 2);
	for (int i = 0; i < 200; i++) {
		void *handle = dlopen(argv[1 + i % 2], RTLD_NOW);
		void *(*allocate)(int) = NULL;
		void *symbol;

		NEED(handle);
		symbol = dlsym(handle, "plugin_allocate");
		memcpy(&allocate, &symbol, sizeof(allocate));
		NEED(allocate);
		free(kept[i % 2]);
		kept[i % 2] = allocate(1 + i % 7);
		dlclose(handle);
	}
	return 0;
}
