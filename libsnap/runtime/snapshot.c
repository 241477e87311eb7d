/*
 * runtime/snapshot.c - one snapshot: from the heap map to a file that is whole or absent.
 *
 * No thread is stopped, unless holders are wanted: then a copy of the process does the work
 * (holders/copy.h).  The epoch is closed first; blocks born later are left out.  Blocks that are
 * freed or resized during the walk are counted in losses.changed_while_writing.  The figures are
 * exact if nothing allocates meanwhile.
 */
#include "runtime/snapshot.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/arena.h"
#include "runtime/file.h"
#include "runtime/filename.h"
#include "runtime/kept.h"
#include "runtime/os_linux.h"
#include "runtime/process.h"
#include "runtime/python/census.h"
#include "runtime/python/codes.h"
#include "runtime/python/objects.h"
#include "runtime/record.h"
#include "runtime/sample.h"
#include "runtime/snapshot/epochs.h"
#include "runtime/snapshot/job.h"
#include "runtime/thread.h"
#include "snap/format.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

#define BRIEF_BYTES  ((uint64_t)1 << 20)
#define CENSUS_TRIES 3u

static uint64_t last_seq;
static void *kept_workspace; /* of the exit snapshot; NULL: there is none */
static struct snap__unseen most_unseen;
static _Atomic uint64_t progress, failures, merged_snapshots, writing_cpu_ns;

void snap__job_tick(void)
{
	atomic_fetch_add_explicit(&progress, 1, memory_order_relaxed);
}

uint64_t snap__snapshot_progress(void)
{
	return atomic_load_explicit(&progress, memory_order_relaxed);
}

uint64_t snap__snapshot_seq(void)
{
	return last_seq;
}

void snap__snapshot_count_merged(uint64_t snapshots)
{
	atomic_fetch_add(&merged_snapshots, snapshots);
}

uint64_t snap__snapshot_merged(void)
{
	return atomic_load(&merged_snapshots);
}

uint64_t snap__snapshot_failures(void)
{
	return atomic_load(&failures);
}

struct snap__unseen snap__snapshot_unseen(void)
{
	return most_unseen;
}

uint64_t snap__snapshot_writing_ns(void)
{
	return atomic_load(&writing_cpu_ns);
}

uint64_t snap__snapshot_cpu_ns(void)
{
	return snap__threads_total(SNAP__COUNT_TIMED) * 1024 + atomic_load(&writing_cpu_ns);
}

void snap__snapshot_after_fork(void)
{
	last_seq = 0;
	snap__kept_after_fork();
	snap__filename_after_fork();
	most_unseen = (struct snap__unseen){0};
	snap__epochs_after_fork();
	atomic_store(&failures, 0);
	atomic_store(&merged_snapshots, 0);
	atomic_store(&writing_cpu_ns, 0);
}

bool snap__job_is_brief(void)
{
	return snap__process_age_ns() < SNAP__JOB_BRIEF_NS &&
	       snap__record_peak_bytes() < BRIEF_BYTES;
}

static void write_rows(struct snap__job *job)
{
	snap__job_put_process(job);
	snap__job_put_holders(job);
	snap__job_put_census(job);
	snap__job_put_metrics(job);
	snap__job_put_losses(job);
	snap__job_tick();
	snap__job_put_strings(job);
	snap__job_put_modules(job);
	snap__job_put_locations(job);
	snap__job_put_nodes(job);
	snap__job_tick();
	snap__job_put_sites(job);
	if (job->copy)
		snap__job_put_graphs(job);
}

/* Released after each snapshot but the exit snapshot: the end of the process does it for less. */
static void *make_workspace(size_t size)
{
	snap__unmap(kept_workspace, size);
	kept_workspace = NULL;
	return snap__map_passing(size);
}

static void release_workspace(const struct snap__job *job, void *workspace, size_t size)
{
	if (job->order->reason == SNAP__AT_EXIT && !snap__reserve_has(workspace))
		kept_workspace = workspace;
	else
		snap__unmap(workspace, size);
}

