/*
 * analysis/pairing/stack_index.h - which stacks might be like this one?  An inverted index over
 * sequences of tokens.
 *
 * Features of a stack are its tokens and each three tokens in a row: a function that is in every
 * second stack says little, but three in a row say a lot.  A query looks up the few features that
 * fewest stacks have, so that its cost does not depend on how many stacks there are.
 */
#ifndef ANALYSIS_STACK_INDEX_H
#define ANALYSIS_STACK_INDEX_H

#include "analysis/pairing/tokens.h"

struct indexed_stack {
	const uint32_t *tokens; /* newest first; the caller's */
	uint32_t depth;
	double weight; /* of all its tokens */
};

struct stack_tally {
	uint32_t stack;
	double shared;
};

struct stack_index {
	const struct tokens *tokens;
	const struct indexed_stack *stacks;
	size_t stack_count;
	size_t buckets; /* a power of 2: features are hashed, and a collision only costs time */
	uint32_t *start, *postings; /* stacks of a bucket: postings[start[b] .. start[b + 1]) */
	double *shared;             /* per stack, during a query */
	struct stack_tally *tally;  /* answers of the last query, the likeliest first */
};

/** Index `stacks`, which must stay; `wanted` (per stack; NULL: all) says which.  False when memory
 * is out.  Release with stack_index_release().
 */
bool stack_index_build(struct stack_index *index, const struct tokens *tokens,
		       const struct indexed_stack *stacks, size_t stack_count, const bool *wanted);
void stack_index_release(struct stack_index *index);

/** Stacks that share telling features with `stack`: index->tally[0 .. returned), at most `most`,
 * for which as many features are looked up. */
size_t stack_index_query(struct stack_index *index, const struct indexed_stack *stack, size_t most);

#endif
