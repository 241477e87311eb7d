/*
 * rows.c - decode the rows of one section, chunk by chunk, and hand them to the caller.
 *
 * A walk owns its buffers, so that walks over one reader may be nested.  Reads past the end of a
 * chunk give zeros and set the cursor's `bad`, which is looked at once per row.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/bytes.h"
#include "format/checksum.h"
#include "format/varint.h"
#include "read/error.h"
#include "read/reader_private.h"

/* The caller's function; which one depends on the section. */
union row_callback {
	snap_meta_fn *meta;
	snap_string_fn *string;
	snap_module_fn *module;
	snap_location_fn *location;
	snap_node_fn *node;
	snap_site_fn *site;
	snap_group_fn *group;
	snap_root_fn *root;
	snap_edge_fn *edge;
	snap_path_fn *path;
};

/* One iteration over one section. */
struct walk {
	struct snap_reader *reader;
	struct snap_error *err;
	union row_callback call;
	void *user;

	uint8_t *file_bytes;   /* a chunk as it is in the file */
	uint8_t *raw;          /* its rows */
	uint8_t *variance_raw; /* the rows of the VARI chunk before it */
	struct snap_frame *frames;
	struct snap_cohort *cohorts;
	struct snap_step *steps;
	uint16_t *depths; /* of all nodes so far, a root's is 1 */
	size_t depth_capacity;

	const struct snap__placed *placed; /* the chunk being decoded */
	struct snap__cursor in;
	struct snap__cursor variances;
	uint32_t id;       /* of the next row */
	uint64_t items;    /* seen in this chunk */
	uint64_t previous; /* what a delta refers to */
};

/* Decode one row and call back. */
typedef enum snap_status row_fn(struct walk *walk);

/* A row contradicts the format. */
static enum snap_status fail_row(struct walk *walk, const char *problem)
{
	char name[5];

	snap__section_name(walk->placed->chunk.section, name);
	snap__fail_at(walk->err, SNAP_ECORRUPT, walk->reader->name, walk->placed->offset,
		      "damaged %s chunk: row %" PRIu32 " %s", name, walk->id, problem);
	return SNAP_ECORRUPT;
}

static enum snap_status fail_chunk(const struct walk *walk, const struct snap__placed *placed,
				   const char *problem)
{
	char name[5];

	snap__section_name(placed->chunk.section, name);
	snap__fail_at(walk->err, SNAP_ECORRUPT, walk->reader->name, placed->offset,
		      "damaged %s chunk: %s", name, problem);
	return SNAP_ECORRUPT;
}

static enum snap_status fail_memory(const struct walk *walk)
{
	snap__fail(walk->err, SNAP_ENOMEM, walk->reader->name, "out of memory");
	return SNAP_ENOMEM;
}

/* ---- Chunks ---- */

static enum snap_status inflate_chunk(struct walk *walk, const struct snap__placed *placed,
				      const uint8_t *payload, uint8_t *raw)
{
	struct snap_reader *reader = walk->reader;
	size_t size;

	if (!reader->inflater)
		reader->inflater = ZSTD_createDCtx();
	if (!reader->inflater)
		return fail_memory(walk);
	/* Exactly one zstd frame: further frames could inflate to nothing and hide bytes. */
	size = ZSTD_findFrameCompressedSize(payload, placed->chunk.stored_size);
	if (ZSTD_isError(size) || size != placed->chunk.stored_size)
		return fail_chunk(walk, placed, "it is not exactly one zstd frame");
	size = ZSTD_decompressDCtx(reader->inflater, raw, placed->chunk.raw_size, payload,
				   placed->chunk.stored_size);
	if (ZSTD_isError(size) || size != placed->chunk.raw_size)
		return fail_chunk(walk, placed, "it does not inflate to the size it announces");
	return SNAP_OK;
}

/* The rows of `placed` in `raw`, ready to be read through `in`. */
static enum snap_status open_chunk(struct walk *walk, const struct snap__placed *placed,
				   uint8_t *raw, struct snap__cursor *in)
{
	const struct snap__chunk *chunk = &placed->chunk;
	const uint8_t *payload = NULL;
	enum snap_status st =
		snap__reader_load(walk->reader, placed, walk->file_bytes, &payload, walk->err);

	if (st != SNAP_OK)
		return st;
	if (chunk->flags & SNAP_CHUNK_STORED)
		memcpy(raw, payload, chunk->raw_size);
	else
		st = inflate_chunk(walk, placed, payload, raw);
	if (st != SNAP_OK)
		return st;
	if (snap__xxh64(raw, chunk->raw_size, 0) != chunk->raw_hash)
		return fail_chunk(walk, placed, "the checksum of its rows does not match");
	*in = (struct snap__cursor){.at = raw, .end = raw + chunk->raw_size};
	return SNAP_OK;
}

