/*
 * browse/tree.h - call stacks as a tree that opens and closes, callers first.
 */
#ifndef BROWSE_TREE_H
#define BROWSE_TREE_H

#include "browse/pattern.h"
#include "report/page_stacks.h"

struct browse_node {
	uint32_t parent;      /* SNAP_NONE for the outermost */
	uint32_t first, next; /* child and sibling in order; SNAP_NONE: none */
	uint32_t frame;       /* of the stacks */
	uint32_t level;
	uint64_t sides[PAGE_SIDES]; /* with all that is below */
	bool open;
};

struct browse_tree {
	const struct page_stacks *stacks;
	struct browse_node *nodes;
	size_t count;
	uint32_t first;  /* the first of the outermost */
	uint32_t *shown; /* nodes whose ancestors are all open, from top to bottom */
	size_t shown_count;
};

/** How siblings are ordered. */
enum browse_order { BROWSE_BY_CHANGE, BROWSE_BY_SIZE };

/**
 * Build the tree for one figure (see page_figure_names); functions are merged by name and module.
 * The heaviest path is open at first, down to where no single child holds nearly all.  Release with
 * browse_tree_release(), also after a failure.  SNAP_ENOMEM.
 */
enum snap_status browse_tree_make(struct browse_tree *out, const struct page_stacks *stacks,
				  size_t figure, enum browse_order order, struct snap_error *err);
void browse_tree_release(struct browse_tree *tree);

/** Open or close the node at a position of `shown`, and list anew. */
void browse_tree_set_open(struct browse_tree *tree, size_t position, bool open);

/** The position of `node` in `shown`, its ancestors opened. */
size_t browse_tree_show(struct browse_tree *tree, uint32_t node);

/** The function (or module, or "?") of a node; text of the stacks. */
const char *browse_tree_name(const struct browse_tree *tree, uint32_t node);

/**
 * The next node after `from` (before it when `back`), in the order in which they are listed when
 * everything is open, whose name `pattern` matches; SNAP_NONE: there is none.  `from` SNAP_NONE
 * begins at the start (the end).
 */
uint32_t browse_tree_search(const struct browse_tree *tree, uint32_t from,
			    const struct browse_pattern *pattern, bool back);

#endif
