/*
 * runtime/python/census.c - objects of one type and one call stack are one group.
 *
 * An object's block is looked up in the heap map, which says how large it is and where it was
 * allocated.  An object's bytes include the blocks behind it that are no objects themselves
 * (belongings.h).  If such a block was allocated by another line, it counts in a group of the
 * object's type and of that line: a list's items, for example, are allocated by the code that
 * appends.
 */
#include "runtime/python/census.h"

#include "runtime/heapmap.h"
#include "runtime/holders/attempt.h"
#include "runtime/os_linux.h"
#include "runtime/python/belongings.h"
#include "runtime/python/containers.h"
#include "runtime/python/find.h"
#include "runtime/python/guise.h"
#include "runtime/python/objects.h"
#include "runtime/python/reuse.h"
#include "runtime/python/types.h"
#include "runtime/python/untold.h"
#include "runtime/python/ways.h"
#include "runtime/python/words.h"
#include "runtime/stacks.h"
#include "runtime/text.h"
#include "snap/format.h"

#define FIRST_GROUPS 4096u
#define NAME_SIZE    512
#define LABEL_SIZE   1024

#define FOR_REUSE (1u << 31) /* in a group's type: of freed objects */

struct group {
	uint32_t type, node;
	uint64_t objects, bytes, lost_objects, lost_bytes;
};

static struct census {
	struct group *groups;
	uint32_t *slots; /* group + 1; 0 is empty */
	uint32_t count, capacity;
	uint32_t *of_object;
	uint64_t bytes, without_line, reuse_objects, reuse_bytes;
	const struct snap__numbering *numbering;
	char (*names)[NAME_SIZE]; /* by type */
	struct snap__way *ways;
	uint32_t way_count;
} c;

static const struct snap__objects *const o = &snap__objects;

/* ---- groups ---------------------------------------------------------------------------------- */

static uint32_t *slot_of(uint32_t type, uint32_t node)
{
	uint32_t mask = 2 * c.capacity - 1;
	uint32_t i = (uint32_t)(((uint64_t)type << 32 | node) * 0x9e3779b97f4a7c15u >> 32) & mask;

	while (c.slots[i] &&
	       (c.groups[c.slots[i] - 1].type != type || c.groups[c.slots[i] - 1].node != node))
		i = (i + 1) & mask;
	return &c.slots[i];
}

static void grow(void)
{
	uint32_t *old = c.slots;
	size_t old_size = 2 * (size_t)c.capacity * sizeof(*c.slots);

	if (c.capacity == 0) {
		c.capacity = FIRST_GROUPS;
		c.groups = snap__copy_need(c.capacity * sizeof(*c.groups));
	} else {
		c.groups = snap__copy_grow(c.groups, c.capacity * sizeof(*c.groups),
					   2 * c.capacity * sizeof(*c.groups));
		c.capacity *= 2;
	}
	c.slots = snap__copy_need(2 * (size_t)c.capacity * sizeof(*c.slots));
	for (uint32_t i = 0; i < c.count; i++)
		*slot_of(c.groups[i].type, c.groups[i].node) = i + 1;
	if (old)
		snap__copy_give_back(old, old_size);
}

static uint32_t group_of(uint32_t type, uint32_t node)
{
	uint32_t *slot;

	if (c.count == c.capacity)
		grow();
	slot = slot_of(type, node);
	if (!*slot) {
		c.groups[c.count] = (struct group){.type = type, .node = node};
		*slot = ++c.count;
	}
	return *slot - 1;
}

/* ---- an object's memory ---------------------------------------------------------------------- */

static uint32_t node_of(uint32_t stack)
{
	if (stack >= c.numbering->stacks)
		return SNAP_NONE;
	if (snap__numbering_is_domain(stack))
		stack = snap__stacks_parent(stack);
	return snap__numbering_node(c.numbering, stack);
}

/* A block that belongs to an object but was allocated elsewhere counts for that place. */
static void add_belonging(uint32_t object, const struct snap__block *block)
{
	uint32_t own = c.of_object[object], group;
	uint32_t node = node_of(block->stack);

	group = c.groups[own].node == node ? own : group_of(c.groups[own].type, node);
	c.groups[group].bytes += block->size;
	c.bytes += block->size;
	if (o->state[object] == SNAP__OBJECT_LOST)
		c.groups[group].lost_bytes += block->size;
	if (group != own)
		snap__ways_add_table(group, object);
}