static enum snap_status close_chunk(struct walk *walk)
{
	if (walk->in.at != walk->in.end)
		return fail_chunk(walk, walk->placed, "bytes are left after its last row");
	if (walk->items != walk->placed->chunk.items)
		return fail_chunk(walk, walk->placed, "its item count does not match its rows");
	return SNAP_OK;
}

static enum snap_status each_row_of_chunk(struct walk *walk, size_t index, row_fn *row)
{
	const struct snap__placed *placed = &walk->reader->directory.chunks[index];
	enum snap_status st = SNAP_OK;

	walk->placed = placed;
	walk->items = 0;
	walk->previous = 0;
	/* The directory has made sure that it is the chunk before. */
	if (walk->variance_raw)
		st = open_chunk(walk, placed - 1, walk->variance_raw, &walk->variances);
	if (st == SNAP_OK)
		st = open_chunk(walk, placed, walk->raw, &walk->in);
	for (uint32_t i = 0; i < placed->chunk.rows && st == SNAP_OK; i++) {
		st = row(walk);
		walk->id++;
	}
	return st == SNAP_OK ? close_chunk(walk) : st;
}

/* The largest chunk of `section`; false if there is none. */
static bool largest_chunk(const struct snap__directory *directory, uint32_t section, size_t *stored,
			  size_t *raw)
{
	*stored = *raw = 0;
	for (size_t i = 0; i < directory->count; i++) {
		const struct snap__chunk *chunk = &directory->chunks[i].chunk;

		if (chunk->section != section)
			continue;
		if (chunk->stored_size > *stored)
			*stored = chunk->stored_size;
		if (chunk->raw_size > *raw)
			*raw = chunk->raw_size;
	}
	return *raw > 0;
}

/* Buffers for the chunks of `section`, of which there is at least one; false without memory. */
static bool allocate_buffers(struct walk *walk, uint32_t section, size_t stored, size_t raw)
{
	size_t variance_stored, variance_raw;
	bool has_variances = section == SNAP_SECTION_SITE &&
			     largest_chunk(&walk->reader->directory, SNAP_SECTION_VARI,
					   &variance_stored, &variance_raw);

	if (has_variances && variance_stored > stored)
		stored = variance_stored;
	walk->file_bytes = malloc(SNAP_FORMAT_CHUNK_HEADER_SIZE + stored);
	walk->raw = malloc(raw);
	if (has_variances)
		walk->variance_raw = malloc(variance_raw);
	if (section == SNAP_SECTION_LOCS)
		walk->frames = malloc(SNAP_LOCATION_FRAMES_MAX * sizeof(*walk->frames));
	if (section == SNAP_SECTION_SITE)
		walk->cohorts = malloc(SNAP_SITE_COHORTS_MAX * sizeof(*walk->cohorts));
	if (section == SNAP_SECTION_HPTH)
		walk->steps = malloc(SNAP_PATH_STEPS_MAX * sizeof(*walk->steps));
	return walk->file_bytes && walk->raw && (walk->variance_raw || !has_variances) &&
	       (walk->steps || section != SNAP_SECTION_HPTH) &&
	       (walk->frames || section != SNAP_SECTION_LOCS) &&
	       (walk->cohorts || section != SNAP_SECTION_SITE);
}

static void free_buffers(struct walk *walk)
{
	free(walk->file_bytes);
	free(walk->raw);
	free(walk->variance_raw);
	free(walk->frames);
	free(walk->cohorts);
	free(walk->steps);
	free(walk->depths);
}

static enum snap_status each_row(struct walk *walk, uint32_t section, row_fn *row)
{
	const struct snap__directory *directory = &walk->reader->directory;
	enum snap_status st = SNAP_OK;
	size_t stored, raw;

