/*
 * test_input_memory.c - the importers when memory runs out: at the 1st, 2nd, ... allocation, until they
 * succeed.
 */
/* links: cmd_input */
#include <criterion/criterion.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include "failing_memory.h"
#include "base/fail.h"
#include "input/input.h"

TestSuite(input_memory, .disabled = !ALLOCATOR_IS_OURS);

/* What is tried: it leaves nothing allocated, whether it succeeds or not. */
typedef enum snap_status attempt_fn(const void *with, struct snap_error *err);

/* Returns how many allocations could fail. */
static int fail_each_allocation(attempt_fn *attempt, const void *with)
{
	for (int n = 1;; n++) {
		struct snap_error err = {0};
		long live_before = live;
		enum snap_status st;

		failing = n;
		has_failed = false;
		st = attempt(with, &err);
		failing = 0;
		cr_assert_eq(live, live_before, "allocation %d: %ld blocks were lost", n,
			     live - live_before);
		if (!has_failed) {
			cr_assert_eq(st, SNAP_OK, "%s", err.message);
			return n - 1;
		}
		if (st == SNAP_OK) /* the allocation only saved time */
			continue;
		cr_assert(st == SNAP_ENOMEM || st == SNAP_ESYSTEM, "allocation %d: %d, %s", n,
			  (int)st, err.message);
		cr_assert_not_null(strstr(err.message, "memory"), "%s", err.message);
	}
}

/* ---- files ---- */

struct source {
	const char *path;
	struct input_options options;
};

static enum snap_status read_source(const void *with, struct snap_error *err)
{
	const struct source *source = with;
	struct model *model = NULL;
	enum snap_status st = input_read(&model, source->path, &source->options, err);

	cr_assert_eq(st == SNAP_OK, model != NULL);
	model_free(model);
	return st;
}

static void read_without_memory(const char *path, bool salvage, int least)
{
	struct source source = {path, {.salvage = salvage}};

	cr_assert_geq(fail_each_allocation(read_source, &source), least, "%s", path);
}

/* The least are allocations that no reader can do without: a buffer, rows, texts. */
Test(input_memory, a_snapshot)
{
	read_without_memory(TESTDATA "/golden/chunks.snap", false, 10);
	read_without_memory(TESTDATA "/golden/held.snap", false, 10);
	read_without_memory(TESTDATA "/golden/sampled.snap", false, 10);
}

Test(input_memory, a_newer_snapshot)
{
	read_without_memory(TESTDATA "/bad/minor-7.snap", false, 5);
}

Test(input_memory, the_text_form)
{
	read_without_memory(TESTDATA "/golden/chunks.txt", false, 8);
	read_without_memory(TESTDATA "/golden/held.txt", false, 8);
	read_without_memory(TESTDATA "/golden/sampled.txt", false, 8);
}

Test(input_memory, a_dump_of_tracemalloc)
{
	read_without_memory(TESTDATA "/tracemalloc/3.11.before.dump", false, 8);
	read_without_memory(TESTDATA "/tracemalloc/3.6.before.dump", false, 8);
}

static void copy_file(const char *from, const char *to, size_t leave_out, bool packed)
{
	char bytes[65536];
	FILE *in = fopen(from, "r"), *out = NULL;
	size_t size;

	cr_assert_not_null(in);
	size = fread(bytes, 1, sizeof(bytes), in);
	fclose(in);
	cr_assert(size > leave_out && size < sizeof(bytes));
	size -= leave_out;
	if (packed) {
		gzFile file = gzopen(to, "w");

		cr_assert_eq(gzwrite(file, bytes, (unsigned)size), (int)size);
		cr_assert_eq(gzclose(file), Z_OK);
		return;
	}
	out = fopen(to, "w");
	cr_assert_eq(fwrite(bytes, 1, size, out), size);
	fclose(out);
}

static char place[] = "/tmp/snapdiff-test-XXXXXX";

static const char *in_place(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", place, name);
	return path;
}

static void make_place(void)
{
	cr_assert_not_null(mkdtemp(place));
}

