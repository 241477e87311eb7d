/*
 * hash128.h - a hash of 128 bits over the content of a row.
 *
 * Rows with equal hashes count as equal.  The id of a call stack is a part of its hash, so that every
 * engine and every database gives a call stack the same id.
 */
#ifndef STORE_HASH128_H
#define STORE_HASH128_H

#include <stddef.h>
#include <stdint.h>

/* Odd constants with well spread bits (from the fractional parts of phi, pi and e). */
#define HASH_ODD_A UINT64_C(0x9e3779b97f4a7c15)
#define HASH_ODD_B UINT64_C(0x243f6a8885a308d3)
#define HASH_ODD_C UINT64_C(0xb7e151628aed2a6b)

static inline uint64_t hash_scramble(uint64_t x)
{
	x ^= x >> 32;
	x *= HASH_ODD_A;
	x ^= x >> 29;
	x *= HASH_ODD_C;
	x ^= x >> 32;
	return x;
}

struct hash128 {
	uint64_t high, low;
};

/** The row id of a call stack: 63 bits of its hash, never 0.  Every database and every loader gives
 * the same stack the same id. */
static inline int64_t site_key(const struct hash128 *hash)
{
	int64_t key = (int64_t)(hash->high >> 1);

	return key ? key : 1;
}

struct hash128 hash_bytes(const void *data, size_t size);
static inline struct hash128 hash_mix(struct hash128 a, struct hash128 b)
{
	struct hash128 mixed = {
		.high = hash_scramble((a.high ^ b.high) * HASH_ODD_C + a.low),
		.low = hash_scramble((a.low + b.low) * HASH_ODD_B ^ b.high),
	};

	return mixed;
}

struct hash128 hash_mix_u64(struct hash128 a, uint64_t value);

#endif
