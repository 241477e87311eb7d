/*
 * writer.c - rows -> chunks -> zstd -> file descriptor, in one workspace and nothing else.
 *
 * Rows are appended to the raw buffer of the open chunk.  When the next row might not fit, the
 * chunk is closed: hashed, compressed, written, and its header remembered for the table of
 * contents.  A row's worst case is computed from its counts, so appending needs no checks.
 */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* The static constructors of zstd let it use our workspace. */
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#include "format/bytes.h"
#include "format/checksum.h"
#include "format/frame.h"
#include "format/varint.h"
#include "snap/format.h"
#include "write/writer.h"

#include "write/sys.h"

/* Half of what the format permits, so that the workspace takes less of the host's memory. */
#define RAW_CAPACITY  (SNAP_CHUNK_RAW_MAX / 2)
#define COMPRESS_FROM 4096u

/* Chunks that the table of contents has room for: 4 GiB of rows. */
#define CHUNK_CAPACITY ((size_t)8192)

/* The tables of a higher level take pages that must be cleared first, and files get no smaller. */
#define COMPRESSION_LEVEL 1

/* Memory for the compressor, with room to spare: zstd 1.5.4 takes 569 KiB.  zstd is not asked,
   because a short process compresses nothing, and the question would load pages of its code. */
#define COMPRESSOR_BYTES ((size_t)704 << 10)

/* So large that a small snapshot is written by one system call. */
#define PENDING_CAPACITY 4096u

#define META_ROW_MAX(key, value) (2 * SNAP__VARINT32_MAX + (key) + (value))
#define STRING_ROW_MAX(size)     (SNAP__VARINT32_MAX + (size))
#define MODULE_ROW_MAX           (2 * SNAP__VARINT32_MAX + 2 * SNAP__VARINT_MAX)
#define LOCATION_ROW_MAX(frames) (SNAP__VARINT_MAX + (3 + 4 * (frames)) * SNAP__VARINT32_MAX)
#define NODE_ROW_MAX             (2 * SNAP__VARINT_MAX)
#define SITE_ROW_MAX(cohorts)    (2 * SNAP__VARINT32_MAX + (5 + 3 * (cohorts)) * SNAP__VARINT_MAX)
#define VARIANCE_ROW_SIZE        32
#define GROUP_ROW_MAX            (2 * SNAP__VARINT32_MAX + 9 * SNAP__VARINT_MAX)
#define ROOT_ROW_MAX             (5 * SNAP__VARINT32_MAX + 4 * SNAP__VARINT_MAX)
#define EDGE_ROW_MAX             (SNAP__VARINT32_MAX + 6 * SNAP__VARINT_MAX)
#define PATH_ROW_MAX(steps)      (2 * SNAP__VARINT32_MAX + (3 + 4 * (steps)) * SNAP__VARINT_MAX)

_Static_assert(META_ROW_MAX(SNAP_META_KEY_MAX, SNAP_STRING_MAX) <= RAW_CAPACITY, "meta row");
_Static_assert(LOCATION_ROW_MAX(SNAP_LOCATION_FRAMES_MAX) <= RAW_CAPACITY, "location row");
_Static_assert(SITE_ROW_MAX(SNAP_SITE_COHORTS_MAX) <= RAW_CAPACITY, "site row");
_Static_assert(PATH_ROW_MAX(SNAP_PATH_STEPS_MAX) <= RAW_CAPACITY, "path row");

/* Rows of a chunk that is being filled. */
struct open_chunk {
	uint8_t *raw; /* RAW_CAPACITY bytes */
	uint8_t *end; /* of what is filled */
	uint32_t rows;
	uint32_t items;
};

/* The values that deltas refer to; zero at the start of every chunk. */
struct previous {
	uint64_t address;  /* of the last location that had one */
	uint64_t location; /* of the last node */
	uint64_t node;     /* of the last site or group, plus 1 */
	uint64_t root;     /* address of the last root */
	uint64_t from;     /* of the last edge: twice the id, plus 1 for a root */
};

struct snap__writer {
	int fd;
	int error_number; /* errno of the write that failed */
	enum snap_status status;
	uint64_t offset; /* bytes written so far, or about to be */
	uint64_t digest;

