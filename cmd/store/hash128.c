/*
 * hash128.c - hash the content of rows.
 */
#include "store/hash128.h"

#include <string.h>

struct hash128 hash_mix_u64(struct hash128 a, uint64_t value)
{
	struct hash128 mixed = {
		.high = hash_scramble(a.high * HASH_ODD_C + value + HASH_ODD_B),
		.low = hash_scramble((a.low ^ (value * HASH_ODD_B)) + (a.high << 1 | a.high >> 63)),
	};

	return mixed;
}

struct hash128 hash_bytes(const void *data, size_t size)
{
	const char *bytes = data;
	struct hash128 hash = {.high = HASH_ODD_A, .low = HASH_ODD_B};
	uint64_t word;
	size_t at;

	for (at = 0; at + sizeof(word) <= size; at += sizeof(word)) {
		memcpy(&word, bytes + at, sizeof(word));
		hash = hash_mix_u64(hash, word);
	}
	word = 0;
	if (at < size)
		memcpy(&word, bytes + at, size - at);
	return hash_mix_u64(hash_mix_u64(hash, word), size);
}
