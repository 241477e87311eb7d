/*
 * runtime/sample.c - Poisson sampling by bytes, with weights and variances.
 *
 * No libm: a guest links to libc alone.  exp(-x) and log(x) are short series here, accurate to
 * some 1e-12, far below the sampling error itself.
 */
#include "runtime/sample.h"

#include <stdatomic.h>

#include "arch/arch.h"
#include "runtime/arena.h"
#include "runtime/os_linux.h"
#include "runtime/stacks.h"

#define CHUNK_BITS 12
#define CHUNKS     (1u << (SNAP__STACK_ID_BITS - CHUNK_BITS))

/* Cumulative sums of one stack; each is a double's bits, added to by compare and exchange. */
struct sums {
	_Atomic uint64_t blocks, bytes, blocks_variance, bytes_variance;
};

uint64_t snap__sample_period_bytes;
_Thread_local uint64_t snap__sample_ahead;
static uint64_t seed_base;
static atomic_uint samplers;
static struct sums *_Atomic *chunks;

void snap__sample_init(uint64_t period, uint64_t seed)
{
	snap__sample_period_bytes = period;
	seed_base = seed ? seed : snap__os_mono_ns() ^ snap__os_wall_ns() << 20;
	if (period && !chunks)
		chunks = snap__map(CHUNKS * sizeof(*chunks));
}

/* 1 - exp(-x) for x >= 0, without cancellation near 0. */
static double one_minus_exp(double x)
{
	double term = 1, sum = 0, p;
	unsigned halvings = 0;

	if (x > 40)
		return 1;
	for (; x > 0.5; halvings++)
		x /= 2;
	for (unsigned k = 1; k <= 14; k++) {
		term *= -x / k;
		sum -= term;
	}
	/* 1 - exp(-2x) = p (2 - p) with p = 1 - exp(-x) */
	for (p = sum; halvings > 0; halvings--)
		p *= 2 - p;
	return p;
}

/* -ln(u) for a uniform u = (bits + 1) / 2^53, bits < 2^53. */
static double minus_log(uint64_t bits)
{
	double m = (double)(bits + 1) / 9007199254740992.0, z, z2, sum = 0;
	int exponent = 0;

	for (; m < 0.70710678118654752; exponent++)
		m *= 2;
	z = (m - 1) / (m + 1);
	z2 = z * z;
	for (int k = 21; k >= 1; k -= 2)
		sum = sum * z2 + 1.0 / k;
	return exponent * 0.69314718055994531 - 2 * z * sum;
}

static uint64_t next_random(struct snap__sampler *sampler)
{
	uint64_t x = sampler->random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	sampler->random = x;
	return x * 0x2545f4914f6cdd1dull;
}

/* The number of bytes before the next point.  It is geometric, because each byte is a point
   independently. */
__attribute__((noinline)) static uint64_t draw_gap(struct snap__sampler *sampler)
{
	double gap = minus_log(next_random(sampler) >> 11) * (double)snap__sample_period_bytes;

	return gap > 4e18 ? UINT64_MAX / 4 : (uint64_t)gap;
}

static uint64_t next_gap(struct snap__sampler *sampler)
{
	uint64_t of_host[2];
	uint64_t gap;

	snap__arch_float_begin(of_host);
	gap = draw_gap(sampler);
	snap__arch_float_end(of_host);
	return gap;
}

static void start(struct snap__sampler *sampler)
{
	uint64_t z = seed_base + (1 + atomic_fetch_add(&samplers, 1)) * 0x9e3779b97f4a7c15ull;

	/* splitmix64, so that neighbouring seeds give unrelated streams */
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	sampler->random = (z ^ z >> 31) | 1;
}

bool snap__sample_takes(struct snap__sampler *sampler, uint64_t size)
{
	if (sampler->random == 0)
		start(sampler);
	if (snap__sample_ahead == 0) /* the thread's first block */
		snap__sample_ahead = 1 + next_gap(sampler);
	if (snap__sample_passes(size))
		return false;
	/* The process has no memory: the next gap starts at the end of this block. */
	snap__sample_ahead = 1 + next_gap(sampler);
	return true;
}

