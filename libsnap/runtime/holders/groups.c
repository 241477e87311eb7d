/*
 * holders/groups.c - blocks of one call stack are one group.
 *
 * Retained sizes are grouped as Eclipse MAT groups its dominator tree by class: a block counts for
 * its group unless another block of the group dominates it, so that lists and trees count once.
 */
#include "runtime/holders/groups.h"

#include "runtime/holders/dominators.h"
#include "runtime/holders/graph.h"
#include "runtime/stacks.h"
#include "runtime/text.h"
#include "snap/format.h"

#define MOST_LABELS 65536u
#define PAGE        4096u
#define NO_GROUP    UINT32_MAX
#define SCAN_LIMIT  ((uintptr_t)16 << 20) /* of a root, for where in it a pointer lies */

static struct snap__group_table {
	struct snap_group *rows;
	uint32_t count;
	uint32_t *of_stack; /* group by stack id */
	uint32_t *members;  /* blocks, sorted by group */
	uint32_t *first;    /* by group, into members */
	uint32_t *examples; /* blocks to which ways are shown, in the order of the search */
	uint32_t example_count;
	uint32_t *dominator; /* by node; NULL: not computed */
	uint64_t *retained;  /* by node */
	uint8_t *is_top;     /* by block: no other block of its group dominates it */
	uint32_t *scratch;   /* with dominators: used again and again */
	const char **labels;
	uint32_t label_count;
	uint32_t *label_of; /* by root */
} t;

static struct snap__graph *const g = &snap__graph;

/* Once groups are numbered, blocks have their group's number in place of their stack's. */
static uint32_t group_of(uint32_t block)
{
	return snap__blocks.stack[block];
}

/* ---- grouping -------------------------------------------------------------------------------- */

static void count_members(void)
{
	for (uint32_t b = 0; b < snap__blocks.count; b++) {
		uint32_t group = t.of_stack[snap__blocks.stack[b]];

		snap__blocks.stack[b] = group;
		t.rows[group].blocks++;
		t.rows[group].bytes += snap__blocks_size(b);
	}
}

static void number_groups(void)
{
	uint32_t stacks = snap__stacks_count();

	t.of_stack = snap__copy_need(((size_t)stacks + 1) * sizeof(*t.of_stack));
	for (uint32_t b = 0; b < snap__blocks.count; b++) {
		if (snap__blocks.stack[b] >= stacks) /* being inserted when we were copied */
			snap__blocks.stack[b] = 0;
		t.of_stack[snap__blocks.stack[b]] = 1;
	}
	for (uint32_t s = 0; s < stacks; s++)
		t.of_stack[s] = t.of_stack[s] ? t.count++ : NO_GROUP;
	t.rows = snap__copy_need(((size_t)t.count + 1) * sizeof(*t.rows));
	for (uint32_t s = 0; s < stacks; s++)
		if (t.of_stack[s] != NO_GROUP)
			t.rows[t.of_stack[s]].node = s; /* later: the number in the file */
	count_members();
	snap__copy_give_back(t.of_stack, ((size_t)stacks + 1) * sizeof(*t.of_stack));
}

static uint32_t *scratch_array(unsigned index);

/* With dominators, where sort_dominated() had an array. */
static void sort_members(void)
{
	size_t used = snap__blocks.count * sizeof(*t.members);
	uint32_t *fill;

	t.members = t.dominator ? scratch_array(1)
				: snap__copy_need_now(used + sizeof(*t.members), used);
	t.first = snap__copy_need(((size_t)t.count + 2) * sizeof(*t.first));
	fill = snap__copy_need(((size_t)t.count + 1) * sizeof(*fill));
	for (uint32_t i = 0; i < t.count; i++) {
		t.first[i + 1] = t.first[i] + (uint32_t)t.rows[i].blocks;
		fill[i] = t.first[i];
	}
	for (uint32_t b = 0; b < snap__blocks.count; b++)
		t.members[fill[group_of(b)]++] = b;
	snap__copy_give_back(fill, ((size_t)t.count + 1) * sizeof(*fill));
}

