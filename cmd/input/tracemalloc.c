/*
 * tracemalloc.c - files that Python's tracemalloc.Snapshot.dump() wrote (CPython 3.6 to 3.14).
 *
 * The pickle is one Snapshot object, whose state is a dict: `traces` is a _Traces object that holds
 * a list or tuple of trace tuples (domain, size, frames[, total_nframe]), `traceback_limit` a
 * number. A frame is (filename, lineno); the newest comes first.  Traces with the same frames and
 * domain become one site.  Names stay as pickled: UTF-8, with a lone surrogate as three bytes.
 *
 * Keys come from hostile input: no linear search, seeded hashes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/checksum.h"
#include "base/array.h"
#include "input/formats.h"
#include "input/pickle.h"
#include "base/fail.h"
#include "base/seed.h"

enum {
	TRACE_FIELDS = 4,
	TRACE_FIELDS_MIN = 3,
	FRAMES_MAX = UINT16_MAX, /* Python's own limit */
	DOMAINS_MAX = 16,        /* of one traceback, on average; programs have two or three */
};

/* Sums of all traces with one (frames, domain). */
struct sum {
	uint32_t stack; /* index into stacks */
	uint32_t next;  /* the next sum of the same stack, SNAP_NONE at the end */
	uint64_t domain, bytes, blocks;
};

struct stack {
	uint32_t node;
	uint32_t first_sum; /* the sum that is likely to be used next: dumps have few domains */
	uint32_t tuple;     /* its frames, to compare with */
	uint32_t newest;    /* location of its newest frame, SNAP_NONE without frames */
	uint64_t hash;
	bool own; /* one of its frames is tracemalloc's own */
};

struct traces {
	struct model *model;
	struct pickle pickle;
	const char *name;
	struct snap_error *err;
	uint32_t *text_ids; /* model string of each pickle text, SNAP_NONE not yet */
	struct stack *stacks;
	uint32_t stack_count;
	size_t stack_room;
	struct sum *sums;
	uint32_t sum_count;
	size_t sum_room;
	uint32_t *table; /* hash -> stack index + 1; grows, so that it stays in the cache */
	uint32_t table_mask;
	uint32_t *sum_table; /* hash of stack and domain -> sum index + 1, but for first sums */
	uint32_t sum_table_mask;
	uint32_t trace_count;
	uint64_t seed;          /* of all hashes */
	bool newest_frame_only; /* see struct input_options */
	uint32_t fields_max;    /* of the trace tuples; 0 when there is none */
	uint64_t extra_fields;
	bool leave_out_own; /* see struct input_options */
	bool *own;          /* per location: it is in tracemalloc.py */
	size_t own_room;
	uint64_t own_bytes, own_blocks; /* left out */
	size_t pickle_size;
};

static enum snap_status wrong(struct traces *t, const char *what)
{
	return fail(t->err, SNAP_ECORRUPT, "%s: not a tracemalloc dump: %s", t->name, what);
}

static enum snap_status no_memory(struct traces *t)
{
	return fail_memory(t->err, "reading a tracemalloc dump");
}

/* ---- frames ---------------------------------------------------------------------------------- */

static const pickle_value *tuple_items(const struct traces *t, uint32_t tuple)
{
	return t->pickle.items + t->pickle.tuples[tuple].first;
}

static uint32_t string_of(struct traces *t, uint32_t text)
{
	if (t->text_ids[text] == SNAP_NONE)
		t->text_ids[text] = model_string(t->model, t->pickle.texts[text].data,
						 t->pickle.texts[text].size);
	return t->text_ids[text];
}

/*
 * A tuple remembers what it was turned into: a location (as a frame) or a stack (as a traceback).
 * A hostile file may use one tuple for both, so the cache says which it is; 0 is neither.
 */
enum { CACHE_LOCATION = 1, CACHE_STACK = 2, CACHE_KIND_BITS = 2 };

static uint32_t cached(uint32_t kind, uint32_t id)
{
	return id << CACHE_KIND_BITS | kind;
}

