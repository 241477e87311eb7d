/*
 * test_snapshots.c - what the user names -> which snapshots, in which order.
 */
/* links: cmd_snapshots cmd_input cmd_symbols cmd_store cmd_model */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail.h"
#include "snapshots/snapshots.h"

/* ---- inputs ---- */

static char directory[] = "/tmp/test_snapshots.XXXXXX";

static void enter_scratch(void)
{
	cr_assert(mkdtemp(directory));
	cr_assert_eq(chdir(directory), 0);
	setenv("XDG_CACHE_HOME", directory, 1);
}

static void leave_scratch(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", directory);
	cr_assert_eq(system(command), 0);
}

/* A process: its program, pid and the second in which it began. */
struct process {
	const char *program;
	unsigned pid, start;
};

static const struct process server = {"server", 42, 100};

/* Its snapshot number `seq`, taken in second `time`, which is also what it holds, in bytes. */
static void snapshot(const char *path, const struct process *process, unsigned seq, unsigned time,
		     const char *label)
{
	FILE *out = fopen(path, "we");

	cr_assert(out, "%s", path);
	fprintf(out, "#snaptext 1\n@ program\t%s\n@ pid\t%u\n@ start_time_ns\t%u000000000\n",
		process->program, process->pid, process->start);
	fprintf(out, "@ seq\t%u\n@ time_ns\t%u000000000\n", seq, time);
	if (label)
		fprintf(out, "@ label\t%s\n", label);
	fprintf(out, "%u\t1\t%u\t1\tmalloc\t-\tleak|a.c|1|%s\n", time, time, process->program);
	cr_assert_eq(fclose(out), 0);
}

static struct snapshots *snapshots_with(const struct snapshots_options *options)
{
	struct snap_error err = {0};
	struct snapshots *snapshots;

	cr_assert_eq(snapshots_open(&snapshots, options, &err), SNAP_OK, "%s", err.message);
	return snapshots;
}

static struct snapshots *private_snapshots(void)
{
	const struct snapshots_options options = {.quiet = true};

	return snapshots_with(&options);
}

static void refuse(const char *sentence)
{
	(void)sentence;
}

/* A database of the snapshots in `dir`. */
static struct snapshots *database_snapshots(const char *dir,
					    const struct snapshots_options *options)
{
	const struct snapshots_options writing = {.db = "test.db", .write = true, .quiet = true};
	const struct store_labels none = {NULL, NULL, 0};
	struct snapshots *snapshots = snapshots_with(&writing);
	struct snapshots_options reading = *options;
	struct snapshots_loaded done;
	struct snap_error err = {0};

	cr_assert_eq(snapshots_load(snapshots, &dir, 1, &none, NULL, refuse, &done, &err), SNAP_OK,
		     "%s", err.message);
	snapshots_close(snapshots);
	reading.db = "test.db";
	reading.quiet = true;
	return snapshots_with(&reading);
}

/* ---- which are chosen: a snapshot holds as many bytes as the second in which it was taken ---- */

struct lookup {
	int64_t id;
	uint64_t bytes;
};

static enum snap_status look(void *user, const struct store_snapshot *row)
{
	struct lookup *lookup = user;

	if (row->id == lookup->id)
		lookup->bytes = row->live_bytes;
	return SNAP_OK;
}

static uint64_t bytes_of(struct snapshots *snapshots, int64_t id)
{
	struct lookup lookup = {id, 0};

	cr_assert_eq(store_each_snapshot(snapshots_store(snapshots), look, &lookup, NULL), SNAP_OK);
	return lookup.bytes;
}

static void one_is(struct snapshots *snapshots, const char *name, uint64_t bytes)
{
	struct snap_error err = {0};
	int64_t id = 0;

	cr_assert_eq(snapshots_one(snapshots, name, &id, &err), SNAP_OK, "%s", err.message);
	cr_assert_eq(bytes_of(snapshots, id), bytes, "%s is the one of %" PRIu64,
		     name ? name : "nothing", bytes_of(snapshots, id));
}

