/*
 * runtime/kept.c - snapshots that are replaced by a later one of the same kind.
 */
#include "runtime/kept.h"

#include "runtime/filename.h"
#include "runtime/process.h"
#include "runtime/text.h"
#include "write/sys.h"

/* Each holds the newest snapshot of its kind; safety snapshots take turns. */
enum place { PEAK, SAFETY_1, SAFETY_2, PLACES, NOWHERE };

static const char *const words[PLACES] = {"peak", "safety1", "safety2"};
static char names[PLACES][SNAP__FILENAME_MAX]; /* "": there is none */
static enum place next_safety = SAFETY_1;
static uint64_t peak_bytes; /* live in the kept peak */

static enum place place_of(enum snap__reason reason)
{
	if (reason == SNAP__AT_SAFETY)
		return next_safety;
	return reason == SNAP__AT_PEAK && snap__process_config()->keep_peak ? PEAK : NOWHERE;
}

const char *snap__kept_word(enum snap__reason reason)
{
	enum place place = place_of(reason);

	return place == NOWHERE ? NULL : words[place];
}

static void drop(enum place place, int directory)
{
	if (names[place][0])
		snap__sys_unlinkat(directory, names[place]);
	names[place][0] = '\0';
}

bool snap__kept_is_higher(enum snap__reason reason, uint64_t live_bytes)
{
	return place_of(reason) == PEAK && names[PEAK][0] && live_bytes < peak_bytes;
}

int snap__kept_publish(enum snap__reason reason, struct snap__file *file, const char *name,
		       uint64_t live_bytes)
{
	enum place place = place_of(reason);
	bool is_own = snap__equal(name, names[place]);
	int error = is_own ? snap__file_replace(file, name) : snap__file_rename(file, name);
	struct snap__text text;

	if (error != 0)
		return error;
	if (!is_own)
		drop(place, file->directory);
	text = SNAP__TEXT(names[place]);
	snap__text_add(&text, name);
	if (place == PEAK)
		peak_bytes = live_bytes;
	if (reason == SNAP__AT_SAFETY)
		next_safety = next_safety == SAFETY_1 ? SAFETY_2 : SAFETY_1;
	return 0;
}

void snap__kept_drop_peak(int directory)
{
	drop(PEAK, directory);
}

void snap__kept_drop_safety(int directory)
{
	drop(SAFETY_1, directory);
	drop(SAFETY_2, directory);
}

void snap__kept_after_fork(void)
{
	for (enum place place = PEAK; place < PLACES; place++)
		names[place][0] = '\0';
}
