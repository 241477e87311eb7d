/*
 * runtime/python/reuse.c - find freed objects among the interpreter's blocks.
 *
 * A freed object still says what type it has.  Its count of references is 0; from 3.14 on, the
 * address of the next freed object may stand there instead.
 */
#include "runtime/python/reuse.h"

#include "runtime/domains.h"
#include "runtime/holders/copy.h"
#include "runtime/python/find.h"
#include "runtime/python/frames.h"
#include "runtime/python/objects.h"
#include "runtime/python/python.h"
#include "runtime/python/untold.h"
#include "runtime/stacks.h"

#define LARGEST     512u /* of an object that is kept */
#define TICK_EVERY  65536u
#define PAGE_WORDS  512u
#define STATE_WORDS (128u * PAGE_WORDS) /* of the interpreter's state: the table is within these */

struct search {
	snap__reuse_fn *fn;
	uint64_t looked;
};

/* Objects of a known type.  An object of a class has a header in front of the collector's. */
static bool is_type_of(const char *type, size_t header)
{
	uint32_t known = snap__object_at(type);
	uint64_t flags;

	if (known == SNAP__NO_OBJECT ||
	    !(snap__type_flags(snap__python_type(type)) & SNAP__TYPE_IS_TYPE))
		return false;
	flags = snap__type_flags(type);
	return header == (flags & SNAP__TYPE_HAS_GC ? SNAP__PYTHON_GC_HEADER : 0u);
}

/* Is there a link to the next freed object, or to none, in place of the count? */
static bool has_no_references(const char *object, size_t header)
{
	uintptr_t word = snap__python_word(object, 0);
	struct snap__block next;

	if (word == 0)
		return true;
	return snap__python.layout->minor >= 14 && word > UINT32_MAX &&
	       snap__heapmap_find(word - header, &next);
}

/* The type of the freed object that begins behind `header` bytes of the block; NULL: there is none. */
static const char *type_of_freed(uintptr_t address, size_t size, size_t header)
{
	const char *object = (const char *)address + header, *type;

	if (size < header + SNAP__PYTHON_VAR_SIZE || !has_no_references(object, header) ||
	    snap__object_at(object) != SNAP__NO_OBJECT)
		return NULL;
	type = snap__python_type(object);
	return is_type_of(type, header) ? type : NULL;
}

/* Python's own allocators gave this block to Python code or to the interpreter. */
static bool is_of_python(uint32_t stack)
{
	uintptr_t pc = stack ? snap__stacks_pc(stack) : 0;

	return pc == SNAP__PC_DOMAIN + snap__python_domain || snap__python_is_pc(pc);
}

static void look_at(void *user, uintptr_t address, const struct snap__block *block)
{
	struct search *search = user;
	const char *type;

	if (++search->looked % TICK_EVERY == 0)
		snap__copy_tick();
	if (block->size > LARGEST || !is_of_python(block->stack))
		return;
	type = type_of_freed(address, block->size, SNAP__PYTHON_GC_HEADER);
	if (!type)
		type = type_of_freed(address, block->size, 0);
	if (type)
		search->fn(type, block);
}

/* An entry of the table of names: the version of a type, the name, and what it stands for. */
static void look_at_names(struct snap__space *space, snap__reuse_fn *fn)
{
	uintptr_t state = (uintptr_t)snap__python.main_interpreter();
	struct snap__block block;

	if (snap__python.layout->minor < 10) /* the table is elsewhere */
		return;
	for (size_t i = 1; i < STATE_WORDS; i++) {
		uintptr_t at = state + i * sizeof(void *), word;

		if (i % PAGE_WORDS == 1 &&
		    !snap__space_is_readable(space, at, at + PAGE_WORDS * sizeof(void *)))
			return;
		word = snap__python_word((const void *)at, 0);
		if (word <= UINT32_MAX || word % 16 != 0 ||
		    snap__python_word((const void *)(at - sizeof(void *)), 0) - 1 >= UINT32_MAX ||
		    snap__object_at((const void *)word) != SNAP__NO_OBJECT ||
		    !snap__heapmap_find(word, &block) || !snap__untold_is_object(space, word) ||
		    snap__python_type((const void *)word) != snap__python.str_type)
			continue;
		fn(snap__python.str_type, &block);
	}
}

void snap__reuse_each(struct snap__space *space, snap__reuse_fn *fn)
{
	struct search search = {.fn = fn};

	snap__heapmap_walk_at(look_at, &search);
	look_at_names(space, fn);
}
