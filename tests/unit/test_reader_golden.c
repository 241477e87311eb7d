/*
 * test_reader_golden.c - files of this format version stay readable for ever.
 *
 * testdata/golden/NAME.snap are the samples of test_format_samples.h as the first release wrote
 * them, NAME.txt is their text form, read by tests/tools/snapread.py, which knows only FORMAT.md.
 * Run with SNAP_UPDATE_GOLDEN=1 to write files that are missing; an existing one never changes.
 */
/* links: snapwrite snapread */
#include <fcntl.h>

#include "test_format_samples.h"

static const struct golden {
	const char *name;
	sample_fn *sample;
} goldens[] = {
	{"empty", sample_empty},     {"tiny", sample_tiny},     {"odd", sample_odd},
	{"sampled", sample_sampled}, {"chunks", sample_chunks}, {"held", sample_held},
	{"python", sample_python},
};

#define GOLDEN_COUNT (sizeof(goldens) / sizeof(*goldens))

static void golden_path(char path[512], const struct golden *golden, const char *suffix)
{
	snprintf(path, 512, "%s/golden/%s.%s", TESTDATA, golden->name, suffix);
}

static void write_missing(const struct golden *golden, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0)
		return;
	cr_assert_eq(write_sample(golden->sample, fd), SNAP_OK);
	close(fd);
}

static struct bytes golden_bytes(const struct golden *golden)
{
	struct bytes bytes;
	char path[512];
	int fd;

	golden_path(path, golden, "snap");
	if (getenv("SNAP_UPDATE_GOLDEN"))
		write_missing(golden, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	cr_assert(fd >= 0, "%s is missing", path);
	bytes = read_fd(fd);
	close(fd);
	return bytes;
}

static uint64_t digest_of(struct bytes file)
{
	struct snap_reader *reader;
	uint64_t digest;

	cr_assert_eq(snap_reader_open_memory(&reader, file.data, file.size, "golden",
					     SNAP_READ_WHOLE, NULL),
		     SNAP_OK);
	digest = snap_reader_digest(reader);
	snap_reader_close(reader);
	return digest;
}

Test(golden, files_of_the_first_release_hold_the_same_rows_as_today)
{
	for (size_t i = 0; i < GOLDEN_COUNT; i++) {
		struct bytes then = golden_bytes(&goldens[i]);
		struct bytes now = sample_bytes(goldens[i].sample);
		char *rows_then, *rows_now;

		cr_assert_eq(print_file(then, SNAP_READ_WHOLE, &rows_then, NULL), SNAP_OK);
		cr_assert_eq(print_file(now, SNAP_READ_WHOLE, &rows_now, NULL), SNAP_OK);
		cr_assert_str_eq(rows_then, rows_now);
		free(rows_then);
		free(rows_now);
		free(then.data);
		free(now.data);
	}
}

Test(golden, the_writer_still_makes_the_same_rows_into_the_same_chunks)
{
	/* Only zstd may have changed: the digest is of the rows and how they are cut. */
	for (size_t i = 0; i < GOLDEN_COUNT; i++) {
		struct bytes then = golden_bytes(&goldens[i]);
		struct bytes now = sample_bytes(goldens[i].sample);

		cr_assert_eq(digest_of(then), digest_of(now), "%s", goldens[i].name);
		free(then.data);
		free(now.data);
	}
}

Test(golden, a_reader_that_knows_only_the_format_description_reads_the_same, .timeout = 1200)
{
	if (system("python3 -c 'import ctypes' 2>/dev/null") != 0)
		cr_skip_test("there is no python3");
	for (size_t i = 0; i < GOLDEN_COUNT; i++) {
		char snap[512], text[512], command[2048];

		golden_path(snap, &goldens[i], "snap");
		golden_path(text, &goldens[i], "txt");
		snprintf(command, sizeof(command),
			 "python3 '%s/tests/tools/snapread.py' '%s' | cmp - '%s'", SOURCE_DIR, snap,
			 text);
		cr_assert_eq(system(command), 0, "%s", command);
	}
}