void snap__sample_after_fork(struct snap__sampler *sampler, uint64_t pid)
{
	seed_base += pid * 0xd1342543de82ef95ull;
	sampler->random = 0;
	snap__sample_ahead = 0;
}

void snap__sample_weigh(uint64_t size, struct snap__estimate *sum)
{
	double s = (double)size, p;

	if (!snap__sample_period_bytes) {
		sum->blocks += 1;
		sum->bytes += s;
		return;
	}
	p = one_minus_exp((size > 0 ? s : 1) / (double)snap__sample_period_bytes);
	sum->blocks += 1 / p;
	sum->bytes += s / p;
	sum->blocks_variance += (1 - p) / (p * p);
	sum->bytes_variance += s * s * (1 - p) / (p * p);
}

__attribute__((noinline)) static int64_t weigh_bytes(uint64_t size)
{
	struct snap__estimate weight = {0};

	snap__sample_weigh(size, &weight);
	return (int64_t)weight.bytes;
}

static double from_bits(uint64_t bits)
{
	union {
		uint64_t bits;
		double value;
	} u = {.bits = bits};

	return u.value;
}

static void add(_Atomic uint64_t *sum, double amount)
{
	uint64_t old = atomic_load_explicit(sum, memory_order_relaxed);
	union {
		double value;
		uint64_t bits;
	} new;

	do
		new.value = from_bits(old) + amount;
	while (!atomic_compare_exchange_weak_explicit(sum, &old, new.bits, memory_order_relaxed,
						      memory_order_relaxed));
}

static struct sums *sums_of(uint32_t stack, int make)
{
	struct sums *chunk, *fresh;

	if (!chunks)
		return NULL;
	chunk = atomic_load(&chunks[stack >> CHUNK_BITS]);
	if (!chunk && make) {
		fresh = snap__map(sizeof(struct sums) << CHUNK_BITS);
		if (!fresh)
			return NULL;
		if (atomic_compare_exchange_strong(&chunks[stack >> CHUNK_BITS], &chunk, fresh))
			chunk = fresh;
		else
			snap__unmap(fresh, sizeof(struct sums) << CHUNK_BITS);
	}
	return chunk ? &chunk[stack & ((1u << CHUNK_BITS) - 1)] : NULL;
}

int64_t snap__sample_bytes(uint64_t size)
{
	uint64_t of_host[2];
	int64_t bytes;

	snap__arch_float_begin(of_host);
	bytes = weigh_bytes(size);
	snap__arch_float_end(of_host);
	return bytes;
}

__attribute__((noinline)) static void add_weight(struct sums *sums, uint64_t size)
{
	struct snap__estimate weight = {0};

	snap__sample_weigh(size, &weight);
	add(&sums->blocks, weight.blocks);
	add(&sums->bytes, weight.bytes);
	add(&sums->blocks_variance, weight.blocks_variance);
	add(&sums->bytes_variance, weight.bytes_variance);
}

void snap__sample_credit(uint32_t stack, uint64_t size)
{
	struct sums *sums = sums_of(stack, 1);
	uint64_t of_host[2];

	if (!sums)
		return;
	snap__arch_float_begin(of_host);
	add_weight(sums, size);
	snap__arch_float_end(of_host);
}

void snap__sample_credited(uint32_t stack, struct snap__estimate *out)
{
	struct sums *sums = sums_of(stack, 0);

	*out = (struct snap__estimate){0};
	if (!sums)
		return;
	out->blocks = from_bits(atomic_load(&sums->blocks));
	out->bytes = from_bits(atomic_load(&sums->bytes));
	out->blocks_variance = from_bits(atomic_load(&sums->blocks_variance));
	out->bytes_variance = from_bits(atomic_load(&sums->bytes_variance));
}
