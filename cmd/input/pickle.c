/*
 * pickle.c - a reader for the pickles that tracemalloc's Snapshot.dump() writes, and no others.
 *
 * Opcodes and their encoding: CPython's Lib/pickletools.py (protocols 2 to 5).
 */
#include "input/pickle.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/fail.h"

enum {
	STACK_MAX = 1 << 22,   /* values waiting; the deepest that CPython needs is a frame tuple's
				  length */
	INTEGER_BYTES_MAX = 9, /* a 64-bit unsigned number as LONG1 */
	CONTAINERS_MAX = 64,   /* a dump has two dicts and perhaps a list.  Each takes memory of its
			          own, and three bytes of a file must not be enough to make one */
	OBJECTS_MAX = 64,      /* a dump has two */
	PROTOCOL_MIN = 2,
	PROTOCOL_MAX = 5,
};

/* ---- opcodes ---- */

enum opcode {
	OP_MARK = '(',
	OP_STOP = '.',
	OP_BININT = 'J',
	OP_BININT1 = 'K',
	OP_BININT2 = 'M',
	OP_NONE = 'N',
	OP_BINUNICODE = 'X',
	OP_APPEND = 'a',
	OP_BUILD = 'b',
	OP_GLOBAL = 'c',
	OP_APPENDS = 'e',
	OP_BINGET = 'h',
	OP_LONG_BINGET = 'j',
	OP_BINPUT = 'q',
	OP_LONG_BINPUT = 'r',
	OP_SETITEM = 's',
	OP_TUPLE = 't',
	OP_SETITEMS = 'u',
	OP_EMPTY_DICT = '}',
	OP_EMPTY_LIST = ']',
	OP_EMPTY_TUPLE = ')',
	OP_PROTO = 0x80,
	OP_NEWOBJ = 0x81,
	OP_TUPLE1 = 0x85,
	OP_TUPLE2 = 0x86,
	OP_TUPLE3 = 0x87,
	OP_LONG1 = 0x8a,
	OP_SHORT_BINUNICODE = 0x8c,
	OP_STACK_GLOBAL = 0x93,
	OP_MEMOIZE = 0x94,
	OP_FRAME = 0x95,
};

/* ---- the machine ---- */

struct machine {
	struct pickle *pickle;
	const unsigned char *data;
	size_t size, at;
	size_t opcode_at; /* for messages */
	const char *name;
	pickle_value *stack;
	uint32_t depth;
	size_t stack_room;
	pickle_value *memo;
	uint32_t memo_count;
	size_t memo_room;
	struct snap_error *err;
};

static enum snap_status bad(struct machine *m, const char *what)
{
	return fail(m->err, SNAP_ECORRUPT, "%s: offset %zu: opcode 0x%02x: %s", m->name,
		    m->opcode_at, m->data[m->opcode_at], what);
}

static enum snap_status cut_off(struct machine *m)
{
	return fail(m->err, SNAP_ETRUNCATED, "%s: offset %zu: the pickle ends inside an opcode",
		    m->name, m->opcode_at);
}

/* Make room for array[count]; false when memory is out. */
#define GROW(array, room, count) array_id_room(&(array), &(room), (count), 1, sizeof(*(array)))

static enum snap_status push(struct machine *m, pickle_value value)
{
	if (m->depth >= STACK_MAX)
		return bad(m, "it has more unused values than any dump has");
	if (!GROW(m->stack, m->stack_room, m->depth))
		return fail_memory(m->err, "reading a pickle");
	m->stack[m->depth++] = value;
	return SNAP_OK;
}

static enum snap_status push_index(struct machine *m, enum pickle_kind kind, uint32_t index)
{
	if (index > UINT32_MAX >> PICKLE_KIND_BITS)
		return bad(m, "more values than a dump may have");
	return push(m, (pickle_value)index << PICKLE_KIND_BITS | kind);
}

/* The newest value, which must not be a mark. */
static bool pop(struct machine *m, pickle_value *value)
{
	if (m->depth == 0 || pickle_kind(m->stack[m->depth - 1]) == PICKLE_MARK)
		return false;
	*value = m->stack[--m->depth];
	return true;
}

/* Index of the newest mark; false if there is none. */
static bool find_mark(const struct machine *m, uint32_t *mark)
{
	for (uint32_t i = m->depth; i > 0; i--) {
		if (pickle_kind(m->stack[i - 1]) != PICKLE_MARK)
			continue;
		*mark = i - 1;
		return true;
	}
	return false;
}

/* `size` bytes of argument, or NULL when the input ends first. */
static const unsigned char *take(struct machine *m, uint64_t size)
{
	const unsigned char *start = m->data + m->at;

	if (size > m->size - m->at)
		return NULL;
	m->at += (size_t)size;
	return start;
}