static void one_fails(struct snapshots *snapshots, const char *name, enum snap_status st,
		      const char *words)
{
	struct snap_error err = {0};
	int64_t id = 0;

	cr_assert_eq(snapshots_one(snapshots, name, &id, &err), st, "%s", err.message);
	cr_assert(strstr(err.message, words), "'%s' should say '%s'", err.message, words);
}

typedef enum snap_status many_fn(struct snapshots *snapshots, const char *const *names,
				 size_t name_count, int64_t **ids, size_t *count,
				 struct snap_error *err);

/* `names` is a list of words; `expected` is a list of bytes. */
static void many_are(many_fn *many, struct snapshots *snapshots, const char *names,
		     const char *expected)
{
	char *words = strdup(names), *rest = words, text[256] = "";
	const char *list[16];
	struct snap_error err = {0};
	size_t name_count = 0, count;
	int64_t *ids;

	for (char *word; (word = strsep(&rest, " "));)
		if (*word)
			list[name_count++] = word;
	cr_assert_eq(many(snapshots, list, name_count, &ids, &count, &err), SNAP_OK, "%s",
		     err.message);
	for (size_t i = 0; i < count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%" PRIu64,
			 i ? " " : "", bytes_of(snapshots, ids[i]));
	cr_assert_str_eq(text, expected, "%s gives %s", names, text);
	free(ids);
	free(words);
}

/* The snapshots of all series, one series after the other. */
static enum snap_status series_of(struct snapshots *snapshots, const char *const *names,
				  size_t name_count, int64_t **ids, size_t *count,
				  struct snap_error *err)
{
	struct snapshots_series_list list;
	enum snap_status st = snapshots_series(snapshots, names, name_count, &list, err);

	*ids = calloc(64, sizeof(**ids));
	*count = 0;
	for (size_t i = 0; i < list.count; i++)
		for (size_t k = 0; k < list.series[i].count; k++)
			(*ids)[(*count)++] = list.series[i].ids[k];
	snapshots_series_free(&list);
	return st;
}

static void series_fails(struct snapshots *snapshots, const char *name, enum snap_status st,
			 const char *words)
{
	struct snap_error err = {0};
	struct snapshots_series_list list;

	cr_assert_eq(snapshots_series(snapshots, &name, 1, &list, &err), st, "%s", err.message);
	cr_assert(strstr(err.message, words), "'%s' should say '%s'", err.message, words);
	cr_assert_eq(list.count, 0);
}

TestSuite(snapshots, .init = enter_scratch, .fini = leave_scratch);

/* ---- files that are announced ---- */

enum { ANNOUNCED = 12 };

/* Snapshots of 1 ... ANNOUNCED bytes, announced in this order. */
static struct snapshots *announce(const char *damaged)
{
	static char names[ANNOUNCED][16];
	const char *list[ANNOUNCED];
	struct snapshots *snapshots = private_snapshots();

	for (unsigned i = 0; i < ANNOUNCED; i++) {
		snprintf(names[i], sizeof(names[i]), "%u.txt", i + 1);
		snapshot(names[i], &server, i, i + 1, NULL);
		list[i] = names[i];
	}
	if (damaged) {
		FILE *out = fopen(damaged, "we");

		cr_assert(out);
		fputs("#snaptext 1\nno row\n", out);
		cr_assert_eq(fclose(out), 0);
	}
	snapshots_expect(snapshots, list, ANNOUNCED);
	return snapshots;
}

Test(snapshots, announced_files_are_what_they_are_in_their_order)
{
	struct snapshots *snapshots = announce(NULL);
	char name[16];

	for (unsigned i = 1; i <= ANNOUNCED; i++) {
		snprintf(name, sizeof(name), "%u.txt", i);
		one_is(snapshots, name, i);
	}
	snapshots_close(snapshots);
}

