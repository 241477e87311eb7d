/*
 * growth_finding.c - which rows are one finding: sites that leak together, with the container that
 * rises with them.
 *
 * One event that is forgotten leaves blocks at several sites: as many at each, or a small multiple,
 * in every interval.  Such sites have a caller in common, in which the event starts.
 */
#include "report/growth_finding.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "report/sites.h"

enum {
	MOST_MEMBERS =
		256, /* rows beyond are findings of their own: pairs of all would take long */
	MOST_MULTIPLE = 16, /* blocks of one site for each of another */
};
static const double item_least = 6, item_most = 48; /* bytes of a container for each of its items */
static const double step_error = 0.002; /* what in-flight blocks make of a growth in step */

/* ---- do two rows grow in step? ---- */

static size_t tail_of(const struct growth_row *row)
{
	size_t count = row->judgement.judged_count, aside = count / 4 > 1 ? count / 4 : 1;

	return row->judgement.judged_from + (count > aside + 2 ? aside : 0);
}

static double multiple_of(const double *a, const double *b, size_t from, size_t end)
{
	double of_a = a[end - 1] - a[from], of_b = b[end - 1] - b[from], multiple;

	if (of_a <= 0 || of_b <= 0)
		return 0;
	multiple = of_b >= of_a ? round(of_b / of_a) : 1 / round(of_a / of_b);
	return multiple <= MOST_MULTIPLE && multiple >= 1.0 / MOST_MULTIPLE ? multiple : 0;
}

/* As many blocks of `b` as `multiple` says for each of `a`, at every snapshot. */
static bool keeps_step(const double *a, const double *b, double multiple, size_t from, size_t end)
{
	double gain = b[end - 1] - b[from];
	double allowed = fmax(multiple, 1) * 2 + step_error * gain;

	for (size_t i = from; i < end; i++)
		if (fabs(b[i] - b[from] - multiple * (a[i] - a[from])) > allowed)
			return false;
	return gain > 2 * allowed;
}

static bool in_step(const struct growth_row *a, const struct growth_row *b)
{
	size_t from = tail_of(a), end = a->judgement.judged_from + a->judgement.judged_count;
	double multiple;

	if (a->part != b->part || !a->blocks || !b->blocks || a->workers != b->workers ||
	    a->judgement.judged_from != b->judgement.judged_from ||
	    a->judgement.judged_count != b->judgement.judged_count ||
	    growth_row_snapshots(a) != a->part->axis.count || a->part->axis.repeated)
		return false;
	multiple = multiple_of(a->blocks, b->blocks, from, end);
	/* Steps that are always the same fit each other by themselves. */
	if (multiple != 1 && (a->judgement.exact || b->judgement.exact))
		return false;
	return multiple > 0 && keeps_step(a->blocks, b->blocks, multiple, from, end);
}

/* ---- where two call stacks meet ---- */

static const struct dataset_site *stack_of(const struct growth_row *row)
{
	uint32_t site = row->part->table.heaviest[row->row];

	return site == SNAP_NONE ? NULL : &row->part->table.dataset->sites[site];
}

static const struct dataset_frame *frame_of(const struct growth_row *row,
					    const struct dataset_site *site, uint32_t position)
{
	const struct dataset *dataset = row->part->table.dataset;

	return dataset_frame_at(dataset, (uint32_t)(site - dataset->sites), position);
}

static bool is_same_function(const struct dataset_frame *a, const struct dataset_frame *b)
{
	if (a->function || b->function)
		return a->function == b->function && a->module == b->module;
	return a->file == b->file && a->line == b->line && a->address == b->address;
}

/* Where every event of the program passes says nothing about this one. */
static bool is_entry(const char *function)
{
	return strcmp(function, "main") == 0 || strcmp(function, "<module>") == 0 ||
	       sites_is_start_up(function);
}

/*
 * How many of the outermost frames the stacks share, up to the innermost of own code; 0 where that is
 * the entry of the program only.
 */
