/*
 * rows.c - call stacks and figures in plain arrays, for a store that serves one report.
 */
#include "store/sqlite/rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "store/sqlite/intern.h"

struct row_site {
	size_t first; /* its frames are stacks[first .. first + depth) */
	uint32_t depth;
	uint32_t domain; /* index into domains */
	struct site_identity identity;
};

struct row_snapshot {
	int64_t id;
	struct row_cell *cells;
	size_t count;
};

struct rows {
	struct store_frame *frames; /* their texts are copies */
	size_t frame_count, frame_room;
	uint32_t *stacks; /* frame ids */
	size_t stack_count, stack_room;
	size_t stack_taken; /* of stack_count: those of sites that are complete */
	struct row_site *sites;
	size_t site_count, site_room;
	struct row_snapshot *snapshots;
	size_t snapshot_count, snapshot_room;
	char **domains; /* of all sites, each once */
	size_t domain_count, domain_room;
	struct intern domain_index; /* content -> index + 1 */
};

struct rows *rows_new(void)
{
	return calloc(1, sizeof(struct rows));
}

void rows_free(struct rows *rows)
{
	if (!rows)
		return;
	for (size_t i = 0; i < rows->frame_count; i++) {
		free((char *)(uintptr_t)rows->frames[i].function);
		free((char *)(uintptr_t)rows->frames[i].file);
		free((char *)(uintptr_t)rows->frames[i].module);
	}
	for (size_t i = 0; i < rows->snapshot_count; i++)
		free(rows->snapshots[i].cells);
	for (size_t i = 0; i < rows->domain_count; i++)
		free(rows->domains[i]);
	free(rows->frames);
	free(rows->stacks);
	free(rows->sites);
	free(rows->snapshots);
	free(rows->domains);
	intern_clear(&rows->domain_index);
	free(rows);
}

/* Make room for `more` elements beyond `count`. */
static bool reserve(void *array, size_t *room, size_t count, size_t more, size_t element)
{
	void **data = array;
	size_t target = *room + *room / 2 + 64;
	void *moved;

	if (count + more <= *room)
		return true;
	if (target < count + more)
		target = count + more;
	moved = reallocarray(*data, target, element);
	if (!moved)
		return false;
	*data = moved;
	*room = target;
	return true;
}

/* ---- adding ---- */

int64_t rows_add_frame(struct rows *rows, const struct store_frame *frame)
{
	struct store_frame *row;

	if (rows->frame_count >= UINT32_MAX - 1 ||
	    !reserve(&rows->frames, &rows->frame_room, rows->frame_count, 1, sizeof(*row)))
		return 0;
	row = &rows->frames[rows->frame_count++];
	*row = *frame;
	row->id = (int64_t)rows->frame_count;
	row->function = strdup(frame->function);
	row->file = strdup(frame->file);
	row->module = strdup(frame->module);
	return row->function && row->file && row->module ? row->id : 0;
}

bool rows_push_frames(struct rows *rows, const int64_t *frame_ids, uint32_t count)
{
	if (!reserve(&rows->stacks, &rows->stack_room, rows->stack_count, count,
		     sizeof(*rows->stacks)))
		return false;
	for (uint32_t i = 0; i < count; i++)
		rows->stacks[rows->stack_count++] = (uint32_t)frame_ids[i];
	return true;
}

/* The index of a domain plus one, or 0 when memory ran out. */
static uint32_t keep_domain(struct rows *rows, const char *domain)
{
	struct hash128 hash = hash_bytes(domain, strlen(domain));
	int64_t known = intern_find(&rows->domain_index, hash);
	char *copy;

	if (known)
		return (uint32_t)known;
	if (!reserve(&rows->domains, &rows->domain_room, rows->domain_count, 1, sizeof(copy)))
		return 0;
	copy = strdup(domain);
	if (!copy || !intern_add(&rows->domain_index, hash, (int64_t)rows->domain_count + 1)) {
		free(copy);
		return 0;
	}
	rows->domains[rows->domain_count++] = copy;
	return (uint32_t)rows->domain_count;
}

int64_t rows_add_site(struct rows *rows, const char *domain, const struct site_identity *identity)
{
	uint32_t domain_index = keep_domain(rows, domain);
	struct row_site site = {
		.first = rows->stack_taken,
		.depth = (uint32_t)(rows->stack_count - rows->stack_taken),
		.domain = domain_index - 1,
		.identity = *identity,
	};

	if (site.identity.named >= site.depth)
		site.identity.named = 0;
	if (!domain_index || rows->site_count >= UINT32_MAX - 1 ||
	    !reserve(&rows->sites, &rows->site_room, rows->site_count, 1, sizeof(site)))
		return 0;
	rows->stack_taken = rows->stack_count;
	rows->sites[rows->site_count++] = site;
	return (int64_t)rows->site_count;
}