static void count_object(uint32_t object)
{
	const char *at = o->at[object];
	size_t header = snap__object_header(at), size;
	struct snap__block block = {0};
	struct group *group;
	uint32_t node = SNAP_NONE;

	if (snap__heapmap_find((uintptr_t)at - header, &block)) {
		size = block.size;
		node = node_of(block.stack);
	} else {
		size = snap__object_size(at);
		c.without_line++;
	}
	c.of_object[object] = group_of(snap__type_number(snap__python_type(at)), node);
	group = &c.groups[c.of_object[object]];
	group->objects++;
	group->bytes += size;
	c.bytes += size;
	if (o->state[object] == SNAP__OBJECT_LOST) {
		group->lost_objects++;
		group->lost_bytes += size;
	}
	if (size > header)
		snap__belongings_of(object, size - header, add_belonging);
}

static void add_reuse(const char *type, const struct snap__block *block)
{
	uint32_t number = snap__type_number(type) | FOR_REUSE;
	uint32_t place = group_of(number, node_of(block->stack)); /* may move the groups */
	struct group *group = &c.groups[place];

	group->objects++;
	group->bytes += block->size;
	c.reuse_objects++;
	c.reuse_bytes += block->size;
}

static void name_types(void)
{
	c.names = snap__copy_need((snap__type_count() + 1) * sizeof(*c.names));
	for (uint32_t i = 0; i < snap__type_count(); i++)
		snap__type_name(snap__type_at(i), c.names[i], sizeof(c.names[i]));
}

static void find_ways(void)
{
	const uint32_t *places = snap__places_make();
	uint64_t *bytes = snap__copy_need(((size_t)c.count + 1) * sizeof(*bytes));

	for (uint32_t i = 0; i < c.count; i++)
		bytes[i] = c.groups[i].bytes;
	c.way_count = snap__ways_make(c.of_object, bytes, c.count, places, &c.ways);
	snap__containers_make(places);
	snap__copy_give_back(bytes, ((size_t)c.count + 1) * sizeof(*bytes));
}

void snap__census_make(struct snap__copy *copy, const struct snap__numbering *numbering)
{
	const char *problem = snap__objects_problem();
	void *own;

	if (problem)
		snap__copy_fail(problem);
	snap__attempts_begin();
	own = snap__guise_begin(&copy->space, snap__python.main_interpreter());
	snap__objects_find(&copy->space);
	c.numbering = numbering;
	c.of_object = snap__copy_need(((size_t)o->count + 1) * sizeof(*c.of_object));
	snap__belongings_begin(snap__python.main_interpreter());
	for (uint32_t i = 0; i < o->count; i++) {
		count_object(i);
		if (i % 65536 == 0)
			snap__copy_tick();
	}
	snap__belongings_behind(add_belonging);
	snap__reuse_each(&copy->space, add_reuse);
	name_types();
	find_ways();
	snap__guise_end(own);
}

/* ---- rows ------------------------------------------------------------------------------------ */

uint32_t snap__census_string_count(void)
{
	return c.names ? snap__type_count() + c.way_count : 0;
}

const char *snap__census_string(uint32_t index)
{
	return index < snap__type_count() ? c.names[index]
					  : c.ways[index - snap__type_count()].words;
}

void snap__census_write_groups(struct snap__writer *w, const struct snap__census_base *base)
{
	for (uint32_t i = 0; i < c.count; i++) {
		const struct group *group = &c.groups[i];
		const struct snap_group row = {
			.kind = group->type & FOR_REUSE ? SNAP_GROUP_REUSE : SNAP_GROUP_TYPE,
			.label = base->string + (group->type & ~FOR_REUSE),
			.node = group->node,
			.blocks = group->objects,
			.bytes = group->bytes,
			.indirect_blocks = group->lost_objects,
			.indirect_bytes = group->lost_bytes,
			.retained_bytes = SNAP_UNKNOWN,
		};

		snap__write_group(w, &row);
	}
}

