/*
 * growth_held.c - from groups of objects, by their call stacks, to rows.
 */
#include "report/growth_held.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/fail.h"
#include "dataset/graph.h"
#include "report/growth_cache.h"
#include "report/growth_graph.h"
#include "report/growth_part.h"
#include "report/growth_rows.h"
#include "report/row_graph.h"

static const char only_a_cycle[] = "only a cycle of objects"; /* how such a way begins */

/* Where weakref notes whom it watches: whoever holds those says more. */
static const char finalizers[] = "`finalize._registry`";

enum { MUCH_LESS = 8 };    /* a group so many times smaller says little about the row */
enum { SAYS_LITTLE = 16 }; /* so much less than its bytes */

/* ---- facts ---- */

/* The facts of the first of `count` snapshots, in steps of `step`, that has a census; its place, or
   `count`. */
static enum snap_status find_facts(struct facts *facts, size_t *found, struct store *store,
				   const int64_t *ids, size_t count, bool newest,
				   struct snap_error *err)
{
	enum snap_status st = SNAP_OK;

	for (size_t i = 0; st == SNAP_OK && i < count; i++) {
		const char *what;

		*found = newest ? count - 1 - i : i;
		st = facts_read(facts, store, ids[*found], err);
		what = facts_find(facts, "census");
		if (st != SNAP_OK || (what && strcmp(what, "python") == 0))
			return st;
		facts_release(facts);
	}
	*found = count;
	return st;
}

static enum snap_status read_peaks(struct growth_held *held, struct store *store, int64_t first,
				   int64_t last, struct snap_error *err)
{
	struct heap_sizes before, after = {0};
	enum snap_status st = facts_read_heap(&before, store, first, err);

	if (st == SNAP_OK)
		st = facts_read_heap(&after, store, last, err);
	held->first_peak = before.peak;
	held->last_peak = after.peak;
	held->last_live = after.live;
	return st;
}

/* ---- rows ---- */

/* A way to the objects of a group. */
struct candidate {
	const char *words, *type;
	uint64_t objects; /* of the group */
	uint64_t weight;  /* how much it says about its row's growth */
};

/* The row that objects of a type were allocated in. */
static uint32_t row_of(const struct growth_table *table, const struct graph_group *group)
{
	const struct row_graph_view view = {table->selection, table->joined};

	return group->row.kind == SNAP_GROUP_TYPE ? row_graph_row(&view, group) : SNAP_NONE;
}

static int compare_groups(const void *a, const void *b)
{
	const struct graph_group *left = a, *right = b;

	if (left->site != right->site)
		return left->site < right->site ? -1 : 1;
	if (left->row.kind != right->row.kind)
		return left->row.kind < right->row.kind ? -1 : 1;
	return strcmp(left->row.label, right->row.label);
}

/* The groups of a graph, those of one site and label as one; their texts are the graph's. */
struct totals {
	struct graph_group *groups;
	size_t count;
};

static bool add_up(struct totals *totals, const struct graph *graph)
{
	size_t last = 0;

	totals->count = 0;
	totals->groups = array_unset(graph->group_count + 1, sizeof(*totals->groups));
	if (!totals->groups || !graph->group_count)
		return totals->groups != NULL;
	memcpy(totals->groups, graph->groups, graph->group_count * sizeof(*totals->groups));
	qsort(totals->groups, graph->group_count, sizeof(*totals->groups), compare_groups);
	for (size_t i = 1; i < graph->group_count; i++)
		if (compare_groups(&totals->groups[last], &totals->groups[i]) == 0)
			totals->groups[last].row.bytes += totals->groups[i].row.bytes;
		else
			totals->groups[++last] = totals->groups[i];
	totals->count = last + 1;
	return true;
}

static uint64_t bytes_in(const struct totals *totals, const struct graph_group *group)
{
	const struct graph_group *found = totals->count
						  ? bsearch(group, totals->groups, totals->count,
							    sizeof(*group), compare_groups)
						  : NULL;

	return found ? found->row.bytes : 0;
}

