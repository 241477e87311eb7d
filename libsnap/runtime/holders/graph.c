/*
 * holders/graph.c - marking, breadth first, so that the way found to each block is a shortest one.
 */
#include "runtime/holders/graph.h"

#include "runtime/arena.h"
#include "runtime/holders/libc.h"
#include "runtime/holders/owned.h"
#include "runtime/holders/touched.h"

#define FIRST_HIDDEN 4096u
#define EDGES_STEP   ((uint64_t)1 << 15) /* edges that room is made for at once */
#define FIRST_EDGES  ((uint64_t)1 << 20)
#define MOST_EDGES   ((uint64_t)UINT32_MAX - 1)
#define RECENT       4u  /* remembered targets: neighbouring words often point to the same block */
#define AHEAD        16u /* blocks that are being prefetched */
#define TICK_EVERY   65536u
#define WORD         sizeof(uintptr_t)
#define LARGE        ((uintptr_t)1 << 20) /* bytes: to ask which pages were touched is worth it */
/* of one mapping; for more, asking which pages were touched takes over 13 s */
#define MOST_SHARED ((uintptr_t)1 << 40)
#define LEAST_STACK ((uintptr_t)4096)     /* of a thread */
#define PIECE       ((uintptr_t)16 << 20) /* of a range, between two reports of progress */

struct snap__graph snap__graph;

static struct snap__graph *const g = &snap__graph;

void snap__graph_begin(struct snap__copy *copy)
{
	size_t blocks = snap__blocks.count, nodes = blocks + SNAP__MOST_ROOTS + 3;

	g->copy = copy;
	g->rest_is_used = snap__owned_rest_is_used();
	g->roots = snap__copy_need((SNAP__MOST_ROOTS + 1) * sizeof(*g->roots));
	g->first = snap__copy_need_now(nodes * sizeof(*g->first), blocks * sizeof(*g->first));
	g->degree = snap__copy_need_now(nodes * sizeof(*g->degree), blocks * sizeof(*g->degree));
	g->parent = snap__copy_need_now(nodes * sizeof(*g->parent), blocks * sizeof(*g->parent));
	g->order = snap__copy_need_now(nodes * sizeof(*g->order), blocks * sizeof(*g->order));
	g->reach = snap__copy_need_now(blocks + 1, blocks);
	g->ring = snap__copy_need(blocks + 1);
	g->to = snap__copy_need(FIRST_EDGES * sizeof(*g->to));
	g->capacity = FIRST_EDGES;
}

static void begin_edges(uint32_t node)
{
	g->first[node] = (uint32_t)g->edges;
}

static void end_edges(uint32_t node)
{
	g->degree[node] = (uint32_t)(g->edges - g->first[node]);
}

void snap__graph_add_root(const struct snap__root *root)
{
	if (g->root_count == SNAP__MOST_ROOTS) {
		g->roots_merged++;
		return;
	}
	g->roots[g->root_count] = *root;
	begin_edges(snap__graph_root_node(g->root_count));
	g->root_count++;
}

/* The edges of the newest root end where those of the next one begin. */
static void end_roots(void)
{
	for (uint32_t i = 0; i < g->root_count; i++) {
		uint32_t node = snap__graph_root_node(i);
		uint64_t end = i + 1 < g->root_count ? g->first[node + 1] : g->edges;

		g->degree[node] = (uint32_t)(end - g->first[node]);
	}
}

static void make_room(void)
{
	if (g->edges == g->capacity) {
		g->to = snap__copy_grow(g->to, g->capacity * sizeof(*g->to),
					g->capacity * 2 * sizeof(*g->to));
		g->capacity *= 2;
	}
	snap__copy_will_write(g->to + g->ready, EDGES_STEP * sizeof(*g->to));
	g->ready += EDGES_STEP;
}

void snap__graph_add_edge(uint32_t block)
{
	if (g->edges == g->ready)
		make_room();
	if (g->edges == MOST_EDGES)
		g->edges_cut++;
	else
		g->to[g->edges++] = block;
}

