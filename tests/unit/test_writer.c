/*
 * test_writer.c - what the writer refuses, how it fails, and that it is deterministic.
 */
/* links: snapwrite snapread */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "test_format_samples.h"

/* A writer to /dev/null with two strings, one module, one location and one node. */
static struct snap__writer *open_writer(void)
{
	size_t size = snap__writer_workspace_size();
	struct snap__writer *w = snap__writer_begin(aligned_alloc(64, size), size,
						    open("/dev/null", O_WRONLY | O_CLOEXEC));

	snap__write_string(w, TEXT(""));
	snap__write_string(w, TEXT("malloc"));
	return w;
}

static void write_module_to_node(struct snap__writer *w)
{
	snap__write_module(w, &(struct snap_module){.path = 1});
	snap__write_location(w, &(struct snap_location){.module = 0}, NULL);
	cr_assert_eq(snap__write_node(w, &(struct snap_node){.parent = SNAP_NONE, .location = 0}),
		     SNAP_OK);
}

/* The row was refused; all later rows are refused, too. */
static void is_refused(struct snap__writer *w, enum snap_status st)
{
	cr_assert_eq(st, SNAP_EINVAL);
	cr_assert_eq(snap__write_string(w, TEXT("x")), SNAP_EINVAL, "the first error must stay");
	cr_assert_eq(snap__writer_finish(w, NULL), SNAP_EINVAL);
	free(w);
}

Test(writer, the_workspace_is_a_few_mebibytes)
{
	cr_assert_leq(snap__writer_workspace_size(), 3300000);
}

Test(writer, a_workspace_that_is_too_small_or_not_aligned_is_reported)
{
	size_t size = snap__writer_workspace_size();
	char *memory = aligned_alloc(64, size + 64);
	struct snap__writer *w = snap__writer_begin(memory, size - 1, 1);

	cr_assert_eq(snap__write_string(w, TEXT("")), SNAP_ENOMEM);
	cr_assert_eq(snap__writer_finish(w, NULL), SNAP_ENOMEM);
	w = snap__writer_begin(memory + 8, size, 1);
	cr_assert_eq(snap__writer_finish(w, NULL), SNAP_ENOMEM);
	free(memory);
}

Test(writer, the_first_string_must_be_empty)
{
	size_t size = snap__writer_workspace_size();
	struct snap__writer *w = snap__writer_begin(aligned_alloc(64, size), size,
						    open("/dev/null", O_WRONLY | O_CLOEXEC));

	is_refused(w, snap__write_string(w, TEXT("x")));
}

Test(writer, sections_out_of_order_are_refused)
{
	struct snap__writer *w = open_writer();

	is_refused(w, snap__write_meta(w, &(struct snap_meta){TEXT("seq"), TEXT("1")}));
	w = open_writer();
	write_module_to_node(w);
	is_refused(w, snap__write_module(w, &(struct snap_module){.path = 1}));
}

Test(writer, ids_of_rows_that_do_not_exist_are_refused)
{
	const struct snap_location with_frame = {.module = 0, .frame_count = 1};
	struct snap__writer *w = open_writer();

	is_refused(w, snap__write_module(w, &(struct snap_module){.path = 2}));
	w = open_writer();
	is_refused(w, snap__write_module(w, &(struct snap_module){.build_id = 2}));
	w = open_writer();
	is_refused(w, snap__write_location(w, &(struct snap_location){.module = 0}, NULL));
	w = open_writer();
	snap__write_module(w, &(struct snap_module){.path = 1});
	is_refused(w, snap__write_location(w, &with_frame, &(struct snap_frame){.file = 2}));
	w = open_writer();
	write_module_to_node(w);
	is_refused(w, snap__write_node(w, &(struct snap_node){.parent = 1, .location = 0}));
	w = open_writer();
	write_module_to_node(w);
	is_refused(w, snap__write_node(w, &(struct snap_node){.parent = 0, .location = 1}));
	w = open_writer();
	write_module_to_node(w);
	is_refused(w, snap__write_site(w, &(struct snap_site){.node = 1}, NULL, NULL));
	w = open_writer();
	write_module_to_node(w);
	is_refused(w, snap__write_site(w, &(struct snap_site){.domain = 2}, NULL, NULL));
}