static void remove_place(const char *const *names)
{
	for (; *names; names++)
		unlink(in_place(*names));
	cr_assert_eq(rmdir(place), 0, "something else was left in %s", place);
}

Test(input_memory, packed_and_torn_files)
{
	static const char *const names[] = {"packed", "torn", NULL};

	make_place();
	copy_file(TESTDATA "/golden/held.txt", in_place("packed"), 0, true);
	copy_file(TESTDATA "/golden/chunks.snap", in_place("torn"), 40, false);
	read_without_memory(in_place("packed"), false, 10);
	read_without_memory(in_place("torn"), true, 10);
	remove_place(names);
}

/* ---- directories ---- */

static void ignore_skipped(void *user, const char *path, const char *sentence)
{
	(void)path;
	(void)sentence;
	++*(int *)user;
}

static enum snap_status list_place(const void *with, struct snap_error *err)
{
	char **paths = NULL;
	size_t count = 0;
	int skipped = 0;
	enum snap_status st =
		input_list_directory(with, ignore_skipped, &skipped, &paths, &count, err);

	if (st == SNAP_OK) {
		cr_assert_eq(count, 2);
		cr_assert_eq(skipped, 3);
		input_free_list(paths, count);
	}
	return st;
}

static enum snap_status read_time(const void *with, struct snap_error *err)
{
	struct input_time time;

	return input_read_time(with, &time, err);
}

Test(input_memory, a_directory)
{
	static const char *const names[] = {"a.snap",    "b.snap",   "torn.snap",
					    "gone.snap", "dir.snap", NULL};

	make_place();
	copy_file(TESTDATA "/golden/held.txt", in_place("a.snap"), 0, false);
	copy_file(TESTDATA "/golden/chunks.snap", in_place("b.snap"), 0, false);
	fclose(fopen(in_place("torn.snap"), "w"));
	cr_assert_eq(symlink("nowhere", in_place("gone.snap")), 0);
	cr_assert_eq(mkfifo(in_place("dir.snap"), 0600), 0);
	cr_assert_geq(fail_each_allocation(list_place, place), 10);
	cr_assert_geq(fail_each_allocation(read_time, in_place("b.snap")), 5);
	remove_place(names);
}

/* ---- writing ---- */

static struct model *model_of(const char *path)
{
	struct model *model = NULL;

	cr_assert_eq(input_read(&model, path, NULL, NULL), SNAP_OK);
	return model;
}

static enum snap_status dump(const void *with, struct snap_error *err)
{
	FILE *out = fopen("/dev/null", "w");
	enum snap_status st = out ? input_write_text_with_errors(with, out, err)
				  : fail_memory(err, "opening what the test writes to");

	if (out)
		fclose(out);
	return st;
}

static enum snap_status write_baseline(const void *with, struct snap_error *err)
{
	const struct model *runs[] = {with, with};
	FILE *out = fopen("/dev/null", "w");
	enum snap_status st = out ? input_write_baseline(runs, 2, out, err)
				  : fail_memory(err, "opening what the test writes to");

	if (out)
		fclose(out);
	return st;
}

Test(input_memory, texts_are_written)
{
	struct model *model = model_of(TESTDATA "/golden/sampled.snap");

	cr_assert_geq(fail_each_allocation(dump, model), 2);
	cr_assert_geq(fail_each_allocation(write_baseline, model), 4);
	model_free(model);
	model = model_of(TESTDATA "/golden/held.txt");
	cr_assert_geq(fail_each_allocation(dump, model), 2);
	model_free(model);
}

static enum snap_status build(const void *with, struct snap_error *err)
{
	enum snap_status st = input_write_snap(with, in_place("built.snap"), err);
	struct stat info;

	if (st == SNAP_OK)
		cr_assert_eq(unlink(in_place("built.snap")), 0);
	cr_assert_neq(stat(in_place("built.snap"), &info), 0, "a failure left a file");
	return st;
}

Test(input_memory, a_snapshot_is_written)
{
	static const char *const names[] = {NULL};
	struct model *model = model_of(TESTDATA "/golden/held.txt");

	make_place();
	cr_assert_geq(fail_each_allocation(build, model), 2);
	remove_place(names);
	model_free(model);
}
