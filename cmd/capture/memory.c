/*
 * memory.c - the memory that a recorder may take in its host.
 */
#include "capture/memory.h"

#include "base/machine.h"

enum { SHARE = 20 };
#define LEAST ((uint64_t)64 << 20)
#define MOST  ((uint64_t)256 << 20)

uint64_t memory_default(void)
{
	uint64_t share = machine_memory() / SHARE;

	return share < LEAST ? LEAST : share > MOST ? MOST : share;
}
