/*
 * fuzz_roundtrip.c - rows made from the input go through the writer and come back from the reader.
 *
 * The rows are valid whatever the input is, so the writer must accept them, must write the same
 * bytes when asked again, and the reader must give the same rows.  Rows are compared by a checksum
 * over their fields: the functions that the reader calls back also see every row as it is written.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "format/checksum.h"
#include "snap/reader.h"
#include "write/writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
	if (!condition)
		abort();
}

/* ---- Rows -> checksum ---- */

static void mix(uint64_t *sum, uint64_t value)
{
	*sum = snap__xxh64(&value, sizeof(value), *sum);
}

static void mix_text(uint64_t *sum, struct snap_text text)
{
	*sum = snap__xxh64(text.data, text.size, *sum);
}

static enum snap_status on_meta(void *sum, const struct snap_meta *meta)
{
	mix_text(sum, meta->key);
	mix_text(sum, meta->value);
	return SNAP_OK;
}

static enum snap_status on_string(void *sum, uint32_t id, struct snap_text text)
{
	mix(sum, id);
	mix_text(sum, text);
	return SNAP_OK;
}

static enum snap_status on_module(void *sum, uint32_t id, const struct snap_module *module)
{
	mix(sum, id);
	mix(sum, module->path);
	mix(sum, module->build_id);
	mix(sum, module->base);
	mix(sum, module->size);
	return SNAP_OK;
}

static enum snap_status on_location(void *sum, uint32_t id, const struct snap_location *location,
				    const struct snap_frame *frames)
{
	mix(sum, id);
	mix(sum, location->module);
	mix(sum, location->flags);
	mix(sum, location->address);
	mix(sum, location->frame_count);
	for (uint32_t i = 0; i < location->frame_count; i++) {
		mix(sum, frames[i].function);
		mix(sum, frames[i].file);
		mix(sum, frames[i].line);
		mix(sum, frames[i].flags);
	}
	return SNAP_OK;
}

static enum snap_status on_node(void *sum, uint32_t id, const struct snap_node *node)
{
	mix(sum, id);
	mix(sum, node->parent);
	mix(sum, node->location);
	return SNAP_OK;
}

static enum snap_status on_site(void *sum, uint32_t id, const struct snap_site *site,
				const struct snap_cohort *cohorts,
				const struct snap_variance *variance)
{
	mix(sum, id);
	mix(sum, site->node);
	mix(sum, site->domain);
	mix(sum, site->live_bytes);
	mix(sum, site->live_blocks);
	mix(sum, site->allocated_bytes);
	mix(sum, site->allocated_blocks);
	mix(sum, site->cohort_count);
	for (uint32_t i = 0; i < site->cohort_count; i++) {
		mix(sum, cohorts[i].birth_seq);
		mix(sum, cohorts[i].blocks);
		mix(sum, cohorts[i].bytes);
	}
	if (variance)
		mix(sum, (uint64_t)(variance->live_bytes + variance->allocated_blocks));
	return SNAP_OK;
}

static enum snap_status on_group(void *sum, uint32_t id, const struct snap_group *group)
{
	mix(sum, id);
	mix(sum, group->kind);
	mix(sum, group->label);
	mix(sum, group->node);
	for (const uint64_t *at = &group->blocks; at <= &group->retained_bytes; at++)
		mix(sum, *at);
	return SNAP_OK;
}

static enum snap_status on_root(void *sum, uint32_t id, const struct snap_root *root)
{
	mix(sum, id);
	mix(sum, root->kind);
	mix(sum, root->label);
	mix(sum, root->module);
	mix(sum, root->thread);
	mix(sum, root->address);
	mix(sum, root->size);
	mix(sum, root->symbol);
	mix(sum, root->offset);
	mix(sum, root->retained_bytes);
	return SNAP_OK;
}

static enum snap_status on_edge(void *sum, const struct snap_edge *edge)
{
	mix(sum, edge->from_root);
	mix(sum, edge->from);
	mix(sum, edge->to);
	for (const uint64_t *at = &edge->references; at <= &edge->dominated_bytes; at++)
		mix(sum, *at);
	return SNAP_OK;
}

