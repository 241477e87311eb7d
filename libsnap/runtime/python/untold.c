/*
 * runtime/python/untold.c - search the memory of objects for addresses of other objects.
 *
 * An address counts if a recorded block begins there whose contents look like a live object in
 * every respect.  If enough objects of a type were searched without a new find, the type is not
 * searched any more.
 */
#include "runtime/python/untold.h"

#include "runtime/heapmap.h"
#include "runtime/holders/copy.h"
#include "runtime/python/find.h"
#include "runtime/python/objects.h"
#include "runtime/python/sound.h"
#include "runtime/python/types.h"
#include "runtime/text.h"

#define TYPE_BASE   256 /* in a type: the same from 3.9 on */
#define TYPE_END    416u
#define MOST_BASES  64u
#define MOST_TYPES  65536u
#define ENOUGH      128u /* objects of a type that had nothing more to find */
#define OWN_WORDS   32u
#define MOST_BLOCKS 3u                 /* from the object to the address */
#define MOST_IN_ONE ((size_t)64 << 10) /* bytes of a block */
#define MOST_IN_ALL ((size_t)64 << 20)

/* Types whose objects tell the collector everything, and are many. */
#define TELLS_ALL                                                                                  \
	(SNAP__TYPE_IS_INT | SNAP__TYPE_IS_LIST | SNAP__TYPE_IS_TUPLE | SNAP__TYPE_IS_BYTES |      \
	 SNAP__TYPE_IS_STR | SNAP__TYPE_IS_DICT | SNAP__TYPE_IS_TYPE)

struct search {
	struct snap__space *space;
	snap__untold_fn *fn;
	uint32_t object, found;
};

static const struct snap__objects *const o = &snap__objects;
static uint8_t *told; /* by type: objects that had nothing more to find; ENOUGH: no more are
		         searched */
static size_t searched;
static uint64_t unsearched; /* objects that came when that was enough */

/* ---- is it an object? -------------------------------------------------------------------------- */

static bool is_readable(const struct search *search, uintptr_t at, size_t size)
{
	return at % sizeof(uintptr_t) == 0 && snap__space_is_readable(search->space, at, at + size);
}

static bool is_type(const struct search *search, const char *type)
{
	return (snap__object_at(type) != SNAP__NO_OBJECT ||
		is_readable(search, (uintptr_t)type, TYPE_END)) &&
	       snap__is_sound_type(search->space, (uintptr_t)type);
}

/* In the collector's lists, the neighbours on both sides lead back to it. */
static bool is_tracked(const struct search *search, uintptr_t header)
{
	uintptr_t next = snap__python_word((const char *)header, 0) & ~(uintptr_t)3;
	uintptr_t before = snap__python_word((const char *)header, 8) & ~(uintptr_t)3;

	return is_readable(search, next, 16) && is_readable(search, before, 16) &&
	       (snap__python_word((const char *)next, 8) & ~(uintptr_t)3) == header &&
	       (snap__python_word((const char *)before, 0) & ~(uintptr_t)3) == header;
}

/* The collector does not need to know of a dict or a tuple of plain values. */
static bool may_be_untracked(const char *type)
{
	return type == snap__python.dict_type || type == snap__python.tuple_type;
}

/* How many references it has; 0: it was freed, and the address of another freed object may stand there
 * (3.14), or it cannot be so. */
static uint32_t count_of(const char *object)
{
	uint64_t word = snap__python_word(object, 0);
	uint64_t rest = snap__python.layout->minor < 14 ? word >> 32 : word >> 32 & 0xffff;

	return rest == 0 && (uint32_t)word <= INT32_MAX ? (uint32_t)word : 0;
}

static bool is_alive(const struct search *search, const char *object, size_t size)
{
	const char *type = snap__python_type(object);
	size_t header;

	if (count_of(object) == 0 || !is_type(search, type))
		return false;
	header = snap__object_header(object);
	if (header > size || snap__object_size(object) > size)
		return false;
	if (!(snap__type_flags(type) & SNAP__TYPE_HAS_GC) || may_be_untracked(type))
		return true;
	return is_tracked(search, (uintptr_t)object - SNAP__PYTHON_GC_HEADER);
}

/* A block that begins at `address`: what the program mapped need not be readable. */
static bool find_block(const struct search *search, uintptr_t address, struct snap__block *block)
{
	return snap__heapmap_find(address, block) &&
	       snap__space_is_readable(
		       search->space, address,
		       address + (block->size < MOST_IN_ONE ? block->size : MOST_IN_ONE));
}