static enum snap_status write_file(struct snap__job *job, int fd, int *error)
{
	size_t size = snap__writer_workspace_size();
	void *workspace = make_workspace(size);
	enum snap_status st;

	if (!workspace)
		return SNAP_ENOMEM;
	job->writer = snap__writer_begin(workspace, size, fd);
	snap__writer_hurry(job->writer);
	write_rows(job);
	errno = 0;
	st = snap__writer_finish(job->writer, NULL);
	*error = st == SNAP_EIO ? errno : 0;
	snap__job_tick();
	release_workspace(job, workspace, size);
	return st;
}

/* Collect everything that goes into the file. */
static void look(struct snap__job *job)
{
	snap__job_walk_heap(job);
	snap__numbering_make(&job->numbering);
	job->failed = job->failed || job->numbering.failed;
	job->codes = snap__python_code_count();
	snap__job_tick();
	job->changed = job->copy ? 0 : snap__threads_total(SNAP__COUNT_FREED) - job->freed_before;
	job->modules = snap__modules_count();
	snap__job_sum_heap(job);
	snap__job_count_merged(job);
	if (!job->metrics)
		snap__job_take_metrics(job);
	if (job->copy && snap__job_wants_census(job))
		snap__census_make(job->copy, &job->numbering);
}

static enum snap_status look_and_write(struct snap__job *job, int fd, int *error)
{
	look(job);
	return job->failed ? SNAP_ENOMEM : write_file(job, fd, error);
}

/* In the copy only the file may stay open: another process may wait until an inherited pipe is
   closed. */
static void close_others(int fd)
{
	if (fd > 0)
		syscall(SYS_close_range, 0u, (unsigned)fd - 1, 0u);
	syscall(SYS_close_range, (unsigned)fd + 1, ~0u, 0u);
}

static void work_in_copy(struct snap__copy *copy, void *user)
{
	struct snap__job *job = user;
	int error = 0;

	close_others(job->fd);
	job->copy = copy;
	if (snap__holders_native(job->order->holders) != SNAP__HOLDERS_NONE)
		snap__holders_analyse(copy, snap__holders_native(job->order->holders));
	if (look_and_write(job, job->fd, &error) != SNAP_OK)
		snap__copy_fail("the file cannot be written");
	copy->page->live_bytes = job->unseen.live_bytes;
	copy->page->unseen = job->unseen.bytes;
}

/* In a copy of the process.  False: nothing was written, and the reason is set. */
static bool try_copy(struct snap__job *job, int fd, char *reason)
{
	struct snap__copy_page result;

	if (snap__copy_run(work_in_copy, job, snap__job_tick, reason, &result)) {
		job->unseen = (struct snap__unseen){result.unseen, result.live_bytes};
		job->live_bytes = result.live_bytes;
		return true;
	}
	/* Remove what the copy wrote before it failed. */
	syscall(SYS_ftruncate, fd, 0L);
	syscall(SYS_lseek, fd, 0L, SEEK_SET);
	return false;
}

/* If a thread was stopped while it changed an object, some objects cannot be followed.  Try once
   more: it hardly ever happens twice. */
static bool try_copies(struct snap__job *job, int fd, char *reason)
{
	unsigned tries = snap__job_wants_census(job) ? CENSUS_TRIES : 1;

	while (tries-- > 0) {
		if (try_copy(job, fd, reason))
			return true;
		if (!snap__starts_with(reason, "the copy was ended by signal"))
			break;
	}
	return false;
}

/* Write the snapshot in a copy of the process, if one is wanted and possible; the file is then
 * complete. */
static bool write_in_copy(struct snap__job *job, int fd)
{
	static char reason[SNAP__COPY_REASON_SIZE];

	if (job->order->holders == SNAP__HOLDERS_NONE)
		return false;
	job->fd = fd;
	job->holders_failed = reason;
	if (job->order->holders & SNAP__CENSUS)
		job->census_failed = snap__objects_problem();
	if (snap__sample_period() != 0) {
		job->holders_failed = "a sample does not know all blocks";
		job->census_failed = job->holders_failed;
		return false;
	}
	if (snap__holders_native(job->order->holders) == SNAP__HOLDERS_NONE &&
	    !snap__job_wants_census(job))
		return false;
	snap__job_take_metrics(job);
	if (try_copies(job, fd, reason))
		return true;
	if (snap__job_wants_census(job))
		job->census_failed = reason;
	return false;
}

