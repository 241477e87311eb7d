/*
 * intern.h - content -> row id: how the rows of one snapshot are found again in the next.
 *
 * Rows are compared by a hash of 128 bits over their content; equal hashes count as equal rows.  So
 * this is a table of its own, beside base/hash_table.h: nothing is compared but the bits.
 */
#ifndef STORE_INTERN_H
#define STORE_INTERN_H

#include <stdbool.h>
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

struct intern_slot {
	struct hash128 hash;
	int64_t id; /* 0: free */
};

struct intern {
	struct intern_slot *slots;
	size_t size, used;          /* size is 0 or a power of two */
	struct intern_slot *recent; /* what was found last at each position of intern_find_at() */
	size_t recent_count;
};

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

/** The id kept for `hash`, or 0. */
int64_t intern_find(const struct intern *intern, struct hash128 hash);
/** The same.  `position` is that of the row in its snapshot: most rows are where they were in the
 * one before, and are found there without a look into the table. */
int64_t intern_find_at(struct intern *intern, size_t position, struct hash128 hash);
/** Keep `id` (> 0) for `hash`, which is not there yet; false when memory is out. */
bool intern_add(struct intern *intern, struct hash128 hash, int64_t id);
void intern_clear(struct intern *intern);

#endif
