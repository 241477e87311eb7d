/* test_text.c - the text form of a snapshot, both directions. */
/* links: cmd_input */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "input/input.h"

#define HEAD "#snaptext 1\n"
#define COLUMNS                                                                                    \
	"live_bytes\tlive_blocks\tallocated_bytes\tallocated_blocks\tdomain\tcohorts\tframes...\n"

static struct model *parse_bytes(const char *text, size_t size)
{
	struct model *model = NULL;
	struct snap_error err = {0};
	enum snap_status st = input_read_memory(&model, text, size, "t", NULL, &err);

	cr_assert_eq(st, SNAP_OK, "%s", err.message);
	return model;
}

static struct model *parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

/** Expect that `text` is refused with exactly this sentence. */
static void refuse(const char *text, enum snap_status st, const char *sentence)
{
	struct model *model = NULL;
	struct snap_error err = {0};

	cr_expect_eq(input_read_memory(&model, text, strlen(text), "t", NULL, &err), st, "%s",
		     text);
	cr_expect_null(model);
	cr_expect_str_eq(err.message, sentence);
}

static char *print_sized(const struct model *model, size_t *size)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, size);

	cr_assert_eq(input_write_text(model, out, NULL), SNAP_OK);
	fclose(out);
	return text;
}

/** Expect that `text` comes back as it is. */
static void same_text(const char *text, size_t size)
{
	struct model *model = parse_bytes(text, size);
	size_t got_size = 0;
	char *got = print_sized(model, &got_size);

	cr_expect_eq(got_size, size);
	cr_expect(got_size == size && memcmp(got, text, size) == 0, "%s", got);
	free(got);
	model_free(model);
}

Test(text, a_row_has_its_figures_domain_cohorts_and_frames)
{
	struct model *model =
		parse(HEAD "@ seq\t3\n" COLUMNS
			   "10\t2\t-\t7\tmmap\t1:2:10,4:0:0\tf|a.c|3|app\tmain|b.c||\n");
	const struct snap_site *row = &model->sites[0].row;
	const struct snap_node *newest = &model->nodes[row->node];
	const struct model_location *leaf = &model->locations[newest->location];

	cr_assert_eq(model->site_count, 1);
	cr_expect_eq(row->live_bytes, 10);
	cr_expect_eq(row->live_blocks, 2);
	cr_expect_eq(row->allocated_bytes, SNAP_UNKNOWN);
	cr_expect_eq(row->allocated_blocks, 7);
	cr_expect_str_eq(model_text(model, row->domain), "mmap");
	cr_assert_eq(row->cohort_count, 2);
	cr_expect_eq(model->cohorts[0].birth_seq, 1);
	cr_expect_eq(model->cohorts[0].blocks, 2);
	cr_expect_eq(model->cohorts[0].bytes, 10);
	cr_expect_eq(model->cohorts[1].birth_seq, 4);
	cr_expect_str_eq(model_text(model, model->frames[leaf->first_frame].function), "f");
	cr_expect_str_eq(model_text(model, model->frames[leaf->first_frame].file), "a.c");
	cr_expect_eq(model->frames[leaf->first_frame].line, 3);
	cr_expect_str_eq(model_text(model, model->modules[leaf->module].path), "app");
	cr_expect_eq(model->nodes[newest->parent].parent, SNAP_NONE);
	cr_expect_str_eq(model_meta(model, "seq"), "3");
	model_free(model);
}

Test(text, what_dump_wrote_comes_back_byte_for_byte)
{
	static const char text[] = HEAD
		"@ seq\t3\n@ \tempty key\n@ odd key\ta\\tb\\nc\\\\d\\|e\n@ empty\t\n" COLUMNS
		"1\t1\t1\t1\tmalloc\t-\n"
		"18446744073709551500\t0\t-\t-\t\t0:1:2\ta\\|b|c\\\\d\\td|4294967295|\\n\t|||\n"
		"5\t1\t5\t1\tmalloc\t-\tf|a.c|1|m\tmain|a.c|9|m\n"
		"6\t1\t6\t1\tmalloc\t-\tf|a.c|1|m\tmain|a.c|9|m\n"
		"7\t1\t7\t1\tmmap\t-\tg|a.c|2|m\tmain|a.c|9|m\n";

	same_text(text, sizeof(text) - 1);
}