static bool is_cached(uint32_t cache, uint32_t kind)
{
	return (cache & ((1u << CACHE_KIND_BITS) - 1)) == kind;
}

/* Is this the module itself, as its installation has it: ".../python3.11/tracemalloc.py"? */
static bool is_own_file(struct snap_text name)
{
	static const char file[] = "/tracemalloc.py", frozen[] = "<frozen tracemalloc>";
	const size_t size = sizeof(file) - 1;
	const char *end, *slash;

	if (name.size == sizeof(frozen) - 1 && memcmp(name.data, frozen, name.size) == 0)
		return true;
	if (name.size <= size || memcmp(name.data + name.size - size, file, size) != 0)
		return false;
	end = name.data + name.size - size;
	slash = memrchr(name.data, '/', (size_t)(end - name.data));
	slash = slash ? slash + 1 : name.data;
	return (size_t)(end - slash) >= 7 && (memcmp(slash, "python3", 7) == 0);
}

static bool mark_own(struct traces *t, uint32_t location, struct snap_text name)
{
	size_t old = t->own_room;

	if (!t->leave_out_own || !is_own_file(name))
		return true;
	if (!array_reserve(&t->own, &t->own_room, location, sizeof(*t->own)))
		return false;
	memset(t->own + old, 0, (t->own_room - old) * sizeof(*t->own));
	t->own[location] = true;
	return true;
}

static bool is_own(const struct traces *t, uint32_t location)
{
	return location < t->own_room && t->own[location];
}

/* The location of a frame tuple that was not met before. */
static enum snap_status add_location(struct traces *t, struct pickle_tuple *tuple)
{
	const pickle_value *items = t->pickle.items + tuple->first;
	struct snap_frame frame = {0};
	int64_t line;
	uint32_t id;

	if (tuple->count != 2 || pickle_kind(items[0]) != PICKLE_TEXT ||
	    !pickle_number(&t->pickle, items[1], &line))
		return wrong(t, "a frame is not (filename, line)");
	if (line < 0 || line > UINT32_MAX)
		return wrong(t, "a line number is out of range");
	frame.file = string_of(t, pickle_index(items[0]));
	frame.line = (uint32_t)line;
	if (frame.file == SNAP_NONE)
		return no_memory(t);
	id = model_symbolic_location(t->model, SNAP_NONE, &frame);
	if (id > UINT32_MAX >> CACHE_KIND_BITS ||
	    !mark_own(t, id, t->pickle.texts[pickle_index(items[0])]))
		return no_memory(t);
	tuple->cache = cached(CACHE_LOCATION, id);
	return SNAP_OK;
}

static enum snap_status location_of(struct traces *t, pickle_value value, uint32_t *location)
{
	struct pickle_tuple *tuple;

	if (pickle_kind(value) != PICKLE_TUPLE)
		return wrong(t, "a frame is not a tuple");
	tuple = &t->pickle.tuples[pickle_index(value)];
	if (!is_cached(tuple->cache, CACHE_LOCATION)) {
		enum snap_status st = add_location(t, tuple);

		if (st != SNAP_OK)
			return st;
	}
	*location = tuple->cache >> CACHE_KIND_BITS;
	return SNAP_OK;
}

/* How many frames of a traceback are looked at. */
static uint32_t frames_wanted(const struct traces *t, uint32_t frames)
{
	uint32_t count = t->pickle.tuples[frames].count;

	return t->newest_frame_only && count > 1 ? 1 : count;
}

static uint32_t newest_location(const struct traces *t, uint32_t frames)
{
	const struct pickle_tuple *tuples = t->pickle.tuples;

	if (tuples[frames].count == 0)
		return SNAP_NONE;
	return tuples[pickle_index(*tuple_items(t, frames))].cache >> CACHE_KIND_BITS;
}

