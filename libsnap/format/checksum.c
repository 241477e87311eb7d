/*
 * checksum.c - XXH64.  Step numbers are those of the specification that checksum.h cites.
 */
#include "format/bytes.h"
#include "format/checksum.h"

#define PRIME1 0x9E3779B185EBCA87u
#define PRIME2 0xC2B2AE3D27D4EB4Fu
#define PRIME3 0x165667B19E3779F9u
#define PRIME4 0x85EBCA77C2B2AE63u
#define PRIME5 0x27D4EB2F165667C5u

#define STRIPE 32 /* bytes: four lanes of eight */

static uint64_t rotate_left(uint64_t value, unsigned bits)
{
	return value << bits | value >> (64 - bits);
}

static uint64_t round_lane(uint64_t lane, uint64_t input)
{
	return rotate_left(lane + input * PRIME2, 31) * PRIME1;
}

static uint64_t merge_lane(uint64_t hash, uint64_t lane)
{
	return (hash ^ round_lane(0, lane)) * PRIME1 + PRIME4;
}

/* Steps 1 to 3: whole stripes, then the lanes converge. */
static uint64_t hash_stripes(const uint8_t *at, size_t stripes, uint64_t seed)
{
	uint64_t lane[4] = {seed + PRIME1 + PRIME2, seed + PRIME2, seed, seed - PRIME1};
	uint64_t hash;

	for (; stripes > 0; stripes--, at += STRIPE) {
		lane[0] = round_lane(lane[0], snap__load64(at));
		lane[1] = round_lane(lane[1], snap__load64(at + 8));
		lane[2] = round_lane(lane[2], snap__load64(at + 16));
		lane[3] = round_lane(lane[3], snap__load64(at + 24));
	}
	hash = rotate_left(lane[0], 1) + rotate_left(lane[1], 7) + rotate_left(lane[2], 12) +
	       rotate_left(lane[3], 18);
	for (int i = 0; i < 4; i++)
		hash = merge_lane(hash, lane[i]);
	return hash;
}

/* Step 5: what is left after the stripes. */
static uint64_t hash_tail(uint64_t hash, const uint8_t *at, size_t size)
{
	for (; size >= 8; size -= 8, at += 8)
		hash = rotate_left(hash ^ round_lane(0, snap__load64(at)), 27) * PRIME1 + PRIME4;
	if (size >= 4) {
		hash = rotate_left(hash ^ snap__load32(at) * PRIME1, 23) * PRIME2 + PRIME3;
		size -= 4;
		at += 4;
	}
	for (; size > 0; size--, at++)
		hash = rotate_left(hash ^ *at * PRIME5, 11) * PRIME1;
	return hash;
}

/* Step 6: every input bit gets a chance to reach every output bit. */
static uint64_t avalanche(uint64_t hash)
{
	hash = (hash ^ hash >> 33) * PRIME2;
	hash = (hash ^ hash >> 29) * PRIME3;
	return hash ^ hash >> 32;
}

uint64_t snap__xxh64(const void *data, size_t size, uint64_t seed)
{
	const uint8_t *at = data;
	size_t stripes = size / STRIPE;
	uint64_t hash = stripes > 0 ? hash_stripes(at, stripes, seed) : seed + PRIME5;

	if (size == 0)
		return avalanche(hash);
	return avalanche(hash_tail(hash + size, at + stripes * STRIPE, size % STRIPE));
}
