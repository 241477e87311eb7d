/*
 * report/resident.c - from the figures of a snapshot to parts of its resident memory.
 *
 * Recorded bytes are those that the program asked for.  What the allocators add to them (headers,
 * rounding) is the difference to what they say is in use, which also has blocks that were not
 * recorded.  Whatever is missing or counted twice shows in the last part.
 */
#include "report/resident.h"

#include <string.h>

#include "report/sites.h"

enum measure {
	RSS,
	LIVE,
	MAPPED,
	ABSENT,
	ALLOCATOR_MAPPED,
	ALLOCATOR_IN_USE,
	ALLOCATOR_FREE,
	ALLOCATOR_FREE_ABSENT,
	HEAPS_RESIDENT,
	HEAPS_IN_USE,
	HEAPS_RECORDED,
	PYMALLOC_RESIDENT,
	PYMALLOC_FREE,
	PYMALLOC_RECORDED,
	PYMALLOC_FRAMES,
	FILES,
	SHARED,
	MODULES,
	STACKS,
	RECORDER,
	RECORDER_MAPPED,
	MEASURES
};

static const char *const measure_names[MEASURES] = {
	[RSS] = "rss",
	[LIVE] = "heap.live_bytes",
	[MAPPED] = "heap.mapped_bytes",
	[ABSENT] = "heap.absent_bytes",
	[ALLOCATOR_MAPPED] = "allocator.mapped",
	[ALLOCATOR_IN_USE] = "allocator.in_use",
	[ALLOCATOR_FREE] = "allocator.free",
	[ALLOCATOR_FREE_ABSENT] = "allocator.free_absent",
	[HEAPS_RESIDENT] = "heaps.resident",
	[HEAPS_IN_USE] = "heaps.in_use",
	[HEAPS_RECORDED] = "heaps.recorded",
	[PYMALLOC_RESIDENT] = "pymalloc.resident",
	[PYMALLOC_FREE] = "pymalloc.free",
	[PYMALLOC_RECORDED] = "pymalloc.recorded",
	[PYMALLOC_FRAMES] = "pymalloc.frames",
	[FILES] = "resident.files",
	[SHARED] = "resident.shared",
	[MODULES] = "resident.modules",
	[STACKS] = "resident.stacks",
	[RECORDER] = "resident.recorder",
	[RECORDER_MAPPED] = "recorder.memory",
};

static const struct {
	const char *key, *words;
} names[RESIDENT_PARTS] = {
	[RESIDENT_LIVE] = {"recorded_live", "recorded live blocks"},
	[RESIDENT_ABSENT] = {"not_in_memory", "of these untouched, swapped out or shared"},
	[RESIDENT_PYMALLOC_FREE] = {"pymalloc_free", "free in Python's arenas"},
	[RESIDENT_MALLOC_FREE] = {"malloc_free", "free in malloc"},
	[RESIDENT_OVERHEAD] = {"allocators_own", "headers, rounding, blocks not recorded"},
	[RESIDENT_FILES] = {"program_and_libraries", "program, libraries and files"},
	[RESIDENT_SHARED] = {"shared", "shared memory"},
	[RESIDENT_STACKS] = {"stacks", "stacks"},
	[RESIDENT_RECORDER] = {"recorder", "recorder"},
	[RESIDENT_UNEXPLAINED] = {"unexplained", "unexplained"},
};

const char *resident_key(enum resident_part part)
{
	return names[part].key;
}

const char *resident_words(enum resident_part part)
{
	return names[part].words;
}

/* Hostile figures must not overflow when they are added up. */
static bool is_sane(int64_t value)
{
	return value >= 0 && value <= INT64_MAX / (2 * MEASURES);
}

void resident_take(struct resident *resident, const char *name, int64_t value)
{
	for (int i = 0; i < MEASURES; i++)
		if (strcmp(name, measure_names[i]) == 0 && is_sane(value)) {
			resident->known[i] = true;
			resident->figures[i] = value;
		}
}

static void set(struct resident_sum *sum, enum resident_part part, bool known, int64_t value)
{
	sum->known[part] = known;
	sum->parts[part] = known ? value : 0;
}

/* What malloc says of its memory; or, where it was not asked, what is left of it without the recorded
 * blocks. */