static bool has_frames(const struct traces *t, const struct stack *stack, uint32_t frames)
{
	const struct pickle_tuple *tuples = t->pickle.tuples;
	const pickle_value *x, *y;

	if (stack->newest != newest_location(t, frames) || t->newest_frame_only)
		return stack->newest == newest_location(t, frames);
	if (tuples[stack->tuple].count != tuples[frames].count)
		return false;
	x = tuple_items(t, stack->tuple);
	y = tuple_items(t, frames);
	for (uint32_t i = 0; i < tuples[frames].count; i++)
		if (tuples[pickle_index(x[i])].cache != tuples[pickle_index(y[i])].cache)
			return false;
	return true;
}

/* Locations of all frames made sure of, and a hash over them. */
static enum snap_status hash_frames(struct traces *t, uint32_t frames, uint64_t *hash)
{
	const pickle_value *items = tuple_items(t, frames);
	uint32_t count = frames_wanted(t, frames);

	*hash = t->seed + count;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t location = SNAP_NONE;
		enum snap_status st = location_of(t, items[i], &location);

		if (st != SNAP_OK)
			return st;
		*hash = (*hash ^ location) * UINT64_C(0xbf58476d1ce4e5b9);
		*hash ^= *hash >> 29;
	}
	return SNAP_OK;
}

/* ---- stacks: interned whole, because dumps share whole tracebacks, and one look-up beats one a
 * frame ---- */

static bool grow_table(struct traces *t)
{
	uint64_t size = t->table ? ((uint64_t)t->table_mask + 1) * 2 : 1024;
	uint32_t *table = calloc(size, sizeof(*table));

	if (!table)
		return false;
	free(t->table);
	t->table = table;
	t->table_mask = (uint32_t)(size - 1);
	for (uint32_t i = 0; i < t->stack_count; i++) {
		uint32_t slot = (uint32_t)t->stacks[i].hash & t->table_mask;

		while (table[slot])
			slot = (slot + 1) & t->table_mask;
		table[slot] = i + 1;
	}
	return true;
}

static enum snap_status add_stack(struct traces *t, uint32_t frames, uint64_t hash, uint32_t slot)
{
	const pickle_value *items = tuple_items(t, frames);
	uint32_t node = SNAP_NONE;
	bool own = false;

	if (!array_id_room(&t->stacks, &t->stack_room, t->stack_count, 1, sizeof(*t->stacks)))
		return no_memory(t);
	for (uint32_t i = frames_wanted(t, frames); i > 0; i--) {
		uint32_t location =
			t->pickle.tuples[pickle_index(items[i - 1])].cache >> CACHE_KIND_BITS;

		own |= is_own(t, location);
		node = model_node_add(t->model, node, location);
		if (node == SNAP_NONE)
			return no_memory(t);
	}
	t->stacks[t->stack_count] =
		(struct stack){node, SNAP_NONE, frames, newest_location(t, frames), hash, own};
	t->table[slot] = ++t->stack_count;
	return SNAP_OK;
}

static enum snap_status stack_of(struct traces *t, uint32_t frames, uint32_t *stack)
{
	struct pickle_tuple *tuple = &t->pickle.tuples[frames];
	enum snap_status st;
	uint64_t hash;
	uint32_t slot;

	if (is_cached(tuple->cache, CACHE_STACK)) {
		*stack = tuple->cache >> CACHE_KIND_BITS;
		return SNAP_OK;
	}
	if (tuple->count > FRAMES_MAX)
		return wrong(t, "a traceback has more than 65535 frames");
	for (uint32_t i = 0; i < tuple->count; i++)
		if (pickle_kind(tuple_items(t, frames)[i]) != PICKLE_TUPLE)
			return wrong(t, "a traceback is not a tuple of frames");
	st = hash_frames(t, frames, &hash);
	if (st != SNAP_OK)
		return st;
	if (t->stack_count >= t->table_mask / 2 && !grow_table(t))
		return no_memory(t);
	for (slot = (uint32_t)hash & t->table_mask; t->table[slot];
	     slot = (slot + 1) & t->table_mask) {
		const struct stack *known = &t->stacks[t->table[slot] - 1];

		if (known->hash == hash && has_frames(t, known, frames))
			break;
	}
	if (t->table[slot] == 0)
		st = add_stack(t, frames, hash, slot);
	if (st != SNAP_OK)
		return st;
	*stack = t->table[slot] - 1;
	if (*stack > UINT32_MAX >> CACHE_KIND_BITS)
		return no_memory(t);
	tuple->cache = cached(CACHE_STACK, *stack);
	return SNAP_OK;
}