	uint32_t section; /* of the open chunk; 0 before the first row */
	struct open_chunk rows;
	struct open_chunk variances;
	struct previous previous;

	uint32_t strings, modules, locations, nodes, groups, roots; /* so far: what ids refer to */
	enum { SAMPLED_UNKNOWN, SAMPLED_NO, SAMPLED_YES } sampled;

	ZSTD_CCtx *compressor; /* NULL until data must be compressed */
	void *compressor_memory;
	size_t compressor_size, compress_from;
	uint8_t *compressed; /* RAW_CAPACITY bytes */
	uint8_t *toc;        /* CHUNK_CAPACITY chunk headers */
	uint32_t chunks;

	uint8_t *
		pending; /* PENDING_CAPACITY bytes: those to be written are the last before `offset` */
	size_t pending_size;
};

/* ---- Workspace ---- */

/* Where the parts of a workspace begin, and how large it is. */
struct layout {
	size_t pending, raw, variances, compressed, toc, compressor, size;
	size_t compressor_size;
};

static size_t align64(size_t size)
{
	return (size + 63) & ~(size_t)63;
}

static struct layout workspace_layout(void)
{
	struct layout at = {.pending = align64(sizeof(struct snap__writer))};

	at.raw = at.pending + PENDING_CAPACITY;
	at.variances = at.raw + RAW_CAPACITY;
	at.compressed = at.variances + RAW_CAPACITY;
	at.toc = at.compressed + RAW_CAPACITY;
	at.compressor = at.toc + align64(CHUNK_CAPACITY * SNAP_FORMAT_CHUNK_HEADER_SIZE);
	at.compressor_size = COMPRESSOR_BYTES;
	at.size = at.compressor + at.compressor_size;
	return at;
}

size_t snap__writer_workspace_size(void)
{
	return workspace_layout().size;
}

/* The same parameters for every chunk, whatever its size: the workspace is sized for them. */
static ZSTD_CCtx *compressor_begin(void *memory, size_t size)
{
	ZSTD_compressionParameters parameters = ZSTD_getCParams(COMPRESSION_LEVEL, RAW_CAPACITY, 0);
	ZSTD_CCtx *compressor = ZSTD_initStaticCCtx(memory, size);

	if (!compressor)
		return NULL;
	ZSTD_CCtx_setParameter(compressor, ZSTD_c_windowLog, (int)parameters.windowLog);
	ZSTD_CCtx_setParameter(compressor, ZSTD_c_hashLog, (int)parameters.hashLog);
	ZSTD_CCtx_setParameter(compressor, ZSTD_c_chainLog, (int)parameters.chainLog);
	ZSTD_CCtx_setParameter(compressor, ZSTD_c_searchLog, (int)parameters.searchLog);
	ZSTD_CCtx_setParameter(compressor, ZSTD_c_minMatch, (int)parameters.minMatch);
	ZSTD_CCtx_setParameter(compressor, ZSTD_c_targetLength, (int)parameters.targetLength);
	ZSTD_CCtx_setParameter(compressor, ZSTD_c_strategy, (int)parameters.strategy);
	return compressor;
}

/* ---- Errors and output ---- */

/* The first error stays. */
static enum snap_status fail(struct snap__writer *w, enum snap_status st)
{
	if (w->status == SNAP_OK)
		w->status = st;
	return w->status;
}

static void write_now(struct snap__writer *w, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;

	while (size > 0 && w->status == SNAP_OK) {
		ssize_t written = snap__sys_write(w->fd, at, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0) {
			w->error_number = written < 0 ? errno : EIO;
			fail(w, SNAP_EIO);
			return;
		}
		at += written;
		size -= (size_t)written;
	}
}

static void write_pending(struct snap__writer *w)
{
	write_now(w, w->pending, w->pending_size);
	w->pending_size = 0;
}

static void write_bytes(struct snap__writer *w, const void *bytes, size_t size)
{
	if (w->status != SNAP_OK)
		return;
	w->offset += size;
	if (size > PENDING_CAPACITY - w->pending_size)
		write_pending(w);
	if (size > PENDING_CAPACITY) {
		write_now(w, bytes, size);
		return;
	}
	memcpy(w->pending + w->pending_size, bytes, size);
	w->pending_size += size;
}

