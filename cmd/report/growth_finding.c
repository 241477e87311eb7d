/*
 * growth_finding.c - group rows into findings: rows that leak together, with the container that
 * grows with them.
 *
 * A leaked event leaves blocks in several rows.  Such rows grow in step, and have a common caller,
 * where the event starts; or one container holds the blocks of all of them.
 */
#include "report/growth_finding.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "report/growth_stacks.h"
#include "report/growth_step.h"
#include "report/sites.h"

/* Further rows are findings of their own: comparing all pairs would be slow. */
enum { MOST_MEMBERS = 256 };
static const double item_least = 6, item_most = 128; /* bytes of a container for each item */

/* ---- findings -------------------------------------------------------------------------------- */

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

/* How is `row` connected to a row of the finding?  Returns the strongest connection. */
static enum growth_bond bond_with(const struct growth_list *list, uint32_t number,
				  const struct growth_row *row)
{
	size_t end = list->count < MOST_MEMBERS ? list->count : MOST_MEMBERS;
	enum growth_bond strongest = BOND_NONE;

	for (size_t i = 0; i < end && strongest < BOND_STEP; i++) {
		enum growth_bond bond = BOND_NONE;

		if (list->rows[i].finding == number)
			bond = growth_rows_bond(&list->rows[i], row);
		strongest = bond > strongest ? bond : strongest;
	}
	return strongest;
}

static void join_in_step(struct growth_finding *finding, const struct growth_row *leader,
			 struct growth_row *row, enum growth_bond bond, uint32_t number)
{
	uint32_t shared = growth_rows_meet(leader, row);

	add_member(finding, row, number);
	finding->in_step++;
	finding->even &=
		fabs(row->judgement.blocks_slope.value - leader->judgement.blocks_slope.value) <=
		0.01 * leader->judgement.blocks_slope.value;
	row->beside = bond == BOND_ENTRY;
	finding->by_holder |= bond == BOND_HOLDER;
	if (bond != BOND_ENTRY && shared < finding->shared)
		finding->shared = shared;
}

/* A row that joins may be in step with others that the first one is not. */
static void find_in_step(struct growth_list *list, struct growth_finding *finding,
			 struct growth_row *leader, uint32_t number)
{
	size_t end = list->count < MOST_MEMBERS ? list->count : MOST_MEMBERS, before;

	finding->shared = UINT32_MAX;
	do {
		before = finding->in_step;
		for (size_t i = 0; i < end; i++) {
			struct growth_row *row = &list->rows[i];
			enum growth_bond bond;

			if (row->finding || !growth_is_finding(&row->judgement) ||
			    row->judgement.verdict != GROWTH_LEAK || row->part != leader->part)
				continue;
			bond = bond_with(list, number, row);
			if (bond != BOND_NONE)
				join_in_step(finding, leader, row, bond, number);
		}
	} while (finding->in_step > before);
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

/* How many events the finding has left behind: the fewest blocks of its rows. */
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

/* How close to the newest frames do the stacks meet?  Without names of functions, the file may be
   all that is known. */
static uint32_t nearness(const struct growth_row *leader, const struct growth_row *row)
{
	uint32_t shared = growth_rows_meet(leader, row);

	return shared == 0 && growth_are_in_one_file(leader, row) ? 1 : shared;
}

/* Containers that rise with the leak are part of it; the one whose stack meets the leak's nearest
 * to it is named. */
static void find_containers(struct growth_list *list, struct growth_finding *finding,
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
		shared = nearness(leader, row);
		if (shared && growth_is_finding(&row->judgement))
			add_member(finding, row, number);
		if (shared > most) {
			most = shared;
			nearest = row;
		}
	}
	if (nearest)
		finding->container = nearest->words;
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
			find_containers(list, finding, row, number);
		}
	return SNAP_OK;
}

/* ---- order: rows of one finding follow each other, and the findings are by what they claim --- */

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
		if (a->finding && a->row.leads != b->row.leads)
			return a->row.leads ? -1 : 1;
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

/* The function in which the stacks of the finding meet; NULL if that is the leader's own site, whose
 * callers say more.  A function within another one (a lambda) may have its name and its line. */
static const char *meeting_point(struct report *report, const struct growth_row *leader,
				 const struct growth_finding *finding)
{
	const struct dataset *dataset = leader->part->table.dataset;
	const struct dataset_site *site = growth_stack_of(leader);
	const char *start, *named;

	if (finding->in_step <= 1 || !finding->shared ||
	    finding->shared >= site->depth - site->identity.named)
		return NULL;
	start = sites_frame_words(report, dataset,
				  growth_frame_of(leader, site->depth - finding->shared));
	named = sites_frame_words(report, dataset, growth_frame_of(leader, site->identity.named));
	return strcmp(start, named) == 0 ? NULL : start;
}

const char *growth_finding_start(struct report *report, const struct growth_row *leader,
				 const struct growth_finding *finding)
{
	const struct dataset *dataset = leader->part->table.dataset;
	const struct dataset_site *site = growth_stack_of(leader);
	uint32_t number = leader->part->table.heaviest[leader->row];
	const char *start;
	struct value callers;

	if (!site)
		return NULL;
	start = finding->by_caller ? NULL : meeting_point(report, leader, finding);
	if (start)
		return report_text(report, "it starts in %s", start);
	if (finding->by_caller)
		callers = sites_callers_at(report, dataset, number, site->depth - finding->shared);
	else
		callers = sites_callers(report, dataset, number, false);
	return callers.kind == VALUE_TEXT ? report_text(report, "called from %s", callers.text.data)
					  : NULL;
}

const char *growth_finding_name(struct report *report, const struct growth_row *leader,
				const struct growth_finding *finding)
{
	const struct dataset_site *site = growth_stack_of(leader);

	if (!finding->by_caller || !site)
		return sites_words(report, leader->words);
	return sites_frame_words(report, leader->part->table.dataset,
				 growth_frame_of(leader, site->depth - finding->shared));
}