/* ---- traces ---------------------------------------------------------------------------------- */

/* A new sum; SNAP_NONE when memory is out. */
static uint32_t add_sum(struct traces *t, uint32_t stack, uint64_t domain)
{
	if (!array_id_room(&t->sums, &t->sum_room, t->sum_count, 1, sizeof(*t->sums)))
		return SNAP_NONE;
	t->sums[t->sum_count] = (struct sum){stack, SNAP_NONE, domain, 0, 0};
	return t->sum_count++;
}

/* Room for every trace to have a sum of its own, so that the table never has to grow. */
static bool make_sum_table(struct traces *t)
{
	uint64_t size = 1024;

	while (size < (uint64_t)t->trace_count * 3 / 2)
		size *= 2;
	t->sum_table = calloc(size, sizeof(*t->sum_table));
	t->sum_table_mask = (uint32_t)(size - 1);
	return t->sum_table != NULL;
}

/* The sum of a stack that has one already, of another domain. */
static uint32_t other_sum_of(struct traces *t, uint32_t stack, uint64_t domain)
{
	uint64_t hash = (t->seed ^ stack) * UINT64_C(0xbf58476d1ce4e5b9);
	uint32_t slot, first = t->stacks[stack].first_sum, at;

	if (!t->sum_table && !make_sum_table(t))
		return SNAP_NONE;
	hash = ((hash ^ hash >> 29) ^ domain) * UINT64_C(0xbf58476d1ce4e5b9);
	hash ^= hash >> 32;
	for (slot = (uint32_t)hash & t->sum_table_mask; t->sum_table[slot];
	     slot = (slot + 1) & t->sum_table_mask) {
		const struct sum *known = &t->sums[t->sum_table[slot] - 1];

		if (known->stack == stack && known->domain == domain)
			return t->sum_table[slot] - 1;
	}
	at = add_sum(t, stack, domain);
	if (at == SNAP_NONE)
		return at;
	t->sum_table[slot] = at + 1;
	t->sums[at].next = t->sums[first].next;
	t->sums[first].next = at;
	return at;
}

static uint32_t sum_of(struct traces *t, uint32_t stack, uint64_t domain)
{
	uint32_t first = t->stacks[stack].first_sum;

	if (first == SNAP_NONE)
		return t->stacks[stack].first_sum = add_sum(t, stack, domain);
	return t->sums[first].domain == domain ? first : other_sum_of(t, stack, domain);
}

static enum snap_status add_to_sum(struct traces *t, uint32_t stack, uint64_t domain,
				   uint64_t bytes)
{
	uint32_t at = sum_of(t, stack, domain);

	if (at == SNAP_NONE)
		return no_memory(t);
	if (bytes > INT64_MAX - t->sums[at].bytes)
		return fail(t->err, SNAP_ECORRUPT,
			    "%s: the sizes add up to more than 2^63 - 1 bytes", t->name);
	t->sums[at].bytes += bytes;
	t->sums[at].blocks++;
	return SNAP_OK;
}

static enum snap_status add_trace(struct traces *t, pickle_value value)
{
	const struct pickle_tuple *tuple;
	const pickle_value *items;
	int64_t domain, bytes;
	enum snap_status st;
	uint32_t stack = 0;