static void count_lost(void)
{
	for (uint32_t b = 0; b < snap__blocks.count && g->unreachable_blocks > 0; b++) {
		struct snap_group *row = &t.rows[group_of(b)];

		if (!snap__graph_is_lost(b))
			continue;
		row->ring_blocks += g->ring[b];
		if (g->reach[b] == SNAP__LEAKED_DIRECT) {
			row->direct_blocks++;
			row->direct_bytes += snap__blocks_size(b);
		} else {
			row->indirect_blocks++;
			row->indirect_bytes += snap__blocks_size(b);
		}
	}
}

/* For each group, the block that was reached first, and the first block that is an indirect
 * leak. */
static void choose_examples(void)
{
	uint8_t *has = snap__copy_need((size_t)t.count + 1);

	t.examples = snap__copy_need((2 * (size_t)t.count + 1) * sizeof(*t.examples));
	for (uint32_t i = 0; i < g->ordered; i++) {
		uint32_t v = g->order[i];
		uint8_t kind;

		if (v >= snap__blocks.count)
			continue;
		kind = snap__graph_is_lost(v) ? 2 : 1;
		if ((kind == 2 && g->parent[v] - 1 >= snap__blocks.count) ||
		    (has[group_of(v)] & kind))
			continue;
		has[group_of(v)] |= kind;
		t.examples[t.example_count++] = v;
	}
	snap__copy_give_back(has, (size_t)t.count + 1);
}

/* ---- what they retain ------------------------------------------------------------------------ */

static size_t node_count(void)
{
	return (size_t)snap__graph_leak_node() + 2;
}

/* Two arrays of numbers by node, then sizes by node. */
static uint32_t *scratch_array(unsigned index)
{
	return t.scratch + index * ((node_count() + 1) & ~(size_t)1);
}

static uint64_t *scratch_retained(void)
{
	uint64_t *sizes = (uint64_t *)(void *)scratch_array(2);

	for (size_t v = 0; v < node_count(); v++)
		sizes[v] = 0;
	return sizes;
}

/* Dominators come before whom they dominate: from the end, sizes add up. */
static void sum_retained(const uint32_t *order, uint32_t reached)
{
	for (uint32_t i = reached; i-- > 0;) {
		uint32_t v = order[i];

		if (v < snap__blocks.count)
			t.retained[v] += snap__blocks_size(v);
		if (t.dominator[v] != SNAP__NOBODY)
			t.retained[t.dominator[v]] += t.retained[v];
	}
}

/* The dominator tree, downwards: each node's children are a list. */
struct tree {
	uint32_t *child, *sibling; /* by node, plus 1 */
	uint32_t *stack;
	uint32_t *open; /* by group: how many of its blocks are on the way down */
};

static void enter_node(const struct tree *tree, uint32_t v)
{
	struct snap_group *row;

	if (v >= snap__blocks.count)
		return;
	row = &t.rows[group_of(v)];
	t.is_top[v] = tree->open[group_of(v)]++ == 0;
	if (t.is_top[v])
		row->retained_bytes += t.retained[v];
}

static void leave_node(const struct tree *tree, uint32_t v)
{
	if (v < snap__blocks.count)
		tree->open[group_of(v)]--;
}

static void walk_tree(const struct tree *tree, uint32_t top)
{
	uint32_t depth = 0;

	enter_node(tree, top);
	tree->stack[depth++] = top;
	while (depth > 0) {
		uint32_t v = tree->stack[depth - 1], next = tree->child[v];

		if (next == 0) {
			leave_node(tree, v);
			depth--;
			continue;
		}
		next--;
		tree->child[v] = tree->sibling[next];
		enter_node(tree, next);
		if (tree->child[next])
			tree->stack[depth++] = next;
		else
			leave_node(tree, next);
	}
}

