/*
 * plugin.c - a module that truth.cpp loads: its variables hold blocks.
 */
#include <stdlib.h>
#include <string.h>

void held_plugin_global(void);
void held_plugin_tls(void);
void keep_for_thread(char *kept);

extern char *volatile of_module;
char *volatile of_module;
static __thread char *volatile of_thread;
static __thread volatile char large[4096]; /* not among the static ones that libc keeps room for */

static char *block(size_t size)
{
	char *made = malloc(size);

	memset(made, 1, size);
	return made;
}

void held_plugin_global(void)
{
	of_module = block(241);
}

void held_plugin_tls(void)
{
	of_thread = block(251);
	large[5] = 1;
}

void keep_for_thread(char *kept)
{
	of_thread = kept;
}