	if (pickle_kind(value) != PICKLE_TUPLE)
		return wrong(t, "a trace is not a tuple");
	tuple = &t->pickle.tuples[pickle_index(value)];
	items = t->pickle.items + tuple->first;
	if (tuple->count < TRACE_FIELDS_MIN || !pickle_number(&t->pickle, items[0], &domain) ||
	    !pickle_number(&t->pickle, items[1], &bytes) || pickle_kind(items[2]) != PICKLE_TUPLE)
		return wrong(t, "a trace is not (domain, size, frames)");
	if (domain < 0 || bytes < 0)
		return wrong(t, "a trace has a negative domain or size");
	if (tuple->count > TRACE_FIELDS)
		t->extra_fields++;
	if (tuple->count > t->fields_max)
		t->fields_max = tuple->count;
	st = stack_of(t, pickle_index(items[2]), &stack);
	if (st != SNAP_OK)
		return st;
	return add_to_sum(t, stack, (uint64_t)domain, (uint64_t)bytes);
}

/* `list` is a list or a tuple of traces. */
static enum snap_status add_traces(struct traces *t, pickle_value list)
{
	enum snap_status st = SNAP_OK;
	const pickle_value *items;
	uint32_t count;

	if (pickle_kind(list) == PICKLE_LIST) {
		items = t->pickle.containers[pickle_index(list)].items;
		count = t->pickle.containers[pickle_index(list)].count;
	} else if (pickle_kind(list) == PICKLE_TUPLE) {
		items = tuple_items(t, pickle_index(list));
		count = t->pickle.tuples[pickle_index(list)].count;
	} else {
		return wrong(t, "the traces are neither a list nor a tuple");
	}
	t->trace_count = count;
	for (uint32_t i = 0; i < count && st == SNAP_OK; i++)
		st = add_trace(t, items[i]);
	return st;
}

/* ---- the model ------------------------------------------------------------------------------- */

static bool add_site(struct traces *t, const struct sum *sum)
{
	struct snap_site site = {
		.node = t->stacks[sum->stack].node,
		.live_bytes = sum->bytes,
		.live_blocks = sum->blocks,
		.allocated_bytes = SNAP_UNKNOWN,
		.allocated_blocks = SNAP_UNKNOWN,
	};
	char domain[40];

	if (t->stacks[sum->stack].own) {
		t->own_bytes += sum->bytes;
		t->own_blocks += sum->blocks;
		return true;
	}
	if (sum->domain == 0)
		snprintf(domain, sizeof(domain), "python");
	else
		snprintf(domain, sizeof(domain), "python:%llu", (unsigned long long)sum->domain);
	site.domain = model_cstring(t->model, domain);
	return site.domain != SNAP_NONE && model_site_add(t->model, &site, NULL, NULL) != SNAP_NONE;
}

/*
 * From here on each site has its own copy of its stack.  So a few large stacks in very many domains
 * would turn a small file into a large snapshot.
 */
static bool has_too_many_domains(const struct traces *t)
{
	uint64_t frames = 0;

	for (uint32_t i = 0; i < t->sum_count; i++)
		frames += t->pickle.tuples[t->stacks[t->sums[i].stack].tuple].count;
	return frames / DOMAINS_MAX > t->pickle.item_count;
}

/* Sites of one stack follow each other. */
static enum snap_status add_sites(struct traces *t)
{
	if (has_too_many_domains(t))
		return wrong(t, "its tracebacks are in more domains than any program has");
	for (uint32_t i = 0; i < t->stack_count; i++)
		for (uint32_t at = t->stacks[i].first_sum; at != SNAP_NONE; at = t->sums[at].next)
			if (!add_site(t, &t->sums[at]))
				return no_memory(t);
	return SNAP_OK;
}

/* A dump does not say when it was taken, so the file's time is used, and `time_from` says so. */
static bool add_time(struct model *model, const struct stream *stream)
{
	char text[40];

	if (stream->modified_ns == 0)
		return true;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)stream->modified_ns);
	return model_meta_set(model, "time_ns", text) && model_meta_set(model, "time_from", "file");
}

/* ---- which Python wrote it ------------------------------------------------------------------- */

/* The N of a ".../python3.N/..." in a file name, or 0. */
static unsigned minor_in_path(struct snap_text name)
{
	static const char marker[] = "/python3.";
	const size_t size = sizeof(marker) - 1;
	const char *at = name.size > size ? memmem(name.data, name.size, marker, size) : NULL;
	const char *end = name.data + name.size;
	unsigned minor = 0;

	if (!at)
		return 0;
	for (at += size; at < end && *at >= '0' && *at <= '9' && minor < 100; at++)
		minor = minor * 10 + (unsigned)(*at - '0');
	return at < end && *at == '/' ? minor : 0;
}

