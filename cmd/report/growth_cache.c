/*
 * growth_cache.c - which rows are caches that fill.
 *
 * A row is one if nearly all that grew in it is held by caches whose limit is known, and by nothing
 * else.  Only objects of the newest census are looked at; what they had in the first one says how
 * much they grew.
 */
#include "report/growth_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "report/growth_cache_known.h"
#include "report/growth_graph.h"
#include "report/growth_way.h"
#include "report/row_graph.h"
#include "report/sites.h"

enum { WORDS_SIZE = 220 };
enum { MUCH_LESS = 8, LESS = 3 };                /* so much less than the rest does not count */
static const double most_when_full = 1073741824; /* bytes; a larger cache is as bad as a leak */
/* The interpreter makes the first entries of what it has at hand: they may look smaller. */
static const double inner_growth = 2, inner_least = 256;
static const double even_pace = 0.8; /* late growth as a share of the early one */

/* ---- objects of a type and a call stack ------------------------------------------------------ */

/* Groups of one site and label as one; the label is the graph's. */
struct sum {
	uint32_t site;
	const char *label;
	double bytes;
	uint64_t objects;
	bool has_way, is_cached; /* all of its ways lead through such caches */
	struct growth_cache cache;
};

struct sums {
	struct sum *items;
	size_t count;
};

static int compare_sums(const void *a, const void *b)
{
	const struct sum *left = a, *right = b;

	if (left->site != right->site)
		return left->site < right->site ? -1 : 1;
	return strcmp(left->label, right->label);
}

static bool sums_make(struct sums *sums, const struct graph *graph)
{
	size_t count = 0, last = 0;

	sums->items = calloc(graph->group_count + 1, sizeof(*sums->items));
	if (!sums->items)
		return false;
	for (size_t i = 0; i < graph->group_count; i++) {
		const struct graph_group *group = &graph->groups[i];

		if (group->row.kind == SNAP_GROUP_TYPE && group->site != SNAP_NONE)
			sums->items[count++] = (struct sum){.site = group->site,
							    .label = group->row.label,
							    .bytes = (double)group->row.bytes,
							    .objects = group->row.blocks};
	}
	qsort(sums->items, count, sizeof(*sums->items), compare_sums);
	for (size_t i = 1; i < count; i++)
		if (compare_sums(&sums->items[last], &sums->items[i]) == 0) {
			sums->items[last].bytes += sums->items[i].bytes;
			sums->items[last].objects += sums->items[i].objects;
		} else {
			sums->items[++last] = sums->items[i];
		}
	sums->count = count ? last + 1 : 0;
	return true;
}

static struct sum *sum_of(const struct sums *sums, uint32_t site, const char *label)
{
	const struct sum key = {.site = site, .label = label};

	return sums->count ? bsearch(&key, sums->items, sums->count, sizeof(key), compare_sums)
			   : NULL;
}

/* ---- ways of the first census ---------------------------------------------------------------- */

struct ways {
	const char **words; /* sorted; the graph's */
	size_t count;
};

static int compare_words(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool ways_make(struct ways *ways, const struct graph *graph)
{
	ways->words = calloc(graph->root_count + 1, sizeof(*ways->words));
	if (!ways->words)
		return false;
	for (size_t i = 0; i < graph->root_count; i++)
		if (graph->roots[i].kind == SNAP_ROOT_INTERPRETER && graph->roots[i].name)
			ways->words[ways->count++] = graph->roots[i].name;
	qsort(ways->words, ways->count, sizeof(*ways->words), compare_words);
	return true;
}

/* Did some way begin with these words, the size of the container in them included? */
static bool ways_have(const struct ways *ways, const char *words, size_t size)
{
	size_t low = 0, high = ways->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strncmp(ways->words[middle], words, size) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < ways->count && strncmp(ways->words[low], words, size) == 0; low++)
		if (strchr(" ;", ways->words[low][size])) /* finds the end of the text, too */
			return true;
	return false;
}

/* ---- the limit of a way ---------------------------------------------------------------------- */

