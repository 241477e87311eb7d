/*
 * runtime/snapshot/meta.c - the section of facts about the snapshot and its process.
 *
 * The keys, in this order (sizes in bytes, times in nanoseconds, decimal unless said otherwise):
 * seq time_ns mono_ns start_time_ns start_ticks pid ppid uid program exe command
 * title (if the process has written one over its arguments) host arch trigger
 * exit_signal (if a signal ends the process) label (if named) labels.K ... sample_period
 * depth_limit threads allocator python.* pymalloc.classes metrics.* heap.live_bytes
 * heap.live_blocks heap.peak_bytes heap.mapped_bytes heap.absent_bytes; process.cpu_ns
 * recorder.memory recorder.stacks recorder.cpu_ns recorder.events; rss anonymous swap vm_hwm vm_size pss;
 * cgroup.current cgroup.limit cgroup.oom_events; allocator.* of mallinfo2, or heaps.* (heaps.h)
 * and pymalloc.recorded; resident.* and pymalloc.* (resident.h, python/arenas.h);
 * unseen (anonymous memory that neither the allocator nor the recorder accounts for).  Unknown
 * figures are absent. losses.* all of them, always: events_dropped (= reentrant + table_overflows),
 * reentrant (allocations inside a signal handler that interrupted the recorder), stacks_truncated,
 * stacks_shortened (to their newest frames, for want of memory: --max-memory), unknown_frees (freed
 * blocks that were never seen, for instance from before recording began), unseen_frees (an address
 * was handed out again though its free was not seen), table_overflows, changed_while_writing,
 * cohorts_merged (sites whose oldest cohorts were put together), snapshots_failed, snapshots_merged
 * (that were due while another was written, and became part of it); and if the memory of modules
 * was asked for, modules_uncounted (that were mapped, and have no figures).  trigger is timer,
 * growth, peak, signal, request, api, exit or safety.
 */
#include "arch/arch.h"
#include "runtime/mappings.h"
#include "runtime/metrics.h"
#include "runtime/os_linux.h"
#include "runtime/process.h"
#include "runtime/python/arenas.h"
#include "runtime/python/census.h"
#include "runtime/python/python.h"
#include "runtime/python/things.h"
#include "runtime/record.h"
#include "runtime/sample.h"
#include "runtime/snapshot/job.h"
#include "runtime/verify.h"
#include "write/sys.h"

void snap__job_put_text(struct snap__job *job, const char *key, const char *value)
{
	struct snap_meta meta = {.key = {key, snap__length(key)},
				 .value = {value, snap__length(value)}};

	snap__write_meta(job->writer, &meta);
}

static void put_number(struct snap__job *job, const char *key, uint64_t value)
{
	char buffer[32];
	struct snap__text text = SNAP__TEXT(buffer);

	snap__text_add_u64(&text, value);
	snap__job_put_text(job, key, text.data);
}

static void put_prefixed(struct snap__job *job, const char *prefix, const char *key,
			 const char *value)
{
	char buffer[512];
	struct snap__text text = SNAP__TEXT(buffer);

	snap__text_add(&text, prefix);
	snap__text_add(&text, key);
	snap__job_put_text(job, text.data, value);
}

static void put_label(void *user, const char *key, const char *value)
{
	put_prefixed(user, "labels.", key, value);
}

static void put_described(void *user, const char *key, const char *value)
{
	snap__job_put_text(user, key, value);
}

static void put_prefixed_value(struct snap__job *job, const char *key, const char *prefix,
			       const char *value)
{
	char buffer[SNAP__COPY_REASON_SIZE + 32];
	struct snap__text text = SNAP__TEXT(buffer);

	snap__text_add(&text, prefix);
	snap__text_add(&text, value);
	snap__job_put_text(job, key, text.data);
}

static void put_metric(struct snap__job *job, const char *key, uint64_t value)
{
	char buffer[32];
	struct snap__text text = SNAP__TEXT(buffer);

	snap__text_add_u64(&text, value);
	put_prefixed(job, "metrics.", key, text.data);
}

static void put_title(struct snap__job *job)
{
	const char *title = snap__job_is_brief() ? NULL : snap__process_title();

	if (title)
		snap__job_put_text(job, "title", title);
}

void snap__job_put_process(struct snap__job *job)
{
	static const char *const reasons[] = {
#define TRIGGER(id, name) [SNAP__AT_##id] = name,
#include "format/triggers.def"
#undef TRIGGER
	};
	const struct snap__process *who = snap__process_self();
	const struct snap__config *config = snap__process_config();
	/* It distinguishes processes with the same pid.  A short process that ends does not need
	   it. */
	uint64_t start_ticks = snap__process_start_ticks(job->order->reason != SNAP__AT_EXIT ||
							 !snap__job_is_brief());

	put_number(job, "seq", job->seq);
	put_number(job, "time_ns", job->time_ns);
	put_number(job, "mono_ns", snap__os_mono_ns());
	put_number(job, "start_time_ns", who->start_time_ns);
	if (start_ticks)
		put_number(job, "start_ticks", start_ticks);
	put_number(job, "pid", (uint64_t)who->pid);
	put_number(job, "ppid", (uint64_t)who->parent);
	put_number(job, "uid", (uint64_t)snap__sys_geteuid());
	snap__job_put_text(job, "program", who->program);
	snap__job_put_text(job, "exe", who->exe);
	if (config->command != SNAP__COMMAND_NONE)
		snap__job_put_text(job, "command", who->command);
	put_title(job);
	snap__job_put_text(job, "host", who->host);
	snap__job_put_text(job, "arch", SNAP__ARCH_NAME);
	snap__job_put_text(job, "trigger", reasons[job->order->reason]);
	if (job->order->signal)
		put_number(job, "exit_signal", (uint64_t)job->order->signal);
	if (job->order->label[0])
		snap__job_put_text(job, "label", job->order->label);
	snap__process_each_label(put_label, job);
	put_number(job, "sample_period", snap__sample_period());
	put_number(job, "depth_limit", config->depth);
	put_number(job, "threads", job->threads);
	snap__job_put_text(job, "allocator", snap__process_host()->allocator);
	snap__python_describe(put_described, job);
	if (snap__python_arenas_classes()[0])
		snap__job_put_text(job, "pymalloc.classes", snap__python_arenas_classes());
}