/* A line may have made much at its first run, of which nothing grows: how large a group is counts
 * little. */
static uint64_t weight_of(const struct graph_group *group, const struct totals *now,
			  const struct totals *before)
{
	enum { OF_GROWTH = 1024 };
	uint64_t bytes = bytes_in(now, group), old = bytes_in(before, group);

	return (bytes > old ? bytes - old : 0) * OF_GROWTH + bytes;
}

/* Two censuses: `now` is of the graph, `before` of an earlier one. */
struct censuses {
	struct totals now, before;
};

static struct candidate candidate_of(const struct graph *graph, const struct censuses *censuses,
				     const struct graph_path *path, bool has_native)
{
	const struct graph_group *group = &graph->groups[path->row.group];
	struct candidate way = {graph->roots[path->row.root].name, group->row.label,
				group->row.blocks,
				weight_of(group, &censuses->now, &censuses->before)};

	if (has_native && !way.objects)
		way.weight = 0;
	if (strncmp(way.words, finalizers, sizeof(finalizers) - 1) == 0)
		way.weight /= SAYS_LITTLE;
	return way;
}

static bool is_way(const struct graph *graph, const struct graph_path *path)
{
	return path->row.root != SNAP_NONE &&
	       graph->roots[path->row.root].kind == SNAP_ROOT_INTERPRETER;
}

/* The way of the first is the beginning of that of the second. */
static bool is_above(const char *upper, const char *lower)
{
	size_t size = strcspn(upper, ";");

	return strncmp(upper, lower, size) == 0 && strncmp(lower + size, " -> ", 4) == 0;
}

static bool replace(struct growth_held_row *row, const struct candidate *candidate)
{
	char *words = strdup(candidate->words), *type = strdup(candidate->type);

	if (!words || !type) {
		free(words);
		free(type);
		return false;
	}
	free(row->words);
	free(row->type);
	row->words = words;
	row->type = type;
	row->is_table = candidate->objects == 0;
	return true;
}

static void mark_native(struct growth_held *held, const struct growth_table *table)
{
	const struct dataset *dataset = table->dataset;

	for (uint32_t site = 0; site < dataset->site_count; site++) {
		const uint32_t *rows;
		size_t count = selection_rows_of(table->selection, table->joined[site], &rows);

		for (size_t i = 0; i < count; i++)
			if (strcmp(dataset_text(dataset, dataset->sites[site].domain), "python") !=
			    0)
				held->rows[rows[i]].has_native = true;
	}
}

/* Which of two ways that weigh as much is told does not depend on their order. */
static bool is_better(const struct candidate *way, uint64_t most, const char *words)
{
	if (!words || way->weight != most)
		return !words || way->weight > most;
	return strcmp(way->words, words) < 0;
}

/* Choose the group that grew most; then the group that holds it, if that was made in the same row (not
   the table of a container, which was made elsewhere).
   If the row has native memory, tables of containers that the line also fills say nothing. */
static bool choose_ways(struct growth_held *out, const struct graph *graph,
			const struct censuses *censuses, const struct growth_table *table)
{
	uint64_t *most = calloc(table->row_count + 1, sizeof(*most));
	bool fine = most != NULL;

	for (int pass = 0; fine && pass < 2; pass++)
		for (size_t i = 0; fine && i < graph->path_count; i++) {
			const struct graph_path *path = &graph->paths[i];
			uint32_t r = row_of(table, &graph->groups[path->row.group]);
			struct growth_held_row *row;
			struct candidate way;

			if (r == SNAP_NONE || !is_way(graph, path))
				continue;
			row = &out->rows[r];
			way = candidate_of(graph, censuses, path, row->has_native);
			if (pass == 0 && is_better(&way, most[r], row->words)) {
				most[r] = way.weight;
				fine = replace(row, &way);
			} else if (pass == 1 && way.objects && way.weight >= most[r] / MUCH_LESS &&
				   is_above(way.words, row->words)) {
				fine = replace(row, &way);
			}
		}
	free(most);
	return fine;
}

