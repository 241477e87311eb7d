/*
 * relocation.c - which directory of the old side became which of the new side: the files vote.
 */
#include "analysis/pairing/relocation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/search.h"
#include "model/names.h"

enum { MOST_VOTES = 64 }; /* of one old file: names like __init__.py are everywhere */

struct file {
	uint32_t string;
	const char *text, *base;
};

/* An old file may be a new one: the two paths differ in these prefixes only. */
struct vote {
	uint32_t old, new; /* strings */
	const char *old_text, *new_text;
	size_t old_size, new_size; /* of the prefixes */
	size_t voters;             /* files that agree on the prefixes */
};

struct ballot {
	const struct dataset *dataset;
	struct file *new_files; /* by base name */
	size_t new_count;
	struct vote *votes;
	size_t count, capacity;
};

/* ---- the files of each side ------------------------------------------------------------------ */

enum { ON_OLD = 1, ON_NEW = 2 };

static void note_files(const struct dataset *dataset, const struct pair_sides *sides,
		       unsigned char *seen)
{
	for (size_t s = 0; s < dataset->site_count; s++) {
		const struct dataset_site *site = &dataset->sites[s];
		unsigned char side = (unsigned char)((sides->old[s] ? ON_OLD : 0) |
						     (sides->new[s] ? ON_NEW : 0));

		for (uint32_t f = 0; side && f < site->depth; f++)
			seen[dataset->frames[dataset->stack[site->first + f]].file] |= side;
	}
}

static int compare_files(const void *left, const void *right)
{
	const struct file *a = left, *b = right;
	int order = strcmp(a->base, b->base);

	return order ? order : strcmp(a->text, b->text);
}

static size_t collect_new(struct ballot *ballot, const unsigned char *seen)
{
	for (uint32_t i = 1; i < ballot->dataset->string_count; i++) {
		const char *text = dataset_text(ballot->dataset, i);

		if (seen[i] == ON_NEW && *text != '<')
			ballot->new_files[ballot->new_count++] =
				(struct file){i, text, name_base(text)};
	}
	qsort(ballot->new_files, ballot->new_count, sizeof(*ballot->new_files), compare_files);
	return ballot->new_count;
}

/* ---- votes ----------------------------------------------------------------------------------- */

/* How many bytes at their ends two paths share, in whole components. */
static size_t common_end(const char *a, const char *b)
{
	size_t a_size = strlen(a), b_size = strlen(b), shared = 0, whole = 0;

	while (shared < a_size && shared < b_size &&
	       a[a_size - shared - 1] == b[b_size - shared - 1]) {
		shared++;
		if (a[a_size - shared] == '/')
			whole = shared;
	}
	if ((shared == a_size || a[a_size - shared - 1] == '/') &&
	    (shared == b_size || b[b_size - shared - 1] == '/'))
		whole = shared;
	return whole;
}

static bool add_vote(struct ballot *ballot, const struct file *old, const struct file *new)
{
	size_t shared = common_end(old->text, new->text);

	if (!array_reserve(&ballot->votes, &ballot->capacity, ballot->count, sizeof(struct vote)))
		return false;
	ballot->votes[ballot->count++] = (struct vote){
		.old = old->string,
		.new = new->string,
		.old_text = old->text,
		.new_text = new->text,
		.old_size = strlen(old->text) - shared,
		.new_size = strlen(new->text) - shared,
	};
	return true;
}

/* The new files of the same base name, from the first of them on. */
static size_t first_of_base(const struct ballot *ballot, const char *base)
{
	size_t at;

	SEARCH(at, 0, ballot->new_count, strcmp(ballot->new_files[at].base, base) < 0);
	return at;
}

static bool vote(struct ballot *ballot, const struct file *old)
{
	size_t at = first_of_base(ballot, old->base), end = at + MOST_VOTES;

	for (; at < ballot->new_count && at < end; at++)
		if (strcmp(ballot->new_files[at].base, old->base) != 0)
			break;
		else if (!add_vote(ballot, old, &ballot->new_files[at]))
			return false;
	return true;
}

static int compare_text(const char *a, size_t a_size, const char *b, size_t b_size)
{
	if (a_size != b_size)
		return a_size < b_size ? -1 : 1;
	return memcmp(a, b, a_size);
}

static int compare_prefixes(const void *left, const void *right)
{
	const struct vote *a = left, *b = right;
	int order = compare_text(a->old_text, a->old_size, b->old_text, b->old_size);

	return order ? order : compare_text(a->new_text, a->new_size, b->new_text, b->new_size);
}

