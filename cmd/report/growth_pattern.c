/*
 * growth_pattern.c - known ways to leak, recognised by the way to the objects that grow.
 */
#include "report/growth_pattern.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "report/growth_cache.h"
#include "report/growth_held.h"
#include "report/growth_way.h"
#include "report/sites.h"

static bool is_function(struct part step)
{
	return part_begins(step, "function") || part_begins(step, "closure of ") ||
	       part_is(step, "method") || part_is(step, "functools.partial") ||
	       part_is(step, "TimerHandle") || part_is(step, "builtin_function_or_method");
}

static bool is_task(struct part step)
{
	return part_is(step, "_asyncio.Task") || part_begins(step, "coroutine");
}

static bool is_exception(struct part step)
{
	return part_is(step, "traceback") || part_ends(step, "Error") ||
	       part_ends(step, "Exception");
}

static bool is_lru_cache(struct part step)
{
	return part_begins(step, "lru_cache of ");
}

static bool is_weak_callback(struct part step)
{
	return part_is(step, "callback of a weakref");
}

/* ---- patterns of objects ----------------------------------------------------------------------- */

static struct growth_pattern pattern(const char *name, const char *words)
{
	return (struct growth_pattern){name, words};
}

static const char *fact_of(const struct growth_row *row, const char *key)
{
	return facts_find(&row->part->held->last, key);
}

static struct growth_pattern cycle(struct report *report, const struct growth_row *row)
{
	const char *enabled = fact_of(row, "census.gc.enabled");

	if (enabled && strcmp(enabled, "0") == 0)
		return pattern("cycle",
			       report_text(report, "cycle of objects, and the collector is "
						   "switched off"));
	return pattern("cycle",
		       report_text(report, "cycle of objects that waits for the collector"));
}

static struct growth_pattern lru_cache(struct report *report, const struct way *way)
{
	size_t i = 0;
	struct part name;

	while (!is_lru_cache(way->steps[i]))
		i++;
	name = part_name(way->steps[i]);
	if (part_begins(way->steps[i], "lru_cache of method "))
		return pattern("lru-cache-on-method",
			       report_text(report,
					   "lru_cache on a method: the cache of %.*s keeps "
					   "each `self`",
					   (int)name.size, name.text));
	return pattern("unbounded-cache",
		       report_text(report,
				   "unbounded cache: the lru_cache of %.*s keeps every "
				   "result",
				   (int)name.size, name.text));
}

/* "7228 of wait_for_reply (tasks.py): waiting in ...": the fact about the coroutine on the way,
 * or the first of all. */
static const char *task_fact(const struct growth_row *row, const struct way *way)
{
	const struct facts *facts = &row->part->held->last;
	struct part name = {"", 0};

	for (size_t i = 0; i < way->count && !name.size; i++)
		if (part_begins(way->steps[i], "coroutine"))
			name = part_name(way->steps[i]);
	for (size_t i = 0; i < facts->count; i++) {
		const struct fact *fact = &facts->items[i];

		if (strncmp(fact->key, "census.task.", 12) != 0 &&
		    strncmp(fact->key, "census.coroutine.", 17) != 0)
			continue;
		if (name.size < 2)
			return fact->value;
		for (const char *at = strstr(fact->value, " of "); at; at = strstr(at + 1, " of "))
			if (strncmp(at + 4, name.text + 1, name.size - 2) == 0 &&
			    at[4 + name.size - 2] == ' ')
				return fact->value;
	}
	return NULL;
}

static struct growth_pattern tasks(struct report *report, const struct growth_row *row,
				   const struct way *way)
{
	const char *fact = task_fact(row, way);

	if (fact && strstr(fact, ": never awaited"))
		return pattern("tasks",
			       report_text(report, "coroutines that are never awaited: %s", fact));
	if (fact && strstr(fact, ": ended"))
		return pattern("tasks", report_text(report, "tasks that ended are kept: %s", fact));
	return pattern("tasks", fact ? report_text(report, "tasks that never finish: %s", fact)
				     : report_text(report, "tasks that never finish"));
}

struct kind_words {
	const char *begins, *pattern, *words;
};

