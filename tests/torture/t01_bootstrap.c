/*
 * t01: malloc before anything is ready.
 * Stands for: profilers that recurse for ever or hand out NULL because dlsym() called calloc before
 * the real one was known, and those that crash in free() or realloc() of such a block.
 */
#include "torture.h"

#include <dlfcn.h>

static char *from_preinit;

/* Runs before the constructors of every library, ours included. */
static void before_everything(void)
{
	from_preinit = malloc(100);
	strcpy(from_preinit, "early");
	from_preinit = realloc(from_preinit, 10000);
	free(calloc(7, 7));
}

__attribute__((section(".preinit_array"), used)) static void (*preinit)(void) = before_everything;

int main(void)
{
	NEED(strcmp(from_preinit, "early") == 0);
	from_preinit = realloc(from_preinit, 50);
	NEED(strcmp(from_preinit, "early") == 0);
	free(from_preinit);
	NEED(dlsym(RTLD_DEFAULT, "no_such_symbol_anywhere") == NULL);
	NEED(dlerror() != NULL); /* its text is allocated by the loader */
	churn(1000);
	return 0;
}