Test(writer, unknown_flags_are_refused)
{
	const struct snap_location with_frame = {.module = SNAP_NONE, .frame_count = 1};
	struct snap__writer *w = open_writer();

	is_refused(w, snap__write_location(
			      w, &(struct snap_location){.module = SNAP_NONE, .flags = 2}, NULL));
	w = open_writer();
	is_refused(w, snap__write_location(w, &with_frame, &(struct snap_frame){.flags = 2}));
}

Test(writer, rows_beyond_the_ceilings_of_the_format_are_refused)
{
	struct snap_text text = {calloc(1, SNAP_STRING_MAX + 1), SNAP_STRING_MAX + 1};
	struct snap__writer *w = open_writer();

	is_refused(w, snap__write_string(w, text));
	w = open_writer();
	is_refused(w, snap__write_location(
			      w,
			      &(struct snap_location){.module = SNAP_NONE,
						      .frame_count = SNAP_LOCATION_FRAMES_MAX + 1},
			      NULL));
	w = open_writer();
	is_refused(w,
		   snap__write_site(w,
				    &(struct snap_site){.node = SNAP_NONE,
							.cohort_count = SNAP_SITE_COHORTS_MAX + 1},
				    NULL, NULL));
	free((void *)(uintptr_t)text.data);
}

Test(writer, variances_must_be_on_all_sites_or_on_none)
{
	const struct snap_site site = {.node = SNAP_NONE};
	const struct snap_variance variance = {1, 1, 1, 1};
	struct snap__writer *w = open_writer();

	snap__write_site(w, &site, NULL, NULL);
	is_refused(w, snap__write_site(w, &site, NULL, &variance));
	w = open_writer();
	snap__write_site(w, &site, NULL, &variance);
	is_refused(w, snap__write_site(w, &site, NULL, NULL));
}

Test(writer, variances_must_be_finite_and_not_negative)
{
	const struct snap_site site = {.node = SNAP_NONE};
	const struct snap_variance bad[] = {{-1, 1, 1, 1},
					    {1, (double)NAN, 1, 1},
					    {1, 1, (double)INFINITY, 1},
					    {1, 1, 1, -0.5}};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct snap__writer *w = open_writer();

		is_refused(w, snap__write_site(w, &site, NULL, &bad[i]));
	}
}

/* ---- Determinism ---- */

static void writes_equal_bytes(sample_fn *sample)
{
	struct bytes first = sample_bytes(sample), second = sample_bytes(sample);

	cr_assert_eq(first.size, second.size);
	cr_assert_arr_eq(first.data, second.data, first.size);
	free(first.data);
	free(second.data);
}

Test(writer, equal_content_gives_equal_bytes)
{
	writes_equal_bytes(sample_empty);
	writes_equal_bytes(sample_tiny);
	writes_equal_bytes(sample_odd);
	writes_equal_bytes(sample_sampled);
	writes_equal_bytes(sample_chunks);
}

Test(writer, a_used_workspace_gives_the_same_bytes_as_a_fresh_one)
{
	size_t size = snap__writer_workspace_size();
	void *workspace = aligned_alloc(64, size);
	struct bytes expected = sample_bytes(sample_chunks), got;
	int fd = -1;

	for (int round = 0; round < 3; round++) {
		struct snap__writer *w;

		close(fd);
		fd = memfd_create("again", MFD_CLOEXEC);
		w = snap__writer_begin(workspace, size, fd);
		sample_chunks(w);
		cr_assert_eq(snap__writer_finish(w, NULL), SNAP_OK);
	}
	got = read_fd(fd);
	cr_assert_eq(got.size, expected.size);
	cr_assert_arr_eq(got.data, expected.data, got.size);
	free(got.data);
	free(expected.data);
	free(workspace);
}

Test(writer, the_size_is_reported)
{
	size_t size = snap__writer_workspace_size();
	void *workspace = aligned_alloc(64, size);
	int fd = memfd_create("sample", MFD_CLOEXEC);
	struct snap__writer *w = snap__writer_begin(workspace, size, fd);
	uint64_t bytes;

	sample_tiny(w);
	cr_assert_eq(snap__writer_finish(w, &bytes), SNAP_OK);
	cr_assert_eq(bytes, (uint64_t)lseek(fd, 0, SEEK_END));
	free(workspace);
}

