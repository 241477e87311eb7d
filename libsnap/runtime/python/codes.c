/*
 * runtime/python/codes.c - the register of code objects.
 *
 * Two tables, both open-addressed and under one lock: by address, for objects that live, and by
 * content.  They are used only if a thread's own cache (frames.c) has no answer.
 */
#include "runtime/python/codes.h"

#include <string.h>

#include "format/checksum.h"
#include "runtime/arena.h"
#include "runtime/finemap.h"
#include "runtime/lock.h"
#include "runtime/python/find.h"
#include "runtime/python/object.h"
#include "runtime/text.h"
#include "runtime/hidden.h"

#define CHUNK_BITS     10
#define CHUNK_CODES    (1u << CHUNK_BITS)
#define CODES_MAX      (1u << SNAP__PYTHON_CODE_BITS)
#define TABLE_SIZE_MAX (1u << 20) /* bytes of a line table: larger ones are cut */
#define NAME_SIZE_MAX  1024u
#define FILE_SIZE_MAX  4096u
#define FIRST_CAPACITY 1024u
#define FILTER_BITS    18

struct by_address {
	const void *code;
	uint32_t id;
};

_Atomic uint64_t snap__python_codes_gone;

static struct snap__lock lock;
static struct snap__python_code *_Atomic chunks[CODES_MAX / CHUNK_CODES] SNAP__PAGES;
static _Atomic uint32_t code_count = 1;

static struct by_address *addresses; /* capacity is a power of 2 */
static size_t address_capacity, address_count;
static uint32_t *contents; /* ids; 0 is empty */
static size_t content_capacity;

/* Addresses of code objects whose blocks have no mark in the heap map. */
static _Atomic uint64_t filter[(1u << FILTER_BITS) / 64] SNAP__PAGES;

static size_t hash_of_address(const void *address)
{
	return (size_t)(((uintptr_t)address * 0x9e3779b97f4a7c15u) >> 20);
}

/* ---- by address ------------------------------------------------------------------------------ */

static _Atomic uint64_t *filter_word(const void *address, uint64_t *bit)
{
	size_t i = hash_of_address(address) & ((1u << FILTER_BITS) - 1);

	*bit = 1ull << (i % 64);
	return &filter[i / 64];
}

bool snap__python_may_be_code(const void *address)
{
	uint64_t bit;

	return (atomic_load_explicit(filter_word(address, &bit), memory_order_relaxed) & bit) != 0;
}

/* The entry of `code`, or the empty one where it would be. */
static struct by_address *address_entry(const void *code)
{
	size_t i = hash_of_address(code);

	for (;; i++) {
		struct by_address *entry = &addresses[i & (address_capacity - 1)];

		if (!entry->code || entry->code == code)
			return entry;
	}
}

static bool grow_addresses(void)
{
	struct by_address *old = addresses;
	size_t old_capacity = address_capacity;
	size_t capacity = old_capacity ? old_capacity * 2 : FIRST_CAPACITY;
	struct by_address *fresh = snap__map(capacity * sizeof(*fresh));

	if (!fresh)
		return false;
	addresses = fresh;
	address_capacity = capacity;
	for (size_t i = 0; i < old_capacity; i++)
		if (old[i].code)
			*address_entry(old[i].code) = old[i];
	if (old)
		snap__unmap(old, old_capacity * sizeof(*old));
	return true;
}

/* Move back the entries after the hole at `hole` that a search would otherwise miss. */
static void close_hole(size_t hole)
{
	const size_t mask = address_capacity - 1;

	for (size_t i = (hole + 1) & mask; addresses[i].code; i = (i + 1) & mask) {
		size_t wanted = hash_of_address(addresses[i].code) & mask;

		if (((i - wanted) & mask) < ((i - hole) & mask))
			continue;
		addresses[hole] = addresses[i];
		hole = i;
	}
	addresses[hole] = (struct by_address){0};
}

/* Make sure that the end of the code object is noticed: by a mark on its block, or by the
 * filter. */
static void watch(const void *code)
{
	uint64_t bit;
	_Atomic uint64_t *word;

	if (snap__finemap_mark((uintptr_t)code))
		return;
	word = filter_word(code, &bit);
	atomic_fetch_or(word, bit);
}

static void remember_address(const void *code, uint32_t id)
{
	if (address_count * 2 >= address_capacity && !grow_addresses())
		return;
	*address_entry(code) = (struct by_address){code, id};
	address_count++;
	watch(code);
}

void snap__python_code_goes(const void *address)
{
	struct by_address *entry;

	if (!snap__lock_take(&lock))
		return;
	if (address_capacity) {
		entry = address_entry(address);
		if (entry->code) {
			close_hole((size_t)(entry - addresses));
			address_count--;
			atomic_fetch_add(&snap__python_codes_gone, 1);
		}
	}
	snap__lock_release(&lock);
}

/* ---- by content ------------------------------------------------------------------------------ */

const struct snap__python_code *snap__python_code(uint32_t id)
{
	struct snap__python_code *chunk =
		atomic_load_explicit(&chunks[id >> CHUNK_BITS], memory_order_acquire);

	return &chunk[id & (CHUNK_CODES - 1)];
}

uint32_t snap__python_code_count(void)
{
	return atomic_load_explicit(&code_count, memory_order_acquire);
}