struct finding {
	const struct growth_facts *facts;
	const struct growth_table *table;
	struct sums now, before;
	struct ways old_ways;
	struct growth_caches *caches;
};

static size_t last_container(const struct way *way)
{
	size_t i = way->count;

	while (i > 0 && !part_is_container(way->steps[i - 1]))
		i--;
	return i;
}

/* "Node -> Node": each leads to the next, and there is no limit. */
static bool has_chain(const struct way *way, size_t from, const char *type)
{
	for (size_t i = from; i < way->count; i++) {
		const struct part step = way->steps[i];

		if (part_is(step, type) ||
		    (i > from && step.size == way->steps[i - 1].size &&
		     memcmp(step.text, way->steps[i - 1].text, step.size) == 0))
			return true;
	}
	return false;
}

static void name_cache(struct growth_cache *cache, struct part place)
{
	struct part name = part_name(place);

	if (!name.size)
		name = place;
	snprintf(cache->name, sizeof(cache->name), "%.*s", (int)name.size, name.text);
}

/*
 * The last container of the way is as large as at the first census, and has at least as many items as
 * there are objects: each item got one, as the value of a cached_property.  Or it has a limit.
 */
static bool find_container(const struct finding *f, const struct way *way, const struct sum *sum,
			   struct growth_cache *cache)
{
	size_t at = last_container(way);
	struct part step = at ? way->steps[at - 1] : (struct part){"", 0};
	const char *first = way->place.text;
	const struct sum *before = sum_of(&f->before, sum->site, sum->label);

	if (!at || has_chain(way, at, sum->label))
		return false;
	name_cache(cache, way->place);
	if (part_most(step)) {
		cache->entries = part_entries(step);
		cache->limit = part_most(step);
		return true;
	}
	cache->entries = sum->objects;
	cache->before = before ? before->objects : 0;
	cache->limit = part_entries(step);
	snprintf(cache->rule, sizeof(cache->rule), "%s", GROWTH_CACHE_PLACES);
	return cache->entries > cache->before && cache->entries <= cache->limit &&
	       cache->limit > 1 &&
	       ways_have(&f->old_ways, first, (size_t)(step.text + step.size - first));
}

static bool find_in_way(const struct finding *f, const char *words, const struct sum *sum,
			struct growth_cache *cache)
{
	struct way way = way_parse(words, NULL);

	return growth_cache_known_way(&way, sum->label, f->facts, cache) ||
	       find_container(f, &way, sum, cache);
}

/* What is held from a second place, too, must be in a cache there. */
static bool find_in_ways(const struct finding *f, const char *words, const struct sum *sum,
			 struct growth_cache *cache)
{
	static const char again[] = "; and by ";
	const char *second = strstr(words, again);
	struct growth_cache other = {.name = ""};

	return find_in_way(f, words, sum, cache) &&
	       (!second || find_in_way(f, second + sizeof(again) - 1, sum, &other));
}

static void look_at_ways(struct finding *f, const struct graph *graph)
{
	for (size_t i = 0; i < graph->path_count; i++) {
		const struct snap_path *path = &graph->paths[i].row;
		const struct graph_group *group = &graph->groups[path->group];
		struct growth_cache cache = {.name = ""};
		struct sum *sum;

		if (path->root == SNAP_NONE || group->site == SNAP_NONE ||
		    group->row.kind != SNAP_GROUP_TYPE ||
		    graph->roots[path->root].kind != SNAP_ROOT_INTERPRETER)
			continue;
		sum = sum_of(&f->now, group->site, group->row.label);
		if (!sum || (sum->has_way && !sum->is_cached))
			continue;
		sum->has_way = true;
		sum->is_cached = find_in_ways(f, graph->roots[path->root].name, sum, &cache);
		if (sum->is_cached)
			sum->cache = cache;
	}
}

/* ---- rows ------------------------------------------------------------------------------------ */