/* `order` is overwritten. */
static void retain_by_group(uint32_t *order, uint32_t reached)
{
	uint32_t top = order[0];
	struct tree tree = {
		.child = scratch_array(0),
		.sibling = scratch_array(1),
		.stack = order,
		.open = snap__copy_need(((size_t)t.count + 1) * sizeof(uint32_t)),
	};

	for (uint32_t i = 0; i < reached; i++)
		tree.child[order[i]] = 0;
	for (uint32_t i = 1; i < reached; i++) {
		uint32_t v = order[i], up = t.dominator[v];

		tree.sibling[v] = tree.child[up];
		tree.child[up] = v + 1;
	}
	walk_tree(&tree, top);
}

/* All edges but those of the search tree are written at the end of the scratch memory. */
static void expect_extras(size_t scratch)
{
	size_t extras = g->edges + 1 > node_count() ? g->edges + 1 - node_count() : 0;
	uintptr_t begin = (uintptr_t)(t.scratch + scratch - SNAP__EXTRA_WORDS * g->edges);

	if (extras)
		snap__copy_will_write((void *)(begin & ~(uintptr_t)(PAGE - 1)),
				      extras * SNAP__EXTRA_WORDS * sizeof(*t.scratch));
}

static void find_retained(void)
{
	const struct snap__digraph graph = {(uint32_t)node_count(), g->first, g->degree, g->to};
	size_t scratch = snap__dominators_scratch(node_count(), g->edges);
	size_t used = node_count() * sizeof(uint32_t);
	uint32_t *order = g->order; /* examples are chosen: the search's order is needed no more */
	uint32_t reached;

	t.dominator = snap__copy_need_now(used + 2 * sizeof(*t.dominator), used);
	t.scratch = snap__copy_need_now(scratch * sizeof(*t.scratch), 4 * used);
	expect_extras(scratch);
	snap__graph_hide_weak();
	reached = snap__dominators(&graph, snap__graph_leak_node() + 1, t.scratch, t.dominator,
				   order);
	snap__graph_show_weak();
	snap__copy_tick();
	t.retained = scratch_retained();
	t.is_top = snap__copy_need_now((size_t)snap__blocks.count + 1, snap__blocks.count);
	sum_retained(order, reached);
	retain_by_group(order, reached);
}

/* ---- labels ---------------------------------------------------------------------------------- */

static uint32_t label_index(const char *label)
{
	for (uint32_t i = t.label_count; i-- > 0;)
		if (t.labels[i] == label || snap__equal(t.labels[i], label))
			return i;
	if (t.label_count == MOST_LABELS)
		return 0;
	t.labels[t.label_count] = label;
	return t.label_count++;
}

static void collect_labels(void)
{
	const char *last = "";
	uint32_t last_index = 0;

	t.labels = snap__copy_need(MOST_LABELS * sizeof(*t.labels));
	t.label_of = snap__copy_need((SNAP__MOST_ROOTS + 1) * sizeof(*t.label_of));
	t.labels[t.label_count++] = "";
	for (uint32_t i = 0; i < g->root_count; i++) {
		if (g->roots[i].label != last)
			last_index = label_index(g->roots[i].label);
		last = g->roots[i].label;
		t.label_of[i] = last_index;
	}
}

uint32_t snap__groups_label_count(void)
{
	return t.label_count;
}

const char *snap__groups_label(uint32_t index)
{
	return t.labels[index];
}

void snap__groups_make(bool retained)
{
	number_groups();
	count_lost();
	choose_examples();
	snap__copy_tick();
	if (retained)
		find_retained();
	else
		for (uint32_t i = 0; i < t.count; i++)
			t.rows[i].retained_bytes = SNAP_UNKNOWN;
	collect_labels();
	snap__copy_tick();
}

/* ---- edges ----------------------------------------------------------------------------------- */

/* The edges of the holder that is being written: those to one group are one row. */
struct bundle {
	struct snap_edge *rows;
	uint32_t count;
	struct snap_edge *last; /* the row in use: neighbours often refer to one group; or NULL */
	uint32_t *row_of;       /* by group, into rows, plus 1 */
	uint32_t *seen;         /* by block: the holder that it was counted for, plus 1 */
	uint32_t holder;        /* group, or number of groups + root */
	uint32_t *dominated_first, *dominated; /* blocks by the holder that dominates them */
};

