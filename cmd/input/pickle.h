/*
 * input/pickle.h - a reader for the pickles that tracemalloc's Snapshot.dump() writes, and no
 * others.
 *
 * Unpickling runs whatever a file says; this does not.  It is an interpreter of 31 opcodes that
 * can make numbers, text, tuples, lists, dicts, and objects of two classes that stay inert.
 * Anything else ends it with the offset and the opcode.  Values refer to each other by index and
 * are never walked recursively, so that neither depth nor sharing can blow it up; memory stays
 * within a small multiple of the input's size.
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
	PICKLE_INT,    /* `integer` */
	PICKLE_TEXT,   /* index into texts */
	PICKLE_TUPLE,  /* index into tuples */
	PICKLE_LIST,   /* index into containers */
	PICKLE_DICT,   /* index into containers; items are key, value, key, value ... */
	PICKLE_CLASS,  /* enum pickle_class */
	PICKLE_OBJECT, /* index into objects */
	PICKLE_MARK,   /* never seen outside */
};

enum pickle_class { PICKLE_SNAPSHOT, PICKLE_TRACES };

struct pickle_value {
	enum pickle_kind kind;
	union {
		int64_t integer;
		uint32_t index;
	};
};

struct pickle_tuple {
	uint64_t first; /* its items are items[first .. first + count) */
	uint32_t count;
	uint32_t cache; /* the user's, SNAP_NONE at first: what this tuple was turned into */
};

struct pickle_container {
	struct pickle_value *items;
	uint32_t count, room;
};

struct pickle_object {
	enum pickle_class class;
	struct pickle_value state; /* PICKLE_NONE until built */
};

/** Everything that a pickle holds.  Texts point into the input, which must outlive it. */
struct pickle {
	struct snap_text
		*texts; /* UTF-8, lone surrogates as three bytes each (Python's surrogatepass) */
	struct pickle_value *items;
	struct pickle_tuple *tuples;
	struct pickle_container *containers;
	struct pickle_object *objects;
	uint32_t text_count, tuple_count, container_count, object_count;
	uint64_t item_count;
	uint32_t text_room, tuple_room, container_room, object_room;
	uint64_t item_room;
	struct pickle_value result; /* what STOP left */
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

/** The value of text key `key` in a dict, or NULL. */
const struct pickle_value *pickle_lookup(const struct pickle *pickle,
					 const struct pickle_value *dict, const char *key);

#endif