	if (!largest_chunk(directory, section, &stored, &raw))
		return SNAP_OK;
	if (!allocate_buffers(walk, section, stored, raw))
		st = fail_memory(walk);
	for (size_t i = 0; i < directory->count && st == SNAP_OK; i++) {
		if (directory->chunks[i].chunk.section == section)
			st = each_row_of_chunk(walk, i, row);
	}
	free_buffers(walk);
	return st;
}

/* ---- Rows ---- */

static struct snap_text get_text(struct snap__cursor *in)
{
	size_t size = (size_t)snap__get(in);
	const uint8_t *bytes = snap__get_bytes(in, size);

	return (struct snap_text){.data = (const char *)bytes, .size = bytes ? size : 0};
}

static enum snap_status meta_row(struct walk *walk)
{
	struct snap_meta meta = {.key = get_text(&walk->in)};

	meta.value = get_text(&walk->in);
	if (walk->in.bad)
		return fail_row(walk, "cannot be decoded");
	if (meta.key.size > SNAP_META_KEY_MAX || meta.value.size > SNAP_STRING_MAX)
		return fail_row(walk, "is longer than the format permits");
	return walk->call.meta(walk->user, &meta);
}

static enum snap_status string_row(struct walk *walk)
{
	struct snap_text text = get_text(&walk->in);

	if (walk->in.bad)
		return fail_row(walk, "cannot be decoded");
	if (text.size > SNAP_STRING_MAX)
		return fail_row(walk, "is longer than the format permits");
	if (walk->id == 0 && text.size != 0)
		return fail_row(walk, "is not the empty string");
	return walk->call.string(walk->user, walk->id, text);
}

static enum snap_status module_row(struct walk *walk)
{
	const struct snap_counts *counts = &walk->reader->directory.counts;
	struct snap_module module = {.path = snap__get32(&walk->in)};

	module.build_id = snap__get32(&walk->in);
	module.base = snap__get(&walk->in);
	module.size = snap__get(&walk->in);
	if (walk->in.bad)
		return fail_row(walk, "cannot be decoded");
	if (module.path >= counts->strings || module.build_id >= counts->strings)
		return fail_row(walk, "refers to a string that does not exist");
	return walk->call.module(walk->user, walk->id, &module);
}

/* False if a frame refers to a string that does not exist or has an unknown flag. */
static bool get_frame(struct snap__cursor *in, uint64_t strings, struct snap_frame *frame)
{
	frame->function = snap__get32(in);
	frame->file = snap__get32(in);
	frame->line = snap__get32(in);
	frame->flags = snap__get32(in);
	return frame->function < strings && frame->file < strings &&
	       (frame->flags & ~(unsigned)SNAP_FRAME_INLINED) == 0;
}

static enum snap_status location_row(struct walk *walk)
{
	const struct snap_counts *counts = &walk->reader->directory.counts;
	struct snap__cursor *in = &walk->in;
	struct snap_location location = {.flags = snap__get32(in)};
	bool frames_are_sound = true;

	location.module = snap__get32(in) - 1; /* 0 becomes SNAP_NONE */
	if (location.flags & SNAP_LOCATION_HAS_ADDRESS) {
		location.address = snap__undelta(walk->previous, snap__get(in));
		walk->previous = location.address;
	}
	location.frame_count = snap__get32(in);
	if (location.frame_count > SNAP_LOCATION_FRAMES_MAX)
		return fail_row(walk, "has more frames than the format permits");
	for (uint32_t i = 0; i < location.frame_count; i++)
		frames_are_sound &= get_frame(in, counts->strings, &walk->frames[i]);
	walk->items += location.frame_count;
	if (in->bad)
		return fail_row(walk, "cannot be decoded");
	if (location.flags & ~(unsigned)SNAP_LOCATION_HAS_ADDRESS)
		return fail_row(walk, "has an unknown flag");
	if (location.module != SNAP_NONE && location.module >= counts->modules)
		return fail_row(walk, "refers to a module that does not exist");
	if (!frames_are_sound)
		return fail_row(walk, "has a frame with an unknown string or flag");
	return walk->call.location(walk->user, walk->id, &location, walk->frames);
}

/* Room for the depths of the nodes of this chunk: memory grows with the rows that were read, not
   with the number that the file announces. */