static enum snap_status take_objects(void *user, const struct store_objects *found)
{
	struct growth_held *held = user;
	struct growth_held_row *row;

	if (found->row >= held->row_count)
		return SNAP_OK;
	row = &held->rows[found->row];
	if (found->is_reuse) {
		row->reuse += found->objects;
	} else {
		row->objects += found->objects;
		row->bytes += found->bytes;
	}
	return SNAP_OK;
}

/* The figures of an earlier census for a row. */
struct earlier {
	double objects;      /* of the row's type */
	uint64_t type_bytes; /* of these */
	uint64_t bytes;      /* of all its objects */
};

struct counting {
	const struct growth_held *held;
	struct earlier *rows;
};

static enum snap_status take_earlier(void *user, const struct store_objects *found)
{
	const struct counting *counting = user;
	struct earlier *row;
	const char *type;

	if (found->row >= counting->held->row_count || found->is_reuse)
		return SNAP_OK;
	row = &counting->rows[found->row];
	type = counting->held->rows[found->row].type;
	row->bytes += found->bytes;
	if (type && strcmp(type, found->type) == 0) {
		row->objects += (double)found->objects;
		row->type_bytes += found->bytes;
	}
	return SNAP_OK;
}

/* Only a snapshot with a graph is counted. */
static enum snap_status count_earlier(struct earlier *rows, const struct growth_held *held,
				      struct growth_table *table, int64_t id, bool *is_there,
				      struct snap_error *err)
{
	struct counting counting = {held, rows};
	bool sized;
	uint32_t side;
	enum snap_status st = store_has_graph(table->dataset->store, id, is_there, &sized, err);

	if (st != SNAP_OK || !*is_there)
		return st;
	memset(rows, 0, held->row_count * sizeof(*rows));
	st = growth_table_graph_side(table, &side, err);
	return st == SNAP_OK ? store_each_objects(table->dataset->store, id, side, take_earlier,
						  &counting, err)
			     : st;
}

/* The counts of one snapshot against those of the one after it. */
static void compare_counts(struct growth_held *held, const struct earlier *earlier,
			   const struct earlier *later, bool is_first)
{
	for (size_t r = 0; r < held->row_count; r++) {
		double step = later[r].objects - earlier[r].objects;

		if (is_first)
			held->rows[r].exact = step > 0 ? step : 0;
		else if (held->rows[r].exact > step || held->rows[r].exact < step)
			held->rows[r].exact = 0;
	}
}

static bool explains(uint64_t now, uint64_t before, double grew)
{
	return ((double)now - (double)before) * MUCH_LESS >= grew;
}

/*
 * Find rows that grew although their objects take as much as they took in snapshot `first`
 * (`before`).  The new memory is then no object that the interpreter knows, and the holders of the
 * other objects say nothing about it.  The same is true if the row has only the table of a
 * container, and that table did not grow.
 */
static void find_unseen(struct growth_held *held, const struct growth_table *table, size_t first,
			size_t last, const struct earlier *before, const struct earlier *now)
{
	for (size_t r = 0; r < held->row_count; r++) {
		const double *bytes = table->bytes + r * table->axis->count;
		struct growth_held_row *row = &held->rows[r];
		double grew = bytes[last] - bytes[first];
		bool seen =
			explains(now[r].bytes, before[r].bytes, grew) &&
			(!row->is_table || explains(now[r].type_bytes, before[r].type_bytes, grew));

		if (row->has_native || !row->bytes || grew <= 0 || seen)
			continue;
		row->is_unseen = true;
		free(row->words);
		free(row->type);
		row->words = row->type = NULL;
	}
}

/* What earlier censuses show: which rows get as many objects in each interval, and which get something
 * else.  From the newest backwards; where one is missing the intervals end. */
