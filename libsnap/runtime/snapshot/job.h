/*
 * runtime/snapshot/job.h - the steps of one snapshot, and what they pass to one another.
 *
 * First everything is collected: the blocks of the heap (heap.c), the process's figures (figures.c,
 * modules.c).  Then it is written, in the order of the file's sections: meta.c, names.c, sites.c,
 * graphs.c.  snapshot.c calls them.
 */
#ifndef SNAP_RUNTIME_SNAPSHOT_JOB_H
#define SNAP_RUNTIME_SNAPSHOT_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/heaps.h"
#include "runtime/holders/holders.h"
#include "runtime/modules.h"
#include "runtime/numbering.h"
#include "runtime/snapshot.h"
#include "runtime/tally.h"
#include "runtime/text.h"
#include "write/writer.h"

#define SNAP__JOB_METRIC_SIZE  48u
#define SNAP__JOB_MOST_COHORTS 64u
/* Asking for all figures would cost much in a process that is younger. */
#define SNAP__JOB_BRIEF_NS 100000000u

struct snap__job_metric {
	char key[SNAP__JOB_METRIC_SIZE];
	uint64_t value;
};

/** The state of the snapshot that is being written. */
struct snap__job {
	const struct snap__order *order;
	struct snap__copy *copy;    /* we are a copy of the process; NULL: we are not */
	const char *holders_failed; /* why there is no copy though one was wanted; NULL */
	const char *census_failed;  /* why there is no census though one was wanted; NULL */
	struct snap__job_metric
		*metrics; /* of the process, before a copy is made; NULL: not taken */
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

/** Progress was made: a waiting thread goes on waiting. */
void snap__job_tick(void);

/** The process is young and small: do not ask for figures that cost much. */
bool snap__job_is_brief(void);

static inline bool snap__job_wants_census(const struct snap__job *job)
{
	return (job->order->holders & SNAP__CENSUS) && !job->census_failed;
}

/** heap.c: count the live blocks by stack and age; job->failed if memory ran out. */
void snap__job_walk_heap(struct snap__job *job);
/** heap.c: the totals of what was counted. */
void snap__job_sum_heap(struct snap__job *job);
/** heap.c: ask the kernel which pages are in memory; a sample does not know all blocks.  Ends with
 * snap__resident_end(). */
bool snap__job_begin_pages(const struct snap__job *job);

/** figures.c: the process's figures; in a copy they are passed on, because /proc/self there is the copy. */
void snap__job_take_metrics(struct snap__job *job);

/** modules.c: how much of each module is in memory, if that is asked for. */
void snap__job_take_modules(struct snap__job *job);
void snap__job_put_module_figures(struct snap__job *job);
/** modules.c: the digits of a module's build id. */
void snap__job_add_build_id(struct snap__text *text, const struct snap__module *module);

/** meta.c */
void snap__job_put_text(struct snap__job *job, const char *key, const char *value);
void snap__job_put_process(struct snap__job *job);
void snap__job_put_holders(struct snap__job *job);
void snap__job_put_census(struct snap__job *job);
void snap__job_put_metrics(struct snap__job *job);
void snap__job_put_losses(struct snap__job *job);

/** names.c */
void snap__job_put_strings(struct snap__job *job);
void snap__job_put_modules(struct snap__job *job);
void snap__job_put_locations(struct snap__job *job);
void snap__job_put_nodes(struct snap__job *job);

/** sites.c */
void snap__job_count_merged(struct snap__job *job);
void snap__job_put_sites(struct snap__job *job);

/** graphs.c: the graph of the native heap and that of an interpreter, in the same sections. */
void snap__job_put_graphs(struct snap__job *job);

#endif
