/*
 * runtime/snapshot.c - one snapshot: from the heap map to a file that is whole or absent.
 *
 * No thread is stopped, unless holders are wanted: then a copy of the process does the work
 * (holders/copy.h).  The epoch is closed first; blocks born later are left out.  Blocks that are
 * freed or resized during the walk are counted in losses.changed_while_writing.  The figures are
 * exact if nothing allocates meanwhile.
 *
 * Meta keys, in this order (sizes in bytes, times in nanoseconds, decimal unless said otherwise):
 * seq time_ns mono_ns start_time_ns start_ticks pid ppid uid program exe command host arch trigger
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
#include "runtime/snapshot.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arch/arch.h"
#include "runtime/alone.h"
#include "runtime/arena.h"
#include "runtime/domains.h"
#include "runtime/file.h"
#include "runtime/filename.h"
#include "runtime/heapmap.h"
#include "runtime/heaps.h"
#include "runtime/holders/holders.h"
#include "runtime/mappings.h"
#include "runtime/metrics.h"
#include "runtime/modules.h"
#include "runtime/numbering.h"
#include "runtime/os_linux.h"
#include "runtime/process.h"
#include "runtime/kept.h"
#include "runtime/python/arenas.h"
#include "runtime/python/census.h"
#include "runtime/python/frames.h"
#include "runtime/python/objects.h"
#include "runtime/python/python.h"
#include "runtime/python/things.h"
#include "runtime/record.h"
#include "runtime/resident.h"
#include "runtime/stacks.h"
#include "runtime/tally.h"
#include "runtime/text.h"
#include "runtime/verify.h"
#include "runtime/hidden.h"
#include "snap/format.h"
#include "write/writer.h"
#include "write/sys.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

#define MOST_COHORTS 64u
#define BRIEF_BYTES  ((uint64_t)1 << 20)
#define BRIEF_NS     100000000u /* asking for all figures would cost much in such a short process */
#define MOST_METRICS 64u
#define METRIC_SIZE  48u
#define MOST_MODULES 1024u /* whose memory is counted; the others are modules_uncounted */
#define CENSUS_TRIES 3u
#define LARGE_BLOCK  65536u /* smaller ones are looked at as parts of the allocator's memory */
/* Epochs are numbered modulo SNAP__EPOCHS; the oldest are merged long before they run out. */
#define EPOCHS_KEPT   (SNAP__EPOCHS - 256u)
#define EPOCHS_MERGED 2048u

static uint64_t last_seq;
/* The last snapshot before that epoch began. */
static uint64_t seq_before[SNAP__EPOCHS] SNAP__PAGES;
static uint32_t oldest_epoch = 1;
static void *kept_workspace; /* of the exit snapshot; NULL: there is none */
static struct snap__unseen most_unseen;
static _Atomic uint64_t progress, failures, merged_snapshots, writing_cpu_ns;

struct metric {
	char key[METRIC_SIZE];
	uint64_t value;
};

/* The state of the snapshot that is being written. */
struct job {
	const struct snap__order *order;
	struct snap__copy *copy;    /* we are a copy of the process; NULL: we are not */
	const char *holders_failed; /* why there is no copy though one was wanted; NULL */
	const char *census_failed;  /* why there is no census though one was wanted; NULL */
	struct metric *metrics;     /* of the process, before a copy is made; NULL: not taken */
	uint32_t metric_count;
	bool has_module_pages; /* how much of each module is in memory was asked for */
	uint32_t module_pages, modules_uncounted; /* modules whose memory was counted, was not */
	bool has_allocator;                       /* is the allocator's among them? */
	uint64_t threads, recorder_bytes;
	int fd; /* of the file */
	struct snap__unseen unseen;
	struct snap__writer *writer;
	struct snap__tally live;
	const char *word; /* kept.h */
	uint64_t seq, time_ns, cpu_ns, freed_before, changed, merged, live_bytes, live_blocks;
	uint32_t closed; /* the epoch that ends with this snapshot */
	struct snap__numbering numbering;
	uint32_t modules, codes;
	uint32_t next_string, string_of_mark[4];
	uint32_t first_domain_string, first_module_string, first_code_string;
	uint32_t first_label_string, first_census_string;
	uint64_t anonymous, allocator_total; /* noted while metrics are written */
	uint64_t top_bytes;                  /* free at the end of glibc's heap */
	bool counts_pages;                   /* of large blocks, what is not in memory: */
	uint64_t absent_bytes;
	bool sums_heaps, knows_heaps; /* where malloc was not asked */
	struct snap__heaps_sum heaps;
	uint64_t fine_bytes; /* blocks of an allocator inside the program */
	bool failed;         /* memory ran out */
};

