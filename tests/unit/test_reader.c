/*
 * test_reader.c - a file that was written can be read; a damaged one is refused.
 */
/* links: snapwrite snapread */
#include <fcntl.h>

#include "test_format_samples.h"

/* ---- Round trips ---- */

static void reads_as(sample_fn *sample, const char *expected)
{
	struct bytes file = sample_bytes(sample);
	struct snap_error err = {0};
	char *text;

	cr_assert_eq(print_file(file, SNAP_READ_WHOLE, &text, &err), SNAP_OK, "%s", err.message);
	cr_assert_str_eq(text, expected);
	free(text);
	free(file.data);
}

Test(reader, a_file_without_rows_is_read)
{
	reads_as(sample_empty, "");
}

Test(reader, one_of_everything_is_read_back)
{
	reads_as(sample_tiny, "meta seq=4\n"
			      "meta command=/bin/app -v\n"
			      "string 0 0 \n"
			      "string 1 6 malloc\n"
			      "string 2 8 /bin/app\n"
			      "string 3 6 c0ffee\n"
			      "string 4 4 grow\n"
			      "string 5 3 a.c\n"
			      "module 0 2 3 0x400000 0x2000\n"
			      "location 0 0 1 0x1234\n"
			      "location 1 0 1 0x1200 [4 5 300 0]\n"
			      "node 0 -1 0\n"
			      "node 1 0 1\n"
			      "site 0 1 1 4096 2 5000 -1 0:1:96 3:1:4000\n");
}

Test(reader, unusual_rows_are_read_back)
{
	reads_as(sample_odd, "meta labels.a|b=c\td\\\n"
			     "meta time_ns=1767323045123456789\n"
			     "string 0 0 \n"
			     "string 1 4 mmap\n"
			     "string 2 8 tab\there\n"
			     "string 3 5 a|b\\c\n"
			     "string 4 9 line\nfeed\n"
			     "string 5 9 /lib/x.so\n"
			     "string 6 5 caf\xc3\xa9\n"
			     "string 7 2 \xff\xfe\n"
			     "string 8 10 operator()\n"
			     "module 0 5 0 0xffffffffffffffff 0x1\n"
			     "module 1 6 7 0 0\n"
			     "location 0 1 1 0xffffffffffffffff [2 3 1 1] [4 0 4294967295 1] "
			     "[6 7 0 0]\n"
			     "location 1 -1 1 0x1\n"
			     "location 2 -1 0 0 [8 3 12 0]\n"
			     "location 3 0 1 0x8000\n"
			     "node 0 -1 3\n"
			     "node 1 0 0\n"
			     "node 2 -1 1\n"
			     "node 3 2 3\n"
			     "node 4 0 2\n"
			     "site 0 4 1 -2 0 0 1\n"
			     "site 1 -1 1 -1 -1 -1 -1\n"
			     "site 2 1 0 7 3 0 0 9:1:2 5:1:5 18446744073709551615:1:0\n");
}

Test(reader, variances_are_read_back)
{
	reads_as(sample_sampled, "meta sample_period=524288\n"
				 "string 0 0 \n"
				 "string 1 6 malloc\n"
				 "string 2 1 f\n"
				 "string 3 1 g\n"
				 "location 0 -1 0 0 [2 0 0 0]\n"
				 "location 1 -1 0 0 [3 0 0 0]\n"
				 "node 0 -1 0\n"
				 "node 1 -1 1\n"
				 "site 0 0 1 600000 10 700000 11 +- 1.5 0 1e+300 0.25\n"
				 "site 1 1 1 600000 10 700000 11 +- 1.5 0 1e+300 0.25\n");
}

static enum snap_status count_node(void *user, uint32_t id, const struct snap_node *node)
{
	uint32_t *count = user;

	cr_assert_eq(id, *count, "ids must go on across chunks");
	cr_assert_eq(node->parent, SNAP_NONE);
	++*count;
	return SNAP_OK;
}

static enum snap_status check_filler(void *user, uint32_t id, struct snap_text text)
{
	(void)user;
	if (id >= 2)
		cr_assert_eq(text.size, SNAP_STRING_MAX - (id - 2));
	return SNAP_OK;
}

