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

/* An edge that is not in the search tree: the search had already met its node. */
struct extra {
	uint32_t from, next; /* next: another one to the same node, plus 1 */
};

/* All arrays but `number` are indexed by number, from 1; `order` by number - 1.  Two arrays that
   share memory are never in use at the same time. */
struct search {
	const struct snap__digraph *graph;
	uint32_t *number; /* by node; 0: not met */
	uint32_t *label;  /* there: of the smallest semidominator on the way up the forest */
	uint32_t *order;  /* the nodes; the caller's */
	uint32_t *parent; /* in the search tree; later in the forest, shortened */
	uint32_t *semi;
	uint32_t *next; /* there, before: which edge of a node comes next */
	uint32_t *dominator;
	uint32_t *way;         /* there, before: the visited nodes that have unvisited edges */
	uint32_t *stack;       /* written as far as ways are long that are shortened */
	uint32_t *first_extra; /* to a node, plus 1; the caller's */
	struct extra *extras;
	uint32_t count, extra_count;
};

_Static_assert(sizeof(struct extra) == SNAP__EXTRA_WORDS * sizeof(uint32_t), "its words");

enum { ARRAYS = 5 }; /* of the scratch memory, besides `extras` */

static size_t room_of(size_t nodes)
{
	return (nodes + 3) & ~(size_t)1; /* even: what follows is aligned */
}

size_t snap__dominators_scratch(size_t nodes, size_t edges)
{
	return ARRAYS * room_of(nodes) + edges * SNAP__EXTRA_WORDS;
}

static void meet(struct search *s, uint32_t node, uint32_t parent)
{
	s->order[s->count] = node;
	s->number[node] = ++s->count;
	s->parent[s->count] = parent;
	s->first_extra[s->count] = 0;
}

static void note_extra(struct search *s, uint32_t from, uint32_t to)
{
	s->extras[s->extra_count] = (struct extra){from, s->first_extra[to]};
	s->first_extra[to] = ++s->extra_count;
}

static void search_from(struct search *s, uint32_t root)
{
	const struct snap__digraph *g = s->graph;
	uint32_t depth = 0;

	meet(s, root, 0);
	s->way[depth++] = 1;
	while (depth > 0) {
		uint32_t at = s->way[--depth], node = s->order[at - 1], i = s->next[at];
		const uint32_t *to = g->to + g->first[node], degree = g->degree[node];

		for (; i < degree && s->number[to[i]]; i++)
			note_extra(s, at, s->number[to[i]]);
		if (i == degree)
			continue;
		s->next[at] = i + 1;
		depth += i + 1 < degree; /* it stays there */
		meet(s, to[i], at);
		s->way[depth++] = s->count;
	}
}

/* The node with the smallest semidominator on the way from `v` upwards, as far as numbers are not
   below `last`; the way is shortened for the next search. */
static uint32_t evaluate(struct search *s, uint32_t v, uint32_t last)
{
	uint32_t depth = 0, above, best;

	if (s->parent[v] < last)
		return s->label[v];
	do {
		s->stack[depth++] = v;
		v = s->parent[v];
	} while (s->parent[v] >= last);
	above = v;
	best = s->label[above];
	do {
		v = s->stack[--depth];
		s->parent[v] = s->parent[above];
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
		s->dominator[i] = s->parent[i];
		s->semi[i] = s->label[i] = i;
	}
	for (uint32_t i = s->count; i >= 2; i--) {
		s->semi[i] = s->dominator[i];
		for (uint32_t e = s->first_extra[i]; e; e = s->extras[e - 1].next) {
			uint32_t semi = s->semi[evaluate(s, s->extras[e - 1].from, i + 1)];

			if (semi < s->semi[i])
				s->semi[i] = semi;
		}
	}
	for (uint32_t i = 2; i <= s->count; i++)
		while (s->dominator[i] > s->semi[i])
			s->dominator[i] = s->dominator[s->dominator[i]];
}

static void hand_over(const struct search *s, uint32_t *dominator)
{
	for (uint32_t v = 0; v < s->graph->nodes; v++)
		dominator[v] = SNAP__NOBODY;
	for (uint32_t i = 2; i <= s->count; i++)
		dominator[s->order[i - 1]] = s->order[s->dominator[i] - 1];
}

uint32_t snap__dominators(const struct snap__digraph *graph, uint32_t root, uint32_t *scratch,
			  uint32_t *dominator, uint32_t *order)
{
	size_t room = room_of(graph->nodes);
	struct search s = {
		.graph = graph,
		.order = order,
		.number = scratch,
		.label = scratch,
		.parent = scratch + room,
		.semi = scratch + 2 * room,
		.next = scratch + 2 * room,
		.dominator = scratch + 3 * room,
		.way = scratch + 3 * room,
		.stack = scratch + 4 * room,
		.extras = (struct extra *)(void *)(scratch + ARRAYS * room),
		.first_extra = dominator,
	};

	search_from(&s, root);
	find_dominators(&s);
	hand_over(&s, dominator);
	return s.count;
}
