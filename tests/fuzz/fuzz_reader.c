/*
 * fuzz_reader.c - hostile files for the reader: it must return from each of them.
 *
 * With SNAP_FUZZ_STANDALONE it is an ordinary program that replays the files and directories that
 * it is given; otherwise a libFuzzer target.  Checksums would stop almost every mutation at the
 * door, so each input is tried as it is and once more with its checksums repaired.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/patch.h"
#include "fuzz/repair.h"
#include "snap/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- What every row must satisfy ---- */

static void must(bool condition)
{
	if (!condition)
		abort();
}

/* Reads every byte, so that a sanitizer sees a row that reaches too far. */
static void touch(const char *bytes, size_t size)
{
	volatile char sink = 0;

	for (size_t i = 0; i < size; i++)
		sink = (char)(sink ^ bytes[i]);
}

static enum snap_status on_meta(void *user, const struct snap_meta *meta)
{
	(void)user;
	touch(meta->key.data, meta->key.size);
	touch(meta->value.data, meta->value.size);
	return SNAP_OK;
}

static enum snap_status on_string(void *user, uint32_t id, struct snap_text text)
{
	const struct snap_counts *counts = user;

	must(id < counts->strings && (id > 0 || text.size == 0));
	touch(text.data, text.size);
	return SNAP_OK;
}

static enum snap_status on_module(void *user, uint32_t id, const struct snap_module *module)
{
	const struct snap_counts *counts = user;

	must(id < counts->modules && module->path < counts->strings &&
	     module->build_id < counts->strings);
	return SNAP_OK;
}

static enum snap_status on_location(void *user, uint32_t id, const struct snap_location *location,
				    const struct snap_frame *frames)
{
	const struct snap_counts *counts = user;

	must(id < counts->locations &&
	     (location->module == SNAP_NONE || location->module < counts->modules));
	for (uint32_t i = 0; i < location->frame_count; i++)
		must(frames[i].function < counts->strings && frames[i].file < counts->strings);
	return SNAP_OK;
}

static enum snap_status on_node(void *user, uint32_t id, const struct snap_node *node)
{
	const struct snap_counts *counts = user;

	must(id < counts->nodes && (node->parent == SNAP_NONE || node->parent < id) &&
	     node->location < counts->locations);
	return SNAP_OK;
}

static enum snap_status on_site(void *user, uint32_t id, const struct snap_site *site,
				const struct snap_cohort *cohorts,
				const struct snap_variance *variance)
{
	const struct snap_counts *counts = user;

	must(id < counts->sites && site->domain < counts->strings &&
	     (site->node == SNAP_NONE || site->node < counts->nodes));
	touch((const char *)cohorts, site->cohort_count * sizeof(*cohorts));
	must(!variance || variance->live_bytes >= 0);
	return SNAP_OK;
}

static enum snap_status on_group(void *user, uint32_t id, const struct snap_group *group)
{
	const struct snap_counts *counts = user;

	must(id < counts->groups && group->label < counts->strings &&
	     (group->node == SNAP_NONE || group->node < counts->nodes));
	must(group->direct_blocks <= group->blocks &&
	     group->indirect_blocks <= group->blocks - group->direct_blocks);
	must(group->direct_bytes <= group->bytes &&
	     group->indirect_bytes <= group->bytes - group->direct_bytes);
	return SNAP_OK;
}

static enum snap_status on_root(void *user, uint32_t id, const struct snap_root *root)
{
	const struct snap_counts *counts = user;

	must(id < counts->roots && root->label < counts->strings &&
	     root->symbol < counts->strings &&
	     (root->module == SNAP_NONE || root->module < counts->modules));
	return SNAP_OK;
}

static enum snap_status on_edge(void *user, const struct snap_edge *edge)
{
	const struct snap_counts *counts = user;

	must(edge->from < (edge->from_root ? counts->roots : counts->groups) &&
	     edge->to < counts->groups);
	return SNAP_OK;
}

static enum snap_status on_path(void *user, const struct snap_path *path,
				const struct snap_step *steps)
{
	const struct snap_counts *counts = user;

	must(path->group < counts->groups &&
	     (path->root == SNAP_NONE || path->root < counts->roots));
	for (uint32_t i = 0; i < path->step_count; i++)
		must(steps[i].group < counts->groups);
	return SNAP_OK;
}

/* ---- One input ---- */

static void walk(struct snap_reader *reader)
{
	struct snap_counts counts;
	struct snap_error err = {0};

	snap_reader_counts(reader, &counts);
	snap_reader_each_meta(reader, on_meta, &counts, &err);
	snap_reader_each_string(reader, on_string, &counts, &err);
	snap_reader_each_module(reader, on_module, &counts, &err);
	snap_reader_each_location(reader, on_location, &counts, &err);
	snap_reader_each_node(reader, on_node, &counts, &err);
	snap_reader_each_site(reader, on_site, &counts, &err);
	snap_reader_each_group(reader, on_group, &counts, &err);
	snap_reader_each_root(reader, on_root, &counts, &err);
	snap_reader_each_edge(reader, on_edge, &counts, &err);
	snap_reader_each_path(reader, on_path, &counts, &err);
	snap_reader_close(reader);
}

static void read_all(const uint8_t *data, size_t size, enum snap_reader_mode mode)
{
	struct snap_reader *reader;
	struct snap_error err = {0};
	enum snap_status st = snap_reader_open_memory(&reader, data, size, "input", mode, &err);

	must((st == SNAP_OK) == (reader != NULL));
	if (st == SNAP_OK)
		walk(reader);
	else
		must(err.status == st && err.message[0] != '\0');
}

/* A file is read in another way than memory, and to the same end. */
static void read_file(const uint8_t *data, size_t size)
{
	struct snap_reader *of_file, *of_memory;
	enum snap_status st =
		snap_reader_open_memory(&of_memory, data, size, "input", SNAP_READ_SALVAGE, NULL);

	scratch_write(data, size);
	must(snap_reader_open(&of_file, scratch_path(), SNAP_READ_SALVAGE, NULL) == st);
	snap_reader_close(of_memory);
	if (st == SNAP_OK)
		walk(of_file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	read_all(copy, size, SNAP_READ_WHOLE);
	repair(copy, size);
	read_all(copy, size, SNAP_READ_SALVAGE);
	if (size % 8 == 0)
		read_file(copy, size);
	free(copy);
	return 0;
}
