/*
 * unwind/walk.h - the walk of one capture, and what a thread keeps between captures.  Private to
 * capture.c, walk.c and keep.c.
 */
#ifndef SNAP_RUNTIME_UNWIND_WALK_H
#define SNAP_RUNTIME_UNWIND_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/hidden.h"
#include "runtime/unwind/kept.h"
#include "runtime/unwind/recall.h"
#include "runtime/unwind/rules.h"
#include "runtime/unwind/unwind.h"

#define SNAP__WORDS_A_STEP 16u /* that one exotic rule may read */

/* A frame of the current walk, as in kept.h, and the rule that leads to its caller.  `slot` is not set
 * for frames newer than all `unplain` ones: pc was read right below sp. */
struct snap__fresh {
	const uintptr_t *slot;
	uintptr_t pc; /* without the tag, which the rule has */
	uintptr_t sp;
	uintptr_t fp;
	snap__rule rule;
};

/* The frame's pc as the tree keeps it. */
static inline uintptr_t snap__fresh_pc(const struct snap__fresh *fresh)
{
	return snap__rule_tagged(fresh->rule, fresh->pc);
}

/* A word that a step by the general way read; `frame` is the fresh frame that the step left. */
struct snap__read_word {
	struct snap__word word;
	uint64_t frame;
};

/*
 * How walks leave the frames that have one pc.  `caller` is the step that the last walk made next:
 * the next walk tries it first.  Then the walk waits neither for a hash nor for the caller's rule;
 * the caller's pc is still read, and must be that of the step.
 */
struct snap__step {
	_Alignas(32) uintptr_t pc;
	snap__rule rule;
	uint64_t hash;             /* of the frame, in hashes of stacks */
	struct snap__step *caller; /* in the thread's table, or its `start`; never NULL in use */
};

/* How many elements a thread's arrays have. */
struct snap__rooms {
	uint32_t steps; /* at first; a power of two */
	uint32_t
		fresh; /* of a walk; one more is there, for frames that are written and forgotten */
	uint32_t read_words;
	uint32_t frames; /* kept ones */
	uint32_t words;
};

/*
 * Arrays are small at first: of thousands of threads most have shallow stacks and allocate little.
 * A thread whose stacks do not fit, or that walks often, gets arrays for stacks of any depth, and a
 * table of remembered ways (recall.h).
 */
struct snap__unwind_thread {
	struct snap__reach reach;
	uint64_t generation; /* of the mapped code, when the stack was kept */
	struct snap__kept kept;
	struct snap__recall recall; /* without a table while the arrays are small */
	struct snap__fresh *fresh;
	struct snap__read_word *read_words;
	struct snap__step *steps; /* by the hash of their pc; those of rules that are a word */
	struct snap__step start;  /* its caller is where the last walk began */
	struct snap__rooms rooms;
	uint64_t steps_mask; /* of a hash, to the bytes of the table before a step's places */
	uint32_t steps_filled;
	uint32_t walks;    /* while the arrays are small */
	uint32_t longest;  /* of the walks, in frames; no further than they can be kept */
	uint32_t deepest;  /* most frames that were kept */
	uint32_t unjudged; /* frames that the stack which was kept last has in common with the one
			    * before; 0 once it is known whether to keep it was worth it */
	uint32_t in_vain;  /* frames that were kept lately, less what came of it */
	uint32_t lightly;  /* walks while most of them keep nothing */
	uint32_t captures; /* since the shared counts were updated; likewise the next two */
	uint64_t frames_walked;
	uint64_t frames_reused;
	_Alignas(64) char small_arrays[];
};

/* A walk that is being made. */
struct snap__walk {
	struct snap__unwind_thread *thread;
	uintptr_t pc; /* of a byte inside the call, or of the interrupted instruction */
	uintptr_t sp;
	uintptr_t fp;
	const uintptr_t *slot;             /* where pc was read */
	const struct snap__fresh *unplain; /* the newest frame whose rule is not of the kind SP */
	uint64_t count;                    /* frames walked so far */
	uint64_t hash;                     /* of the frames of a light walk alone */
	uint64_t hash_power;               /* of the hash's factor, for the next frame */
	uint64_t unkept;     /* this many of the newest frames cannot be kept: they were
	                        * interrupted, or the way to them is not given by one word */
	uint32_t word_count; /* read_words in use */
	uint32_t candidates; /* kept frames that may still be joined; if joined: that are part of it
			      */
	uint32_t jumps;      /* moves to another stack */
	bool joined;         /* at frames[candidates - 1] */
	bool by_hash;        /* the stack is looked for by its hash, however short the walk */
	bool keepable;       /* all words that were read are on the home stack */
	bool truncated;
};

/* Most frames of a stack. */
extern SNAP__HIDDEN uint32_t snap__depth_limit;

/* The first frame (counted from outside) that is shown of a stack of `depth` frames. */
static inline uint64_t snap__cut_of(uint64_t depth)
{
	uint64_t step;

	if (depth <= snap__depth_limit)
		return 0;
	step = snap__depth_limit / 2;
	/* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): no limit is below 2 */
	return (depth - snap__depth_limit + step - 1) / step * step;
}

/** Walk from `at` to the outermost frame, to a kept frame, or until no rule is known. */
void snap__walk(struct snap__walk *w, const struct snap__regs *at);

/**
 * Walk to one of the `w->candidates` kept frames, and note no frames but their number and their hash.
 * False: only snap__walk() can do it.
 */
bool snap__walk_lightly(struct snap__walk *w);

/** The hash of the stack of a walk that joined a kept frame; its outermost frame is kept. */
uint64_t snap__walk_hash(const struct snap__walk *w);

/** Whether the result of the finished walk fits into the thread's arrays. */
bool snap__walk_fits(const struct snap__walk *w);

/** Turn the finished walk into a stack id, and keep what can be kept.  `*shortened`: the tree had
 *  room for the newest frames only.  0: no room at all. */
uint32_t snap__keep(struct snap__walk *w, bool *shortened);

#endif