static uint32_t meeting(const struct growth_row *a, const struct growth_row *b)
{
	const struct dataset_site *left = stack_of(a), *right = stack_of(b);
	const struct dataset *dataset = a->part->table.dataset;
	uint32_t shared = 0, found = 0;

	while (left && right && shared < left->depth && shared < right->depth) {
		const struct dataset_frame *one = frame_of(a, left, left->depth - 1 - shared);
		const struct dataset_frame *other = frame_of(b, right, right->depth - 1 - shared);

		if (!is_same_function(one, other))
			break;
		shared++;
		if (one->kind == OWN_CODE && !is_entry(dataset_text(dataset, one->function)))
			found = shared;
	}
	return found;
}

/* ---- findings ---- */

static void add_slope(struct stats_slope *sum, const struct stats_slope *slope)
{
	sum->value += slope->value;
	sum->low += slope->low;
	sum->high += slope->high;
}

static void add_member(struct growth_finding *finding, struct growth_row *row, uint32_t number)
{
	row->finding = number;
	finding->count++;
	add_slope(&finding->bytes, &row->judgement.bytes_slope);
	add_slope(&finding->blocks, &row->judgement.blocks_slope);
}

static void find_in_step(struct growth_list *list, struct growth_finding *finding,
			 struct growth_row *leader, uint32_t number)
{
	size_t end = list->count < MOST_MEMBERS ? list->count : MOST_MEMBERS;
	size_t leads = (size_t)(leader - list->rows);

	finding->shared = UINT32_MAX;
	for (size_t i = leads + 1; i < end; i++) {
		struct growth_row *row = &list->rows[i];
		uint32_t shared;

		if (row->finding || !growth_is_finding(&row->judgement) ||
		    row->judgement.verdict != GROWTH_LEAK || !in_step(leader, row))
			continue;
		shared = meeting(leader, row);
		if (!shared)
			continue;
		add_member(finding, row, number);
		finding->in_step++;
		finding->even &= fabs(row->judgement.blocks_slope.value -
				      leader->judgement.blocks_slope.value) <=
				 0.01 * leader->judgement.blocks_slope.value;
		finding->shared = shared < finding->shared ? shared : finding->shared;
	}
}

/* Bytes that rise in few blocks: a table, list or buffer that is made larger. */
bool growth_is_container(const struct growth_row *row)
{
	return row->judgement.verdict == GROWTH_CONTAINER && row->last > row->first;
}

/* As many bytes for each item that leaked as a table of pointers or a hash table takes. */
static bool holds_items(const struct growth_row *container, double items)
{
	double each = items > 0 ? (container->last - container->first) / items : 0;

	return each >= item_least && each <= item_most;
}

/* How many events the finding has left behind: the fewest blocks of its sites. */
static double events_of(const struct growth_list *list, uint32_t number)
{
	double fewest = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct growth_row *row = &list->rows[i];
		double gain;

		if (row->finding != number || !row->blocks)
			continue;
		gain = row->blocks[growth_row_snapshots(row) - 1] - row->blocks[0];
		fewest = fewest == 0 || gain < fewest ? gain : fewest;
	}
	return fewest;
}

/* The container whose stack meets the leak's nearest to it. */
static void find_container(struct growth_list *list, struct growth_finding *finding,
			   const struct growth_row *leader, uint32_t number)
{
	size_t end = list->count < MOST_MEMBERS ? list->count : MOST_MEMBERS;
	double events = events_of(list, number);
	struct growth_row *nearest = NULL;
	uint32_t most = 0;

	for (size_t i = 0; i < end; i++) {
		struct growth_row *row = &list->rows[i];
		uint32_t shared;

		if (row == leader || row->part != leader->part || !growth_is_container(row) ||
		    row->finding || growth_row_snapshots(row) != growth_row_snapshots(leader) ||
		    !holds_items(row, events))
			continue;
		shared = meeting(leader, row);
		if (shared > most) {
			most = shared;
			nearest = row;
		}
	}
	if (!nearest)
		return;
	finding->container = nearest->words;
	if (growth_is_finding(&nearest->judgement))
		add_member(finding, nearest, number);
}

static bool names_sites(const struct report_options *options)
{
	return !options->cumulative && !options->sql &&
	       (options->group == GROUP_LINE || options->group == GROUP_FUNCTION ||
		options->group == GROUP_STACK);
}

enum snap_status growth_list_find(struct growth_list *list, const struct report_options *options,
				  struct snap_error *err)
{
	size_t room = 0;
	bool groups = names_sites(options);

