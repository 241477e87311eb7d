/*
 * runtime/python/types.c - a table of types, and what can be read of one.
 */
#include "runtime/python/types.h"

#include <string.h>

#include "runtime/holders/copy.h"
#include "runtime/python/find.h"
#include "runtime/python/objects.h"
#include "runtime/text.h"

#define FIRST_TYPES    4096u
#define MOST_ITEMS     ((size_t)1 << 40)
#define NAME_MAX_BYTES 512

static const char **types;
static uint32_t *slots; /* number + 1; 0 is empty */
static uint32_t count, capacity;

/* ---- numbers --------------------------------------------------------------------------------- */

static uint32_t *slot_of(const char *type)
{
	uint32_t mask = 2 * capacity - 1;
	uint32_t i = (uint32_t)(((uintptr_t)type >> 4) * 0x9e3779b97f4a7c15u >> 32) & mask;

	while (slots[i] && types[slots[i] - 1] != type)
		i = (i + 1) & mask;
	return &slots[i];
}

static void grow(void)
{
	uint32_t *old = slots;
	size_t old_size = 2 * (size_t)capacity * sizeof(*slots);

	if (capacity == 0) {
		capacity = FIRST_TYPES;
		types = snap__copy_need(capacity * sizeof(*types));
	} else {
		types = snap__copy_grow(types, capacity * sizeof(*types),
					2 * capacity * sizeof(*types));
		capacity *= 2;
	}
	slots = snap__copy_need(2 * (size_t)capacity * sizeof(*slots));
	for (uint32_t i = 0; i < count; i++)
		*slot_of(types[i]) = i + 1;
	if (old)
		snap__copy_give_back(old, old_size);
}

uint32_t snap__type_number(const char *type)
{
	uint32_t *slot;

	if (count == capacity)
		grow();
	slot = slot_of(type);
	if (!*slot) {
		types[count] = type;
		*slot = ++count;
	}
	return *slot - 1;
}

uint32_t snap__type_count(void)
{
	return count;
}

const char *snap__type_at(uint32_t number)
{
	return types[number];
}

/* ---- names ----------------------------------------------------------------------------------- */

const char *snap__dict_at(const char *dict, const char *text)
{
	intptr_t position = 0;
	char key_text[64];
	void *key, *value;

	if (snap__python_type(dict) != snap__python.dict_type)
		return NULL;
	while (snap__python.dict_next((void *)(uintptr_t)dict, &position, &key, &value))
		if (snap__python_text(key, key_text, sizeof(key_text)) &&
		    snap__equal(key_text, text))
			return value;
	return NULL;
}

const char *snap__type_dict(const char *type)
{
	uintptr_t word = snap__python_word(type, SNAP__PYTHON_TYPE_DICT);

	/* A small number is an index of the interpreter's own. */
	return word > 4096 ? (const char *)word : NULL;
}

const char *snap__type_short_name(const char *type)
{
	const char *name = snap__python_pointer(type, SNAP__PYTHON_TYPE_NAME);

	return name ? name : "?";
}

/* Without the module: "Outer.Inner". */
static void add_qualified_name(struct snap__text *text, const char *type)
{
	size_t offset = snap__python.layout->type_qualified_name;
	char name[NAME_MAX_BYTES];

	if (offset && snap__python_text(snap__python_pointer(type, offset), name, sizeof(name)))
		snap__text_add(text, name);
	else
		snap__text_add(text, snap__type_short_name(type));
}

void snap__type_name(const char *type, char *name, size_t size)
{
	struct snap__text text = snap__text_in(name, size);
	const char *dict = snap__type_dict(type), *module = NULL;
	char module_name[NAME_MAX_BYTES];

	if (!(snap__type_flags(type) & SNAP__TYPE_HEAP) ||
	    strchr(snap__type_short_name(type), '.')) {
		snap__text_add(&text, snap__type_short_name(type));
		return;
	}
	if (dict)
		module = snap__dict_at(dict, "__module__");
	if (module && snap__python_text(module, module_name, sizeof(module_name)) &&
	    !snap__equal(module_name, "builtins")) {
		snap__text_add(&text, module_name);
		snap__text_add(&text, ".");
	}
	add_qualified_name(&text, type);
}

/* ---- sizes ----------------------------------------------------------------------------------- */