static bool wants_census(const struct job *job)
{
	return (job->order->holders & SNAP__CENSUS) && !job->census_failed;
}

static void tick(void)
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
	for (uint32_t i = 0; i < SNAP__EPOCHS; i++)
		seq_before[i] = 0; /* what the child inherited existed before its first snapshot */
	atomic_store(&failures, 0);
	atomic_store(&merged_snapshots, 0);
	atomic_store(&writing_cpu_ns, 0);
}

/* ---- walk ------------------------------------------------------------------------------------ */

static uint64_t count_block(struct job *job, uintptr_t address, const struct snap__block *block)
{
	uint64_t absent = 0;
	uint32_t age = (block->epoch - oldest_epoch) % SNAP__EPOCHS;
	uint32_t youngest = (job->closed - oldest_epoch) % SNAP__EPOCHS;

	/* A copy has every block that was there when it was made. */
	if (age > youngest && job->copy)
		age = youngest;
	if (age <= youngest)
		snap__tally_add(&job->live, block->stack, age, block->size);
	if (job->counts_pages && block->size >= LARGE_BLOCK)
		absent = snap__resident_absent(address, block->size);
	job->absent_bytes += absent;
	return absent;
}

static void count_in_malloc(void *user, uintptr_t address, const struct snap__block *block)
{
	struct job *job = user;
	uint64_t absent = count_block(job, address, block);

	if (job->sums_heaps)
		snap__heaps_add(address, block->size, absent);
}

static void count_fine(void *user, uintptr_t address, const struct snap__block *block)
{
	struct job *job = user;

	count_block(job, address, block);
	job->fine_bytes += block->size;
}

static void count_beside(void *user, uintptr_t address, const struct snap__block *block)
{
	count_block(user, address, block);
}

static void merge_epochs(const struct job *job)
{
	if ((job->closed + 1 - oldest_epoch) % SNAP__EPOCHS > EPOCHS_KEPT) {
		snap__heapmap_merge_epochs(oldest_epoch, EPOCHS_MERGED);
		oldest_epoch = (oldest_epoch + EPOCHS_MERGED) % SNAP__EPOCHS;
	}
}

static bool is_brief(void)
{
	return snap__process_age_ns() < BRIEF_NS && snap__record_peak_bytes() < BRIEF_BYTES;
}

/* Ask the kernel which pages are in memory; a sample does not know all blocks.  Ends with
 * snap__resident_end(). */
static bool begin_pages(const struct job *job)
{
	uint64_t bytes = snap__record_peak_bytes() + snap__memory_mapped();

	return !is_brief() && snap__resident_begin(bytes, job->order->reason == SNAP__AT_EXIT);
}

static void walk_heap(struct job *job)
{
	job->counts_pages = snap__sample_period() == 0 && begin_pages(job);
	job->sums_heaps = job->counts_pages && !job->has_allocator &&
			  snap__equal(snap__process_host()->allocator, "glibc");
	if (job->sums_heaps)
		snap__heaps_begin();
	snap__heapmap_walk_apart(count_in_malloc, count_fine, count_beside, job);
	job->knows_heaps = job->sums_heaps && snap__heaps_end(&job->heaps);
	snap__resident_end();
	tick();
	snap__tally_sort(&job->live);
	job->failed = job->failed || job->live.failed;
	tick();
}

static void sum_heap(struct job *job)
{
	double bytes = 0, blocks = 0;

	for (size_t i = 0; i < job->live.count; i++) {
		bytes += job->live.rows[i].sum.bytes;
		blocks += job->live.rows[i].sum.blocks;
	}
	job->live_bytes = (uint64_t)(bytes + 0.5);
	job->live_blocks = (uint64_t)(blocks + 0.5);
}

/* ---- meta ------------------------------------------------------------------------------------ */

static void put_text(struct job *job, const char *key, const char *value)
{
	struct snap_meta meta = {.key = {key, snap__length(key)},
				 .value = {value, snap__length(value)}};

	snap__write_meta(job->writer, &meta);
}