static uint64_t little_endian(const unsigned char *bytes, unsigned count)
{
	uint64_t value = 0;

	for (unsigned i = count; i > 0; i--)
		value = value << 8 | bytes[i - 1];
	return value;
}

/* ---- values ---- */

static enum snap_status push_number(struct machine *m, int64_t number)
{
	const int64_t limit = INT64_C(1) << (31 - PICKLE_KIND_BITS);
	struct pickle *p = m->pickle;

	if (number >= -limit && number < limit)
		return push(m, (pickle_value)number << PICKLE_KIND_BITS | PICKLE_INT);
	if (!GROW(p->numbers, p->number_room, p->number_count))
		return fail_memory(m->err, "reading a pickle");
	p->numbers[p->number_count] = number;
	return push_index(m, PICKLE_BIG, p->number_count++);
}

static enum snap_status op_integer(struct machine *m, unsigned bytes, bool is_signed)
{
	const unsigned char *argument = take(m, bytes);
	int64_t value;

	if (!argument)
		return cut_off(m);
	value = (int64_t)little_endian(argument, bytes);
	if (is_signed)
		value = (int32_t)(uint32_t)value;
	return push_number(m, value);
}

/* LONG1: a length byte, then two's complement.  Python makes it for what does not fit BININT. */
static enum snap_status op_long(struct machine *m)
{
	const unsigned char *length = take(m, 1), *bytes;
	uint64_t value;

	if (!length)
		return cut_off(m);
	bytes = take(m, *length);
	if (!bytes)
		return cut_off(m);
	if (*length > INTEGER_BYTES_MAX || (*length == INTEGER_BYTES_MAX && bytes[8] != 0))
		return bad(m, "the number does not fit into 64 bits");
	value = little_endian(bytes, *length < 8 ? *length : 8);
	if (*length == INTEGER_BYTES_MAX && value > INT64_MAX)
		return bad(m, "the number is larger than 2^63 - 1");
	if (*length > 0 && *length < 8 && (bytes[*length - 1] & 0x80))
		value |= UINT64_MAX << (8 * *length);
	return push_number(m, (int64_t)value);
}

static bool is_continuation(unsigned char byte)
{
	return (byte & 0xc0) == 0x80;
}

/* Length of the UTF-8 sequence at `s` (surrogates allowed), or 0 if it is none. */
static size_t sequence_length(const unsigned char *s, size_t left)
{
	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		return left >= 2 && is_continuation(s[1]) ? 2 : 0;
	if (s[0] >= 0xe0 && s[0] <= 0xef) {
		if (left < 3 || !is_continuation(s[1]) || !is_continuation(s[2]))
			return 0;
		return s[0] == 0xe0 && s[1] < 0xa0 ? 0 : 3;
	}
	if (s[0] < 0xf0 || s[0] > 0xf4 || left < 4 || !is_continuation(s[1]) ||
	    !is_continuation(s[2]) || !is_continuation(s[3]))
		return 0;
	if ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return 4;
}

static bool is_text(const unsigned char *bytes, size_t size)
{
	for (size_t i = 0; i < size;) {
		size_t length = sequence_length(bytes + i, size - i);

		if (length == 0)
			return false;
		i += length;
	}
	return true;
}

static enum snap_status op_text(struct machine *m, unsigned length_bytes)
{
	struct pickle *p = m->pickle;
	const unsigned char *length = take(m, length_bytes), *bytes;
	uint64_t size;

	if (!length)
		return cut_off(m);
	size = little_endian(length, length_bytes);
	bytes = take(m, size);
	if (!bytes)
		return cut_off(m);
	if (!is_text(bytes, (size_t)size))
		return bad(m, "the text is not UTF-8");
	if (!GROW(p->texts, p->text_room, p->text_count))
		return fail_memory(m->err, "reading a pickle");
	p->texts[p->text_count] = (struct snap_text){(const char *)bytes, (size_t)size};
	return push_index(m, PICKLE_TEXT, p->text_count++);
}

/* Room for `count` more items; there is an array even for none, because tuples point into it. */
static bool reserve_items(struct pickle *p, uint32_t count)
{
	/* One more, so that there is an array even for none. */
	return count < SNAP_NONE - 1 &&
	       array_id_room(&p->items, &p->item_room, p->item_count, count + 1, sizeof(*p->items));
}

/* A tuple of the newest `count` values, none of which may be a mark. */
static enum snap_status make_tuple(struct machine *m, uint32_t count)
{
	struct pickle *p = m->pickle;
	const pickle_value *items;

