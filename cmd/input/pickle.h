/*
 * input/pickle.h - a reader for the pickles that tracemalloc's Snapshot.dump() writes, and no
 * others.
 *
 * Unpickling runs whatever a file says; this does not.  It is an interpreter of 31 opcodes that can
 * make numbers, text, tuples, lists, dicts, and objects of two classes that stay inert.  Anything
 * else ends it with the offset and the opcode.  Values refer to each other by index and are never
 * walked recursively, so depth and sharing do no harm; memory stays within a small multiple of the
 * input's size.
 */
#ifndef INPUT_PICKLE_H
#define INPUT_PICKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snap/records.h"
#include "snap/status.h"

enum pickle_kind {
	PICKLE_NONE,
	PICKLE_INT,    /* the number itself, where 28 bits hold it */
	PICKLE_BIG,    /* index into numbers, where they do not */
	PICKLE_TEXT,   /* index into texts */
	PICKLE_TUPLE,  /* index into tuples */
	PICKLE_LIST,   /* index into containers */
	PICKLE_DICT,   /* index into containers; items are key, value, key, value ... */
	PICKLE_CLASS,  /* enum pickle_class */
	PICKLE_OBJECT, /* index into objects */
	PICKLE_MARK,   /* never seen outside */
};

enum pickle_class { PICKLE_SNAPSHOT, PICKLE_TRACES };

/**
 * A value in four bytes, because dumps have millions of them: the kind in the low four bits, an
 * index or a number above.
 */
typedef uint32_t pickle_value;

enum { PICKLE_KIND_BITS = 4 };

static inline enum pickle_kind pickle_kind(pickle_value value)
{
	return (enum pickle_kind)(value & ((1u << PICKLE_KIND_BITS) - 1));
}

static inline uint32_t pickle_index(pickle_value value)
{
	return value >> PICKLE_KIND_BITS;
}

struct pickle_tuple {
	uint32_t first; /* its items are items[first .. first + count) */
	uint32_t count;
	uint32_t cache; /* the reader's, 0 at first: what this tuple was turned into */
};

struct pickle_container {
	pickle_value *items;
	uint32_t count;
	size_t room;
};

struct pickle_object {
	enum pickle_class class;
	pickle_value state; /* PICKLE_NONE until built */
};

/** Everything that a pickle holds.  Texts point into the input, which must outlive it. */
struct pickle {
	struct snap_text
		*texts; /* UTF-8, lone surrogates as three bytes each (Python's surrogatepass) */
	pickle_value *items;
	int64_t *numbers;
	struct pickle_tuple *tuples;
	struct pickle_container *containers;
	struct pickle_object *objects;
	uint32_t text_count, number_count, tuple_count, container_count, object_count, item_count;
	size_t text_room, number_room, tuple_room, container_room, object_room, item_room;
	unsigned protocol;   /* the highest that PROTO named */
	pickle_value result; /* what STOP left */
	size_t size;         /* bytes up to STOP, that included */
};

/** True if `data` begins as a pickle does, of whatever protocol or origin. */
bool pickle_recognises(const void *data, size_t size);

/**
 * Interpret `size` bytes.  On success release with pickle_free(); on failure nothing is left.
 * SNAP_ECORRUPT, SNAP_ETRUNCATED, SNAP_EUNSUPPORTED (protocol 0 and 1), SNAP_ENOMEM; `err` names
 * `name`, the offset and the opcode.
 */
enum snap_status pickle_read(struct pickle *pickle, const void *data, size_t size, const char *name,
			     struct snap_error *err);
void pickle_free(struct pickle *pickle);

/** True for a number; its value in *number. */
static inline bool pickle_number(const struct pickle *pickle, pickle_value value, int64_t *number)
{
	if (pickle_kind(value) == PICKLE_INT)
		*number = (int32_t)value >> PICKLE_KIND_BITS;
	else if (pickle_kind(value) == PICKLE_BIG)
		*number = pickle->numbers[pickle_index(value)];
	else
		return false;
	return true;
}

/** The value of text key `key` in a dict, or NULL. */
const pickle_value *pickle_lookup(const struct pickle *pickle, pickle_value dict, const char *key);

#endif
