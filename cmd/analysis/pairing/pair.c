/*
 * pair.c - pairing by keys: sort both sides by (key, line order) and walk them together.
 */
#include "analysis/pairing/pair.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/pairing/copies.h"
#include "analysis/pairing/line_map.h"
#include "analysis/pairing/pair_fuzzy.h"
#include "analysis/pairing/pair_inlined.h"
#include "analysis/pairing/pair_signature.h"
#include "analysis/pairing/relocation.h"
#include "analysis/pairing/twins.h"
#include "base/fail.h"
#include "base/keyed.h"
#include "model/names.h"

static const double like_blocks = 0.5; /* likeness of average block sizes of one object */

struct entry {
	uint64_t key;
	uint32_t site;
	const struct dataset *dataset; /* qsort() has no context */
};

/* Which lines of the new snapshot are the old one's lines, if the builds differ. */
struct line_knowledge {
	const struct pair_sides *sides;
	struct tokens tokens;
	uint32_t *map;             /* per frame: see analysis/line_map.h */
	uint32_t *place;           /* per frame: equal if function and line are equal */
	bool *old_seen, *new_seen; /* per place: a pair of stacks that fits the map goes through
				      it */
};

/* The stacks of one side that are not paired yet. */
struct side {
	struct entry *entries;
	size_t count;
	size_t set_aside; /* these many more, from entries[aside] on, pair at no later level */
	size_t aside;
};

static uint64_t key_at(const struct dataset_site *site, enum pair_level level)
{
	switch (level) {
	case PAIR_EXACT:
		return site->identity.exact;
	case PAIR_LINE:
		return site->identity.line;
	default:
		return site->identity.function;
	}
}

