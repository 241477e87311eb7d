/*
 * base/seed.h - the random seed of hashes over hostile input, so that nobody can cause collisions.
 */
#ifndef BASE_SEED_H
#define BASE_SEED_H

#include <stdint.h>

/** A number that differs from process to process.  Nothing that is printed may depend on it. */
uint64_t hash_seed(void);

#endif
