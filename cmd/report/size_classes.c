/*
 * report/size_classes.c - from the text in a snapshot's meta to a table.
 */
#include "report/size_classes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/sites.h"

#define MOST_CLASSES 64u
#define MOST         ((uint64_t)1 << 40) /* of any number: products stay in 64 bits */
#define QUARTERS     4u

struct class
{
	uint64_t size, pools, used, free;
};

struct arenas {
	uint64_t pool, empty, untouched;
	uint64_t by_use[QUARTERS];
	struct class classes[MOST_CLASSES];
	size_t count;
};

static const struct column columns[] = {
	{"size", "block", COLUMN_BYTES, 0},
	{"pools", "pools", COLUMN_COUNT, 0},
	{"pool_bytes", "memory", COLUMN_BYTES, 0},
	{"live_blocks", "in use", COLUMN_COUNT, 0},
	{"free_blocks", "free", COLUMN_COUNT, 0},
	{"live_bytes", "bytes in use", COLUMN_BYTES, 0},
	{"free_bytes", "bytes free", COLUMN_BYTES, 0},
	{"use", "use", COLUMN_RATIO, 0},
};

struct report *size_classes_report_new(void)
{
	return report_new("snapdiff.size_classes/1", columns, sizeof(columns) / sizeof(*columns));
}

/* A number, then `end`, which is passed; false if something else is there. */
static bool number(const char **at, char end, uint64_t *value)
{
	char *rest;

	if (**at < '0' || **at > '9')
		return false;
	*value = strtoull(*at, &rest, 10);
	if (*value > MOST || *rest != end)
		return false;
	*at = end ? rest + 1 : rest;
	return true;
}

static bool named(const char **at, const char *name, char end, uint64_t *value)
{
	size_t size = strlen(name);

	if (strncmp(*at, name, size) != 0)
		return false;
	*at += size;
	return number(at, end, value);
}

static char end_of_field(const char *at)
{
	return at[strcspn(at, " ")];
}

static bool parse_class(const char **at, struct class *class)
{
	return number(at, ':', &class->size) && class->size > 0 && class->size < 65536 &&
	       number(at, ':', &class->pools) && class->pools <= MOST >> 16 &&
	       number(at, ':', &class->used) && class->used <= MOST >> 8 &&
	       number(at, end_of_field(*at), &class->free) && class->free <= MOST >> 8;
}

static bool fits(const struct class *class, uint64_t pool)
{
	return (class->used + class->free) * class->size <= class->pools * pool;
}

static bool parse(const char *at, struct arenas *arenas)
{
	if (!named(&at, "pool=", ' ', &arenas->pool) || arenas->pool > 1 << 20 ||
	    !named(&at, "empty=", ' ', &arenas->empty) ||
	    !named(&at, "untouched=", ' ', &arenas->untouched) ||
	    !named(&at, "by_use=", ',', &arenas->by_use[0]))
		return false;
	for (unsigned i = 1; i + 1 < QUARTERS; i++)
		if (!number(&at, ',', &arenas->by_use[i]))
			return false;
	if (!number(&at, end_of_field(at), &arenas->by_use[QUARTERS - 1]))
		return false;
	while (*at)
		if (arenas->count == MOST_CLASSES ||
		    !parse_class(&at, &arenas->classes[arenas->count]) ||
		    !fits(&arenas->classes[arenas->count++], arenas->pool))
			return false;
	return true;
}

static void add_row(struct report *report, const struct class *class, uint64_t pool)
{
	struct value *row = report_row(report);
	uint64_t used = class->used * class->size, bytes = class->pools * pool;

	row[0] = value_u64(class->size);
	row[1] = value_u64(class->pools);
	row[2] = value_u64(bytes);
	row[3] = value_u64(class->used);
	row[4] = value_u64(class->free);
	row[5] = value_u64(used);
	row[6] = value_u64(class->free * class->size);
	row[7] = bytes ? value_real((double)used / (double)bytes) : value_null();
}

/* The arenas' own figures. */
static void add_head(struct report *report, const struct arenas *arenas)
{
	struct value object = value_object(), by_use = value_list(report, QUARTERS);
	uint64_t count = 0;

	for (unsigned i = 0; i < QUARTERS; i++) {
		by_use.list.items[i] = value_u64(arenas->by_use[i]);
		count += arenas->by_use[i];
	}
	value_field(report, &object, "count", value_u64(count));
	value_field(report, &object, "pool_size", value_u64(arenas->pool));
	value_field(report, &object, "empty_pools", value_u64(arenas->empty));
	value_field(report, &object, "untouched_pools", value_u64(arenas->untouched));
	value_field(report, &object, "by_use", by_use);
	value_field(report, &report->head, "arenas", object);
	report_fact(report,
		    "Arenas: %" PRIu64 "; by the share that is in use: %" PRIu64
		    " up to 25 %%, %" PRIu64 " up to 50 %%, %" PRIu64 " up to 75 %%, %" PRIu64
		    " above.  Empty pools: %" PRIu64 ", never used: %" PRIu64 " of %" PRIu64
		    " bytes each.",
		    count, arenas->by_use[0], arenas->by_use[1], arenas->by_use[2],
		    arenas->by_use[3], arenas->empty, arenas->untouched, arenas->pool);
	report_note(report, "An arena goes back to the system when all of its pools are empty; an "
			    "empty pool can take any size, a free block only its own.");
}

static const struct class *most_free(const struct arenas *arenas)
{
	const struct class *most = NULL;

	for (size_t i = 0; i < arenas->count; i++) {
		const struct class *class = &arenas->classes[i];

		if (!most || class->free * class->size > most->free * most->size)
			most = class;
	}
	return most;
}

static void add_title(struct report *report, const struct arenas *arenas)
{
	const struct class *most = most_free(arenas);
	uint64_t memory = 0, free = 0;
	char all[32], none[32], its[32];

	for (size_t i = 0; i < arenas->count; i++) {
		memory += arenas->classes[i].pools * arenas->pool;
		free += arenas->classes[i].free * arenas->classes[i].size;
	}
	sites_bytes(memory, all);
	sites_bytes(free, none);
	sites_bytes(most ? most->free * most->size : 0, its);
	report->title = report_text(
		report,
		"Python's pools in use have %s, of which %s are free blocks, %s of them of %" PRIu64
		" bytes",
		all, none, its, most ? most->size : 0);
}

enum snap_status size_classes_fill(struct report *report, const char *text, struct snap_error *err)
{
	struct arenas arenas = {0};

	if (!text)
		return fail(err, SNAP_EUSAGE,
			    "the snapshot has no figures of Python's arenas: the program is not "
			    "Python, or its pages were not counted (see `snapdiff info`)");
	if (!parse(text, &arenas))
		return fail(err, SNAP_ECORRUPT,
			    "the snapshot's figures of Python's arenas cannot be read");
	add_title(report, &arenas);
	add_head(report, &arenas);
	for (size_t i = 0; i < arenas.count; i++)
		add_row(report, &arenas.classes[i], arenas.pool);
	return SNAP_OK;
}