bool rows_add_cells(struct rows *rows, int64_t snapshot_id, struct row_cell *cells, size_t count)
{
	if (!reserve(&rows->snapshots, &rows->snapshot_room, rows->snapshot_count, 1,
		     sizeof(*rows->snapshots))) {
		free(cells);
		return false;
	}
	rows->snapshots[rows->snapshot_count++] = (struct row_snapshot){snapshot_id, cells, count};
	return true;
}

void rows_forget_snapshot(struct rows *rows, int64_t snapshot_id)
{
	rows->stack_count = rows->stack_taken;
	for (size_t i = 0; i < rows->snapshot_count; i++)
		if (rows->snapshots[i].id == snapshot_id)
			rows->snapshots[i].count = 0;
}

/* ---- reading ---- */

static const struct row_snapshot *find_snapshot(const struct rows *rows, int64_t id)
{
	for (size_t i = rows->snapshot_count; i-- > 0;)
		if (rows->snapshots[i].id == id)
			return &rows->snapshots[i];
	return NULL;
}

/* Which sites hold something in the given snapshots; by id. */
static bool *sites_of(const struct rows *rows, const int64_t *ids, size_t count)
{
	bool *wanted = calloc(rows->site_count + 1, sizeof(*wanted));

	for (size_t i = 0; wanted && i < count; i++) {
		const struct row_snapshot *snapshot = find_snapshot(rows, ids[i]);

		for (size_t k = 0; snapshot && k < snapshot->count; k++)
			wanted[snapshot->cells[k].site_id] = true;
	}
	return wanted;
}

static enum snap_status give_site(const struct rows *rows, size_t at, int64_t *frames,
				  store_site_fn *fn, void *user)
{
	const struct row_site *row = &rows->sites[at];
	struct store_site site = {.id = (int64_t)at + 1,
				  .domain = rows->domains[row->domain],
				  .frames = frames,
				  .depth = row->depth,
				  .identity = row->identity};

	for (uint32_t i = 0; i < row->depth; i++)
		frames[i] = rows->stacks[row->first + i];
	return fn(user, &site);
}

static uint32_t greatest_depth(const struct rows *rows)
{
	uint32_t greatest = 0;

	for (size_t i = 0; i < rows->site_count; i++)
		if (rows->sites[i].depth > greatest)
			greatest = rows->sites[i].depth;
	return greatest;
}

enum snap_status rows_each_site(const struct rows *rows, const int64_t *ids, size_t count,
				store_site_fn *fn, void *user, struct snap_error *err)
{
	bool *wanted = sites_of(rows, ids, count);
	int64_t *frames = calloc((size_t)greatest_depth(rows) + 1, sizeof(*frames));
	enum snap_status status = SNAP_OK;

	if (!wanted || !frames)
		status = fail_memory(err, "reading sites");
	for (size_t i = 0; status == SNAP_OK && i < rows->site_count; i++)
		if (wanted[i + 1])
			status = give_site(rows, i, frames, fn, user);
	free(wanted);
	free(frames);
	return status;
}

enum snap_status rows_each_frame(const struct rows *rows, const int64_t *ids, size_t count,
				 store_frame_fn *fn, void *user, struct snap_error *err)
{
	bool *sites = sites_of(rows, ids, count);
	bool *wanted = calloc(rows->frame_count + 1, sizeof(*wanted));
	enum snap_status status = SNAP_OK;

	if (!sites || !wanted)
		status = fail_memory(err, "reading frames");
	for (size_t i = 0; status == SNAP_OK && i < rows->site_count; i++)
		for (uint32_t f = 0; sites[i + 1] && f < rows->sites[i].depth; f++)
			wanted[rows->stacks[rows->sites[i].first + f]] = true;
	for (size_t i = 0; status == SNAP_OK && i < rows->frame_count; i++)
		if (wanted[i + 1])
			status = fn(user, &rows->frames[i]);
	free(sites);
	free(wanted);
	return status;
}

static enum snap_status give_cells(const struct row_snapshot *snapshot, uint32_t position,
				   store_cell_fn *fn, void *user)
{
	enum snap_status status = SNAP_OK;

	for (size_t i = 0; status == SNAP_OK && i < snapshot->count; i++) {
		const struct row_cell *row = &snapshot->cells[i];
		struct store_cell cell = {
			.snapshot = position,
			.site_id = row->site_id,
			.live_bytes = row->figures[0],
			.live_blocks = row->figures[1],
			.allocated_bytes = row->figures[2],
			.allocated_blocks = row->figures[3],
			.variance = {row->variances[0], row->variances[1], row->variances[2],
				     row->variances[3]},
		};

		status = fn(user, &cell);
	}
	return status;
}

enum snap_status rows_each_cell(const struct rows *rows, const int64_t *ids, size_t count,
				store_cell_fn *fn, void *user)
{
	enum snap_status status = SNAP_OK;

	for (size_t i = 0; status == SNAP_OK && i < count; i++) {
		const struct row_snapshot *snapshot = find_snapshot(rows, ids[i]);

		if (snapshot)
			status = give_cells(snapshot, (uint32_t)i, fn, user);
	}
	return status;
}