/* ---- Chunks ---- */

static void write_chunk(struct snap__writer *w, struct snap__chunk *chunk, const void *payload)
{
	uint8_t header[SNAP_FORMAT_CHUNK_HEADER_SIZE];

	chunk->file_hash = snap__chunk_file_hash(chunk, payload);
	snap__chunk_put(header, chunk);
	write_bytes(w, header, sizeof(header));
	write_bytes(w, payload, chunk->stored_size);
}

static void remember_chunk(struct snap__writer *w, const struct snap__chunk *chunk)
{
	snap__chunk_put(w->toc + (size_t)w->chunks * SNAP_FORMAT_CHUNK_HEADER_SIZE, chunk);
	w->digest = snap__digest_add(w->digest, chunk);
	w->chunks++;
}

/* May a reader that does not know the section skip it? */
static bool is_optional(uint32_t section)
{
	return section == SNAP_SECTION_VARI ||
	       snap__section_rank(section) > snap__section_rank(SNAP_SECTION_SITE);
}

/* The compressor has tables: for a few small chunks touching them would be most of the
   work.  `raw_size`: it is not compressed. */
static size_t compress(struct snap__writer *w, const void *raw, size_t raw_size)
{
	if (raw_size < w->compress_from)
		return raw_size;
	if (!w->compressor)
		w->compressor = compressor_begin(w->compressor_memory, w->compressor_size);
	if (!w->compressor)
		return raw_size;
	return ZSTD_compress2(w->compressor, w->compressed, RAW_CAPACITY, raw, raw_size);
}

/* Compress and write what `open` holds, and empty it. */
static void close_chunk(struct snap__writer *w, struct open_chunk *open, uint32_t section)
{
	size_t raw_size = (size_t)(open->end - open->raw);
	struct snap__chunk chunk = {
		.section = section,
		.flags = is_optional(section) ? 0 : SNAP_CHUNK_REQUIRED,
		.raw_size = (uint32_t)raw_size,
		.rows = open->rows,
		.items = open->items,
		.raw_hash = snap__xxh64(open->raw, raw_size, 0),
	};
	const uint8_t *payload = w->compressed;
	size_t size;

	if (open->rows == 0 || w->status != SNAP_OK)
		return;
	if (w->chunks == CHUNK_CAPACITY) {
		fail(w, SNAP_ENOMEM);
		return;
	}
	size = compress(w, open->raw, raw_size);
	if (ZSTD_isError(size) || size >= raw_size) { /* it does not get smaller */
		chunk.flags |= SNAP_CHUNK_STORED;
		payload = open->raw;
		size = raw_size;
	}
	chunk.stored_size = (uint32_t)size;
	write_chunk(w, &chunk, payload);
	remember_chunk(w, &chunk);
	*open = (struct open_chunk){.raw = open->raw, .end = open->raw};
}

static void flush(struct snap__writer *w)
{
	/* The variances come first: a reader that meets a site chunk already has them, even in a
	   torn file. */
	close_chunk(w, &w->variances, SNAP_SECTION_VARI);
	close_chunk(w, &w->rows, w->section);
	w->previous = (struct previous){0};
}

/* Make room for one more row of `section` that takes at most `size` bytes. */
static enum snap_status begin_row(struct snap__writer *w, uint32_t section, size_t size)
{
	if (w->status != SNAP_OK)
		return w->status;
	if (section != w->section && snap__section_rank(section) < snap__section_rank(w->section))
		return fail(w, SNAP_EINVAL);
	if (section != w->section || (size_t)(w->rows.end - w->rows.raw) + size > RAW_CAPACITY)
		flush(w);
	w->section = section;
	return w->status;
}

/* One more row ends at `end`.  `count` is its section's, NULL where nothing refers to it. */
static enum snap_status end_row(struct snap__writer *w, uint8_t *end, uint32_t items,
				uint32_t *count)
{
	w->rows.end = end;
	w->rows.rows++;
	w->rows.items += items;
	if (count)
		(*count)++;
	return SNAP_OK;
}

