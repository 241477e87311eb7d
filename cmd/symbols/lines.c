/*
 * lines.c - DWARF, indexed lazily: units by address, then each needed unit's functions.
 *
 * libdw's own look-ups need .debug_aranges, which clang and rustc do not write, and walk a unit
 * once per address.  Here a unit is walked once, when its first address is asked for. The files are
 * not trusted: every walk moves forward only and has a depth limit.
 */
#include "symbols/lines.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/memory.h"
#include "base/search.h"
#include "symbols/scopes.h"
#include "symbols/signature.h"

enum { DEPTH_MAX = 64 };

/** Addresses [low, high) of a function or, in lines.ranges, of a unit. */
struct range {
	uint64_t low, high;
	Dwarf_Die die; /* of the function */
	size_t unit;
};

struct ranges {
	struct range *items;
	size_t count, room;
};

struct unit {
	Dwarf_Die die;     /* has the line table */
	Dwarf_Die content; /* has the functions; another one where DWARF is split */
	const char *directory;
	struct ranges functions;
	bool walked;
	bool walked_deep; /* into functions and types as well */
	bool cxx;
};

struct lines {
	Dwarf *dwarf;
	const struct functions *symbols;
	struct texts *texts;
	struct unit *units;
	size_t unit_count, unit_room;
	struct ranges ranges;
	struct scopes *scopes;
};

/* Ranges. */

static bool ranges_add(struct ranges *ranges, const struct range *range)
{
	if (!array_reserve(&ranges->items, &ranges->room, ranges->count, sizeof(*ranges->items)))
		return false;
	ranges->items[ranges->count++] = *range;
	return true;
}

/** Add all addresses that `die` covers.  Linkers leave what they discarded at 0 or at the top. */
static bool ranges_add_die(struct ranges *ranges, Dwarf_Die *die, size_t unit)
{
	struct range range = {.die = *die, .unit = unit};
	Dwarf_Addr base;
	ptrdiff_t offset = 0;

	while ((offset = dwarf_ranges(die, offset, &base, &range.low, &range.high)) > 0)
		if (range.low && range.low < range.high && !ranges_add(ranges, &range))
			return false;
	return true;
}

static int compare_ranges(const void *left, const void *right)
{
	const struct range *a = left, *b = right;

	if (a->low != b->low)
		return a->low < b->low ? -1 : 1;
	return (a->high > b->high) - (a->high < b->high);
}

static void ranges_sort(struct ranges *ranges)
{
	if (ranges->count)
		qsort(ranges->items, ranges->count, sizeof(*ranges->items), compare_ranges);
}

static const struct range *ranges_find(const struct ranges *ranges, uint64_t address)
{
	size_t after;

	SEARCH(after, 0, ranges->count, ranges->items[after].low <= address);
	if (!after || address >= ranges->items[after - 1].high)
		return NULL;
	return &ranges->items[after - 1];
}

/* Units. */

static bool is_cxx(Dwarf_Die *unit)
{
	switch (dwarf_srclang(unit)) {
	case DW_LANG_C_plus_plus:
	case DW_LANG_C_plus_plus_03:
	case DW_LANG_C_plus_plus_11:
	case DW_LANG_C_plus_plus_14:
	case 0x2b: /* C++17 and C++20, newer than our dwarf.h */
	case 0x2c:
	case DW_LANG_ObjC_plus_plus:
		return true;
	default:
		return false;
	}
}

static bool add_unit(struct lines *lines, Dwarf_Die *die, Dwarf_Die *content)
{
	struct unit unit = {.die = *die, .content = *content, .cxx = is_cxx(content)};
	Dwarf_Attribute attribute;

	if (!array_reserve(&lines->units, &lines->unit_room, lines->unit_count,
			   sizeof(*lines->units)))
		return false;
	unit.directory = dwarf_formstring(dwarf_attr(die, DW_AT_comp_dir, &attribute));
	lines->units[lines->unit_count] = unit;
	return ranges_add_die(&lines->ranges, die, lines->unit_count++);
}

