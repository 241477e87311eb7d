/*
 * base/hash.h - hashes of bytes and numbers.
 *
 * Files and databases keep values that are made with them (fingerprints of findings, digests), and
 * processes find each other by them (names of sockets): the functions must never change.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** FNV-1a (Fowler, Noll, Vo, public domain). */
static inline uint64_t hash_fnv(const char *data, size_t size)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ (unsigned char)data[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/** Fold a number into a hash. */
static inline uint64_t hash_fold(uint64_t hash, uint64_t next)
{
	hash = (hash ^ next) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ (hash >> 29);
}

/** A hash of some bytes; `seed` is hash_seed() where they may be an attacker's (base/seed.h). */
static inline uint64_t hash_of_bytes_from(uint64_t seed, const void *data, size_t size)
{
	const char *p = data;
	uint64_t hash = seed ^ size, word;

	for (; size >= sizeof(word); size -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		hash = hash_fold(hash, word);
	}
	word = 0;
	memcpy(&word, p, size);
	return hash_fold(hash, word);
}

/** A hash of some bytes. */
static inline uint64_t hash_of_bytes(const void *data, size_t size)
{
	return hash_of_bytes_from(0, data, size);
}

#endif