static uint8_t *put_text(uint8_t *out, struct snap_text text)
{
	out = snap__varint_put(out, text.size);
	if (text.size > 0)
		memcpy(out, text.data, text.size);
	return out + text.size;
}

/* ---- Rows ---- */

struct snap__writer *snap__writer_begin(void *workspace, size_t workspace_size, int fd)
{
	struct layout at = workspace_layout();
	uint8_t *base = workspace;
	struct snap__writer *w = workspace;
	uint8_t header[SNAP_FORMAT_HEADER_SIZE];

	if (!workspace || workspace_size < at.size || (uintptr_t)workspace % 64 != 0)
		return NULL; /* which every function below takes for SNAP_ENOMEM */
	*w = (struct snap__writer){
		.fd = fd,
		.rows = {.raw = base + at.raw, .end = base + at.raw},
		.variances = {.raw = base + at.variances, .end = base + at.variances},
		.compressed = base + at.compressed,
		.toc = base + at.toc,
		.pending = base + at.pending,
		.compressor_memory = base + at.compressor,
		.compressor_size = at.compressor_size,
	};
	snap__file_header_put(header, &(struct snap__file_header){.major = SNAP_FORMAT_MAJOR,
								  .minor = SNAP_FORMAT_MINOR});
	write_bytes(w, header, sizeof(header));
	return w;
}

void snap__writer_hurry(struct snap__writer *w)
{
	if (w)
		w->compress_from = COMPRESS_FROM;
}

enum snap_status snap__write_meta(struct snap__writer *w, const struct snap_meta *meta)
{
	uint8_t *out;

	if (!w)
		return SNAP_ENOMEM;
	if (meta->key.size > SNAP_META_KEY_MAX || meta->value.size > SNAP_STRING_MAX)
		return fail(w, SNAP_EINVAL);
	if (begin_row(w, SNAP_SECTION_META, META_ROW_MAX(meta->key.size, meta->value.size)) !=
	    SNAP_OK)
		return w->status;
	out = put_text(w->rows.end, meta->key);
	return end_row(w, put_text(out, meta->value), 0, NULL);
}

enum snap_status snap__write_string(struct snap__writer *w, struct snap_text text)
{
	if (!w)
		return SNAP_ENOMEM;
	if (text.size > SNAP_STRING_MAX || w->strings == SNAP_NONE ||
	    (w->strings == 0 && text.size != 0))
		return fail(w, SNAP_EINVAL);
	if (begin_row(w, SNAP_SECTION_STRS, STRING_ROW_MAX(text.size)) != SNAP_OK)
		return w->status;
	return end_row(w, put_text(w->rows.end, text), 0, &w->strings);
}

enum snap_status snap__write_module(struct snap__writer *w, const struct snap_module *module)
{
	uint8_t *out;

	if (!w)
		return SNAP_ENOMEM;
	if (module->path >= w->strings || module->build_id >= w->strings || w->modules == SNAP_NONE)
		return fail(w, SNAP_EINVAL);
	if (begin_row(w, SNAP_SECTION_MODS, MODULE_ROW_MAX) != SNAP_OK)
		return w->status;
	out = snap__varint_put(w->rows.end, module->path);
	out = snap__varint_put(out, module->build_id);
	out = snap__varint_put(out, module->base);
	return end_row(w, snap__varint_put(out, module->size), 0, &w->modules);
}

static bool location_is_sound(const struct snap__writer *w, const struct snap_location *location,
			      const struct snap_frame *frames)
{
	if (location->frame_count > SNAP_LOCATION_FRAMES_MAX ||
	    (location->flags & ~(unsigned)SNAP_LOCATION_HAS_ADDRESS) != 0 ||
	    (location->module != SNAP_NONE && location->module >= w->modules))
		return false;
	for (uint32_t i = 0; i < location->frame_count; i++) {
		if (frames[i].function >= w->strings || frames[i].file >= w->strings ||
		    (frames[i].flags & ~(unsigned)SNAP_FRAME_INLINED) != 0)
			return false;
	}
	return w->locations != SNAP_NONE;
}