/* How many items follow an object of variable size. */
static size_t item_count(const char *object, uint64_t flags)
{
	intptr_t items = (intptr_t)snap__python_word(object, SNAP__PYTHON_VAR_SIZE);

	if (flags & SNAP__TYPE_IS_INT && snap__python.layout->minor >= 12)
		return (size_t)items >> 3;
	return (size_t)(items < 0 ? -items : items);
}

size_t snap__object_size(const char *object)
{
	const char *type = snap__python_type(object);
	uint64_t flags = snap__type_flags(type);
	size_t size = snap__python_word(type, SNAP__PYTHON_TYPE_SIZE);
	size_t item = snap__python_word(type, SNAP__PYTHON_TYPE_ITEM_SIZE);
	size_t text = flags & SNAP__TYPE_IS_STR ? snap__python_text_size(object) : 0;

	if (text)
		return text;
	if (item && !(flags & SNAP__TYPE_IS_TYPE)) {
		size_t items = item_count(object, flags);

		size += items < MOST_ITEMS ? items * item : 0;
	}
	return size + snap__object_header(object);
}

/* ---- attributes that have no dict ------------------------------------------------------------ */

/* In a table of keys. */
#define KEYS_LOG2_INDEX 9
#define KEYS_COUNT      24
#define KEYS_INDEX      32
#define KEYS_ENTRY      16
#define MOST_ATTRIBUTES 4096u

/* Offsets in the description of a slot: its name, and a pointer to its definition. */
#define SLOT_MEMBER  40
#define SLOT_OFFSET  16
#define SLOTS_LOOKED 64u

/* Where the values are; NULL: not here. */
static const char *values_of(const char *object, const char *type)
{
	uint64_t flags = snap__type_flags(type);
	unsigned minor = snap__python.layout->minor;
	uintptr_t word;

	if (minor >= 13)
		return flags & SNAP__TYPE_INLINE_VALUES
			       ? object + snap__python_word(type, SNAP__PYTHON_TYPE_SIZE) + 8
			       : NULL;
	if (!(flags & SNAP__TYPE_DICT_HEADER))
		return NULL;
	if (minor == 11)
		return snap__python_pointer(object - 32, 0);
	word = snap__python_word(object - 24, 0);
	return word & 1 ? (const char *)(word + 1) : NULL; /* the pointer is marked: it is one
							      lower */
}

static const void *name_of_value(const char *object, const char *type, const char *value)
{
	size_t offset = snap__python.layout->type_cached_keys;
	const char *keys = offset ? snap__python_pointer(type, offset) : NULL;
	const char *values = keys ? values_of(object, type) : NULL, *entries;
	size_t names;

	if (!values)
		return NULL;
	names = snap__python_word(keys, KEYS_COUNT);
	entries = keys + KEYS_INDEX + ((size_t)1 << (unsigned char)keys[KEYS_LOG2_INDEX]);
	for (size_t i = 0; i < names && i < MOST_ATTRIBUTES; i++)
		if (snap__python_pointer(values, i * sizeof(void *)) == value)
			return snap__python_pointer(entries, i * KEYS_ENTRY);
	return NULL;
}

static const void *name_of_slot(const char *object, const char *type, const char *value)
{
	const char *dict = snap__type_dict(type);
	intptr_t position = 0;
	void *key, *slot;

	while (dict && snap__python.dict_next((void *)(uintptr_t)dict, &position, &key, &slot)) {
		size_t offset;

		if (!snap__equal(snap__type_short_name(snap__python_type(slot)),
				 "member_descriptor"))
			continue;
		offset = snap__python_word(snap__python_pointer(slot, SLOT_MEMBER), SLOT_OFFSET);
		if (offset % sizeof(void *) == 0 && offset < SLOTS_LOOKED * sizeof(void *) &&
		    snap__python_pointer(object, offset) == value)
			return key;
	}
	return NULL;
}

const void *snap__inline_attribute(const char *object, const char *type, const char *value)
{
	const void *name = NULL;

	if (!(snap__type_flags(type) & SNAP__TYPE_HEAP) ||
	    snap__type_flags(type) & SNAP__TYPE_IS_DICT)
		return NULL;
	if (snap__python.layout->type_cached_keys)
		name = name_of_value(object, type, value);
	return name ? name : name_of_slot(object, type, value);
}
