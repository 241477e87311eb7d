/*
 * holders/dominators.c - the semi-NCA algorithm: L. Georgiadis, "Linear-Time Algorithms for
 * Dominators and Related Problems", Princeton 2005, section 2.4.
 *
 * Nodes are numbered from 1 as a depth-first search meets them.  A node's semidominator is the
 * smallest number from which a way leads to it whose inner nodes have larger numbers than it; the
 * immediate dominator is the nearest common ancestor of that and of the parent in the search tree.
 * No recursion: chains of millions of blocks are ordinary.
 */
#include "runtime/holders/dominators.h"

#include <stddef.h>

#include "runtime/arena.h"

/* All arrays but `number` are indexed by number. */
struct search {
	const struct snap__digraph *graph;
	uint32_t *number; /* by node; 0: not met */
	uint32_t *vertex;
	uint32_t *parent;   /* in the search tree; later, compressed */
	uint32_t *ancestor; /* in the forest of nodes that are done */
	uint32_t *semi;
	uint32_t *label; /* node of the smallest semidominator on the way up the forest */
	uint32_t *dominator;
	uint32_t *stack;
	uint32_t *first_before, *before; /* who has an edge to a node */
	uint32_t count;
	size_t edges;
};

static size_t bytes_of(size_t count)
{
	return (count + 2) * sizeof(uint32_t);
}

static void meet(struct search *s, uint32_t node, uint32_t parent)
{
	s->vertex[++s->count] = node;
	s->number[node] = s->count;
	s->parent[s->count] = parent;
}

/* `next` (by number): which edge of the node comes next. */
static void search_from(struct search *s, uint32_t root, uint32_t *next)
{
	const struct snap__digraph *g = s->graph;
	uint32_t depth = 0;

	meet(s, root, 0);
	s->stack[depth++] = 1;
	while (depth > 0) {
		uint32_t at = s->stack[depth - 1], node = s->vertex[at], target;

		if (next[at] == g->degree[node]) {
			depth--;
			continue;
		}
		target = g->to[g->first[node] + next[at]++];
		if (s->number[target])
			continue;
		meet(s, target, at);
		s->stack[depth++] = s->count;
	}
}

/* Sort the edges by whom they lead to. */
static bool reverse_edges(struct search *s)
{
	const struct snap__digraph *g = s->graph;
	uint32_t *fill = s->stack;

	for (uint32_t i = 1; i <= s->count; i++)
		for (uint32_t k = 0; k < g->degree[s->vertex[i]]; k++, s->edges++)
			s->first_before[s->number[g->to[g->first[s->vertex[i]] + k]] + 1]++;
	s->before = snap__map(bytes_of(s->edges));
	if (!s->before)
		return false;
	for (uint32_t i = 1; i <= s->count + 1; i++)
		s->first_before[i] += s->first_before[i - 1];
	for (uint32_t i = 0; i <= s->count + 1; i++)
		fill[i] = s->first_before[i];
	for (uint32_t i = 1; i <= s->count; i++)
		for (uint32_t k = 0; k < g->degree[s->vertex[i]]; k++)
			s->before[fill[s->number[g->to[g->first[s->vertex[i]] + k]]]++] = i;
	return true;
}

/* The node with the smallest semidominator on the way from `v` up to, but without, numbers below
   `last`; the way is shortened for the next time. */
static uint32_t evaluate(struct search *s, uint32_t v, uint32_t last)
{
	uint32_t depth = 0, above, best;

	if (s->ancestor[v] < last)
		return s->label[v];
	do {
		s->stack[depth++] = v;
		v = s->ancestor[v];
	} while (s->ancestor[v] >= last);
	above = v;
	best = s->label[above];
	do {
		v = s->stack[--depth];
		s->ancestor[v] = s->ancestor[above];
		if (s->semi[best] < s->semi[s->label[v]])
			s->label[v] = best;
		else
			best = s->label[v];
		above = v;
	} while (depth > 0);
	return s->label[v];
}

static void find_dominators(struct search *s)
{
	for (uint32_t i = 1; i <= s->count; i++) {
		s->dominator[i] = s->ancestor[i] = s->parent[i];
		s->semi[i] = s->label[i] = i;
	}
	for (uint32_t i = s->count; i >= 2; i--) {
		s->semi[i] = s->parent[i];
		for (uint32_t k = s->first_before[i]; k < s->first_before[i + 1]; k++) {
			uint32_t semi = s->semi[evaluate(s, s->before[k], i + 1)];

			if (semi < s->semi[i])
				s->semi[i] = semi;
		}
	}
	for (uint32_t i = 2; i <= s->count; i++)
		while (s->dominator[i] > s->semi[i])
			s->dominator[i] = s->dominator[s->dominator[i]];
}

static void hand_over(const struct search *s, uint32_t *dominator, uint32_t *order)
{
	for (uint32_t v = 0; v < s->graph->nodes; v++)
		dominator[v] = SNAP__NOBODY;
	for (uint32_t i = 1; i <= s->count; i++) {
		order[i - 1] = s->vertex[i];
		if (i > 1)
			dominator[s->vertex[i]] = s->vertex[s->dominator[i]];
	}
}

static bool run(struct search *s, uint32_t root)
{
	/* The search is over before these are needed. */
	search_from(s, root, s->semi);
	if (!reverse_edges(s))
		return false;
	find_dominators(s);
	snap__unmap(s->before, bytes_of(s->edges));
	return true;
}

bool snap__dominators(const struct snap__digraph *graph, uint32_t root, uint32_t *dominator,
		      uint32_t *order, uint32_t *reached)
{
	struct search s = {.graph = graph};
	uint32_t **const arrays[] = {&s.number, &s.vertex, &s.parent,    &s.ancestor,    &s.semi,
				     &s.label,  &s.stack,  &s.dominator, &s.first_before};
	const size_t count = sizeof(arrays) / sizeof(*arrays);
	bool done = true;

	for (size_t i = 0; i < count; i++) {
		*arrays[i] = snap__map(bytes_of(graph->nodes));
		done = done && *arrays[i];
	}
	done = done && run(&s, root);
	if (done) {
		hand_over(&s, dominator, order);
		*reached = s.count;
	}
	for (size_t i = 0; i < count; i++)
		snap__unmap(*arrays[i], bytes_of(graph->nodes));
	return done;
}
