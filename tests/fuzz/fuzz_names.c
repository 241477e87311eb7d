/*
 * fuzz_names.c - hostile symbol names for the demanglers: each call returns text, or the limit on
 * its time ends it.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "symbols/demangle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of LeakSanitizer, where there is one. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

static sigjmp_buf out_of_time;

/* The process that reads modules ends here.  The watch is on only while libiberty works, which holds
 * no lock then. */
static void late(int number)
{
	(void)number;
	siglongjmp(out_of_time, 1);
}

/* A late name leaves memory behind: leaks are for the unit tests to find. */
static void demangle_in_time(const char *name)
{
	char *shown;

	if (__lsan_disable)
		__lsan_disable();
	if (sigsetjmp(out_of_time, 1) == 0) {
		shown = demangle_function(name);
		if (!shown)
			abort();
		free(shown);
	}
	if (__lsan_enable)
		__lsan_enable();
}

static void demangle(const char *prefix, const uint8_t *data, size_t size)
{
	size_t lead = strlen(prefix);
	char *name = malloc(lead + size + 1);

	if (!name)
		return;
	memcpy(name, prefix, lead);
	memcpy(name + lead, data, size);
	name[lead + size] = '\0';
	demangle_in_time(name);
	free(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 4096)
		return 0;
	demangle_watch(late);
	demangle("", data, size);
	demangle("_R", data, size);
	demangle("_Z", data, size);
	return 0;
}