/* ---- Failing output ---- */

Test(writer, a_full_disk_is_reported)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	errno = 0;
	cr_assert_eq(write_sample(sample_tiny, fd), SNAP_EIO);
	cr_assert_eq(errno, ENOSPC);
}

Test(writer, a_closed_descriptor_is_reported)
{
	cr_assert_eq(write_sample(sample_chunks, -1), SNAP_EIO);
	cr_assert_eq(errno, EBADF);
}

/* A file-size limit makes the write that crosses it short and the next one fail. */
static void fails_at_every_limit(sample_fn *sample)
{
	struct bytes whole = sample_bytes(sample);
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	for (size_t size = 0; size < whole.size; size++) {
		int fd = memfd_create("limited", MFD_CLOEXEC);
		struct bytes got;

		limit.rlim_cur = size;
		setrlimit(RLIMIT_FSIZE, &limit);
		errno = 0;
		cr_assert_eq(write_sample(sample, fd), SNAP_EIO, "limit %zu", size);
		cr_assert_eq(errno, EFBIG);
		got = read_fd(fd);
		cr_assert_eq(got.size, size);
		cr_assert_arr_eq(got.data, whole.data, size);
		free(got.data);
		close(fd);
	}
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_FSIZE, &limit);
	free(whole.data);
}

Test(writer, output_that_fails_at_any_byte_is_reported_and_leaves_a_prefix)
{
	fails_at_every_limit(sample_tiny);
}

/* 3 MiB of one text: each chunk is compressed, not only the first. */
static void sample_blanks(struct snap__writer *w)
{
	static char text[4096];

	memset(text, ' ', sizeof(text));
	snap__write_string(w, TEXT(""));
	for (int i = 0; i < 768; i++)
		snap__write_string(w, (struct snap_text){text, sizeof(text)});
}

Test(writer, the_compressor_has_room_in_the_workspace)
{
	struct bytes got = sample_bytes(sample_blanks);

	cr_assert_lt(got.size, 100000);
	free(got.data);
}

/* 1 MiB that does not compress, for a pipe that is full most of the time. */
static void sample_noise(struct snap__writer *w)
{
	uint32_t state = 1;

	snap__write_string(w, TEXT(""));
	for (int i = 0; i < 256; i++) {
		char text[4096];

		for (size_t j = 0; j < sizeof(text); j++) {
			state = state * 1664525u + 1013904223u;
			text[j] = (char)(state >> 24);
		}
		snap__write_string(w, (struct snap_text){text, sizeof(text)});
	}
}

static volatile sig_atomic_t interruptions;

static void on_alarm(int signal_number)
{
	(void)signal_number;
	interruptions++;
}

/* The reading end: slow enough that the writer has to wait, and is interrupted while it does. */
static void drain_slowly(int from, int to, pid_t writer)
{
	char buffer[3000];
	ssize_t got;

	while (kill(writer, SIGALRM), (got = read(from, buffer, sizeof(buffer))) > 0) {
		if (write(to, buffer, (size_t)got) != got)
			_exit(1);
		usleep(200);
	}
	_exit(0);
}

Test(writer, interrupted_and_short_writes_lose_nothing, .timeout = 1200)
{
	struct sigaction action = {.sa_handler = on_alarm}; /* without SA_RESTART */
	struct bytes expected = sample_bytes(sample_noise), got;
	int ends[2], fd = memfd_create("drained", 0), status;
	pid_t writer = getpid(), child;

	cr_assert(pipe(ends) == 0);
	sigaction(SIGALRM, &action, NULL);
	child = fork();
	if (child == 0) {
		close(ends[1]);
		drain_slowly(ends[0], fd, writer);
	}
	close(ends[0]);
	cr_assert_eq(write_sample(sample_noise, ends[1]), SNAP_OK);
	cr_assert_gt(interruptions, 0);
	close(ends[1]);
	while (waitpid(child, &status, 0) == -1 && errno == EINTR)
		;
	cr_assert_eq(status, 0);
	got = read_fd(fd);
	cr_assert_eq(got.size, expected.size);
	cr_assert_arr_eq(got.data, expected.data, got.size);
	free(got.data);
	free(expected.data);
}
