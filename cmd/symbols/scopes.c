/*
 * scopes.c - what encloses a DIE: namespaces, classes, functions.
 */
#include "symbols/scopes.h"

#include <dwarf.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/search.h"

enum {
	KEPT_UNITS = 4, /* addresses are asked for in order, so mostly the last one matters */
	NO_PARENT = UINT32_MAX & INT32_MAX,
};

/** A DIE that may enclose others: everything from `begin` up to `end`. */
struct scope {
	uint64_t begin, end;
	uint32_t parent;
};

/** The scopes of one unit, in file order. */
struct unit_scopes {
	Dwarf_CU *unit;
	struct scope *items;
	uint32_t count;
	size_t room;
};

struct scopes {
	struct unit_scopes units[KEPT_UNITS];
	unsigned next; /* the one to replace */
};

struct scopes *scopes_new(void)
{
	return calloc(1, sizeof(struct scopes));
}

void scopes_free(struct scopes *scopes)
{
	if (!scopes)
		return;
	for (int i = 0; i < KEPT_UNITS; i++)
		free(scopes->units[i].items);
	free(scopes);
}

bool scopes_next_sibling(Dwarf_Die *die)
{
	Dwarf_Off before = dwarf_dieoffset(die);
	Dwarf_Die sibling;

	if (dwarf_siblingof(die, &sibling) != 0 || dwarf_dieoffset(&sibling) <= before)
		return false;
	*die = sibling;
	return true;
}

static bool may_enclose(int tag)
{
	switch (tag) {
	case DW_TAG_namespace:
	case DW_TAG_module:
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
	case DW_TAG_subprogram:
	case DW_TAG_lexical_block:
		return true;
	default:
		return false;
	}
}

/** Append a scope; NO_PARENT when memory is out. */
static uint32_t add_scope(struct unit_scopes *unit, uint64_t begin, uint32_t parent)
{
	if (!array_id_room(&unit->items, &unit->room, unit->count, 1, sizeof(*unit->items)))
		return NO_PARENT;
	unit->items[unit->count] = (struct scope){begin, UINT64_MAX, parent};
	return unit->count++;
}

static void walk(struct unit_scopes *unit, Dwarf_Die *parent_die, uint32_t parent, int depth)
{
	Dwarf_Die die;
	bool more = depth < SCOPES_MAX && dwarf_child(parent_die, &die) == 0;

	while (more) {
		uint32_t scope = NO_PARENT;

		if (may_enclose(dwarf_tag(&die)) && dwarf_haschildren(&die) > 0) {
			scope = add_scope(unit, dwarf_dieoffset(&die), parent);
			if (scope == NO_PARENT)
				return;
			walk(unit, &die, scope, depth + 1);
		}
		more = scopes_next_sibling(&die);
		if (scope != NO_PARENT && more)
			unit->items[scope].end = dwarf_dieoffset(&die);
	}
}

/** The scopes of `die`'s unit. */
static const struct unit_scopes *find_unit(struct scopes *scopes, Dwarf_Die *die)
{
	struct unit_scopes *unit;
	Dwarf_Die top;

	for (int i = 0; i < KEPT_UNITS; i++)
		if (scopes->units[i].unit == die->cu)
			return &scopes->units[i];
	unit = &scopes->units[scopes->next];
	scopes->next = (scopes->next + 1) % KEPT_UNITS;
	unit->unit = die->cu;
	unit->count = 0;
	if (dwarf_diecu(die, &top, NULL, NULL))
		walk(unit, &top, NO_PARENT, 0);
	for (uint32_t i = 0; i < unit->count; i++) {
		struct scope *scope = &unit->items[i];

		if (scope->end == UINT64_MAX && scope->parent != NO_PARENT)
			scope->end = unit->items[scope->parent].end; /* its last child */
	}
	return unit;
}

/** The innermost scope that begins before `offset` and contains it. */
static uint32_t innermost(const struct unit_scopes *unit, uint64_t offset)
{
	size_t after;
	uint32_t scope;

	SEARCH(after, 0, unit->count, unit->items[after].begin < offset);
	if (!after)
		return NO_PARENT;
	for (scope = (uint32_t)after - 1; scope != NO_PARENT && unit->items[scope].end <= offset;)
		scope = unit->items[scope].parent;
	return scope;
}

size_t scopes_around(struct scopes *scopes, Dwarf_Die *die, Dwarf_Die around[SCOPES_MAX])
{
	const struct unit_scopes *unit = find_unit(scopes, die);
	Dwarf *dwarf = dwarf_cu_getdwarf(die->cu);
	uint32_t scope = innermost(unit, dwarf_dieoffset(die));
	size_t count = 0;

	for (; scope != NO_PARENT && count < SCOPES_MAX; scope = unit->items[scope].parent)
		if (dwarf_offdie(dwarf, unit->items[scope].begin, &around[count]))
			count++;
	return count;
}