static bool reserve_depths(struct walk *walk)
{
	size_t capacity = walk->depth_capacity ? walk->depth_capacity * 2 : 1 << 16;
	uint16_t *depths;

	if (walk->id < walk->depth_capacity)
		return true;
	depths = realloc(walk->depths, capacity * sizeof(*depths));
	if (!depths)
		return false;
	walk->depths = depths;
	walk->depth_capacity = capacity;
	return true;
}

static enum snap_status node_row(struct walk *walk)
{
	uint32_t distance = snap__get32(&walk->in); /* how far back the parent is; 0: none */
	uint64_t location = snap__undelta(walk->previous, snap__get(&walk->in));
	uint32_t parent_depth = 0;
	struct snap_node node = {.parent = SNAP_NONE};

	if (walk->in.bad)
		return fail_row(walk, "cannot be decoded");
	if (location >= walk->reader->directory.counts.locations)
		return fail_row(walk, "refers to a location that does not exist");
	if (distance > walk->id)
		return fail_row(walk, "refers to a parent that does not exist");
	if (!reserve_depths(walk))
		return fail_memory(walk);
	if (distance > 0) {
		node.parent = walk->id - distance;
		parent_depth = walk->depths[node.parent];
	}
	if (parent_depth == SNAP_STACK_DEPTH_MAX)
		return fail_row(walk, "is deeper than the format permits");
	walk->depths[walk->id] = (uint16_t)(parent_depth + 1);
	node.location = (uint32_t)location;
	walk->previous = location;
	return walk->call.node(walk->user, walk->id, &node);
}