static const struct kind_words kinds[] = {
	{" (module global", "global-container", "global container"},
	{" (class attribute", "class-container", "container of a class"},
	{" (attribute of", "object-container", "container of an object that stays"},
	{" (thread-local", "thread-container", "container of a thread"},
	{"local variable", "local-container", "container of a function that has not returned"},
	{"closure of", "closure-container", "container of a closure"},
	{"default argument", "default-argument", "default argument that is changed"},
	{" (context variable", "context-variable", "context variable that is only added to"},
};

/* The place where weakref keeps callbacks and arguments until the watched object ends. */
static bool is_finalizers(struct part place)
{
	return part_begins(place, "`finalize._registry`") && part_has(place, "weakref.py");
}

/* Where the interpreter notes which warnings it has shown: each text once. */
static bool is_warnings(struct part place)
{
	return part_begins(place, "`__warningregistry__`");
}

/* Where the interpreter has all modules by their names. */
static bool is_modules(struct part place)
{
	return part_begins(place, "`modules` (module global, sys)");
}

static struct growth_pattern queue(struct report *report, struct part name)
{
	return pattern("queue",
		       report_text(report, "queue that is filled faster than it is emptied: %.*s",
				   (int)name.size, name.text));
}

/* A container of the standard library's, of which it is known why it grows. */
static struct growth_pattern known_container(struct report *report, const struct way *way)
{
	struct part name = part_name(way->place), kind = part_kind(way->place);

	if (is_modules(way->place))
		return pattern("modules",
			       report_text(report, "modules that are made again and again: "
						   "`sys.modules` keeps each name"));
	if (part_begins(way->place, "`Logger.manager.loggerDict`"))
		return pattern("object-container",
			       report_text(report, "loggers with ever new names: "
						   "`Logger.manager.loggerDict` keeps each"));
	if (part_begins(kind, " (attribute of WeakKeyDictionary"))
		return pattern(
			"weak-keys",
			report_text(report,
				    "weak keys that stay: %.*s keeps each value as long as its key "
				    "lives, and a value may hold its own key",
				    (int)name.size, name.text));
	return pattern(NULL, NULL);
}

static struct growth_pattern container(struct report *report, const struct way *way)
{
	struct part name = part_name(way->place), kind = part_kind(way->place);
	struct growth_pattern known = known_container(report, way);

	if (known.name)
		return known;

	if (is_warnings(way->place))
		return pattern("global-container",
			       report_text(report, "warnings whose texts differ each time: "
						   "`__warningregistry__` keeps each text"));
	if (is_finalizers(way->place))
		return pattern("finalizers",
			       report_text(report, "finalizers that do not run: the objects that "
						   "`weakref.finalize` watches stay, and so does "
						   "what it was given"));
	if (part_begins(kind, " (attribute of ") && part_has(kind, "Queue"))
		return queue(report, name);
	if (part_is_mapping(way->steps[0]) && (part_has(name, "cache") || part_has(name, "memo")))
		return pattern("unbounded-cache",
			       report_text(report,
					   "unbounded cache: %.*s has an entry for each key",
					   (int)name.size, name.text));
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (part_begins(kind, kinds[i].begins) || part_begins(way->place, kinds[i].begins))
			return pattern(kinds[i].pattern,
				       report_text(report, "%s: %.*s keeps what is put into it",
						   kinds[i].words, (int)name.size, name.text));
	return pattern(NULL, NULL);
}

/* A place of a running function: one of its variables, its frame, or something unknown. */
static bool is_of_running_function(struct part place)
{
	return part_begins(place, "local variable") || part_begins(place, "frame of ") ||
	       part_begins(place, "a function that runs");
}

/* "; see `run`": the function of such a place; of its names that is the last one. */
static const char *see_function(struct report *report, struct part place)
{
	struct part name = part_name(place), function = part_name(part_kind(place));

	if (function.size)
		name = function;
	return name.size ? report_text(report, "; see %.*s", (int)name.size, name.text) : "";
}

/* A function that runs again and again, in one thread more each time. */
static struct growth_pattern threads(struct report *report, const struct growth_row *row,
				     const struct way *way)
{
	const char *first = facts_find(&row->part->held->first, "census.threads");
	const char *last = fact_of(row, "census.threads");

	if (!first || !last || strtoull(last, NULL, 10) < strtoull(first, NULL, 10) + 2)
		return pattern(NULL, NULL);
	return pattern("threads",
		       report_text(report, "threads that never end: %s run, and there were %s%s",
				   last, first, see_function(report, way->place)));
}