Test(snapshots, announced_files_may_be_asked_for_in_another_order_twice_or_not_at_all)
{
	struct snapshots *snapshots = announce(NULL);

	snapshot("other.txt", &server, 50, 50, NULL);
	one_is(snapshots, "3.txt", 3);
	one_is(snapshots, "1.txt", 1);
	one_is(snapshots, "other.txt", 50);
	one_is(snapshots, "3.txt", 3);
	one_is(snapshots, "9.txt", 9);
	snapshots_close(snapshots);
}

Test(snapshots, an_announced_file_that_is_damaged_fails_when_it_is_asked_for)
{
	struct snapshots *snapshots = announce("2.txt");

	one_is(snapshots, "1.txt", 1);
	one_fails(snapshots, "2.txt", SNAP_ECORRUPT, "2.txt: line 2");
	one_is(snapshots, "3.txt", 3);
	snapshots_close(snapshots);
}

Test(snapshots, what_is_announced_may_be_missing_a_directory_or_announced_anew)
{
	const char *names[] = {"missing.txt", "dir", "5.txt", "6.txt"};
	struct snapshots *snapshots = announce(NULL);

	cr_assert_eq(mkdir("dir", 0700), 0);
	one_is(snapshots, "1.txt", 1);
	snapshots_expect(snapshots, names, 4);
	one_fails(snapshots, "missing.txt", SNAP_EIO, "missing.txt");
	one_is(snapshots, "5.txt", 5);
	one_is(snapshots, "6.txt", 6);
	snapshots_close(snapshots);
}

/* ---- files ---- */

Test(snapshots, a_file_is_its_snapshot_whatever_its_name)
{
	struct snapshots *snapshots = private_snapshots();

	snapshot("anything.txt", &server, 3, 130, NULL);
	one_is(snapshots, "anything.txt", 130);
	snapshots_close(snapshots);
}

Test(snapshots, a_directory_is_its_newest_where_one_is_wanted)
{
	static const struct process parent = {"make", 7, 90};
	struct snapshots *snapshots = private_snapshots();

	mkdir("d", 0700);
	snapshot("d/server.42.000001.snap", &server, 1, 110, NULL);
	snapshot("d/server.42.000002.snap", &server, 2, 120, NULL);
	snapshot("d/make.7.000001.snap", &parent, 1, 125, NULL);
	snapshot("other.txt", &parent, 2, 500, NULL);
	one_is(snapshots, "other.txt", 500);
	one_is(snapshots, "d", 125);
	snapshots_close(snapshots);
}

/* The text of what was said of the choice. */
static char noted[256];

static void keep_note(void *user, const struct notice *notice)
{
	char *text = notice_text(notice);

	(void)user;
	cr_assert(text && notice_is_remark(notice));
	snprintf(noted, sizeof(noted), "%s", text);
	free(text);
}

Test(snapshots, of_several_processes_a_directory_is_the_one_that_held_most_in_the_last_run)
{
	static const struct process parent = {"make", 7, 90}, earlier = {"server", 30, 10};
	const struct snapshots_options options = {.notice = keep_note};
	struct snapshots *snapshots = snapshots_with(&options);

	mkdir("d", 0700);
	snapshot("d/server.30.000001.snap", &earlier, 1, 20, NULL);
	snapshot("d/server.30.000002.snap", &earlier, 2, 80,
		 NULL); /* which ended before the others */
	snapshot("d/make.7.000001.snap", &parent, 1, 115, NULL);
	snapshot("d/server.42.000001.snap", &server, 1, 110, NULL);
	snapshot("d/server.42.000002.snap", &server, 2, 120, NULL);
	one_is(snapshots, "d", 120);
	cr_assert_str_eq(noted, "From d: the last of 2 runs; server, pid 42, which held most of 2 "
				"processes; the newest (snapshot 2 of 2).");
	snapshots_close(snapshots);
}