static void set_malloc(const struct resident *resident, struct resident_sum *sum)
{
	const int64_t *f = resident->figures;
	const bool *known = resident->known;
	int64_t pymalloc = f[PYMALLOC_RESIDENT] - f[PYMALLOC_FREE];

	if (known[ALLOCATOR_IN_USE] || !known[HEAPS_RESIDENT] || !known[HEAPS_IN_USE]) {
		set(sum, RESIDENT_MALLOC_FREE, known[ALLOCATOR_FREE],
		    f[ALLOCATOR_FREE] - f[ALLOCATOR_FREE_ABSENT]);
		set(sum, RESIDENT_OVERHEAD, known[ALLOCATOR_IN_USE] && known[LIVE],
		    f[ALLOCATOR_IN_USE] + f[ALLOCATOR_MAPPED] + pymalloc - (f[LIVE] - f[MAPPED]));
		return;
	}
	set(sum, RESIDENT_MALLOC_FREE, true, f[HEAPS_RESIDENT] - f[HEAPS_IN_USE]);
	set(sum, RESIDENT_OVERHEAD, true,
	    f[HEAPS_IN_USE] - f[HEAPS_RECORDED] + pymalloc - f[PYMALLOC_RECORDED]);
}

bool resident_add_up(const struct resident *resident, struct resident_sum *sum)
{
	const int64_t *f = resident->figures;
	const bool *known = resident->known;

	*sum = (struct resident_sum){.total = f[RSS]};
	set(sum, RESIDENT_LIVE, known[LIVE], f[LIVE]);
	set(sum, RESIDENT_ABSENT, known[ABSENT], -f[ABSENT]);
	set(sum, RESIDENT_PYMALLOC_FREE, known[PYMALLOC_FREE], f[PYMALLOC_FREE]);
	set_malloc(resident, sum);
	set(sum, RESIDENT_FILES, known[FILES], f[FILES] + f[MODULES]);
	set(sum, RESIDENT_SHARED, known[SHARED], f[SHARED]);
	set(sum, RESIDENT_STACKS, known[STACKS], f[STACKS] + f[PYMALLOC_FRAMES]);
	set(sum, RESIDENT_RECORDER, known[RECORDER] || known[RECORDER_MAPPED],
	    known[RECORDER] ? f[RECORDER] : f[RECORDER_MAPPED]);
	sum->known[RESIDENT_UNEXPLAINED] = true;
	sum->parts[RESIDENT_UNEXPLAINED] = sum->total;
	for (int part = 0; part < RESIDENT_UNEXPLAINED; part++)
		sum->parts[RESIDENT_UNEXPLAINED] -= sum->parts[part];
	return known[RSS];
}

static void say_missing(const struct resident *resident, const struct resident_sum *sum,
			struct report *report)
{
	if (!sum->known[RESIDENT_MALLOC_FREE])
		report_fact(report,
			    "What is free in malloc was not asked for: the allocator is not "
			    "glibc's, or an answer would have held up the program.  It is part "
			    "of what is unexplained.");
	if (sum->known[RESIDENT_MALLOC_FREE] && !resident->known[ALLOCATOR_FREE])
		report_fact(report,
			    "What is free in malloc was worked out: pages of its heaps in memory, "
			    "without the recorded blocks.  Its own answer would have held up "
			    "the program.");
	if (!resident->known[MODULES])
		report_fact(report,
			    "Pages in memory were not counted: the program was small and short, "
			    "or counting would have taken long.  What is not in memory, stacks, "
			    "variables of libraries and what is free in Python's arenas are part "
			    "of what is unexplained.");
	if (resident->is_sample)
		report_fact(report, "Recorded bytes are an estimate, so the parts that depend on "
				    "them are, too.");
}

void resident_say(const struct resident *resident, const struct resident_sum *sum,
		  struct report *report)
{
	char bytes[32];

	say_missing(resident, sum, report);
	if (sum->parts[RESIDENT_OVERHEAD] < 0)
		report_fact(report,
			    "Blocks inside of other recorded blocks count twice, or not all "
			    "allocators tell what they hold: what allocators add is "
			    "negative.");
	if (sum->parts[RESIDENT_UNEXPLAINED] >= 0)
		return;
	sites_bytes((uint64_t)-sum->parts[RESIDENT_UNEXPLAINED], bytes);
	report_fact(report,
		    "The parts exceed resident memory by %s: what is free in malloc was never "
		    "used in part, or was given back to the system; or the program changed "
		    "while it was measured.",
		    bytes);
}