/* If the exit snapshot holds nearly as much as the kept peak, one of the two is enough. */
static bool is_at_peak(const struct snap__job *job)
{
	uint64_t peak = snap__record_peak_bytes();

	return job->order->reason == SNAP__AT_EXIT && job->live_bytes >= peak - peak / 32;
}

/* Put the written file in its place; 0 or an errno value. */
static int publish(const struct snap__job *job, struct snap__file *file, char *buffer, size_t size)
{
	int error = snap__file_finish(file, job->order->is_durable);

	while (error == 0) {
		struct snap__text name = snap__text_in(buffer, size);

		snap__filename_final(&name, NULL, job->seq, job->word);
		error = job->word ? snap__kept_publish(job->order->reason, file, buffer,
						       job->live_bytes)
				  : snap__file_rename(file, buffer);
		if (error != EEXIST)
			break;
		error = snap__filename_next() ? 0 : EEXIST;
	}
	if (error == 0 && job->order->reason == SNAP__AT_EXIT)
		snap__kept_drop_safety(file->directory);
	if (error == 0 && is_at_peak(job))
		snap__kept_drop_peak(file->directory);
	return error;
}

static enum snap_status save(struct snap__job *job, int *error)
{
	char name[SNAP__FILENAME_MAX];
	struct snap__file file;
	enum snap_status st;
	bool is_kept;

	*error = snap__file_create(&file, job->order->directory, snap__process_config()->out,
				   snap__process_self()->program);
	if (*error != 0)
		return SNAP_EIO;
	st = write_in_copy(job, file.fd) ? SNAP_OK : look_and_write(job, file.fd, error);
	/* Other threads may have freed their blocks since the peak was reached. */
	is_kept = st == SNAP_OK && !snap__kept_is_higher(job->order->reason, job->live_bytes);
	if (is_kept) {
		*error = publish(job, &file, name, sizeof(name));
		st = *error == 0 ? SNAP_OK : SNAP_EIO;
	}
	snap__file_close(&file, is_kept && st == SNAP_OK, job->order->is_durable);
	snap__job_tick();
	return st;
}

static void release(struct snap__job *job)
{
	snap__numbering_release(&job->numbering);
	snap__tally_free(&job->live);
}

enum snap_status snap__snapshot_take(const struct snap__order *order, char *path, size_t size,
				     int *error)
{
	struct snap__job job = {.order = order, .word = snap__kept_word(order->reason)};
	/* A brief process that ends has nobody to tell what this snapshot took. */
	bool is_timed = order->reason != SNAP__AT_EXIT || !snap__job_is_brief();
	uint64_t cpu = is_timed ? snap__os_thread_cpu_ns() : 0;
	struct snap__text name = {0};
	enum snap_status st;
	int saved = errno;

	if (path)
		name = snap__text_in(path, size);
	*error = 0;
	job.seq = job.word ? last_seq : last_seq + 1;
	job.time_ns = snap__os_wall_ns();
	job.cpu_ns = snap__os_process_cpu_ns(snap__process_self()->pid);
	job.freed_before = snap__threads_total(SNAP__COUNT_FREED);
	job.closed = snap__epochs_close(job.seq);
	st = save(&job, error);
	release(&job);
	if (st == SNAP_OK) {
		last_seq = job.seq;
		if (job.unseen.bytes > most_unseen.bytes)
			most_unseen = job.unseen;
		if (path)
			snap__filename_final(&name, snap__process_config()->out, job.seq, job.word);
	} else {
		snap__epochs_fail(job.closed, last_seq);
		atomic_fetch_add(&failures, 1);
	}
	if (is_timed)
		atomic_fetch_add(&writing_cpu_ns, snap__os_thread_cpu_ns() - cpu);
	errno = saved;
	return st;
}
