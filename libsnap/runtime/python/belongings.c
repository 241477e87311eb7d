/*
 * runtime/python/belongings.c - from objects to the blocks behind them.
 *
 * Pointers inside of blocks are not known by type: a word that is the address of a block counts as
 * one.  Blocks are followed in the order in which they were found, so that the nearest object wins.
 */
#include "runtime/python/belongings.h"

#include "runtime/holders/copy.h"
#include "runtime/python/find.h"
#include "runtime/python/objects.h"

#define FIRST_CLAIMS 65536u
#define FIRST_QUEUE  4096u
#define OWN_WORDS    32u                   /* of an object that are looked at */
#define MOST_IN_ONE  ((size_t)1 << 20)     /* bytes of one block that are looked at */
#define MOST_IN_ALL  ((uint64_t)256 << 20) /* of all blocks */
#define TICK_EVERY   4096u

/* Types whose objects point to no further blocks, or only to other objects. */
#define HAS_NO_BLOCKS                                                                              \
	(SNAP__TYPE_IS_INT | SNAP__TYPE_IS_TUPLE | SNAP__TYPE_IS_BYTES | SNAP__TYPE_IS_STR)

struct found {
	uintptr_t address;
	size_t size;
	uint32_t object;
};

static const struct snap__objects *const o = &snap__objects;
static uintptr_t *claimed; /* 0 is empty */
static size_t claimed_count, claimed_capacity;
static struct found *queue;
static size_t queue_count, queue_capacity;

/* ---- who has it already ------------------------------------------------------------------------ */

static uintptr_t *claim_slot(uintptr_t address)
{
	size_t i = (size_t)((address >> 4) * 0x9e3779b97f4a7c15u >> 20) & (claimed_capacity - 1);

	while (claimed[i] && claimed[i] != address)
		i = (i + 1) & (claimed_capacity - 1);
	return &claimed[i];
}

static void grow_claimed(void)
{
	uintptr_t *old = claimed;
	size_t old_capacity = claimed_capacity;

	claimed_capacity = old ? 2 * old_capacity : FIRST_CLAIMS;
	claimed = snap__copy_need(claimed_capacity * sizeof(*claimed));
	for (size_t i = 0; i < old_capacity; i++)
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): without old ones, none is looked at */
		if (old[i])
			*claim_slot(old[i]) = old[i];
	if (old)
		snap__copy_give_back(old, old_capacity * sizeof(*old));
}

/* False: it belongs to an object already.  Instances share the table of their names, for one. */
static bool claim(uintptr_t address)
{
	uintptr_t *slot;

	if (2 * claimed_count >= claimed_capacity)
		grow_claimed();
	slot = claim_slot(address);
	if (*slot)
		return false;
	*slot = address;
	claimed_count++;
	return true;
}

static bool is_object(uintptr_t block)
{
	const char *at = (const char *)block;

	return snap__object_at(at) != SNAP__NO_OBJECT ||
	       snap__object_at(at + SNAP__PYTHON_GC_HEADER) != SNAP__NO_OBJECT ||
	       snap__object_at(at + 2 * SNAP__PYTHON_GC_HEADER) != SNAP__NO_OBJECT;
}

/* A block that is known and begins at `word`, and is no object. */
static bool is_own_block(uintptr_t word, bool may_be_object, struct snap__block *block)
{
	return word % 16 == 0 && word > 4096 && snap__heapmap_find(word, block) &&
	       !(may_be_object && is_object(word)) && claim(word);
}

/* ---- those behind them ------------------------------------------------------------------------- */

static void put_in_queue(uintptr_t address, size_t size, uint32_t object)
{
	if (queue_count == queue_capacity) {
		size_t old = queue_capacity * sizeof(*queue);

		queue_capacity = queue ? 2 * queue_capacity : FIRST_QUEUE;
		queue = queue ? snap__copy_grow(queue, old, queue_capacity * sizeof(*queue))
			      : snap__copy_need(queue_capacity * sizeof(*queue));
	}
	queue[queue_count++] = (struct found){address, size, object};
}

/* A list or a dict itself points to no object, and its block points to nothing else. */
static bool is_table(const char *type)
{
	return type == snap__python.dict_type || type == snap__python.list_type;
}

static void look_into(const struct found *from, snap__belonging_fn *fn)
{
	size_t size = from->size < MOST_IN_ONE ? from->size : MOST_IN_ONE;
	const struct found source = *from; /* the queue may move */

	for (size_t i = 0; i + sizeof(uintptr_t) <= size; i += sizeof(uintptr_t)) {
		uintptr_t word = snap__python_word((const char *)source.address, i);
		struct snap__block block;

		if (!is_own_block(word, true, &block))
			continue;
		fn(source.object, &block);
		put_in_queue(word, block.size, source.object);
	}
}

void snap__belongings_behind(snap__belonging_fn *fn)
{
	uint64_t looked = 0;

	for (size_t i = 0; i < queue_count && looked < MOST_IN_ALL; i++) {
		looked += queue[i].size < MOST_IN_ONE ? queue[i].size : MOST_IN_ONE;
		look_into(&queue[i], fn);
		if (i % TICK_EVERY == 0)
			snap__copy_tick();
	}
}

/* ---- an object's own --------------------------------------------------------------------------- */

void snap__belongings_begin(const char *interpreter)
{
	char *state = snap__python.first_thread((void *)(uintptr_t)interpreter);

	claim((uintptr_t)interpreter);
	for (uint32_t i = 0; state && i < o->threads; i++, state = snap__python.next_thread(state))
		claim((uintptr_t)state);
}

/* The values of an instance's attributes, where they stand in a block of their own (3.11, 3.12):
   its first byte is the distance to the values. */
static bool values_block(const char *object, uint64_t flags, struct snap__block *block)
{
	uintptr_t word;

	if (!(flags & SNAP__TYPE_DICT_HEADER) || snap__python.layout->minor > 12)
		return false;
	word = snap__python_word(object,
				 snap__python.layout->minor == 11 ? (size_t)-32 : (size_t)-24);
	if (snap__python.layout->minor == 12 && !(word & 1))
		return false;
	word += word & 1; /* in 3.12 the pointer is marked: it is one lower */
	if (!word)
		return false;
	word -= ((const unsigned char *)word)[-1];
	return snap__heapmap_find(word, block) && claim(word);
}

void snap__belongings_of(uint32_t object, size_t size, snap__belonging_fn *fn)
{
	const char *at = o->at[object];
	const char *type = snap__python_type(at);
	uint64_t flags = snap__type_flags(type);
	struct snap__block block;
	size_t words = size / sizeof(uintptr_t);
	bool leads_on = !is_table(type) && !(flags & SNAP__TYPE_IS_TYPE);

	if (flags & HAS_NO_BLOCKS)
		return;
	for (size_t i = 2; i < words && i < OWN_WORDS; i++) {
		uintptr_t word = snap__python_word(at, i * sizeof(uintptr_t));

		if (!is_own_block(word, !is_table(type), &block))
			continue;
		fn(object, &block);
		if (leads_on)
			put_in_queue(word, block.size, object);
	}
	if (values_block(at, flags, &block))
		fn(object, &block);
}
