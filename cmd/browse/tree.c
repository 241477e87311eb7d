/*
 * tree.c - functions below their callers, merged by name.
 */
#include "browse/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/fail.h"
#include "base/hash_table.h"

/* ---- building ---- */

struct building {
	struct browse_tree *tree;
	size_t capacity;
	struct hash_table children; /* by parent, function and module */
};

static bool same_child(const void *context, const void *wanted, uint32_t id)
{
	const struct browse_tree *tree = context;
	const struct browse_node *a = wanted, *b = &tree->nodes[id];
	const struct page_frame *x = &tree->stacks->frames[a->frame];
	const struct page_frame *y = &tree->stacks->frames[b->frame];

	return a->parent == b->parent && x->function == y->function && x->module == y->module &&
	       (x->function != 0 || (x->file == y->file && x->line == y->line));
}

static uint32_t child_of(struct building *building, uint32_t parent, uint32_t frame)
{
	struct browse_tree *tree = building->tree;
	const struct page_frame *from = &tree->stacks->frames[frame];
	struct browse_node node = {.parent = parent,
				   .first = SNAP_NONE,
				   .next = SNAP_NONE,
				   .frame = frame,
				   .level =
					   parent == SNAP_NONE ? 0 : tree->nodes[parent].level + 1};
	uint64_t hash = hash_fold(hash_fold(parent, from->function), from->module);
	uint32_t id = hash_table_find(&building->children, hash, same_child, tree, &node);

	if (id != SNAP_NONE)
		return id;
	if (!array_reserve(&tree->nodes, &building->capacity, tree->count, sizeof(*tree->nodes)) ||
	    !hash_table_add(&building->children, hash, (uint32_t)tree->count))
		return SNAP_NONE;
	tree->nodes[tree->count] = node;
	return (uint32_t)tree->count++;
}

/* Where each node of the stacks' tree lies in ours; NULL when memory is out. */
static uint32_t *place_nodes(struct building *building)
{
	const struct page_stacks *stacks = building->tree->stacks;
	uint32_t *place = malloc((stacks->node_count + 1) * sizeof(*place));
	uint32_t open[PAGE_DEPTH_MAX + 1];

	for (size_t i = 0; place && i < stacks->node_count; i++) {
		uint32_t depth = stacks->depth[i];

		place[i] =
			child_of(building, depth ? open[depth - 1] : SNAP_NONE, stacks->frame[i]);
		if (place[i] == SNAP_NONE) {
			free(place);
			return NULL;
		}
		open[depth] = place[i];
	}
	return place;
}

static void add_values(struct browse_tree *tree, const uint32_t *place, size_t figure)
{
	for (size_t leaf = 0; leaf < tree->stacks->leaf_count; leaf++) {
		for (uint32_t node = place[tree->stacks->leaf[leaf]]; node != SNAP_NONE;
		     node = tree->nodes[node].parent)
			for (size_t side = 0; side < PAGE_SIDES; side++)
				tree->nodes[node].sides[side] +=
					tree->stacks->values[leaf][side][figure];
	}
}

/* ---- order ---- */

struct ordering {
	const struct browse_tree *tree;
	enum browse_order order;
};

static uint64_t weight(const struct browse_node *node, enum browse_order order)
{
	uint64_t a = node->sides[0], b = node->sides[1];

	if (order == BROWSE_BY_SIZE)
		return a > b ? a : b;
	return a > b ? a - b : b - a;
}

static int compare_nodes(const void *left, const void *right, void *user)
{
	const struct ordering *ordering = user;
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
	const struct browse_node *x = &ordering->tree->nodes[a], *y = &ordering->tree->nodes[b];
	uint64_t p = weight(x, ordering->order), q = weight(y, ordering->order);

	if (x->level != y->level)
		return x->level < y->level ? -1 : 1;
	if (p != q)
		return p > q ? -1 : 1;
	return (a > b) - (a < b);
}

