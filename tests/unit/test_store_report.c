/*
 * test_store_report.c - a store for one report gives the rows that one of tables gives.
 */
/* links: cmd_store cmd_model */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/store.h"

/* ---- snapshots ---- */

/* A location that has an address and two frames, or is one frame of the same name. */
static uint32_t location_of(struct model *model, const char *function, bool inlined)
{
	struct snap_module module = {.path = model_cstring(model, "/bin/server"),
				     .build_id = model_cstring(model, "abcd")};
	uint32_t module_id = model_module_intern(model, &module);
	struct snap_frame frames[2] = {
		{model_cstring(model, "inner"), model_cstring(model, "inner.h"), 4,
		 SNAP_FRAME_INLINED},
		{model_cstring(model, function), model_cstring(model, "main.c"), 9, 0}};
	struct snap_location location = {.module = module_id,
					 .flags = SNAP_LOCATION_HAS_ADDRESS,
					 .address = 0x1234,
					 .frame_count = 2};

	return inlined ? model_location_add(model, &location, frames)
		       : model_symbolic_location(model, module_id, &frames[1]);
}

static void add_site(struct model *model, uint32_t node, const char *domain, uint64_t bytes)
{
	struct snap_site row = {.node = node,
				.domain = model_cstring(model, domain),
				.live_bytes = bytes,
				.live_blocks = 1,
				.allocated_bytes = SNAP_UNKNOWN,
				.allocated_blocks = SNAP_UNKNOWN};
	struct snap_variance variance = {.live_bytes = (double)bytes / 2};

	model_site_add(model, &row, NULL, &variance);
}

/* main -> put in two domains, twice in one of them; `other` below main, with an inlined frame; and
 * a site without a stack. */
static struct model *snapshot(const char *seq, const char *other, uint64_t bytes)
{
	struct model *model = model_new();
	uint32_t top = model_node_intern(model, SNAP_NONE, location_of(model, "main", false));
	uint32_t put = model_node_intern(model, top, location_of(model, "put", false));

	model_meta_set(model, "seq", seq);
	model_meta_set(model, "sample_period", "512");
	add_site(model, put, "malloc", bytes);
	add_site(model, put, "gpu", 7);
	add_site(model, put, "malloc", 1);
	add_site(model, model_node_add(model, top, location_of(model, other, true)), "malloc", 20);
	add_site(model, SNAP_NONE, "malloc", 3);
	model->digest = model_digest(model);
	return model;
}

/* ---- what a store gives, as text ---- */

static enum snap_status tell_frame(void *user, const struct store_frame *row)
{
	fprintf(user, "frame %" PRId64 " %s %s:%" PRIu32 " %s %d %d %" PRIx64 "\n", row->id,
		row->function, row->file, row->line, row->module, row->inlined, row->has_address,
		row->address);
	return SNAP_OK;
}

static enum snap_status tell_site(void *user, const struct store_site *row)
{
	fprintf(user, "site %" PRId64 " %s %" PRIx64 " %" PRIx64 " %" PRIx64 " %" PRIu32, row->id,
		row->domain, row->identity.exact, row->identity.line, row->identity.function,
		row->identity.named);
	for (uint32_t i = 0; i < row->depth; i++)
		fprintf(user, " %" PRId64, row->frames[i]);
	fputs("\n", user);
	return SNAP_OK;
}

static enum snap_status tell_cell(void *user, const struct store_cell *row)
{
	fprintf(user, "cell %" PRIu32 " %" PRId64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %g\n",
		row->snapshot, row->site_id, row->live_bytes, row->live_blocks,
		row->allocated_bytes, row->variance.live_bytes);
	return SNAP_OK;
}

/* All rows of the snapshots `ids`. */
static char *rows_of(struct store *store, const int64_t *ids, size_t count)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	cr_assert_eq(store_each_frame(store, ids, count, tell_frame, out, NULL), SNAP_OK);
	cr_assert_eq(store_each_site(store, ids, count, tell_site, out, NULL), SNAP_OK);
	cr_assert_eq(store_each_cell(store, ids, count, tell_cell, out, NULL), SNAP_OK);
	cr_assert_eq(fclose(out), 0);
	return text;
}

static struct store *store_of(enum store_mode mode, int64_t ids[2])
{
	struct model *models[2] = {snapshot("1", "gone", 100), snapshot("2", "new", 101)};
	struct store *store;
	bool already;

	cr_assert_eq(store_open(&store, NULL, mode, NULL), SNAP_OK);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(
			store_load(store, models[i], NULL, NULL, NULL, 0, &ids[i], &already, NULL),
			SNAP_OK);
		cr_assert_not(already);
		model_free(models[i]);
	}
	return store;
}

static void check_equal(size_t first, size_t count)
{
	int64_t table_ids[2], report_ids[2];
	struct store *tables = store_of(STORE_CREATE, table_ids);
	struct store *report = store_of(STORE_REPORT, report_ids);
	char *expected = rows_of(tables, table_ids + first, count);
	char *got = rows_of(report, report_ids + first, count);

	cr_assert(strstr(expected, "cell 0"), "%s", expected);
	cr_assert_str_eq(got, expected);
	free(expected);
	free(got);
	store_close(tables);
	store_close(report);
}

Test(store_report, two_snapshots_give_the_rows_that_tables_give)
{
	check_equal(0, 2);
}

Test(store_report, one_of_two_snapshots_gives_its_own_rows_only)
{
	check_equal(0, 1);
	check_equal(1, 1);
}

Test(store_report, rows_of_one_stack_and_domain_are_added_up)
{
	int64_t ids[2];
	struct store *store = store_of(STORE_REPORT, ids);
	char *rows = rows_of(store, ids, 1);

	cr_assert(strstr(rows, "cell 0 1 101 2 18446744073709551615 50.5\n"), "%s", rows);
	free(rows);
	store_close(store);
}

Test(store_report, equal_content_is_kept_once)
{
	int64_t ids[2], again;
	struct store *store = store_of(STORE_REPORT, ids);
	struct model *model = snapshot("2", "new", 101);
	bool already;

	cr_assert_eq(store_load(store, model, NULL, NULL, NULL, 0, &again, &already, NULL),
		     SNAP_OK);
	cr_assert(already);
	cr_assert_eq(again, ids[1]);
	model_free(model);
	store_close(store);
}

Test(store_report, preparing_beforehand_changes_nothing)
{
	int64_t ids[2], id;
	struct store *together = store_of(STORE_REPORT, ids);
	struct model *model = snapshot("1", "gone", 100);
	struct store_prepared *prepared = store_prepare(model);
	struct store *store;
	char *expected = rows_of(together, ids, 1), *got;
	bool already;

	cr_assert_eq(store_open(&store, NULL, STORE_REPORT, NULL), SNAP_OK);
	cr_assert_eq(store_load(store, model, prepared, NULL, NULL, 0, &id, &already, NULL),
		     SNAP_OK);
	store_prepared_free(prepared);
	model_free(model);
	got = rows_of(store, &id, 1);
	cr_assert_str_eq(got, expected);
	free(expected);
	free(got);
	store_close(store);
	store_close(together);
}