static enum snap_status look_back(struct growth_held *held, const int64_t *ids, size_t count,
				  struct growth_table *table, struct snap_error *err)
{
	enum { LEAST_INTERVALS = 3, MOST_INTERVALS = 8 };
	size_t rows = held->row_count;
	struct earlier *counts = calloc(3 * rows + 1, sizeof(*counts));
	struct earlier *earlier = counts, *later = counts ? counts + rows : NULL;
	struct earlier *newest = counts ? later + rows : NULL;
	enum snap_status st = counts ? SNAP_OK : fail_memory(err, "reading the census");
	size_t intervals = 0, oldest = count;

	for (size_t i = count; st == SNAP_OK && i-- > 0 && intervals < MOST_INTERVALS;) {
		bool is_there;

		st = count_earlier(earlier, held, table, ids[i], &is_there, err);
		if (st != SNAP_OK || !is_there)
			break;
		oldest = i;
		if (i + 1 < count)
			compare_counts(held, earlier, later, intervals++ == 0);
		else
			memcpy(newest, earlier, rows * sizeof(*newest));
		memcpy(later, earlier, rows * sizeof(*later));
	}
	for (size_t r = 0; intervals < LEAST_INTERVALS && r < rows; r++)
		held->rows[r].exact = 0;
	if (st == SNAP_OK && intervals >= LEAST_INTERVALS && count <= table->axis->count)
		find_unseen(held, table, oldest, count - 1, later, newest);
	free(counts);
	return st;
}

static void count_lost(struct growth_held *held, const struct graph *graph,
		       const struct growth_table *table)
{
	for (size_t i = 0; i < graph->group_count; i++) {
		uint32_t row = row_of(table, &graph->groups[i]);

		if (row != SNAP_NONE)
			held->rows[row].lost += graph->groups[i].row.indirect_blocks;
	}
}

/* `first` is the first snapshot that has a census; it may be the same. */
static enum snap_status read_rows(struct growth_held *out, struct growth_caches **caches,
				  int64_t id, int64_t first, struct growth_table *table,
				  struct snap_error *err)
{
	struct store *store = table->dataset->store;
	struct graph graph = {0}, earlier = {0};
	const struct growth_facts facts = {&out->last, &out->first};
	struct censuses censuses = {0};
	uint32_t side;
	enum snap_status st = growth_table_graph_side(table, &side, err);

	if (st == SNAP_OK)
		st = store_each_objects(store, id, side, take_objects, out, err);
	if (st == SNAP_OK)
		st = graph_fetch(&graph, store, table->dataset, id, false, err);
	if (st == SNAP_OK)
		count_lost(out, &graph, table);
	if (st == SNAP_OK && first != id)
		st = graph_fetch(&earlier, store, table->dataset, first, false, err);
	if (st == SNAP_OK &&
	    (!add_up(&censuses.now, &graph) || !add_up(&censuses.before, &earlier) ||
	     !choose_ways(out, &graph, &censuses, table)))
		st = fail_memory(err, "reading the census");
	if (st == SNAP_OK)
		st = growth_caches_find(caches, &(struct growth_censuses){&facts, &graph, &earlier},
					table, err);
	free(censuses.now.groups);
	free(censuses.before.groups);
	graph_release(&earlier);
	graph_release(&graph);
	return st;
}

enum snap_status growth_held_read(struct growth_held **out, struct growth_caches **caches,
				  struct store *store, const int64_t *ids, size_t count,
				  struct growth_table *table, struct snap_error *err)
{
	struct growth_held *held =
		calloc(1, sizeof(*held) + (table->row_count + 1) * sizeof(*held->rows));
	size_t newest = count, first;
	enum snap_status st = held ? SNAP_OK : fail_memory(err, "reading the census");

	*out = NULL;
	*caches = NULL;
	if (st == SNAP_OK) {
		held->row_count = table->row_count;
		mark_native(held, table);
		st = find_facts(&held->last, &newest, store, ids, count, true, err);
	}
	if (st == SNAP_OK && newest < count)
		st = find_facts(&held->first, &first, store, ids, newest + 1, false, err);
	if (st == SNAP_OK && newest < count)
		st = read_rows(held, caches, ids[newest], ids[first], table, err);
	if (st == SNAP_OK && newest < count)
		st = read_peaks(held, store, ids[0], ids[newest], err);
	if (st == SNAP_OK && newest < count)
		st = look_back(held, ids, newest + 1, table, err);
	if (st == SNAP_OK && newest == count)
		st = growth_caches_find(caches, NULL, table, err);
	if (st == SNAP_OK && newest < count)
		*out = held;
	else
		growth_held_free(held);
	return st;
}

