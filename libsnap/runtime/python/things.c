/*
 * runtime/python/things.c - a look at single objects of well-known types.
 */
#include "runtime/python/things.h"

#include <string.h>

#include "runtime/python/containers.h"
#include "runtime/python/find.h"
#include "runtime/python/frames.h"
#include "runtime/python/guise.h"
#include "runtime/python/objects.h"
#include "runtime/python/tasks.h"
#include "runtime/python/types.h"
#include "runtime/text.h"
#include "runtime/hidden.h"

#define MOST         16u /* most objects of a kind that are listed */
#define MOST_CACHES  64u /* a program has many small ones beside the one that fills */
#define FRAMES_SAID  3u
#define NAME_SIZE    256
#define MOST_GARBAGE 65536u /* objects of gc.garbage that are looked at */

/* Offsets in an lru_cache.  They are the same from 3.9 to 3.13, and what is read is checked. */
#define CACHE_DICT   72
#define CACHE_HITS   80
#define CACHE_LIMIT  96
#define CACHE_MISSES 104

struct told {
	snap__things_fn *fn;
	void *user;
};

static const struct snap__objects *const o = &snap__objects;

static void tell(const struct told *told, const char *kind, uint32_t number, const char *value)
{
	char key[64];
	struct snap__text text = SNAP__TEXT(key);

	snap__text_add(&text, kind);
	snap__text_add_u64(&text, number);
	told->fn(told->user, key, value);
}

static void tell_number(const struct told *told, const char *kind, uint32_t number, uint64_t value)
{
	char digits[32];
	struct snap__text text = SNAP__TEXT(digits);

	snap__text_add_u64(&text, value);
	tell(told, kind, number, digits);
}

static void add_str(struct snap__text *text, const void *str)
{
	char name[NAME_SIZE];

	snap__text_add(text, snap__python_text(str, name, sizeof(name)) ? name : "?");
}

void snap__things_add_code(struct snap__text *text, const char *code)
{
	const struct snap__python_layout *v = snap__python.layout;
	char file[1024];
	const char *slash;

	add_str(text, snap__python_pointer(code, v->code_qualified_name ? v->code_qualified_name
									: v->code_name));
	if (!snap__python_text(snap__python_pointer(code, v->code_file), file, sizeof(file)))
		return;
	slash = strrchr(file, '/');
	snap__text_add(text, " (");
	snap__text_add(text, slash ? slash + 1 : file);
	snap__text_add(text, ")");
}

/* ---- lru_cache ------------------------------------------------------------------------------- */

struct parts {
	const char *cache; /* whose parts they are */
	const char *names, *entries, *wrapped;
	bool is_known; /* the cache is laid out as it is up to 3.13 */
};

static void note_part(uint32_t target, void *user)
{
	struct parts *parts = user;
	const char *at = o->at[target];

	if (snap__python_type(at) != snap__python.dict_type)
		return;
	if (at == snap__python_pointer(parts->cache, CACHE_DICT)) {
		parts->entries = at;
		parts->is_known = true;
	} else if (snap__dict_at(at, "__wrapped__")) {
		parts->names = at;
		parts->wrapped = snap__dict_at(at, "__wrapped__");
	} else if (!parts->is_known) {
		parts->entries = at;
	}
}

static struct parts parts_of(uint32_t cache)
{
	struct parts parts = {.cache = o->at[cache]};

	snap__object_each(cache, note_part, &parts);
	return parts;
}

static size_t entries_of(const struct parts *parts)
{
	return parts->entries ? snap__python_word(parts->entries, SNAP__PYTHON_VAR_SIZE) : 0;
}

static void add_uses(struct snap__text *text, const char *cache)
{
	intptr_t limit = (intptr_t)snap__python_word(cache, CACHE_LIMIT);

	snap__text_add(text, limit < 0 ? ", no limit" : ", limit ");
	if (limit >= 0)
		snap__text_add_u64(text, (uint64_t)limit);
	snap__text_add(text, ", hits ");
	snap__text_add_u64(text, snap__python_word(cache, CACHE_HITS));
	snap__text_add(text, ", misses ");
	snap__text_add_u64(text, snap__python_word(cache, CACHE_MISSES));
}

/* A function has a name.  What else is called, such as a connection of sqlite3, has a type. */
static void add_called(struct snap__text *text, const struct parts *parts)
{
	const void *name = parts->names ? snap__dict_at(parts->names, "__qualname__") : NULL;
	char type[NAME_SIZE];

	if (!name && parts->wrapped) {
		snap__type_name(snap__python_type(parts->wrapped), type, sizeof(type));
		snap__text_add(text, type);
		return;
	}
	add_str(text, parts->names ? snap__dict_at(parts->names, "__module__") : NULL);
	snap__text_add(text, ".");
	add_str(text, name);
}