static struct snap_edge *row_to(struct bundle *b, uint32_t group)
{
	if (b->row_of[group] == 0) {
		b->rows[b->count] = (struct snap_edge){.to = group};
		b->row_of[group] = ++b->count;
		if (!t.dominator)
			b->rows[b->count - 1].dominated_blocks =
				b->rows[b->count - 1].dominated_bytes = SNAP_UNKNOWN;
	}
	return &b->rows[b->row_of[group] - 1];
}

static void add_references(struct bundle *b, uint32_t node)
{
	const uint32_t *to = g->to + g->first[node], *end = to + g->degree[node];
	const uint32_t mark = b->holder + 1;

	for (; to < end; to++) {
		uint32_t target = *to;

		if (!b->last || b->last->to != group_of(target))
			b->last = row_to(b, group_of(target));
		b->last->references++;
		if (b->seen[target] == mark)
			continue;
		b->seen[target] = mark;
		b->last->blocks++;
		b->last->bytes += snap__blocks_size(target);
	}
}

static void add_dominated(struct bundle *b)
{
	if (!t.dominator)
		return;
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): made with the dominators */
	for (uint32_t i = b->dominated_first[b->holder]; i < b->dominated_first[b->holder + 1];
	     i++) {
		struct snap_edge *row = row_to(b, group_of(b->dominated[i]));

		row->dominated_blocks++;
		if (t.is_top[b->dominated[i]])
			row->dominated_bytes += t.retained[b->dominated[i]];
	}
}

static void write_bundle(struct bundle *b, struct snap__writer *w)
{
	bool from_root = b->holder >= t.count;

	for (uint32_t i = 0; i < b->count; i++) {
		b->rows[i].from_root = from_root;
		b->rows[i].from = from_root ? b->holder - t.count : b->holder;
		b->row_of[b->rows[i].to] = 0;
		snap__write_edge(w, &b->rows[i]);
	}
	b->count = 0;
	b->last = NULL;
}

/* The holder that dominates a block: its dominator's group, or the root; NO_GROUP for none. */
static uint32_t dominating_holder(uint32_t block)
{
	uint32_t v = t.dominator[block];

	if (v < snap__blocks.count)
		return group_of(v);
	if (v < snap__graph_leak_node())
		return t.count + (v - snap__blocks.count);
	return NO_GROUP;
}

static void sort_dominated(struct bundle *b)
{
	uint32_t holders = t.count + g->root_count;
	uint32_t *fill = snap__copy_need(((size_t)holders + 2) * sizeof(*fill));
	uint32_t *holder_of = scratch_array(1);

	b->dominated_first = snap__copy_need(((size_t)holders + 2) * sizeof(*b->dominated_first));
	b->dominated = scratch_array(0);
	for (uint32_t block = 0; block < snap__blocks.count; block++) {
		holder_of[block] = dominating_holder(block);
		if (holder_of[block] != NO_GROUP)
			b->dominated_first[holder_of[block] + 1]++;
	}
	for (uint32_t i = 0; i < holders; i++) {
		b->dominated_first[i + 1] += b->dominated_first[i];
		fill[i] = b->dominated_first[i];
	}
	for (uint32_t block = 0; block < snap__blocks.count; block++)
		if (holder_of[block] != NO_GROUP)
			b->dominated[fill[holder_of[block]]++] = block;
	snap__copy_give_back(fill, ((size_t)holders + 2) * sizeof(*fill));
}

void snap__groups_write_edges(struct snap__writer *w)
{
	struct bundle b = {
		.rows = snap__copy_need(((size_t)t.count + 1) * sizeof(*b.rows)),
		.row_of = snap__copy_need(((size_t)t.count + 1) * sizeof(*b.row_of)),
	};

	b.seen = t.dominator ? g->order /* free since sizes are known */
			     : snap__copy_need(((size_t)snap__blocks.count + 1) * sizeof(*b.seen));
	for (uint32_t block = 0; t.dominator && block < snap__blocks.count; block++)
		b.seen[block] = 0;

	if (t.dominator)
		sort_dominated(&b);
	sort_members();
	for (b.holder = 0; b.holder < t.count + g->root_count; b.holder++) {
		if (b.holder >= t.count)
			add_references(&b, snap__graph_root_node(b.holder - t.count));
		else
			for (uint32_t i = t.first[b.holder]; i < t.first[b.holder + 1]; i++)
				add_references(&b, t.members[i]);
		add_dominated(&b);
		write_bundle(&b, w);
	}
	snap__copy_tick();
}

