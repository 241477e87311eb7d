/*
 * base/seed.h - numbers that others cannot guess: the seed of hashes over hostile input, and random
 * bytes.
 */
#ifndef BASE_SEED_H
#define BASE_SEED_H

#include <stddef.h>
#include <stdint.h>

/** A number that differs from process to process.  Nothing that is printed may depend on it. */
uint64_t hash_seed(void);

/** Bytes for a name that others must not guess.  A sandbox may forbid getrandom(): then they are
 * computed from the kernel's random bytes for this process, and from the time. */
void random_bytes(void *bytes, size_t size);

#endif
