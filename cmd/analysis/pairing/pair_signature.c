/*
 * pair_signature.c - stacks keyed by full names where both snapshots have them, else by bare ones.
 *
 * Two overloads that exist in both snapshots are different functions, so only a function that the
 * other snapshot lacks is keyed by its bare name.  A key that stands for several functions on one
 * side is not used.
 */
#include "analysis/pairing/pair_signature.h"

#include <stdlib.h>
#include <string.h>

#include "base/keyed.h"
#include "model/names.h"

enum side_bit { SIDE_OLD = 1, SIDE_NEW = 2 };

/* The names of a frame: ids of `texts`. */
struct frame_name {
	uint32_t function, bare, module;
};

struct naming {
	const struct dataset *dataset;
	struct dataset *texts;    /* interned: normalised and bare names */
	struct frame_name *names; /* per frame */
	unsigned char *sides;     /* per text: in stacks of which snapshots */
	uint64_t *keys;           /* per frame */
	bool *changed;            /* per frame: its function is keyed by its bare name */
};

/* A stack that has no partner yet. */
struct leftover {
	uint64_t key, function;
	uint32_t site;
	bool new;
};

typedef size_t name_fn(const char *name, char *out, size_t size);

/* The bare name of a Rust impl lacks its type, so the full name is used. */
static size_t bare_or_full(const char *name, char *out, size_t size)
{
	return *name == '<' ? name_normalise(name, out, size) : name_bare(name, out, size);
}

static uint32_t intern(struct dataset *texts, name_fn *rewrite, const char *name)
{
	char buffer[512], *text = buffer;
	size_t size = rewrite(name, buffer, sizeof(buffer));
	uint32_t id = SNAP_NONE;

	if (size >= sizeof(buffer)) {
		text = malloc(size + 1);
		if (text)
			rewrite(name, text, size + 1);
	}
	if (text)
		id = dataset_string(texts, text);
	if (text != buffer)
		free(text);
	return id;
}

/* The text of each string of the dataset, when it is first asked for. */
static bool rewrite_once(struct naming *naming, uint32_t *known, name_fn *rewrite, uint32_t string,
			 uint32_t *out)
{
	if (known[string] == SNAP_NONE)
		known[string] =
			intern(naming->texts, rewrite, dataset_text(naming->dataset, string));
	*out = known[string];
	return *out != SNAP_NONE;
}

static bool name_frames(struct naming *naming)
{
	const struct dataset *dataset = naming->dataset;
	size_t size = dataset->string_count * sizeof(uint32_t);
	uint32_t *functions = malloc(size), *bare = malloc(size), *modules = malloc(size);
	bool ok = functions && bare && modules;

	if (ok) {
		memset(functions, 0xff, size);
		memset(bare, 0xff, size);
		memset(modules, 0xff, size);
	}
	for (size_t i = 0; ok && i < dataset->frame_count; i++) {
		const struct dataset_frame *frame = &dataset->frames[i];
		struct frame_name *name = &naming->names[i];

		ok = rewrite_once(naming, functions, name_normalise, frame->function,
				  &name->function) &&
		     rewrite_once(naming, bare, bare_or_full, frame->function, &name->bare) &&
		     rewrite_once(naming, modules, name_normalise_module, frame->module,
				  &name->module);
	}
	free(functions);
	free(bare);
	free(modules);
	return ok;
}

static bool note_sides(struct naming *naming, const struct pair_sides *sides)
{
	const struct dataset *dataset = naming->dataset;
	unsigned char *seen = calloc(dataset->frame_count + 1, 1); /* per frame */

	naming->sides = calloc(naming->texts->string_count + 1, 1);
	if (!seen || !naming->sides) {
		free(seen);
		return false;
	}
	for (size_t i = 0; i < dataset->site_count; i++) {
		const struct dataset_site *site = &dataset->sites[i];
		unsigned char bits = (unsigned char)((sides->old[i] ? SIDE_OLD : 0) |
						     (sides->new[i] ? SIDE_NEW : 0));

		for (uint32_t f = 0; f < site->depth; f++)
			seen[dataset->stack[site->first + f]] |= bits;
	}
	for (size_t i = 0; i < dataset->frame_count; i++) {
		naming->sides[naming->names[i].function] |= seen[i];
		naming->sides[naming->names[i].module] |= seen[i];
	}
	free(seen);
	return true;
}

static bool on_both_sides(const struct naming *naming, uint32_t text)
{
	return naming->sides[text] == (SIDE_OLD | SIDE_NEW);
}

/* False when memory is out. */
static bool key_frames(struct naming *naming)
{
	size_t count = naming->dataset->frame_count;

	naming->keys = malloc((count + 1) * sizeof(*naming->keys));
	naming->changed = malloc((count + 1) * sizeof(*naming->changed));
	for (size_t i = 0; naming->keys && naming->changed && i < count; i++) {
		const struct frame_name *name = &naming->names[i];
		bool known = on_both_sides(naming, name->function);
		/* An executable may have another name. */
		uint32_t module = on_both_sides(naming, name->module) ? name->module : 0;

		naming->keys[i] = hash_fold(module, known ? name->function : name->bare);
		naming->changed[i] = !known && name->bare != name->function;
	}
	return naming->keys && naming->changed;
}