static bool is_same(const struct snap__python_code *a, const struct snap__python_code *b)
{
	return a->hash == b->hash && a->first_line == b->first_line &&
	       a->line_table_size == b->line_table_size &&
	       memcmp(a->line_table, b->line_table, a->line_table_size) == 0 &&
	       snap__equal(a->name, b->name) && snap__equal(a->file, b->file);
}

/* The place of `wanted`'s id, or the empty one where it would be. */
static uint32_t *content_slot(const struct snap__python_code *wanted)
{
	size_t i = (size_t)wanted->hash;

	for (;; i++) {
		uint32_t *slot = &contents[i & (content_capacity - 1)];

		if (!*slot || is_same(snap__python_code(*slot), wanted))
			return slot;
	}
}

static bool grow_contents(uint32_t count)
{
	uint32_t *old = contents;
	size_t old_capacity = content_capacity;
	size_t capacity = old_capacity ? old_capacity * 2 : FIRST_CAPACITY;
	uint32_t *fresh = snap__map(capacity * sizeof(*fresh));

	if (!fresh)
		return false;
	contents = fresh;
	content_capacity = capacity;
	for (uint32_t id = 1; id < count; id++)
		*content_slot(snap__python_code(id)) = id;
	if (old)
		snap__unmap(old, old_capacity * sizeof(*old));
	return true;
}

static void *copied(const void *data, size_t size)
{
	void *copy = snap__arena_alloc(size);

	if (copy)
		memcpy(copy, data, size);
	return copy;
}

/* If the code before has the same text, mostly the file's name, both share it. */
static const char *copied_file(const char *file)
{
	uint32_t last = snap__python_code_count() - 1;

	if (last > 0 && snap__equal(snap__python_code(last)->file, file))
		return snap__python_code(last)->file;
	return copied(file, snap__length(file) + 1);
}

/* A new entry with copies of what `content` points to; 0 without room. */
static uint32_t add_content(const struct snap__python_code *content)
{
	uint32_t id = snap__python_code_count();
	struct snap__python_code *chunk, entry = *content;

	if (id >= CODES_MAX)
		return 0;
	chunk = atomic_load(&chunks[id >> CHUNK_BITS]);
	if (!chunk) {
		chunk = snap__map(CHUNK_CODES * sizeof(*chunk));
		if (!chunk)
			return 0;
		atomic_store(&chunks[id >> CHUNK_BITS], chunk);
	}
	entry.name = copied(content->name, snap__length(content->name) + 1);
	entry.file = copied_file(content->file);
	entry.line_table = copied(content->line_table, content->line_table_size);
	if (!entry.name || !entry.file || !entry.line_table)
		return 0;
	chunk[id & (CHUNK_CODES - 1)] = entry;
	atomic_store_explicit(&code_count, id + 1, memory_order_release);
	return id;
}

/* Texts of the object at `code`; `name` and `file` have room for them. */
static bool read_content(const char *code, char *name, char *file, struct snap__python_code *out)
{
	const struct snap__python_layout *v = snap__python.layout;
	size_t name_at = v->code_qualified_name ? v->code_qualified_name : v->code_name;
	size_t size;
	int first_line;

	if (snap__python_type(code) != snap__python.code_type)
		return false;
	if (!snap__python_text(snap__python_pointer(code, name_at), name, NAME_SIZE_MAX) ||
	    !snap__python_text(snap__python_pointer(code, v->code_file), file, FILE_SIZE_MAX) ||
	    !snap__python_bytes(snap__python_pointer(code, v->code_line_table), &out->line_table,
				&size))
		return false;
	memcpy(&first_line, code + v->code_first_line, sizeof(first_line));
	out->name = name;
	out->file = file;
	out->first_line = first_line > 0 ? (uint32_t)first_line : 0;
	out->line_table_size = (uint32_t)(size < TABLE_SIZE_MAX ? size : TABLE_SIZE_MAX);
	out->hash = snap__xxh64(out->line_table, out->line_table_size, out->first_line);
	out->hash = snap__xxh64(name, snap__length(name), out->hash);
	out->hash = snap__xxh64(file, snap__length(file), out->hash);
	return true;
}

/* With the lock held. */
static uint32_t id_by_content(const void *code)
{
	static char name[NAME_SIZE_MAX] SNAP__PAGES,
		file[FILE_SIZE_MAX] SNAP__PAGES; /* the lock's */
	struct snap__python_code content;
	uint32_t count = snap__python_code_count();
	uint32_t *slot;

	if (!read_content(code, name, file, &content))
		return 0;
	if ((size_t)count * 2 >= content_capacity && !grow_contents(count))
		return 0;
	slot = content_slot(&content);
	if (!*slot)
		*slot = add_content(&content);
	return *slot;
}

uint32_t snap__python_code_id_by_content(const void *code)
{
	uint32_t id = 0;

	if (snap__lock_take(&lock)) {
		id = id_by_content(code);
		snap__lock_release(&lock);
	}
	return id;
}

uint32_t snap__python_code_id(const void *code)
{
	uint32_t id = 0;

	if (!snap__lock_take(&lock))
		return 0;
	if (address_capacity)
		id = address_entry(code)->id;
	if (!id) {
		id = id_by_content(code);
		if (id)
			remember_address(code, id);
	}
	snap__lock_release(&lock);
	return id;
}

void snap__python_codes_before_fork(void)
{
	snap__lock_take(&lock);
}

void snap__python_codes_after_fork(void)
{
	snap__lock_reset(&lock);
}
