/*
 * test_reader_bad.c - damaged files are refused with the right status, at the right place.
 *
 * testdata/bad/expected.tsv lists them; testdata/bad/make.py made them, independently of our
 * writer.
 */
/* links: snapwrite snapread */
#include <fcntl.h>

#include "test_format_samples.h"

/* Open and read all of `name` from its path. */
static enum snap_status read_bad(const char *name, enum snap_reader_mode mode,
				 struct snap_error *err)
{
	struct snap_reader *reader;
	char path[512], *text;
	enum snap_status st;

	snprintf(path, sizeof(path), "%s/bad/%s", TESTDATA, name);
	st = snap_reader_open(&reader, path, mode, err);
	if (st != SNAP_OK)
		return st;
	st = print_rows(reader, &text, err);
	free(text);
	snap_reader_close(reader);
	return st;
}

static void is_refused_as_expected(const char *name, const char *status, const char *offset,
				   const char *reason)
{
	struct snap_error err = {0};
	enum snap_status st = read_bad(name, SNAP_READ_WHOLE, &err);
	char place[256];

	cr_expect_str_eq(snap_status_name(st), status, "%s: %s: %s", name, snap_status_name(st),
			 err.message);
	cr_expect(st == err.status, "%s", name);
	snprintf(place, sizeof(place), "/bad/%s: byte %s: ", name, offset);
	if (offset[0] != '-')
		cr_expect_neq(strstr(err.message, place), NULL, "%s, not byte %s", err.message,
			      offset);
	if (reason[0] != '-')
		cr_expect_neq(strstr(err.message, reason), NULL, "%s, not %s", err.message, reason);
	read_bad(name, SNAP_READ_SALVAGE, &err); /* whatever it says, it comes back */
}

Test(reader_bad, every_file_is_refused_with_its_status_at_its_offset_for_its_fault)
{
	char path[512], line[512], name[100], status[64], offset[64], reason[200];
	FILE *table;
	int files = 0;

	snprintf(path, sizeof(path), "%s/bad/expected.tsv", TESTDATA);
	table = fopen(path, "re");
	cr_assert_not_null(table);
	for (; fgets(line, sizeof(line), table); files++) {
		cr_assert_eq(sscanf(line, "%99[^\t]\t%63[^\t]\t%63[^\t]\t%199[^\n]", name, status,
				    offset, reason),
			     4);
		is_refused_as_expected(name, status, offset, reason);
	}
	fclose(table);
	cr_assert_gt(files, 70);
}

Test(reader_bad, the_sentence_names_section_and_row)
{
	struct snap_error err = {0};

	cr_assert_eq(read_bad("node-parent-later.snap", SNAP_READ_WHOLE, &err), SNAP_ECORRUPT);
	cr_assert_neq(strstr(err.message, "damaged NODE chunk: row 1 refers to a parent that does "
					  "not exist"),
		      NULL, "%s", err.message);
	read_bad("unknown-required.snap", SNAP_READ_WHOLE, &err);
	cr_assert_neq(strstr(err.message, "section NEWS is of a newer version"), NULL, "%s",
		      err.message);
	read_bad("major-2.snap", SNAP_READ_WHOLE, &err);
	cr_assert_neq(strstr(err.message, "format version 2.0; this program reads 1.x"), NULL, "%s",
		      err.message);
	read_bad("bomb.snap", SNAP_READ_WHOLE, &err);
	cr_assert_neq(strstr(err.message, "inflate beyond all proportion"), NULL, "%s",
		      err.message);
}

Test(reader_bad, a_newer_version_is_not_salvaged_as_if_it_were_torn)
{
	struct snap_error err = {0};

	cr_assert_eq(read_bad("unknown-required.snap", SNAP_READ_SALVAGE, &err), SNAP_EVERSION);
	cr_assert_eq(read_bad("major-2.snap", SNAP_READ_SALVAGE, &err), SNAP_EVERSION);
}
