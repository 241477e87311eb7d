/*
 * runtime/heapmap.h - address -> live block, for the host's malloc.
 *
 * A radix tree by address (1 GiB -> 2 MiB -> slots) with one 8-byte slot per granule.  The
 * granule is 32 bytes over glibc, whose chunks are at least that large and 16-aligned, so that
 * two blocks never share one; 16 bytes over other allocators.  Whoever owns a pointer owns its
 * slot: a block is put after the allocator handed it out and taken before it goes back, so plain
 * atomic loads and stores suffice.  What does not fit (odd pointers, two blocks in a granule) goes
 * to the side table.
 */
#ifndef SNAP_RUNTIME_HEAPMAP_H
#define SNAP_RUNTIME_HEAPMAP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SNAP__EPOCH_BITS 12
#define SNAP__EPOCHS     (1u << SNAP__EPOCH_BITS)

/** A live block as the map knows it. */
struct snap__block {
	uint32_t stack; /* id in the stack tree */
	uint32_t epoch; /* of birth, modulo SNAP__EPOCHS */
	uint64_t size;  /* bytes as requested */
};

/**
 * Choose the granule (1 << `shift` bytes; 5 for glibc, 4 otherwise) and whether few blocks will
 * be recorded, so that most look-ups miss.  Before the first put.  False if memory ran out.
 */
bool snap__heapmap_init(unsigned shift, bool sparse);

/** `address` will be put in a moment: have its slot fetched meanwhile. */
void snap__heapmap_prefetch(uintptr_t address);

/**
 * Record that `address` holds `block`.  A stale block at the same place is replaced; `*stale` then
 * says so.  False if there is no memory for it.  Async-signal-safe; errno is preserved.
 */
bool snap__heapmap_put(uintptr_t address, const struct snap__block *block, bool *stale);

/**
 * Of sparse maps: how many blocks have addresses that share an entry, by a hash of the address;
 * stuck at the highest value once there.  Most look-ups of a sampled program end at a zero here:
 * one load from a table that caches hold, shared but hardly ever written.
 */
#define SNAP__FILTER_BITS 16
extern atomic_uchar snap__heapmap_filter[1u << SNAP__FILTER_BITS];

static inline atomic_uchar *snap__heapmap_filter_of(uintptr_t address)
{
	uint64_t hash = (address >> 3) * 0x9e3779b97f4a7c15ull;

	return &snap__heapmap_filter[hash >> (64 - SNAP__FILTER_BITS)];
}

/** False: a sparse map holds no block at `address`. */
static inline bool snap__heapmap_may_hold(uintptr_t address)
{
	return atomic_load_explicit(snap__heapmap_filter_of(address), memory_order_relaxed) != 0;
}

/** Remove and return the block at `address`; false if there is none. */
bool snap__heapmap_take(uintptr_t address, struct snap__block *out);

/** Every block that the map and the side table hold for the whole time of the walk is passed to
 * `fn` once. */
typedef void snap__heapmap_fn(void *user, const struct snap__block *block);
void snap__heapmap_walk(snap__heapmap_fn *fn, void *user);

/** Bytes of the map's address space that were never written, and so take no memory. */
uint64_t snap__heapmap_untouched(void);

/**
 * Give blocks whose birth epoch lies in [oldest, oldest + count) (modulo SNAP__EPOCHS) the epoch
 * oldest + count, so that the numbers can be used again.
 */
void snap__heapmap_merge_epochs(uint32_t oldest, uint32_t count);

/** Forget everything: recording starts anew. */
void snap__heapmap_clear(void);

#endif