static int compare_number(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_frames(const struct dataset *dataset, uint32_t a, uint32_t b, bool addresses)
{
	uint32_t depth = dataset->sites[a].depth;
	int difference = 0;

	if (dataset->sites[b].depth < depth)
		depth = dataset->sites[b].depth;
	for (uint32_t i = 0; difference == 0 && i < depth; i++) {
		const struct dataset_frame *x = dataset_frame_at(dataset, a, i);
		const struct dataset_frame *y = dataset_frame_at(dataset, b, i);

		difference = addresses ? compare_number(x->address, y->address)
				       : compare_number(x->line, y->line);
	}
	return difference;
}

static int compare_entries(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int difference = compare_number(a->key, b->key);

	if (difference == 0)
		difference = compare_frames(a->dataset, a->site, b->site, false);
	if (difference == 0)
		difference = compare_frames(a->dataset, a->site, b->site, true);
	return difference ? difference : compare_number(a->site, b->site);
}

static void sort_ties(struct entry *entries, size_t count)
{
	for (size_t first = 0, next; first < count; first = next) {
		for (next = first + 1; next < count; next++)
			if (entries[next].key != entries[first].key)
				break;
		if (next - first > 1)
			qsort(entries + first, next - first, sizeof(*entries), compare_entries);
	}
}

/* Order the side by its keys.  Stacks without one come first. */
static bool order(struct side *side)
{
	struct entry *unsorted = malloc((side->count + 1) * sizeof(*unsorted));
	struct keyed_row *rows = malloc((side->count + 1) * sizeof(*rows));
	size_t keyless = 0;
	bool ok = unsorted && rows;

	for (size_t i = 0; ok && i < side->count; i++) {
		unsorted[i] = side->entries[i];
		rows[i] = (struct keyed_row){side->entries[i].key, (uint32_t)i};
	}
	ok = ok && keyed_sort(rows, side->count);
	if (ok) {
		for (size_t i = 0; i < side->count; i++)
			side->entries[i] = unsorted[rows[i].row];
		while (keyless < side->count && side->entries[keyless].key == 0)
			keyless++;
		sort_ties(side->entries + keyless, side->count - keyless);
	}
	free(unsorted);
	free(rows);
	return ok;
}

static void set_keys(struct side *side, enum pair_level level)
{
	for (size_t i = 0; i < side->count; i++)
		side->entries[i].key =
			key_at(&side->entries[i].dataset->sites[side->entries[i].site], level);
}

static void add_pair(struct pairing *pairing, uint32_t old, uint32_t new, enum pair_level level)
{
	pairing->pairs[pairing->count++] = (struct pair){
		.old = old, .new = new, .level = level, .similarity = level == PAIR_NONE ? 0 : 1};
}

/*
 * Do two stacks of the same functions call from lines that are known to be different calls?  A call
 * may now be on the line where another one was.  The map alone is not proof; it counts only if
 * whole stacks were paired through it.
 */
static bool lines_disagree(const struct line_knowledge *lines, const struct entry *old,
			   const struct entry *new)
{
	const struct dataset *dataset = old->dataset;
	const struct dataset_site *a = &dataset->sites[old->site], *b = &dataset->sites[new->site];

	for (uint32_t f = 0; f < a->depth && f < b->depth; f++) {
		uint32_t from = dataset->stack[a->first + f], to = dataset->stack[b->first + f];

		if (lines->map[from] != dataset->frames[to].line &&
		    (lines->old_seen[lines->place[from]] || lines->new_seen[lines->place[to]]))
			return true;
	}
	return false;
}

static bool has_function_names(const struct dataset *dataset, uint32_t site)
{
	for (uint32_t f = 0; f < dataset->sites[site].depth; f++)
		if (dataset_frame_at(dataset, site, f)->function)
			return true;
	return false;
}

static double block_size(const struct figures *figures)
{
	uint64_t bytes = figures->value[FIGURE_LIVE_BYTES];
	uint64_t blocks = figures->value[FIGURE_LIVE_BLOCKS];

	return bytes == SNAP_UNKNOWN || blocks == SNAP_UNKNOWN || blocks == 0
		       ? 0
		       : (double)bytes / (double)blocks;
}

/*
 * Stacks without function names, as in Python's dumps, are equal if their files are.  Then blocks of
 * quite another size are another object: the stacks may pair by likeness, but not by their order.
 */
static bool sizes_disagree(const struct line_knowledge *lines, const struct entry *old,
			   const struct entry *new)
{
	double a = block_size(&lines->sides->old[old->site]->figures);
	double b = block_size(&lines->sides->new[new->site]->figures);

	return a > 0 && b > 0 && (a < like_blocks * b || b < like_blocks * a) &&
	       !has_function_names(old->dataset, old->site);
}

static bool are_one(const struct line_knowledge *lines, const struct entry *old,
		    const struct entry *new)
{
	return !lines_disagree(lines, old, new) && !sizes_disagree(lines, old, new);
}

/* How many entries have the key of the one at `from`; not more than are worth a look. */
static size_t count_of_key(const struct side *side, size_t from)
{
	enum { MOST_COUNTED = 64 };
	size_t end = from;

	while (end < side->count && end - from < MOST_COUNTED &&
	       side->entries[end].key == side->entries[from].key)
		end++;
	return end - from;
}

/* Two stacks of one key are not one: which one has its partner further on? */
static bool old_comes_first(const struct line_knowledge *lines, const struct side *old, size_t i,
			    const struct side *new, size_t j)
{
	if (lines_disagree(lines, &old->entries[i], &new->entries[j]))
		return compare_frames(old->entries[i].dataset, old->entries[i].site,
				      new->entries[j].site, false) <= 0;
	return count_of_key(old, i) >= count_of_key(new, j);
}

/* Pair equal keys in order, where `lines` (NULL: not asked) agree; the remaining stacks move to the
   front of their side, and stay in order. */
static bool pair_by_keys(struct pairing *pairing, struct side *old, struct side *new,
			 enum pair_level level, const struct line_knowledge *lines)
{
	size_t i = 0, j = 0, old_left = 0, new_left = 0;

	if (!order(old) || !order(new))
		return false;
	while (i < old->count && j < new->count) {
		uint64_t a = old->entries[i].key, b = new->entries[j].key;
		bool old_first = a <= b;

		if (a == b && a != 0) {
			if (!lines || are_one(lines, &old->entries[i], &new->entries[j])) {
				add_pair(pairing, old->entries[i++].site, new->entries[j++].site,
					 level);
				continue;
			}
			old_first = old_comes_first(lines, old, i, new, j);
		}
		if (old_first)
			old->entries[old_left++] = old->entries[i++];
		else
			new->entries[new_left++] = new->entries[j++];
	}
	while (i < old->count)
		old->entries[old_left++] = old->entries[i++];
	while (j < new->count)
		new->entries[new_left++] = new->entries[j++];
	old->count = old_left;
	new->count = new_left;
	return true;
}

static bool collect(struct side *side, const struct dataset *dataset,
		    const struct dataset_cell *const *cells)
{
	side->entries = malloc((dataset->site_count + 1) * sizeof(*side->entries));
	for (uint32_t i = 0; side->entries && i < dataset->site_count; i++)
		if (cells[i])
			side->entries[side->count++] = (struct entry){0, i, dataset};
	return side->entries != NULL;
}

/* The sites of a side that are still unpaired, in their order; malloc'ed. */
static uint32_t *sites_left(const struct side *side)
{
	uint32_t *sites = malloc((side->count + 1) * sizeof(*sites));

	for (size_t i = 0; sites && i < side->count; i++)
		sites[i] = side->entries[i].site;
	return sites;
}

struct sites_of_both {
	uint32_t *old, *new;
};

/* False when memory is out; to be released in any case. */
static bool both_sites_left(struct sites_of_both *sites, const struct side *old,
			    const struct side *new)
{
	*sites = (struct sites_of_both){sites_left(old), sites_left(new)};
	return sites->old && sites->new;
}

static void release_sites(struct sites_of_both *sites)
{
	free(sites->old);
	free(sites->new);
}

static bool both_have_stacks(const struct side *old, const struct side *new)
{
	return old->count > 0 && new->count > 0;
}

/* Take the sites of `pairs` out of a side. */
static bool drop_paired(struct side *side, const struct pair *pairs, size_t count, bool new,
			size_t site_count)
{
	bool *paired = calloc(site_count + 1, sizeof(*paired));
	size_t left = 0;

	if (!paired)
		return false;
	for (size_t i = 0; i < count; i++)
		paired[new ? pairs[i].new : pairs[i].old] = true;
	for (size_t i = 0; i < side->count; i++)
		if (!paired[side->entries[i].site])
			side->entries[left++] = side->entries[i];
	side->count = left;
	free(paired);
	return true;
}

/* Where a way of pairing that finds its pairs by itself writes them, to be kept by keep_pairs(). */
static struct pair *room_for_pairs(const struct pairing *pairing)
{
	return pairing->pairs + pairing->count;
}

static bool keep_pairs(struct pairing *pairing, size_t count, struct side *old, struct side *new,
		       size_t site_count)
{
	const struct pair *pairs = room_for_pairs(pairing);

	pairing->count += count;
	return drop_paired(old, pairs, count, false, site_count) &&
	       drop_paired(new, pairs, count, true, site_count);
}

/* ---- lines that went elsewhere --------------------------------------------------------------- */

static int compare_places(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return compare_number(*a, *b);
}

static bool number_places(struct line_knowledge *lines, const struct tokens *tokens)
{
	const struct dataset *dataset = tokens->dataset;
	size_t count = dataset->frame_count;
	uint64_t *places = malloc((count + 1) * sizeof(*places));

	lines->place = malloc((count + 1) * sizeof(*lines->place));
	lines->old_seen = calloc(count + 1, sizeof(*lines->old_seen));
	lines->new_seen = calloc(count + 1, sizeof(*lines->new_seen));
	for (size_t i = 0; places && i < count; i++)
		places[i] = (uint64_t)tokens->of_frame[i] << 32 | dataset->frames[i].line;
	if (places && lines->place) {
		qsort(places, count, sizeof(*places), compare_places);
		for (size_t i = 0; i < count; i++) {
			uint64_t wanted =
				(uint64_t)tokens->of_frame[i] << 32 | dataset->frames[i].line;
			const uint64_t *found =
				bsearch(&wanted, places, count, sizeof(*places), compare_places);

			lines->place[i] = (uint32_t)(found - places);
		}
	}
	free(places);
	return places && lines->place && lines->old_seen && lines->new_seen;
}

/* Pairs found so far confirm the map: their lines are where it says. */
static void note_places(const struct line_knowledge *lines, const struct dataset *dataset,
			const struct pairing *pairing)
{
	for (size_t i = 0; i < pairing->count; i++) {
		const struct pair *pair = &pairing->pairs[i];
		const struct dataset_site *old = &dataset->sites[pair->old];
		const struct dataset_site *new = &dataset->sites[pair->new];

		for (uint32_t f = 0; f < old->depth && f < new->depth; f++) {
			uint32_t from = dataset->stack[old->first + f],
				 to = dataset->stack[new->first + f];

			if (dataset->frames[from].line == 0 || dataset->frames[to].line == 0)
				continue;
			lines->old_seen[lines->place[from]] = true;
			lines->new_seen[lines->place[to]] = true;
		}
	}
}

static void release_lines(struct line_knowledge *lines)
{
	tokens_release(&lines->tokens);
	free(lines->map);
	free(lines->place);
	free(lines->old_seen);
	free(lines->new_seen);
	*lines = (struct line_knowledge){.map = NULL};
}

/* False when memory is out. */
static bool map_lines(struct line_knowledge *lines, const struct dataset *dataset,
		      const struct pair_sides *sides)
{
	if (tokens_compute(&lines->tokens, dataset, sides->old, sides->new))
		lines->map = line_map_compute(&lines->tokens, sides->old, sides->new);
	return lines->map != NULL;
}

static bool compute_lines(struct line_knowledge *lines, const struct dataset *dataset,
			  const struct pair_sides *sides)
{
	return map_lines(lines, dataset, sides) && number_places(lines, &lines->tokens);
}

/*
 * An old stack with moved lines does not pair at `line`: the call that is on that line now is
 * another one.  Three allocations in a row that moved down by one line are still those three.
 * `sure`: only if the new lines are known.
 */
static void keep_moved_from_lines(struct side *old, const uint32_t *line_map, bool sure)
{
	for (size_t i = 0; i < old->count; i++) {
		const struct dataset *dataset = old->entries[i].dataset;
		const struct dataset_site *site = &dataset->sites[old->entries[i].site];

		for (uint32_t f = 0; f < site->depth; f++) {
			uint32_t frame = dataset->stack[site->first + f];

			if (line_map[frame] != dataset->frames[frame].line &&
			    !(sure && line_map[frame] == 0))
				old->entries[i].key = 0;
		}
	}
}

/* Add lines to the keys; an old line counts as the new line that the map gives for it. */
static void add_lines_to_keys(struct side *side, const uint32_t *line_map)
{
	for (size_t i = 0; i < side->count; i++) {
		const struct dataset *dataset = side->entries[i].dataset;
		const struct dataset_site *site = &dataset->sites[side->entries[i].site];
		uint64_t key = side->entries[i].key;

		for (uint32_t f = 0; key && f < site->depth; f++) {
			uint32_t frame = dataset->stack[site->first + f];

			key = hash_fold(key,
					line_map ? line_map[frame] : dataset->frames[frame].line);
		}
		side->entries[i].key = key;
	}
}

/* Add the line of the newest frame only; compilers give some calls no line, or that of another one. */
static void add_newest_line_to_keys(struct side *side, const uint32_t *line_map)
{
	for (size_t i = 0; i < side->count; i++) {
		const struct dataset *dataset = side->entries[i].dataset;
		const struct dataset_site *site = &dataset->sites[side->entries[i].site];
		uint64_t key = side->entries[i].key;
		uint32_t line = 0, f;

		for (f = 0; f < site->depth && line == 0; f++) {
			uint32_t frame = dataset->stack[site->first + f];

			line = line_map ? line_map[frame] : dataset->frames[frame].line;
		}
		side->entries[i].key = key && line ? hash_fold(hash_fold(key, f), line) : 0;
	}
}

/* Stacks that no key paired are paired by likeness. */
static bool pair_alike(struct pairing *pairing, const struct dataset *dataset,
		       const struct pair_sides *sides, struct side *old, struct side *new,
		       struct line_knowledge *lines)
{
	struct sites_of_both sites = {NULL, NULL};
	size_t count = 0;
	bool ok;

	set_keys(old, PAIR_FUNCTION);
	set_keys(new, PAIR_FUNCTION);
	ok = order(old) && order(new) && both_sites_left(&sites, old, new) &&
	     (lines->map || !both_have_stacks(old, new) || map_lines(lines, dataset, sides)) &&
	     pair_fuzzy(dataset, sides, &lines->tokens, lines->map, sites.old, old->count,
			sites.new, new->count, room_for_pairs(pairing), &count) &&
	     keep_pairs(pairing, count, old, new, dataset->site_count);
	release_sites(&sites);
	return ok;
}

/* Stacks with inlined frames that the other snapshot cannot have, because it lacks debug
   information. */
static bool pair_without_inlined(struct pairing *pairing, const struct dataset *dataset,
				 const struct pair_sides *sides, struct side *old, struct side *new,
				 const struct line_knowledge *lines)
{
	struct sites_of_both sites;
	size_t count = 0;
	bool ok;

	if (!lines || !both_have_stacks(old, new))
		return true; /* one build, or nothing to pair */
	ok = both_sites_left(&sites, old, new) &&
	     pair_inlined(dataset, sides, &lines->tokens, sites.old, old->count, sites.new,
			  new->count, room_for_pairs(pairing), &count) &&
	     keep_pairs(pairing, count, old, new, dataset->site_count);
	release_sites(&sites);
	return ok;
}

/* ---- the levels ------------------------------------------------------------------------------ */

static bool pair_exact(struct pairing *pairing, struct side *old, struct side *new)
{
	set_keys(old, PAIR_EXACT);
	set_keys(new, PAIR_EXACT);
	return pair_by_keys(pairing, old, new, PAIR_EXACT, NULL);
}

static bool pair_lines(struct pairing *pairing, struct side *old, struct side *new,
		       const struct line_knowledge *lines)
{
	set_keys(old, PAIR_LINE);
	set_keys(new, PAIR_LINE);
	if (lines)
		keep_moved_from_lines(old, lines->map, false);
	return pair_by_keys(pairing, old, new, PAIR_LINE, NULL);
}

/* ---- files in other directories -------------------------------------------------------------- */

/*
 * Keys with the file names of the new side: with lines, or without lines for stacks that have no
 * function names, as in Python's dumps.  0 if function names alone say as much.
 */
static uint64_t relocated_key(const struct dataset *dataset, uint32_t site, const uint32_t *names,
			      bool with_lines)
{
	const struct dataset_site *row = &dataset->sites[site];
	uint64_t key = hash_fold(row->domain, row->depth);

	for (uint32_t f = 0; f < row->depth; f++) {
		const struct dataset_frame *frame = dataset_frame_at(dataset, site, f);

		if ((!frame->file && !frame->function) || (frame->function && !with_lines))
			return 0;
		key = hash_fold(key, frame->function);
		key = hash_fold(key, frame->file ? 0 : frame->module);
		key = hash_fold(key, names ? names[frame->file] : frame->file);
		if (with_lines)
			key = hash_fold(key, frame->line);
	}
	return row->depth ? key : 0;
}

static void set_relocated_keys(struct side *side, const uint32_t *names, bool with_lines)
{
	for (size_t i = 0; i < side->count; i++)
		side->entries[i].key = relocated_key(side->entries[i].dataset,
						     side->entries[i].site, names, with_lines);
}

/* A path prefix is not identity: stacks that differ in nothing else are paired at `line`. */
static bool pair_relocated(struct pairing *pairing, const struct dataset *dataset,
			   const struct pair_sides *sides, struct side *old, struct side *new,
			   const struct line_knowledge *lines, enum pair_level up_to)
{
	size_t moved = 0;
	uint32_t *names;
	bool ok = true;

	if (!both_have_stacks(old, new))
		return true;
	names = relocation_compute(dataset, sides, &moved);
	if (names && moved) {
		set_relocated_keys(old, names, true);
		set_relocated_keys(new, NULL, true);
		if (lines)
			keep_moved_from_lines(old, lines->map, true);
		ok = pair_by_keys(pairing, old, new, PAIR_LINE, NULL);
	}
	if (ok && names && moved && up_to >= PAIR_FUNCTION) {
		set_relocated_keys(old, names, false);
		set_relocated_keys(new, NULL, false);
		ok = pair_by_keys(pairing, old, new, PAIR_FUNCTION, lines);
	}
	free(names);
	return names && ok;
}

/* Set the keys of a side to `keys`, or if that is NULL, to those of `function`. */
static void set_function_keys(struct side *side, const uint64_t *keys)
{
	set_keys(side, PAIR_FUNCTION);
	for (size_t i = 0; keys && i < side->count; i++)
		side->entries[i].key = keys[side->entries[i].site];
}

/*
 * If a function gained or lost an allocation, line order alone would pair the wrong stacks up to
 * the end of the function.  So stacks whose lines agree with the map pair first.
 */
static bool pair_functions(struct pairing *pairing, struct side *old, struct side *new,
			   const uint64_t *keys, const struct line_knowledge *lines)
{
	if (lines) {
		set_function_keys(old, keys);
		set_function_keys(new, keys);
		add_lines_to_keys(old, lines->map);
		add_lines_to_keys(new, NULL);
		if (!pair_by_keys(pairing, old, new, PAIR_FUNCTION, lines))
			return false;
		if (!keys && both_have_stacks(old, new))
			note_places(lines, old->entries[0].dataset, pairing);
		set_function_keys(old, keys);
		set_function_keys(new, keys);
		add_newest_line_to_keys(old, lines->map);
		add_newest_line_to_keys(new, NULL);
		if (!pair_by_keys(pairing, old, new, PAIR_FUNCTION, lines))
			return false;
	}
	set_function_keys(old, keys);
	set_function_keys(new, keys);
	return pair_by_keys(pairing, old, new, PAIR_FUNCTION, lines);
}

/* Functions of which nothing but parameters or template arguments changed. */
static bool pair_signatures(struct pairing *pairing, const struct dataset *dataset,
			    const struct pair_sides *sides, struct side *old, struct side *new,
			    const struct line_knowledge *lines)
{
	struct sites_of_both sites;
	uint64_t *keys = NULL;
	size_t count = 0;
	bool ok;

	if (!lines || !both_have_stacks(old, new))
		return true; /* one build, or nothing to pair */
	ok = both_sites_left(&sites, old, new) &&
	     signature_keys(&keys, &count, dataset, sides, sites.old, old->count, sites.new,
			    new->count) &&
	     (count == 0 || pair_functions(pairing, old, new, keys, lines));
	release_sites(&sites);
	free(keys);
	return ok;
}

/*
 * "server+?" stands for all frames of a rebuilt module without names: see comparable_modules.c.
 * Their stacks are summed in one row.  It is unknown which of them are the same, so they do not
 * pair at a level that guesses.
 */
static bool is_of_nameless_build(const struct dataset *dataset, uint32_t site)
{
	return dataset->sites[site].depth &&
	       name_is_of_another_build(
		       dataset_text(dataset, dataset_frame_at(dataset, site, 0)->function));
}

static void set_nameless_aside(struct side *side, const struct dataset *dataset)
{
	size_t end = side->count;

	for (size_t i = 0; i < side->count;) {
		struct entry entry = side->entries[i];

		if (!is_of_nameless_build(dataset, entry.site)) {
			i++;
			continue;
		}
		side->entries[i] = side->entries[--side->count];
		side->entries[side->count] = entry;
	}
	side->aside = side->count;
	side->set_aside = end - side->count;
}

/* Copies are no stacks of their own for another build; twins.h joins them to the row of the original. */
static bool set_copies_aside(struct side *side, struct copies *copies,
			     const struct pairing *pairing, const struct dataset *dataset,
			     const struct pair_sides *sides, bool new)
{
	uint32_t *sites = sites_left(side);
	struct entry *aside = malloc((side->count + 1) * sizeof(*aside));
	bool ok = sites && aside &&
		  copies_find(copies, pairing, dataset, sides, new, sites, side->count);
	size_t left = 0, count = 0;

	for (size_t i = 0; ok && i < side->count; i++) {
		if (copies->is_copy[i])
			aside[count++] = side->entries[i];
		else
			side->entries[left++] = side->entries[i];
	}
	if (ok) {
		side->count = left;
		side->set_aside += count;
		side->aside -= count;
		memcpy(side->entries + side->aside, aside, count * sizeof(*aside));
	}
	free(aside);
	free(sites);
	return ok;
}

/* Stacks of two builds that no key paired. */
static bool pair_builds_alike(struct pairing *pairing, const struct dataset *dataset,
			      const struct pair_sides *sides, struct side *old, struct side *new,
			      struct line_knowledge *lines)
{
	struct copies old_copies = {0}, new_copies = {0};
	struct pair_sides sums = *sides;
	bool ok = set_copies_aside(old, &old_copies, pairing, dataset, sides, false) &&
		  set_copies_aside(new, &new_copies, pairing, dataset, sides, true);

	sums.old = old_copies.cells;
	sums.new = new_copies.cells;
	ok = ok && pair_alike(pairing, dataset, &sums, old, new, lines);
	copies_release(&old_copies);
	copies_release(&new_copies);
	return ok;
}

/*
 * Exactly equal stacks come from the same build, where lines did not move.  But two builds of a
 * program share the stacks of its libraries before main().
 */
static bool is_one_build(const struct pairing *pairing, const struct side *old,
			 const struct side *new)
{
	size_t left = old->count < new->count ? old->count : new->count;

	return pairing->count > left;
}

static bool pair_all(struct pairing *pairing, const struct dataset *dataset,
		     const struct pair_sides *sides, struct side *old, struct side *new,
		     enum pair_level up_to)
{
	struct line_knowledge knowledge = {.map = NULL}, *lines = NULL;
	bool ok = pair_exact(pairing, old, new);

	if (ok && up_to > PAIR_EXACT && !is_one_build(pairing, old, new)) {
		lines = &knowledge;
		lines->sides = sides;
		ok = compute_lines(lines, dataset, sides);
	}
	ok = ok && (up_to < PAIR_LINE || pair_lines(pairing, old, new, lines));
	set_nameless_aside(old, dataset);
	set_nameless_aside(new, dataset);
	ok = ok &&
	     (up_to < PAIR_LINE ||
	      pair_relocated(pairing, dataset, sides, old, new, lines, up_to)) &&
	     (up_to < PAIR_FUNCTION ||
	      (pair_without_inlined(pairing, dataset, sides, old, new, lines) &&
	       pair_functions(pairing, old, new, NULL, lines) &&
	       pair_signatures(pairing, dataset, sides, old, new, lines))) &&
	     (up_to < PAIR_FUZZY ||
	      (lines ? pair_builds_alike(pairing, dataset, sides, old, new, lines)
		     : pair_alike(pairing, dataset, sides, old, new, &knowledge)));
	release_lines(&knowledge);
	return ok;
}

static void add_unpaired_site(struct pairing *pairing, uint32_t site, bool new)
{
	add_pair(pairing, new ? SNAP_NONE : site, new ? site : SNAP_NONE, PAIR_NONE);
}

static void add_unpaired(struct pairing *pairing, const struct side *side, bool new)
{
	for (size_t i = 0; i < side->count; i++)
		add_unpaired_site(pairing, side->entries[i].site, new);
	for (size_t i = 0; i < side->set_aside; i++)
		add_unpaired_site(pairing, side->entries[side->aside + i].site, new);
}

enum snap_status pairing_compute(struct pairing *pairing, const struct dataset *dataset,
				 const struct pair_sides *sides, enum pair_level up_to,
				 struct snap_error *err)
{
	struct side old = {0}, new = {0};
	bool ok = collect(&old, dataset, sides->old) && collect(&new, dataset, sides->new);

	*pairing = (struct pairing){
		.pairs = ok ? malloc((old.count + new.count + 1) * sizeof(struct pair)) : NULL};
	ok = pairing->pairs && pair_all(pairing, dataset, sides, &old, &new, up_to);
	if (ok) {
		add_unpaired(pairing, &old, false);
		add_unpaired(pairing, &new, true);
		ok = twins_join_lines(pairing, dataset, sides);
	}
	free(old.entries);
	free(new.entries);
	if (ok)
		return SNAP_OK;
	pairing_release(pairing);
	return fail_memory(err, "pairing call stacks");
}

void pairing_release(struct pairing *pairing)
{
	free(pairing->pairs);
	*pairing = (struct pairing){0};
}
