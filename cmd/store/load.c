/*
 * load.c - a model becomes rows, in one transaction.
 *
 * Strings are hashed once each, then modules, frames, locations, nodes and sites get their hashes
 * from their parts: a stack of any depth costs one step beyond its caller's.  Only a site that is
 * new to the database is written out frame by frame.
 */
#include "store/database.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a site holds, under its row id.  Rows of one site (a text form may have several) are added
 * up. */
struct cell {
	int64_t site_id;
	uint64_t figures[4]; /* live bytes and blocks, allocated bytes and blocks */
	double variances[4];
};

struct birth {
	int64_t site_id;
	uint64_t seq, blocks, bytes;
};

/* Everything that one load needs besides the store; arrays run parallel to the model's. */
struct loading {
	struct store *store;
	const struct model *model;
	const struct site_identity *identities;
	bool facts_only; /* leave out call stacks and what they hold */
	int64_t snapshot_id;
	struct hash128 *strings, *module_hashes, *locations, *nodes;
	int64_t *modules;
	int64_t *frames;       /* row ids of the frames of all locations, location after location */
	uint32_t *first_frame; /* where a location's begin in `frames`; one extra at the end */
	struct cell *cells;
	struct birth *births;
	char *json; /* the stack of one site as a JSON array */
	size_t json_size, json_capacity;
};

static void bind_text(sqlite3_stmt *statement, int at, const char *text)
{
	if (text && *text)
		sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
	else
		sqlite3_bind_null(statement, at);
}

/* Strings may hold NUL bytes; columns get all of them.  The empty string is "unknown". */
static void bind_string(sqlite3_stmt *statement, int at, const struct model *model, uint32_t string)
{
	struct snap_text text = model->strings[string];

	if (text.size)
		sqlite3_bind_text64(statement, at, text.data, text.size, SQLITE_STATIC,
				    SQLITE_UTF8);
	else
		sqlite3_bind_null(statement, at);
}

static void bind_hash(sqlite3_stmt *statement, int at, const struct hash128 *hash)
{
	sqlite3_bind_blob(statement, at, hash, sizeof(*hash), SQLITE_STATIC);
}

static bool has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* ---- finding rows that are there already ---- */

/* The id of the row with this content, or 0.  A private database has no rows but those met before.
 */
static enum snap_status find_row(struct store *store, struct intern *intern, enum statement find,
				 const struct hash128 *hash, int64_t *id, struct snap_error *err)
{
	sqlite3_stmt *statement;
	int code;

	*id = intern_find(intern, *hash);
	if (*id || store->in_memory)
		return SNAP_OK;
	statement = database_statement(store, find, err);
	if (!statement)
		return err ? err->status : SNAP_ESYSTEM;
	bind_hash(statement, 1, hash);
	code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		*id = sqlite3_column_int64(statement, 0);
	else if (code != SQLITE_DONE)
		return database_fail(store, err, "cannot be read");
	sqlite3_reset(statement);
	if (*id && !intern_add(intern, *hash, *id))
		return fail_memory(err, "loading a snapshot");
	return SNAP_OK;
}

/* Run an insert and keep the id of the new row for `hash`. */
static enum snap_status insert_row(struct store *store, struct intern *intern,
				   sqlite3_stmt *statement, const struct hash128 *hash, int64_t *id,
				   struct snap_error *err)
{
	enum snap_status status = database_step(store, statement, "cannot be written", err);

	if (status != SNAP_OK)
		return status;
	*id = sqlite3_last_insert_rowid(store->db);
	return intern_add(intern, *hash, *id) ? SNAP_OK : fail_memory(err, "loading a snapshot");
}

/* ---- the snapshot itself ---- */