static enum snap_status on_path(void *sum, const struct snap_path *path,
				const struct snap_step *steps)
{
	mix(sum, path->group);
	mix(sum, path->root);
	mix(sum, path->offset);
	mix(sum, path->skipped);
	for (uint32_t i = 0; i < path->step_count; i++) {
		mix(sum, steps[i].group);
		mix(sum, steps[i].address);
		mix(sum, steps[i].size);
		mix(sum, steps[i].offset);
	}
	return SNAP_OK;
}

/* ---- Input -> rows ---- */

struct input {
	const uint8_t *at;
	size_t left;
};

static uint64_t take(struct input *in, size_t bytes)
{
	uint64_t value = 0;

	if (bytes > in->left)
		bytes = in->left;
	if (bytes > 0)
		memcpy(&value, in->at, bytes);
	in->at += bytes;
	in->left -= bytes;
	return value;
}

static uint32_t take_below(struct input *in, uint32_t limit)
{
	return limit == 0 ? 0 : (uint32_t)(take(in, 2) % limit);
}

/* Small, large or unknown. */
static uint64_t take_figure(struct input *in)
{
	return take(in, 1) % 4 == 0 ? SNAP_UNKNOWN - take(in, 1) : take(in, take(in, 1) % 9);
}

static struct snap_text take_text(struct input *in)
{
	struct snap_text text = {.size = take_below(in, 300)};

	if (text.size > in->left)
		text.size = in->left;
	text.data = (const char *)in->at;
	in->at += text.size;
	in->left -= text.size;
	return text;
}

/* How many rows of each section. */
struct plan {
	uint32_t metas, strings, modules, locations, nodes, sites, groups, roots, edges, paths;
	bool sampled;
};

static void write_names(struct snap__writer *w, const struct plan *plan, struct input *in,
			uint64_t *sum)
{
	for (uint32_t i = 0; i < plan->metas; i++) {
		struct snap_meta meta = {.key = take_text(in)};

		meta.value = take_text(in);
		snap__write_meta(w, &meta);
		on_meta(sum, &meta);
	}
	for (uint32_t i = 0; i < plan->strings; i++) {
		struct snap_text text = {.data = "", .size = 0};

		if (i > 0)
			text = take_text(in);
		snap__write_string(w, text);
		on_string(sum, i, text);
	}
	for (uint32_t i = 0; i < plan->modules; i++) {
		struct snap_module module = {.path = take_below(in, plan->strings),
					     .build_id = take_below(in, plan->strings)};

		module.base = take_figure(in);
		module.size = take_figure(in);
		snap__write_module(w, &module);
		on_module(sum, i, &module);
	}
}

static void write_stacks(struct snap__writer *w, const struct plan *plan, struct input *in,
			 uint64_t *sum)
{
	for (uint32_t i = 0; i < plan->locations; i++) {
		struct snap_location location = {.flags = (uint32_t)take(in, 1) & 1};
		struct snap_frame frames[3];

		location.module = take_below(in, plan->modules + 1);
		if (location.module == plan->modules)
			location.module = SNAP_NONE;
		if (location.flags & SNAP_LOCATION_HAS_ADDRESS)
			location.address = take_figure(in);
		location.frame_count = take_below(in, 4);
		for (uint32_t j = 0; j < location.frame_count; j++)
			frames[j] = (struct snap_frame){.function = take_below(in, plan->strings),
							.file = take_below(in, plan->strings),
							.line = (uint32_t)take(in, 4),
							.flags = (uint32_t)take(in, 1) & 1};
		snap__write_location(w, &location, frames);
		on_location(sum, i, &location, frames);
	}
	for (uint32_t i = 0; i < plan->nodes; i++) {
		struct snap_node node = {.parent = take_below(in, i + 1),
					 .location = take_below(in, plan->locations)};

		if (node.parent == i)
			node.parent = SNAP_NONE;
		snap__write_node(w, &node);
		on_node(sum, i, &node);
	}
}

