/*
 * base/seed.h - where hashes over hostile input begin, so that nobody can make them collide.
 */
#ifndef MODEL_SEED_H
#define MODEL_SEED_H

#include <stdint.h>

/** A number that differs from process to process.  Nothing that is printed may depend on it. */
uint64_t hash_seed(void);

#endif