Test(reader, sections_of_several_chunks_are_read_through)
{
	struct bytes file = sample_bytes(sample_chunks);
	struct snap_reader *reader;
	struct snap_counts counts;
	uint32_t nodes = 0;

	cr_assert_lt(file.size, 4096, "this sample compresses well");
	cr_assert_eq(snap_reader_open_memory(&reader, file.data, file.size, "chunks",
					     SNAP_READ_WHOLE, NULL),
		     SNAP_OK);
	snap_reader_counts(reader, &counts);
	cr_assert(counts.strings == 7 && counts.modules == 0 && counts.locations == 1 &&
		  counts.frames == 0 && counts.nodes == 600000 && counts.sites == 3 &&
		  counts.cohorts == 0);
	cr_assert_eq(snap_reader_each_node(reader, count_node, &nodes, NULL), SNAP_OK);
	cr_assert_eq(nodes, 600000);
	cr_assert_eq(snap_reader_each_string(reader, check_filler, NULL, NULL), SNAP_OK);
	snap_reader_close(reader);
	free(file.data);
}

/* More sites than variances fit in one chunk. */
static void sample_many_variances(struct snap__writer *w)
{
	snap__write_string(w, TEXT(""));
	for (uint32_t i = 0; i < 50000; i++)
		snap__write_site(w, &(struct snap_site){.node = SNAP_NONE, .live_bytes = i}, NULL,
				 &(struct snap_variance){i, 0, 0, 0});
}

static enum snap_status check_variance(void *user, uint32_t id, const struct snap_site *site,
				       const struct snap_cohort *cohorts,
				       const struct snap_variance *variance)
{
	(void)cohorts;
	cr_assert(site->live_bytes == id && variance && variance->live_bytes == id);
	++*(uint32_t *)user;
	return SNAP_OK;
}

Test(reader, variances_stay_with_their_sites_across_chunks)
{
	struct bytes file = sample_bytes(sample_many_variances);
	struct snap_reader *reader;
	uint32_t sites = 0;

	cr_assert_eq(snap_reader_open_memory(&reader, file.data, file.size, "many", SNAP_READ_WHOLE,
					     NULL),
		     SNAP_OK);
	cr_assert_eq(snap_reader_each_site(reader, check_variance, &sites, NULL), SNAP_OK);
	cr_assert_eq(sites, 50000);
	snap_reader_close(reader);
	free(file.data);
}

/* ---- The interface ---- */

static enum snap_status stop_at_1(void *user, uint32_t id, struct snap_text text)
{
	(void)text;
	++*(uint32_t *)user;
	return id == 1 ? SNAP_ENOTFOUND : SNAP_OK;
}

Test(reader, a_callback_ends_the_iteration_with_its_own_status)
{
	struct bytes file = sample_bytes(sample_tiny);
	struct snap_reader *reader;
	uint32_t calls = 0;

	snap_reader_open_memory(&reader, file.data, file.size, "tiny", SNAP_READ_WHOLE, NULL);
	cr_assert_eq(snap_reader_each_string(reader, stop_at_1, &calls, NULL), SNAP_ENOTFOUND);
	cr_assert_eq(calls, 2);
	snap_reader_close(reader);
	free(file.data);
}

static enum snap_status read_strings_inside(void *user, uint32_t id, struct snap_text text)
{
	char before[64], *rows;

	memcpy(before, text.data, text.size);
	cr_assert_eq(print_rows(user, &rows, NULL), SNAP_OK);
	free(rows);
	cr_assert(memcmp(before, text.data, text.size) == 0, "string %u has changed", id);
	return SNAP_OK;
}

Test(reader, iterations_may_be_nested)
{
	struct bytes file = sample_bytes(sample_tiny);
	struct snap_reader *reader;

	snap_reader_open_memory(&reader, file.data, file.size, "tiny", SNAP_READ_WHOLE, NULL);
	cr_assert_eq(snap_reader_each_string(reader, read_strings_inside, reader, NULL), SNAP_OK);
	snap_reader_close(reader);
	free(file.data);
}

static enum snap_status open_path(const char *path, struct snap_error *err)
{
	struct snap_reader *reader;
	enum snap_status st = snap_reader_open(&reader, path, SNAP_READ_WHOLE, err);
	char *text;