void growth_held_free(struct growth_held *held)
{
	if (!held)
		return;
	for (size_t i = 0; i < held->row_count; i++) {
		free(held->rows[i].words);
		free(held->rows[i].type);
	}
	facts_release(&held->first);
	facts_release(&held->last);
	free(held);
}

/* CPython keeps up to 255 objects of a type for reuse (contexts and iterators of futures; fewer of
 * most others), and all of them are small. */
enum { MOST_KEPT = 255, LARGEST_KEPT = 512 };

static double grown(const struct growth_row *row, const double *of_row)
{
	return of_row[row->part->axis.count - 1] - of_row[0];
}

static bool may_be_kept(const struct growth_row *row)
{
	double blocks = grown(row, row->blocks);

	return blocks <= MOST_KEPT && grown(row, row->bytes) <= LARGEST_KEPT * blocks;
}

/* Nearly all new objects are freed ones: the interpreter keeps up to 2,000 tuples of each size. */
static bool is_for_reuse(const struct growth_row *row, const struct growth_held_row *held)
{
	double blocks = grown(row, row->blocks);

	return blocks > 0 && (blocks - (double)held->reuse) * MUCH_LESS <= blocks;
}

static void judge_reuse(struct growth_judgement *judgement, const struct growth_held_row *held)
{
	char sentence[GROWTH_REASON_SIZE];

	judgement->verdict = GROWTH_WARM_UP;
	judgement->exact = false;
	snprintf(sentence, sizeof(sentence),
		 "no leak: %llu of its blocks are freed objects or names that the interpreter "
		 "keeps for new "
		 "ones, and it keeps no more than some thousand",
		 (unsigned long long)held->reuse);
	growth_add_reason(judgement, sentence);
}

/* The oldest objects are collected when their number has grown by a quarter; until then, garbage
   among them grows. */
static bool waits_for_collector(const struct growth_row *row, const struct growth_held_row *held)
{
	const char *enabled = facts_find(&row->part->held->last, "census.gc.enabled");

	bool waits =
		held->lost * 2 > held->objects ||
		(held->words && strncmp(held->words, only_a_cycle, sizeof(only_a_cycle) - 1) == 0);

	return waits && enabled && strcmp(enabled, "1") == 0;
}

static void doubt(struct growth_judgement *judgement, const char *sentence)
{
	judgement->confidence = GROWTH_LOW;
	growth_add_reason(judgement, sentence);
}

static void judge_row(struct growth_row *row, const struct growth_held_row *held)
{
	if (is_for_reuse(row, held))
		judge_reuse(&row->judgement, held);
	else if (waits_for_collector(row, held))
		doubt(&row->judgement,
		      "not sure: most of its objects wait for the collector, which is on and will "
		      "free them");
	else if (held->is_unseen && may_be_kept(row))
		doubt(&row->judgement,
		      "not sure: the objects that a census found there did not get more; the "
		      "interpreter may keep what did for reuse");
}

void growth_held_judge(struct growth_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		struct growth_row *row = &list->rows[i];
		const struct growth_held_row *held = growth_held_of(row);

		if (held && row->blocks && growth_is_growth(&row->judgement))
			judge_row(row, held);
	}
}

bool growth_held_is_above(const struct growth_held_row *upper, const struct growth_held_row *lower)
{
	return upper->words && lower->words && is_above(upper->words, lower->words);
}

const struct growth_held_row *growth_held_of(const struct growth_row *row)
{
	const struct growth_held *held = row->part->held;

	return held && row->row < held->row_count ? &held->rows[row->row] : NULL;
}