Test(text, the_graph_of_holders_comes_back_byte_for_byte)
{
	static const char text[] =
		HEAD COLUMNS "1\t1\t1\t1\tmalloc\t-\tf|a.c|1|m\n"
			     "%group\t0\t3\t90\t1\t30\t2\t60\t1\t-\tmalloc\tf|a.c|1|m\n"
			     "%group\t9\t18446744073709551615\t0\t0\t0\t0\t0\t0\t7\ta\\tb\n"
			     "%root\t0\t0\t0x4010\t8\t16\t90\t\tg_registry\tm\n"
			     "%root\t2\t4711\t0xffffffffffffffff\t0\t0\t-\tworker\t\t\n"
			     "%edge\tr0\tg1\t1\t1\t18446744073709551615\t-\t-\n"
			     "%edge\tg1\tg0\t4\t2\t60\t2\t60\n"
			     "%path\tg0\tr0\t8\t0\tg1:0x1000:64:24\tg0:0x10:30:0\n"
			     "%path\tg0\t-\t0\t5\n";

	same_text(text, sizeof(text) - 1);
}

Test(text, rows_of_the_graph_that_contradict_themselves_are_refused)
{
	static const char *const rows[] = {
		"%group\t0\t3\t90\t2\t0\t2\t0\t0\t-\tmalloc\n", /* 4 of 3 are unreachable */
		"%group\t0\t3\t90\t0\t0\t2\t0\t3\t-\tmalloc\n", /* more rings than indirect */
		"%group\t0\t3\t90\n",
		"%edge\tg0\tg0\t1\t1\t1\t1\t1\n", /* no such group */
		"%edge\tx\tg0\t1\t1\t1\t1\t1\n",
		"%root\t0\t0\t12\t8\t16\t90\t\t\t\n", /* not an address */
		"%root\t0\t0\t0x11111111111111111\t8\t16\t90\t\t\t\n",
		"%path\tg0\t-\t0\t5\n",
		"%other\t1\n",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct model *model = NULL;
		struct snap_error err = {0};
		char text[256];

		snprintf(text, sizeof(text), HEAD "%s", rows[i]);
		cr_expect_eq(input_read_memory(&model, text, strlen(text), "t", NULL, &err),
			     SNAP_ECORRUPT, "%s", rows[i]);
		model_free(model);
	}
}

Test(text, nul_bytes_carriage_returns_and_broken_utf8_are_kept)
{
	static const char text[] =
		HEAD "@ k\ta\0b\r\n" COLUMNS "1\t1\t1\t1\tma\0lloc\t-\tf\0|\xff\xfe||m\r\n";

	same_text(text, sizeof(text) - 1);
}

Test(text, rows_that_share_a_stack_stay_apart_and_share_its_nodes)
{
	struct model *model = parse(HEAD "1\t1\t1\t1\tmalloc\t-\tf|||\tm|||\n"
					 "2\t1\t2\t1\tmalloc\t-\tf|||\tm|||\n"
					 "3\t1\t3\t1\tmalloc\t-\tm|||\n");

	cr_expect_eq(model->site_count, 3);
	cr_expect_eq(model->node_count, 2);
	cr_expect_eq(model->sites[0].row.node, model->sites[1].row.node);
	model_free(model);
}

Test(text, two_spellings_of_a_frame_are_one_location)
{
	struct model *model = parse(HEAD "1\t1\t1\t1\tm\t-\tf|a|7|\n2\t1\t1\t1\tm\t-\tf|a|007|\n");

	cr_expect_eq(model->location_count, 1);
	cr_expect_eq(model->node_count, 1);
	model_free(model);
}

Test(text, blank_lines_comments_and_a_missing_last_newline_are_fine)
{
	struct model *model = parse(HEAD "\n# a note\n@ a\t1\n\n1\t1\t1\t1\tm\t-\n@ b\t2");

	cr_expect_eq(model->site_count, 1);
	cr_expect_eq(model->meta_count, 2);
	cr_expect_eq(model->sites[0].row.node, SNAP_NONE);
	model_free(model);
}

Test(text, lines_may_end_in_crlf_when_the_first_does)
{
	struct model *model = parse("#snaptext 1\r\n@ a\t1\r\n1\t1\t1\t1\tm\t-\tf|||x\r\n");

	cr_expect_str_eq(model_meta(model, "a"), "1");
	cr_expect_str_eq(model_text(model, model->modules[0].path), "x");
	model_free(model);
}

