/*
 * load.c - a model becomes rows, in one transaction: the process, the snapshot and its facts here,
 * call stacks and figures next door.
 */
#include "store/sqlite/loading.h"

#include <stdlib.h>
#include <string.h>

#include "model/bounds.h"
#include "store/meta.h"

static void bind_text(sqlite3_stmt *statement, int at, const char *text)
{
	if (text && *text)
		sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
	else
		sqlite3_bind_null(statement, at);
}

/* ---- the snapshot itself ---- */

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
	enum snap_status st = model_totals(model, &totals, err);
	sqlite3_stmt *statement;

	if (st == SNAP_OK)
		st = model_check_figures(model, &totals, err);
	if (st != SNAP_OK)
		return st;
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
	st = database_step(load->store, statement, "cannot be written", err);
	load->snapshot_id = sqlite3_last_insert_rowid(load->store->db);
	return st;
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

static enum snap_status load_meta(struct loading *load, struct snap_error *err)
{
	static const enum statement inserts[] = {
		[STORE_META_LABEL] = STATEMENT_insert_label,
		[STORE_META_METRIC] = STATEMENT_insert_metric,
		[STORE_META_LOSS] = STATEMENT_insert_loss,
		[STORE_META_OTHER] = STATEMENT_insert_meta,
	};
	const struct model *model = load->model;
	enum snap_status st = SNAP_OK;

	for (uint32_t i = 0; st == SNAP_OK && i < model->meta_count; i++) {
		const char *key = model_text(model, model->meta[i].key);
		enum store_meta kind = store_meta_of(&key);

		if (kind != STORE_META_FIELD)
			st = insert_pair(load, inserts[kind], key,
					 model_text(model, model->meta[i].value), err);
	}
	return st;
}

/* ---- the whole ---- */

static void loading_release(struct loading *load)
{
	free(load->module_ids);
	free(load->site_ids);
	free(load->new_sites);
	free(load->identities);
	free(load->frame_ids);
	free(load->first_frame);
	free(load->id_text);
	free(load->first_text);
	free(load->stack);
}

void *loading_array(size_t count, size_t size)
{
	return calloc(count + 1, size);
}

static enum snap_status load_rows(struct loading *load, struct snap_error *err)
{
	int64_t run_id = 0;
	enum snap_status st = load_run(load, &run_id, err);

	if (st == SNAP_OK)
		st = load_snapshot(load, run_id, err);
	if (st == SNAP_OK)
		st = load_meta(load, err);
	if (st != SNAP_OK)
		return st;
	st = load_modules(load, err);
	if (st == SNAP_OK && load->part != STORE_FACTS)
		st = load_stacks(load, err);
	if (st == SNAP_OK && load->part != STORE_FACTS)
		st = load_figures(load, err);
	if (st == SNAP_OK && load->part != STORE_FACTS)
		st = load_holders(load, err);
	return st;
}

void database_forget_rows(struct store *store)
{
	intern_clear(&store->modules);
	intern_clear(&store->frames);
	intern_clear(&store->sites);
	store->forgot = true;
}

static enum snap_status learn_table(struct store *store, enum statement which,
				    struct intern *intern, struct snap_error *err)
{
	sqlite3_stmt *row = database_statement(store, which, err);
	struct hash128 hash;
	int code;

	if (!row)
		return SNAP_ESYSTEM;
	while ((code = sqlite3_step(row)) == SQLITE_ROW) {
		if (sqlite3_column_bytes(row, 0) != sizeof(hash))
			continue;
		memcpy(&hash, sqlite3_column_blob(row, 0), sizeof(hash));
		if (!intern_add(intern, hash, sqlite3_column_int64(row, 1)))
			return fail_memory(err, "loading a snapshot");
	}
	sqlite3_reset(row);
	return code == SQLITE_DONE ? SNAP_OK : database_fail(store, err, "cannot be read");
}

/* A private database has no indexes to find rows by: read again which rows a rollback left. */
static enum snap_status learn_rows(struct store *store, struct snap_error *err)
{
	enum snap_status st = SNAP_OK;

	if (!store->in_memory || !store->forgot)
		return SNAP_OK;
	st = learn_table(store, STATEMENT_known_modules, &store->modules, err);
	if (st == SNAP_OK)
		st = learn_table(store, STATEMENT_known_frames, &store->frames, err);
	if (st == SNAP_OK)
		st = learn_table(store, STATEMENT_known_sites, &store->sites, err);
	store->forgot = st != SNAP_OK;
	return st;
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

static enum snap_status prepare_and_load(struct loading *load, struct snap_error *err)
{
	struct store_prepared *made = NULL;
	enum snap_status st;

	if (!load->prepared) {
		made = load->part == STORE_FACTS ? prepare_facts(load->model)
						 : store_prepare(load->model);
		load->prepared = made;
	}
	st = load->prepared ? load_rows(load, err) : fail_memory(err, "loading a snapshot");
	store_prepared_free(made);
	return st;
}

static enum snap_status load_unless_known(struct loading *load, const struct store_labels *labels,
					  bool *already, struct snap_error *err)
{
	enum snap_status st =
		find_digest(load->store, load->model->digest, &load->snapshot_id, err);

	*already = load->snapshot_id != 0;
	if (st == SNAP_OK && !*already)
		st = prepare_and_load(load, err);
	for (size_t i = 0; st == SNAP_OK && labels && i < labels->count; i++)
		st = insert_pair(load, STATEMENT_insert_label, labels->keys[i], labels->values[i],
				 err);
	return st;
}

/* One snapshot, one transaction: after a failure the database is as it was. */
static enum snap_status load_in_transaction(struct loading *load, const struct store_labels *labels,
					    bool *already, struct snap_error *err)
{
	struct store *store = load->store;
	const struct array_mark mark = arrays_mark(&store->arrays);
	enum snap_status st;

	store_symbol_flush(store);
	st = learn_rows(store, err);
	if (st == SNAP_OK)
		st = database_run(store, "BEGIN IMMEDIATE", "cannot be written", err);
	if (st != SNAP_OK)
		return st;
	st = load_unless_known(load, labels, already, err);
	if (st == SNAP_OK)
		st = database_run(store, "COMMIT", "cannot be written", err);
	if (st != SNAP_OK) {
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
		arrays_undo(&store->arrays, &mark);
		database_forget_rows(store);
	}
	loading_release(load);
	return st;
}

enum snap_status store_load(struct store *store, const struct model *model,
			    const struct store_prepared *prepared, enum store_part part,
			    const struct store_labels *labels, int64_t *snapshot_id, bool *already,
			    struct snap_error *err)
{
	struct loading load = {.store = store, .model = model, .prepared = prepared, .part = part};
	enum snap_status st = load_in_transaction(&load, labels, already, err);

	*snapshot_id = load.snapshot_id;
	return st;
}
