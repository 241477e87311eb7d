/*
 * runtime/sample.h - which allocations to take, and what each stands for.
 *
 * Poisson sampling by bytes: points are strewn over the stream of allocated bytes with
 * exponentially distributed gaps of mean `period`, and a block is taken if a point falls into it.
 * A block of s bytes is thus taken with probability p = 1 - exp(-s/period), independently of all
 * others.  Horvitz and Thompson (1952): a taken block counts as 1/p blocks and s/p bytes, which
 * makes every sum unbiased; each adds (1-p)/p^2 (times s^2 for bytes) to the estimate of the sum's
 * variance, unbiased as well.  A block of 0 bytes is treated as one byte when p is worked out.
 */
#ifndef SNAP_RUNTIME_SAMPLE_H
#define SNAP_RUNTIME_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

/** A sum of weights: estimates and the variances of them.  Exact mode: whole numbers, variance 0.
 */
struct snap__estimate {
	double blocks, bytes;
	double blocks_variance, bytes_variance;
};

/** `period` 0: exact. */
void snap__sample_init(uint64_t period, uint64_t seed);
extern uint64_t snap__sample_period_bytes;

static inline uint64_t snap__sample_period(void)
{
	return snap__sample_period_bytes;
}

/** A thread's position in the stream of bytes. */
struct snap__sampler {
	uint64_t random;   /* state of a xorshift64* generator; 0 before the first gap */
	int64_t remaining; /* bytes to the next point */
};

/** A block of `size` bytes came: is it taken? */
bool snap__sample_takes(struct snap__sampler *sampler, uint64_t size);

/** The common case of it: the next point is beyond the block.  False: ask snap__sample_takes(). */
static inline bool snap__sample_passes(struct snap__sampler *sampler, uint64_t size)
{
	int64_t beyond = sampler->remaining - (size > 0 ? (int64_t)size : 1);

	if (size > INT64_MAX / 2 || beyond < 0)
		return false;
	sampler->remaining = beyond;
	return true;
}

/** Add what one taken block of `size` bytes stands for. */
void snap__sample_weigh(uint64_t size, struct snap__estimate *sum);

/** Cumulative estimates per stack, in sampled mode (exact ones ride in the threads' caches). */
void snap__sample_credit(uint32_t stack, uint64_t size);
void snap__sample_credited(uint32_t stack, struct snap__estimate *out);

#endif
