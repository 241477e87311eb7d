/*
 * runtime/python/arenas.c - which arenas there are, and a walk through their pools.
 *
 * The table of arenas is a radix tree: a leaf has an entry for each 256 KiB of 1 GiB, in which at
 * most one arena begins.  An arena that is being read is not unmapped: a thread that gives it back
 * waits for the few microseconds that this takes.  If the reader does not finish, the arena is
 * kept.
 */
#include "runtime/python/arenas.h"

#include <stdatomic.h>
#include <string.h>

#include "runtime/arena.h"
#include "runtime/hidden.h"
#include "runtime/os_linux.h"
#include "runtime/python/find.h"
#include "runtime/resident.h"
#include "runtime/text.h"

#define PAGE         4096u
#define UNIT_BITS    18u /* the smallest arena, of up to 3.9 */
#define LEAF_BITS    12u
#define TOP_BITS     17u
#define LEAF_ENTRIES (1u << LEAF_BITS)
#define UNITS_MASK   4095u /* low bits of an entry: the arena's size in units */
#define MOST_PAGES   4096u /* of an arena */

#define CLASSES     32u /* 16, 32, ... 512 bytes */
#define CLASS_STEP  16u
#define POOL_HEADER 48u
#define QUARTERS    4u
#define WAIT_NS     1000000000u

typedef _Atomic uint64_t entry;

static entry *_Atomic top[1u << TOP_BITS] SNAP__PAGES;
static _Atomic uintptr_t first_top = UINTPTR_MAX, last_top;
static _Atomic uint64_t reading;     /* the entry of the arena that is being read; 0: none is */
static _Atomic uint64_t piece_bytes; /* of memory that is no arena: frames, from 3.11 on */

/* A pool's header, as far as it is needed. */
struct pool {
	uint32_t used; /* blocks */
	uint32_t unused;
	uint64_t free_list, next, previous;
	uint32_t arena, class;
	uint32_t next_offset; /* 0: nothing was ever in the pool */
	uint32_t last_offset;
};

struct class
{
	uint64_t pools, used, free;
};

static struct walk {
	uint32_t pool_size;
	uint64_t arenas, bytes, resident, free, empty, untouched;
	uint64_t by_use[QUARTERS];
	struct class classes[CLASSES];
} walk;

/* ---- the table ------------------------------------------------------------------------------- */

static void note_bounds(uintptr_t index)
{
	uintptr_t seen = atomic_load(&first_top);

	while (index < seen && !atomic_compare_exchange_weak(&first_top, &seen, index))
		;
	seen = atomic_load(&last_top);
	while (index > seen && !atomic_compare_exchange_weak(&last_top, &seen, index))
		;
}

static entry *entry_of(uintptr_t base, bool create)
{
	uintptr_t index = base >> (UNIT_BITS + LEAF_BITS);
	entry *leaf, *none = NULL;

	if (index >> TOP_BITS != 0)
		return NULL;
	leaf = atomic_load(&top[index]);
	if (!leaf && create) {
		leaf = snap__arena_alloc(LEAF_ENTRIES * sizeof(entry));
		if (leaf && !atomic_compare_exchange_strong(&top[index], &none, leaf))
			leaf = none; /* another thread was faster */
		note_bounds(index);
	}
	return leaf ? &leaf[base >> UNIT_BITS & (LEAF_ENTRIES - 1)] : NULL;
}

/* Is it an arena, and not a piece of a stack of frames? */
static bool is_arena(uintptr_t base, size_t size)
{
	return size >= 1u << UNIT_BITS && size >> UNIT_BITS <= UNITS_MASK &&
	       size / PAGE <= MOST_PAGES && base % PAGE == 0;
}

void snap__python_arena_came(const void *base, size_t size)
{
	entry *found;

	if (!is_arena((uintptr_t)base, size)) {
		atomic_fetch_add(&piece_bytes, size);
		return;
	}
	found = entry_of((uintptr_t)base, true);
	if (found)
		atomic_store(found, (uintptr_t)base | size >> UNIT_BITS);
}

/* False: it is still being read. */
static bool wait_for_reader(uint64_t arena)
{
	uint64_t began = 0;

	while (arena && atomic_load(&reading) == arena) {
		uint64_t now = snap__os_mono_ns();

		began = began ? began : now;
		if (now - began > WAIT_NS)
			return false;
		snap__os_yield();
	}
	return true;
}

bool snap__python_arena_goes(const void *base, size_t size)
{
	entry *found;

	if (!is_arena((uintptr_t)base, size)) {
		if (atomic_load(&piece_bytes) >= size) /* some came before recording began */
			atomic_fetch_sub(&piece_bytes, size);
		return true;
	}
	found = entry_of((uintptr_t)base, false);
	return !found || wait_for_reader(atomic_exchange(found, 0));
}

void snap__python_arenas_after_fork(void)
{
	atomic_store(&reading, 0);
}