static void put_number(struct job *job, const char *key, uint64_t value)
{
	char buffer[32];
	struct snap__text text = SNAP__TEXT(buffer);

	snap__text_add_u64(&text, value);
	put_text(job, key, text.data);
}

static void put_prefixed(struct job *job, const char *prefix, const char *key, const char *value)
{
	char buffer[512];
	struct snap__text text = SNAP__TEXT(buffer);

	snap__text_add(&text, prefix);
	snap__text_add(&text, key);
	put_text(job, text.data, value);
}

static void put_label(void *user, const char *key, const char *value)
{
	put_prefixed(user, "labels.", key, value);
}

static void put_described(void *user, const char *key, const char *value)
{
	put_text(user, key, value);
}

static void put_prefixed_value(struct job *job, const char *key, const char *prefix,
			       const char *value)
{
	char buffer[SNAP__COPY_REASON_SIZE + 32];
	struct snap__text text = SNAP__TEXT(buffer);

	snap__text_add(&text, prefix);
	snap__text_add(&text, value);
	put_text(job, key, text.data);
}

static void put_metric(struct job *job, const char *key, uint64_t value)
{
	char buffer[32];
	struct snap__text text = SNAP__TEXT(buffer);

	snap__text_add_u64(&text, value);
	put_prefixed(job, "metrics.", key, text.data);
}

static void put_process(struct job *job)
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
	uint64_t start_ticks =
		snap__process_start_ticks(job->order->reason != SNAP__AT_EXIT || !is_brief());

	put_number(job, "seq", job->seq);
	put_number(job, "time_ns", job->time_ns);
	put_number(job, "mono_ns", snap__os_mono_ns());
	put_number(job, "start_time_ns", who->start_time_ns);
	if (start_ticks)
		put_number(job, "start_ticks", start_ticks);
	put_number(job, "pid", (uint64_t)who->pid);
	put_number(job, "ppid", (uint64_t)who->parent);
	put_number(job, "uid", (uint64_t)snap__sys_geteuid());
	put_text(job, "program", who->program);
	put_text(job, "exe", who->exe);
	if (config->command != SNAP__COMMAND_NONE)
		put_text(job, "command", who->command);
	put_text(job, "host", who->host);
	put_text(job, "arch", SNAP__ARCH_NAME);
	put_text(job, "trigger", reasons[job->order->reason]);
	if (job->order->signal)
		put_number(job, "exit_signal", (uint64_t)job->order->signal);
	if (job->order->label[0])
		put_text(job, "label", job->order->label);
	snap__process_each_label(put_label, job);
	put_number(job, "sample_period", snap__sample_period());
	put_number(job, "depth_limit", config->depth);
	put_number(job, "threads", job->threads);
	put_text(job, "allocator", snap__process_host()->allocator);
	snap__python_describe(put_described, job);
	if (snap__python_arenas_classes()[0])
		put_text(job, "pymalloc.classes", snap__python_arenas_classes());
}

