/*
 * runtime/numbering.h - the ids that a snapshot gives to places in code and to call stacks.
 *
 * The tree of call stacks grows while a snapshot is written, and contains more than the file
 * should: leaves that mean a domain, and a node for each instruction of a Python line.  The file
 * has one location for a line, and one node for stacks that look the same.
 */
#ifndef SNAP_RUNTIME_NUMBERING_H
#define SNAP_RUNTIME_NUMBERING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct snap__python_lines_open;

struct snap__numbering {
	uint32_t stacks;       /* nodes of the tree that are numbered: ids below this */
	uint32_t nodes;        /* of the file */
	uint32_t *node_of;     /* node by stack id; NULL if the node is always the stack id minus
			          one */
	uint32_t *location_of; /* of a stack's newest frame, by stack id; NULL: by `slots` */
	uint64_t *places;      /* by location id: a pc, or for Python's code a line of it */
	uint32_t *slots;       /* hash of places: location id + 1 */
	size_t location_count, location_capacity;
	struct snap__python_lines_open *lines; /* only while it is built; NULL without Python */
	bool failed;                           /* memory ran out */
};

/** Number everything that is in the tree now.  `numbering` must be zeroed; always release it. */
void snap__numbering_make(struct snap__numbering *n);
void snap__numbering_release(struct snap__numbering *n);

/** The node of a stack in the file; SNAP_NONE for the empty one. */
uint32_t snap__numbering_node(const struct snap__numbering *n, uint32_t stack);

/** The location of a stack's newest frame. */
uint32_t snap__numbering_location(const struct snap__numbering *n, uint32_t stack);

/** Whether a stack's newest "frame" is a leaf that means a domain. */
bool snap__numbering_is_domain(uint32_t stack);

#endif
