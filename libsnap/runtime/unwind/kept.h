/*
 * unwind/kept.h - the last stack of a thread, kept so that its outer part need not be walked again.
 *
 * A frame's state (pc, sp, fp) depends only on the state of the next inner frame and on the words
 * that the step between them read.  So if a walk arrives at a kept state, and every word that was
 * read from there outwards still has its value, the rest of the walk would be the same.  Comparing
 * less is unsound: different callers may have frames of the same size.
 *
 * Each frame was read from one word, its return address: that is kept with the frame.  Other words
 * (saved frame pointers, where a frame further out needs them; what exotic rules read) are
 * in a list of their own, which is short in code without frame pointers.
 */
#ifndef SNAP_RUNTIME_UNWIND_KEPT_H
#define SNAP_RUNTIME_UNWIND_KEPT_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/unwind/reach.h"
#include "runtime/unwind/rules.h"

/* Functions that read other functions' frames word by word, which sanitizers must not judge. */
#define SNAP__READS_STACKS __attribute__((no_sanitize("address", "thread")))

#define SNAP__PC_MASK (~SNAP__PC_TAG_MASK)

/**
 * The word that holds the return address which led to a frame from the next inner one, and what is
 * there while the frame is.  Stored apart from the frames, so that a check of a whole stack reads
 * little memory.
 */
struct snap__return {
	const uintptr_t *slot;
	uintptr_t address; /* in the lower bits; see SNAP__PC_MASK */
};

/** A frame of the kept stack. */
struct snap__frame {
	uintptr_t pc; /* of a byte inside the call, with the module's tag */
	uintptr_t sp;
	uintptr_t fp;   /* set if `reads` is odd */
	uint32_t node;  /* of the stack up to here, in the tree; 0: not looked for yet */
	uint32_t reads; /* words[0..reads / 2) were read by the steps from here outwards; odd if
			   these steps depend on fp */
};

/** Another stack word that the step read, and its value then. */
struct snap__word {
	const uintptr_t *address;
	uintptr_t value;
};

/** What is kept of a thread's last stack, outermost frame first. */
struct snap__kept {
	struct snap__frame *frames;   /* frames[-1] lies above every stack */
	struct snap__return *returns; /* of each frame */
	struct snap__word *words;
	uint64_t *hashes; /* hashes[i]: of the stack up to frames[i], for i < hashed */
	uint32_t hashed;
	uint32_t count;
	uint64_t base; /* frames outside frames[0] that are not kept */
	uint64_t cut;  /* the frames from this one on (counted from outside) are in the tree */
};

static inline uint32_t snap__frame_words(const struct snap__frame *frame)
{
	return frame->reads >> 1;
}

static inline bool snap__frame_needs_fp(const struct snap__frame *frame)
{
	return frame->reads & 1;
}

/** Whether `frame` is the state with these registers. */
static inline bool snap__frame_is(const struct snap__frame *frame, uintptr_t pc, uintptr_t sp,
				  uintptr_t fp)
{
	return frame->sp == sp && ((frame->pc ^ pc) & SNAP__PC_MASK) == 0 &&
	       (frame->fp == fp || !snap__frame_needs_fp(frame));
}

/* The bits of an address are zero if the way to the frame is unchanged. */
SNAP__READS_STACKS static inline uintptr_t snap__return_change(const struct snap__return *back)
{
	return *back->slot ^ back->address;
}

/** How many of the `count` outermost frames are unchanged, including their saved words. */
uint32_t snap__kept_words_hold(const struct snap__kept *kept, uint32_t count);

/**
 * How many of the kept frames, counted from outside, a walk may join: those whose outer part is
 * unchanged.
 */
SNAP__READS_STACKS static inline uint32_t snap__kept_joinable(const struct snap__kept *kept)
{
	const struct snap__return *back = kept->returns;
	const struct snap__frame *frame;
	uint32_t left = kept->count;

	if (left == 0)
		return 0;
	/* The innermost frame is joined if its state is equal. */
	for (left--; left >= 4; left -= 4, back += 4) {
		uintptr_t first = snap__return_change(back) & SNAP__PC_MASK;
		uintptr_t second = first | (snap__return_change(back + 1) & SNAP__PC_MASK);
		uintptr_t third = second | (snap__return_change(back + 2) & SNAP__PC_MASK);

		if (!(third | (snap__return_change(back + 3) & SNAP__PC_MASK)))
			continue;
		/* Without a branch, because the processor would mispredict it. */
		back += (first == 0) + (second == 0) + (third == 0);
		left = 0;
		break;
	}
	for (; left && (snap__return_change(back) & SNAP__PC_MASK) == 0; left--)
		back++;
	left = (uint32_t)(back - kept->returns) + 1;
	frame = &kept->frames[left - 1];
	return snap__frame_words(frame) ? snap__kept_words_hold(kept, left) : left;
}

#endif