static void scan_readable(uintptr_t low, uintptr_t high)
{
	uint32_t recent[RECENT] = {SNAP__NO_BLOCK, SNAP__NO_BLOCK, SNAP__NO_BLOCK, SNAP__NO_BLOCK};
	const uintptr_t first = snap__blocks.low, span = snap__blocks.high - first;
	unsigned next = 0;

	for (const uintptr_t *at = (const uintptr_t *)low, *end = at + (high - low) / WORD;
	     at < end; at++) {
		/* Read once: other processes may change shared memory. */
		uintptr_t word = *(const volatile uintptr_t *)at;
		uint32_t block;

		if (word - first >= span) /* most words */
			continue;
		block = snap__blocks_find_between(word);
		if (block == SNAP__NO_BLOCK || block == recent[0] || block == recent[1] ||
		    block == recent[2] || block == recent[3])
			continue;
		recent[next++ % RECENT] = block;
		snap__graph_add_edge(block);
	}
}

/* Call `fn` for the parts of [low, high) that can be read, and that the program touched if there is
 * much. */
static void each_part(uintptr_t low, uintptr_t high, snap__touched_fn *fn, void *user)
{
	bool more = true;

	while (more && low < high) {
		struct snap__area *area = snap__space_at(&g->copy->space, low);
		uintptr_t end = area && area->high < high ? area->high : high;

		if (area && snap__area_open(area)) {
			more = end - low < LARGE ? fn(user, low, end)
						 : snap__touched_each(area, low, end, fn, user);
			low = end;
		} else {
			g->pages_unreadable++;
			low = area ? end : (low | 4095) + 1;
		}
	}
}

static bool scan_part(void *unused, uintptr_t low, uintptr_t high)
{
	(void)unused;
	for (uintptr_t end; low < high; low = end) {
		end = high - low > PIECE ? low + PIECE : high;
		scan_readable(low, end);
		snap__copy_tick();
	}
	return true;
}

static bool stop(void *unused, uintptr_t low, uintptr_t high)
{
	(void)unused;
	(void)low;
	(void)high;
	return false;
}

/* Returns the number of pages that were searched. */
static uint64_t scan_vast(struct snap__area *area, uintptr_t low, uintptr_t high)
{
	return snap__area_open(area) ? snap__touched_by_host(low, high, scan_part, NULL) : 0;
}

void snap__graph_scan_touched(struct snap__area *area, uintptr_t low, uintptr_t high)
{
	low = (low + WORD - 1) & ~(WORD - 1);
	if (area->shared && high - low > MOST_SHARED) {
		g->pages_unreadable += (high - low) / 4096 - scan_vast(area, low, high);
		return;
	}
	if (!area->readable && snap__touched_each(area, low, high, stop, NULL))
		return; /* it need not be opened */
	if (snap__area_open(area))
		snap__touched_each(area, low, high, scan_part, NULL);
	else
		g->pages_unreadable++;
}

void snap__graph_drop_root(void)
{
	if (g->edges == g->first[snap__graph_root_node(g->root_count - 1)])
		g->root_count--;
}

void snap__graph_scan(uintptr_t low, uintptr_t high)
{
	low = (low + WORD - 1) & ~(WORD - 1);
	if (low >= high)
		return;
	if (high - low < LARGE && snap__space_is_readable(&g->copy->space, low, high))
		scan_readable(low, high);
	else
		each_part(low, high, scan_part, NULL);
}

void snap__graph_leave_out(uintptr_t low, uintptr_t high)
{
	snap__ranges_add(&g->dead, low, high);
}

static void scan_living(uintptr_t low, uintptr_t high)
{
	uintptr_t end;

	for (; snap__ranges_gap(&g->dead, &low, high, &end); low = end)
		snap__graph_scan(low, end);
}

static void expand(uint32_t block)
{
	uintptr_t low = snap__blocks.address[block], high = low + snap__blocks_size(block);

	if (g->rest_is_used && snap__owned_rest_was_asked(low))
		high += snap__libc_rest(&g->copy->space, block);
	begin_edges(block);
	if (g->dead.count && high - low >= LEAST_STACK)
		scan_living(low, high);
	else
		snap__graph_scan(low, high);
	end_edges(block);
}

static void enter(uint32_t node, uint32_t parent)
{
	g->parent[node] = parent + 1;
	g->order[g->ordered++] = node;
}

static void fetch_ahead(uint32_t at)
{
	uint32_t far, near;

	if (at + AHEAD >= g->ordered)
		return;
	far = g->order[at + AHEAD];
	near = g->order[at + AHEAD / 2];
	if (far < snap__blocks.count) {
		__builtin_prefetch(&snap__blocks.address[far]);
		__builtin_prefetch(&snap__blocks.size[far]);
	}
	if (near < snap__blocks.count)
		__builtin_prefetch((const void *)snap__blocks.address[near]);
}

/* Go on with the search from the nodes that were reached as number `at` and later.  `expanded`:
 * their edges are known already. */