static void keep_metric(void *user, const char *key, uint64_t value)
{
	struct job *job = user;
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
static void take_top(struct job *job)
{
	uintptr_t end = (uintptr_t)syscall(SYS_brk, 0L);

	if (job->has_allocator && job->top_bytes < end)
		keep_metric(job, "allocator.free_absent",
			    snap__resident_absent(end - job->top_bytes, job->top_bytes));
}

/* Of modules that are mapped.  One snapshot is written at a time. */
static struct module_pages {
	const struct snap__module *module;
	struct snap__resident_module sum;
} module_pages[MOST_MODULES] SNAP__PAGES;

static _Atomic bool modules_wanted;

void snap__snapshot_want_modules(void)
{
	atomic_store(&modules_wanted, true);
}

/* It may be asked for while a snapshot is written; each snapshot decides once. */
static bool wants_module_pages(void)
{
	return snap__process_config()->resident || atomic_load(&modules_wanted);
}

/* They are read however long it takes, because the user asked for them. */
static void take_module_pages(struct job *job)
{
	bool begun = snap__resident_begin(0, true);
	uint32_t count = snap__modules_count();

	for (uint32_t i = 0; i < count; i++) {
		struct module_pages it = {.module = snap__modules_get(i)};

		if (!snap__resident_of_module(it.module, &it.sum))
			continue;
		if (begun && job->module_pages < MOST_MODULES)
			module_pages[job->module_pages++] = it;
		else
			job->modules_uncounted++;
	}
	snap__resident_end();
}

static void take_pages(struct job *job)
{
	if (!begin_pages(job))
		return;
	snap__resident_each(keep_metric, job);
	snap__python_arenas_each(keep_metric, job);
	take_top(job);
	snap__resident_end();
}

/* Figures of the process; in a copy they are passed on, because /proc/self there is the copy. */
static void take_metrics(struct job *job)
{
	static struct metric
		metrics[MOST_METRICS] SNAP__PAGES; /* one snapshot is written at a time */
	bool ends = job->order->reason == SNAP__AT_EXIT;
	const struct snap__metrics_leave leave = {
		.allocator = job->order->ask != SNAP__ASK_NOBODY &&
			     snap__equal(snap__process_host()->allocator, "glibc"),
		.begin = job->order->ask == SNAP__ASK_HOLDING ? snap__alone_hold : NULL,
		.end = job->order->ask == SNAP__ASK_HOLDING ? snap__alone_release : NULL,
		.call = job->order->call,
		.may_hold_up = ends,
		.is_brief = snap__process_age_ns() < BRIEF_NS,
		.is_least = ends && is_brief() && snap__alone(),
		.heap_bytes = snap__record_peak_bytes(),
		.frees =
			snap__sample_period() ? UINT64_MAX : snap__threads_total(SNAP__COUNT_FREED),
	};

	job->recorder_bytes = snap__metrics_recorder_bytes();
	job->metrics = metrics;
	job->has_allocator = snap__metrics_each(&leave, keep_metric, job);
	take_pages(job);
	job->has_module_pages = wants_module_pages();
	if (job->has_module_pages)
		take_module_pages(job);
	job->threads = leave.is_least ? 1 : snap__metrics_threads_seen();
}

/* Anonymous memory beyond what is `known`: mappings of the program's own, most likely. */
static void put_unseen(struct job *job, uint64_t known)
{
	uint64_t unseen = job->anonymous > known ? job->anonymous - known : 0;

	put_metric(job, "unseen", unseen);
	job->unseen = (struct snap__unseen){unseen, job->live_bytes};
}

static void add_build_id(struct snap__text *text, const struct snap__module *module)
{
	char digits[2 * SNAP__BUILD_ID_MAX];
	size_t size = module->build_id_size;

	for (size_t i = 0; i < 2 * size; i++)
		digits[i] = "0123456789abcdef"[module->build_id[i / 2] >> (i % 2 ? 0 : 4) & 15];
	snap__text_add_bytes(text, digits, 2 * size);
}

/* A path may be mapped twice, and an address may have had another module before.  False: the path
 * is too long for a key. */
static bool put_module_metric(struct job *job, const char *prefix,
			      const struct snap__module *module, uint64_t bytes)
{
	static char key[SNAP_META_KEY_MAX + 1] SNAP__PAGES; /* one snapshot is written at a time */
	char buffer[32];
	struct snap__text name = SNAP__TEXT(key), value = SNAP__TEXT(buffer);

	snap__text_add(&name, prefix);
	snap__text_add_hex(&name, module->bias);
	snap__text_add(&name, ".");
	add_build_id(&name, module);
	snap__text_add(&name, ".");
	snap__text_add(&name, module->file);
	snap__text_add_u64(&value, bytes);
	if (!name.cut)
		put_text(job, name.data, value.data);
	return !name.cut;
}

/* The first prefix is the longer one: if its key fits, so does the other. */
static void put_module_pages(struct job *job)
{
	for (uint32_t i = 0; i < job->module_pages; i++) {
		const struct module_pages *it = &module_pages[i];

		if (it->sum.all == 0)
			continue;
		if (put_module_metric(job, "metrics.module_resident.", it->module, it->sum.all))
			put_module_metric(job, "metrics.module_private.", it->module, it->sum.own);
		else
			job->modules_uncounted++;
	}
}

static void put_metrics(struct job *job)
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
	put_module_pages(job);
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

static void put_census(struct job *job)
{
	if (!(job->order->holders & SNAP__CENSUS))
		return;
	if (job->census_failed) {
		put_prefixed_value(job, "census", "failed: ", job->census_failed);
		return;
	}
	put_text(job, "census", "python");
	snap__census_each_fact(put_census_fact, job);
	snap__things_each(&job->copy->space, put_thing, job);
}

static void put_holders(struct job *job)
{
	enum snap__holders wanted = snap__holders_native(job->order->holders);

	if (wanted == SNAP__HOLDERS_NONE)
		return;
	if (!job->copy) {
		put_prefixed_value(job, "holders", "failed: ", job->holders_failed);
		return;
	}
	put_text(job, "holders", wanted == SNAP__HOLDERS_RETAINED ? "retained" : "reach");
	put_text(job, "holders.stop", job->copy->was_stopped ? "ptrace" : "none");
	snap__holders_each_fact(job->copy, put_holders_fact, job);
}

static void put_losses(struct job *job)
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

/* ---- strings, modules, locations, nodes ------------------------------------------------------ */

static uint32_t put_string(struct job *job, const char *s, size_t size)
{
	snap__write_string(job->writer, (struct snap_text){s, size});
	return job->next_string++;
}

static void put_module_strings(struct job *job, const struct snap__module *module)
{
	char buffer[2 * SNAP__BUILD_ID_MAX + 1];
	struct snap__text build_id = SNAP__TEXT(buffer);

	add_build_id(&build_id, module);
	put_string(job, module->file, snap__length(module->file));
	put_string(job, build_id.data, build_id.size);
}

static void put_code_strings(struct job *job, const struct snap__python_code *code)
{
	put_string(job, code->name, snap__length(code->name));
	put_string(job, code->file, snap__length(code->file));
}

static void put_strings(struct job *job)
{
	uint32_t domains = snap__domain_count();

	put_string(job, "", 0);
	job->string_of_mark[SNAP__PC_TRUNCATED] = put_string(job, "[truncated]", 11);
	job->string_of_mark[SNAP__PC_DEPTH] = put_string(job, "[depth limit]", 13);
	job->string_of_mark[SNAP__PC_MEMORY] = put_string(job, "[memory limit]", 14);
	job->first_domain_string = job->next_string;
	for (uint32_t i = 0; i < domains; i++)
		put_string(job, snap__domain_name(i), snap__length(snap__domain_name(i)));
	job->first_module_string = job->next_string;
	for (uint32_t i = 0; i < job->modules; i++)
		put_module_strings(job, snap__modules_get(i));
	job->first_code_string = job->next_string;
	for (uint32_t id = 1; id < job->codes; id++)
		put_code_strings(job, snap__python_code(id));
	job->first_label_string = job->next_string;
	for (uint32_t i = 1; job->copy && i < snap__groups_label_count(); i++)
		put_string(job, snap__groups_label(i), snap__length(snap__groups_label(i)));
	job->first_census_string = job->next_string;
	for (uint32_t i = 0; job->copy && i < snap__census_string_count(); i++)
		put_string(job, snap__census_string(i), snap__length(snap__census_string(i)));
}

static void put_modules(struct job *job)
{
	for (uint32_t i = 0; i < job->modules; i++) {
		const struct snap__module *m = snap__modules_get(i);
		struct snap_module row = {
			.path = job->first_module_string + 2 * i,
			.build_id = m->build_id_size ? job->first_module_string + 2 * i + 1 : 0,
			.base = m->bias,
			.size = m->end - m->start,
		};

		snap__write_module(job->writer, &row);
	}
}

/* A line of Python carries its names: there is nothing to look them up in later. */
static void put_python_location(struct job *job, uint64_t place)
{
	const struct snap_location row = {.module = SNAP_NONE, .frame_count = 1};
	uint32_t code = snap__python_pc_code(place);
	const struct snap_frame frame = {
		.function = job->first_code_string + 2 * (code - 1),
		.file = job->first_code_string + 2 * (code - 1) + 1,
		.line = snap__python_pc_instruction(place),
	};

	snap__write_location(job->writer, &row, &frame);
}

static void put_location(struct job *job, uint64_t place)
{
	struct snap_location row = {.module = SNAP_NONE};
	struct snap_frame frame = {0};

	if (snap__python_is_pc(place)) {
		put_python_location(job, place);
		return;
	}
	if (place >= SNAP__PC_TRUNCATED && place <= SNAP__PC_MEMORY) {
		frame.function = job->string_of_mark[place];
		row.frame_count = 1;
	} else {
		row.flags = SNAP_LOCATION_HAS_ADDRESS;
		if (!snap__modules_locate((uintptr_t)place, &row.module, &row.address) ||
		    row.module >= job->modules)
			row.module = SNAP_NONE;
	}
	snap__write_location(job->writer, &row, &frame);
}

static void put_nodes(struct job *job)
{
	const struct snap__numbering *n = &job->numbering;
	uint32_t next = 0;

	for (uint32_t id = 1; id < n->stacks; id++) {
		struct snap_node row;

		if (snap__numbering_node(n, id) != next)
			continue; /* looks like a node that was already written, or is no frame */
		row.parent = snap__numbering_node(n, snap__stacks_parent(id));
		row.location = snap__numbering_location(n, id);
		snap__write_node(job->writer, &row);
		next++;
	}
}

/* ---- sites ----------------------------------------------------------------------------------- */

static void add_entry(const struct snap__credit *e, uint32_t stack, uint64_t *blocks,
		      uint64_t *bytes)
{
	if (atomic_load_explicit(&e->stack, memory_order_relaxed) != stack)
		return;
	*blocks += atomic_load_explicit(&e->blocks, memory_order_relaxed);
	*bytes += atomic_load_explicit(&e->bytes, memory_order_relaxed);
}

static void add_held(const struct snap__thread *thread, uint32_t stack, uint64_t *blocks,
		     uint64_t *bytes)
{
	const struct snap__credit *line = snap__credit_line(atomic_load(&thread->credits), stack);

	for (unsigned i = 0; i < SNAP__CREDITS_A_LINE; i++)
		add_entry(&line[i], stack, blocks, bytes);
	add_entry(&thread->late, stack, blocks, bytes);
}

/* Cumulative figures of `stack`: first what was credited to the tree, then what threads still
 * hold.  In this order, a thread that credits in between is missed by a little, but never
 * counted twice. */
static struct snap__estimate allocated_by(uint32_t stack)
{
	struct snap__estimate sum;
	uint64_t blocks, bytes;

	if (snap__sample_period() != 0) {
		snap__sample_credited(stack, &sum);
		return sum;
	}
	snap__stacks_credited(stack, &blocks, &bytes);
	for (struct snap__thread *t = snap__threads_first(); t; t = t->next)
		add_held(t, stack, &blocks, &bytes);
	return (struct snap__estimate){.blocks = (double)blocks, .bytes = (double)bytes};
}

uint64_t snap__snapshot_allocated_bytes(void)
{
	uint32_t stacks = snap__stacks_count();
	double bytes = 0;

	for (uint32_t id = 0; id < stacks; id++)
		bytes += allocated_by(id).bytes;
	return (uint64_t)(bytes + 0.5);
}

static uint64_t rounded(double value)
{
	return (uint64_t)(value + 0.5);
}

/* The cohorts of rows[0 .. count), oldest first; more than MOST_COHORTS: the oldest become one,
   which is dated by the youngest of them. */
static uint32_t make_cohorts(const struct snap__tally_row *rows, size_t count,
			     struct snap_cohort *out)
{
	double blocks = 0, bytes = 0;
	uint32_t made = 0;

	for (size_t i = 0; i < count; i++) {
		blocks += rows[i].sum.blocks;
		bytes += rows[i].sum.bytes;
		if (count - i > MOST_COHORTS)
			continue;
		out[made++] = (struct snap_cohort){
			.birth_seq = seq_before[(oldest_epoch + rows[i].age - 1) % SNAP__EPOCHS],
			.blocks = rounded(blocks),
			.bytes = rounded(bytes),
		};
		blocks = bytes = 0;
		/* Snapshots that failed close an epoch too, but give no date of their own. */
		if (made > 1 && out[made - 1].birth_seq == out[made - 2].birth_seq) {
			made--;
			out[made - 1].blocks += out[made].blocks;
			out[made - 1].bytes += out[made].bytes;
		}
	}
	return made;
}

/* The rounded cohorts of a sampled site need not add up to its rounded total, so the total is
 * their sum. */
static void total_cohorts(struct snap_site *site, const struct snap_cohort *cohorts)
{
	for (uint32_t i = 0; i < site->cohort_count; i++) {
		site->live_blocks += cohorts[i].blocks;
		site->live_bytes += cohorts[i].bytes;
	}
}

static void put_site(struct job *job, uint32_t stack, const struct snap__tally_row *rows,
		     size_t count)
{
	struct snap_cohort cohorts[MOST_COHORTS];
	struct snap__estimate all = allocated_by(stack);
	struct snap_variance variance = {0};
	struct snap_site site = {.domain = job->first_domain_string};

	if (count == 0 && all.blocks < 0.5)
		return;
	site.node = snap__numbering_node(&job->numbering, stack);
	if (snap__numbering_is_domain(stack)) {
		site.domain += (uint32_t)(snap__stacks_pc(stack) - SNAP__PC_DOMAIN);
		site.node = snap__numbering_node(&job->numbering, snap__stacks_parent(stack));
	} else if (stack && snap__python_is_pc(snap__stacks_pc(stack))) {
		site.domain += snap__python_domain;
	}
	site.cohort_count = make_cohorts(rows, count, cohorts);
	total_cohorts(&site, cohorts);
	site.allocated_blocks = rounded(all.blocks);
	site.allocated_bytes = rounded(all.bytes);
	/* A thread may have changed the map and not yet its counter. */
	if (site.allocated_blocks < site.live_blocks)
		site.allocated_blocks = site.live_blocks;
	if (site.allocated_bytes < site.live_bytes)
		site.allocated_bytes = site.live_bytes;
	for (size_t i = 0; i < count; i++) {
		variance.live_blocks += rows[i].sum.blocks_variance;
		variance.live_bytes += rows[i].sum.bytes_variance;
	}
	variance.allocated_blocks = all.blocks_variance;
	variance.allocated_bytes = all.bytes_variance;
	snap__write_site(job->writer, &site, cohorts, snap__sample_period() ? &variance : NULL);
}

/* Each stack's rows are next to each other: visit every stack once, with what it holds. */
static void put_sites(struct job *job)
{
	const struct snap__tally_row *rows = job->live.rows;
	size_t at = 0, end;

	for (uint32_t stack = 0; stack < job->numbering.stacks; stack++) {
		for (end = at; end < job->live.count && rows[end].stack == stack; end++)
			;
		put_site(job, stack, at < end ? rows + at : NULL, end - at);
		at = end;
		if (stack % 4096 == 0)
			tick();
	}
}

static void count_merged(struct job *job)
{
	const struct snap__tally_row *rows = job->live.rows;
	size_t run = 0;

	for (size_t i = 0; i < job->live.count; i++) {
		run = i > 0 && rows[i].stack == rows[i - 1].stack ? run + 1 : 1;
		if (run == MOST_COHORTS + 1)
			job->merged++;
	}
}

/* ---- the file -------------------------------------------------------------------------------- */

/* The node and the domain of blocks that `stack` allocated. */
static void place_group(void *user, uint32_t stack, struct snap_group *row)
{
	const struct job *job = user;

	row->label = job->first_domain_string;
	row->node = snap__numbering_node(&job->numbering, stack);
	if (snap__numbering_is_domain(stack)) {
		row->label += (uint32_t)(snap__stacks_pc(stack) - SNAP__PC_DOMAIN);
		row->node = snap__numbering_node(&job->numbering, snap__stacks_parent(stack));
	} else if (stack && snap__python_is_pc(snap__stacks_pc(stack))) {
		row->label += snap__python_domain;
	}
}

/* The graph of the native heap and that of an interpreter, in the same sections. */
static void put_graphs(struct job *job)
{
	const struct snap__groups_ids ids = {
		.first_label = job->first_label_string,
		.modules = job->modules,
		.place = place_group,
		.user = job,
	};
	const struct snap__census_base base = {
		.string = job->first_census_string,
		.group = snap__groups_count(),
		.root = snap__groups_root_count(),
	};
	bool native = snap__holders_native(job->order->holders) != SNAP__HOLDERS_NONE;

	if (native)
		snap__groups_write_groups(job->writer, &ids);
	snap__census_write_groups(job->writer, &base);
	if (native)
		snap__groups_write_roots(job->writer, &ids);
	snap__census_write_roots(job->writer, &base);
	if (native)
		snap__groups_write_edges(job->writer);
	snap__census_write_edges(job->writer, &base);
	if (native)
		snap__groups_write_paths(job->writer);
	snap__census_write_paths(job->writer, &base);
}

static void write_rows(struct job *job)
{
	put_process(job);
	put_holders(job);
	put_census(job);
	put_metrics(job);
	put_losses(job);
	tick();
	put_strings(job);
	put_modules(job);
	for (size_t i = 0; i < job->numbering.location_count; i++)
		put_location(job, job->numbering.places[i]);
	put_nodes(job);
	tick();
	put_sites(job);
	if (job->copy)
		put_graphs(job);
}

/* Released after each snapshot but the exit snapshot: the end of the process does it for less. */
static void *make_workspace(size_t size)
{
	snap__unmap(kept_workspace, size);
	kept_workspace = NULL;
	return snap__map_passing(size);
}

static void release_workspace(const struct job *job, void *workspace, size_t size)
{
	if (job->order->reason == SNAP__AT_EXIT && !snap__reserve_has(workspace))
		kept_workspace = workspace;
	else
		snap__unmap(workspace, size);
}

static enum snap_status write_file(struct job *job, int fd, int *error)
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
	tick();
	release_workspace(job, workspace, size);
	return st;
}