	for (size_t i = 0; i < list->count; i++)
		room += growth_is_finding(&list->rows[i].judgement);
	list->findings = calloc(room + 1, sizeof(*list->findings));
	if (!list->findings)
		return fail_memory(err, "finding what leaks together");
	for (int containers = 0; containers <= 1; containers++)
		for (size_t i = 0; i < list->count; i++) {
			struct growth_row *row = &list->rows[i];
			struct growth_finding *finding = &list->findings[list->finding_count];
			uint32_t number = (uint32_t)list->finding_count + 1;

			/* A container first looks for a leak that it belongs to. */
			if (row->finding || !growth_is_finding(&row->judgement) ||
			    containers != growth_is_container(row))
				continue;
			*finding = (struct growth_finding){.in_step = 1, .even = true};
			add_member(finding, row, number);
			row->leads = true;
			list->finding_count++;
			if (!groups || containers || i >= MOST_MEMBERS)
				continue;
			find_in_step(list, finding, row, number);
			find_container(list, finding, row, number);
		}
	return SNAP_OK;
}

/* ---- order: rows of one finding follow each other, and the findings are by what they claim ---- */

struct place {
	const struct growth_finding *finding; /* NULL: none */
	struct growth_row row;
	size_t was;
	bool by_blocks;
};

static int compare_places(const void *left, const void *right)
{
	const struct place *a = left, *b = right;

	if (!a->finding || !b->finding || a->finding == b->finding) {
		if (a->finding != b->finding)
			return a->finding ? -1 : 1;
		return (a->was > b->was) - (a->was < b->was);
	}
	if (a->by_blocks && a->finding->blocks.value != b->finding->blocks.value)
		return a->finding->blocks.value > b->finding->blocks.value ? -1 : 1;
	if (a->finding->bytes.value != b->finding->bytes.value)
		return a->finding->bytes.value > b->finding->bytes.value ? -1 : 1;
	return a->finding < b->finding ? -1 : 1;
}

/* Number the findings as they are listed. */
static bool renumber(struct growth_list *list)
{
	struct growth_finding *old = list->findings;
	uint32_t number = 0, last = 0;

	list->findings = calloc(list->finding_count + 1, sizeof(*list->findings));
	if (!list->findings) {
		list->findings = old;
		return false;
	}
	for (size_t i = 0; i < list->count && list->rows[i].finding; i++) {
		if (list->rows[i].finding != last) {
			last = list->rows[i].finding;
			list->findings[number++] = old[last - 1];
		}
		list->rows[i].finding = number;
	}
	free(old);
	return true;
}

enum snap_status growth_list_order_findings(struct growth_list *list, bool by_blocks,
					    struct snap_error *err)
{
	struct place *places = calloc(list->count + 1, sizeof(*places));
	bool fine = places != NULL;

	for (size_t i = 0; fine && i < list->count; i++) {
		const struct growth_row *row = &list->rows[i];

		places[i] = (struct place){
			.finding = row->finding ? &list->findings[row->finding - 1] : NULL,
			.row = *row,
			.was = i,
			.by_blocks = by_blocks,
		};
	}
	if (fine)
		qsort(places, list->count, sizeof(*places), compare_places);
	for (size_t i = 0; fine && i < list->count; i++)
		list->rows[i] = places[i].row;
	free(places);
	fine = fine && renumber(list);
	return fine ? SNAP_OK : fail_memory(err, "ordering the findings");
}

const struct growth_finding *growth_finding_of(const struct growth_list *list,
					       const struct growth_row *row)
{
	return row->finding ? &list->findings[row->finding - 1] : NULL;
}

const char *growth_finding_start(struct report *report, const struct growth_row *leader,
				 const struct growth_finding *finding)
{
	const struct dataset *dataset = leader->part->table.dataset;
	const struct dataset_site *site = stack_of(leader);
	struct value callers;

	if (!site)
		return NULL;
	/* Where they meet in the leader itself, its caller says more. */
	if (finding->in_step > 1 && finding->shared < site->depth - site->identity.named)
		return report_text(
			report, "it starts in %s",
			sites_short_frame(report, dataset,
					  frame_of(leader, site, site->depth - finding->shared)));
	callers = sites_callers(report, dataset, leader->part->table.heaviest[leader->row], false);
	return callers.kind == VALUE_TEXT ? report_text(report, "called from %s", callers.text.data)
					  : NULL;
}
