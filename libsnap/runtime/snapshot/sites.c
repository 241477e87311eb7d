/*
 * runtime/snapshot/sites.c - the section of call stacks with what they hold and allocated.
 */
#include "runtime/domains.h"
#include "runtime/python/python.h"
#include "runtime/python/frames.h"
#include "runtime/sample.h"
#include "runtime/snapshot/epochs.h"
#include "runtime/snapshot/job.h"
#include "runtime/stacks.h"
#include "runtime/thread.h"

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

/* The cohorts of rows[0 .. count), oldest first; more than SNAP__JOB_MOST_COHORTS: the oldest become one,
   which is dated by the youngest of them. */
static uint32_t make_cohorts(const struct snap__tally_row *rows, size_t count,
			     struct snap_cohort *out)
{
	double blocks = 0, bytes = 0;
	uint32_t made = 0;

	for (size_t i = 0; i < count; i++) {
		blocks += rows[i].blocks;
		bytes += rows[i].bytes;
		if (count - i > SNAP__JOB_MOST_COHORTS)
			continue;
		out[made++] = (struct snap_cohort){
			.birth_seq = snap__epochs_seq_before(rows[i].age - 1),
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

static struct snap_variance variance_of(const struct snap__tally *live,
					const struct snap__tally_row *rows, size_t count)
{
	struct snap_variance sum = {0};

	for (size_t i = 0; i < count; i++) {
		const struct snap__tally_variance *row =
			&live->variances[rows - live->rows + (ptrdiff_t)i];

		sum.live_blocks += row->blocks;
		sum.live_bytes += row->bytes;
	}
	return sum;
}

static void put_site(struct snap__job *job, uint32_t stack, const struct snap__tally_row *rows,
		     size_t count)
{
	struct snap_cohort cohorts[SNAP__JOB_MOST_COHORTS];
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
	if (snap__sample_period()) {
		variance = variance_of(&job->live, rows, count);
		variance.allocated_blocks = all.blocks_variance;
		variance.allocated_bytes = all.bytes_variance;
	}
	snap__write_site(job->writer, &site, cohorts, snap__sample_period() ? &variance : NULL);
}

/* Each stack's rows are next to each other: visit every stack once, with what it holds. */
void snap__job_put_sites(struct snap__job *job)
{
	const struct snap__tally_row *rows = job->live.rows;
	size_t at = 0, end;

	for (uint32_t stack = 0; stack < job->numbering.stacks; stack++) {
		for (end = at; end < job->live.count && rows[end].stack == stack; end++)
			;
		put_site(job, stack, at < end ? rows + at : NULL, end - at);
		at = end;
		if (stack % 4096 == 0)
			snap__job_tick();
	}
}

void snap__job_count_merged(struct snap__job *job)
{
	const struct snap__tally_row *rows = job->live.rows;
	size_t run = 0;

	for (size_t i = 0; i < job->live.count; i++) {
		run = i > 0 && rows[i].stack == rows[i - 1].stack ? run + 1 : 1;
		if (run == SNAP__JOB_MOST_COHORTS + 1)
			job->merged++;
	}
}