/* Otherwise, the last part of the command's first word. */
void store_program_name(const struct model *model, char out[STORE_PROGRAM_SIZE])
{
	const char *program = model_meta(model, "program");
	const char *command = model_meta(model, "command");
	const char *end;

	out[0] = '\0';
	if (program) {
		snprintf(out, STORE_PROGRAM_SIZE, "%s", program);
		return;
	}
	if (!command)
		return;
	end = command + strcspn(command, " \t");
	for (const char *at = command; at < end; at++)
		if (*at == '/')
			command = at + 1;
	snprintf(out, STORE_PROGRAM_SIZE, "%.*s", (int)(end - command), command);
}

static enum snap_status load_run(struct loading *load, int64_t *run_id, struct snap_error *err)
{
	static const enum statement find_then_insert[] = {STATEMENT_find_run, STATEMENT_insert_run};
	const struct model *model = load->model;
	struct store *store = load->store;
	char program[STORE_PROGRAM_SIZE];

	store_program_name(model, program);
	for (size_t i = 0; i < 2; i++) {
		sqlite3_stmt *statement = database_statement(store, find_then_insert[i], err);
		int code;

		if (!statement)
			return SNAP_ESYSTEM;
		bind_text(statement, 1, model_meta(model, "host"));
		database_bind_u64(statement, 2, model_meta_u64(model, "pid", SNAP_UNKNOWN));
		database_bind_u64(statement, 3,
				  model_meta_u64(model, "start_time_ns", SNAP_UNKNOWN));
		bind_text(statement, 4, program);
		bind_text(statement, 5, model_meta(model, "command"));
		code = sqlite3_step(statement);
		*run_id = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0)
					     : sqlite3_last_insert_rowid(store->db);
		if (code != SQLITE_ROW && code != SQLITE_DONE)
			return database_fail(store, err, "cannot be written");
		sqlite3_reset(statement);
		if (code == SQLITE_ROW)
			break;
	}
	return SNAP_OK;
}

static enum snap_status load_snapshot(struct loading *load, int64_t run_id, struct snap_error *err)
{
	const struct model *model = load->model;
	struct model_totals totals;
	enum snap_status status = model_totals(model, &totals, err);
	sqlite3_stmt *statement;

	if (status != SNAP_OK)
		return status;
	statement = database_statement(load->store, STATEMENT_insert_snapshot, err);
	if (!statement)
		return SNAP_ESYSTEM;
	sqlite3_bind_int64(statement, 1, run_id);
	sqlite3_bind_int64(statement, 2, (int64_t)model->digest);
	bind_text(statement, 3, model->source);
	database_bind_u64(statement, 4, model_meta_u64(model, "seq", SNAP_UNKNOWN));
	database_bind_u64(statement, 5, model_meta_u64(model, "time_ns", SNAP_UNKNOWN));
	database_bind_u64(statement, 6, model_meta_u64(model, "mono_ns", SNAP_UNKNOWN));
	bind_text(statement, 7, model_meta(model, "label"));
	bind_text(statement, 8, model_meta(model, "trigger"));
	database_bind_u64(statement, 9, model_meta_u64(model, "sample_period", 0));
	sqlite3_bind_int64(statement, 10, model->site_count);
	database_bind_u64(statement, 11, totals.live_bytes);
	database_bind_u64(statement, 12, totals.live_blocks);
	database_bind_u64(statement, 13, totals.allocated_bytes);
	database_bind_u64(statement, 14, totals.allocated_blocks);
	status = database_step(load->store, statement, "cannot be written", err);
	load->snapshot_id = sqlite3_last_insert_rowid(load->store->db);
	return status;
}

/* Which table a meta key goes to, and under which name there. */
static enum statement table_of(const char **key)
{
	static const struct {
		const char *prefix;
		enum statement insert;
	} tables[] = {
		{"labels.", STATEMENT_insert_label},
		{"metrics.", STATEMENT_insert_metric},
		{"losses.", STATEMENT_insert_loss},
	};

	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		if (has_prefix(*key, tables[i].prefix)) {
			*key += strlen(tables[i].prefix);
			return tables[i].insert;
		}
	}
	return STATEMENT_insert_meta;
}