/* A root for each way: the place where the way begins; its label describes the way in words. */
void snap__census_write_roots(struct snap__writer *w, const struct snap__census_base *base)
{
	for (uint32_t i = 0; i < c.way_count; i++) {
		const struct snap_root row = {
			.kind = SNAP_ROOT_INTERPRETER,
			.label = base->string + snap__type_count() + i,
			.module = SNAP_NONE,
			.address = (uintptr_t)o->at[c.ways[i].root],
			.retained_bytes = SNAP_UNKNOWN,
		};

		snap__write_root(w, &row);
	}
}

/* How many of a group are held from the same place. */
void snap__census_write_edges(struct snap__writer *w, const struct snap__census_base *base)
{
	for (uint32_t i = 0; i < c.way_count; i++) {
		const struct snap__way *way = &c.ways[i];
		const struct group *group = &c.groups[way->group];
		const struct snap_edge row = {
			.from_root = 1,
			.from = base->root + i,
			.to = base->group + way->group,
			.references = way->objects,
			.blocks = way->objects,
			.bytes = group->objects ? group->bytes / group->objects * way->objects
						: group->bytes,
			.dominated_blocks = SNAP_UNKNOWN,
			.dominated_bytes = SNAP_UNKNOWN,
		};

		snap__write_edge(w, &row);
	}
}

static void write_path(struct snap__writer *w, const struct snap__census_base *base, uint32_t i)
{
	const struct snap__way *way = &c.ways[i];
	struct snap_path path = {.group = base->group + way->group, .root = base->root + i};
	struct snap_step steps[SNAP_PATH_STEPS_MAX];
	uint32_t length = 0, at;

	for (at = way->object; at != SNAP__NO_OBJECT; at = o->parent[at])
		length++;
	path.step_count = length < SNAP_PATH_STEPS_MAX ? length : SNAP_PATH_STEPS_MAX;
	path.skipped = length - path.step_count;
	/* The last step is the object; steps before it that do not fit are left out. */
	for (at = way->object; at != SNAP__NO_OBJECT; at = o->parent[at]) {
		length--;
		if (at != way->object && length >= path.step_count - 1)
			continue;
		steps[at == way->object ? path.step_count - 1 : length] = (struct snap_step){
			.group = base->group + (at == way->object ? way->group : c.of_object[at]),
			.address = (uintptr_t)o->at[at],
			.size = snap__object_size(o->at[at]),
		};
	}
	snap__write_path(w, &path, steps);
}

void snap__census_write_paths(struct snap__writer *w, const struct snap__census_base *base)
{
	for (uint32_t i = 0; i < c.way_count; i++)
		write_path(w, base, i);
}

/* Of the other interpreters the objects are unknown. */
static uint64_t count_interpreters(void)
{
	enum { MOST = 4096 };
	uint64_t count = 0;
	void *at = snap__python.first_interpreter();

	for (; at && count < MOST; at = snap__python.next_interpreter(at))
		count++;
	return count;
}

void snap__census_each_fact(snap__census_fact_fn *fn, void *user)
{
	fn(user, "pause_ns", snap__copy_pause_ns());
	fn(user, "cpu_ns", snap__os_thread_cpu_ns());
	fn(user, "memory", snap__copy_own_memory());
	fn(user, "objects", o->count);
	fn(user, "bytes", c.bytes);
	fn(user, "without_line", c.without_line);
	fn(user, "threads", o->threads);
	fn(user, "modules", o->modules);
	fn(user, "interpreters", count_interpreters());
	fn(user, "reuse_objects", c.reuse_objects);
	fn(user, "reuse_bytes", c.reuse_bytes);
	if (snap__untold_unsearched() > 0)
		fn(user, "unsearched_objects", snap__untold_unsearched());
	if (o->unfollowed > 0)
		fn(user, "unfollowed_objects", o->unfollowed);
	if (o->unsound > 0)
		fn(user, "unsound_references", o->unsound);
	if (!o->lists_are_read)
		return;
	fn(user, "tracked", o->tracked);
	fn(user, "frozen", o->tracked_in[3]);
	fn(user, "uncollected_objects", o->lost);
}