static void tell_cache(const struct told *told, uint32_t cache, uint32_t number)
{
	const struct parts parts = parts_of(cache);
	char value[1024];
	struct snap__text text = SNAP__TEXT(value);

	add_called(&text, &parts);
	snap__text_add(&text, ": entries ");
	snap__text_add_u64(&text, entries_of(&parts));
	if (parts.is_known)
		add_uses(&text, parts.cache);
	tell(told, "lru_cache.", number, value);
}

/* The largest first. */
static void tell_caches(const struct told *told)
{
	struct {
		uint32_t cache;
		size_t entries;
	} best[MOST_CACHES];
	uint32_t count = 0;

	for (uint32_t i = 0; i < o->count; i++) {
		struct parts parts;
		uint32_t at;

		if (!snap__equal(snap__type_short_name(snap__python_type(o->at[i])),
				 "functools._lru_cache_wrapper"))
			continue;
		parts = parts_of(i);
		if (entries_of(&parts) == 0)
			continue;
		for (at = count; at > 0 && best[at - 1].entries < entries_of(&parts); at--)
			if (at < MOST_CACHES)
				best[at] = best[at - 1];
		if (at < MOST_CACHES) {
			best[at].cache = i;
			best[at].entries = entries_of(&parts);
			count += count < MOST_CACHES;
		}
	}
	for (uint32_t i = 0; i < count; i++)
		tell_cache(told, best[i].cache, i + 1);
}

/* ---- threads --------------------------------------------------------------------------------- */

/* "wait (threading.py) < get (queue.py) < work (app.py)": where it is, newest first. */
static void tell_threads(const struct told *told)
{
	char *state = snap__python.first_thread(snap__python.main_interpreter());

	for (uint32_t i = 0; state && i < MOST; i++, state = snap__python.next_thread(state)) {
		const char *frame = snap__python_newest_frame(state);
		char value[1024] = "";
		struct snap__text text = SNAP__TEXT(value);

		for (uint32_t said = 0; frame && said < FRAMES_SAID;
		     frame = snap__python_outer_frame(frame)) {
			const char *code = snap__python_frame_code(frame);

			if (!code)
				continue;
			snap__text_add(&text, said++ ? " < " : "");
			snap__things_add_code(&text, code);
		}
		tell(told, "thread.", i + 1, text.size ? value : "runs no Python");
	}
}

/* ---- the collector --------------------------------------------------------------------------- */

struct garbage {
	const char *type;
	uint32_t objects;
};

/* What is in gc.garbage, by type. */
static void tell_garbage(const struct told *told, const char *list)
{
	static struct garbage kinds[MOST] SNAP__PAGES;
	const char *items = snap__python_pointer(list, SNAP__PYTHON_LIST_ITEMS);
	size_t size = snap__python_word(list, SNAP__PYTHON_VAR_SIZE);
	uint32_t count = 0, at;

	for (size_t i = 0; items && i < size && i < MOST_GARBAGE; i++) {
		const char *type =
			snap__python_type(snap__python_pointer(items, i * sizeof(void *)));

		for (at = 0; at < count && kinds[at].type != type; at++)
			;
		if (at == MOST)
			continue;
		count += at == count;
		kinds[at].type = type;
		kinds[at].objects++;
	}
	for (uint32_t i = 0; i < count; i++) {
		char value[NAME_SIZE];
		struct snap__text text = SNAP__TEXT(value);

		snap__text_add_u64(&text, kinds[i].objects);
		snap__text_add(&text, " of ");
		snap__text_add(&text, snap__type_short_name(kinds[i].type));
		tell(told, "gc.garbage.", i + 1, value);
	}
}

static void tell_collector(const struct told *told)
{
	char digits[32];
	struct snap__text text = SNAP__TEXT(digits);

	if (o->is_enabled_known)
		told->fn(told->user, "gc.enabled", o->is_enabled ? "1" : "0");
	if (!o->lists_are_read)
		return;
	for (uint32_t i = 0; i < 3; i++)
		tell_number(told, "gc.tracked.", i, o->tracked_in[i]);
	if (!o->garbage || snap__python_type(o->garbage) != snap__python.list_type)
		return;
	for (uint32_t i = 0; i < 3; i++)
		tell_number(told, "gc.collections.", i, o->collections[i]);
	snap__text_add_u64(&text, snap__python_word(o->garbage, SNAP__PYTHON_VAR_SIZE));
	told->fn(told->user, "gc.garbage", digits);
	tell_garbage(told, o->garbage);
}

void snap__things_each(struct snap__space *space, snap__things_fn *fn, void *user)
{
	const struct told told = {fn, user};
	void *own = snap__guise_begin(space, snap__python.main_interpreter());

	tell_collector(&told);
	tell_threads(&told);
	snap__tasks_each(fn, user);
	snap__containers_each(fn, user);
	tell_caches(&told);
	snap__guise_end(own);
}
