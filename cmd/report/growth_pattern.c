/*
 * growth_pattern.c - known ways to leak, recognised by the way to the objects that grow.
 *
 * A census says a way in words (libsnap's words.c): a place, then steps, separated by " -> ". Names
 * of the program stand between backquotes and are not interpreted.
 */
#include "report/growth_pattern.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "report/growth_held.h"
#include "report/sites.h"

enum { MOST_STEPS = 16 };

struct part {
	const char *text;
	size_t size;
};

struct way {
	struct part place;
	struct part steps[MOST_STEPS];
	size_t count;
};

/* ---- a way in words ---------------------------------------------------------------------------- */

/* The end of a part: " -> " or ';' outside of names, or the end of the text. */
static const char *end_of(const char *text)
{
	bool in_name = false;

	for (; *text; text++) {
		if (*text == '`')
			in_name = !in_name;
		if (!in_name && (*text == ';' || strncmp(text, " -> ", 4) == 0))
			break;
	}
	return text;
}

static struct way parse(const char *words, const char *type)
{
	const char *end = end_of(words);
	struct way way = {.place = {words, (size_t)(end - words)}};

	while (strncmp(end, " -> ", 4) == 0 && way.count < MOST_STEPS - 1) {
		const char *step = end + 4;

		end = end_of(step);
		way.steps[way.count++] = (struct part){step, (size_t)(end - step)};
	}
	if (type)
		way.steps[way.count++] = (struct part){type, strlen(type)};
	return way;
}

static bool begins_with(struct part part, const char *text)
{
	return part.size >= strlen(text) && strncmp(part.text, text, strlen(text)) == 0;
}

static bool ends_with(struct part part, const char *text)
{
	size_t size = strlen(text);

	return part.size >= size && strncmp(part.text + part.size - size, text, size) == 0;
}

/* "__main__.render" ends in "render". */
static bool ends_in(struct part part, struct part name)
{
	return part.size >= name.size &&
	       memcmp(part.text + part.size - name.size, name.text, name.size) == 0 &&
	       (part.size == name.size || part.text[part.size - name.size - 1] == '.');
}

static bool is(struct part part, const char *text)
{
	return part.size == strlen(text) && begins_with(part, text);
}

static bool has(struct part part, const char *text)
{
	for (size_t i = 0; i + strlen(text) <= part.size; i++)
		if (strncasecmp(part.text + i, text, strlen(text)) == 0)
			return true;
	return false;
}

/* The first name in a part, with its backquotes. */
static struct part name_in(struct part part)
{
	const char *first = memchr(part.text, '`', part.size), *last;

	if (!first)
		return (struct part){"", 0};
	last = memchr(first + 1, '`', part.size - (size_t)(first + 1 - part.text));
	return last ? (struct part){first, (size_t)(last + 1 - first)} : (struct part){"", 0};
}

/* What follows the name in a place: "(module global, app.py:3)". */
static struct part kind_in(struct part place)
{
	struct part name = name_in(place);

	if (!name.size)
		return place;
	name.text += name.size;
	return (struct part){name.text, (size_t)(place.text + place.size - name.text)};
}

/* "list of 400" */
static bool is_container(struct part step)
{
	size_t at = step.size;

	while (at > 0 && isdigit((unsigned char)step.text[at - 1]))
		at--;
	return at < step.size && at >= 4 && strncmp(step.text + at - 4, " of ", 4) == 0;
}

static bool is_mapping(struct part step)
{
	return is_container(step) && has(step, "dict");
}

static bool any_step(const struct way *way, bool (*test)(struct part))
{
	for (size_t i = 0; i < way->count; i++)
		if (test(way->steps[i]))
			return true;
	return false;
}

static bool is_function(struct part step)
{
	return begins_with(step, "function") || begins_with(step, "closure of ") ||
	       is(step, "method") || is(step, "functools.partial") || is(step, "TimerHandle") ||
	       is(step, "builtin_function_or_method");
}

static bool is_task(struct part step)
{
	return is(step, "_asyncio.Task") || begins_with(step, "coroutine");
}

static bool is_exception(struct part step)
{
	return is(step, "traceback") || ends_with(step, "Error") || ends_with(step, "Exception");
}

static bool is_lru_cache(struct part step)
{
	return begins_with(step, "lru_cache of ");
}