/* Collect everything that goes into the file. */
static void look(struct job *job)
{
	walk_heap(job);
	snap__numbering_make(&job->numbering);
	job->failed = job->failed || job->numbering.failed;
	job->codes = snap__python_code_count();
	tick();
	job->changed = job->copy ? 0 : snap__threads_total(SNAP__COUNT_FREED) - job->freed_before;
	job->modules = snap__modules_count();
	sum_heap(job);
	count_merged(job);
	if (!job->metrics)
		take_metrics(job);
	if (job->copy && wants_census(job))
		snap__census_make(job->copy, &job->numbering);
}

static enum snap_status look_and_write(struct job *job, int fd, int *error)
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
	struct job *job = user;
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
static bool try_copy(struct job *job, int fd, char *reason)
{
	struct snap__copy_page result;

	if (snap__copy_run(work_in_copy, job, tick, reason, &result)) {
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
static bool try_copies(struct job *job, int fd, char *reason)
{
	unsigned tries = wants_census(job) ? CENSUS_TRIES : 1;

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
static bool write_in_copy(struct job *job, int fd)
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
	if (snap__holders_native(job->order->holders) == SNAP__HOLDERS_NONE && !wants_census(job))
		return false;
	take_metrics(job);
	if (try_copies(job, fd, reason))
		return true;
	if (wants_census(job))
		job->census_failed = reason;
	return false;
}

/* If the exit snapshot holds nearly as much as the kept peak, one of the two is enough. */
static bool is_at_peak(const struct job *job)
{
	uint64_t peak = snap__record_peak_bytes();

	return job->order->reason == SNAP__AT_EXIT && job->live_bytes >= peak - peak / 32;
}

/* Put the written file in its place; 0 or an errno value. */
static int publish(const struct job *job, struct snap__file *file, char *buffer, size_t size)
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

static enum snap_status save(struct job *job, int *error)
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
	tick();
	return st;
}

static void close_epoch(struct job *job)
{
	uint32_t next = (snap__record_epoch() + 1) % SNAP__EPOCHS;

	seq_before[next] = job->seq;
	job->closed = snap__record_close_epoch();
}

static void release(struct job *job)
{
	snap__numbering_release(&job->numbering);
	snap__tally_free(&job->live);
}

enum snap_status snap__snapshot_take(const struct snap__order *order, char *path, size_t size,
				     int *error)
{
	struct job job = {.order = order, .word = snap__kept_word(order->reason)};
	/* A brief process that ends has nobody to tell what this snapshot took. */
	bool is_timed = order->reason != SNAP__AT_EXIT || !is_brief();
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
	close_epoch(&job);
	merge_epochs(&job);
	st = save(&job, error);
	release(&job);
	if (st == SNAP_OK) {
		last_seq = job.seq;
		if (job.unseen.bytes > most_unseen.bytes)
			most_unseen = job.unseen;
		if (path)
			snap__filename_final(&name, snap__process_config()->out, job.seq, job.word);
	} else {
		seq_before[(job.closed + 1) % SNAP__EPOCHS] = last_seq;
		atomic_fetch_add(&failures, 1);
	}
	if (is_timed)
		atomic_fetch_add(&writing_cpu_ns, snap__os_thread_cpu_ns() - cpu);
	errno = saved;
	return st;
}