static uint8_t *put_frame(uint8_t *out, const struct snap_frame *frame)
{
	out = snap__varint_put(out, frame->function);
	out = snap__varint_put(out, frame->file);
	out = snap__varint_put(out, frame->line);
	return snap__varint_put(out, frame->flags);
}

enum snap_status snap__write_location(struct snap__writer *w, const struct snap_location *location,
				      const struct snap_frame *frames)
{
	uint8_t *out;

	if (!w)
		return SNAP_ENOMEM;
	if (!location_is_sound(w, location, frames))
		return fail(w, SNAP_EINVAL);
	if (begin_row(w, SNAP_SECTION_LOCS, LOCATION_ROW_MAX(location->frame_count)) != SNAP_OK)
		return w->status;
	out = snap__varint_put(w->rows.end, location->flags);
	/* 32-bit arithmetic: SNAP_NONE becomes 0. */
	out = snap__varint_put(out, (uint32_t)(location->module + 1));
	if (location->flags & SNAP_LOCATION_HAS_ADDRESS) {
		out = snap__varint_put(out, snap__delta(w->previous.address, location->address));
		w->previous.address = location->address;
	}
	out = snap__varint_put(out, location->frame_count);
	for (uint32_t i = 0; i < location->frame_count; i++)
		out = put_frame(out, &frames[i]);
	return end_row(w, out, location->frame_count, &w->locations);
}

enum snap_status snap__write_node(struct snap__writer *w, const struct snap_node *node)
{
	uint32_t distance = 0; /* how far back the parent is */
	uint8_t *out;

	if (!w)
		return SNAP_ENOMEM;
	if ((node->parent != SNAP_NONE && node->parent >= w->nodes) ||
	    node->location >= w->locations || w->nodes == SNAP_NONE)
		return fail(w, SNAP_EINVAL);
	if (begin_row(w, SNAP_SECTION_NODE, NODE_ROW_MAX) != SNAP_OK)
		return w->status;
	if (node->parent != SNAP_NONE)
		distance = w->nodes - node->parent;
	out = snap__varint_put(w->rows.end, distance);
	out = snap__varint_put(out, snap__delta(w->previous.location, node->location));
	w->previous.location = node->location;
	return end_row(w, out, 0, &w->nodes);
}

static bool variance_is_sound(const struct snap_variance *v)
{
	return isfinite(v->live_bytes) && v->live_bytes >= 0 && isfinite(v->live_blocks) &&
	       v->live_blocks >= 0 && isfinite(v->allocated_bytes) && v->allocated_bytes >= 0 &&
	       isfinite(v->allocated_blocks) && v->allocated_blocks >= 0;
}

static bool site_is_sound(struct snap__writer *w, const struct snap_site *site,
			  const struct snap_variance *variance)
{
	if (w->sampled == SAMPLED_UNKNOWN)
		w->sampled = variance ? SAMPLED_YES : SAMPLED_NO;
	return site->cohort_count <= SNAP_SITE_COHORTS_MAX && site->domain < w->strings &&
	       (site->node == SNAP_NONE || site->node < w->nodes) &&
	       (w->sampled == SAMPLED_YES) == (variance != NULL) &&
	       (!variance || variance_is_sound(variance));
}

static uint8_t *put_double(uint8_t *out, double value)
{
	uint64_t bits;

	value += 0.0; /* -0.0 becomes 0.0: equal content, equal bytes */
	memcpy(&bits, &value, sizeof(bits));
	snap__store64(out, bits);
	return out + sizeof(bits);
}

static void add_variance(struct snap__writer *w, const struct snap_variance *variance)
{
	uint8_t *out = put_double(w->variances.end, variance->live_bytes);

	out = put_double(out, variance->live_blocks);
	out = put_double(out, variance->allocated_bytes);
	w->variances.end = put_double(out, variance->allocated_blocks);
	w->variances.rows++;
}

/* SNAP_UNKNOWN becomes 0, and everything else is one more than it was. */
static uint8_t *put_figure(uint8_t *out, uint64_t figure)
{
	return snap__varint_put(out, figure + 1);
}