static uint32_t row_of_site(const struct growth_table *table, uint32_t site)
{
	const uint32_t *rows;

	return selection_rows_of(table->selection, table->joined[site], &rows) ? rows[0]
									       : SNAP_NONE;
}

static void add_cached(struct growth_cache_row *row, const struct growth_cache *cache, double bytes)
{
	row->cached += bytes;
	if (bytes > row->most) {
		row->most = bytes;
		row->cache = *cache;
	}
}

static void add_sums(struct finding *f)
{
	for (size_t i = 0; i < f->now.count; i++) {
		struct sum *sum = &f->now.items[i];
		const struct sum *before = sum_of(&f->before, sum->site, sum->label);
		uint32_t r = row_of_site(f->table, sum->site);
		double old = before ? before->bytes : 0, grew = sum->bytes - old;
		struct growth_cache_row *row;

		if (r == SNAP_NONE || grew <= 0)
			continue;
		row = &f->caches->rows[r];
		if (!sum->is_cached)
			sum->is_cached = growth_cache_known_stack(f->table->dataset, sum->site,
								  f->facts, &sum->cache);
		if (sum->is_cached) {
			add_cached(row, &sum->cache, grew);
			row->cached_before += old;
			row->cached_now += sum->bytes;
		} else {
			row->elsewhere += grew;
			row->other_native |= !growth_cache_has_no_native(sum->label);
		}
	}
}