/* Link the children of every node in order: nodes are put in front, the last first. */
static bool link_children(struct browse_tree *tree, enum browse_order order)
{
	struct ordering ordering = {tree, order};
	uint32_t *all = malloc((tree->count + 1) * sizeof(*all));

	if (!all)
		return false;
	for (uint32_t i = 0; i < tree->count; i++)
		all[i] = i;
	qsort_r(all, tree->count, sizeof(*all), compare_nodes, &ordering);
	tree->first = SNAP_NONE;
	for (size_t i = tree->count; i > 0; i--) {
		struct browse_node *node = &tree->nodes[all[i - 1]];
		uint32_t *head =
			node->parent == SNAP_NONE ? &tree->first : &tree->nodes[node->parent].first;

		node->next = *head;
		*head = all[i - 1];
	}
	free(all);
	return true;
}

/* ---- what is shown ---- */

/* The node after `node` when everything that is open is listed; `all`: as if all were open. */
static uint32_t following(const struct browse_tree *tree, uint32_t node, bool all)
{
	if ((all || tree->nodes[node].open) && tree->nodes[node].first != SNAP_NONE)
		return tree->nodes[node].first;
	while (node != SNAP_NONE && tree->nodes[node].next == SNAP_NONE)
		node = tree->nodes[node].parent;
	return node == SNAP_NONE ? SNAP_NONE : tree->nodes[node].next;
}

static void list_shown(struct browse_tree *tree)
{
	tree->shown_count = 0;
	for (uint32_t node = tree->first; node != SNAP_NONE; node = following(tree, node, false))
		tree->shown[tree->shown_count++] = node;
}

/* From the outside in, as long as one child holds nine tenths of what its parent does. */
static void open_first_way(struct browse_tree *tree, enum browse_order order)
{
	uint32_t node = tree->first;

	while (node != SNAP_NONE) {
		uint32_t child = tree->nodes[node].first;

		tree->nodes[node].open = true;
		if (child == SNAP_NONE ||
		    weight(&tree->nodes[child], order) < weight(&tree->nodes[node], order) / 10 * 9)
			break;
		node = child;
	}
}

enum snap_status browse_tree_make(struct browse_tree *out, const struct page_stacks *stacks,
				  size_t figure, enum browse_order order, struct snap_error *err)
{
	struct building building = {.tree = out};
	uint32_t *place;
	bool fine;

	*out = (struct browse_tree){.stacks = stacks, .first = SNAP_NONE};
	place = place_nodes(&building);
	hash_table_release(&building.children);
	out->shown = malloc((out->count + 1) * sizeof(*out->shown));
	fine = place && out->shown;
	if (fine) {
		add_values(out, place, figure);
		fine = link_children(out, order);
	}
	free(place);
	if (!fine)
		return fail_memory(err, "building the tree of call stacks");
	open_first_way(out, order);
	list_shown(out);
	return SNAP_OK;
}

void browse_tree_release(struct browse_tree *tree)
{
	free(tree->nodes);
	free(tree->shown);
	*tree = (struct browse_tree){0};
}

void browse_tree_set_open(struct browse_tree *tree, size_t position, bool open)
{
	if (position >= tree->shown_count)
		return;
	tree->nodes[tree->shown[position]].open = open;
	list_shown(tree);
}

size_t browse_tree_show(struct browse_tree *tree, uint32_t node)
{
	for (uint32_t up = tree->nodes[node].parent; up != SNAP_NONE; up = tree->nodes[up].parent)
		tree->nodes[up].open = true;
	list_shown(tree);
	for (size_t i = 0; i < tree->shown_count; i++)
		if (tree->shown[i] == node)
			return i;
	return 0;
}

const char *browse_tree_name(const struct browse_tree *tree, uint32_t node)
{
	const struct page_frame *frame = &tree->stacks->frames[tree->nodes[node].frame];
	const char *name = page_stacks_text(tree->stacks, frame->function);

	if (!*name)
		name = page_stacks_text(tree->stacks, frame->module);
	return *name ? name : "?";
}

uint32_t browse_tree_search(const struct browse_tree *tree, uint32_t from,
			    const struct browse_pattern *pattern, bool back)
{
	uint32_t found = SNAP_NONE;
	bool passed = from == SNAP_NONE;

	for (uint32_t node = tree->first; node != SNAP_NONE; node = following(tree, node, true)) {
		bool is_match = browse_pattern_matches(pattern, browse_tree_name(tree, node));

		if (node == from && back)
			return found;
		if (is_match && (back || passed) && node != from) {
			found = node;
			if (!back)
				return found;
		}
		passed = passed || node == from;
	}
	return back && from == SNAP_NONE ? found : SNAP_NONE;
}