/* A decimal number that SQLite can hold becomes an integer, anything else stays text. */
static void bind_number_or_text(sqlite3_stmt *statement, int at, const char *text)
{
	size_t digits = strspn(text, "0123456789");

	if (digits > 0 && digits < 19 && text[digits] == '\0')
		sqlite3_bind_int64(statement, at, strtoll(text, NULL, 10));
	else
		sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

static enum snap_status insert_pair(struct loading *load, enum statement insert, const char *key,
				    const char *value, struct snap_error *err)
{
	sqlite3_stmt *statement = database_statement(load->store, insert, err);

	if (!statement)
		return SNAP_ESYSTEM;
	sqlite3_bind_int64(statement, 1, load->snapshot_id);
	sqlite3_bind_text(statement, 2, key, -1, SQLITE_STATIC);
	if (insert == STATEMENT_insert_metric || insert == STATEMENT_insert_loss)
		bind_number_or_text(statement, 3, value);
	else
		sqlite3_bind_text(statement, 3, value, -1, SQLITE_STATIC);
	return database_step(load->store, statement, "cannot be written", err);
}

/* Does a key have a column in `run` or `snapshot`? */
static bool has_a_column(const char *key)
{
	static const char *const keys[] = {"command", "host",    "label",         "mono_ns",
					   "pid",     "program", "sample_period", "seq",
					   "time_ns", "trigger", "start_time_ns"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

static enum snap_status load_meta(struct loading *load, struct snap_error *err)
{
	const struct model *model = load->model;
	enum snap_status status = SNAP_OK;

	for (uint32_t i = 0; status == SNAP_OK && i < model->meta_count; i++) {
		const char *key = model_text(model, model->meta[i].key);
		enum statement insert = table_of(&key);

		if (insert == STATEMENT_insert_meta && has_a_column(key))
			continue;
		status = insert_pair(load, insert, key, model_text(model, model->meta[i].value),
				     err);
	}
	return status;
}

/* ---- modules, frames, stacks ---- */

static enum snap_status load_module(struct loading *load, uint32_t at, struct snap_error *err)
{
	const struct model *model = load->model;
	const struct snap_module *module = &model->modules[at];
	struct hash128 *hash = &load->module_hashes[at];
	struct store *store = load->store;
	sqlite3_stmt *statement;
	enum snap_status status;

	*hash = hash_mix(load->strings[module->path], load->strings[module->build_id]);
	status = find_row(store, &store->modules, STATEMENT_find_module, hash, &load->modules[at],
			  err);
	if (status == SNAP_OK && !load->modules[at]) {
		statement = database_statement(store, STATEMENT_insert_module, err);
		if (!statement)
			return SNAP_ESYSTEM;
		bind_hash(statement, 1, hash);
		sqlite3_bind_text(statement, 2, model_text(model, module->path), -1, SQLITE_STATIC);
		bind_string(statement, 3, model, module->build_id);
		status = insert_row(store, &store->modules, statement, hash, &load->modules[at],
				    err);
	}
	if (status != SNAP_OK)
		return status;
	statement = database_statement(store, STATEMENT_insert_mapping, err);
	if (!statement)
		return SNAP_ESYSTEM;
	sqlite3_bind_int64(statement, 1, load->snapshot_id);
	sqlite3_bind_int64(statement, 2, load->modules[at]);
	sqlite3_bind_int64(statement, 3, (int64_t)module->base);
	sqlite3_bind_int64(statement, 4, (int64_t)module->size);
	return database_step(store, statement, "cannot be written", err);
}

static enum snap_status load_modules(struct loading *load, struct snap_error *err)
{
	enum snap_status status = SNAP_OK;

	for (uint32_t i = 0; status == SNAP_OK && i < load->model->module_count; i++)
		status = load_module(load, i, err);
	return status;
}

/* The part of a frame's hash that all frames of its location share. */
static struct hash128 place_hash(const struct loading *load, const struct model_location *location)
{
	bool known = location->flags & SNAP_LOCATION_HAS_ADDRESS;
	struct hash128 hash = hash_mix_u64((struct hash128){0, 0}, known ? location->address : 0);

	hash = hash_mix_u64(hash, known);
	return location->module == SNAP_NONE
		       ? hash
		       : hash_mix(hash, load->module_hashes[location->module]);
}

static enum snap_status insert_frame(struct loading *load, const struct model_location *location,
				     const struct snap_frame *frame, const struct hash128 *hash,
				     int64_t *id, struct snap_error *err)
{
	struct store *store = load->store;
	sqlite3_stmt *statement = database_statement(store, STATEMENT_insert_frame, err);

	if (!statement)
		return SNAP_ESYSTEM;
	bind_hash(statement, 1, hash);
	if (location->module != SNAP_NONE)
		sqlite3_bind_int64(statement, 2, load->modules[location->module]);
	if (location->flags & SNAP_LOCATION_HAS_ADDRESS)
		sqlite3_bind_int64(statement, 3, (int64_t)location->address);
	bind_string(statement, 4, load->model, frame->function);
	bind_string(statement, 5, load->model, frame->file);
	if (frame->line)
		sqlite3_bind_int64(statement, 6, frame->line);
	sqlite3_bind_int(statement, 7, (frame->flags & SNAP_FRAME_INLINED) != 0);
	return insert_row(store, &store->frames, statement, hash, id, err);
}

static enum snap_status load_frame(struct loading *load, const struct model_location *location,
				   const struct snap_frame *frame, struct hash128 *hash,
				   int64_t *id, struct snap_error *err)
{
	struct store *store = load->store;
	enum snap_status status;

	*hash = hash_mix(*hash, load->strings[frame->function]);
	*hash = hash_mix(*hash, load->strings[frame->file]);
	*hash = hash_mix_u64(*hash,
			     (uint64_t)frame->line << 1 | (frame->flags & SNAP_FRAME_INLINED));
	status = find_row(store, &store->frames, STATEMENT_find_frame, hash, id, err);
	if (status == SNAP_OK && !*id)
		status = insert_frame(load, location, frame, hash, id, err);
	return status;
}

static enum snap_status load_location(struct loading *load, uint32_t at, uint32_t *used,
				      struct snap_error *err)
{
	static const struct snap_frame nameless = {0};
	const struct model_location *location = &load->model->locations[at];
	struct hash128 place = place_hash(load, location);
	struct hash128 whole = place;
	uint32_t count = location->frame_count ? location->frame_count : 1;
	enum snap_status status = SNAP_OK;

	load->first_frame[at] = *used;
	for (uint32_t i = 0; status == SNAP_OK && i < count; i++) {
		const struct snap_frame *frame =
			location->frame_count ? &load->model->frames[location->first_frame + i]
					      : &nameless;
		struct hash128 hash = place;

		status = load_frame(load, location, frame, &hash, &load->frames[(*used)++], err);
		whole = hash_mix(whole, hash);
	}
	load->locations[at] = whole;
	load->first_frame[at + 1] = *used;
	return status;
}

static enum snap_status load_locations(struct loading *load, struct snap_error *err)
{
	enum snap_status status = SNAP_OK;
	uint32_t used = 0;

	for (uint32_t i = 0; status == SNAP_OK && i < load->model->location_count; i++)
		status = load_location(load, i, &used, err);
	return status;
}

static void hash_nodes(struct loading *load)
{
	const struct model *model = load->model;

	for (uint32_t i = 0; i < model->node_count; i++) {
		const struct snap_node *node = &model->nodes[i];
		struct hash128 caller = {0, 1};

		if (node->parent != SNAP_NONE)
			caller = load->nodes[node->parent];
		load->nodes[i] = hash_mix(caller, load->locations[node->location]);
	}
}

static bool json_reserve(struct loading *load, size_t more)
{
	size_t capacity = load->json_capacity ? load->json_capacity * 2 : 4096;
	char *json;

	if (load->json_size + more <= load->json_capacity)
		return true;
	json = realloc(load->json, capacity);
	if (!json)
		return false;
	load->json = json;
	load->json_capacity = capacity;
	return true;
}

/* One id and its comma; at most 21 bytes. */
static void json_id(struct loading *load, int64_t id)
{
	char digits[20];
	size_t count = 0;

	do
		digits[count++] = (char)('0' + id % 10);
	while (id /= 10);
	while (count)
		load->json[load->json_size++] = digits[--count];
	load->json[load->json_size++] = ',';
}

/* Write the stack as JSON.  `named` is a position in it; *named_id the frame there (0: no frames at
 * all). */
static bool write_stack(struct loading *load, uint32_t node, uint32_t named, uint32_t *depth,
			int64_t *named_id)
{
	load->json_size = 0;
	*depth = 0;
	*named_id = 0;
	if (!json_reserve(load, 2))
		return false;
	load->json[load->json_size++] = '[';
	for (; node != SNAP_NONE; node = load->model->nodes[node].parent) {
		uint32_t location = load->model->nodes[node].location;

		for (uint32_t i = load->first_frame[location]; i < load->first_frame[location + 1];
		     i++) {
			if (!json_reserve(load, 24))
				return false;
			if (*depth == 0 || *depth == named)
				*named_id = load->frames[i];
			json_id(load, load->frames[i]);
			++*depth;
		}
	}
	if (*depth)
		load->json_size--; /* the last comma */
	load->json[load->json_size++] = ']';
	return true;
}

static enum snap_status insert_site(struct loading *load, uint32_t at, const struct hash128 *hash,
				    int64_t *id, struct snap_error *err)
{
	static const struct site_identity unknown = {0};
	const struct snap_site *row = &load->model->sites[at].row;
	const struct site_identity *identity = load->identities ? &load->identities[at] : &unknown;
	struct store *store = load->store;
	sqlite3_stmt *statement = database_statement(store, STATEMENT_insert_site, err);
	uint32_t depth;
	int64_t named_id;

	if (!statement)
		return SNAP_ESYSTEM;
	if (!write_stack(load, row->node, identity->named, &depth, &named_id))
		return fail_memory(err, "loading a snapshot");
	bind_hash(statement, 1, hash);
	sqlite3_bind_text(statement, 2, model_text(load->model, row->domain), -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 3, depth);
	if (named_id)
		sqlite3_bind_int64(statement, 4, named_id);
	sqlite3_bind_int64(statement, 5, (int64_t)identity->exact);
	sqlite3_bind_int64(statement, 6, (int64_t)identity->line);
	sqlite3_bind_int64(statement, 7, (int64_t)identity->function);
	sqlite3_bind_int64(statement, 8, identity->named);
	sqlite3_bind_text64(statement, 9, load->json, load->json_size, SQLITE_STATIC, SQLITE_UTF8);
	return insert_row(store, &store->sites, statement, hash, id, err);
}

static enum snap_status load_site(struct loading *load, uint32_t at, int64_t *id,
				  struct snap_error *err)
{
	const struct snap_site *row = &load->model->sites[at].row;
	struct store *store = load->store;
	struct hash128 stack = {0, 2};
	struct hash128 hash;
	enum snap_status status;

	if (row->node != SNAP_NONE)
		stack = load->nodes[row->node];
	hash = hash_mix(stack, load->strings[row->domain]);
	status = find_row(store, &store->sites, STATEMENT_find_site, &hash, id, err);
	if (status == SNAP_OK && !*id)
		status = insert_site(load, at, &hash, id, err);
	return status;
}

/* ---- what the sites hold ---- */

static uint64_t add_known(uint64_t a, uint64_t b)
{
	return a == SNAP_UNKNOWN || b == SNAP_UNKNOWN ? SNAP_UNKNOWN : a + b;
}

static void fill_cell(struct loading *load, uint32_t at, int64_t site_id, uint64_t *births)
{
	const struct model *model = load->model;
	const struct model_site *site = &model->sites[at];
	struct cell *cell = &load->cells[at];

	*cell = (struct cell){
		.site_id = site_id,
		.figures = {site->row.live_bytes, site->row.live_blocks, site->row.allocated_bytes,
			    site->row.allocated_blocks},
	};
	if (model->variances) {
		const struct snap_variance *variance = &model->variances[at];

		cell->variances[0] = variance->live_bytes;
		cell->variances[1] = variance->live_blocks;
		cell->variances[2] = variance->allocated_bytes;
		cell->variances[3] = variance->allocated_blocks;
	}
	for (uint32_t i = 0; i < site->row.cohort_count; i++) {
		const struct snap_cohort *cohort = &model->cohorts[site->first_cohort + i];

		load->births[(*births)++] =
			(struct birth){site_id, cohort->birth_seq, cohort->blocks, cohort->bytes};
	}
}

static int compare_cells(const void *a, const void *b)
{
	const struct cell *left = a, *right = b;

	return (left->site_id > right->site_id) - (left->site_id < right->site_id);
}

static int compare_births(const void *a, const void *b)
{
	const struct birth *left = a, *right = b;

	if (left->site_id != right->site_id)
		return left->site_id < right->site_id ? -1 : 1;
	return (left->seq > right->seq) - (left->seq < right->seq);
}

static enum snap_status insert_cell(struct loading *load, const struct cell *cell,
				    struct snap_error *err)
{
	struct store *store = load->store;
	sqlite3_stmt *statement = database_statement(store, STATEMENT_insert_live, err);
	enum snap_status status;

	if (!statement)
		return SNAP_ESYSTEM;
	sqlite3_bind_int64(statement, 1, load->snapshot_id);
	sqlite3_bind_int64(statement, 2, cell->site_id);
	for (int i = 0; i < 4; i++)
		database_bind_u64(statement, 3 + i, cell->figures[i]);
	status = database_step(store, statement, "cannot be written", err);
	if (status != SNAP_OK || !load->model->variances)
		return status;
	statement = database_statement(store, STATEMENT_insert_variance, err);
	if (!statement)
		return SNAP_ESYSTEM;
	sqlite3_bind_int64(statement, 1, load->snapshot_id);
	sqlite3_bind_int64(statement, 2, cell->site_id);
	for (int i = 0; i < 4; i++)
		sqlite3_bind_double(statement, 3 + i, cell->variances[i]);
	return database_step(store, statement, "cannot be written", err);
}

/* In order of site id, which is the order of the table: every insert appends. */
static enum snap_status load_cells(struct loading *load, struct snap_error *err)
{
	uint32_t count = load->model->site_count;
	enum snap_status status = SNAP_OK;

	qsort(load->cells, count, sizeof(*load->cells), compare_cells);
	for (uint32_t i = 0, next; status == SNAP_OK && i < count; i = next) {
		struct cell sum = load->cells[i];

		for (next = i + 1; next < count && load->cells[next].site_id == sum.site_id;
		     next++) {
			for (int k = 0; k < 4; k++) {
				sum.figures[k] =
					add_known(sum.figures[k], load->cells[next].figures[k]);
				sum.variances[k] += load->cells[next].variances[k];
			}
		}
		status = insert_cell(load, &sum, err);
	}
	return status;
}

static enum snap_status load_births(struct loading *load, uint64_t count, struct snap_error *err)
{
	enum snap_status status = SNAP_OK;

	qsort(load->births, count, sizeof(*load->births), compare_births);
	for (uint64_t i = 0, next; status == SNAP_OK && i < count; i = next) {
		struct birth sum = load->births[i];
		sqlite3_stmt *statement =
			database_statement(load->store, STATEMENT_insert_cohort, err);

		if (!statement)
			return SNAP_ESYSTEM;
		for (next = i + 1; next < count && compare_births(&load->births[next], &sum) == 0;
		     next++) {
			sum.blocks = add_known(sum.blocks, load->births[next].blocks);
			sum.bytes = add_known(sum.bytes, load->births[next].bytes);
		}
		sqlite3_bind_int64(statement, 1, load->snapshot_id);
		sqlite3_bind_int64(statement, 2, sum.site_id);
		sqlite3_bind_int64(statement, 3, (int64_t)sum.seq);
		database_bind_u64(statement, 4, sum.blocks);
		database_bind_u64(statement, 5, sum.bytes);
		status = database_step(load->store, statement, "cannot be written", err);
	}
	return status;
}

static enum snap_status load_sites(struct loading *load, struct snap_error *err)
{
	enum snap_status status = SNAP_OK;
	uint64_t births = 0;

	for (uint32_t i = 0; status == SNAP_OK && i < load->model->site_count; i++) {
		int64_t site_id = 0;

		status = load_site(load, i, &site_id, err);
		fill_cell(load, i, site_id, &births);
	}
	if (status == SNAP_OK)
		status = load_cells(load, err);
	if (status == SNAP_OK)
		status = load_births(load, births, err);
	return status;
}

/* ---- the whole ---- */

/* SQLite's integers are signed: what does not fit is no figure that a process can have. */
static enum snap_status check_figures(const struct model *model, struct snap_error *err)
{
	for (uint32_t i = 0; i < model->site_count; i++) {
		const struct snap_site *row = &model->sites[i].row;
		const uint64_t figures[] = {row->live_bytes, row->live_blocks, row->allocated_bytes,
					    row->allocated_blocks};

		for (size_t k = 0; k < sizeof(figures) / sizeof(*figures); k++)
			if (figures[k] > INT64_MAX && figures[k] != SNAP_UNKNOWN)
				return fail(err, SNAP_ECORRUPT,
					    "%s: a site holds %" PRIu64
					    ", which is more than memory can",
					    model->source ? model->source : "snapshot", figures[k]);
	}
	return SNAP_OK;
}

/* A location without frames is stored as one nameless frame, hence the sum of both counts. */
static bool loading_reserve(struct loading *load)
{
	const struct model *model = load->model;
	size_t frames = (size_t)model->location_count + 1;

	for (uint32_t i = 0; i < model->location_count; i++)
		frames += model->locations[i].frame_count;
	load->strings = calloc((size_t)model->string_count + 1, sizeof(*load->strings));
	load->module_hashes = calloc((size_t)model->module_count + 1, sizeof(*load->module_hashes));
	load->modules = calloc((size_t)model->module_count + 1, sizeof(*load->modules));
	load->locations = calloc((size_t)model->location_count + 1, sizeof(*load->locations));
	load->first_frame = calloc((size_t)model->location_count + 1, sizeof(*load->first_frame));
	load->frames = calloc(frames, sizeof(*load->frames));
	load->nodes = calloc((size_t)model->node_count + 1, sizeof(*load->nodes));
	load->cells = calloc((size_t)model->site_count + 1, sizeof(*load->cells));
	load->births = calloc((size_t)model->cohort_count + 1, sizeof(*load->births));
	return load->strings && load->module_hashes && load->modules && load->locations &&
	       load->first_frame && load->frames && load->nodes && load->cells && load->births;
}

static void loading_release(struct loading *load)
{
	free(load->strings);
	free(load->module_hashes);
	free(load->modules);
	free(load->locations);
	free(load->first_frame);
	free(load->frames);
	free(load->nodes);
	free(load->cells);
	free(load->births);
	free(load->json);
}

static enum snap_status load_rows(struct loading *load, struct snap_error *err)
{
	const struct model *model = load->model;
	int64_t run_id = 0;
	enum snap_status status = check_figures(model, err);

	if (status == SNAP_OK)
		status = load_run(load, &run_id, err);
	if (status == SNAP_OK)
		status = load_snapshot(load, run_id, err);
	if (status == SNAP_OK)
		status = load_meta(load, err);
	if (status != SNAP_OK)
		return status;
	for (uint32_t i = 0; i < model->string_count; i++)
		load->strings[i] = hash_bytes(model->strings[i].data, model->strings[i].size);
	status = load_modules(load, err);
	if (status != SNAP_OK || load->facts_only)
		return status;
	status = load_locations(load, err);
	if (status != SNAP_OK)
		return status;
	hash_nodes(load);
	return load_sites(load, err);
}

/* Rows that a rollback took away must not be found any more. */
static void forget_rows(struct store *store)
{
	intern_clear(&store->modules);
	intern_clear(&store->frames);
	intern_clear(&store->sites);
}

static enum snap_status find_digest(struct store *store, uint64_t digest, int64_t *snapshot_id,
				    struct snap_error *err)
{
	sqlite3_stmt *statement = database_statement(store, STATEMENT_find_digest, err);
	int code;

	*snapshot_id = 0;
	if (!statement)
		return SNAP_ESYSTEM;
	sqlite3_bind_int64(statement, 1, (int64_t)digest);
	code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		*snapshot_id = sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	return code == SQLITE_ROW || code == SQLITE_DONE
		       ? SNAP_OK
		       : database_fail(store, err, "cannot be read");
}

bool store_has_digest(struct store *store, uint64_t digest, int64_t *snapshot_id)
{
	return find_digest(store, digest, snapshot_id, NULL) == SNAP_OK && *snapshot_id != 0;
}

struct extra_labels {
	const char *const *keys, *const *values;
	size_t count;
};

static enum snap_status load_unless_known(struct loading *load, const struct extra_labels *labels,
					  bool *already, struct snap_error *err)
{
	enum snap_status status =
		find_digest(load->store, load->model->digest, &load->snapshot_id, err);

	*already = load->snapshot_id != 0;
	if (status == SNAP_OK && !*already) {
		if (!loading_reserve(load))
			return fail_memory(err, "loading a snapshot");
		status = load_rows(load, err);
	}
	for (size_t i = 0; status == SNAP_OK && i < labels->count; i++)
		status = insert_pair(load, STATEMENT_insert_label, labels->keys[i],
				     labels->values[i], err);
	return status;
}

/* One snapshot, one transaction: after a failure the database is as it was. */
static enum snap_status load_in_transaction(struct loading *load, const struct extra_labels *labels,
					    bool *already, struct snap_error *err)
{
	struct store *store = load->store;
	enum snap_status status;

	store_symbol_flush(store);
	status = database_run(store, "BEGIN IMMEDIATE", "cannot be written", err);
	if (status != SNAP_OK)
		return status;
	status = load_unless_known(load, labels, already, err);
	if (status == SNAP_OK)
		status = database_run(store, "COMMIT", "cannot be written", err);
	if (status != SNAP_OK) {
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
		forget_rows(store);
	}
	loading_release(load);
	return status;
}

enum snap_status store_load(struct store *store, const struct model *model,
			    const struct site_identity *identities, const char *const *label_keys,
			    const char *const *label_values, size_t label_count,
			    int64_t *snapshot_id, bool *already, struct snap_error *err)
{
	struct loading load = {.store = store, .model = model, .identities = identities};
	struct extra_labels labels = {label_keys, label_values, label_count};
	enum snap_status status = load_in_transaction(&load, &labels, already, err);

	*snapshot_id = load.snapshot_id;
	return status;
}

enum snap_status store_load_facts(struct store *store, const struct model *model,
				  int64_t *snapshot_id, struct snap_error *err)
{
	struct loading load = {.store = store, .model = model, .facts_only = true};
	struct extra_labels none = {NULL, NULL, 0};
	bool already;
	enum snap_status status = load_in_transaction(&load, &none, &already, err);

	*snapshot_id = load.snapshot_id;
	return status;
}