	if (m->depth < count)
		return bad(m, "there are not enough values for a tuple");
	items = count ? m->stack + (m->depth - count) : NULL;
	for (uint32_t i = 0; i < count; i++)
		if (pickle_kind(items[i]) == PICKLE_MARK)
			return bad(m, "there are not enough values for a tuple");
	if (!reserve_items(p, count) || !GROW(p->tuples, p->tuple_room, p->tuple_count))
		return fail_memory(m->err, "reading a pickle");
	if (count)
		memcpy(p->items + p->item_count, items, count * sizeof(*items));
	p->tuples[p->tuple_count] = (struct pickle_tuple){p->item_count, count, 0};
	p->item_count += count;
	m->depth -= count;
	return push_index(m, PICKLE_TUPLE, p->tuple_count++);
}

static enum snap_status op_tuple(struct machine *m)
{
	enum snap_status st;
	uint32_t mark;

	if (!find_mark(m, &mark))
		return bad(m, "there is no mark before it");
	st = make_tuple(m, m->depth - mark - 1);
	if (st != SNAP_OK)
		return st;
	m->stack[m->depth - 2] = m->stack[m->depth - 1]; /* the tuple replaces the mark */
	m->depth--;
	return SNAP_OK;
}

static enum snap_status op_container(struct machine *m, enum pickle_kind kind)
{
	struct pickle *p = m->pickle;

	if (p->container_count >= CONTAINERS_MAX)
		return bad(m, "more lists and dicts than any dump has");
	if (!GROW(p->containers, p->container_room, p->container_count))
		return fail_memory(m->err, "reading a pickle");
	p->containers[p->container_count] = (struct pickle_container){NULL, 0, 0};
	return push_index(m, kind, p->container_count++);
}

/* Move the values from stack[first] on into the container below them (below the mark, if there is
 * one). */
static enum snap_status add_items(struct machine *m, enum pickle_kind kind, uint32_t first,
				  uint32_t below)
{
	struct pickle *p = m->pickle;
	struct pickle_container *container;

	if (below == 0 || pickle_kind(m->stack[below - 1]) != kind)
		return bad(m, kind == PICKLE_LIST ? "it adds to something that is not a list"
						  : "it adds to something that is not a dict");
	if (kind == PICKLE_DICT && (m->depth - first) % 2 != 0)
		return bad(m, "a key has no value");
	container = &p->containers[pickle_index(m->stack[below - 1])];
	for (uint32_t i = first; i < m->depth; i++) {
		if (pickle_kind(m->stack[i]) == PICKLE_MARK)
			return bad(m, "there are not enough values");
		if (!GROW(container->items, container->room, container->count))
			return fail_memory(m->err, "reading a pickle");
		container->items[container->count++] = m->stack[i];
	}
	m->depth = below;
	return SNAP_OK;
}

static enum snap_status op_add_many(struct machine *m, enum pickle_kind kind)
{
	uint32_t mark;

	if (!find_mark(m, &mark))
		return bad(m, "there is no mark before it");
	return add_items(m, kind, mark + 1, mark);
}

static enum snap_status op_add_newest(struct machine *m, enum pickle_kind kind, uint32_t count)
{
	if (m->depth < count + 1)
		return bad(m, "there are not enough values");
	return add_items(m, kind, m->depth - count, m->depth - count);
}

/* ---- memo ---- */

static enum snap_status memo_put(struct machine *m, uint64_t index)
{
	if (m->depth == 0 || pickle_kind(m->stack[m->depth - 1]) == PICKLE_MARK)
		return bad(m, "there is nothing to remember");
	if (index > m->memo_count)
		return bad(m, "it skips places in the memo");
	if (index == m->memo_count) {
		if (!GROW(m->memo, m->memo_room, m->memo_count))
			return fail_memory(m->err, "reading a pickle");
		m->memo_count++;
	}
	m->memo[index] = m->stack[m->depth - 1];
	return SNAP_OK;
}

static enum snap_status op_memo(struct machine *m, unsigned bytes, bool get)
{
	const unsigned char *argument = take(m, bytes);
	uint64_t index;

	if (!argument)
		return cut_off(m);
	index = little_endian(argument, bytes);
	if (!get)
		return memo_put(m, index);
	if (index >= m->memo_count)
		return bad(m, "nothing was remembered there");
	return push(m, m->memo[index]);
}

/* ---- objects ---- */

static bool text_is(struct snap_text text, const char *literal)
{
	return text.size == strlen(literal) && memcmp(text.data, literal, text.size) == 0;
}