/* 0 if every function of the stack is keyed by its full name: then it has no partner. */
static uint64_t key_of(const struct naming *naming, uint32_t site)
{
	const struct dataset_site *row = &naming->dataset->sites[site];
	const uint32_t *frames = naming->dataset->stack + row->first;
	uint64_t key = hash_fold(1, row->domain);
	uint32_t f = 0;

	while (f < row->depth && !naming->changed[frames[f]])
		f++;
	if (f == row->depth)
		return 0;
	for (f = 0; f < row->depth; f++)
		key = hash_fold(key, naming->keys[frames[f]]);
	return key;
}

static int compare_number(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* Of one key. */
static int compare_leftovers(const void *left, const void *right)
{
	const struct leftover *a = left, *b = right;
	int order = (int)a->new - (int)b->new;

	return order ? order : compare_number(a->function, b->function);
}

/* By key, then as compare_leftovers() has it.  False when memory is out. */
static bool sort_leftovers(struct leftover *leftovers, size_t count)
{
	struct keyed_row *order = malloc((count + 1) * sizeof(*order));
	struct leftover *sorted = malloc((count + 1) * sizeof(*sorted));
	bool ok = order && sorted;

	for (uint32_t i = 0; ok && i < count; i++)
		order[i] = (struct keyed_row){leftovers[i].key, i};
	ok = ok && keyed_sort(order, count);
	for (size_t i = 0; ok && i < count; i++)
		sorted[i] = leftovers[order[i].row];
	if (ok)
		memcpy(leftovers, sorted, count * sizeof(*sorted));
	for (size_t first = 0, next; ok && first < count; first = next) {
		for (next = first + 1; next < count && leftovers[next].key == leftovers[first].key;)
			next++;
		/* Two are an old and a new one, in this order, or are of one side. */
		if (next - first > 2)
			qsort(leftovers + first, next - first, sizeof(*leftovers),
			      compare_leftovers);
	}
	free(order);
	free(sorted);
	return ok;
}

/* Are the stacks of one key, which are sorted, the same functions on each side? */
static bool is_unambiguous(const struct leftover *group, size_t count)
{
	size_t kinds[2] = {0, 0};

	for (size_t i = 0; i < count; i++)
		if (i == 0 || group[i].new != group[i - 1].new ||
		    group[i].function != group[i - 1].function)
			kinds[group[i].new]++;
	return kinds[0] == 1 && kinds[1] == 1;
}

/* Of the sorted ones; returns how many. */
static size_t set_keys(struct leftover *leftovers, size_t count, uint64_t *keys)
{
	size_t set = 0;

	for (size_t first = 0, next; first < count; first = next) {
		for (next = first + 1; next < count; next++)
			if (leftovers[next].key != leftovers[first].key)
				break;
		if (!is_unambiguous(leftovers + first, next - first))
			continue;
		for (size_t i = first; i < next; i++)
			keys[leftovers[i].site] = leftovers[i].key;
		set += next - first;
	}
	return set;
}

/* Those that have a key; returns how many. */
static size_t add_leftovers(struct leftover *leftovers, const struct naming *naming,
			    const uint32_t *sites, size_t count, bool new)
{
	size_t added = 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t key = key_of(naming, sites[i]);

		if (key)
			leftovers[added++] = (struct leftover){
				key, naming->dataset->sites[sites[i]].identity.function, sites[i],
				new};
	}
	return added;
}

bool signature_keys(uint64_t **out, size_t *out_count, const struct dataset *dataset,
		    const struct pair_sides *sides, const uint32_t *old, size_t old_count,
		    const uint32_t *new, size_t new_count)
{
	struct naming naming = {
		.dataset = dataset,
		.texts = dataset_new(0),
		.names = malloc((dataset->frame_count + 1) * sizeof(*naming.names)),
	};
	struct leftover *leftovers = malloc((old_count + new_count + 1) * sizeof(*leftovers));
	uint64_t *keys = calloc(dataset->site_count + 1, sizeof(*keys));
	bool ok = naming.texts && naming.names && leftovers && keys && name_frames(&naming) &&
		  note_sides(&naming, sides) && key_frames(&naming);

	*out_count = 0;
	if (ok) {
		size_t count = add_leftovers(leftovers, &naming, old, old_count, false);

		count += add_leftovers(leftovers + count, &naming, new, new_count, true);
		ok = sort_leftovers(leftovers, count);
		*out_count = ok ? set_keys(leftovers, count, keys) : 0;
	}
	dataset_free(naming.texts);
	free(naming.names);
	free(naming.sides);
	free(naming.keys);
	free(naming.changed);
	free(leftovers);
	if (!ok) {
		free(keys);
		keys = NULL;
	}
	*out = keys;
	return ok;
}
