/*
 * test_reader_memory.c - the reader when memory runs out: at the 1st, 2nd, ... allocation, until it
 * succeeds.
 */
/* links: snapwrite snapread */
#include "failing_memory.h"
#include "test_format_samples.h"

static enum snap_status ignore_meta(void *user, const struct snap_meta *meta)
{
	(void)user;
	(void)meta;
	return SNAP_OK;
}

static enum snap_status ignore_location(void *user, uint32_t id,
					const struct snap_location *location,
					const struct snap_frame *frames)
{
	(void)user;
	(void)id;
	(void)location;
	(void)frames;
	return SNAP_OK;
}

static enum snap_status ignore_node(void *user, uint32_t id, const struct snap_node *node)
{
	(void)user;
	(void)id;
	(void)node;
	return SNAP_OK;
}

static enum snap_status ignore_site(void *user, uint32_t id, const struct snap_site *site,
				    const struct snap_cohort *cohorts,
				    const struct snap_variance *variance)
{
	(void)user;
	(void)id;
	(void)site;
	(void)cohorts;
	(void)variance;
	return SNAP_OK;
}

/* Open from a path, read four sections, close. */
static enum snap_status read_path(const char *path, enum snap_reader_mode mode,
				  struct snap_error *err)
{
	struct snap_reader *reader;
	enum snap_status st = snap_reader_open(&reader, path, mode, err);

	if (st == SNAP_OK)
		st = snap_reader_each_meta(reader, ignore_meta, NULL, err);
	if (st == SNAP_OK)
		st = snap_reader_each_location(reader, ignore_location, NULL, err);
	if (st == SNAP_OK)
		st = snap_reader_each_node(reader, ignore_node, NULL, err);
	if (st == SNAP_OK)
		st = snap_reader_each_site(reader, ignore_site, NULL, err);
	snap_reader_close(reader);
	return st;
}

/* Returns how many allocations could fail. */
static int fails_at_every_allocation(const char *path, enum snap_reader_mode mode)
{
	for (int n = 1;; n++) {
		struct snap_error err = {0};
		long live_before = live;
		enum snap_status st;

		failing = n;
		has_failed = false;
		st = read_path(path, mode, &err);
		failing = 0;
		cr_assert_eq(live, live_before, "allocation %d: memory was lost", n);
		if (!has_failed) {
			cr_assert_eq(st, SNAP_OK, "%s", err.message);
			return n - 1;
		}
		cr_assert_eq(st, SNAP_ENOMEM, "allocation %d", n);
		cr_assert_eq(err.status, SNAP_ENOMEM);
		cr_assert_neq(strstr(err.message, "out of memory"), NULL, "%s", err.message);
	}
}

Test(reader_memory, an_allocation_that_fails_is_reported_and_nothing_is_lost,
     .disabled = !ALLOCATOR_IS_OURS)
{
	/* Directory, name, table of contents, inflater, buffers of four sections, depths. */
	cr_assert_gt(fails_at_every_allocation(TESTDATA "/golden/chunks.snap", SNAP_READ_WHOLE),
		     10);
	fails_at_every_allocation(TESTDATA "/golden/sampled.snap", SNAP_READ_WHOLE);
}

Test(reader_memory, an_allocation_that_fails_in_a_torn_file_is_reported,
     .disabled = !ALLOCATOR_IS_OURS)
{
	struct bytes file = sample_bytes(sample_chunks);
	int fd = memfd_create("torn", 0);
	char path[64];

	cr_assert(write(fd, file.data, file.size - 40) == (ssize_t)file.size - 40);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	cr_assert_gt(fails_at_every_allocation(path, SNAP_READ_SALVAGE), 10);
	free(file.data);
}