static bool add_units(struct lines *lines)
{
	Dwarf_CU *unit = NULL;
	uint8_t type;
	Dwarf_Die die, split;

	while (dwarf_get_units(lines->dwarf, unit, &unit, NULL, &type, &die, &split) == 0) {
		bool is_split = type == DW_UT_skeleton && split.addr;

		if (type != DW_UT_type && type != DW_UT_split_type && die.addr &&
		    !add_unit(lines, &die, is_split ? &split : &die))
			return false;
	}
	ranges_sort(&lines->ranges);
	return true;
}

struct lines *lines_new(Dwarf *dwarf, const struct functions *functions, struct texts *texts)
{
	struct lines *lines = calloc(1, sizeof(*lines));

	if (!lines)
		return NULL;
	lines->dwarf = dwarf;
	lines->symbols = functions;
	lines->texts = texts;
	lines->scopes = scopes_new();
	if (!lines->scopes || !add_units(lines)) {
		lines_free(lines);
		return NULL;
	}
	return lines;
}

void lines_free(struct lines *lines)
{
	if (!lines)
		return;
	for (size_t i = 0; i < lines->unit_count; i++)
		free(lines->units[i].functions.items);
	free(lines->units);
	free(lines->ranges.items);
	scopes_free(lines->scopes);
	free(lines);
}

/* Functions of a unit. */

static bool is_scope(int tag, bool deep)
{
	switch (tag) {
	case DW_TAG_namespace:
	case DW_TAG_module:
		return true;
	case DW_TAG_subprogram:
	case DW_TAG_lexical_block:
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
		return deep;
	default:
		return false;
	}
}

/** Collect the functions below `parent`. */
static bool walk_functions(struct unit *unit, Dwarf_Die *parent, bool deep, int depth)
{
	Dwarf_Die die;

	if (depth > DEPTH_MAX || dwarf_child(parent, &die) != 0)
		return true;
	do {
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_subprogram && !ranges_add_die(&unit->functions, &die, 0))
			return false;
		if (is_scope(tag, deep) && !walk_functions(unit, &die, deep, depth + 1))
			return false;
	} while (scopes_next_sibling(&die));
	return true;
}

static void walk_unit(struct unit *unit, bool deep)
{
	unit->functions.count = 0;
	if (!walk_functions(unit, &unit->content, deep, 0))
		memory_need(NULL, "reading debug information");
	ranges_sort(&unit->functions);
	unit->walked = true;
	unit->walked_deep = deep;
}

/** The function at `address`.  Few are found only inside others (nested functions, local types). */
static const struct range *find_function(struct unit *unit, uint64_t address)
{
	const struct range *found;

	if (!unit->walked)
		walk_unit(unit, false);
	found = ranges_find(&unit->functions, address);
	if (!found && !unit->walked_deep) {
		walk_unit(unit, true);
		found = ranges_find(&unit->functions, address);
	}
	return found;
}

/* Inlined calls. */

/** The child of `die` that covers `address` and may hold inlined calls; false if there is none. */
static bool child_at(Dwarf_Die *die, uint64_t address, Dwarf_Die *child)
{
	if (dwarf_child(die, child) != 0)
		return false;
	do {
		int tag = dwarf_tag(child);

		if ((tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block ||
		     tag == DW_TAG_try_block || tag == DW_TAG_catch_block) &&
		    dwarf_haspc(child, address) > 0)
			return true;
	} while (scopes_next_sibling(child));
	return false;
}

/** The function and the calls inlined into it at `address`, outermost first. */
static size_t find_chain(const Dwarf_Die *function, uint64_t address,
			 Dwarf_Die chain[LINES_FRAMES_MAX])
{
	size_t count = 1;
	Dwarf_Die die = *function;
	Dwarf_Die child;

	chain[0] = *function;
	for (int depth = 0; depth < 4 * LINES_FRAMES_MAX && count < LINES_FRAMES_MAX; depth++) {
		if (!child_at(&die, address, &child))
			break;
		if (dwarf_tag(&child) == DW_TAG_inlined_subroutine)
			chain[count++] = child;
		die = child;
	}
	return count;
}

/* Names. */