static uint8_t *put_site(struct snap__writer *w, const struct snap_site *site,
			 const struct snap_cohort *cohorts)
{
	uint64_t node = (uint32_t)(site->node + 1); /* SNAP_NONE becomes 0 */
	uint8_t *out = snap__varint_put(w->rows.end, snap__delta(w->previous.node, node));
	uint64_t birth = 0;

	w->previous.node = node;
	out = snap__varint_put(out, site->domain);
	out = put_figure(out, site->live_bytes);
	out = put_figure(out, site->live_blocks);
	out = put_figure(out, site->allocated_bytes);
	out = put_figure(out, site->allocated_blocks);
	out = snap__varint_put(out, site->cohort_count);
	for (uint32_t i = 0; i < site->cohort_count; i++) {
		out = snap__varint_put(out, snap__delta(birth, cohorts[i].birth_seq));
		out = snap__varint_put(out, cohorts[i].blocks);
		out = snap__varint_put(out, cohorts[i].bytes);
		birth = cohorts[i].birth_seq;
	}
	return out;
}

enum snap_status snap__write_site(struct snap__writer *w, const struct snap_site *site,
				  const struct snap_cohort *cohorts,
				  const struct snap_variance *variance)
{
	if (!w)
		return SNAP_ENOMEM;
	if (!site_is_sound(w, site, variance))
		return fail(w, SNAP_EINVAL);
	if (w->variances.end - w->variances.raw > RAW_CAPACITY - VARIANCE_ROW_SIZE)
		flush(w); /* it has a row for each row of the site chunk */
	if (begin_row(w, SNAP_SECTION_SITE, SITE_ROW_MAX(site->cohort_count)) != SNAP_OK)
		return w->status;
	if (variance)
		add_variance(w, variance);
	return end_row(w, put_site(w, site, cohorts), site->cohort_count, NULL);
}

/* ---- Holders ---- */

enum snap_status snap__write_group(struct snap__writer *w, const struct snap_group *group)
{
	uint64_t node = (uint32_t)(group->node + 1); /* SNAP_NONE becomes 0 */
	uint8_t *out;

	if (!w)
		return SNAP_ENOMEM;
	if (group->label >= w->strings || node > w->nodes || w->groups == SNAP_NONE ||
	    group->direct_blocks > group->blocks ||
	    group->indirect_blocks > group->blocks - group->direct_blocks ||
	    group->direct_bytes > group->bytes ||
	    group->indirect_bytes > group->bytes - group->direct_bytes ||
	    group->ring_blocks > group->indirect_blocks)
		return fail(w, SNAP_EINVAL);
	if (begin_row(w, SNAP_SECTION_HGRP, GROUP_ROW_MAX) != SNAP_OK)
		return w->status;
	out = snap__varint_put(w->rows.end, group->kind);
	out = snap__varint_put(out, group->label);
	out = snap__varint_put(out, snap__delta(w->previous.node, node));
	w->previous.node = node;
	out = snap__varint_put(out, group->blocks);
	out = snap__varint_put(out, group->bytes);
	out = snap__varint_put(out, group->direct_blocks);
	out = snap__varint_put(out, group->direct_bytes);
	out = snap__varint_put(out, group->indirect_blocks);
	out = snap__varint_put(out, group->indirect_bytes);
	out = snap__varint_put(out, group->ring_blocks);
	return end_row(w, put_figure(out, group->retained_bytes), 0, &w->groups);
}

enum snap_status snap__write_root(struct snap__writer *w, const struct snap_root *root)
{
	uint8_t *out;

	if (!w)
		return SNAP_ENOMEM;
	if (root->label >= w->strings || root->symbol >= w->strings || w->roots == SNAP_NONE ||
	    (root->module != SNAP_NONE && root->module >= w->modules))
		return fail(w, SNAP_EINVAL);
	if (begin_row(w, SNAP_SECTION_HROT, ROOT_ROW_MAX) != SNAP_OK)
		return w->status;
	out = snap__varint_put(w->rows.end, root->kind);
	out = snap__varint_put(out, root->label);
	out = snap__varint_put(out, (uint32_t)(root->module + 1));
	out = snap__varint_put(out, root->thread);
	out = snap__varint_put(out, snap__delta(w->previous.root, root->address));
	w->previous.root = root->address;
	out = snap__varint_put(out, root->size);
	out = snap__varint_put(out, root->symbol);
	out = snap__varint_put(out, root->offset);
	return end_row(w, put_figure(out, root->retained_bytes), 0, &w->roots);
}

