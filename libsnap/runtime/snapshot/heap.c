/*
 * runtime/snapshot/heap.c - the live blocks, by stack and age.
 */
#include "runtime/arena.h"
#include "runtime/heapmap.h"
#include "runtime/process.h"
#include "runtime/record.h"
#include "runtime/resident.h"
#include "runtime/sample.h"
#include "runtime/snapshot/epochs.h"
#include "runtime/snapshot/job.h"

#define LARGE_BLOCK 65536u /* smaller ones are looked at as parts of the allocator's memory */

static uint64_t count_block(struct snap__job *job, uintptr_t address,
			    const struct snap__block *block)
{
	uint64_t absent = 0;
	uint32_t age = snap__epochs_age(block->epoch);
	uint32_t youngest = snap__epochs_age(job->closed);

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
	struct snap__job *job = user;
	uint64_t absent = count_block(job, address, block);

	if (job->sums_heaps)
		snap__heaps_add(address, block->size, absent);
}

static void count_fine(void *user, uintptr_t address, const struct snap__block *block)
{
	struct snap__job *job = user;

	count_block(job, address, block);
	job->fine_bytes += block->size;
}

static void count_beside(void *user, uintptr_t address, const struct snap__block *block)
{
	count_block(user, address, block);
}

bool snap__job_begin_pages(const struct snap__job *job)
{
	uint64_t bytes = snap__record_peak_bytes() + snap__memory_mapped();

	return !snap__job_is_brief() &&
	       snap__resident_begin(bytes, job->order->reason == SNAP__AT_EXIT);
}

void snap__job_walk_heap(struct snap__job *job)
{
	job->counts_pages = snap__sample_period() == 0 && snap__job_begin_pages(job);
	job->sums_heaps = job->counts_pages && !job->has_allocator &&
			  snap__equal(snap__process_host()->allocator, "glibc");
	if (job->sums_heaps)
		snap__heaps_begin();
	snap__heapmap_walk_apart(count_in_malloc, count_fine, count_beside, job);
	job->knows_heaps = job->sums_heaps && snap__heaps_end(&job->heaps);
	snap__resident_end();
	snap__job_tick();
	snap__tally_sort(&job->live);
	job->failed = job->failed || job->live.failed;
	snap__job_tick();
}

void snap__job_sum_heap(struct snap__job *job)
{
	double bytes = 0, blocks = 0;

	for (size_t i = 0; i < job->live.count; i++) {
		bytes += job->live.rows[i].bytes;
		blocks += job->live.rows[i].blocks;
	}
	job->live_bytes = (uint64_t)(bytes + 0.5);
	job->live_blocks = (uint64_t)(blocks + 0.5);
}