/* ---- paths ----------------------------------------------------------------------------------- */

/* Where in `holder` the pointer to `block` lies. */
static uint64_t offset_in(uint32_t holder, uint32_t block)
{
	const struct snap__root *root;
	uintptr_t high;

	if (holder < snap__blocks.count)
		return snap__graph_offset_of(
			snap__blocks.address[holder],
			snap__blocks.address[holder] + snap__blocks_size(holder), block);
	if (holder >= snap__graph_leak_node())
		return 0;
	root = &g->roots[holder - snap__blocks.count];
	high = root->high - root->low > SCAN_LIMIT ? root->low + SCAN_LIMIT : root->high;
	return snap__graph_offset_of(root->low, high, block);
}

static void fill_step(struct snap_step *step, uint32_t block, uint32_t next)
{
	*step = (struct snap_step){
		.group = group_of(block),
		.address = snap__blocks.address[block],
		.size = snap__blocks_size(block),
		.offset = next == SNAP__NO_BLOCK ? 0 : offset_in(block, next),
	};
}

/* The way to `block` as the search found it, from its root on.  A long way loses its middle. */
static void write_path_to(struct snap__writer *w, uint32_t block)
{
	struct snap_step steps[SNAP_PATH_STEPS_MAX];
	struct snap_path path = {.group = group_of(block), .root = SNAP_NONE};
	uint32_t length = 0, next = SNAP__NO_BLOCK, v;

	for (v = block; v < snap__blocks.count; v = g->parent[v] - 1)
		length++;
	if (v < snap__graph_leak_node())
		path.root = v - snap__blocks.count;
	path.step_count = length < SNAP_PATH_STEPS_MAX ? length : SNAP_PATH_STEPS_MAX;
	path.skipped = length - path.step_count;
	for (v = block; v < snap__blocks.count; v = g->parent[v] - 1) {
		length--;
		if (next == SNAP__NO_BLOCK)
			fill_step(&steps[path.step_count - 1], v, next);
		else if (length < path.step_count - 1)
			fill_step(&steps[length], v, next);
		next = v;
	}
	path.offset = offset_in(v, next);
	snap__write_path(w, &path, steps);
}

void snap__groups_write_paths(struct snap__writer *w)
{
	for (uint32_t i = 0; i < t.example_count; i++)
		write_path_to(w, t.examples[i]);
	snap__copy_tick();
}

/* ---- the rows -------------------------------------------------------------------------------- */

void snap__groups_write_groups(struct snap__writer *w, const struct snap__groups_ids *ids)
{
	for (uint32_t i = 0; i < t.count; i++) {
		struct snap_group row = t.rows[i];

		row.kind = SNAP_GROUP_SITE;
		ids->place(ids->user, row.node, &row);
		snap__write_group(w, &row);
	}
}

void snap__groups_write_roots(struct snap__writer *w, const struct snap__groups_ids *ids)
{
	for (uint32_t i = 0; i < g->root_count; i++) {
		const struct snap__root *root = &g->roots[i];
		struct snap_root row = {
			.kind = root->kind,
			.label = t.label_of[i] ? ids->first_label + t.label_of[i] - 1 : 0,
			.module = root->module < ids->modules ? root->module : SNAP_NONE,
			.thread = root->thread,
			.address = root->address,
			.size = root->high - root->low,
			.retained_bytes =
				t.dominator ? t.retained[snap__graph_root_node(i)] : SNAP_UNKNOWN,
		};

		snap__write_root(w, &row);
	}
}

uint32_t snap__groups_count(void)
{
	return t.count;
}

uint32_t snap__groups_root_count(void)
{
	return g->root_count;
}