static void count_voters(struct ballot *ballot)
{
	if (ballot->count)
		qsort(ballot->votes, ballot->count, sizeof(*ballot->votes), compare_prefixes);
	for (size_t i = 0, next; i < ballot->count; i = next) {
		for (next = i + 1; next < ballot->count; next++)
			if (compare_prefixes(&ballot->votes[i], &ballot->votes[next]) != 0)
				break;
		for (size_t k = i; k < next; k++)
			ballot->votes[k].voters = next - i;
	}
}

/* Most votes first; with equal votes, the longer common end. */
static int compare_votes(const void *left, const void *right)
{
	const struct vote *a = left, *b = right;
	int order;

	if (a->voters != b->voters)
		return a->voters < b->voters ? 1 : -1;
	if (a->old_size != b->old_size)
		return a->old_size < b->old_size ? -1 : 1;
	order = strcmp(a->old_text, b->old_text);
	return order ? order : strcmp(a->new_text, b->new_text);
}

/* Each old file gets the best new one that no other has. */
static size_t elect(const struct ballot *ballot, uint32_t *names, unsigned char *seen)
{
	enum { TAKEN = 4 };
	size_t moved = 0;

	for (size_t i = 0; i < ballot->count; i++) {
		const struct vote *best = &ballot->votes[i];

		if (names[best->old] != best->old || (seen[best->new] & TAKEN))
			continue;
		names[best->old] = best->new;
		seen[best->new] |= TAKEN;
		moved++;
	}
	return moved;
}

/* ---- prefixes that the user gives ------------------------------------------------------------ */

/* Apply "OLD=NEW" to `text`: its name on the new side.  False if it does not apply. */
static bool apply_map(const char *map, const char *text, char **out)
{
	const char *equals = strchr(map, '=');
	size_t size = equals ? (size_t)(equals - map) : 0;

	if (!equals || strncmp(text, map, size) != 0)
		return false;
	if (asprintf(out, "%s%s", equals + 1, text + size) < 0)
		*out = NULL;
	return true;
}

static uint32_t find_string(const struct dataset *dataset, const char *text)
{
	for (uint32_t i = 1; i < dataset->string_count; i++)
		if (strcmp(dataset_text(dataset, i), text) == 0)
			return i;
	return SNAP_NONE;
}

/* 1 if a map says what the file is called, 0 if none does, -1 when memory is out. */
static int follow_maps(const struct dataset *dataset, const struct pair_sides *sides,
		       uint32_t string, uint32_t *names)
{
	for (size_t i = 0; i < sides->map_count; i++) {
		char *text = NULL;
		uint32_t name;

		if (!apply_map(sides->maps[i], dataset_text(dataset, string), &text))
			continue;
		if (!text)
			return -1;
		name = find_string(dataset, text);
		free(text);
		if (name != SNAP_NONE)
			names[string] = name;
		return 1;
	}
	return 0;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static bool name_old_files(struct ballot *ballot, const struct pair_sides *sides,
			   const unsigned char *seen, uint32_t *names, size_t *moved)
{
	for (uint32_t i = 1; i < ballot->dataset->string_count; i++) {
		const char *text = dataset_text(ballot->dataset, i);
		const struct file old = {i, text, name_base(text)};
		int mapped = seen[i] & ON_OLD ? follow_maps(ballot->dataset, sides, i, names) : 1;

		*moved += names[i] != i;
		if (mapped < 0 ||
		    (mapped == 0 && seen[i] == ON_OLD && *text != '<' && !vote(ballot, &old)))
			return false;
	}
	return true;
}

uint32_t *relocation_compute(const struct dataset *dataset, const struct pair_sides *sides,
			     size_t *moved)
{
	struct ballot ballot = {.dataset = dataset};
	uint32_t *names = malloc((dataset->string_count + 1) * sizeof(*names));
	unsigned char *seen = calloc(dataset->string_count + 1, 1);
	bool ok;

	*moved = 0;
	ballot.new_files = malloc((dataset->string_count + 1) * sizeof(*ballot.new_files));
	ok = names && seen && ballot.new_files;
	for (uint32_t i = 0; ok && i < dataset->string_count; i++)
		names[i] = i;
	if (ok) {
		note_files(dataset, sides, seen);
		collect_new(&ballot, seen);
		ok = name_old_files(&ballot, sides, seen, names, moved);
	}
	if (ok && ballot.count) {
		count_voters(&ballot);
		qsort(ballot.votes, ballot.count, sizeof(*ballot.votes), compare_votes);
		*moved += elect(&ballot, names, seen);
	}
	free(ballot.votes);
	free(ballot.new_files);
	free(seen);
	if (!ok) {
		free(names);
		names = NULL;
	}
	return names;
}