/* Does a block begin at the header of an object at `address`? */
static bool is_object(const struct search *search, uintptr_t address)
{
	const char *object = (const char *)address;
	struct snap__block block;

	for (size_t header = 0; header <= 2u * SNAP__PYTHON_GC_HEADER;
	     header += SNAP__PYTHON_GC_HEADER)
		if (find_block(search, address - header, &block) &&
		    block.size >= header + SNAP__PYTHON_VAR_SIZE &&
		    is_alive(search, object, block.size))
			return snap__object_header(object) == header;
	return false;
}

bool snap__untold_is_object(struct snap__space *space, uintptr_t address)
{
	struct search search = {.space = space};

	return address % 16 == 0 && address > 65536 && is_object(&search, address);
}

/* ---- whose memory is searched ------------------------------------------------------------------ */

/* Addresses in these types may be no references: weak references, a value that another object
   keeps, and an item that was taken out of a deque but is still in its block. */
static bool has_borrowed(const char *type)
{
	static const char *const names[] = {
		"weakref",
		"weakref.ReferenceType",
		"weakproxy",
		"weakref.ProxyType",
		"weakcallableproxy",
		"weakref.CallableProxyType",
		"ContextVar",
		"_contextvars.ContextVar",
		"collections.deque",
		"frame",
		"generator",
		"coroutine",
		"async_generator",
		"code",
		NULL,
	};

	for (uint32_t i = 0; type && i < MOST_BASES;
	     i++, type = snap__python_pointer(type, TYPE_BASE))
		for (size_t n = 0; names[n]; n++)
			if (snap__equal(snap__type_short_name(type), names[n]))
				return true;
	return false;
}

static uint8_t *told_by(const char *type)
{
	uint32_t number = snap__type_number(type), before = snap__type_count();

	if (!told)
		told = snap__copy_need(MOST_TYPES);
	if (number >= MOST_TYPES)
		return NULL;
	if (number == before - 1 && told[number] == 0 && has_borrowed(type))
		told[number] = ENOUGH;
	return &told[number];
}

/* ---- the search -------------------------------------------------------------------------------- */

static void look_at(struct search *search, uintptr_t word, uint32_t blocks);

static void look_into(struct search *search, const char *memory, size_t size, uint32_t blocks)
{
	if (size > MOST_IN_ONE)
		size = MOST_IN_ONE;
	searched += size;
	for (size_t i = 0; i + sizeof(uintptr_t) <= size && searched < MOST_IN_ALL;
	     i += sizeof(uintptr_t))
		look_at(search, snap__python_word(memory, i), blocks);
}

static void look_at(struct search *search, uintptr_t word, uint32_t blocks)
{
	struct snap__block block;

	if (word % 16 != 0 || word <= 65536 ||
	    snap__object_at((const char *)word) != SNAP__NO_OBJECT)
		return;
	if (is_object(search, word)) {
		search->fn(search->object, (const char *)word);
		search->found++;
	} else if (blocks < MOST_BLOCKS && find_block(search, word, &block) &&
		   snap__object_at((const char *)word + SNAP__PYTHON_GC_HEADER) ==
			   SNAP__NO_OBJECT) {
		look_into(search, (const char *)word, block.size, blocks + 1);
	}
}

void snap__untold_each(struct snap__space *space, uint32_t object, snap__untold_fn *fn)
{
	struct search search = {space, fn, object, 0};
	const char *at = o->at[object], *type = snap__python_type(at);
	size_t size, most = OWN_WORDS * sizeof(uintptr_t);
	uint8_t *told_everything;

	if (snap__type_flags(type) & TELLS_ALL)
		return;
	told_everything = told_by(type);
	if (!told_everything || *told_everything >= ENOUGH)
		return;
	if (searched >= MOST_IN_ALL) {
		unsearched++;
		return;
	}
	size = snap__object_size(at) - snap__object_header(at);
	look_into(&search, at + SNAP__PYTHON_VAR_SIZE,
		  (size < most ? size : most) - SNAP__PYTHON_VAR_SIZE, 0);
	if (searched >= MOST_IN_ALL)
		unsearched++; /* in part */
	else if (!search.found)
		++*told_everything;
}

uint64_t snap__untold_unsearched(void)
{
	return unsearched;
}
