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

#define SNAP__PC_MASK (~(uintptr_t)SNAP__RULE_TAG_MASK)

/** Where a frame is, and how it was found. */
struct snap__point {
	const uintptr_t
		*slot; /* holds the return address that led here from the next inner frame */
	uintptr_t pc;  /* of a byte inside the call, with the module's tag */
	uintptr_t sp;
	uintptr_t fp;
};

/** A frame of the kept stack. */
struct snap__frame {
	struct snap__point at;
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
	struct snap__frame *frames; /* frames[-1] lies above every stack */
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
	return frame->at.sp == sp && ((frame->at.pc ^ pc) & SNAP__PC_MASK) == 0 &&
	       (frame->at.fp == fp || !snap__frame_needs_fp(frame));
}

/* Zero in the bits of an address if the way to `frame` is as it was. */
SNAP__READS_STACKS static inline uintptr_t snap__frame_change(const struct snap__frame *frame)
{
	return (*frame->at.slot - 1) ^ frame->at.pc;
}

/** How many of the `count` outermost frames are unchanged, including their saved words. */
uint32_t snap__kept_words_hold(const struct snap__kept *kept, uint32_t count);

/**
 * How many of the kept frames, counted from outside, a walk may join: those whose outer part is
 * unchanged.
 */
SNAP__READS_STACKS static inline uint32_t snap__kept_joinable(const struct snap__kept *kept)
{
	const struct snap__frame *frame = kept->frames;
	uint32_t left = kept->count;

	if (left == 0)
		return 0;
	/* The innermost is joined by its state alone. */
	for (left--; left >= 4; left -= 4, frame += 4)
		if ((snap__frame_change(frame) | snap__frame_change(frame + 1) |
		     snap__frame_change(frame + 2) | snap__frame_change(frame + 3)) &
		    SNAP__PC_MASK)
			break;
	for (; left && (snap__frame_change(frame) & SNAP__PC_MASK) == 0; left--)
		frame++;
	left = (uint32_t)(frame - kept->frames) + 1;
	return snap__frame_words(frame) ? snap__kept_words_hold(kept, left) : left;
}

#endif
