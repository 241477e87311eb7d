/*
 * unwind/recall.h - short ways from where a capture begins to the kept stack, remembered.
 *
 * Programs allocate alternately in a few places.  The way from a capture's start to the joint with
 * the kept stack is remembered, with the words that it read.  If the same way comes again, and its
 * joint is still kept, nothing is walked or looked up.  Ways that begin in the same state differ in
 * a word further out: the first word that differs from the expected one says where to look next.
 *
 * If lookups keep missing, they are made less often: a program whose stacks rarely repeat would pay
 * without gain.
 */
#ifndef SNAP_RUNTIME_UNWIND_RECALL_H
#define SNAP_RUNTIME_UNWIND_RECALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/unwind/kept.h"
#include "runtime/unwind/unwind.h"

#define SNAP__SEGMENT_WORDS 21u

/** A word that was read on the way, and its value then. */
struct snap__segment_word {
	int32_t offset; /* in bytes, from where the way begins */
	uint32_t value_low, value_high;
};

/** The way from where a capture began to the kept frame that it joined.  The first 64 bytes have
 * all but the words. */
struct snap__segment {
	_Alignas(64) uintptr_t pc; /* the state at its beginning */
	uintptr_t sp;
	uintptr_t fp;
	uint32_t epoch;       /* valid only while it equals the table's */
	uint32_t node;        /* of the whole stack */
	uintptr_t joint_fp;   /* the state at its end, which is that of the kept frame `joint` */
	uint32_t joint_above; /* its sp, from that at the beginning */
	uint32_t joint_node;  /* which gives its pc */
	uint16_t joint;
	uint16_t frames;
	uint16_t next; /* number of the one that was found after this one */
	uint8_t word_count;
	uint8_t needs_fp : 1; /* fp is part of its first state; of its last state */
	uint8_t joint_needs_fp : 1;
	struct snap__segment_word words[SNAP__SEGMENT_WORDS];
};
/** A thread's ways.  Zeroed memory is a valid empty one. */
struct snap__recall {
	struct snap__segment *segments;
	uint32_t epoch;
	uint32_t misses; /* misses in a row, approximately */
	uint32_t skipped;
	uint32_t hits;    /* counted up to the number that matters */
	uint32_t last;    /* number of the one that was found last */
	uint64_t written; /* bit i: page i of the table was written, and so takes memory */
};

size_t snap__recall_table_size(void);

/** Bytes of the table that were never written. */
size_t snap__recall_untouched(const struct snap__recall *recall);

/** Forget every way. */
static inline void snap__recall_forget(struct snap__recall *recall)
{
	recall->epoch++;
}

/** Is a lookup worth its cost this time? */
bool snap__recall_is_worth_it(struct snap__recall *recall);

/**
 * Look for a way that a walk from `at` would follow to one of the `joinable` outermost kept
 * frames.  NULL if there is none: `*place` is then where it should be remembered.
 */
const struct snap__segment *snap__recall_find(struct snap__recall *recall,
					      const struct snap__kept *kept, uint32_t joinable,
					      const struct snap__regs *at,
					      struct snap__segment **place);

/** Remember in `place` the way from `at`, whose stack `node` is now kept, to the kept frame
 * `joint`. */
void snap__recall_keep(struct snap__recall *recall, struct snap__segment *place,
		       const struct snap__kept *kept, const struct snap__regs *at, uint32_t joint,
		       uint32_t node);

#endif
