/*
 * holders/dominators.h - which node alone keeps another node reachable.
 *
 * A node d dominates v if every way from the root to v passes d.  The immediate dominator is the
 * last such node on the way.  If d were freed, everything that d dominates would become
 * unreachable.
 */
#ifndef SNAP_RUNTIME_HOLDERS_DOMINATORS_H
#define SNAP_RUNTIME_HOLDERS_DOMINATORS_H

#include <stddef.h>
#include <stdint.h>

#define SNAP__NOBODY UINT32_MAX

/** Node v has the edges to[first[v] .. first[v] + degree[v]). */
struct snap__digraph {
	uint32_t nodes;
	const uint32_t *first, *degree, *to;
};

/** Words for each edge beside the search tree, at the end of the scratch memory. */
#define SNAP__EXTRA_WORDS 2u

/** How many words of scratch memory a graph with so many edges needs. */
size_t snap__dominators_scratch(size_t nodes, size_t edges);

/**
 * Write the immediate dominator of every node to `dominator`, which has room for all nodes and two
 * more; SNAP__NOBODY for `root` and for nodes that it does not reach.  `order` has room for all
 * nodes, and gets those that `root` reaches, each after its dominator.  `scratch` is zeroed memory
 * of the size above, and is not zeroed afterwards.  Returns how many nodes `root` reaches.
 */
uint32_t snap__dominators(const struct snap__digraph *graph, uint32_t root, uint32_t *scratch,
			  uint32_t *dominator, uint32_t *order);

#endif
