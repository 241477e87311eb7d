/*
 * seed.c - the random seed of hashes over hostile input.
 */
#include "base/seed.h"

#include <string.h>
#include <sys/auxv.h>

/* The kernel gives every process sixteen random bytes. */
uint64_t hash_seed(void)
{
	const void *random = (const void *)(uintptr_t)getauxval(AT_RANDOM);
	uint64_t seed = 0;

	if (random)
		memcpy(&seed, random, sizeof(seed));
	return seed;
}