Test(snapshots, of_a_directory_the_newest_that_can_be_read_is_taken)
{
	struct snapshots *snapshots = private_snapshots();
	FILE *out;

	mkdir("d", 0700);
	snapshot("d/server.42.000001.snap", &server, 1, 110, NULL);
	snapshot("d/server.42.000002.snap", &server, 2, 120, NULL);
	out = fopen("d/server.42.000002.snap", "ae");
	fputs("not a row\n", out);
	fclose(out);
	one_is(snapshots, "d", 110);
	cr_assert_eq(snapshots_damaged(snapshots), 1);
	cr_assert_str_eq(snapshots_skipped(snapshots, 0), "d/server.42.000002.snap");
	cr_assert_null(snapshots_skipped(snapshots, 1));
	snapshots_close(snapshots);
}

Test(snapshots, nothing_named_is_the_directory_that_run_writes)
{
	struct snapshots *snapshots = private_snapshots();

	one_fails(snapshots, NULL, SNAP_EUSAGE, "no directory `snaps`");
	mkdir("snaps", 0700);
	snapshot("snaps/a.1.000001.snap", &server, 1, 110, NULL);
	one_is(snapshots, NULL, 110);
	snapshots_close(snapshots);
}

Test(snapshots, pid_and_program_pick_in_a_directory)
{
	static const struct process child = {"worker", 43, 105};
	const struct snapshots_options by_pid = {.quiet = true, .pid = 42};
	const struct snapshots_options by_program = {.quiet = true, .program = "worker"};
	const struct snapshots_options nobody = {.quiet = true, .pid = 99};
	struct snapshots *snapshots = snapshots_with(&by_pid);

	mkdir("d", 0700);
	snapshot("d/server.42.000001.snap", &server, 1, 110, NULL);
	snapshot("d/worker.43.000001.snap", &child, 1, 120, NULL);
	one_is(snapshots, "d", 110);
	snapshots_close(snapshots);
	snapshots = snapshots_with(&by_program);
	many_are(series_of, snapshots, "d", "120");
	snapshots_close(snapshots);
	snapshots = snapshots_with(&nobody);
	one_fails(snapshots, "d", SNAP_ENOTFOUND, "no snapshot of pid 99");
	snapshots_close(snapshots);
}

Test(snapshots, a_series_is_in_order_of_capture_whatever_the_order_of_names)
{
	struct snapshots *snapshots = private_snapshots();

	snapshot("a", &server, 3, 130, NULL);
	snapshot("b", &server, 1, 110, NULL);
	snapshot("c", &server, 2, 120, NULL);
	many_are(series_of, snapshots, "a b c b", "110 120 130");
	snapshots_close(snapshots);
}

Test(snapshots, a_clock_that_jumps_back_does_not_reorder_a_run)
{
	struct snapshots *snapshots = private_snapshots();

	snapshot("a", &server, 1, 130, NULL);
	snapshot("b", &server, 2, 110, NULL);
	snapshot("c", &server, 3, 140, NULL);
	many_are(series_of, snapshots, "c b a", "130 110 140");
	snapshots_close(snapshots);
}

Test(snapshots, equal_files_without_time_or_seq_are_several_snapshots)
{
	struct snapshots *snapshots = private_snapshots();
	FILE *out;

	for (const char *name = "a\0b\0c\0"; *name; name += 2) {
		out = fopen(name, "we");
		cr_assert(out);
		fputs("#snaptext 1\n7\t1\t7\t1\tmalloc\t-\tmain|a.c|1|x\n", out);
		fclose(out);
	}
	many_are(series_of, snapshots, "a b c", "7 7 7");
	snapshots_close(snapshots);
}

/* ---- dumps: only the times of their files say their order ---- */

static char warned[512];

static void keep_warning(void *user, const struct notice *notice)
{
	char *text = notice_text(notice);

	(void)user;
	cr_assert(text && !notice_is_remark(notice));
	snprintf(warned, sizeof(warned), "%s", text);
	free(text);
}

