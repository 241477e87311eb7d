/*
 * analysis/pairing/skeleton.h - stacks that are equal except for functions that the other snapshot
 * lacks.
 *
 * The skeleton of a stack is its tokens that both snapshots know.  A renamed function, a function
 * that is now inlined everywhere, or a new wrapper does not change it, so one look-up finds the
 * stack's counterpart among any number of others.
 */
#ifndef ANALYSIS_SKELETON_H
#define ANALYSIS_SKELETON_H

#include "analysis/pairing/stack_index.h"
#include "base/keyed.h"

struct skeletons {
	const struct tokens *tokens;
	struct keyed_row *items; /* by key, then stack */
	size_t count;
};

/** Make the skeletons of `stacks`.  False when memory is out.  Release with skeletons_release(). */
bool skeletons_build(struct skeletons *skeletons, const struct tokens *tokens,
		     const struct indexed_stack *stacks, size_t stack_count);
void skeletons_release(struct skeletons *skeletons);

/** The stacks with the skeleton of `stack`: returns how many, from *first on.  Returns 0, too, if
 * all functions of the skeleton are common ones: it would match unrelated stacks. */
size_t skeletons_find(const struct skeletons *skeletons, const struct indexed_stack *stack,
		      const struct keyed_row **first);

#endif