static double get_double(struct snap__cursor *in)
{
	const uint8_t *bytes = snap__get_bytes(in, 8);
	uint64_t bits = bytes ? snap__load64(bytes) : 0;
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* False if one is missing, negative or not a number. */
static bool get_variance(struct snap__cursor *in, struct snap_variance *variance)
{
	variance->live_bytes = get_double(in);
	variance->live_blocks = get_double(in);
	variance->allocated_bytes = get_double(in);
	variance->allocated_blocks = get_double(in);
	return !in->bad && isfinite(variance->live_bytes) && variance->live_bytes >= 0 &&
	       isfinite(variance->live_blocks) && variance->live_blocks >= 0 &&
	       isfinite(variance->allocated_bytes) && variance->allocated_bytes >= 0 &&
	       isfinite(variance->allocated_blocks) && variance->allocated_blocks >= 0;
}

/* Figures are stored plus 1, so that SNAP_UNKNOWN is 0. */
static void get_figures(struct snap__cursor *in, struct snap_site *site)
{
	site->live_bytes = snap__get(in) - 1;
	site->live_blocks = snap__get(in) - 1;
	site->allocated_bytes = snap__get(in) - 1;
	site->allocated_blocks = snap__get(in) - 1;
}

static void get_cohorts(struct walk *walk, uint32_t count)
{
	uint64_t birth = 0;

	for (uint32_t i = 0; i < count; i++) {
		struct snap_cohort *cohort = &walk->cohorts[i];

		birth = snap__undelta(birth, snap__get(&walk->in));
		cohort->birth_seq = birth;
		cohort->blocks = snap__get(&walk->in);
		cohort->bytes = snap__get(&walk->in);
	}
	walk->items += count;
}

static enum snap_status site_row(struct walk *walk)
{
	const struct snap_counts *counts = &walk->reader->directory.counts;
	uint64_t node = snap__undelta(walk->previous, snap__get(&walk->in)); /* plus 1; 0: none */
	struct snap_site site = {.node = (uint32_t)(node - 1), .domain = snap__get32(&walk->in)};
	struct snap_variance variance;

	walk->previous = node;
	get_figures(&walk->in, &site);
	site.cohort_count = snap__get32(&walk->in);
	if (site.cohort_count > SNAP_SITE_COHORTS_MAX)
		return fail_row(walk, "has more cohorts than the format permits");
	get_cohorts(walk, site.cohort_count);
	if (walk->in.bad)
		return fail_row(walk, "cannot be decoded");
	if (node > counts->nodes)
		return fail_row(walk, "refers to a node that does not exist");
	if (site.domain >= counts->strings)
		return fail_row(walk, "refers to a string that does not exist");
	if (walk->variance_raw && !get_variance(&walk->variances, &variance))
		return fail_row(walk, "has a variance that is negative or not a number");
	return walk->call.site(walk->user, walk->id, &site, walk->cohorts,
			       walk->variance_raw ? &variance : NULL);
}

/* ---- Holders ---- */

/* A number that may be unknown: stored plus 1. */
static uint64_t get_figure(struct snap__cursor *in)
{
	return snap__get(in) - 1;
}

/* Can `direct` and `indirect` be parts of `all` that do not overlap? */
static bool are_parts(uint64_t direct, uint64_t indirect, uint64_t all)
{
	return direct <= all && indirect <= all - direct;
}

static enum snap_status group_row(struct walk *walk)
{
	const struct snap_counts *counts = &walk->reader->directory.counts;
	struct snap__cursor *in = &walk->in;
	struct snap_group group = {.kind = snap__get32(in), .label = snap__get32(in)};
	uint64_t node = snap__undelta(walk->previous, snap__get(in)); /* plus 1; 0: none */

	walk->previous = node;
	group.node = (uint32_t)(node - 1);
	group.blocks = snap__get(in);
	group.bytes = snap__get(in);
	group.direct_blocks = snap__get(in);
	group.direct_bytes = snap__get(in);
	group.indirect_blocks = snap__get(in);
	group.indirect_bytes = snap__get(in);
	group.ring_blocks = snap__get(in);
	group.retained_bytes = get_figure(in);
	if (in->bad)
		return fail_row(walk, "cannot be decoded");
	if (node > counts->nodes)
		return fail_row(walk, "refers to a node that does not exist");
	if (group.label >= counts->strings)
		return fail_row(walk, "refers to a string that does not exist");
	if (!are_parts(group.direct_blocks, group.indirect_blocks, group.blocks) ||
	    !are_parts(group.direct_bytes, group.indirect_bytes, group.bytes) ||
	    group.ring_blocks > group.indirect_blocks)
		return fail_row(walk, "has more that is unreachable than it has");
	return walk->call.group(walk->user, walk->id, &group);
}

static enum snap_status root_row(struct walk *walk)
{
	const struct snap_counts *counts = &walk->reader->directory.counts;
	struct snap__cursor *in = &walk->in;
	struct snap_root root = {.kind = snap__get32(in), .label = snap__get32(in)};

	root.module = snap__get32(in) - 1; /* 0 becomes SNAP_NONE */
	root.thread = snap__get32(in);
	root.address = snap__undelta(walk->previous, snap__get(in));
	walk->previous = root.address;
	root.size = snap__get(in);
	root.symbol = snap__get32(in);
	root.offset = snap__get(in);
	root.retained_bytes = get_figure(in);
	if (in->bad)
		return fail_row(walk, "cannot be decoded");
	if (root.label >= counts->strings || root.symbol >= counts->strings)
		return fail_row(walk, "refers to a string that does not exist");
	if (root.module != SNAP_NONE && root.module >= counts->modules)
		return fail_row(walk, "refers to a module that does not exist");
	return walk->call.root(walk->user, walk->id, &root);
}

static enum snap_status edge_row(struct walk *walk)
{
	const struct snap_counts *counts = &walk->reader->directory.counts;
	struct snap__cursor *in = &walk->in;
	uint64_t from =
		snap__undelta(walk->previous, snap__get(in)); /* twice the id, + 1: a root */
	struct snap_edge edge = {.to = snap__get32(in)};

	walk->previous = from;
	edge.from_root = from & 1;
	edge.from = (uint32_t)(from >> 1);
	edge.references = snap__get(in);
	edge.blocks = snap__get(in);
	edge.bytes = snap__get(in);
	edge.dominated_blocks = get_figure(in);
	edge.dominated_bytes = get_figure(in);
	if (in->bad)
		return fail_row(walk, "cannot be decoded");
	if (edge.to >= counts->groups || (!edge.from_root && from >> 1 >= counts->groups))
		return fail_row(walk, "refers to a group that does not exist");
	if (edge.from_root && from >> 1 >= counts->roots)
		return fail_row(walk, "refers to a root that does not exist");
	return walk->call.edge(walk->user, &edge);
}

/* False if one of them refers to a group that does not exist. */
static bool get_steps(struct walk *walk, uint32_t count)
{
	uint64_t address = 0;
	bool sound = true;

	for (uint32_t i = 0; i < count; i++) {
		struct snap_step *step = &walk->steps[i];

		step->group = snap__get32(&walk->in);
		address = snap__undelta(address, snap__get(&walk->in));
		step->address = address;
		step->size = snap__get(&walk->in);
		step->offset = snap__get(&walk->in);
		sound &= step->group < walk->reader->directory.counts.groups;
	}
	walk->items += count;
	return sound;
}

static enum snap_status path_row(struct walk *walk)
{
	const struct snap_counts *counts = &walk->reader->directory.counts;
	struct snap__cursor *in = &walk->in;
	struct snap_path path = {.group = snap__get32(in)};
	bool sound;

	path.root = snap__get32(in) - 1; /* 0 becomes SNAP_NONE */
	path.offset = snap__get(in);
	path.skipped = snap__get(in);
	path.step_count = snap__get32(in);
	if (path.step_count > SNAP_PATH_STEPS_MAX)
		return fail_row(walk, "has more steps than the format permits");
	sound = get_steps(walk, path.step_count);
	if (in->bad)
		return fail_row(walk, "cannot be decoded");
	if (path.group >= counts->groups || !sound)
		return fail_row(walk, "refers to a group that does not exist");
	if (path.root != SNAP_NONE && path.root >= counts->roots)
		return fail_row(walk, "refers to a root that does not exist");
	return walk->call.path(walk->user, &path, walk->steps);
}

/* ---- The public iterations ---- */

enum snap_status snap_reader_each_meta(struct snap_reader *reader, snap_meta_fn *fn, void *user,
				       struct snap_error *err)
{
	struct walk walk = {.reader = reader, .err = err, .call.meta = fn, .user = user};

	return each_row(&walk, SNAP_SECTION_META, meta_row);
}

enum snap_status snap_reader_each_string(struct snap_reader *reader, snap_string_fn *fn, void *user,
					 struct snap_error *err)
{
	struct walk walk = {.reader = reader, .err = err, .call.string = fn, .user = user};

	return each_row(&walk, SNAP_SECTION_STRS, string_row);
}

enum snap_status snap_reader_each_module(struct snap_reader *reader, snap_module_fn *fn, void *user,
					 struct snap_error *err)
{
	struct walk walk = {.reader = reader, .err = err, .call.module = fn, .user = user};

	return each_row(&walk, SNAP_SECTION_MODS, module_row);
}

enum snap_status snap_reader_each_location(struct snap_reader *reader, snap_location_fn *fn,
					   void *user, struct snap_error *err)
{
	struct walk walk = {.reader = reader, .err = err, .call.location = fn, .user = user};

	return each_row(&walk, SNAP_SECTION_LOCS, location_row);
}

enum snap_status snap_reader_each_node(struct snap_reader *reader, snap_node_fn *fn, void *user,
				       struct snap_error *err)
{
	struct walk walk = {.reader = reader, .err = err, .call.node = fn, .user = user};

	return each_row(&walk, SNAP_SECTION_NODE, node_row);
}

enum snap_status snap_reader_each_site(struct snap_reader *reader, snap_site_fn *fn, void *user,
				       struct snap_error *err)
{
	struct walk walk = {.reader = reader, .err = err, .call.site = fn, .user = user};

	return each_row(&walk, SNAP_SECTION_SITE, site_row);
}

enum snap_status snap_reader_each_group(struct snap_reader *reader, snap_group_fn *fn, void *user,
					struct snap_error *err)
{
	struct walk walk = {.reader = reader, .err = err, .call.group = fn, .user = user};

	return each_row(&walk, SNAP_SECTION_HGRP, group_row);
}

enum snap_status snap_reader_each_root(struct snap_reader *reader, snap_root_fn *fn, void *user,
				       struct snap_error *err)
{
	struct walk walk = {.reader = reader, .err = err, .call.root = fn, .user = user};

	return each_row(&walk, SNAP_SECTION_HROT, root_row);
}

enum snap_status snap_reader_each_edge(struct snap_reader *reader, snap_edge_fn *fn, void *user,
				       struct snap_error *err)
{
	struct walk walk = {.reader = reader, .err = err, .call.edge = fn, .user = user};

	return each_row(&walk, SNAP_SECTION_HEDG, edge_row);
}

enum snap_status snap_reader_each_path(struct snap_reader *reader, snap_path_fn *fn, void *user,
				       struct snap_error *err)
{
	struct walk walk = {.reader = reader, .err = err, .call.path = fn, .user = user};

	return each_row(&walk, SNAP_SECTION_HPTH, path_row);
}