/* If each thread's function has a container, each of these holds a little; a container of one
   function holds all. */
static bool is_one_of_many(const struct growth_held_row *held, const struct way *way)
{
	return part_begins(way->place, "local variable") &&
	       part_entries(way->steps[0]) < held->objects / 2;
}

static bool is_buffer(const char *type)
{
	static const char *const types[] = {"str",         "bytes",        "bytearray",
					    "_io.BytesIO", "_io.StringIO", "array.array"};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

/* "Node -> Node": the type of which each leads to the next; of size 0: it is no chain. */
static struct part link_of(const struct way *way, size_t steps)
{
	for (size_t i = 1; i < steps; i++)
		if (way->steps[i].size == way->steps[i - 1].size &&
		    memcmp(way->steps[i].text, way->steps[i - 1].text, way->steps[i].size) == 0)
			return way->steps[i];
	return (struct part){"", 0};
}

/* A global variable that no line of the module's names, as globals()[f"result_{number}"] makes
 * it. */
static bool is_made_name(const struct way *way)
{
	struct part name = part_name(way->place), kind = part_kind(way->place);
	bool has_digit = false;

	for (size_t i = 0; i < name.size; i++)
		has_digit = has_digit || isdigit((unsigned char)name.text[i]);
	return has_digit && way->count == 1 && part_begins(kind, " (module global") &&
	       !memchr(kind.text, ':', kind.size);
}

/* The growing objects are held by something that is no container: only its name is known. */
static struct growth_pattern object(struct report *report, const struct growth_row *row,
				    const struct way *way, const struct growth_held_row *held)
{
	const char *type = held->type;
	size_t steps = way->count - (type && !held->is_table && way->count ? 1 : 0);
	struct part name = part_name(way->place), link = link_of(way, steps);

	if (!name.size || way_any(way, part_is_container))
		return pattern(NULL, NULL);
	if (row->judgement.verdict != GROWTH_LEAK)
		return type && is_buffer(type)
			       ? pattern("growing-buffer",
					 report_text(report, "%s that gets longer: %.*s",
						     strcmp(type, "str") == 0 ? "text" : "buffer",
						     (int)name.size, name.text))
			       : pattern(NULL, NULL);
	if (link.size)
		return pattern("chain",
			       report_text(report,
					   "chain that gets longer: %.*s leads from one %.*s to "
					   "the next",
					   (int)name.size, name.text, (int)link.size, link.text));
	if (is_made_name(way))
		return pattern("namespace",
			       report_text(report,
					   "names that are added to a module: %.*s is one of them",
					   (int)name.size, name.text));
	return pattern("growing-object",
		       report_text(report, "object that keeps more and more: %.*s", (int)name.size,
				   name.text));
}

/* It grows because there are more threads, or because the object itself grows. */
static struct growth_pattern of_one_object(struct report *report, const struct growth_row *row,
					   const struct way *way,
					   const struct growth_held_row *held)
{
	struct growth_pattern found;

	if (!is_of_running_function(way->place))
		return object(report, row, way, held);
	found = threads(report, row, way);
	return !found.name && part_begins(way->place, "local variable")
		       ? object(report, row, way, held)
		       : found;
}

/* A text that is written to has its pieces in a list of its own. */
static bool is_written_text(struct part step)
{
	return part_is(step, "_io.StringIO");
}

/* Up to 3.9 the module atexit has its functions. */
static bool is_kept_by_module(const struct way *way)
{
	return way->count > 1 && part_begins(way->steps[0], "native code of the module");
}

/* The code that registers a native function is not known by name. */
static struct growth_pattern native_code(struct report *report, const struct way *way)
{
	if (way_any(way, is_function))
		return pattern("callbacks",
			       report_text(report, "functions that native code keeps, as atexit "
						   "does, and these what they refer to"));
	return pattern("extension-decref",
		       report_text(report, "reference too many: native code forgot a "
					   "Py_DECREF, or keeps them"));
}

static struct growth_pattern of_objects(struct report *report, const struct growth_row *row,
					const struct growth_held_row *held)
{
	struct way way = way_parse(held->words, held->is_table ? NULL : held->type);

	if (part_begins(way.place, "only a cycle of objects"))
		return cycle(report, row);
	if (part_begins(way.place, "native code") || is_kept_by_module(&way))
		return native_code(report, &way);
	if (part_begins(way.place, "handler of "))
		return pattern("callbacks",
			       report_text(report,
					   "%.*s: it refers to more and more, as to the "
					   "handler before it",
					   (int)way.place.size, way.place.text));
	if (way_any(&way, is_lru_cache))
		return lru_cache(report, &way);
	if (way_any(&way, is_task))
		return tasks(report, row, &way);
	if (way_any(&way, is_exception))
		return pattern("exceptions",
			       report_text(report,
					   "exceptions that are kept: each has its traceback, "
					   "with the frames and their variables"));
	if (way_any(&way, is_weak_callback))
		return pattern("weak-callback",
			       report_text(report, "callback of a weak reference: what it closes "
						   "over stays"));
	if (way.count && part_is(way.steps[0], "_queue.SimpleQueue"))
		return queue(report, part_name(way.place));
	if (way.count && is_written_text(way.steps[0]))
		return pattern("growing-buffer", report_text(report, "text that gets longer: %.*s",
							     (int)part_name(way.place).size,
							     part_name(way.place).text));
	if (way.count && part_is_container(way.steps[0]) && way_any(&way, is_function))
		return pattern("callbacks",
			       report_text(report,
					   "callbacks that are never unregistered: %.*s "
					   "keeps functions, and these what they refer to",
					   (int)part_name(way.place).size,
					   part_name(way.place).text));
	if (!way.count || !part_is_container(way.steps[0]))
		return of_one_object(report, row, &way, held);
	if (is_one_of_many(held, &way) && threads(report, row, &way).name)
		return threads(report, row, &way);
	return container(report, &way);
}

/* ---- patterns of native memory ----------------------------------------------------------------- */

static bool is_python_line(const struct growth_row *row)
{
	const char *file = row->words->file;
	size_t size = file ? strlen(file) : 0;

	return row->words->line && size > 3 &&
	       (strcmp(file + size - 3, ".py") == 0 || file[0] == '<');
}

static bool is_native(const struct growth_row *row)
{
	const struct dataset *dataset = row->part->table.dataset;
	uint32_t site = row->part->table.heaviest[row->row];

	return site != SNAP_NONE &&
	       strcmp(dataset_text(dataset, dataset->sites[site].domain), "python") != 0;
}

static struct growth_pattern native(struct report *report, const struct growth_held_row *held)
{
	if (held->words && held->type && growth_cache_has_no_native(held->type))
		return pattern(
			"native-memory",
			report_text(report,
				    "native memory of what the line calls: objects of type %s, "
				    "which it makes, have none",
				    held->type));
	if (held->words && held->type)
		return pattern("native-memory",
			       report_text(report, "native memory behind objects: each %s has some",
					   held->type));
	return pattern("extension-free",
		       report_text(report, "native memory that no Python object leads to: an "
					   "extension forgot to free it, or keeps it for itself"));
}

/* A census found no object of the line's. */
static struct growth_pattern unknown_objects(struct report *report, const struct growth_row *row)
{
	const char *interpreters = fact_of(row, "census.interpreters");
	const char *unsearched = fact_of(row, "census.unsearched_objects");
	const char *unfollowed = fact_of(row, "census.unfollowed_objects");

	if (interpreters && strtoull(interpreters, NULL, 10) > 1)
		return pattern(
			"other-interpreter",
			report_text(report,
				    "objects of another of the %s interpreters: a census sees "
				    "those of the main one, so who holds them is unknown",
				    interpreters));
	if (unsearched)
		return pattern(
			"unsearched-objects",
			report_text(report,
				    "no object that was searched refers to them: an extension "
				    "forgot a Py_DECREF, or one of %s objects of extensions holds "
				    "them, which have too much memory to search all of it",
				    unsearched));
	if (unfollowed)
		return pattern(
			"unsearched-objects",
			report_text(report,
				    "no object that was searched refers to them: an extension "
				    "forgot a Py_DECREF, or one of %s objects holds them, whose "
				    "tp_traverse failed",
				    unfollowed));
	return pattern("extension-decref",
		       report_text(report, "reference too many: no object that the interpreter "
					   "knows refers to them; an extension forgot a "
					   "Py_DECREF, or keeps them"));
}

struct growth_pattern growth_pattern_of(struct report *report, const struct growth_row *row)
{
	const struct growth_held_row *held = growth_held_of(row);

	if (row->fills)
		return pattern("filling-cache", NULL); /* the verdict's reason says which */
	if (!held || !growth_is_growth(&row->judgement))
		return pattern(NULL, NULL);
	if (is_python_line(row) && is_native(row) && row->judgement.verdict == GROWTH_LEAK)
		return native(report, held);
	if (held->words)
		return of_objects(report, row, held);
	if (is_python_line(row) && row->judgement.verdict == GROWTH_LEAK && !held->bytes)
		return unknown_objects(report, row);
	return pattern(NULL, NULL);
}

/* ---- notes ------------------------------------------------------------------------------------- */

/* "entries 256, limit 256": full. */
static bool is_full(const char *value, uint64_t *limit)
{
	const char *entries = strstr(value, ": entries "), *most = strstr(value, ", limit ");

	if (!entries || !most)
		return false;
	*limit = strtoull(most + 8, NULL, 10);
	return *limit && strtoull(entries + 10, NULL, 10) >= *limit;
}

static void note_full_caches(struct report *report, const struct facts *facts)
{
	for (size_t i = 0; i < facts->count; i++) {
		const char *value = facts->items[i].value, *name = value;
		uint64_t limit;

		if (strncmp(facts->items[i].key, "census.lru_cache.", 17) != 0 ||
		    !is_full(value, &limit))
			continue;
		if (strncmp(name, "__main__.", 9) == 0)
			name += 9;
		report_note(
			report,
			"No leak: the lru_cache of `%.*s` is full (%llu entries, its limit): what "
			"comes in replaces what is there.",
			(int)(strstr(name, ": entries ") - name), name, (unsigned long long)limit);
	}
}

/* The entries of a container by its name, which is what stands behind ": "; 0: it is not there. */
static uint64_t entries_of(const struct facts *facts, const char *name)
{
	for (size_t i = 0; i < facts->count; i++) {
		const char *value = facts->items[i].value, *at = strstr(value, ": ");
		const char *of = strstr(value, " of ");

		if (strncmp(facts->items[i].key, "census.container.", 17) == 0 && at && of &&
		    strcmp(at, name) == 0)
			return strtoull(of + 4, NULL, 10);
	}
	return 0;
}

static void note_grown_containers(struct report *report, const struct growth_held *held)
{
	enum { MOST_NAMED = 5 };
	size_t named = 0;

	for (size_t i = 0; i < held->last.count && named < MOST_NAMED; i++) {
		const char *value = held->last.items[i].value, *name = strstr(value, ": ");
		uint64_t before, now;

		if (strncmp(held->last.items[i].key, "census.container.", 17) != 0 || !name)
			continue;
		now = entries_of(&held->last, name);
		before = entries_of(&held->first, name);
		if (now <= before + before / 10)
			continue;
		report_note(report,
			    before ? "Grew: %s, a %.*s, from %llu to %llu entries."
				   : "Grew: %s, a %.*s, from fewer than %llu to %llu entries.",
			    name + 2, (int)strcspn(value, " "), value,
			    (unsigned long long)(before ? before : 16), (unsigned long long)now);
		named++;
	}
}

/* The peak rose between the first snapshot and the last, and little of it is left. */
static void note_big_load(struct report *report, const struct growth_held *held)
{
	enum { LEAST = 1 << 20 };
	char peak[32], live[32];

	if (!held->first_peak || held->last_peak < held->first_peak + LEAST ||
	    held->last_peak < held->last_live + held->last_live / 2 + LEAST)
		return;
	report_note(
		report,
		"No leak: a big load was released: the peak of the heap was %s, and %s are live; "
		"allocators may keep its pages for the next load.",
		sites_bytes(held->last_peak, peak), sites_bytes(held->last_live, live));
}

void growth_note_objects(struct report *report, const struct growth_part *parts, size_t count,
			 bool has_findings)
{
	for (size_t p = 0; p < count; p++) {
		if (!parts[p].held)
			continue;
		note_grown_containers(report, parts[p].held);
		if (has_findings)
			continue;
		note_big_load(report, parts[p].held);
		note_full_caches(report, &parts[p].held->last);
	}
}
