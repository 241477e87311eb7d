/*
 * fuzz_names.c - hostile symbol names for the demanglers: they come back, and with text.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/demangle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demangle(const char *prefix, const uint8_t *data, size_t size)
{
	size_t lead = strlen(prefix);
	char *name = malloc(lead + size + 1);
	char *shown;

	if (!name)
		return;
	memcpy(name, prefix, lead);
	memcpy(name + lead, data, size);
	name[lead + size] = '\0';
	shown = demangle_function(name);
	if (!shown)
		abort();
	free(shown);
	free(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 4096)
		return 0;
	demangle("", data, size);
	demangle("_R", data, size);
	demangle("_Z", data, size);
	return 0;
}
