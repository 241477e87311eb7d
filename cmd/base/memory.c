/*
 * memory.c - memory that building and rendering a report cannot do without.
 */
#include "base/memory.h"

#include <stdlib.h>

static memory_failed_fn *failed;

void memory_on_failure(memory_failed_fn *fn)
{
	failed = fn;
}

void *memory_need(void *memory, const char *doing)
{
	if (memory)
		return memory;
	if (failed)
		failed(doing);
	abort();
}
