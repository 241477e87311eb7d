/* test_dominators.c - dominators of random graphs, held against their definition. */
/* links: snapruntime */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "runtime/holders/dominators.h"

enum { NODES_MAX = 60, EDGES_MAX = 400 };

struct random_graph {
	uint32_t nodes;
	uint32_t first[NODES_MAX], degree[NODES_MAX], to[EDGES_MAX];
};

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static void make_graph(struct random_graph *g, uint32_t seed)
{
	uint32_t state = seed * 2654435761u + 1, at = 0, density;

	g->nodes = 1 + next_random(&state) % NODES_MAX;
	density = next_random(&state) % 6;
	for (uint32_t v = 0; v < g->nodes; v++) {
		g->first[v] = at;
		g->degree[v] = density ? next_random(&state) % (density + 1) : 0;
		for (uint32_t i = 0; i < g->degree[v]; i++)
			g->to[at++] = next_random(&state) % g->nodes;
	}
}

/* What is reached from `root` without passing `without` (NODES_MAX: with everything). */
static void reach(const struct random_graph *g, uint32_t root, uint32_t without, bool *met)
{
	uint32_t stack[NODES_MAX], depth = 0;

	memset(met, 0, NODES_MAX * sizeof(*met));
	if (root == without)
		return;
	met[root] = true;
	stack[depth++] = root;
	while (depth > 0) {
		uint32_t v = stack[--depth];

		for (uint32_t i = 0; i < g->degree[v]; i++) {
			uint32_t target = g->to[g->first[v] + i];

			if (!met[target] && target != without) {
				met[target] = true;
				stack[depth++] = target;
			}
		}
	}
}

/* dominates[d][v]: every way from the root to v passes d. */
static void define_dominators(const struct random_graph *g, uint32_t root,
			      bool dominates[NODES_MAX][NODES_MAX], bool *reached)
{
	reach(g, root, NODES_MAX, reached);
	for (uint32_t d = 0; d < g->nodes; d++) {
		bool met[NODES_MAX];

		reach(g, root, d, met);
		for (uint32_t v = 0; v < g->nodes; v++)
			dominates[d][v] = reached[d] && reached[v] && (d == v || !met[v]);
	}
}

/* Of those that dominate v and are not v: the one that all the others dominate. */
static uint32_t immediate(const struct random_graph *g, bool dominates[NODES_MAX][NODES_MAX],
			  uint32_t v)
{
	for (uint32_t d = 0; d < g->nodes; d++) {
		bool is_last = d != v && dominates[d][v];

		for (uint32_t other = 0; other < g->nodes && is_last; other++)
			if (other != v && dominates[other][v] && !dominates[other][d])
				is_last = false;
		if (is_last)
			return d;
	}
	return SNAP__NOBODY;
}

static void check_graph(uint32_t seed)
{
	static bool dominates[NODES_MAX][NODES_MAX];
	struct random_graph g;
	uint32_t dominator[NODES_MAX + 2], order[NODES_MAX], count, met = 0, place[NODES_MAX];
	uint32_t *scratch =
		calloc(snap__dominators_scratch(NODES_MAX, EDGES_MAX), sizeof(*scratch));
	bool reached[NODES_MAX];

	make_graph(&g, seed);
	define_dominators(&g, 0, dominates, reached);
	count = snap__dominators(&(struct snap__digraph){g.nodes, g.first, g.degree, g.to}, 0,
				 scratch, dominator, order);
	free(scratch);
	for (uint32_t v = 0; v < g.nodes; v++) {
		met += reached[v];
		cr_expect_eq(dominator[v],
			     reached[v] && v != 0 ? immediate(&g, dominates, v) : SNAP__NOBODY,
			     "graph %u, node %u", seed, v);
	}
	cr_expect_eq(count, met, "graph %u", seed);
	for (uint32_t i = 0; i < count; i++)
		place[order[i]] = i;
	for (uint32_t i = 1; i < count; i++)
		cr_expect_lt(place[dominator[order[i]]], i, "graph %u: dominators come first",
			     seed);
}

Test(dominators, of_500_random_graphs_are_those_of_the_definition)
{
	for (uint32_t seed = 0; seed < 500; seed++)
		check_graph(seed);
}

Test(dominators, of_a_chain_of_a_million_nodes_need_no_deep_stack)
{
	const uint32_t nodes = 1000000;
	uint32_t *all = malloc((5 * (size_t)nodes + 2) * sizeof(*all)), reached;
	uint32_t *scratch = calloc(snap__dominators_scratch(nodes, nodes), sizeof(*scratch));
	uint32_t *first = all, *degree = all + nodes, *to = all + 2 * (size_t)nodes;
	uint32_t *order = all + 3 * (size_t)nodes, *dominator = all + 4 * (size_t)nodes;

	for (uint32_t v = 0; v < nodes; v++) {
		first[v] = v;
		degree[v] = v + 1 < nodes;
		to[v] = v + 1;
	}
	reached = snap__dominators(&(struct snap__digraph){nodes, first, degree, to}, 0, scratch,
				   dominator, order);
	cr_expect_eq(reached, nodes);
	for (uint32_t v = 1; v < nodes; v++)
		cr_assert_eq(dominator[v], v - 1);
	free(scratch);
	free(all);
}
