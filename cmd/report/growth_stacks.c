/*
 * growth_stacks.c - the call stacks of the rows of a growth report, and where two of them meet.
 */
#include "report/growth_stacks.h"

#include <string.h>

#include "report/sites.h"

const struct dataset_site *growth_stack_of(const struct growth_row *row)
{
	uint32_t site = row->part->table.heaviest[row->row];

	return site == SNAP_NONE ? NULL : &row->part->table.dataset->sites[site];
}

const struct dataset_frame *growth_frame_of(const struct growth_row *row, uint32_t position)
{
	return dataset_frame_at(row->part->table.dataset, row->part->table.heaviest[row->row],
				position);
}

bool growth_is_same_function(const struct dataset_frame *a, const struct dataset_frame *b)
{
	if (a->function || b->function)
		return a->function == b->function && a->module == b->module;
	return a->file == b->file && a->line == b->line && a->address == b->address;
}

bool growth_is_entry(const char *function)
{
	return strcmp(function, "main") == 0 || strcmp(function, "<module>") == 0 ||
	       sites_is_start_up(function);
}

bool growth_row_calls(const struct growth_row *caller, const struct growth_row *row)
{
	const struct dataset_site *from = growth_stack_of(caller), *to = growth_stack_of(row);
	const struct dataset_frame *named;

	if (!from || !to || from->identity.named >= from->depth)
		return false;
	named = growth_frame_of(caller, from->identity.named);
	for (uint32_t i = to->identity.named; i < to->depth; i++)
		if (growth_is_same_function(growth_frame_of(row, i), named))
			return true;
	return false;
}

uint32_t growth_rows_meet(const struct growth_row *a, const struct growth_row *b)
{
	const struct dataset_site *left = growth_stack_of(a), *right = growth_stack_of(b);
	const struct dataset *dataset = a->part->table.dataset;
	uint32_t shared = 0, found = 0;

	while (left && right && shared < left->depth && shared < right->depth) {
		const struct dataset_frame *one = growth_frame_of(a, left->depth - 1 - shared);
		const struct dataset_frame *other = growth_frame_of(b, right->depth - 1 - shared);

		if (!growth_is_same_function(one, other))
			break;
		shared++;
		if (one->kind == OWN_CODE && !growth_is_entry(dataset_text(dataset, one->function)))
			found = shared;
	}
	return found;
}