/* Anonymous memory beyond what is `known`: mappings of the program's own, most likely. */
static void put_unseen(struct snap__job *job, uint64_t known)
{
	uint64_t unseen = job->anonymous > known ? job->anonymous - known : 0;

	put_metric(job, "unseen", unseen);
	job->unseen = (struct snap__unseen){unseen, job->live_bytes};
}

void snap__job_put_metrics(struct snap__job *job)
{
	put_metric(job, "heap.live_bytes", job->live_bytes);
	put_metric(job, "heap.live_blocks", job->live_blocks);
	put_metric(job, "heap.peak_bytes", snap__record_peak_bytes());
	put_metric(job, "process.cpu_ns", job->cpu_ns);
	put_metric(job, "recorder.memory", job->recorder_bytes);
	put_metric(job, "recorder.stacks", job->numbering.stacks - 1);
	put_metric(job, "recorder.cpu_ns", snap__snapshot_cpu_ns());
	put_metric(job, "recorder.events",
		   snap__threads_total(SNAP__COUNT_ALLOCATED) +
			   snap__threads_total(SNAP__COUNT_FREED));
	if (snap__verify_every)
		put_metric(job, "recorder.stacks_verified", snap__verify_agreed());
	if (snap__mappings_bytes() > 0)
		put_metric(job, "heap.mapped_bytes", snap__mappings_bytes());
	if (job->counts_pages)
		put_metric(job, "heap.absent_bytes", job->absent_bytes);
	if (job->knows_heaps) {
		put_metric(job, "heaps.resident", job->heaps.resident);
		put_metric(job, "heaps.in_use", job->heaps.in_use);
		put_metric(job, "heaps.recorded", job->heaps.recorded);
		put_metric(job, "pymalloc.recorded", job->fine_bytes);
	}
	for (uint32_t i = 0; i < job->metric_count; i++)
		put_metric(job, job->metrics[i].key, job->metrics[i].value);
	if (job->has_allocator)
		put_unseen(job,
			   job->allocator_total + job->recorder_bytes + snap__mappings_bytes());
	snap__job_put_module_figures(job);
}

static void put_holders_fact(void *user, const char *key, uint64_t value)
{
	char buffer[32];
	struct snap__text text = SNAP__TEXT(buffer);

	snap__text_add_u64(&text, value);
	put_prefixed(user, "holders.", key, text.data);
}

static void put_census_fact(void *user, const char *key, uint64_t value)
{
	char buffer[32];
	struct snap__text text = SNAP__TEXT(buffer);

	snap__text_add_u64(&text, value);
	put_prefixed(user, "census.", key, text.data);
}

static void put_thing(void *user, const char *key, const char *value)
{
	put_prefixed(user, "census.", key, value);
}

void snap__job_put_census(struct snap__job *job)
{
	if (!(job->order->holders & SNAP__CENSUS))
		return;
	if (job->census_failed) {
		put_prefixed_value(job, "census", "failed: ", job->census_failed);
		return;
	}
	snap__job_put_text(job, "census", "python");
	snap__census_each_fact(put_census_fact, job);
	snap__things_each(&job->copy->space, put_thing, job);
}

void snap__job_put_holders(struct snap__job *job)
{
	enum snap__holders wanted = snap__holders_native(job->order->holders);

	if (wanted == SNAP__HOLDERS_NONE)
		return;
	if (!job->copy) {
		put_prefixed_value(job, "holders", "failed: ", job->holders_failed);
		return;
	}
	snap__job_put_text(job, "holders", wanted == SNAP__HOLDERS_RETAINED ? "retained" : "reach");
	snap__job_put_text(job, "holders.stop", job->copy->was_stopped ? "ptrace" : "none");
	snap__holders_each_fact(job->copy, put_holders_fact, job);
}

void snap__job_put_losses(struct snap__job *job)
{
	uint64_t reentrant = snap__threads_total(SNAP__COUNT_REENTRANT);
	uint64_t overflows = snap__threads_total(SNAP__COUNT_OVERFLOWS);

	put_number(job, "losses.events_dropped", reentrant + overflows);
	put_number(job, "losses.reentrant", reentrant);
	put_number(job, "losses.stacks_truncated", snap__threads_total(SNAP__COUNT_TRUNCATED));
	put_number(job, "losses.stacks_shortened", snap__threads_total(SNAP__COUNT_SHORTENED));
	put_number(job, "losses.unknown_frees", snap__threads_total(SNAP__COUNT_UNKNOWN_FREES));
	put_number(job, "losses.unseen_frees", snap__threads_total(SNAP__COUNT_UNSEEN_FREES));
	put_number(job, "losses.table_overflows", overflows);
	put_number(job, "losses.changed_while_writing", job->changed);
	put_number(job, "losses.cohorts_merged", job->merged);
	if (snap__verify_every)
		put_number(job, "losses.verify_mismatches", snap__verify_mismatches());
	put_number(job, "losses.snapshots_failed", snap__snapshot_failures());
	put_number(job, "losses.snapshots_merged", snap__snapshot_merged());
	if (job->has_module_pages)
		put_number(job, "losses.modules_uncounted", job->modules_uncounted);
}