Test(text, unescaped_bars_in_values_are_taken_as_they_are)
{
	struct model *model = parse(HEAD "@ command\ta | b\n1\t1\t1\t1\tx|y\t-\n");

	cr_expect_str_eq(model_meta(model, "command"), "a | b");
	cr_expect_str_eq(model_text(model, model->sites[0].row.domain), "x|y");
	model_free(model);
}

Test(text, every_mistake_is_answered_with_its_line_and_byte)
{
	static const struct {
		const char *text, *sentence;
	} cases[] = {
		{HEAD "1\t1\t1\tm\t-\n",
		 "t: line 2 (byte 21): the line ends before its six columns: four numbers, domain, "
		 "cohorts"},
		{HEAD "1\t-1\t1\t1\tm\t-\n", "t: line 2 (byte 14): a number cannot be negative"},
		{HEAD "1\t\t1\t1\tm\t-\n",
		 "t: line 2 (byte 14): a decimal number is expected here"},
		{HEAD "1\t1x\t1\t1\tm\t-\n",
		 "t: line 2 (byte 15): a decimal number is expected, or - where it is unknown"},
		{HEAD "1\t1\t1\t18446744073709551615\tm\t-\n",
		 "t: line 2 (byte 18): this number is too large"},
		{HEAD "1\t1\t1\t99999999999999999999999\tm\t-\n",
		 "t: line 2 (byte 18): this number is too large"},
		{HEAD "1\t1\t1\t1\tm\t\n",
		 "t: line 2 (byte 22): a decimal number is expected here"},
		{HEAD "1\t1\t1\t1\tm\t1:2\n",
		 "t: line 2 (byte 25): a cohort is written birth:blocks:bytes"},
		{HEAD "1\t1\t1\t1\tm\t1:2:3;\n",
		 "t: line 2 (byte 27): cohorts are separated by commas"},
		{HEAD "1\t1\t1\t1\tm\t-\tmain\n",
		 "t: line 2 (byte 24): a frame is written function|file|line|module (parts may be "
		 "empty)"},
		{HEAD "1\t1\t1\t1\tm\t-\tf|a|1|m|x\n",
		 "t: line 2 (byte 24): a frame is written function|file|line|module (parts may be "
		 "empty)"},
		{HEAD "1\t1\t1\t1\tm\t-\t\n",
		 "t: line 2 (byte 24): a frame is written function|file|line|module (parts may be "
		 "empty)"},
		{HEAD "1\t1\t1\t1\tm\t-\tf|a|4294967296|m\n",
		 "t: line 2 (byte 28): this number is too large"},
		{HEAD "1\t1\t1\t1\tm\t-\tf\\x|a|1|m\n",
		 "t: line 2 (byte 25): a backslash is followed by t, n, \\ or |"},
		{HEAD "@ a\n", "t: line 2 (byte 12): this line is written @ key<TAB>value"},
		{HEAD "@a\tb\n", "t: line 2 (byte 12): this line is written @ key<TAB>value"},
		{HEAD "@ a\tb\tc\n", "t: line 2 (byte 16): a tab inside a value is written \\t"},
		{HEAD "live_bytes\tblocks\n",
		 "t: line 2 (byte 12): the columns are live_bytes live_blocks allocated_bytes "
		 "allocated_blocks domain cohorts frames..."},
		{HEAD "1\t1\t1\t1\tm\t-\n" COLUMNS,
		 "t: line 3 (byte 24): the names of the columns come before the rows"},
		{"#snaptext\n", "t: line 1 (byte 0): the first line is #snaptext 1"},
		{"#snaptext 1 \n", "t: line 1 (byte 11): the first line is #snaptext 1"},
		{"#snaptext x\n", "t: line 1 (byte 10): a decimal number is expected here"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		refuse(cases[i].text, SNAP_ECORRUPT, cases[i].sentence);
}

Test(text, a_newer_version_is_refused_as_such)
{
	refuse("#snaptext 2\n", SNAP_EVERSION,
	       "t: text form version 2; this program reads version 1");
}

/* `begin`, `count` times `part` with `between` between two, `end`; malloc'ed. */
static char *joined(const char *begin, const char *part, size_t count, const char *between,
		    const char *end)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fputs(begin, out);
	for (size_t i = 0; i < count; i++)
		fprintf(out, "%s%s", i ? between : "", part);
	fputs(end, out);
	fclose(out);
	return text;
}

/* The most that a snapshot file may hold is read, and one more is not (libsnap/FORMAT.md). */
Test(text, each_limit_is_exact)
{
	static const struct {
		const char *begin, *part, *between, *end, *sentence;
		size_t most;
	} limits[] = {
		{HEAD "1\t1\t1\t1\t", "d", "", "\t-\n",
		 "t: line 2 (byte 20): this text is longer than 262144 bytes", 262144},
		{HEAD "@ ", "k", "", "\tv\n",
		 "t: line 2 (byte 14): this key is longer than 4096 bytes", 4096},
		{HEAD "1\t1\t1\t1\tm\t", "1:0:0", ",", "\n",
		 "t: line 2 (byte 24598): more than 4096 cohorts", 4096},
		{HEAD "1\t1\t1\t1\tm\t-\t", "f|||", "\t", "\n",
		 "t: line 2 (byte 24): more than 65535 frames", 65535},
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		char *text = joined(limits[i].begin, limits[i].part, limits[i].most,
				    limits[i].between, limits[i].end);

		model_free(parse(text));
		free(text);
		text = joined(limits[i].begin, limits[i].part, limits[i].most + 1,
			      limits[i].between, limits[i].end);
		refuse(text, SNAP_ECORRUPT, limits[i].sentence);
		free(text);
	}
}

Test(text, a_path_has_at_most_64_steps)
{
	char *text = joined(HEAD "%path\t0\t0\t0\t0\t", "0:0", 65, "\t", "\n");

	refuse(text, SNAP_ECORRUPT, "t: line 2 (byte 26): more than 64 steps");
	free(text);
}

Test(text, a_line_without_end_is_refused_before_it_is_read)
{
	char path[] = "/tmp/snapdiff-test-XXXXXX";
	struct model *model = NULL;
	struct snap_error err = {0};
	int fd = mkstemp(path);

	cr_assert_eq(write(fd, HEAD, strlen(HEAD)), (ssize_t)strlen(HEAD));
	cr_assert_eq(ftruncate(fd, (off_t)1 << 40), 0); /* zeros, which take no room on the disk */
	cr_expect_eq(input_read(&model, path, NULL, &err), SNAP_ECORRUPT);
	cr_expect_not_null(strstr(err.message, "a line of more than 64 MiB"), "%s", err.message);
	close(fd);
	unlink(path);
}

Test(text, totals_beyond_64_bits_are_refused)
{
	refuse(HEAD "18446744073709551614\t1\t1\t1\tm\t-\n2\t1\t1\t1\tm\t-\n", SNAP_ECORRUPT,
	       "t: the figures of its call stacks add up to more than 64 bits");
}

Test(text, every_prefix_of_a_text_is_read_or_refused)
{
	static const char text[] =
		HEAD "@ seq\t3\n" COLUMNS "1\t1\t1\t1\tmalloc\t1:2:3,4:5:6\tf\\t|a.c|1|m\tmain|||\n"
		     "2\t-\t1\t1\tmmap\t-\tg|||\tmain|||\n";

	for (size_t size = 0; size < sizeof(text); size++) {
		char *copy = malloc(size ? size : 1); /* so that reading behind it is caught */
		struct model *model = NULL;
		struct snap_error err = {0};

		memcpy(copy, text, size);
		if (input_read_memory(&model, copy, size, "t", NULL, &err) != SNAP_OK)
			cr_expect_neq(err.message[0], '\0');
		model_free(model);
		free(copy);
	}
}

Test(text, equal_texts_have_equal_digests)
{
	struct model *a = parse(HEAD "1\t1\t1\t1\tm\t-\tf|||\n");
	struct model *b = parse(HEAD "# note\n" COLUMNS "1\t1\t1\t1\tm\t-\tf|||\n");
	struct model *c = parse(HEAD "2\t1\t1\t1\tm\t-\tf|||\n");

	cr_expect_eq(a->digest, b->digest);
	cr_expect_neq(a->digest, c->digest);
	model_free(a);
	model_free(b);
	model_free(c);
}

Test(text, a_full_disk_is_an_error)
{
	struct model *model = parse(HEAD "1\t1\t1\t1\tm\t-\n");
	FILE *full = fopen("/dev/full", "w");
	struct snap_error err = {0};

	cr_assert_not_null(full);
	cr_expect_eq(input_write_text(model, full, &err), SNAP_EIO);
	cr_expect_str_eq(err.message, "cannot write: No space left on device");
	fclose(full);
	model_free(model);
}
