/*
 * test_arrays.c - the tables of a private database, which are arrays, answer as those of a file do.
 */
/* links: cmd_store cmd_model */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/sqlite/arrays.h"

/* ---- numbers in few bytes ---- */

static const uint64_t numbers[] = {
	0, 1, 127, 128, 16383, 16384, UINT32_MAX, INT64_MAX - 1, (uint64_t)1 << 63, UINT64_MAX};
enum { NUMBERS = sizeof(numbers) / sizeof(*numbers) };

static struct packed pack(struct pile *pile)
{
	struct packing packing;
	struct packed packed;

	cr_assert(packing_reserve(&packing, 2 * (size_t)NUMBERS));
	for (int i = 0; i < NUMBERS; i++) {
		packing_put(&packing, numbers[i]);
		packing_put_signed(&packing, (int64_t)numbers[i]);
	}
	cr_assert(packing_keep(&packing, pile, &packed));
	return packed;
}

static void check_packed(const struct pile *pile, const struct packed *packed)
{
	struct packing packing;

	cr_assert(unpacking_begin(&packing, pile, packed));
	for (int i = 0; i < NUMBERS; i++) {
		cr_assert_eq(packing_get(&packing), numbers[i]);
		cr_assert_eq(packing_get_signed(&packing), (int64_t)numbers[i]);
	}
	cr_assert_eq(packing_get(&packing), 0, "beyond the end");
	unpacking_end(&packing, packed);
}

Test(packed, numbers_come_back_from_memory)
{
	struct pile pile = {0};
	struct packed packed = pack(&pile);

	check_packed(&pile, &packed);
	cr_assert_eq(pile.in_memory, packed.size);
	cr_assert(!pile.has_file);
	packed_release(&packed, &pile);
	cr_assert_eq(pile.in_memory, 0);
	pile_release(&pile);
}

Test(packed, numbers_beyond_the_limit_come_back_from_a_file_without_a_name)
{
	char dir[] = "/tmp/test_arrays.XXXXXX";
	struct pile pile = {.in_memory = PILE_MEMORY};
	struct packed first, second;

	cr_assert(mkdtemp(dir));
	setenv("SQLITE_TMPDIR", dir, 1);
	first = pack(&pile);
	second = pack(&pile);
	cr_assert(pile.has_file && !first.data && !second.data);
	check_packed(&pile, &second);
	check_packed(&pile, &first);
	cr_assert_eq(rmdir(dir), 0, "a file is left in it");
	pile_release(&pile);
}

Test(packed, a_file_that_cannot_be_made_is_an_error)
{
	struct pile pile = {.in_memory = PILE_MEMORY};
	struct packing packing;
	struct packed packed;

	setenv("SQLITE_TMPDIR", "/nonexistent", 1);
	cr_assert(packing_reserve(&packing, 1));
	packing_put(&packing, 5);
	cr_assert(!packing_keep(&packing, &pile, &packed));
	pile_release(&pile);
}

/* ---- rows by id ---- */

static void check_ids(const int64_t *rows, size_t count)
{
	struct ids ids;

	cr_assert(ids_make(&ids, rows, sizeof(*rows), count));
	for (size_t i = 0; i < count; i++) {
		size_t first = i;

		while (first > 0 && rows[first - 1] == rows[i])
			first--;
		cr_assert_eq(ids_find(&ids, rows[i]), first);
		cr_assert_eq(ids_find(&ids, rows[i] - 1) <= first, true);
	}
	cr_assert_eq(ids_find(&ids, INT64_MAX),
		     count && rows[count - 1] == INT64_MAX ? count - 1 : count);
	cr_assert_eq(ids_find(&ids, -1), 0);
	ids_release(&ids);
}