/* The Python version on which the paths of libraries agree, or 0. */
static unsigned minor_in_paths(const struct pickle *pickle)
{
	unsigned found = 0;

	for (uint32_t i = 0; i < pickle->text_count; i++) {
		unsigned minor = minor_in_path(pickle->texts[i]);

		if (minor && found && minor != found)
			return 0;
		if (minor)
			found = minor;
	}
	return found;
}

/*
 * A dump does not carry the version, but 3.9 added a field to traces, 3.8 raised the protocol from
 * 4 to 5, and libraries mostly lie in a directory that is named after it.
 */
static bool add_python_version(struct traces *t)
{
	unsigned least = t->pickle.protocol >= 5 ? 8 : 6, most = t->pickle.protocol >= 5 ? 0 : 7;
	unsigned minor = minor_in_paths(&t->pickle);
	char text[40];

	if (t->fields_max >= TRACE_FIELDS) {
		least = 9;
		most = 0;
	} else if (t->fields_max == TRACE_FIELDS_MIN && least == 8) {
		most = 8;
	}
	if (minor >= least && (most == 0 || minor <= most))
		least = most = minor;
	if (most == 0)
		snprintf(text, sizeof(text), "3.%u or later", least);
	else if (least == most)
		snprintf(text, sizeof(text), "3.%u", least);
	else
		snprintf(text, sizeof(text), "3.%u to 3.%u", least, most);
	return model_meta_set(t->model, "python_version", text);
}

static enum snap_status add_meta(struct traces *t, const struct stream *stream,
				 const pickle_value *limit)
{
	char text[40];
	int64_t number;
	bool fine = model_meta_set(t->model, "format", "tracemalloc") &&
		    add_time(t->model, stream) && add_python_version(t);

	if (fine && limit && pickle_number(&t->pickle, *limit, &number)) {
		snprintf(text, sizeof(text), "%lld", (long long)number);
		fine = model_meta_set(t->model, "traceback_limit", text);
	}
	if (fine && t->extra_fields) {
		snprintf(text, sizeof(text), "%llu", (unsigned long long)t->extra_fields);
		fine = model_meta_set(t->model, "losses.unknown_trace_fields", text);
	}
	if (fine && t->own_blocks) {
		snprintf(text, sizeof(text), "%llu", (unsigned long long)t->own_bytes);
		fine = model_meta_set(t->model, "own_bytes", text);
		snprintf(text, sizeof(text), "%llu", (unsigned long long)t->own_blocks);
		fine = fine && model_meta_set(t->model, "own_blocks", text);
	}
	return fine ? SNAP_OK : no_memory(t);
}

/* The state of an object of class `class`, or NULL. */
static const pickle_value *state_of(const struct pickle *pickle, const pickle_value *value,
				    enum pickle_class class)
{
	const struct pickle_object *object;

	if (!value || pickle_kind(*value) != PICKLE_OBJECT)
		return NULL;
	object = &pickle->objects[pickle_index(*value)];
	return object->class == class && pickle_kind(object->state) == PICKLE_DICT ? &object->state
										   : NULL;
}

static enum snap_status read_snapshot(struct traces *t, const struct stream *stream)
{
	const struct pickle *pickle = &t->pickle;
	const pickle_value *snapshot, *traces, *list;
	enum snap_status st;

	snapshot = state_of(pickle, &pickle->result, PICKLE_SNAPSHOT);
	if (!snapshot)
		return wrong(t, "it does not hold a tracemalloc.Snapshot");
	traces = state_of(pickle, pickle_lookup(pickle, *snapshot, "traces"), PICKLE_TRACES);
	if (!traces)
		return wrong(t, "its snapshot has no traces");
	list = pickle_lookup(pickle, *traces, "_traces");
	if (!list)
		return wrong(t, "its snapshot has no traces");
	st = add_traces(t, *list);
	if (st == SNAP_OK)
		st = add_sites(t);
	if (st == SNAP_OK)
		st = add_meta(t, stream, pickle_lookup(pickle, *snapshot, "traceback_limit"));
	return st;
}

