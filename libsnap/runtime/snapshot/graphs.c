/*
 * runtime/snapshot/graphs.c - the sections of groups, roots, edges and paths.
 */
#include "runtime/domains.h"
#include "runtime/python/census.h"
#include "runtime/python/frames.h"
#include "runtime/python/python.h"
#include "runtime/snapshot/job.h"
#include "runtime/stacks.h"

/* The node and the domain of blocks that `stack` allocated. */
static void place_group(void *user, uint32_t stack, struct snap_group *row)
{
	const struct snap__job *job = user;

	row->label = job->first_domain_string;
	row->node = snap__numbering_node(&job->numbering, stack);
	if (snap__numbering_is_domain(stack)) {
		row->label += (uint32_t)(snap__stacks_pc(stack) - SNAP__PC_DOMAIN);
		row->node = snap__numbering_node(&job->numbering, snap__stacks_parent(stack));
	} else if (stack && snap__python_is_pc(snap__stacks_pc(stack))) {
		row->label += snap__python_domain;
	}
}

void snap__job_put_graphs(struct snap__job *job)
{
	const struct snap__groups_ids ids = {
		.first_label = job->first_label_string,
		.modules = job->modules,
		.place = place_group,
		.user = job,
	};
	const struct snap__census_base base = {
		.string = job->first_census_string,
		.group = snap__groups_count(),
		.root = snap__groups_root_count(),
	};
	bool native = snap__holders_native(job->order->holders) != SNAP__HOLDERS_NONE;

	if (native)
		snap__groups_write_groups(job->writer, &ids);
	snap__census_write_groups(job->writer, &base);
	if (native)
		snap__groups_write_roots(job->writer, &ids);
	snap__census_write_roots(job->writer, &base);
	if (native)
		snap__groups_write_edges(job->writer);
	snap__census_write_edges(job->writer, &base);
	if (native)
		snap__groups_write_paths(job->writer);
	snap__census_write_paths(job->writer, &base);
}
