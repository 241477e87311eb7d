/* test_input.c - anything that a user may name. */
/* links: cmd_input */
#include <criterion/criterion.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>
#include <zstd.h>

#include "input/input.h"

static const char text[] = "#snaptext 1\n@ seq\t3\n"
			   "live_bytes\tlive_blocks\tallocated_bytes\tallocated_blocks\tdomain\t"
			   "cohorts\tframes...\n"
			   "10\t2\t-\t7\tmalloc\t1:2:10\tf|a.c|3|app\tmain|b.c||\n"
			   "1\t1\t1\t1\tmalloc\t-\tmain|b.c||\n";

static char directory[64];
static char path[128];

static void make_directory(void)
{
	strcpy(directory, "/tmp/snapdiff-test-XXXXXX");
	cr_assert_not_null(mkdtemp(directory));
}

static int remove_entry(const char *name, const struct stat *info, int kind, struct FTW *walk)
{
	(void)info;
	(void)kind;
	(void)walk;
	return remove(name);
}

static void remove_directory(void)
{
	nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(input, .init = make_directory, .fini = remove_directory);

static const char *in_directory(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static const char *write_bytes(const char *name, const void *data, size_t size)
{
	FILE *out = fopen(in_directory(name), "w");

	cr_assert_not_null(out);
	cr_assert_eq(fwrite(data, 1, size, out), size);
	fclose(out);
	return path;
}

static const char *write_text(const char *name, const char *content)
{
	return write_bytes(name, content, strlen(content));
}

static struct model *read_file(const char *name)
{
	struct model *model = NULL;
	struct snap_error err = {0};

	cr_assert_eq(input_read(&model, name, NULL, &err), SNAP_OK, "%s", err.message);
	return model;
}

/** Expect this status, and a message that begins with the path and contains `words`. */
static void refuse(const char *name, enum snap_status st, const char *words)
{
	struct model *model = NULL;
	struct snap_error err = {0};

	cr_expect_eq(input_read(&model, name, NULL, &err), st, "%s", err.message);
	cr_expect_null(model);
	cr_expect(strncmp(err.message, name, strlen(name)) == 0, "%s", err.message);
	cr_expect_not_null(strstr(err.message, words), "%s", err.message);
}

static char *as_text(const struct model *model)
{
	char *out_text = NULL;
	size_t size;
	FILE *out = open_memstream(&out_text, &size);

	cr_assert_eq(input_write_text(model, out, NULL), SNAP_OK);
	fclose(out);
	return out_text;
}

static void expect_text(const char *name)
{
	struct model *model = read_file(name);
	char *got = as_text(model);

	cr_expect_str_eq(got, text);
	free(got);
	model_free(model);
}

static size_t pack_gzip(void *out, size_t room, const void *data, size_t size)
{
	z_stream z = {0};

	cr_assert_eq(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (Bytef *)(uintptr_t)data;
	z.avail_in = (uInt)size;
	z.next_out = out;
	z.avail_out = (uInt)room;
	cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return room - z.avail_out;
}

Test(input, a_snapshot_built_from_text_gives_the_text_back)
{
	struct model *model = read_file(write_text("a.txt", text));
	struct snap_error err = {0};

	cr_assert_eq(input_write_snap(model, in_directory("a.snap"), &err), SNAP_OK, "%s",
		     err.message);
	expect_text(path);
	model_free(model);
}

Test(input, building_twice_gives_equal_bytes_and_no_other_files)
{
	struct model *model = read_file(write_text("a.txt", text));
	char command[512];

	cr_assert_eq(input_write_snap(model, in_directory("a.snap"), NULL), SNAP_OK);
	cr_assert_eq(input_write_snap(model, in_directory("b.snap"), NULL), SNAP_OK);
	snprintf(command, sizeof(command),
		 "cd %s && cmp a.snap b.snap && test $(ls -A | wc -l) = 3", directory);
	cr_expect_eq(system(command), 0);
	model_free(model);
}

Test(input, a_failed_build_leaves_the_old_file_alone)
{
	struct model *model = read_file(write_text("a.txt", text));
	struct snap_error err = {0};

	cr_expect_eq(input_write_snap(model, in_directory("none/a.snap"), &err), SNAP_EIO);
	cr_expect_not_null(strstr(err.message, "none/a.snap: No such file or directory"));
	cr_expect_eq(input_write_snap(model, directory, &err), SNAP_EIO);
	cr_expect_eq(input_write_snap(model, "/dev/full", &err), SNAP_EIO);
	cr_expect_str_eq(err.message, "/dev/full: No space left on device");
	model_free(model);
}

Test(input, gzip_and_zstd_are_unwrapped_even_twice)
{
	char once[4096], twice[8192];
	size_t size = pack_gzip(once, sizeof(once), text, sizeof(text) - 1);
	size_t packed = ZSTD_compress(twice, sizeof(twice), text, sizeof(text) - 1, 3);

	expect_text(write_bytes("a.gz", once, size));
	expect_text(write_bytes("a.zst", twice, packed));
	packed = ZSTD_compress(twice, sizeof(twice), once, size, 3);
	expect_text(write_bytes("a.gz.zst", twice, packed));
}

Test(input, a_wrapped_snapshot_file_is_read_too)
{
	struct model *model = read_file(write_text("a.txt", text));
	char command[512];

	cr_assert_eq(input_write_snap(model, in_directory("a.snap"), NULL), SNAP_OK);
	snprintf(command, sizeof(command), "gzip -k %s/a.snap", directory);
	cr_assert_eq(system(command), 0);
	expect_text(in_directory("a.snap.gz"));
	model_free(model);
}

Test(input, every_truncated_gzip_is_refused)
{
	char packed[4096];
	size_t size = pack_gzip(packed, sizeof(packed), text, sizeof(text) - 1);

	for (size_t cut = 3; cut < size; cut++) {
		struct model *model = NULL;

		cr_expect_neq(input_read_memory(&model, packed, cut, "t", NULL, NULL), SNAP_OK,
			      "%zu", cut);
		model_free(model);
	}
}

Test(input, bytes_behind_a_gzip_member_are_refused)
{
	char packed[4096];
	size_t size = pack_gzip(packed, sizeof(packed), text, sizeof(text) - 1);

	memcpy(packed + size, "more", 4);
	refuse(write_bytes("a.gz", packed, size + 4), SNAP_ECORRUPT, "damaged compressed file");
}

Test(input, a_decompression_bomb_is_refused)
{
	size_t size = (size_t)200 << 20;
	char *zeros = calloc(1, size);
	size_t room = ZSTD_compressBound(size);
	char *packed = malloc(room);
	size_t packed_size;

	memcpy(zeros, text, sizeof(text) - 1);
	memset(zeros + sizeof(text) - 1, '\n', size - sizeof(text));
	packed_size = ZSTD_compress(packed, room, zeros, size, 3);
	refuse(write_bytes("bomb", packed, packed_size), SNAP_ECORRUPT, "times its size");
	free(zeros);
	free(packed);
}

Test(input, files_of_other_kinds_are_named_as_what_they_are)
{
	refuse(write_text("empty", ""), SNAP_ETRUNCATED, "is empty");
	refuse(write_bytes("short", "\x89SNA", 4), SNAP_ETRUNCATED, "ends after 4 bytes");
	refuse(write_bytes("elf",
			   "\x7f"
			   "ELF\2\1\1",
			   7),
	       SNAP_EUNSUPPORTED, "is a program or library");
	refuse(write_bytes("base.db", "SQLite format 3\0....", 20), SNAP_EUNSUPPORTED, "--db");
	refuse(write_text("page.html", "<html>"), SNAP_EUNSUPPORTED, "not a snapshot");
	refuse(in_directory("absent"), SNAP_EIO, "No such file or directory");
	refuse(directory, SNAP_EUNSUPPORTED, "is a directory");
}

Test(input, formats_are_recognised_by_content)
{
	cr_expect_str_eq(input_recognise(text, sizeof(text) - 1), "text");
	cr_expect_str_eq(input_recognise("\x1f\x8b\x08\0", 4), "gzip");
	cr_expect_str_eq(input_recognise("\x28\xb5\x2f\xfd", 4), "zstd");
	cr_expect_null(input_recognise("hello", 5));
	cr_expect_null(input_recognise(NULL, 0));
}

Test(input, a_truncated_snapshot_is_refused_unless_it_is_salvaged)
{
	struct model *model = read_file(write_text("a.txt", text));
	struct input_options salvage = {.salvage = true};
	struct snap_error err = {0};
	struct stat info;

	cr_assert_eq(input_write_snap(model, in_directory("a.snap"), NULL), SNAP_OK);
	model_free(model);
	cr_assert_eq(stat(path, &info), 0);
	cr_assert_eq(truncate(path, info.st_size - 20), 0);
	refuse(path, SNAP_ETRUNCATED, "");
	cr_assert_eq(input_read(&model, path, &salvage, &err), SNAP_OK, "%s", err.message);
	cr_expect_not_null(model->torn);
	cr_expect_eq(model->site_count, 2);
	model_free(model);
}

static void write_meta(const char *name, const char *start, const char *pid, const char *seq)
{
	char content[256];

	snprintf(content, sizeof(content),
		 "#snaptext 1\n@ start_time_ns\t%s\n@ pid\t%s\n@ seq\t%s\n", start, pid, seq);
	write_text(name, content);
}

Test(input, a_directory_lists_by_start_pid_and_sequence)
{
	static const char *const order[] = {"d", "c", "b", "a", "x2", "x10"};
	char **paths;
	size_t count;
	struct snap_error err = {0};

	write_meta("x10", "5", "7", "1");
	write_meta("x2", "5", "7", "1");
	write_meta("a", "4", "9", "10");
	write_meta("b", "4", "9", "9");
	write_meta("c", "4", "8", "20");
	write_meta("d", "1", "99", "1");
	write_text("notes.md", "hello");
	write_text("empty", "");
	write_text("half.tmp", "#snaptext 1\n");
	write_text(".hidden", "#snaptext 1\n");
	mkdir(in_directory("sub"), 0755);
	cr_assert_eq(input_list_directory(directory, NULL, NULL, &paths, &count, &err), SNAP_OK,
		     "%s", err.message);
	cr_assert_eq(count, 6);
	for (size_t i = 0; i < count; i++)
		cr_expect_str_eq(strrchr(paths[i], '/') + 1, order[i]);
	input_free_list(paths, count);
}

static void note_skipped(void *user, const char *file, const char *sentence)
{
	char *names = user;

	cr_expect(strstr(sentence, file), "%s: %s", file, sentence);
	snprintf(names + strlen(names), 256 - strlen(names), "%s ", strrchr(file, '/') + 1);
}

/* CPython's own dump, and zeros behind it, more than one read takes. */
Test(input, what_follows_a_dump_is_said_of_files_and_pipes)
{
	static const char dump[] = TESTDATA "/tracemalloc/3.10.after.dump";
	static char bytes[1 << 20];
	FILE *in = fopen(dump, "r");
	size_t size = fread(bytes, 1, sizeof(bytes), in);
	struct model *model = read_file(write_bytes("followed", bytes, sizeof(bytes)));
	char words[64];
	int ends[2];

	fclose(in);
	snprintf(words, sizeof(words), "follow %zu bytes", sizeof(bytes) - size);
	cr_assert_not_null(model->torn);
	cr_expect_not_null(strstr(model->torn, words), "%s", model->torn);
	model_free(model);
	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(write(ends[1], bytes, 16384), 16384);
	close(ends[1]);
	cr_assert_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	model = read_file("-");
	cr_assert_not_null(model->torn);
	cr_expect_not_null(strstr(model->torn, "they are not read"), "%s", model->torn);
	model_free(model);
}

Test(input, damaged_files_that_are_named_like_snapshots_are_told_of)
{
	char names[256] = "", **paths;
	size_t count;
	struct snap_error err = {0};

	write_meta("step-1.dump", "5", "7", "1");
	write_text("step-12.dump", "");       /* the name of another, but for its number */
	write_text("step-13.dump", "\0\0\0"); /* and zeroed after a crash */
	write_text("other.dump", "");         /* empty, and ends like a snapshot */
	write_text("notes.dump", "hello");    /* nothing of a snapshot */
	write_text("app.7.000001.snap", "no");
	write_text("app.7.000002.snap.gz", "no");
	write_text("app.7.000003.snap.tmp", "no");
	cr_assert_eq(input_list_directory(directory, note_skipped, names, &paths, &count, &err),
		     SNAP_OK, "%s", err.message);
	cr_expect_eq(count, 1);
	cr_expect_str_eq(names, "app.7.000001.snap app.7.000002.snap.gz other.dump step-12.dump "
				"step-13.dump ");
	input_free_list(paths, count);
}

Test(input, a_directory_of_damaged_snapshots_only_is_damaged)
{
	char names[256] = "", **paths;
	size_t count;
	struct snap_error err = {0};

	write_text("app.7.000001.snap", "");
	cr_expect_eq(input_list_directory(directory, note_skipped, names, &paths, &count, &err),
		     SNAP_ECORRUPT);
	cr_expect(strstr(err.message, "1 damaged snapshot and no sound one"));
	cr_expect_str_eq(names, "app.7.000001.snap ");
}

Test(input, a_directory_without_snapshots_says_so)
{
	char **paths;
	size_t count;
	struct snap_error err = {0};

	cr_expect_eq(input_list_directory(directory, NULL, NULL, &paths, &count, &err),
		     SNAP_ENOTFOUND);
	cr_expect_not_null(strstr(err.message, "no snapshots in this directory"));
	cr_expect_eq(input_list_directory("/nonexistent", NULL, NULL, &paths, &count, &err),
		     SNAP_EIO);
	cr_expect_null(paths);
}