bool growth_cache_has_no_native(const char *type)
{
	static const char *const types[] = {"weakref.ReferenceType",
					    "weakref",
					    "int",
					    "str",
					    "bytes",
					    "tuple",
					    "list",
					    "dict",
					    "set",
					    NULL};

	for (size_t i = 0; types[i]; i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

/* ---- call stacks ----------------------------------------------------------------------------- */

/* By how much each call stack grew between the ends of the series. */
struct site_growth {
	const struct growth_table *table;
	double *bytes;
};

static enum snap_status take_cell(void *user, const struct store_cell *cell)
{
	const struct site_growth *growth = user;
	uint32_t site = dataset_site_of(growth->table->dataset, cell->site_id);

	if (site != SNAP_NONE && cell->live_bytes != SNAP_UNKNOWN)
		growth->bytes[site] += (cell->snapshot == 0 ? -1 : 1) * (double)cell->live_bytes;
	return SNAP_OK;
}

static bool is_python(const struct dataset *dataset, uint32_t site)
{
	return strcmp(dataset_text(dataset, dataset->sites[site].domain), "python") == 0;
}

/* With a census, native memory only: it is not seen there.  It is a cache's if the function on its
   stack says so, or if the objects of the same line are; but other objects may have it. */
static void add_site(struct growth_caches *caches, const struct growth_table *table, uint32_t site,
		     double grew, const struct growth_facts *facts)
{
	uint32_t r = row_of_site(table, site);
	struct growth_cache cache = {.name = ""};
	struct growth_cache_row *row;

	if (r == SNAP_NONE || grew <= 0 || (caches->has_census && is_python(table->dataset, site)))
		return;
	row = &caches->rows[r];
	if (!row->other_native && growth_cache_known_stack(table->dataset, site, facts, &cache))
		add_cached(row, &cache, grew);
	else if (!caches->has_census || !row->cached || row->other_native)
		row->elsewhere += grew;
}

static enum snap_status add_sites(struct growth_caches *caches, const struct growth_table *table,
				  const struct growth_facts *facts, struct snap_error *err)
{
	const struct dataset *dataset = table->dataset;
	int64_t ends[2] = {dataset->snapshot_ids[0], dataset->snapshot_ids[table->axis->count - 1]};
	struct site_growth growth = {table, calloc(dataset->site_count + 1, sizeof(*growth.bytes))};
	enum snap_status st = growth.bytes ? SNAP_OK : fail_memory(err, "looking for caches");

	if (st == SNAP_OK)
		st = store_each_cell(dataset->store, ends, 2, take_cell, &growth, err);
	for (uint32_t site = 0; st == SNAP_OK && site < dataset->site_count; site++)
		add_site(caches, table, site, growth.bytes[site], facts);
	free(growth.bytes);
	return st;
}

static bool look_at_objects(struct growth_caches *caches, const struct growth_censuses *censuses,
			    const struct growth_table *table)
{
	struct finding f = {.facts = censuses->facts, .table = table, .caches = caches};
	bool fine = sums_make(&f.now, censuses->now) && sums_make(&f.before, censuses->before) &&
		    ways_make(&f.old_ways, censuses->before);

	if (fine) {
		look_at_ways(&f, censuses->now);
		add_sums(&f);
	}
	free(f.now.items);
	free(f.before.items);
	free(f.old_ways.words);
	return fine;
}

enum snap_status growth_caches_find(struct growth_caches **out,
				    const struct growth_censuses *censuses,
				    const struct growth_table *table, struct snap_error *err)
{
	size_t rows = table->row_count;
	struct growth_caches *caches;
	enum snap_status st = SNAP_OK;

	*out = NULL;
	if (table->overlaps || (!censuses && !growth_cache_may_be(table->dataset)))
		return SNAP_OK;
	caches = calloc(1, sizeof(*caches) + (rows + 1) * sizeof(*caches->rows));
	if (!caches)
		return fail_memory(err, "looking for caches");
	caches->row_count = rows;
	caches->has_census = censuses != NULL;
	if (censuses && !look_at_objects(caches, censuses, table))
		st = fail_memory(err, "looking for caches");
	if (st == SNAP_OK)
		st = add_sites(caches, table, censuses ? censuses->facts : NULL, err);
	if (st == SNAP_OK)
		*out = caches;
	else
		free(caches);
	return st;
}

/* ---- the verdict ----------------------------------------------------------------------------- */

static const struct growth_cache_row *cache_row_of(const struct growth_row *row)
{
	const struct growth_caches *caches = row->part->caches;

	return caches && row->row < caches->row_count ? &caches->rows[row->row] : NULL;
}

static double grown(const struct growth_row *row, const double *of_row)
{
	return of_row[row->part->axis.count - 1] - of_row[0];
}

static bool is_mostly_cached(const struct growth_cache_row *of)
{
	double less = of->cache.unsure ? LESS : MUCH_LESS;

	return of->cached > 0 && of->elsewhere * less <= of->cached + of->elsewhere;
}

static bool is_far_larger(double now, double before)
{
	return now > inner_growth * before && now - before > inner_least;
}

/* Native memory of an entry, as that of a bytearray, is in no census.  What it was early, but not at the
 * very first entries, is compared. */
static bool has_larger_blocks(const struct growth_row *row)
{
	size_t last = row->part->axis.count - 1, early = 0;

	if (!row->blocks || row->blocks[last] <= 0)
		return false;
	while (row->blocks[early] < row->blocks[last] / 4)
		early++;
	return is_far_larger(row->bytes[last] / row->blocks[last],
			     row->bytes[early] / row->blocks[early]);
}

static bool keeps_pace(const struct growth_row *row)
{
	size_t last = row->part->axis.count - 1, half = last / 2;
	double early, late;

	if (!row->blocks || half == 0)
		return false;
	early = (row->blocks[half] - row->blocks[0]) / (double)half;
	late = (row->blocks[last] - row->blocks[half]) / (double)(last - half);
	return late >= even_pace * early;
}

/* Where no number limits the entries, they get rarer, at least: a program does not import as many other modules
 * in each interval.  And modules differ: what they take is not the same each time. */
static bool goes_on(const struct growth_row *row, const struct growth_cache *cache)
{
	return !cache->limit && (row->judgement.exact ||
				 (row->judgement.confidence == GROWTH_HIGH && keeps_pace(row)));
}

/* The values in the cache get larger, while there are few new ones. */
static bool grows_inside(const struct growth_row *row, const struct growth_cache_row *of)
{
	const struct growth_cache *cache = &of->cache;
	bool has_places = strcmp(cache->rule, GROWTH_CACHE_PLACES) == 0;

	if (cache->rule[0] && !has_places)
		return false;
	if (has_larger_blocks(row))
		return true;
	if (!cache->before || has_places)
		return false;
	return cache->entries <= cache->before ||
	       is_far_larger(of->cached_now / (double)cache->entries,
			     of->cached_before / (double)cache->before);
}

/* Bytes that the row has if its cache is full; 0 unknown. */
static double when_full(const struct growth_row *row, const struct growth_cache *cache)
{
	double last = row->bytes[row->part->axis.count - 1], each;

	if (!cache->limit || !cache->entries)
		return 0;
	each = cache->before && cache->entries > cache->before
		       ? grown(row, row->bytes) / (double)(cache->entries - cache->before)
		       : last / (double)cache->entries;
	return last + each * (double)(cache->limit - cache->entries);
}

/* "cache that fills: the lru_cache of `page` has 100 of 5,000 entries" */
static void say_cache(char text[WORDS_SIZE], const struct growth_cache *cache)
{
	char entries[32], limit[32];

	sites_number(cache->entries, entries);
	sites_number(cache->limit, limit);
	if (strcmp(cache->rule, GROWTH_CACHE_PLACES) == 0)
		snprintf(text, WORDS_SIZE,
			 "cache that fills: %.15s of the %.15s items that %.90s leads to have one",
			 entries, limit, cache->name);
	else if (cache->rule[0] && cache->entries)
		snprintf(text, WORDS_SIZE,
			 "cache that fills: %.90s has %.15s entries: it keeps %.60s", cache->name,
			 entries, cache->rule);
	else if (cache->rule[0])
		snprintf(text, WORDS_SIZE, "cache that fills: %.90s keeps %.60s", cache->name,
			 cache->rule);
	else
		snprintf(text, WORDS_SIZE, "cache that fills: %.90s has %.15s of %.15s entries",
			 cache->name, entries, limit);
}

static void judge(struct growth_row *row, const struct growth_cache_row *of)
{
	struct growth_judgement *judgement = &row->judgement;
	double full = when_full(row, &of->cache);
	char sentence[GROWTH_REASON_SIZE], words[WORDS_SIZE], size[32];

	row->fills = true;
	say_cache(words, &of->cache);
	sites_bytes((uint64_t)whole_number(full), size);
	if (full > most_when_full) {
		snprintf(sentence, sizeof(sentence), "%.190s; full, it would take about %.20s",
			 words, size);
		growth_add_reason(judgement, sentence);
		return;
	}
	snprintf(sentence, sizeof(sentence), "no leak: %.180s%s%.20s", words,
		 full > 0 ? "; full, it takes about " : "", full > 0 ? size : "");
	judgement->verdict = GROWTH_WARM_UP;
	judgement->exact = false;
	growth_add_reason(judgement, sentence);
}

/* It is not known who holds the blocks, or how many entries there are. */
static void doubt(struct growth_row *row, const struct growth_cache_row *of)
{
	char sentence[GROWTH_REASON_SIZE];

	if (of->cache.limit && (!row->blocks || grown(row, row->blocks) > (double)of->cache.limit))
		return;
	row->judgement.confidence = GROWTH_LOW;
	snprintf(sentence, sizeof(sentence),
		 "not sure: it may be a cache that fills: %.90s keeps %.60s%s", of->cache.name,
		 of->cache.rule,
		 row->part->caches->has_census ? "" : "; a census tells (--census)");
	growth_add_reason(&row->judgement, sentence);
}

void growth_caches_judge(struct growth_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		struct growth_row *row = &list->rows[i];
		const struct growth_cache_row *of = cache_row_of(row);

		if (!of || !growth_is_growth(&row->judgement) || !is_mostly_cached(of) ||
		    goes_on(row, &of->cache))
			continue;
		if (of->cache.unsure)
			doubt(row, of);
		else if (!grows_inside(row, of) && of->cached * MUCH_LESS >= grown(row, row->bytes))
			judge(row, of);
	}
}
