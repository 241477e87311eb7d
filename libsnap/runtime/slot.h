/*
 * runtime/slot.h - one live block in the heap's maps, in 8 bytes.
 *
 * A slot, from the lowest bit:
 *    1 bit   used
 *    1 bit   large: the size does not fit; it stands in the following slot, which the block
 *            covers as well and therefore owns (shifted left by one, so that it is not "used")
 *    1 bit   mark, see snap__finemap_mark(); in maps with granules of 2 KiB, one more bit of the position
 *    6 bits  position: bits 3 to 8 of the block's address (with the bit above: bits 4 to 10)
 *   28 bits  stack id
 *   15 bits  size
 *   12 bits  birth epoch
 */
#ifndef SNAP_RUNTIME_SLOT_H
#define SNAP_RUNTIME_SLOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "runtime/stacks.h"

#define SNAP__EPOCH_BITS 12
#define SNAP__EPOCHS     (1u << SNAP__EPOCH_BITS)

/** A live block as the maps know it. */
struct snap__block {
	uint32_t stack; /* id in the stack tree */
	uint32_t epoch; /* of birth, modulo SNAP__EPOCHS */
	uint64_t size;  /* bytes as requested */
	bool marked;    /* see snap__finemap_mark(); set when a block is taken */
};

#define SNAP__SLOT_USED        1ull
#define SNAP__SLOT_LARGE       2ull
#define SNAP__SLOT_MARK        4ull
#define SNAP__SLOT_POSITION    0x1f8ull
#define SNAP__SLOT_WIDE        (SNAP__SLOT_POSITION | SNAP__SLOT_MARK)
#define SNAP__SLOT_WIDE_SHIFT  2 /* from a wide position to bits of the address */
#define SNAP__SLOT_STACK_SHIFT 9
#define SNAP__SLOT_SIZE_SHIFT  (SNAP__SLOT_STACK_SHIFT + SNAP__STACK_ID_BITS)
#define SNAP__SLOT_SIZE_BITS   15
#define SNAP__SLOT_SIZE_MAX    ((1u << SNAP__SLOT_SIZE_BITS) - 1)
#define SNAP__SLOT_EPOCH_SHIFT (SNAP__SLOT_SIZE_SHIFT + SNAP__SLOT_SIZE_BITS)

/** A larger block is "large" in the maps. */
#define SNAP__SMALL_MAX 512u

#define SNAP__ADDRESS_BITS 47
/** Blocks at other addresses have no slot. */
#define SNAP__ADDRESS_REGULAR ((((uintptr_t)1 << SNAP__ADDRESS_BITS) - 1) & ~(uintptr_t)7)

typedef _Atomic uint64_t snap__slot;

static inline bool snap__address_is_regular(uintptr_t address)
{
	return (address & ~SNAP__ADDRESS_REGULAR) == 0;
}

/** The value of the slot for a block whose size fits. */
static inline uint64_t snap__slot_pack(uintptr_t address, const struct snap__block *block)
{
	return SNAP__SLOT_USED | (address & SNAP__SLOT_POSITION) |
	       (uint64_t)block->stack << SNAP__SLOT_STACK_SHIFT |
	       block->size << SNAP__SLOT_SIZE_SHIFT |
	       (uint64_t)block->epoch << SNAP__SLOT_EPOCH_SHIFT;
}

static inline void snap__slot_unpack(uint64_t value, struct snap__block *block)
{
	block->stack =
		(uint32_t)(value >> SNAP__SLOT_STACK_SHIFT) & ((1u << SNAP__STACK_ID_BITS) - 1);
	block->size = value >> SNAP__SLOT_SIZE_SHIFT & SNAP__SLOT_SIZE_MAX;
	block->epoch = (uint32_t)(value >> SNAP__SLOT_EPOCH_SHIFT);
}

/** Is the block of this slot the one at `address`, one of those that the slot may be for? */
static inline bool snap__slot_is_of(uint64_t value, uintptr_t address)
{
	return (value & SNAP__SLOT_USED) && ((value ^ address) & SNAP__SLOT_POSITION) == 0;
}

/** Put a small block into its slot; false: the slot is in use. */
static inline bool snap__slot_fill(snap__slot *slot, uintptr_t address,
				   const struct snap__block *block)
{
	if (block->size > SNAP__SMALL_MAX || atomic_load_explicit(slot, memory_order_relaxed) != 0)
		return false;
	atomic_store_explicit(slot, snap__slot_pack(address, block), memory_order_release);
	return true;
}

/** Take the block at this position out of its slot; false: it is not there, or is no usual one. */
static inline bool snap__slot_empty_at(snap__slot *slot, uint64_t position, struct snap__block *out)
{
	const uint64_t looked_at =
		SNAP__SLOT_USED | SNAP__SLOT_LARGE | SNAP__SLOT_MARK | SNAP__SLOT_POSITION;
	uint64_t value = atomic_load_explicit(slot, memory_order_relaxed);

	if ((value & looked_at) != (SNAP__SLOT_USED | position))
		return false;
	atomic_store_explicit(slot, 0, memory_order_relaxed);
	snap__slot_unpack(value, out);
	return true;
}

/** Take the block at `address`, in a map whose positions are not wide. */
static inline bool snap__slot_empty(snap__slot *slot, uintptr_t address, struct snap__block *out)
{
	return snap__slot_empty_at(slot, address & SNAP__SLOT_POSITION, out);
}

#endif
