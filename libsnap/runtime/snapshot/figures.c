/*
 * runtime/snapshot/figures.c - the process's figures, before they are written.
 */
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/alone.h"
#include "runtime/hidden.h"
#include "runtime/metrics.h"
#include "runtime/process.h"
#include "runtime/python/arenas.h"
#include "runtime/record.h"
#include "runtime/resident.h"
#include "runtime/sample.h"
#include "runtime/snapshot/job.h"

#define MOST_METRICS 64u

static void keep_metric(void *user, const char *key, uint64_t value)
{
	struct snap__job *job = user;
	struct snap__text text;

	if (snap__equal(key, "anonymous"))
		job->anonymous = value;
	if (snap__equal(key, "allocator.releasable"))
		job->top_bytes = value;
	if (snap__equal(key, "allocator.arena") || snap__equal(key, "allocator.mapped") ||
	    snap__equal(key, "pymalloc.resident"))
		job->allocator_total += value;
	if (job->metric_count == MOST_METRICS)
		return;
	text = SNAP__TEXT(job->metrics[job->metric_count].key);
	snap__text_add(&text, key);
	job->metrics[job->metric_count++].value = value;
}

/* Much of the free memory at the end of the heap was never used. */
static void take_top(struct snap__job *job)
{
	uintptr_t end = (uintptr_t)syscall(SYS_brk, 0L);

	if (job->has_allocator && job->top_bytes < end)
		keep_metric(job, "allocator.free_absent",
			    snap__resident_absent(end - job->top_bytes, job->top_bytes));
}

static void take_pages(struct snap__job *job)
{
	if (!snap__job_begin_pages(job))
		return;
	snap__resident_each(keep_metric, job);
	snap__python_arenas_each(keep_metric, job);
	take_top(job);
	snap__resident_end();
}

void snap__job_take_metrics(struct snap__job *job)
{
	static struct snap__job_metric
		metrics[MOST_METRICS] SNAP__PAGES; /* one snapshot is written at a time */
	bool ends = job->order->reason == SNAP__AT_EXIT;
	const struct snap__metrics_leave leave = {
		.allocator = job->order->ask != SNAP__ASK_NOBODY &&
			     snap__equal(snap__process_host()->allocator, "glibc"),
		.begin = job->order->ask == SNAP__ASK_HOLDING ? snap__alone_hold : NULL,
		.end = job->order->ask == SNAP__ASK_HOLDING ? snap__alone_release : NULL,
		.call = job->order->call,
		.may_hold_up = ends,
		.is_brief = snap__process_age_ns() < SNAP__JOB_BRIEF_NS,
		.is_least = ends && snap__job_is_brief() && snap__alone(),
		.heap_bytes = snap__record_peak_bytes(),
		.frees =
			snap__sample_period() ? UINT64_MAX : snap__threads_total(SNAP__COUNT_FREED),
	};

	job->recorder_bytes = snap__metrics_recorder_bytes();
	job->metrics = metrics;
	job->has_allocator = snap__metrics_each(&leave, keep_metric, job);
	take_pages(job);
	snap__job_take_modules(job);
	job->threads = leave.is_least ? 1 : snap__metrics_threads_seen();
}
