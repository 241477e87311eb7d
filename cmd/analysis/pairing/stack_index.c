/*
 * stack_index.c - features, postings, and queries that look at few of them.
 */
#include "analysis/pairing/stack_index.h"

#include <stdlib.h>
#include <string.h>

enum {
	RUN = 3,               /* tokens in a run */
	MOST_PROBES = 64,      /* features that a query looks up, at most */
	LONGEST_POSTING = 512, /* a feature of more stacks tells too little */
};

struct feature {
	size_t bucket;
	double weight;
};

/* Feature `i` of a stack: its tokens come first, then its runs. */
static size_t feature_count(const struct indexed_stack *stack)
{
	return stack->depth + (stack->depth >= RUN ? stack->depth - RUN + 1 : 0);
}

static struct feature feature_at(const struct stack_index *index, const struct indexed_stack *stack,
				 size_t i)
{
	bool is_run = i >= stack->depth;
	size_t from = is_run ? i - stack->depth : i, count = is_run ? RUN : 1;
	struct feature feature = {count, 0};
	uint64_t hash = count;

	for (size_t t = from; t < from + count; t++) {
		hash = hash_fold(hash, stack->tokens[t] + 1);
		feature.weight += index->tokens->items[stack->tokens[t]].weight;
	}
	feature.bucket = hash & (index->buckets - 1);
	return feature;
}

static bool is_wanted(const bool *wanted, size_t stack)
{
	return !wanted || wanted[stack];
}

/* Count, then place. */
static bool fill_postings(struct stack_index *index, const bool *wanted)
{
	uint32_t *at = malloc((index->buckets + 1) * sizeof(*at));

	for (size_t s = 0; s < index->stack_count; s++)
		for (size_t i = 0; is_wanted(wanted, s) && i < feature_count(&index->stacks[s]);
		     i++)
			index->start[feature_at(index, &index->stacks[s], i).bucket + 1]++;
	for (size_t b = 0; b < index->buckets; b++)
		index->start[b + 1] += index->start[b];
	index->postings =
		malloc(((size_t)index->start[index->buckets] + 1) * sizeof(*index->postings));
	if (at && index->postings) {
		memcpy(at, index->start, (index->buckets + 1) * sizeof(*at));
		for (uint32_t s = 0; s < index->stack_count; s++)
			for (size_t i = 0;
			     is_wanted(wanted, s) && i < feature_count(&index->stacks[s]); i++)
				index->postings
					[at[feature_at(index, &index->stacks[s], i).bucket]++] = s;
	}
	free(at);
	return at && index->postings;
}

bool stack_index_build(struct stack_index *index, const struct tokens *tokens,
		       const struct indexed_stack *stacks, size_t stack_count, const bool *wanted)
{
	size_t features = 0;

	*index = (struct stack_index){
		.tokens = tokens, .stacks = stacks, .stack_count = stack_count, .buckets = 1024};
	for (size_t s = 0; s < stack_count; s++)
		features += !is_wanted(wanted, s) ? 0 : feature_count(&stacks[s]);
	if (features >= SNAP_NONE)
		return false;
	while (index->buckets < features)
		index->buckets *= 2;
	index->start = calloc(index->buckets + 1, sizeof(*index->start));
	index->shared = calloc(stack_count + 1, sizeof(*index->shared));
	index->tally = malloc((stack_count + 1) * sizeof(*index->tally));
	return index->start && index->shared && index->tally && fill_postings(index, wanted);
}

void stack_index_release(struct stack_index *index)
{
	free(index->start);
	free(index->postings);
	free(index->shared);
	free(index->tally);
	*index = (struct stack_index){0};
}

static size_t posting_count(const struct stack_index *index, size_t bucket)
{
	return index->start[bucket + 1] - index->start[bucket];
}

static bool is_chosen(const struct feature *probes, size_t count, size_t bucket)
{
	for (size_t i = 0; i < count; i++)
		if (probes[i].bucket == bucket)
			return true; /* recursion */
	return false;
}

/* The rarest features that any indexed stack has. */
static size_t choose_probes(const struct stack_index *index, const struct indexed_stack *stack,
			    struct feature probes[MOST_PROBES], size_t most)
{
	size_t count = 0;

	for (size_t i = 0; i < feature_count(stack); i++) {
		struct feature feature = feature_at(index, stack, i);
		size_t size = posting_count(index, feature.bucket), at = count;

		if (size == 0 || size > LONGEST_POSTING || is_chosen(probes, count, feature.bucket))
			continue;
		while (at > 0 && posting_count(index, probes[at - 1].bucket) > size)
			at--;
		if (at == most)
			continue;
		if (count < most)
			count++;
		memmove(probes + at + 1, probes + at, (count - at - 1) * sizeof(*probes));
		probes[at] = feature;
	}
	return count;
}

static bool is_likelier(const struct stack_tally *a, const struct stack_tally *b)
{
	return a->shared != b->shared ? a->shared > b->shared : a->stack < b->stack;
}

/* Move the `most` likeliest of all tallies to the front, in order. */
static size_t keep_likeliest(struct stack_tally *tally, size_t count, size_t most)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		struct stack_tally one = tally[i];
		size_t at = kept;

		if (kept == most && !is_likelier(&one, &tally[kept - 1]))
			continue;
		if (kept == most)
			at--;
		else
			kept++;
		for (; at > 0 && is_likelier(&one, &tally[at - 1]); at--)
			tally[at] = tally[at - 1];
		tally[at] = one;
	}
	return kept;
}

size_t stack_index_query(struct stack_index *index, const struct indexed_stack *stack, size_t most)
{
	const double something = 1e-9; /* a feature without weight also counts as shared */
	struct feature probes[MOST_PROBES];
	size_t probe_count =
		choose_probes(index, stack, probes, most < MOST_PROBES ? most : MOST_PROBES);
	size_t count = 0;

	for (size_t i = 0; i < probe_count; i++)
		for (uint32_t p = index->start[probes[i].bucket];
		     p < index->start[probes[i].bucket + 1]; p++) {
			uint32_t found = index->postings[p];

			if (index->shared[found] == 0)
				index->tally[count++].stack = found;
			index->shared[found] += probes[i].weight + something;
		}
	for (size_t i = 0; i < count; i++) {
		uint32_t found = index->tally[i].stack;

		/* The same number of shared features means more likeness in a shorter stack. */
		index->tally[i].shared = index->shared[found] /
					 (stack->weight + index->stacks[found].weight + something);
		index->shared[found] = 0;
	}
	return keep_likeliest(index->tally, count, most);
}
