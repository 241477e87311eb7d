/*
 * runtime/numbering.c - ids of locations and nodes, in the order in which the tree has them.
 */
#include "runtime/numbering.h"

#include "runtime/arena.h"
#include "runtime/domains.h"
#include "runtime/python/frames.h"
#include "runtime/python/lines.h"
#include "runtime/stacks.h"
#include "snap/records.h"

#define FIRST_LOCATIONS 4096u

static bool is_domain(uintptr_t pc)
{
	return pc >= SNAP__PC_DOMAIN && pc <= SNAP__PC_DOMAIN + SNAP__DOMAIN_MAX;
}

bool snap__numbering_is_domain(uint32_t stack)
{
	return stack != 0 && is_domain(snap__stacks_pc(stack));
}

static uint64_t hash(uint64_t value)
{
	return (value * 0x9e3779b97f4a7c15ull) >> 24;
}

/* ---- locations ------------------------------------------------------------------------------- */

/* Instructions of one line of Python are one place. */
static uint64_t place_of(struct snap__numbering *n, uintptr_t pc)
{
	uint32_t line;

	if (!snap__python_is_pc(pc))
		return pc;
	line = snap__python_line(n->lines, pc);
	if (line > SNAP__PYTHON_INSTRUCTION_MAX)
		line = 0;
	return (pc & ~(uint64_t)SNAP__PYTHON_INSTRUCTION_MAX) | line;
}

/* The free or matching hash slot of `place`. */
static uint32_t *location_slot(const struct snap__numbering *n, uint64_t place)
{
	size_t mask = n->location_capacity * 2 - 1;
	size_t i = (size_t)hash(place) & mask;

	while (n->slots[i] && n->places[n->slots[i] - 1] != place)
		i = (i + 1) & mask;
	return &n->slots[i];
}

static void free_locations(struct snap__numbering *n)
{
	if (n->places)
		snap__unmap(n->places, n->location_capacity * sizeof(*n->places));
	if (n->slots)
		snap__unmap(n->slots, n->location_capacity * 2 * sizeof(*n->slots));
}

static bool grow_locations(struct snap__numbering *n)
{
	struct snap__numbering larger = {.location_capacity = n->location_capacity
								      ? n->location_capacity * 2
								      : FIRST_LOCATIONS};

	larger.places = snap__map_passing(larger.location_capacity * sizeof(*larger.places));
	larger.slots = snap__map_filled(larger.location_capacity * 2 * sizeof(*larger.slots));
	if (!larger.places || !larger.slots) {
		free_locations(&larger);
		return false;
	}
	for (size_t i = 0; i < n->location_count; i++) {
		larger.places[i] = n->places[i];
		*location_slot(&larger, larger.places[i]) = (uint32_t)i + 1;
	}
	free_locations(n);
	n->places = larger.places;
	n->slots = larger.slots;
	n->location_capacity = larger.location_capacity;
	return true;
}

/* The location of `place`, a new one if it is. */
static uint32_t location_of(struct snap__numbering *n, uint64_t place)
{
	uint32_t *slot;

	if (n->location_count == n->location_capacity && !grow_locations(n)) {
		n->failed = true;
		return 0;
	}
	slot = location_slot(n, place);
	if (!*slot) {
		n->places[n->location_count++] = place;
		*slot = (uint32_t)n->location_count;
	}
	return *slot - 1;
}

uint32_t snap__numbering_location(const struct snap__numbering *n, uint32_t stack)
{
	if (n->location_of)
		return n->location_of[stack];
	return *location_slot(n, snap__stacks_pc(stack)) - 1;
}

/* ---- nodes ----------------------------------------------------------------------------------- */

/* Different stacks: a hash of (node of the parent, location). */
struct distinct {
	uint32_t *stacks; /* 0 is empty */
	size_t capacity;  /* a power of 2 */
};

uint32_t snap__numbering_node(const struct snap__numbering *n, uint32_t stack)
{
	if (stack == 0)
		return SNAP_NONE;
	return n->node_of ? n->node_of[stack] : stack - 1;
}

static uint32_t parent_node(const struct snap__numbering *n, uint32_t stack)
{
	return snap__numbering_node(n, snap__stacks_parent(stack));
}

/* The slot of the first stack that looks like `stack`, or the empty one where it belongs. */
static uint32_t *distinct_slot(const struct snap__numbering *n, const struct distinct *known,
			       uint32_t stack, uint32_t location)
{
	uint32_t parent = parent_node(n, stack);
	size_t mask = known->capacity - 1;
	size_t i = (size_t)hash((uint64_t)parent << 32 | location) & mask;

	for (;; i = (i + 1) & mask) {
		uint32_t other = known->stacks[i];

		if (!other || (parent_node(n, other) == parent &&
			       snap__numbering_location(n, other) == location))
			return &known->stacks[i];
	}
}

static bool make_distinct(struct distinct *known, uint32_t stacks)
{
	known->capacity = 1024;
	while (known->capacity < (size_t)stacks * 2)
		known->capacity *= 2;
	known->stacks = snap__map_filled(known->capacity * sizeof(*known->stacks));
	return known->stacks != NULL;
}

static void number_distinct(struct snap__numbering *n, const struct distinct *known, uint32_t stack,
			    uint32_t location)
{
	uint32_t *slot;

	n->location_of[stack] = location;
	slot = distinct_slot(n, known, stack, location);

	if (*slot) {
		n->node_of[stack] = n->node_of[*slot];
		return;
	}
	*slot = stack;
	n->node_of[stack] = n->nodes++;
}

static void *map_for(struct snap__numbering *n, size_t size)
{
	void *memory = snap__map_filled(size);

	n->failed = n->failed || !memory;
	return memory;
}

static void number(struct snap__numbering *n, const struct distinct *known, uint32_t stack)
{
	uint32_t location;

	if (snap__numbering_is_domain(stack)) {
		n->node_of[stack] = SNAP_NONE;
		return;
	}
	location = location_of(n, place_of(n, snap__stacks_pc(stack)));
	if (n->failed)
		return;
	if (known->stacks)
		number_distinct(n, known, stack, location);
	else if (n->node_of)
		n->node_of[stack] = n->nodes++;
	else
		n->nodes++;
}

/* Lines of Python have names, and several instructions. */
static void prepare_python(struct snap__numbering *n, struct distinct *known)
{
	n->location_of = map_for(n, n->stacks * sizeof(*n->location_of));
	n->lines = map_for(n, sizeof(*n->lines));
	n->failed = !make_distinct(known, n->stacks) || n->failed;
}

static void end_python(struct snap__numbering *n, struct distinct *known)
{
	if (n->lines)
		snap__unmap(n->lines, sizeof(*n->lines));
	n->lines = NULL;
	if (known->stacks)
		snap__unmap(known->stacks, known->capacity * sizeof(*known->stacks));
}

void snap__numbering_make(struct snap__numbering *n)
{
	bool has_python = snap__python_code_count() > 1;
	struct distinct known = {0};

	n->stacks = snap__stacks_count();
	if (snap__domain_count() > 1 || has_python)
		n->node_of = map_for(n, n->stacks * sizeof(*n->node_of));
	if (has_python)
		prepare_python(n, &known);
	for (uint32_t stack = 1; stack < n->stacks && !n->failed; stack++)
		number(n, &known, stack);
	end_python(n, &known);
}

void snap__numbering_release(struct snap__numbering *n)
{
	free_locations(n);
	if (n->node_of)
		snap__unmap(n->node_of, n->stacks * sizeof(*n->node_of));
	if (n->location_of)
		snap__unmap(n->location_of, n->stacks * sizeof(*n->location_of));
}