static void search_from(uint32_t at, bool expanded)
{
	for (; at < g->ordered; at++) {
		uint32_t node = g->order[at];
		const uint32_t *to, *end;

		fetch_ahead(at);
		if (node < snap__blocks.count && !expanded)
			expand(node);
		to = g->to + g->first[node];
		for (end = to + g->degree[node]; to < end; to++)
			if (!g->parent[*to])
				enter(*to, node);
		if (at % TICK_EVERY == 0)
			snap__copy_tick();
	}
}

/* Stacks and registers come last.  If a variable holds a block, its holder is the variable: not a
   function that is using the block, and not a stale word on a stack. */
static unsigned strength_of(uint32_t kind)
{
	switch (kind) {
	case SNAP_ROOT_STACK:
	case SNAP_ROOT_REGISTERS:
		return 2;
	case SNAP_ROOT_MAPPING:
		return 1;
	default:
		return 0;
	}
}

static void mark_from(unsigned strength, enum snap__reach reach)
{
	uint32_t begun = g->ordered;

	for (uint32_t i = 0; i < g->root_count; i++)
		if (strength_of(g->roots[i].kind) == strength)
			enter(snap__graph_root_node(i), snap__graph_leak_node() + 1);
	search_from(begun, false);
	for (; begun < g->ordered; begun++)
		if (g->order[begun] < snap__blocks.count)
			g->reach[g->order[begun]] = (uint8_t)reach;
}

static void mark_reached(void)
{
	mark_from(0, SNAP__REACHED);
	mark_from(1, SNAP__REACHED);
	mark_from(2, SNAP__REACHED_WEAKLY);
	if (g->ordered == g->root_count + snap__blocks.count)
		return;
	for (uint32_t b = 0; b < snap__blocks.count; b++)
		if (!g->parent[b]) {
			g->unreachable_blocks++;
			g->unreachable_bytes += snap__blocks_size(b);
		}
}

/* Edges to blocks that something stronger holds do not count: move them behind the others. */
static void hide_edges(uint32_t node)
{
	uint32_t *to = g->to + g->first[node];
	uint32_t kept = 0;

	for (uint32_t i = 0; i < g->degree[node]; i++) {
		uint32_t target = to[i];

		if (g->reach[target] == SNAP__REACHED)
			continue;
		to[i] = to[kept];
		to[kept++] = target;
	}
	if (kept == g->degree[node])
		return;
	if (g->hidden_count == g->hidden_room) {
		size_t size = g->hidden_room * sizeof(*g->hidden);

		g->hidden = g->hidden ? snap__copy_grow(g->hidden, size, 2 * size)
				      : snap__copy_need(FIRST_HIDDEN * sizeof(*g->hidden));
		g->hidden_room = g->hidden_room ? 2 * g->hidden_room : FIRST_HIDDEN;
	}
	g->hidden[g->hidden_count++] = (struct snap__hidden){node, g->degree[node]};
	g->degree[node] = kept;
}

void snap__graph_hide_weak(void)
{
	for (uint32_t b = 0; b < snap__blocks.count; b++)
		if (g->reach[b] == SNAP__REACHED_WEAKLY)
			hide_edges(b);
	for (uint32_t i = 0; i < g->root_count; i++)
		if (strength_of(g->roots[i].kind) == 2)
			hide_edges(snap__graph_root_node(i));
}

void snap__graph_show_weak(void)
{
	for (size_t i = 0; i < g->hidden_count; i++)
		g->degree[g->hidden[i].node] = g->hidden[i].degree;
	g->hidden_count = 0;
}

/* ---- what nothing reaches -------------------------------------------------------------------- */

/* An unreachable block keeps nothing alive: its references to reachable blocks do not count. */
static void expand_lost(uint32_t block)
{
	expand(block);
	g->edges = g->first[block];
	for (uint32_t i = 0; i < g->degree[block]; i++) {
		uint32_t target = g->to[g->first[block] + i];

		if (snap__graph_is_lost(target))
			g->to[g->edges++] = target;
	}
	end_edges(block);
}