static enum snap_status push_class(struct machine *m, struct snap_text module,
				   struct snap_text name)
{
	if (text_is(module, "tracemalloc") && text_is(name, "Snapshot"))
		return push_index(m, PICKLE_CLASS, PICKLE_SNAPSHOT);
	if (text_is(module, "tracemalloc") && text_is(name, "_Traces"))
		return push_index(m, PICKLE_CLASS, PICKLE_TRACES);
	return fail(
		m->err, SNAP_ECORRUPT,
		"%s: offset %zu: opcode 0x%02x: it names %.*s.%.*s; only tracemalloc.Snapshot and "
		"tracemalloc._Traces belong here",
		m->name, m->opcode_at, m->data[m->opcode_at],
		(int)(module.size < 60 ? module.size : 60), module.data,
		(int)(name.size < 60 ? name.size : 60), name.data);
}

static bool take_line(struct machine *m, struct snap_text *line)
{
	const unsigned char *start = m->data + m->at;
	const unsigned char *end = memchr(start, '\n', m->size - m->at);

	if (!end)
		return false;
	*line = (struct snap_text){(const char *)start, (size_t)(end - start)};
	m->at += line->size + 1;
	return true;
}

static enum snap_status op_global(struct machine *m)
{
	struct snap_text module, name;

	if (!take_line(m, &module) || !take_line(m, &name))
		return cut_off(m);
	return push_class(m, module, name);
}

static enum snap_status op_stack_global(struct machine *m)
{
	const struct snap_text *texts = m->pickle->texts;
	pickle_value module, name;

	if (!pop(m, &name) || !pop(m, &module) || pickle_kind(name) != PICKLE_TEXT ||
	    pickle_kind(module) != PICKLE_TEXT)
		return bad(m, "a class is named by something that is not text");
	return push_class(m, texts[pickle_index(module)], texts[pickle_index(name)]);
}

static enum snap_status op_newobj(struct machine *m)
{
	struct pickle *p = m->pickle;
	pickle_value arguments, class;

	if (!pop(m, &arguments) || pickle_kind(arguments) != PICKLE_TUPLE ||
	    p->tuples[pickle_index(arguments)].count)
		return bad(m, "an object is made with arguments other than ()");
	if (!pop(m, &class) || pickle_kind(class) != PICKLE_CLASS)
		return bad(m, "it makes an object of something that is not a class");
	if (p->object_count >= OBJECTS_MAX)
		return bad(m, "more objects than any dump has");
	if (!GROW(p->objects, p->object_room, p->object_count))
		return fail_memory(m->err, "reading a pickle");
	p->objects[p->object_count] =
		(struct pickle_object){.class = (enum pickle_class)pickle_index(class)};
	return push_index(m, PICKLE_OBJECT, p->object_count++);
}

static enum snap_status op_build(struct machine *m)
{
	pickle_value state;

	if (!pop(m, &state) || m->depth == 0 ||
	    pickle_kind(m->stack[m->depth - 1]) != PICKLE_OBJECT)
		return bad(m, "it sets the state of something that is not an object");
	m->pickle->objects[pickle_index(m->stack[m->depth - 1])].state = state;
	return SNAP_OK;
}

/* ---- the loop ---- */

static enum snap_status op_proto(struct machine *m)
{
	const unsigned char *version = take(m, 1);

	if (!version)
		return cut_off(m);
	if (*version < PROTOCOL_MIN || *version > PROTOCOL_MAX)
		return fail(m->err, SNAP_EUNSUPPORTED,
			    "%s: offset %zu: pickle protocol %u; 2 to 5 are known", m->name,
			    m->opcode_at, *version);
	if (*version > m->pickle->protocol)
		m->pickle->protocol = *version;
	return SNAP_OK;
}

static enum snap_status op_frame(struct machine *m)
{
	const unsigned char *length = take(m, 8);

	if (!length)
		return cut_off(m);
	if (little_endian(length, 8) > m->size - m->at)
		return fail(m->err, SNAP_ETRUNCATED, "%s: offset %zu: the file ends inside a frame",
			    m->name, m->opcode_at);
	return SNAP_OK;
}

