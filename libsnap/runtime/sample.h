/*
 * runtime/sample.h - which allocations to take, and what each stands for.
 *
 * Poisson sampling by bytes: points are placed on the stream of allocated bytes with exponentially
 * distributed gaps of mean `period`, and a block is recorded if a point falls into it.  A block of
 * s bytes is thus taken with probability p = 1 - exp(-s/period), independently of all others.
 * Horvitz and Thompson (1952): a taken block counts as 1/p blocks and s/p bytes, which makes every
 * sum unbiased; each adds (1-p)/p^2 (times s^2 for bytes) to the estimate of the sum's variance,
 * unbiased as well.  For p, a block of 0 bytes counts as one byte.
 */
#ifndef SNAP_RUNTIME_SAMPLE_H
#define SNAP_RUNTIME_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/hidden.h"

/** A sum of weights: estimates and the variances of them.  Exact mode: whole numbers, variance 0.
 */
struct snap__estimate {
	double blocks, bytes;
	double blocks_variance, bytes_variance;
};

/** `period` 0: exact. */
void snap__sample_init(uint64_t period, uint64_t seed);
extern SNAP__HIDDEN uint64_t snap__sample_period_bytes;

static inline uint64_t snap__sample_period(void)
{
	return snap__sample_period_bytes;
}

/** The source of a thread's gaps; one thread after another may use its state. */
struct snap__sampler {
	uint64_t random; /* state of a xorshift64* generator; 0 before the first gap */
};

/** The calling thread's position: 1 + bytes to the next point; 0 before the thread's first block.
 */
extern SNAP__HIDDEN _Thread_local uint64_t snap__sample_ahead;

/** A block of `size` bytes came: is it taken? */
bool snap__sample_takes(struct snap__sampler *sampler, uint64_t size);

/** Fast path: the next point is beyond the block.  False: call snap__sample_takes(). */
static inline bool snap__sample_passes(uint64_t size)
{
	uint64_t ahead = snap__sample_ahead, bytes = size + (size == 0);

	if (bytes >= ahead)
		return false;
	snap__sample_ahead = ahead - bytes;
	return true;
}

/** In a forked child: make its choices differ from those of its parent and siblings. */
void snap__sample_after_fork(struct snap__sampler *sampler, uint64_t pid);

/** Live bytes that one taken block of `size` bytes stands for.  In a thread of the host's. */
int64_t snap__sample_bytes(uint64_t size);

/** Add what one taken block of `size` bytes stands for.  In a snapshot. */
void snap__sample_weigh(uint64_t size, struct snap__estimate *sum);

/** Cumulative estimates per stack, in sampled mode (exact ones ride in the threads' caches). */
void snap__sample_credit(uint32_t stack, uint64_t size);
void snap__sample_credited(uint32_t stack, struct snap__estimate *out);

#endif