/* Append mode leaves two dumps in one file, and only the first would ever be read. */
static enum snap_status look_behind(struct model *model, const struct stream *stream, size_t size,
				    struct snap_error *err)
{
	size_t left = stream->size - size;
	const char *more = stream->ended ? "" : "at least ";
	const char *what = "bytes that are not a dump";

	if (left == 0)
		return SNAP_OK;
	if (pickle_recognises(stream->data + size, left))
		what = "bytes, which begin as another dump";
	if (asprintf(&model->torn, "%s: after its dump follow %s%zu %s: they are not read",
		     stream->name, more, left, what) < 0) {
		model->torn = NULL;
		return fail_memory(err, "reading a tracemalloc dump");
	}
	return SNAP_OK;
}

/*
 * Widen the window to the whole dump.  Input may be very large, also a small file with holes, so it
 * is checked as it arrives: input that is no dump is refused at its first wrong byte, and what
 * follows a dump is not brought into memory.
 */
static enum snap_status need_dump(struct stream *stream, struct snap_error *err)
{
	enum { GROWTH = 16, SMALL_FILE = 64 << 20, BEHIND = 2 };
	struct pickle pickle;

	if (stream->file_size && stream->file_size <= SMALL_FILE)
		return stream_need_all(stream, err);
	for (size_t size = FORMAT_PEEK;; size *= GROWTH) {
		enum snap_status st = stream_need(stream, size, err);

		if (st != SNAP_OK || stream->ended)
			return st;
		st = pickle_read(&pickle, stream->data, stream->size, stream->name, err);
		if (st == SNAP_OK) {
			size = pickle.size;
			pickle_free(&pickle);
			return stream_need(stream, size + BEHIND, err);
		}
		if (st != SNAP_ETRUNCATED)
			return st;
	}
}

static enum snap_status tracemalloc_read(struct model *model, struct stream *stream,
					 const struct input_options *options,
					 struct snap_error *err)
{
	struct traces t = {.model = model,
			   .name = stream->name,
			   .err = err,
			   .seed = hash_seed(),
			   .leave_out_own = options->leave_out_own,
			   .newest_frame_only = options->newest_frame_only};
	enum snap_status st;

	st = need_dump(stream, err);
	if (st == SNAP_OK)
		st = pickle_read(&t.pickle, stream->data, stream->size, stream->name, err);
	if (st != SNAP_OK)
		return st;
	t.pickle_size = t.pickle.size;
	t.text_ids = malloc((t.pickle.text_count + 1) * sizeof(*t.text_ids));
	if (t.text_ids) {
		memset(t.text_ids, 0xff, (t.pickle.text_count + 1) * sizeof(*t.text_ids));
		st = read_snapshot(&t, stream);
	} else {
		st = no_memory(&t);
	}
	pickle_free(&t.pickle);
	free(t.text_ids);
	free(t.stacks);
	free(t.sums);
	free(t.table);
	free(t.sum_table);
	free(t.own);
	if (st == SNAP_OK)
		st = look_behind(model, stream, t.pickle_size, err);
	if (st == SNAP_OK)
		model->digest = snap__xxh64(stream->data, stream->size, 0);
	return st;
}

/* Ordering a directory needs no more than the file's time. */
static enum snap_status tracemalloc_read_meta(struct model *model, struct stream *stream,
					      struct snap_error *err)
{
	if (!model_meta_set(model, "format", "tracemalloc") || !add_time(model, stream))
		return fail_memory(err, "reading a tracemalloc dump");
	return SNAP_OK;
}

const struct format format_tracemalloc = {
	.name = "tracemalloc",
	.recognises = pickle_recognises,
	.read = tracemalloc_read,
	.read_meta = tracemalloc_read_meta,
};