/* A dump of `bytes`, whose file was last written at second `time`. */
static void dump(const char *path, unsigned time, unsigned bytes)
{
	FILE *out = fopen(path, "we");

	cr_assert(out, "%s", path);
	fprintf(out, "#snaptext 1\n@ time_ns\t%u000000000\n@ time_from\tfile\n", time);
	fprintf(out, "%u\t1\t-\t-\tpython\t-\t|a.py|1|\n", bytes);
	cr_assert_eq(fclose(out), 0);
}

static void dumps_follow(const unsigned times[3], const char *names, const char *expected,
			 const char *words)
{
	const struct snapshots_options options = {.notice = keep_warning};
	struct snapshots *snapshots = snapshots_with(&options);

	warned[0] = '\0';
	dump("step-1", times[0], 1);
	dump("step-2", times[1], 2);
	dump("step-10", times[2], 10);
	many_are(snapshots_list, snapshots, names, expected);
	cr_assert(words ? strstr(warned, words) != NULL : !*warned, "%s", warned);
	snapshots_close(snapshots);
}

Test(snapshots, numbered_dumps_whose_times_agree_follow_each_other_without_a_word)
{
	dumps_follow((const unsigned[]){5, 6, 7}, "step-1 step-10 step-2", "1 2 10", NULL);
}

Test(snapshots, numbered_dumps_of_equal_times_follow_each_other_by_number)
{
	dumps_follow((const unsigned[]){5, 5, 5}, "step-1 step-10 step-2", "1 2 10", "equal times");
}

Test(snapshots, numbered_dumps_that_were_copied_in_another_order_follow_each_other_by_number)
{
	dumps_follow((const unsigned[]){7, 5, 6}, "step-1 step-10 step-2", "1 2 10", "contradict");
}

/* ---- series of several processes ---- */

Test(snapshots, runs_of_one_program_that_follow_each_other_are_a_series)
{
	static const struct process second = {"server", 77, 200};
	struct snapshots *snapshots = private_snapshots();

	snapshot("a", &server, 1, 110, NULL);
	snapshot("b", &server, 2, 120, NULL);
	snapshot("c", &second, 1, 210, NULL);
	many_are(series_of, snapshots, "c a b", "110 120 210");
	snapshots_close(snapshots);
}

Test(snapshots, processes_that_ran_together_are_a_series_each)
{
	static const struct process sibling = {"server", 43, 105}, other = {"worker", 44, 300};
	struct snapshots *snapshots = private_snapshots();
	struct snapshots_series_list list;
	struct snap_error err = {0};
	const char *name = "d";

	mkdir("d", 0700);
	snapshot("d/server.42.000001.snap", &server, 1, 110, NULL);
	snapshot("d/server.42.000002.snap", &server, 2, 120, NULL);
	snapshot("d/server.43.000001.snap", &sibling, 1, 115, NULL);
	snapshot("d/server.43.000002.snap", &sibling, 2, 125, NULL);
	snapshot("d/worker.44.000001.snap", &other, 1, 310, NULL);
	cr_assert_eq(snapshots_series(snapshots, &name, 1, &list, &err), SNAP_OK, "%s",
		     err.message);
	cr_assert_eq(list.count, 2);
	cr_assert_eq(list.alone, 1);
	cr_assert_eq(list.series[0].pid, 42);
	cr_assert_eq(list.series[1].pid, 43);
	cr_assert_eq(list.series[0].pool, list.series[1].pool);
	snapshots_series_free(&list);
	many_are(series_of, snapshots, "d", "110 120 115 125");
	many_are(snapshots_list, snapshots, "d", "110 115 120 125 310");
	snapshots_close(snapshots);
}

Test(snapshots, processes_of_one_snapshot_each_are_listed_and_refused)
{
	static const struct process sibling = {"server", 43, 105}, other = {"worker", 44, 300};
	struct snapshots *snapshots = private_snapshots();

	mkdir("d", 0700);
	snapshot("d/server.42.000001.snap", &server, 1, 110, NULL);
	snapshot("d/server.43.000001.snap", &sibling, 1, 108, NULL);
	snapshot("d/worker.44.000001.snap", &other, 1, 310, NULL);
	series_fails(snapshots, "d", SNAP_ENOSERIES,
		     "3 processes have one snapshot each: 42 server, 43 server, 44 worker");
	snapshots_close(snapshots);
}