/* Everything but STOP. */
static enum snap_status execute(struct machine *m, unsigned char opcode)
{
	switch (opcode) {
	case OP_MARK:
		return push_index(m, PICKLE_MARK, 0);
	case OP_NONE:
		return push_index(m, PICKLE_NONE, 0);
	case OP_BININT1:
		return op_integer(m, 1, false);
	case OP_BININT2:
		return op_integer(m, 2, false);
	case OP_BININT:
		return op_integer(m, 4, true);
	case OP_LONG1:
		return op_long(m);
	case OP_SHORT_BINUNICODE:
		return op_text(m, 1);
	case OP_BINUNICODE:
		return op_text(m, 4);
	case OP_EMPTY_TUPLE:
		return make_tuple(m, 0);
	case OP_TUPLE1:
		return make_tuple(m, 1);
	case OP_TUPLE2:
		return make_tuple(m, 2);
	case OP_TUPLE3:
		return make_tuple(m, 3);
	case OP_TUPLE:
		return op_tuple(m);
	case OP_EMPTY_LIST:
		return op_container(m, PICKLE_LIST);
	case OP_APPEND:
		return op_add_newest(m, PICKLE_LIST, 1);
	case OP_APPENDS:
		return op_add_many(m, PICKLE_LIST);
	case OP_EMPTY_DICT:
		return op_container(m, PICKLE_DICT);
	case OP_SETITEM:
		return op_add_newest(m, PICKLE_DICT, 2);
	case OP_SETITEMS:
		return op_add_many(m, PICKLE_DICT);
	case OP_MEMOIZE:
		return memo_put(m, m->memo_count);
	case OP_BINPUT:
		return op_memo(m, 1, false);
	case OP_LONG_BINPUT:
		return op_memo(m, 4, false);
	case OP_BINGET:
		return op_memo(m, 1, true);
	case OP_LONG_BINGET:
		return op_memo(m, 4, true);
	case OP_GLOBAL:
		return op_global(m);
	case OP_STACK_GLOBAL:
		return op_stack_global(m);
	case OP_NEWOBJ:
		return op_newobj(m);
	case OP_BUILD:
		return op_build(m);
	case OP_PROTO:
		return op_proto(m);
	case OP_FRAME:
		return op_frame(m);
	default:
		return bad(m, "no tracemalloc dump has this opcode");
	}
}

static enum snap_status interpret(struct machine *m)
{
	while (m->at < m->size) {
		enum snap_status st;
		unsigned char opcode;

		m->opcode_at = m->at;
		opcode = m->data[m->at++];
		m->pickle->size = m->at;
		if (opcode == OP_STOP)
			return pop(m, &m->pickle->result) ? SNAP_OK
							  : bad(m, "there is nothing to return");
		st = execute(m, opcode);
		if (st != SNAP_OK)
			return st;
	}
	return fail(m->err, SNAP_ETRUNCATED, "%s: offset %zu: the pickle ends without a STOP",
		    m->name, m->size);
}

bool pickle_recognises(const void *data, size_t size)
{
	static const char old_style[] = "tracemalloc";
	const unsigned char *bytes = data;

	if (size < 2)
		return false;
	if (bytes[0] == OP_PROTO)
		return bytes[1] <= 16;
	/* Protocols 0 and 1 have no header: take those that name the module early. */
	return (bytes[0] == OP_GLOBAL || bytes[0] == OP_MARK) &&
	       memmem(data, size < 128 ? size : 128, old_style, sizeof(old_style) - 1);
}

enum snap_status pickle_read(struct pickle *pickle, const void *data, size_t size, const char *name,
			     struct snap_error *err)
{
	struct machine m = {.pickle = pickle, .data = data, .size = size, .name = name, .err = err};
	enum snap_status st;

	memset(pickle, 0, sizeof(*pickle));
	if (size == 0 || m.data[0] != OP_PROTO)
		st = fail(err, SNAP_EUNSUPPORTED,
			  "%s: offset 0: pickle protocol 0 or 1; write the dump again with "
			  "pickle.HIGHEST_PROTOCOL, as Snapshot.dump() does",
			  name);
	else
		st = interpret(&m);
	free(m.stack);
	free(m.memo);
	if (st != SNAP_OK)
		pickle_free(pickle);
	return st;
}

void pickle_free(struct pickle *pickle)
{
	for (uint32_t i = 0; i < pickle->container_count; i++)
		free(pickle->containers[i].items);
	free(pickle->texts);
	free(pickle->items);
	free(pickle->numbers);
	free(pickle->tuples);
	free(pickle->containers);
	free(pickle->objects);
	memset(pickle, 0, sizeof(*pickle));
}

const pickle_value *pickle_lookup(const struct pickle *pickle, pickle_value dict, const char *key)
{
	const struct pickle_container *container;

	if (pickle_kind(dict) != PICKLE_DICT)
		return NULL;
	container = &pickle->containers[pickle_index(dict)];
	for (uint32_t i = 0; i + 1 < container->count; i += 2)
		if (pickle_kind(container->items[i]) == PICKLE_TEXT &&
		    text_is(pickle->texts[pickle_index(container->items[i])], key))
			return &container->items[i + 1];
	return NULL;
}