Test(ids, rows_are_found_whatever_their_ids)
{
	static const int64_t side_by_side[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
	static const int64_t apart[] = {1, 1 << 20, INT64_MAX / 3, INT64_MAX / 2, INT64_MAX};
	static const int64_t equal[] = {4, 4, 4, INT64_MAX - 5, INT64_MAX - 5};

	check_ids(side_by_side, 9);
	check_ids(apart, 5);
	check_ids(equal, 5);
	check_ids(equal, 0);
	check_ids(equal, 1);
}

/* ---- a private database and a file ---- */

static uint32_t location(struct model *model, unsigned function)
{
	struct snap_module module = {.path = model_cstring(model, "/lib/libpart.so"),
				     .build_id = model_cstring(model, "beef")};
	char name[32];
	struct snap_frame frame = {0};

	snprintf(name, sizeof(name), "function_%u", function);
	frame.function = model_cstring(model, name);
	if (function % 3)
		frame.file = model_cstring(model, "part.c");
	frame.line = function % 5;
	return model_symbolic_location(model, model_module_intern(model, &module), &frame);
}

/* Stacks of different depth; of one snapshot all figures are known, of another some are not. */
static struct model *snapshot(unsigned seq)
{
	struct model *model = model_new();
	char text[32];

	snprintf(text, sizeof(text), "%u", seq);
	model_meta_set(model, "seq", text);
	if (seq == 3)
		model_meta_set(model, "sample_period", "512");
	for (unsigned i = 0; i < 40; i++) {
		uint32_t node = SNAP_NONE;
		struct snap_cohort cohorts[2] = {{1, 1, i}, {2 + i, 2, 3}};
		struct snap_variance variance = {i, 2, i * 3, 4};
		struct snap_site row = {
			.domain = model_cstring(model, i % 4 ? "malloc" : "mmap"),
			.live_bytes = 7 * i + seq,
			.live_blocks = seq == 2 && i % 7 == 0 ? SNAP_UNKNOWN : i,
			.allocated_bytes = (uint64_t)i << 40,
			.allocated_blocks = 3 * i + 1,
			.cohort_count = i % 3,
		};

		if (i % 10 == seq)
			continue;
		for (unsigned depth = 0; depth < i % 6; depth++)
			node = model_node_intern(model, node, location(model, i * depth % 23));
		row.node = node;
		model_site_add(model, &row, cohorts, seq == 3 ? &variance : NULL);
	}
	model->digest = model_digest(model);
	return model;
}

static void load(struct store *store, unsigned seq)
{
	struct model *model = snapshot(seq);
	struct snap_error err = {0};
	bool already;
	int64_t id;

	cr_assert_eq(store_load(store, model, NULL, STORE_ALL, NULL, &id, &already, &err), SNAP_OK,
		     "%s", err.message);
	model_free(model);
}

static enum snap_status print(void *user, size_t columns, const char *const *names,
			      const struct store_value *row)
{
	(void)names;
	for (size_t i = 0; row && i < columns; i++) {
		if (row[i].type == STORE_INTEGER)
			fprintf(user, "%lld", (long long)row[i].integer);
		else if (row[i].type == STORE_REAL)
			fprintf(user, "%.17g", row[i].real);
		else if (row[i].type == STORE_NULL)
			fputs("NULL", user);
		else
			fprintf(user, "'%.*s'", (int)row[i].size, row[i].text);
		fputc(i + 1 < columns ? '|' : '\n', user);
	}
	return SNAP_OK;
}

static char *ask(struct store *store, const char *sql)
{
	struct store_query_options options = {0};
	struct snap_error err = {0};
	char *text = NULL;
	size_t size;
	bool truncated;
	FILE *out = open_memstream(&text, &size);

	cr_assert_eq(store_query(store, sql, &options, print, out, &truncated, &err), SNAP_OK,
		     "%s: %s", sql, err.message);
	fclose(out);
	return text;
}

static const char *const questions[] = {
	"SELECT id, hex(hash), module_id, address, function, file, line, inlined FROM frame "
	"ORDER BY hash",
	"SELECT id, hex(hash), domain, depth, key_exact, key_line, key_function, named FROM site",
	"SELECT s.id, f.function FROM site s LEFT JOIN frame f ON f.id = s.named_frame_id "
	"ORDER BY s.id DESC",
	"SELECT s.id, group_concat(f.function) FROM site s, json_each(s.frames) j "
	"JOIN frame f ON f.id = j.value GROUP BY s.id ORDER BY s.id",
	"SELECT * FROM live ORDER BY snapshot_id, site_id",
	"SELECT * FROM live WHERE snapshot_id = 2",
	"SELECT * FROM live WHERE snapshot_id = 2 ORDER BY site_id DESC",
	"SELECT * FROM live WHERE snapshot_id = '2' ORDER BY bytes",
	"SELECT * FROM live WHERE snapshot_id = 2.5",
	"SELECT * FROM live WHERE snapshot_id = 2.0",
	"SELECT * FROM live WHERE snapshot_id IS NULL OR snapshot_id = 99",
	"SELECT * FROM live WHERE snapshot_id IN (3, 1) ORDER BY site_id, snapshot_id",
	"SELECT count(*), sum(bytes) FROM live WHERE site_id IN (SELECT site_id FROM live WHERE "
	"snapshot_id = 1)",
	"SELECT * FROM live WHERE site_id = (SELECT max(id) FROM site) ORDER BY snapshot_id",
	"SELECT * FROM live WHERE site_id > (SELECT id FROM site ORDER BY id LIMIT 1 OFFSET 20) "
	"ORDER BY 1, 2",
	"SELECT a.site_id, a.bytes, b.bytes FROM live a JOIN live b ON b.site_id = a.site_id "
	"WHERE a.snapshot_id = 1 AND b.snapshot_id = 3 ORDER BY 1",
	"SELECT l.site_id, v.bytes, v.allocated_blocks FROM live l LEFT JOIN variance v "
	"ON v.snapshot_id = l.snapshot_id AND v.site_id = l.site_id ORDER BY l.snapshot_id, 1",
	"SELECT * FROM variance",
	"SELECT * FROM cohort",
	"SELECT * FROM cohort WHERE snapshot_id = 2 AND site_id = (SELECT max(site_id) FROM "
	"cohort WHERE snapshot_id = 2)",
	"SELECT site_id, birth_seq FROM cohort WHERE snapshot_id = 1 ORDER BY site_id, birth_seq",
	"SELECT snapshot_id, sum(blocks) FROM cohort GROUP BY snapshot_id",
	"SELECT * FROM history ORDER BY 1, site_id",
	"SELECT * FROM changes ORDER BY 1, 2, 3",
	"SELECT * FROM top",
	"SELECT * FROM stacks ORDER BY 1",
};

Test(arrays, a_private_database_answers_as_a_file_does)
{
	char dir[] = "/tmp/test_arrays.XXXXXX", path[64];
	struct store *file, *private;

	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/file.db", dir);
	cr_assert_eq(store_open(&file, path, STORE_CREATE, NULL), SNAP_OK);
	cr_assert_eq(store_open(&private, NULL, STORE_CREATE, NULL), SNAP_OK);
	for (unsigned seq = 1; seq <= 4; seq++) {
		load(file, seq);
		load(private, seq);
	}
	for (size_t i = 0; i < sizeof(questions) / sizeof(*questions); i++) {
		char *expected = ask(file, questions[i]), *given = ask(private, questions[i]);

		cr_expect(i == 8 || i == 10 || *expected, "no rows: %s", questions[i]);
		cr_expect_str_eq(given, expected, "%s", questions[i]);
		free(expected);
		free(given);
	}
	store_close(file);
	store_close(private);
	unlink(path);
	rmdir(dir);
}

/* ---- the call stacks of some snapshots ---- */

/* "ID|DOMAIN|DEPTH|KEYS|NAMED|[FRAMES]", as STACKS_OF says it in SQL. */
static enum snap_status print_site(void *user, const struct store_site *row)
{
	fprintf(user, "%lld|'%s'|%u|%lld|%lld|%lld|%u|'[", (long long)row->id, row->domain,
		row->depth, (long long)row->identity.exact, (long long)row->identity.line,
		(long long)row->identity.function, row->identity.named);
	for (uint32_t i = 0; i < row->depth; i++)
		fprintf(user, "%s%lld", i ? "," : "", (long long)row->frames[i]);
	fputs("]'\n", user);
	return SNAP_OK;
}

static char *each_site(struct store *store, const int64_t *ids, size_t count)
{
	struct snap_error err = {0};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	cr_assert_eq(store_each_site(store, ids, count, print_site, out, &err), SNAP_OK, "%s",
		     err.message);
	fclose(out);
	return text;
}

#define STACKS_OF                                                                                  \
	"SELECT id, domain, depth, ifnull(key_exact, 0), ifnull(key_line, 0), "                    \
	"ifnull(key_function, 0), max(named, -1 - named) * (max(named, -1 - named) < depth), "     \
	"frames FROM site WHERE id IN (SELECT site_id FROM live WHERE snapshot_id IN (%s)) "       \
	"ORDER BY id"

static void check_sites_of(struct store *store, const char *which, const int64_t *ids, size_t count,
			   const char *listed)
{
	char sql[512], *expected, *given;

	snprintf(sql, sizeof(sql), STACKS_OF, listed);
	expected = ask(store, sql);
	given = each_site(store, ids, count);
	cr_expect_str_eq(given, expected, "%s, snapshots %s", which, listed);
	free(expected);
	free(given);
}

/* Each snapshot leaves out other stacks, so that every subset of them has stacks of its own. */
Test(arrays, call_stacks_of_some_snapshots_are_those_that_hold_something_there)
{
	char dir[] = "/tmp/test_arrays.XXXXXX", path[64], *of_all, *of_one;
	struct store *file, *private;
	int64_t all[4] = {1, 2, 3, 4};

	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/file.db", dir);
	cr_assert_eq(store_open(&file, path, STORE_CREATE, NULL), SNAP_OK);
	cr_assert_eq(store_open(&private, NULL, STORE_CREATE, NULL), SNAP_OK);
	for (unsigned seq = 1; seq <= 4; seq++) {
		load(file, seq);
		load(private, seq);
	}
	for (unsigned subset = 0; subset < 16; subset++) {
		int64_t ids[8];
		char listed[64] = "NULL";
		size_t count = 0;

		for (int i = 3; i >= 0; i--)
			if (subset >> i & 1) {
				ids[count++] = i + 1;
				snprintf(listed + strlen(listed), sizeof(listed) - strlen(listed),
					 ",%d", i + 1);
			}
		check_sites_of(file, "file", ids, count, listed);
		check_sites_of(private, "private", ids, count, listed);
		ids[count++] = 99; /* is not there */
		ids[count] = ids[0];
		check_sites_of(private, "private, one unknown, one twice", ids, count + 1, listed);
	}
	of_all = each_site(private, all, 4);
	of_one = each_site(private, all, 1);
	cr_expect_lt(strlen(of_one), strlen(of_all), "a subset is one");
	free(of_all);
	free(of_one);
	store_close(file);
	store_close(private);
	unlink(path);
	rmdir(dir);
}

/* A load that fails leaves nothing behind, and what it brought can be loaded again. */
Test(arrays, a_load_that_failed_is_forgotten)
{
	const struct store_labels no_value = {(const char *[]){"label"}, (const char *[]){NULL},
					      1}; /* refused after the rest */
	struct model *bad = snapshot(2);
	struct snap_error err = {0};
	struct store *store;
	bool already;
	int64_t id;
	char *before, *after;

	cr_assert_eq(store_open(&store, NULL, STORE_CREATE, NULL), SNAP_OK);
	load(store, 1);
	before = ask(store, questions[1]);
	cr_assert_neq(store_load(store, bad, NULL, STORE_ALL, &no_value, &id, &already, &err),
		      SNAP_OK);
	model_free(bad);
	after = ask(store, questions[1]);
	cr_assert_str_eq(after, before);
	load(store, 2);
	load(store, 3);
	free(before);
	free(after);
	after = ask(store, "SELECT snapshot_id, sum(bytes) FROM live GROUP BY 1");
	cr_assert_str_eq(after, "1|5048\n2|5056\n3|5064\n");
	free(after);
	store_close(store);
}