static const char *string_attribute(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute attribute;

	return dwarf_formstring(dwarf_attr_integrate(die, name, &attribute));
}

/** Static functions of C++ have no linkage name in GCC's DWARF: their symbol has it, if it is
 * theirs. */
static const char *symbol_name(struct lines *lines, Dwarf_Die *function, uint64_t bias)
{
	const struct function *symbol;
	Dwarf_Addr low;

	if (dwarf_tag(function) != DW_TAG_subprogram || dwarf_lowpc(function, &low) != 0)
		return NULL;
	symbol = functions_find(lines->symbols, low - bias);
	return symbol && symbol->begin == low - bias ? symbol->name : NULL;
}

static const char *function_name(struct lines *lines, struct unit *unit, Dwarf_Die *die,
				 uint64_t bias)
{
	const char *name = string_attribute(die, DW_AT_linkage_name);
	char *signature;

	if (!name)
		name = string_attribute(die, DW_AT_MIPS_linkage_name);
	if (name)
		return texts_function(lines->texts, name);
	if (unit->cxx && !signature_is_plain(die)) {
		name = symbol_name(lines, die, bias);
		if (name)
			return texts_function(lines->texts, name);
		signature = signature_of(lines->scopes, die);
		name = texts_keep(lines->texts, signature ? signature : "");
		free(signature);
		return name;
	}
	name = dwarf_diename(die);
	if (!name)
		name = symbol_name(lines, die, bias);
	return name ? texts_function(lines->texts, name) : "";
}

/* Lines. */

/** Code without a line of its own is said to be in the file of the function that it is in. */
static void line_of_address(struct lines *lines, struct unit *unit, Dwarf_Die *function,
			    uint64_t address, struct symbol_frame *frame)
{
	Dwarf_Line *line = dwarf_getsrc_die(&unit->die, address);
	const char *file = NULL;
	int number = 0;

	if (line && dwarf_lineno(line, &number) == 0 && number > 0) {
		frame->line = (uint32_t)number;
		file = dwarf_linesrc(line, NULL, NULL);
	} else {
		file = dwarf_decl_file(function);
	}
	if (file)
		frame->file = texts_file(lines->texts, file, unit->directory);
}

static uint64_t number_attribute(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value = 0;

	if (dwarf_formudata(dwarf_attr(die, name, &attribute), &value) != 0)
		return 0;
	return value;
}

/** The file and line of the inlined call `die`. */
static void line_of_call(struct lines *lines, struct unit *unit, Dwarf_Die *die,
			 struct symbol_frame *frame)
{
	uint64_t index = number_attribute(die, DW_AT_call_file);
	uint64_t line = number_attribute(die, DW_AT_call_line);
	Dwarf_Files *files;
	size_t count;
	const char *file;

	frame->line = line <= UINT32_MAX ? (uint32_t)line : 0;
	if (dwarf_getsrcfiles(&unit->content, &files, &count) != 0 || index >= count)
		return;
	file = dwarf_filesrc(files, index, NULL, NULL);
	if (file)
		frame->file = texts_file(lines->texts, file, unit->directory);
}

size_t lines_find(struct lines *lines, uint64_t address, uint64_t bias,
		  struct symbol_frame frames[LINES_FRAMES_MAX])
{
	const struct range *range = ranges_find(&lines->ranges, address);
	struct unit *unit = range ? &lines->units[range->unit] : NULL;
	const struct range *function = unit ? find_function(unit, address) : NULL;
	Dwarf_Die chain[LINES_FRAMES_MAX];
	size_t count;

	if (!function)
		return 0;
	count = find_chain(&function->die, address, chain);
	for (size_t i = 0; i < count; i++) {
		Dwarf_Die *die = &chain[count - 1 - i];

		frames[i] = (struct symbol_frame){.file = "", .inlined = i + 1 < count};
		frames[i].function = function_name(lines, unit, die, bias);
		if (i == 0)
			line_of_address(lines, unit, die, address, &frames[i]);
		else
			line_of_call(lines, unit, &chain[count - i], &frames[i]);
	}
	return count;
}