enum snap_status snap__write_edge(struct snap__writer *w, const struct snap_edge *edge)
{
	uint64_t from = (uint64_t)edge->from * 2 + (edge->from_root ? 1 : 0);
	uint8_t *out;

	if (!w)
		return SNAP_ENOMEM;
	if (edge->from >= (edge->from_root ? w->roots : w->groups) || edge->to >= w->groups)
		return fail(w, SNAP_EINVAL);
	if (begin_row(w, SNAP_SECTION_HEDG, EDGE_ROW_MAX) != SNAP_OK)
		return w->status;
	out = snap__varint_put(w->rows.end, snap__delta(w->previous.from, from));
	w->previous.from = from;
	out = snap__varint_put(out, edge->to);
	out = snap__varint_put(out, edge->references);
	out = snap__varint_put(out, edge->blocks);
	out = snap__varint_put(out, edge->bytes);
	out = put_figure(out, edge->dominated_blocks);
	return end_row(w, put_figure(out, edge->dominated_bytes), 0, NULL);
}

static uint8_t *put_steps(uint8_t *out, const struct snap_step *steps, uint32_t count)
{
	uint64_t address = 0;

	for (uint32_t i = 0; i < count; i++) {
		out = snap__varint_put(out, steps[i].group);
		out = snap__varint_put(out, snap__delta(address, steps[i].address));
		out = snap__varint_put(out, steps[i].size);
		out = snap__varint_put(out, steps[i].offset);
		address = steps[i].address;
	}
	return out;
}

enum snap_status snap__write_path(struct snap__writer *w, const struct snap_path *path,
				  const struct snap_step *steps)
{
	uint8_t *out;

	if (!w)
		return SNAP_ENOMEM;
	if (path->group >= w->groups || path->step_count > SNAP_PATH_STEPS_MAX ||
	    (path->root != SNAP_NONE && path->root >= w->roots))
		return fail(w, SNAP_EINVAL);
	for (uint32_t i = 0; i < path->step_count; i++)
		if (steps[i].group >= w->groups)
			return fail(w, SNAP_EINVAL);
	if (begin_row(w, SNAP_SECTION_HPTH, PATH_ROW_MAX(path->step_count)) != SNAP_OK)
		return w->status;
	out = snap__varint_put(w->rows.end, path->group);
	out = snap__varint_put(out, (uint32_t)(path->root + 1));
	out = snap__varint_put(out, path->offset);
	out = snap__varint_put(out, path->skipped);
	out = snap__varint_put(out, path->step_count);
	return end_row(w, put_steps(out, steps, path->step_count), path->step_count, NULL);
}

/* ---- The end ---- */

static void write_toc(struct snap__writer *w)
{
	size_t size = (size_t)w->chunks * SNAP_FORMAT_CHUNK_HEADER_SIZE;
	struct snap__chunk chunk = {
		.section = SNAP_SECTION_TOCS,
		.flags = SNAP_CHUNK_REQUIRED | SNAP_CHUNK_STORED,
		.stored_size = (uint32_t)size,
		.raw_size = (uint32_t)size,
		.rows = w->chunks,
		.raw_hash = snap__xxh64(w->toc, size, 0),
	};

	write_chunk(w, &chunk, w->toc);
}

enum snap_status snap__writer_finish(struct snap__writer *w, uint64_t *bytes)
{
	struct snap__footer footer;
	uint8_t encoded[SNAP_FORMAT_FOOTER_SIZE];

	if (bytes)
		*bytes = w ? w->offset : 0;
	if (!w)
		return SNAP_ENOMEM;
	flush(w);
	footer = (struct snap__footer){.toc_offset = w->offset, .digest = w->digest};
	write_toc(w);
	snap__footer_put(encoded, &footer);
	write_bytes(w, encoded, sizeof(encoded));
	write_pending(w);
	if (bytes)
		*bytes = w->offset;
	if (w->status == SNAP_EIO)
		errno = w->error_number;
	return w->status;
}