	if (st == SNAP_OK) {
		st = print_rows(reader, &text, err);
		cr_assert_neq(strstr(text, "site 0 1 1 4096"), NULL);
		free(text);
	} else {
		cr_assert_null(reader);
	}
	snap_reader_close(reader);
	return st;
}

Test(reader, a_file_is_read_by_its_path)
{
	int fd = memfd_create("tiny", 0);
	char path[64];

	write_sample(sample_tiny, fd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	cr_assert_eq(open_path(path, NULL), SNAP_OK);
}

Test(reader, a_pipe_is_read_to_its_end)
{
	struct bytes file = sample_bytes(sample_tiny);
	char path[64];
	int ends[2];

	cr_assert(pipe(ends) == 0);
	cr_assert(write(ends[1], file.data, file.size) == (ssize_t)file.size);
	close(ends[1]);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
	cr_assert_eq(open_path(path, NULL), SNAP_OK);
	free(file.data);
}

Test(reader, a_path_that_cannot_be_read_is_reported_by_name)
{
	struct snap_error err = {0};

	cr_assert_eq(open_path("/nowhere/a.snap", &err), SNAP_EIO);
	cr_assert_str_eq(err.message, "/nowhere/a.snap: No such file or directory");
	cr_assert_eq(open_path("/", &err), SNAP_EIO);
	cr_assert_str_eq(err.message, "/: Is a directory");
}

Test(reader, a_file_that_shrinks_while_it_is_open_gives_an_error)
{
	int fd = memfd_create("shrinks", 0);
	struct snap_error err = {0};
	struct snap_reader *reader;
	char path[64], *text;

	write_sample(sample_tiny, fd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	cr_assert_eq(snap_reader_open(&reader, path, SNAP_READ_WHOLE, NULL), SNAP_OK);
	cr_assert(ftruncate(fd, 100) == 0);
	cr_assert_eq(print_rows(reader, &text, &err), SNAP_EIO);
	cr_assert_neq(strstr(err.message, "byte 100: the file became shorter"), NULL, "%s",
		      err.message);
	free(text);
	snap_reader_close(reader);
}

Test(reader, equal_digests_mean_equal_content)
{
	struct bytes tiny = sample_bytes(sample_tiny), odd = sample_bytes(sample_odd);
	struct snap_reader *a, *b, *c;

	snap_reader_open_memory(&a, tiny.data, tiny.size, "a", SNAP_READ_WHOLE, NULL);
	snap_reader_open_memory(&b, tiny.data, tiny.size, "b", SNAP_READ_WHOLE, NULL);
	snap_reader_open_memory(&c, odd.data, odd.size, "c", SNAP_READ_WHOLE, NULL);
	cr_assert_eq(snap_reader_digest(a), snap_reader_digest(b));
	cr_assert_neq(snap_reader_digest(a), snap_reader_digest(c));
	snap_reader_close(a);
	snap_reader_close(b);
	snap_reader_close(c);
	free(tiny.data);
	free(odd.data);
}

/* ---- Damage ---- */

/* Cut everywhere: whole mode refuses, salvage gives the first rows or refuses. */
static void survives_every_cut(sample_fn *sample)
{
	struct bytes file = sample_bytes(sample), cut = file;
	char *whole, *text;

	cr_assert_eq(print_file(file, SNAP_READ_WHOLE, &whole, NULL), SNAP_OK);
	for (cut.size = 0; cut.size < file.size; cut.size++) {
		/* A block of its own, so that a sanitizer sees every read beyond its end. */
		struct bytes copy = {malloc(cut.size), cut.size};
		struct snap_error err = {0};
		enum snap_status st;

		memcpy(copy.data, file.data, cut.size);
		st = print_file(copy, SNAP_READ_WHOLE, &text, &err);
		cr_assert_eq(st, SNAP_ETRUNCATED, "%zu bytes: %s", cut.size, err.message);
		free(text);
		st = print_file(copy, SNAP_READ_SALVAGE, &text, &err);
		if (cut.size < SNAP_FORMAT_HEADER_SIZE) {
			cr_assert_eq(st, SNAP_ETRUNCATED);
		} else {
			cr_assert_eq(st, SNAP_OK, "%zu bytes: %s", cut.size, err.message);
			cr_assert(strncmp(text, whole, strlen(text)) == 0);
		}
		free(text);
		free(copy.data);
	}
	free(whole);
	free(file.data);
}

Test(reader, a_file_cut_at_any_byte_is_truncated_and_can_be_salvaged, .timeout = 1200)
{
	survives_every_cut(sample_tiny);
	survives_every_cut(sample_odd);
	survives_every_cut(sample_sampled);
	survives_every_cut(sample_held);
}

/* Change every byte: never OK, and salvage gives the first rows of the original or fails. */
static void survives_every_change(sample_fn *sample, uint8_t mask)
{
	struct bytes file = sample_bytes(sample);
	char *whole, *text;

	cr_assert_eq(print_file(file, SNAP_READ_WHOLE, &whole, NULL), SNAP_OK);
	for (size_t i = 0; i < file.size; i++) {
		struct snap_error err = {0};
		enum snap_status st;

		file.data[i] ^= mask;
		st = print_file(file, SNAP_READ_WHOLE, &text, &err);
		cr_assert(st == SNAP_ECORRUPT || st == SNAP_ETRUNCATED, "byte %zu: %d %s", i, st,
			  err.message);
		cr_assert(strncmp(err.message, "sample: byte ", 13) == 0, "%s", err.message);
		free(text);
		print_file(file, SNAP_READ_SALVAGE, &text, &err);
		if (text)
			cr_assert(strncmp(text, whole, strlen(text)) == 0, "byte %zu", i);
		free(text);
		file.data[i] ^= mask;
	}
	free(whole);
	free(file.data);
}

Test(reader, a_change_of_any_byte_is_noticed, .timeout = 1200)
{
	survives_every_change(sample_empty, 0xff);
	survives_every_change(sample_tiny, 0x01);
	survives_every_change(sample_tiny, 0x80);
	survives_every_change(sample_tiny, 0xff);
	survives_every_change(sample_odd, 0x04);
	survives_every_change(sample_sampled, 0x02);
	survives_every_change(sample_held, 0x01);
	survives_every_change(sample_held, 0x80);
}

Test(reader, a_torn_file_says_where_and_keeps_whole_chunks)
{
	struct bytes file = sample_bytes(sample_chunks);
	struct snap_reader *reader;
	struct snap_counts counts;

	cr_assert_eq(snap_reader_open_memory(&reader, file.data, file.size - 1, "torn.snap",
					     SNAP_READ_SALVAGE, NULL),
		     SNAP_OK);
	cr_assert_neq(strstr(snap_reader_torn(reader), "torn.snap: byte "), NULL);
	snap_reader_counts(reader, &counts);
	cr_assert(counts.nodes == 600000 && counts.sites == 3);
	snap_reader_close(reader);
	snap_reader_open_memory(&reader, file.data, file.size, "whole.snap", SNAP_READ_SALVAGE,
				NULL);
	cr_assert_null(snap_reader_torn(reader));
	snap_reader_close(reader);
	free(file.data);
}

Test(reader, a_tail_of_zeros_is_a_torn_file)
{
	struct bytes file = sample_bytes(sample_tiny);
	struct snap_error err = {0};
	char *text;

	/* What a file system leaves after a crash: the size is right, the blocks are not there. */
	memset(file.data + 250, 0, file.size - 250);
	cr_assert_neq(print_file(file, SNAP_READ_WHOLE, &text, &err), SNAP_OK);
	free(text);
	cr_assert_eq(print_file(file, SNAP_READ_SALVAGE, &text, &err), SNAP_OK, "%s", err.message);
	cr_assert(strncmp(text, "meta seq=4\n", 11) == 0);
	free(text);
	free(file.data);
}

Test(reader, something_behind_the_end_is_refused)
{
	struct bytes file = sample_bytes(sample_tiny);
	struct snap_error err = {0};
	char *text;

	file.data[file.size++] = '\n'; /* read_fd() leaves room for it */
	cr_assert_eq(print_file(file, SNAP_READ_WHOLE, &text, &err), SNAP_ECORRUPT);
	free(file.data);
}

Test(reader, eight_bytes_tell_a_snapshot)
{
	cr_assert(snap_reader_recognises("\x89SNAP\r\n\x1a", 8));
	cr_assert(!snap_reader_recognises("\x89SNAP\r\n\x1a", 7));
	cr_assert(!snap_reader_recognises("#snaptext 1\n", 12));
}
