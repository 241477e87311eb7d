/*
 * call_tree.c - stacks that share their callers, told once.
 */
#include "report/call_tree.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/select.h"
#include "report/sites.h"

enum {
	MOST_PATHS = 100, /* a longer tree is not read */
	INDENT = 2,
};

static const uint32_t none = UINT32_MAX;

struct tree_node {
	const char *text;                   /* the frame in words; the report's */
	int64_t delta;                      /* sum over all paths through it */
	uint32_t parent, first_child, next; /* next: sibling */
};

struct call_tree {
	struct report *report;
	struct tree_node *nodes; /* node 0 is the root and no frame */
	size_t count, capacity;
};

static uint32_t add_node(struct call_tree *tree, uint32_t parent, const char *text)
{
	struct tree_node node = {.parent = parent, .first_child = none, .next = none};
	uint32_t id = (uint32_t)tree->count;

	if (!array_reserve(&tree->nodes, &tree->capacity, tree->count, sizeof(node)))
		return none;
	node.text = report_text(tree->report, "%s", text);
	if (id > 0) {
		node.next = tree->nodes[parent].first_child;
		tree->nodes[parent].first_child = id;
	}
	tree->nodes[tree->count++] = node;
	return id;
}

static uint32_t child_of(struct call_tree *tree, uint32_t parent, const char *text)
{
	for (uint32_t id = tree->nodes[parent].first_child; id != none; id = tree->nodes[id].next)
		if (strcmp(tree->nodes[id].text, text) == 0)
			return id;
	return add_node(tree, parent, text);
}

static bool add_path(struct call_tree *tree, const struct dataset *dataset,
		     const struct call_path *path)
{
	const struct dataset_site *site = &dataset->sites[path->site];
	uint32_t node = 0;

	tree->nodes[0].delta += path->delta;
	for (uint32_t i = site->depth; i-- > site->identity.named;) {
		char text[512];

		select_frame_text(dataset, dataset_frame_at(dataset, path->site, i), text,
				  sizeof(text));
		node = child_of(tree, node, text);
		if (node == none)
			return false;
		tree->nodes[node].delta += path->delta;
	}
	return true;
}

static int64_t magnitude(int64_t delta)
{
	return delta < 0 ? -delta : delta;
}

/* Before which sibling does the larger change come: insertion sort of a short list. */
static void sort_children(struct call_tree *tree, uint32_t parent)
{
	uint32_t rest = tree->nodes[parent].first_child, sorted = none;

	while (rest != none) {
		uint32_t id = rest, *at = &sorted;

		rest = tree->nodes[id].next;
		while (*at != none &&
		       magnitude(tree->nodes[*at].delta) >= magnitude(tree->nodes[id].delta))
			at = &tree->nodes[*at].next;
		tree->nodes[id].next = *at;
		*at = id;
	}
	tree->nodes[parent].first_child = sorted;
}

static bool has_one_child(const struct call_tree *tree, uint32_t id)
{
	uint32_t child = tree->nodes[id].first_child;

	return child != none && tree->nodes[child].next == none;
}

/* The line of `id`, together with the callees that it alone leads to; returns the last of them. */
static uint32_t print_chain(struct call_tree *tree, uint32_t id, unsigned depth)
{
	const char *text = tree->nodes[id].text;
	int64_t delta = tree->nodes[id].delta;
	char bytes[32];

	while (has_one_child(tree, id)) {
		id = tree->nodes[id].first_child;
		text = report_text(tree->report, "%s > %s", text, tree->nodes[id].text);
	}
	report_note(tree->report, "%12s  %*s%s", sites_delta(delta, bytes), (int)(depth * INDENT),
		    "", text);
	return id;
}

/* Depth first, without recursion: stacks may be deep. */
static void print_tree(struct call_tree *tree)
{
	uint32_t id;
	unsigned depth = 0;

	for (uint32_t i = 0; i < tree->count; i++)
		sort_children(tree, i);
	id = tree->nodes[0].first_child;
	while (id != none) {
		uint32_t last = print_chain(tree, id, depth);

		if (tree->nodes[last].first_child != none) {
			id = tree->nodes[last].first_child;
			depth++;
			continue;
		}
		id = last;
		while (id != 0 && tree->nodes[id].next == none) {
			id = tree->nodes[id].parent;
			if (id == 0 || !has_one_child(tree, id))
				depth -= depth > 0;
		}
		id = id ? tree->nodes[id].next : none;
	}
}

bool call_tree_note(struct report *report, const struct dataset *dataset,
		    const struct call_path *paths, size_t count)
{
	struct call_tree tree = {.report = report};
	size_t shown = count < MOST_PATHS ? count : MOST_PATHS;
	bool ok = add_node(&tree, 0, "") != none;

	for (size_t i = 0; ok && i < shown; i++)
		ok = add_path(&tree, dataset, &paths[i]);
	if (ok && shown) {
		report_note(report, "Changed call paths, callers first:");
		print_tree(&tree);
		if (shown < count)
			report_note(report, "(the largest %zu of %zu paths)", shown, count);
		report_note(report, "%s", "");
	}
	free(tree.nodes);
	return ok;
}
