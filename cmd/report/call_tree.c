/*
 * call_tree.c - print stacks as a tree, so that shared callers appear once.
 */
#include "report/call_tree.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/select.h"
#include "base/array.h"
#include "report/sites.h"

enum {
	MOST_PATHS = 100, /* longer trees are not readable */
	INDENT = 2,
	LONG_CHAIN = 5, /* of a longer chain only the ends are shown */
	CHAIN_END = 2,
};

static const uint32_t none = UINT32_MAX;

struct tree_node {
	const char *text;                   /* the frame's key, owned by the report */
	const char *words;                  /* the frame's text, owned by the report */
	int64_t delta;                      /* sum over all paths through it */
	uint32_t parent, first_child, next; /* next: sibling */
};

struct call_tree {
	struct report *report;
	bool whole;              /* nothing is left out or shortened */
	struct tree_node *nodes; /* node 0 is the root and no frame */
	size_t count, capacity;
};

static uint32_t add_node(struct call_tree *tree, uint32_t parent, const char *text,
			 const char *words)
{
	struct tree_node node = {.parent = parent, .first_child = none, .next = none};
	uint32_t id = (uint32_t)tree->count;

	if (!array_reserve(&tree->nodes, &tree->capacity, tree->count, sizeof(node)))
		return none;
	node.text = report_text(tree->report, "%s", text);
	node.words = report_text(tree->report, "%s", words);
	if (id > 0) {
		node.next = tree->nodes[parent].first_child;
		tree->nodes[parent].first_child = id;
	}
	tree->nodes[tree->count++] = node;
	return id;
}

static uint32_t child_of(struct call_tree *tree, uint32_t parent, const struct dataset *dataset,
			 const struct dataset_frame *frame)
{
	char text[512];

	select_frame_text(dataset, frame, text, sizeof(text));
	for (uint32_t id = tree->nodes[parent].first_child; id != none; id = tree->nodes[id].next)
		if (strcmp(tree->nodes[id].text, text) == 0)
			return id;
	return add_node(tree, parent, text,
			tree->whole ? text : sites_short_frame(tree->report, dataset, frame));
}

static bool add_path(struct call_tree *tree, const struct dataset *dataset,
		     const struct call_path *path)
{
	const struct dataset_site *site = &dataset->sites[path->site];
	uint32_t node = 0;

	tree->nodes[0].delta += path->delta;
	for (uint32_t i = site->depth; i-- > site->asked;) {
		const struct dataset_frame *frame = dataset_frame_at(dataset, path->site, i);

		if (!tree->whole && sites_is_start_up(dataset_text(dataset, frame->function)))
			continue;
		node = child_of(tree, node, dataset, frame);
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

static size_t chain_length(const struct call_tree *tree, uint32_t id)
{
	size_t length = 1;

	for (; has_one_child(tree, id); id = tree->nodes[id].first_child)
		length++;
	return length;
}

/* The line of `id`, together with the callees that it alone leads to; returns the last of them. */
static uint32_t print_chain(struct call_tree *tree, uint32_t id, unsigned depth)
{
	const char *text = tree->nodes[id].words;
	int64_t delta = tree->nodes[id].delta;
	size_t length = chain_length(tree, id);
	char bytes[32];

	for (size_t i = 1; i < length; i++) {
		id = tree->nodes[id].first_child;
		if (tree->whole || length <= LONG_CHAIN || i < CHAIN_END || i >= length - CHAIN_END)
			text = report_text(tree->report, "%s > %s", text, tree->nodes[id].words);
		else if (i == CHAIN_END)
			text = report_text(tree->report, "%s > (%zu more)", text,
					   length - 2 * CHAIN_END);
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
		    const struct call_path *paths, size_t count, bool whole)
{
	struct call_tree tree = {.report = report, .whole = whole};
	size_t shown = count < MOST_PATHS ? count : MOST_PATHS;
	bool ok = add_node(&tree, 0, "", "") != none;

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