static void write_sites(struct snap__writer *w, const struct plan *plan, struct input *in,
			uint64_t *sum)
{
	for (uint32_t i = 0; i < plan->sites; i++) {
		struct snap_site site = {.node = take_below(in, plan->nodes + 1),
					 .domain = take_below(in, plan->strings)};
		struct snap_variance variance = {.live_bytes = (double)take(in, 3),
						 .allocated_blocks = (double)take(in, 2)};
		struct snap_cohort cohorts[4];

		if (site.node == plan->nodes)
			site.node = SNAP_NONE;
		site.live_bytes = take_figure(in);
		site.live_blocks = take_figure(in);
		site.allocated_bytes = take_figure(in);
		site.allocated_blocks = take_figure(in);
		site.cohort_count = take_below(in, 5);
		for (uint32_t j = 0; j < site.cohort_count; j++) {
			cohorts[j].birth_seq = take_figure(in);
			cohorts[j].blocks = take_figure(in);
			cohorts[j].bytes = take_figure(in);
		}
		snap__write_site(w, &site, cohorts, plan->sampled ? &variance : NULL);
		on_site(sum, i, &site, cohorts, plan->sampled ? &variance : NULL);
	}
}

/* An id below `limit`, or SNAP_NONE. */
static uint32_t take_optional(struct input *in, uint32_t limit)
{
	uint32_t id = take_below(in, limit + 1);

	return id == limit ? SNAP_NONE : id;
}

static void write_groups(struct snap__writer *w, const struct plan *plan, struct input *in,
			 uint64_t *sum)
{
	for (uint32_t i = 0; i < plan->groups; i++) {
		struct snap_group group = {.kind = (uint32_t)take(in, 1),
					   .label = take_below(in, plan->strings)};

		group.node = take_optional(in, plan->nodes);
		group.blocks = take_figure(in);
		group.bytes = take_figure(in);
		group.direct_blocks = group.blocks / 3;
		group.direct_bytes = group.bytes / 2;
		group.indirect_blocks = group.blocks - group.direct_blocks;
		group.ring_blocks = group.indirect_blocks;
		group.retained_bytes = take_figure(in);
		snap__write_group(w, &group);
		on_group(sum, i, &group);
	}
	for (uint32_t i = 0; i < plan->roots; i++) {
		struct snap_root root = {.kind = (uint32_t)take(in, 1),
					 .label = take_below(in, plan->strings)};

		root.module = take_optional(in, plan->modules);
		root.thread = (uint32_t)take(in, 4);
		root.address = take_figure(in);
		root.size = take_figure(in);
		root.symbol = take_below(in, plan->strings);
		root.offset = take_figure(in);
		root.retained_bytes = take_figure(in);
		snap__write_root(w, &root);
		on_root(sum, i, &root);
	}
}

static void write_edges(struct snap__writer *w, const struct plan *plan, struct input *in,
			uint64_t *sum)
{
	for (uint32_t i = 0; i < plan->edges; i++) {
		struct snap_edge edge = {.from_root = plan->roots ? (uint32_t)take(in, 1) & 1 : 0};

		edge.from = take_below(in, edge.from_root ? plan->roots : plan->groups);
		edge.to = take_below(in, plan->groups);
		edge.references = take_figure(in);
		edge.blocks = take_figure(in);
		edge.bytes = take_figure(in);
		edge.dominated_blocks = take_figure(in);
		edge.dominated_bytes = take_figure(in);
		snap__write_edge(w, &edge);
		on_edge(sum, &edge);
	}
	for (uint32_t i = 0; i < plan->paths; i++) {
		struct snap_path path = {.group = take_below(in, plan->groups)};
		struct snap_step steps[3];

		path.root = take_optional(in, plan->roots);
		path.offset = take_figure(in);
		path.skipped = take_figure(in);
		path.step_count = take_below(in, 4);
		for (uint32_t j = 0; j < path.step_count; j++) {
			steps[j].group = take_below(in, plan->groups);
			steps[j].address = take_figure(in);
			steps[j].size = take_figure(in);
			steps[j].offset = take_figure(in);
		}
		snap__write_path(w, &path, steps);
		on_path(sum, &path, steps);
	}
}

