/*
 * runtime/snapshot/names.c - the sections of strings, modules, locations and nodes.
 */
#include "runtime/domains.h"
#include "runtime/python/census.h"
#include "runtime/python/codes.h"
#include "runtime/python/frames.h"
#include "runtime/python/python.h"
#include "runtime/snapshot/job.h"
#include "runtime/stacks.h"

static uint32_t put_string(struct snap__job *job, const char *s, size_t size)
{
	snap__write_string(job->writer, (struct snap_text){s, size});
	return job->next_string++;
}

static void put_module_strings(struct snap__job *job, const struct snap__module *module)
{
	char buffer[2 * SNAP__BUILD_ID_MAX + 1];
	struct snap__text build_id = SNAP__TEXT(buffer);

	snap__job_add_build_id(&build_id, module);
	put_string(job, module->file, snap__length(module->file));
	put_string(job, build_id.data, build_id.size);
}

static void put_code_strings(struct snap__job *job, const struct snap__python_code *code)
{
	put_string(job, code->name, snap__length(code->name));
	put_string(job, code->file, snap__length(code->file));
}

void snap__job_put_strings(struct snap__job *job)
{
	uint32_t domains = snap__domain_count();

	put_string(job, "", 0);
	job->string_of_mark[SNAP__PC_TRUNCATED] = put_string(job, "[truncated]", 11);
	job->string_of_mark[SNAP__PC_DEPTH] = put_string(job, "[depth limit]", 13);
	job->string_of_mark[SNAP__PC_MEMORY] = put_string(job, "[memory limit]", 14);
	job->first_domain_string = job->next_string;
	for (uint32_t i = 0; i < domains; i++)
		put_string(job, snap__domain_name(i), snap__length(snap__domain_name(i)));
	job->first_module_string = job->next_string;
	for (uint32_t i = 0; i < job->modules; i++)
		put_module_strings(job, snap__modules_get(i));
	job->first_code_string = job->next_string;
	for (uint32_t id = 1; id < job->codes; id++)
		put_code_strings(job, snap__python_code(id));
	job->first_label_string = job->next_string;
	for (uint32_t i = 1; job->copy && i < snap__groups_label_count(); i++)
		put_string(job, snap__groups_label(i), snap__length(snap__groups_label(i)));
	job->first_census_string = job->next_string;
	for (uint32_t i = 0; job->copy && i < snap__census_string_count(); i++)
		put_string(job, snap__census_string(i), snap__length(snap__census_string(i)));
}

void snap__job_put_modules(struct snap__job *job)
{
	for (uint32_t i = 0; i < job->modules; i++) {
		const struct snap__module *m = snap__modules_get(i);
		struct snap_module row = {
			.path = job->first_module_string + 2 * i,
			.build_id = m->build_id_size ? job->first_module_string + 2 * i + 1 : 0,
			.base = m->bias,
			.size = m->end - m->start,
		};

		snap__write_module(job->writer, &row);
	}
}

/* A line of Python carries its names: there is nothing to look them up in later. */
static void put_python_location(struct snap__job *job, uint64_t place)
{
	const struct snap_location row = {.module = SNAP_NONE, .frame_count = 1};
	uint32_t code = snap__python_pc_code(place);
	const struct snap_frame frame = {
		.function = job->first_code_string + 2 * (code - 1),
		.file = job->first_code_string + 2 * (code - 1) + 1,
		.line = snap__python_pc_instruction(place),
	};

	snap__write_location(job->writer, &row, &frame);
}

static void put_location(struct snap__job *job, uint64_t place)
{
	struct snap_location row = {.module = SNAP_NONE};
	struct snap_frame frame = {0};

	if (snap__python_is_pc(place)) {
		put_python_location(job, place);
		return;
	}
	if (place >= SNAP__PC_TRUNCATED && place <= SNAP__PC_MEMORY) {
		frame.function = job->string_of_mark[place];
		row.frame_count = 1;
	} else {
		row.flags = SNAP_LOCATION_HAS_ADDRESS;
		if (!snap__modules_locate((uintptr_t)place, &row.module, &row.address) ||
		    row.module >= job->modules)
			row.module = SNAP_NONE;
	}
	snap__write_location(job->writer, &row, &frame);
}

void snap__job_put_locations(struct snap__job *job)
{
	for (size_t i = 0; i < job->numbering.location_count; i++)
		put_location(job, job->numbering.places[i]);
}

void snap__job_put_nodes(struct snap__job *job)
{
	const struct snap__numbering *n = &job->numbering;
	uint32_t next = 0;

	for (uint32_t id = 1; id < n->stacks; id++) {
		struct snap_node row;

		if (snap__numbering_node(n, id) != next)
			continue; /* looks like a node that was already written, or is no frame */
		row.parent = snap__numbering_node(n, snap__stacks_parent(id));
		row.location = snap__numbering_location(n, id);
		snap__write_node(job->writer, &row);
		next++;
	}
}
