/*
 * holders/dominators.h - which node alone keeps another node reachable.
 *
 * A node d dominates v if every way from the root to v passes d.  The immediate dominator is the
 * last such node on the way.  If d were freed, everything that d dominates would become
 * unreachable.
 */
#ifndef SNAP_RUNTIME_HOLDERS_DOMINATORS_H
#define SNAP_RUNTIME_HOLDERS_DOMINATORS_H

#include <stdbool.h>
#include <stdint.h>

#define SNAP__NOBODY UINT32_MAX

/** Node v has the edges to[first[v] .. first[v] + degree[v]). */
struct snap__digraph {
	uint32_t nodes;
	const uint32_t *first, *degree, *to;
};

/**
 * The immediate dominator of every node into `dominator`; SNAP__NOBODY for `root` and for what it
 * does not reach.  `order` gets the reachable nodes, each after its dominators, and `*reached`
 * their number.  Both have room for all nodes.  False if there is no memory for it.
 */
bool snap__dominators(const struct snap__digraph *graph, uint32_t root, uint32_t *dominator,
		      uint32_t *order, uint32_t *reached);

#endif