/* The same input gives the same rows; returns their checksum. */
static uint64_t write_rows(struct snap__writer *w, struct input in)
{
	struct plan plan = {.metas = take_below(&in, 8), .strings = 1 + take_below(&in, 40)};
	uint64_t sum = 0;

	plan.modules = take_below(&in, 8);
	plan.locations = 1 + take_below(&in, 50);
	plan.nodes = take_below(&in, 5000);
	plan.sites = take_below(&in, 500);
	plan.sampled = take(&in, 1) & 1;
	write_names(w, &plan, &in, &sum);
	write_stacks(w, &plan, &in, &sum);
	write_sites(w, &plan, &in, &sum);
	plan.groups = take_below(&in, 60);
	plan.roots = take_below(&in, 30);
	plan.edges = plan.groups ? take_below(&in, 200) : 0;
	plan.paths = plan.groups ? take_below(&in, 60) : 0;
	write_groups(w, &plan, &in, &sum);
	write_edges(w, &plan, &in, &sum);
	return sum;
}

/* ---- Bytes -> checksum ---- */

static uint64_t read_rows(const void *bytes, size_t size)
{
	struct snap_reader *reader;
	uint64_t sum = 0;

	must(snap_reader_open_memory(&reader, bytes, size, "input", SNAP_READ_WHOLE, NULL) ==
	     SNAP_OK);
	must(snap_reader_each_meta(reader, on_meta, &sum, NULL) == SNAP_OK);
	must(snap_reader_each_string(reader, on_string, &sum, NULL) == SNAP_OK);
	must(snap_reader_each_module(reader, on_module, &sum, NULL) == SNAP_OK);
	must(snap_reader_each_location(reader, on_location, &sum, NULL) == SNAP_OK);
	must(snap_reader_each_node(reader, on_node, &sum, NULL) == SNAP_OK);
	must(snap_reader_each_site(reader, on_site, &sum, NULL) == SNAP_OK);
	must(snap_reader_each_group(reader, on_group, &sum, NULL) == SNAP_OK);
	must(snap_reader_each_root(reader, on_root, &sum, NULL) == SNAP_OK);
	must(snap_reader_each_edge(reader, on_edge, &sum, NULL) == SNAP_OK);
	must(snap_reader_each_path(reader, on_path, &sum, NULL) == SNAP_OK);
	snap_reader_close(reader);
	return sum;
}

/* Write the rows to `fd`; returns the file's size. */
static size_t write_file(int fd, void *workspace, struct input in, uint64_t *sum)
{
	struct snap__writer *w = snap__writer_begin(workspace, snap__writer_workspace_size(), fd);
	uint64_t size;

	*sum = write_rows(w, in);
	must(snap__writer_finish(w, &size) == SNAP_OK);
	return (size_t)size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void *workspace; /* used by every run: what one leaves behind must not matter */
	struct input in = {.at = data, .left = size};
	int fd = memfd_create("roundtrip", MFD_CLOEXEC);
	size_t first_size, second_size;
	uint64_t first, second;
	uint8_t *bytes;

	if (!workspace)
		workspace = aligned_alloc(64, snap__writer_workspace_size());
	first_size = write_file(fd, workspace, in, &first);
	second_size = write_file(fd, workspace, in, &second);
	bytes = malloc(first_size + second_size);
	must(bytes &&
	     pread(fd, bytes, first_size + second_size, 0) == (ssize_t)(first_size + second_size));
	must(first_size == second_size && memcmp(bytes, bytes + first_size, first_size) == 0);
	must(first == second && read_rows(bytes, first_size) == first);
	free(bytes);
	close(fd);
	return 0;
}
