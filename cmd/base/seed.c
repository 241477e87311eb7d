/*
 * seed.c - numbers that others cannot guess.
 */
#include "base/seed.h"

#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <time.h>

#include "base/hash.h"

/* The kernel gives every process sixteen random bytes. */
static void kernel_words(uint64_t words[2])
{
	const void *random = (const void *)(uintptr_t)getauxval(AT_RANDOM);

	memset(words, 0, 2 * sizeof(*words));
	if (random)
		memcpy(words, random, 2 * sizeof(*words));
}

uint64_t hash_seed(void)
{
	uint64_t words[2];

	kernel_words(words);
	return words[0];
}

void random_bytes(void *bytes, size_t size)
{
	struct timespec now;
	uint64_t words[2], hash;

	if (getrandom(bytes, size, 0) == (ssize_t)size)
		return;
	kernel_words(words);
	clock_gettime(CLOCK_REALTIME, &now);
	hash = hash_fold(words[0], (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec);
	for (size_t i = 0; i < size; i++) {
		hash = hash_fold(hash, words[1] + i);
		((unsigned char *)bytes)[i] = (unsigned char)(hash >> 32);
	}
}
