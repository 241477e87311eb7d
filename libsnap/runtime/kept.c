/*
 * runtime/kept.c - snapshots that a later one of their kind replaces.
 */
#include "runtime/kept.h"

#include "runtime/filename.h"
#include "runtime/identity.h"
#include "runtime/text.h"
#include "write/sys.h"

static char last_peak[SNAP__FILENAME_MAX]; /* "": there is none */

const char *snap__kept_word(enum snap__reason reason)
{
	return reason == SNAP__AT_PEAK && snap__process_config()->keep_peak ? "peak" : NULL;
}

void snap__kept_drop_peak(int directory)
{
	if (last_peak[0])
		snap__sys_unlinkat(directory, last_peak);
	last_peak[0] = '\0';
}

int snap__kept_publish(struct snap__file *file, const char *name)
{
	bool is_own = snap__equal(name, last_peak);
	int error = is_own ? snap__file_replace(file, name) : snap__file_rename(file, name);
	struct snap__text text;

	if (error != 0)
		return error;
	if (!is_own)
		snap__kept_drop_peak(file->directory);
	text = SNAP__TEXT(last_peak);
	snap__text_add(&text, name);
	return 0;
}

void snap__kept_after_fork(void)
{
	last_peak[0] = '\0';
}