/* ---- a database ---- */

Test(snapshots, with_a_database_names_are_ids_labels_and_positions)
{
	const struct snapshots_options options = {0};
	struct snapshots *snapshots;

	mkdir("d", 0700);
	snapshot("d/server.42.000001.snap", &server, 1, 110, "before");
	snapshot("d/server.42.000002.snap", &server, 2, 120, "step");
	snapshot("d/server.42.000003.snap", &server, 3, 130, "step");
	snapshots = database_snapshots("d", &options);
	one_is(snapshots, "1", 110);
	one_is(snapshots, "before", 110);
	one_is(snapshots, "@2", 120);
	one_is(snapshots, "@-1", 130);
	one_is(snapshots, "@-3", 110);
	one_is(snapshots, NULL, 130);
	one_fails(snapshots, "step", SNAP_EUSAGE, "name one by its id: 2, 3");
	one_fails(snapshots, "after", SNAP_ENOTFOUND, "snapdiff ls --db test.db");
	one_fails(snapshots, "@4", SNAP_ENOTFOUND, "only 3 snapshots");
	one_fails(snapshots, "@0", SNAP_EUSAGE, "@1 (first)");
	one_fails(snapshots, "@x", SNAP_EUSAGE, "@1 (first)");
	many_are(series_of, snapshots, "", "110 120 130");
	many_are(series_of, snapshots, "step", "120 130");
	many_are(series_of, snapshots, "@-1 1", "110 130");
	snapshots_close(snapshots);
}

Test(snapshots, loading_twice_loads_once_and_a_bad_file_does_not_keep_the_others_out)
{
	const struct snapshots_options options = {.db = "test.db", .write = true, .quiet = true};
	const struct store_labels none = {NULL, NULL, 0};
	const char *names[] = {"a", "bad", "b"};
	struct snapshots_loaded done;
	struct snapshots *snapshots = snapshots_with(&options);
	FILE *bad = fopen("bad", "we");

	cr_assert(bad);
	fputs("nothing that we know\n", bad);
	fclose(bad);
	snapshot("a", &server, 1, 110, NULL);
	snapshot("b", &server, 2, 120, NULL);
	cr_assert_eq(snapshots_load(snapshots, names, 3, &none, NULL, refuse, &done, NULL),
		     SNAP_OK);
	cr_assert(done.loaded == 2 && done.already == 0 && done.refused == 1);
	cr_assert_eq(snapshots_load(snapshots, names, 3, &none, NULL, refuse, &done, NULL),
		     SNAP_OK);
	cr_assert(done.loaded == 0 && done.already == 2 && done.refused == 1);
	snapshots_close(snapshots);
}

Test(snapshots, a_load_without_any_snapshot_leaves_no_database)
{
	const struct snapshots_options options = {.db = "absent.db", .write = true, .quiet = true};
	const struct store_labels none = {NULL, NULL, 0};
	const char *name = "no such file";
	struct snapshots_loaded done;
	struct snapshots *snapshots = snapshots_with(&options);

	cr_assert_eq(snapshots_load(snapshots, &name, 1, &none, NULL, refuse, &done, NULL),
		     SNAP_OK);
	cr_assert_eq(done.refused, 1);
	snapshots_close(snapshots);
	cr_assert_neq(access("absent.db", F_OK), 0);
}

Test(snapshots, facts_only_gives_totals_without_call_stacks)
{
	const struct snapshots_options options = {.quiet = true, .facts_only = true};
	struct snapshots *snapshots = snapshots_with(&options);

	snapshot("a", &server, 1, 110, NULL);
	one_is(snapshots, "a", 110);
	snapshots_close(snapshots);
}