/* ---- the walk -------------------------------------------------------------------------------- */

/* Its pages in memory. */
static uint64_t resident_of(const bool *present, uintptr_t base, uintptr_t from, uintptr_t to)
{
	uint64_t sum = 0;

	for (uintptr_t page = (from - base) / PAGE; page < (to - base) / PAGE; page++)
		sum += present[page] ? PAGE : 0;
	return sum;
}

/* False: the header cannot be right. */
static bool read_pool(uintptr_t at, struct pool *pool)
{
	uint32_t size;

	memcpy(pool, (const void *)at, sizeof(*pool));
	size = (pool->class + 1) * CLASS_STEP;
	return pool->class < CLASSES && pool->used <= (walk.pool_size - POOL_HEADER) / size &&
	       pool->next_offset <= walk.pool_size + size;
}

/* Bytes of its blocks in use. */
static uint64_t add_pool(uintptr_t at, uint64_t resident)
{
	struct pool pool;
	struct class *class;
	uint64_t size, used;

	if (resident == 0 || !read_pool(at, &pool)) {
		walk.untouched += resident == 0;
		return 0;
	}
	if (pool.next_offset == 0 || pool.used == 0) {
		walk.untouched += pool.next_offset == 0;
		walk.empty += pool.next_offset != 0;
		walk.free += resident;
		return 0;
	}
	class = &walk.classes[pool.class];
	size = (pool.class + 1) * CLASS_STEP;
	used = pool.used * size;
	class->pools++;
	class->used += pool.used;
	class->free += (walk.pool_size - POOL_HEADER) / size - pool.used;
	walk.free += resident > used + POOL_HEADER ? resident - used - POOL_HEADER : 0;
	return used;
}

static void add_arena(uintptr_t base, uintptr_t size)
{
	static bool present[MOST_PAGES] SNAP__PAGES;
	uintptr_t end = base + size,
		  at = (base + walk.pool_size - 1) & ~(uintptr_t)(walk.pool_size - 1);
	uint64_t used = 0;

	walk.arenas++;
	walk.bytes += size;
	walk.resident += snap__resident_pages(base, end, present);
	for (; at + walk.pool_size <= end; at += walk.pool_size)
		used += add_pool(at, resident_of(present, base, at, at + walk.pool_size));
	used = used * QUARTERS / size;
	walk.by_use[used < QUARTERS ? used : QUARTERS - 1]++;
}

static void add_arenas(void)
{
	for (uintptr_t i = atomic_load(&first_top); i <= atomic_load(&last_top); i++) {
		entry *leaf = atomic_load(&top[i]);

		for (unsigned e = 0; leaf && e < LEAF_ENTRIES; e++) {
			uint64_t arena = atomic_load(&leaf[e]);

			atomic_store(&reading, arena);
			if (arena && atomic_load(&leaf[e]) == arena) /* it will stay */
				add_arena(arena & ~(uint64_t)UNITS_MASK, (arena & UNITS_MASK)
										 << UNIT_BITS);
		}
	}
}

bool snap__python_arenas_each(snap__python_arena_fn *fn, void *user)
{
	memset(&walk, 0, sizeof(walk));
	if (atomic_load(&first_top) == UINTPTR_MAX || !snap__python.layout)
		return false;
	walk.pool_size = snap__python.layout->minor >= 10 ? 4 * PAGE : PAGE;
	add_arenas();
	atomic_store(&reading, 0);
	fn(user, "pymalloc.arenas", walk.arenas);
	fn(user, "pymalloc.arena_bytes", walk.bytes);
	fn(user, "pymalloc.resident", walk.resident);
	fn(user, "pymalloc.free", walk.free);
	fn(user, "pymalloc.frames", atomic_load(&piece_bytes));
	return true;
}

/* ---- in words -------------------------------------------------------------------------------- */

static void add_pair(struct snap__text *text, const char *key, uint64_t value)
{
	snap__text_add(text, key);
	snap__text_add_u64(text, value);
}

const char *snap__python_arenas_classes(void)
{
	static char buffer[3072] SNAP__PAGES;
	struct snap__text text;

	if (walk.arenas == 0)
		return "";
	text = SNAP__TEXT(buffer);
	add_pair(&text, "pool=", walk.pool_size);
	add_pair(&text, " empty=", walk.empty);
	add_pair(&text, " untouched=", walk.untouched);
	for (unsigned i = 0; i < QUARTERS; i++)
		add_pair(&text, i ? "," : " by_use=", walk.by_use[i]);
	for (unsigned i = 0; i < CLASSES; i++) {
		const struct class *class = &walk.classes[i];

		if (class->pools == 0)
			continue;
		add_pair(&text, " ", (uint64_t)(i + 1) * CLASS_STEP);
		add_pair(&text, ":", class->pools);
		add_pair(&text, ":", class->used);
		add_pair(&text, ":", class->free);
	}
	return buffer;
}
