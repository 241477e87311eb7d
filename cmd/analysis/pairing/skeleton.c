/*
 * skeleton.c - keys of skeletons, sorted.
 */
#include "analysis/pairing/skeleton.h"

#include <stdlib.h>

#include "base/search.h"

/* 0 if the functions that both snapshots know of the stack are in every stack. */
static uint64_t key_of(const struct tokens *tokens, const struct indexed_stack *stack)
{
	uint64_t key = 1;
	double weight = 0;

	for (uint32_t i = 0; i < stack->depth; i++) {
		uint32_t token = stack->tokens[i];

		if (token_is_one_sided(tokens, token))
			continue;
		key = hash_fold(key, token);
		weight += tokens->items[token].weight;
	}
	return weight > 0 ? key : 0;
}

bool skeletons_build(struct skeletons *skeletons, const struct tokens *tokens,
		     const struct indexed_stack *stacks, size_t stack_count)
{
	*skeletons = (struct skeletons){
		.tokens = tokens, .items = malloc((stack_count + 1) * sizeof(*skeletons->items))};
	if (!skeletons->items)
		return false;
	for (uint32_t i = 0; i < stack_count; i++)
		skeletons->items[skeletons->count++] =
			(struct keyed_row){key_of(tokens, &stacks[i]), i};
	return keyed_sort(skeletons->items, skeletons->count);
}

void skeletons_release(struct skeletons *skeletons)
{
	free(skeletons->items);
	*skeletons = (struct skeletons){0};
}

size_t skeletons_find(const struct skeletons *skeletons, const struct indexed_stack *stack,
		      const struct keyed_row **first)
{
	uint64_t key = key_of(skeletons->tokens, stack);
	size_t from, end;

	SEARCH(from, 0, skeletons->count, skeletons->items[from].key < key);
	end = from;
	*first = skeletons->items + from;
	while (key && end < skeletons->count && skeletons->items[end].key == key)
		end++;
	return end - from;
}