static bool is_weak_callback(struct part step)
{
	return is(step, "callback of a weakref");
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

/* "entries 240, limit 1000, ..." of the lru_cache of a function; NULL: it is unknown, or has no
 * limit. */
static const char *limited_cache(const struct growth_row *row, struct part name)
{
	const struct facts *facts = &row->part->held->last;
	struct part bare = {name.text + 1, name.size - 2};

	for (size_t i = 0; name.size > 2 && i < facts->count; i++) {
		const char *value = facts->items[i].value, *entries = strstr(value, ": entries ");

		if (strncmp(facts->items[i].key, "census.lru_cache.", 17) != 0 || !entries ||
		    !strstr(entries, ", limit "))
			continue;
		if (strtoull(strstr(entries, ", limit ") + 8, NULL, 10) > 0 &&
		    ends_in((struct part){value, (size_t)(entries - value)}, bare))
			return entries + 2;
	}
	return NULL;
}

static struct growth_pattern lru_cache(struct report *report, const struct growth_row *row,
				       const struct way *way)
{
	const char *limited;
	size_t i = 0;
	struct part name;

	while (!is_lru_cache(way->steps[i]))
		i++;
	name = name_in(way->steps[i]);
	if (begins_with(way->steps[i], "lru_cache of method "))
		return pattern("lru-cache-on-method",
			       report_text(report,
					   "lru_cache on a method: the cache of %.*s keeps "
					   "each `self`",
					   (int)name.size, name.text));
	limited = limited_cache(row, name);
	if (limited)
		return pattern("filling-cache",
			       report_text(report,
					   "cache that is not full yet: the lru_cache of "
					   "%.*s has %llu entries, and its limit is %llu",
					   (int)name.size, name.text,
					   strtoull(limited + 8, NULL, 10),
					   strtoull(strstr(limited, ", limit ") + 8, NULL, 10)));
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
		if (begins_with(way->steps[i], "coroutine"))
			name = name_in(way->steps[i]);
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
	return begins_with(place, "`finalize._registry`") && has(place, "weakref.py");
}

/* Where the interpreter notes which warnings it has shown: each text once. */
static bool is_warnings(struct part place)
{
	return begins_with(place, "`__warningregistry__`");
}

/* Where the interpreter has all modules by their names. */
static bool is_modules(struct part place)
{
	return begins_with(place, "`modules` (module global, sys)");
}

/* Where the module re has patterns, at most some hundred. */
static bool is_patterns(struct part place)
{
	return (begins_with(place, "`_cache`") || begins_with(place, "`_cache2`")) &&
	       (has(place, ", re.py") || has(place, ", re/__init__.py"));
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
	struct part name = name_in(way->place), kind = kind_in(way->place);

	if (is_modules(way->place))
		return pattern("modules",
			       report_text(report, "modules that are made again and again: "
						   "`sys.modules` keeps each name"));
	if (is_patterns(way->place))
		return pattern("filling-cache",
			       report_text(report,
					   "cache that is not full yet: the module re keeps "
					   "some hundred patterns"));
	if (begins_with(kind, " (attribute of WeakKeyDictionary"))
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
	struct part name = name_in(way->place), kind = kind_in(way->place);
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
	if (begins_with(kind, " (attribute of ") && has(kind, "Queue"))
		return queue(report, name);
	if (is_mapping(way->steps[0]) && (has(name, "cache") || has(name, "memo")))
		return pattern("unbounded-cache",
			       report_text(report,
					   "unbounded cache: %.*s has an entry for each key",
					   (int)name.size, name.text));
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (begins_with(kind, kinds[i].begins) || begins_with(way->place, kinds[i].begins))
			return pattern(kinds[i].pattern,
				       report_text(report, "%s: %.*s keeps what is put into it",
						   kinds[i].words, (int)name.size, name.text));
	return pattern(NULL, NULL);
}

/* A place of a running function: one of its variables, its frame, or something unknown. */
static bool is_of_running_function(struct part place)
{
	return begins_with(place, "local variable") || begins_with(place, "frame of ") ||
	       begins_with(place, "a function that runs");
}

/* "; see `run`": the function of such a place; of its names that is the last one. */
static const char *see_function(struct report *report, struct part place)
{
	struct part name = name_in(place), function = name_in(kind_in(place));

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

/* "list of 400": 400. */
static uint64_t entries_in(struct part step)
{
	size_t at = step.size;

	while (at > 0 && isdigit((unsigned char)step.text[at - 1]))
		at--;
	return strtoull(step.text + at, NULL, 10);
}

/* If each thread's function has a container, each of these holds a little; a container of one
   function holds all. */
static bool is_one_of_many(const struct growth_held_row *held, const struct way *way)
{
	return begins_with(way->place, "local variable") &&
	       entries_in(way->steps[0]) < held->objects / 2;
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
	struct part name = name_in(way->place), kind = kind_in(way->place);
	bool has_digit = false;

	for (size_t i = 0; i < name.size; i++)
		has_digit = has_digit || isdigit((unsigned char)name.text[i]);
	return has_digit && way->count == 1 && begins_with(kind, " (module global") &&
	       !memchr(kind.text, ':', kind.size);
}

/* The growing objects are held by something that is no container: only its name is known. */
static struct growth_pattern object(struct report *report, const struct growth_row *row,
				    const struct way *way, const struct growth_held_row *held)
{
	const char *type = held->type;
	size_t steps = way->count - (type && !held->is_table && way->count ? 1 : 0);
	struct part name = name_in(way->place), link = link_of(way, steps);

	if (!name.size || any_step(way, is_container))
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
	return !found.name && begins_with(way->place, "local variable")
		       ? object(report, row, way, held)
		       : found;
}

/* A text that is written to has its pieces in a list of its own. */
static bool is_written_text(struct part step)
{
	return is(step, "_io.StringIO");
}

/* Up to 3.9 the module atexit has its functions. */
static bool is_kept_by_module(const struct way *way)
{
	return way->count > 1 && is(way->steps[0], "native code of the module");
}

/* The code that registers a native function is not known by name. */
static struct growth_pattern native_code(struct report *report, const struct way *way)
{
	if (any_step(way, is_function))
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
	struct way way = parse(held->words, held->is_table ? NULL : held->type);

	if (begins_with(way.place, "only a cycle of objects"))
		return cycle(report, row);
	if (begins_with(way.place, "native code") || is_kept_by_module(&way))
		return native_code(report, &way);
	if (begins_with(way.place, "handler of "))
		return pattern("callbacks",
			       report_text(report,
					   "%.*s: it refers to more and more, as to the "
					   "handler before it",
					   (int)way.place.size, way.place.text));
	if (any_step(&way, is_lru_cache))
		return lru_cache(report, row, &way);
	if (any_step(&way, is_task))
		return tasks(report, row, &way);
	if (any_step(&way, is_exception))
		return pattern("exceptions",
			       report_text(report,
					   "exceptions that are kept: each has its traceback, "
					   "with the frames and their variables"));
	if (any_step(&way, is_weak_callback))
		return pattern("weak-callback",
			       report_text(report, "callback of a weak reference: what it closes "
						   "over stays"));
	if (way.count && is(way.steps[0], "_queue.SimpleQueue"))
		return queue(report, name_in(way.place));
	if (way.count && is_written_text(way.steps[0]))
		return pattern("growing-buffer",
			       report_text(report, "text that gets longer: %.*s",
					   (int)name_in(way.place).size, name_in(way.place).text));
	if (way.count && is_container(way.steps[0]) && any_step(&way, is_function))
		return pattern("callbacks",
			       report_text(report,
					   "callbacks that are never unregistered: %.*s "
					   "keeps functions, and these what they refer to",
					   (int)name_in(way.place).size, name_in(way.place).text));
	if (!way.count || !is_container(way.steps[0]))
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

/* All of their memory is from Python's own allocators. */
static bool has_no_native_memory(const char *type)
{
	static const char *const types[] = {"weakref.ReferenceType",
					    "weakref",
					    "int",
					    "str",
					    "bytes",
					    "tuple",
					    "list",
					    "dict",
					    "set",
					    NULL};

	for (size_t i = 0; types[i]; i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

static struct growth_pattern native(struct report *report, const struct growth_held_row *held)
{
	if (held->words && held->type && has_no_native_memory(held->type))
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
	return pattern("extension-decref",
		       report_text(report, "reference too many: no object that the interpreter "
					   "knows refers to them; an extension forgot a "
					   "Py_DECREF, or keeps them"));
}

struct growth_pattern growth_pattern_of(struct report *report, const struct growth_row *row)
{
	const struct growth_held_row *held = growth_held_of(row);

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