/* Direct: no other unreachable block refers to it.  As in LeakSanitizer, rings are indirect. */
static void tell_direct(void)
{
	for (uint32_t b = 0; b < snap__blocks.count; b++)
		if (snap__graph_is_lost(b))
			expand_lost(b);
	for (uint32_t b = 0; b < snap__blocks.count; b++) {
		if (!snap__graph_is_lost(b))
			continue;
		for (uint32_t i = 0; i < g->degree[b]; i++) {
			uint32_t target = g->to[g->first[b] + i];

			if (target != b && g->reach[target] == SNAP__UNREACHED)
				g->reach[target] = SNAP__LEAKED_INDIRECT;
		}
	}
	for (uint32_t b = 0; b < snap__blocks.count; b++)
		if (g->reach[b] == SNAP__UNREACHED)
			g->reach[b] = SNAP__LEAKED_DIRECT;
}

static void search_from_direct(void)
{
	uint32_t begun = g->ordered;

	for (uint32_t b = 0; b < snap__blocks.count; b++)
		if (g->reach[b] == SNAP__LEAKED_DIRECT)
			enter(b, snap__graph_leak_node());
	search_from(begun, true);
}

/* Depth first from `root` among what has no parent yet; `finished` gets the nodes as the search
   leaves them.  The stack grows down from the end of the same array: no node is in both. */
static uint32_t leave_in_order(uint32_t root, uint8_t *met, uint32_t *next, uint32_t *finished,
			       uint32_t count, uint32_t room)
{
	uint32_t top = room;

	met[root] = 1;
	finished[--top] = root;
	while (top < room) {
		uint32_t b = finished[top], target;

		if (next[b] == g->degree[b]) {
			top++;
			finished[count++] = b;
			continue;
		}
		target = g->to[g->first[b] + next[b]++];
		if (!g->parent[target] && !met[target]) {
			met[target] = 1;
			finished[--top] = target;
		}
	}
	return count;
}

/*
 * What remains are rings, and blocks that only rings lead to.  Take the nodes in the order in which
 * a depth-first search finishes them: the last one that is not marked yet lies in a ring that no
 * other ring leads to.
 */
static void search_from_rings(void)
{
	uint32_t room = (uint32_t)g->unreachable_blocks + 1, count = 0;
	uint8_t *met = snap__copy_need((size_t)snap__blocks.count + 1);
	uint32_t *next = snap__copy_need(((size_t)snap__blocks.count + 1) * sizeof(*next));
	uint32_t *finished = snap__copy_need((size_t)room * sizeof(*finished));

	for (uint32_t b = 0; b < snap__blocks.count; b++)
		if (!g->parent[b] && !met[b])
			count = leave_in_order(b, met, next, finished, count, room);
	while (count-- > 0) {
		uint32_t b = finished[count], begun = g->ordered;

		if (g->parent[b])
			continue;
		g->ring[b] = 1;
		enter(b, snap__graph_leak_node());
		search_from(begun, true);
	}
	snap__copy_give_back(met, (size_t)snap__blocks.count + 1);
	snap__copy_give_back(next, ((size_t)snap__blocks.count + 1) * sizeof(*next));
	snap__copy_give_back(finished, (size_t)room * sizeof(*finished));
}

/* Add the two nodes at the top: their edges connect everything to one graph. */
static void connect_top(void)
{
	uint32_t leak = snap__graph_leak_node(), top = leak + 1;

	begin_edges(leak);
	for (uint32_t b = 0; b < snap__blocks.count && g->unreachable_blocks > 0; b++)
		if (g->reach[b] == SNAP__LEAKED_DIRECT || g->ring[b])
			snap__graph_add_edge(b);
	end_edges(leak);
	begin_edges(top);
	for (uint32_t i = 0; i < g->root_count; i++)
		snap__graph_add_edge(snap__graph_root_node(i));
	snap__graph_add_edge(leak);
	end_edges(top);
}

void snap__graph_mark(void)
{
	end_roots();
	snap__ranges_join(&g->dead);
	mark_reached();
	if (g->unreachable_blocks > 0) {
		tell_direct();
		search_from_direct();
		search_from_rings();
	}
	connect_top();
}

/* Where a word that points into `block` is. */
struct looking {
	uint32_t block;
	uintptr_t at; /* 0: nowhere yet */
};

static bool look(void *user, uintptr_t low, uintptr_t high)
{
	struct looking *looking = user;

	for (; low + WORD <= high; low += WORD) {
		if (snap__blocks_find(*(const uintptr_t *)low) != looking->block)
			continue;
		looking->at = low;
		return false;
	}
	return true;
}

uint64_t snap__graph_offset_of(uintptr_t low, uintptr_t high, uint32_t block)
{
	struct looking looking = {.block = block};
	uintptr_t first = (low + WORD - 1) & ~(WORD - 1);

	each_part(first, high, look, &looking);
	return looking.at ? looking.at - low : 0;
}
