/*
 * runtime/python/words.c - places, and ways from them.
 */
#include "runtime/python/words.h"

#include <string.h>

#include "runtime/holders/copy.h"
#include "runtime/python/cycles.h"
#include "runtime/python/find.h"
#include "runtime/python/frames.h"
#include "runtime/python/objects.h"
#include "runtime/python/source.h"
#include "runtime/python/starts.h"
#include "runtime/python/types.h"

#define MOST_NAMED            10u /* steps that a name has */
#define MOST_STEPS            64u
#define MOST_SAID             6u  /* of them, after the place */
#define RECORD_MAX            32u /* a dict with more entries is a container */
#define ALIKE_LEAST           8u  /* so is one with as many values of one type */
#define NAME_SIZE             128
#define PLACE_SIZE            512
#define MOST_CLASSES          64u /* that a class inherits from */
#define CONTEXT_VARIABLE_NAME 16  /* in a ContextVar */
#define DEQUE_LIMIT           64  /* in a deque; negative: it has none */
#define DEQUE_LIMIT_MAX       ((int64_t)1 << 40)

static const struct snap__objects *const o = &snap__objects;

/* ---- what an object is ----------------------------------------------------------------------- */

static uint64_t flags_of(uint32_t object)
{
	return snap__type_flags(snap__python_type(o->at[object]));
}

static const char *type_name(uint32_t object)
{
	return snap__type_short_name(snap__python_type(o->at[object]));
}

static bool is_a(uint32_t object, const char *name)
{
	return snap__equal(type_name(object), name);
}

static bool is_dict(uint32_t object)
{
	return (flags_of(object) & SNAP__TYPE_IS_DICT) != 0;
}

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static size_t size_of(uint32_t object)
{
	return snap__python_word(o->at[object], SNAP__PYTHON_VAR_SIZE);
}

static const struct snap__object_start *start_of(uint32_t object)
{
	for (uint32_t i = 0; i < o->start_count; i++)
		if (o->starts[i].object == object)
			return &o->starts[i];
	return NULL;
}

/* The starts are the first objects of the table, without those that occur twice. */
static bool is_module_dict(uint32_t object)
{
	return object < o->start_count && o->starts[object].kind == SNAP__ROOT_MODULE;
}

/* Does a dict have names for its values? */
static bool has_text_keys(const char *dict)
{
	intptr_t position = 0;
	void *key, *value;

	return !snap__python.dict_next((void *)(uintptr_t)dict, &position, &key, &value) ||
	       snap__python_type(key) == snap__python.str_type;
}

/* Its dict has an entry for each thread. */
static bool is_of_thread_local(uint32_t dict)
{
	return o->parent[dict] != SNAP__NO_OBJECT && is_a(o->parent[dict], "_thread._local");
}

/* Values of one type, as a cache has them.  Functions and classes of one type have names. */
static bool has_alike_values(const char *dict)
{
	intptr_t position = 0;
	void *key, *value;
	const char *type = NULL;

	while (snap__python.dict_next((void *)(uintptr_t)dict, &position, &key, &value)) {
		if (type && snap__python_type(value) != type)
			return false;
		type = snap__python_type(value);
	}
	return type && !(snap__type_flags(type) & SNAP__TYPE_IS_TYPE) &&
	       !snap__equal(snap__type_short_name(type), "type") &&
	       !snap__equal(snap__type_short_name(type), "function") &&
	       !snap__equal(snap__type_short_name(type), "module");
}

static const void *inline_name(uint32_t object, uint32_t value);

/* A dict that the program made, not what an object or a class has its attributes in. */
static bool is_cache(uint32_t dict)
{
	uint32_t owner = o->parent[dict];

	return size_of(dict) >= ALIKE_LEAST && owner != SNAP__NO_OBJECT &&
	       (is_dict(owner) || inline_name(owner, dict)) && has_alike_values(o->at[dict]);
}

/* Containers: their items have no names of their own. */
static bool is_container(uint32_t object)
{
	static const char *const names[] = {"set",
					    "frozenset",
					    "collections.deque",
					    "functools._lru_cache_wrapper",
					    "_queue.SimpleQueue",
					    "_io.StringIO",
					    NULL};
	uint64_t flags = flags_of(object);

	if (flags & SNAP__TYPE_IS_DICT)
		return size_of(object) > RECORD_MAX ||
		       (!has_text_keys(o->at[object]) && !is_of_thread_local(object)) ||
		       is_cache(object);
	if (flags & SNAP__TYPE_IS_LIST)
		return size_of(object) != 1;
	if (flags & SNAP__TYPE_IS_TUPLE)
		return o->parent[object] == SNAP__NO_OBJECT || !is_a(o->parent[object], "function");
	for (size_t i = 0; names[i]; i++)
		if (is_a(object, names[i]))
			return true;
	return false;
}

/* A module's native code may keep objects, as atexit's does up to 3.9: they have no names. */
static bool is_module(uint32_t object)
{
	return snap__python_type(o->at[object]) == snap__python.module_type;
}

static bool is_dict_of_module(uint32_t object, uint32_t module)
{
	return object != SNAP__NO_OBJECT &&
	       o->at[object] == snap__python_pointer(o->at[module], SNAP__PYTHON_MODULE_DICT);
}

static uint32_t above(uint32_t object)
{
	return object == SNAP__NO_OBJECT ? object : o->parent[object];
}

/* A dict in a dict, and so on: the last may be that of a module or of an instance. */
static bool is_chain_of_dicts(uint32_t object)
{
	enum { MOST = 5 };

	for (int i = 0; i < MOST; i++, object = above(object))
		if (object == SNAP__NO_OBJECT ||
		    snap__python_type(o->at[object]) != snap__python.dict_type)
			return false;
	return true;
}

/* A chain of objects of one type, as in a linked list, is no name. */
static bool repeats(uint32_t object, uint32_t parent)
{
	const void *type = snap__python_type(o->at[object]);
	uint32_t before = o->parent[parent];

	if (!(snap__type_flags(type) & SNAP__TYPE_HEAP) || flags_of(object) & SNAP__TYPE_IS_TYPE)
		return false;
	return snap__python_type(o->at[parent]) == type ||
	       (before != SNAP__NO_OBJECT && snap__python_type(o->at[before]) == type);
}

/* A class's bases and subclasses are no part of it. */
static bool is_member_of_class(uint32_t object, uint32_t class)
{
	return o->at[object] == snap__type_dict(o->at[class]);
}

/* What is in a thread's context: the values of its context variables. */
static bool is_of_context(uint32_t object)
{
	return begins(type_name(object), "hamt") || is_a(object, "Context") ||
	       is_a(object, "_contextvars.Context");
}

static bool is_variable_of_contexts(uint32_t object)
{
	return is_a(object, "ContextVar") || is_a(object, "_contextvars.ContextVar");
}

static bool is_named_by(uint32_t object, uint32_t parent)
{
	const struct snap__object_start *start;

	if (is_module_dict(parent))
		return true;
	if (o->parent[parent] == SNAP__NO_OBJECT && (start = start_of(parent)) &&
	    start->kind == SNAP__ROOT_SIGNAL)
		return false;
	if (is_container(parent) || repeats(object, parent) || is_chain_of_dicts(object) ||
	    is_module(parent))
		return false;
	return !(flags_of(parent) & SNAP__TYPE_IS_TYPE) || is_member_of_class(object, parent);
}

uint32_t *snap__places_make(void)
{
	uint32_t *places = snap__copy_need(((size_t)o->held + 1) * sizeof(*places));
	uint8_t *depth = snap__copy_need((size_t)o->held + 1);

	for (uint32_t i = 0; i < o->held; i++) {
		uint32_t parent = o->parent[i];

		if (parent == SNAP__NO_OBJECT) {
			places[i] = i;
		} else if (places[parent] == parent && depth[parent] < MOST_NAMED &&
			   is_named_by(i, parent)) {
			places[i] = i;
			depth[i] = (uint8_t)(depth[parent] + 1);
		} else {
			places[i] = places[parent];
		}
		if (i % 65536 == 0)
			snap__copy_tick();
	}
	snap__copy_give_back(depth, (size_t)o->held + 1);
	return places;
}

/* ---- names in objects ------------------------------------------------------------------------ */

/* Functions with buffers: not inlined, so that their frames do not add up in one caller. */
#define OUTLINE __attribute__((noinline))

/* Characters that a reader might mistake for the end of a name, or of a line. */
static void make_plain(char *name)
{
	for (; *name; name++)
		if (*name == '`' || (unsigned char)*name < ' ')
			*name = '?';
}

static OUTLINE void add_str(struct snap__text *text, const void *str)
{
	char name[NAME_SIZE];

	if (!snap__python_text(str, name, sizeof(name)))
		name[0] = '?', name[1] = '\0';
	make_plain(name);
	snap__text_add(text, name);
}

/* The base name of a file, from a str; of a package with the package's. */
static OUTLINE void add_file(struct snap__text *text, const void *str)
{
	char path[1024];
	char *slash;

	if (!snap__python_text(str, path, sizeof(path)))
		return;
	slash = strrchr(path, '/');
	if (slash && slash > path && snap__equal(slash, "/__init__.py"))
		while (slash > path && *--slash != '/')
			;
	snap__text_add(text, slash && *slash == '/' ? slash + 1 : path);
}

/* ":3", where that is known. */
static void add_line(struct snap__text *text, uint32_t line)
{
	if (!line)
		return;
	snap__text_add(text, ":");
	snap__text_add_u64(text, line);
}

/* The key of `value` in a dict; NULL: it is no value there. */
static const void *key_of(const char *dict, const char *wanted)
{
	intptr_t position = 0;
	void *key, *value;

	while (snap__python.dict_next((void *)(uintptr_t)dict, &position, &key, &value))
		if (value == wanted)
			return key;
	return NULL;
}

static void add_code(struct snap__text *text, const char *code)
{
	const struct snap__python_layout *v = snap__python.layout;
	size_t offset = v->code_qualified_name ? v->code_qualified_name : v->code_name;

	snap__text_add(text, "`");
	add_str(text, code ? snap__python_pointer(code, offset) : NULL);
	snap__text_add(text, "`");
}

/* "`fetch` (app.py:7)" */
static void add_code_place(struct snap__text *text, const char *code)
{
	const struct snap__python_layout *v = snap__python.layout;
	uint32_t line;

	add_code(text, code);
	if (!code)
		return;
	memcpy(&line, code + v->code_first_line, sizeof(line));
	snap__text_add(text, " (");
	add_file(text, snap__python_pointer(code, v->code_file));
	add_line(text, line);
	snap__text_add(text, ")");
}

/* What a function, a coroutine or an lru_cache refers to: its code, the dict of its attributes, its
   module's dict. */
struct search {
	const char *code, *dict, *globals;
};

static void note_parts(uint32_t target, void *user)
{
	struct search *search = user;
	const char *type = snap__python_type(o->at[target]);

	if (type == snap__python.code_type)
		search->code = o->at[target];
	if (is_module_dict(target))
		search->globals = o->at[target];
	else if (type == snap__python.dict_type && snap__dict_at(o->at[target], "__qualname__"))
		search->dict = o->at[target];
}

static struct search parts_of(uint32_t object)
{
	struct search search = {NULL, NULL, NULL};

	snap__object_each(object, note_parts, &search);
	return search;
}

/* A program's main module forgets its file once it has run: its functions know it. */
static const void *file_of_functions(const char *dict)
{
	const struct snap__python_layout *v = snap__python.layout;
	intptr_t position = 0;
	void *key, *value;

	while (snap__python.dict_next((void *)(uintptr_t)dict, &position, &key, &value)) {
		uint32_t object = snap__object_at(value);
		struct search parts;

		if (object == SNAP__NO_OBJECT || !is_a(object, "function"))
			continue;
		parts = parts_of(object);
		if (parts.globals == dict && parts.code)
			return snap__python_pointer(parts.code, v->code_file);
	}
	return NULL;
}

/* The str of a module's file; NULL: it has none. */
static const void *file_of(const char *module)
{
	const void *file = snap__dict_at(module, "__file__");

	return file && snap__python_type(file) == snap__python.str_type ? file
									: file_of_functions(module);
}

/* The dict of the program's own module of that name; NULL: it is a library's, or unknown. */
static OUTLINE const char *own_module(const void *name)
{
	char wanted[NAME_SIZE], text[NAME_SIZE];

	if (!snap__python_text(name, wanted, sizeof(wanted)))
		return NULL;
	for (uint32_t i = 0; i < o->start_count && is_module_dict(i); i++)
		if (!o->starts[i].is_library &&
		    snap__python_text(o->starts[i].name, text, sizeof(text)) &&
		    snap__equal(text, wanted))
			return o->at[i];
	return NULL;
}

/* "client.py:5": where the class assigns the attribute. */
static OUTLINE bool add_place_in_class(struct snap__text *text, const char *class, const char *name)
{
	const char *dict = snap__type_dict(class);
	const void *module_name = dict ? snap__dict_at(dict, "__module__") : NULL;
	const char *module = module_name ? own_module(module_name) : NULL;
	const void *file = module ? file_of(module) : NULL;
	char path[1024];
	uint32_t line;

	if (!file || !snap__python_text(file, path, sizeof(path)))
		return false;
	line = snap__source_line_in_class(path, snap__type_short_name(class), name);
	if (!line)
		return false;
	add_file(text, file);
	add_line(text, line);
	return true;
}

/* The same for a class and those that it inherits from. */
static bool add_place_in_classes(struct snap__text *text, const char *class, const char *name)
{
	const char *order = snap__python_pointer(class, SNAP__PYTHON_TYPE_MRO);
	size_t items = snap__python.layout->tuple_items, count;

	if (!order || snap__python_type(order) != snap__python.tuple_type)
		return false;
	count = snap__python_word(order, SNAP__PYTHON_VAR_SIZE);
	for (size_t i = 0; i < count && i < MOST_CLASSES; i++) {
		const char *at = snap__python_pointer(order, items + i * sizeof(void *));

		if (snap__type_flags(at) & SNAP__TYPE_HEAP && add_place_in_class(text, at, name))
			return true;
	}
	return false;
}

/* The line that assigns the name, or the longest beginning of it: of `app.pools['a'].free` that is
 * `app.pools`, if any line assigns it, or `app`. */
static OUTLINE uint32_t line_of_name(const char *path, const char *name)
{
	char part[PLACE_SIZE];
	struct snap__text text = SNAP__TEXT(part);
	uint32_t line;
	char *end;

	snap__text_add(&text, name);
	end = strchr(part, '[');
	do {
		if (end)
			*end = '\0';
		line = snap__source_line(path, part);
		end = strrchr(part, '.');
	} while (!line && end);
	return line;
}

/* "app.py:3": the module's file, and the line of it that assigns the name. */
static OUTLINE void add_place_in_module(struct snap__text *text, const char *dict, const char *name)
{
	const void *file = file_of(dict);
	char path[1024];

	if (!file || !snap__python_text(file, path, sizeof(path))) {
		add_str(text, snap__dict_at(dict, "__name__"));
		return;
	}
	add_file(text, file);
	add_line(text, name ? line_of_name(path, name) : 0);
}

/* ---- frames ---------------------------------------------------------------------------------- */

struct local {
	const char *object, *name, *code;
};

static void match_local(void *user, const char *object, const char *name, const char *code)
{
	struct local *local = user;

	(void)code;
	if (local->object && object == local->object)
		local->name = name;
}

/* Which variable of a frame object's refers to `value`? */
static struct local local_in(uint32_t frame, uint32_t value)
{
	const char *inside = snap__python_frame_of_object(o->at[frame]);
	struct local local = {.object = value == SNAP__NO_OBJECT ? NULL : o->at[value],
			      .code = snap__python_frame_code(inside)};

	snap__python_each_local_of(inside, match_local, &local);
	return local;
}

static void add_local(struct snap__text *text, const struct local *local)
{
	if (local->name) {
		snap__text_add(text, "local variable `");
		add_str(text, local->name);
		snap__text_add(text, "` of ");
	} else {
		snap__text_add(text, "frame of ");
	}
	add_code_place(text, local->code);
}

/* ---- the place ------------------------------------------------------------------------------- */

/* The text of a place: `name` between backquotes, then `kind` and the file. */
struct naming {
	struct snap__text name;
	char buffer[PLACE_SIZE];
	const char *kind;
	char of[NAME_SIZE];   /* the type of the object whose attribute it is */
	const char *class;    /* that type, or the class that has the attribute; NULL: none */
	char last[NAME_SIZE]; /* the last part of the name */
	const char *module;   /* its dict; NULL: it is no module's */
	const char *local;    /* the code object whose variable it is */
	bool is_library;      /* the module belongs to no program */
	bool is_whole;        /* the name needs no kind and no file */
};

static void set_type(struct naming *n, uint32_t object)
{
	struct snap__text of = SNAP__TEXT(n->of);

	snap__text_add(&of, type_name(object));
	n->class = snap__python_type(o->at[object]);
}

static void name_signal(struct naming *n, unsigned number)
{
	const char *name = snap__starts_signal_name(number);

	snap__text_add(&n->name, "handler of ");
	snap__text_add(&n->name, name ? name : "signal ");
	if (!name)
		snap__text_add_u64(&n->name, number);
	n->is_whole = true;
}

static void name_start(struct naming *n, uint32_t object)
{
	const struct snap__object_start *start = start_of(object);

	n->name = SNAP__TEXT(n->buffer);
	if (start && start->kind == SNAP__ROOT_MODULE) {
		n->module = o->at[object];
		n->kind = "module global";
		n->is_library = start->is_library;
	} else if (start && start->kind == SNAP__ROOT_LOCAL) {
		n->local = start->code;
		add_str(&n->name, start->name);
	} else if (start && start->kind == SNAP__ROOT_SIGNAL) {
		name_signal(n, start->number);
	} else if (start && start->kind == SNAP__ROOT_CONTEXT) {
		n->kind = "context variable";
	} else {
		snap__text_add(&n->name, start && start->kind == SNAP__ROOT_THREAD
						 ? "what is kept for a thread"
						 : "a function that runs");
		n->is_whole = true;
	}
}

/* An attribute, where `dict` is what an object or a class has its attributes in. */
static void name_attribute(struct naming *n, const void *key)
{
	struct snap__text last = SNAP__TEXT(n->last);

	n->class = NULL;
	if (n->name.size > 0)
		snap__text_add(&n->name, ".");
	add_str(&n->name, key);
	add_str(&last, key);
}

static OUTLINE void name_entry(struct naming *n, const void *key)
{
	char text[NAME_SIZE];

	if (key && snap__python_text(key, text, sizeof(text))) {
		make_plain(text);
		snap__text_add(&n->name, "['");
		snap__text_add(&n->name, text);
		snap__text_add(&n->name, "']");
	} else {
		snap__text_add(&n->name, "[...]");
	}
}

/* The name of an attribute whose value stands in the object itself, from 3.11 on. */
static const void *inline_name(uint32_t object, uint32_t value)
{
	const char *type = snap__python_type(o->at[object]);

	return snap__inline_attribute(o->at[object], type, o->at[value]);
}

/* Is the dict a value that the program put there, not what the owner has its attributes in? */
static bool is_value_of(uint32_t owner, uint32_t dict)
{
	return is_dict(owner) || is_a(owner, "_thread._local") || inline_name(owner, dict);
}

/* From a dict: as an attribute, if the dict is an object's own. */
static void name_from_dict(struct naming *n, uint32_t dict, uint32_t object)
{
	const void *key = key_of(o->at[dict], o->at[object]);
	uint32_t owner = o->parent[dict];

	if (owner == SNAP__NO_OBJECT) {
		name_attribute(n, key);
	} else if (flags_of(owner) & SNAP__TYPE_IS_TYPE) {
		name_attribute(n, key);
		n->kind = "class attribute";
		n->class = o->at[owner];
		n->of[0] = '\0';
	} else if (!is_value_of(owner, dict)) {
		name_attribute(n, key);
		n->kind = "attribute of";
		set_type(n, owner);
	} else if (is_dict(owner) && o->parent[owner] != SNAP__NO_OBJECT &&
		   is_a(o->parent[owner], "_thread._local")) {
		name_attribute(n, key);
		n->kind = "thread-local";
		n->of[0] = '\0';
	} else if (!is_a(owner, "_thread._local")) {
		name_entry(n, key);
	}
}

static void restart(struct naming *n, const char *words)
{
	n->name = SNAP__TEXT(n->buffer);
	snap__text_add(&n->name, words);
	n->local = NULL;
	n->is_whole = true;
}

/* A function's variables from outside are a tuple of cells; its defaults are any other tuple. */
static bool is_closure(uint32_t object)
{
	const char *first;

	if (object == SNAP__NO_OBJECT || !(flags_of(object) & SNAP__TYPE_IS_TUPLE) ||
	    size_of(object) == 0)
		return false;
	first = snap__python_pointer(o->at[object], snap__python.layout->tuple_items);
	return first && snap__equal(snap__type_short_name(snap__python_type(first)), "cell");
}

static void name_from_function(struct naming *n, uint32_t function, uint32_t object)
{
	const char *code = parts_of(function).code;

	if (is_closure(object))
		restart(n, "closure of ");
	else if (flags_of(object) & SNAP__TYPE_IS_TUPLE)
		restart(n, "default argument of ");
	else
		restart(n, "function ");
	add_code_place(&n->name, code);
}

/* In what a context's values are kept, the variable stands before its value. */
static void name_from_context(struct naming *n, uint32_t parent, uint32_t object)
{
	size_t words = snap__object_size(o->at[parent]) / sizeof(void *);

	if (is_of_context(object))
		return;
	for (size_t i = 3; i < words; i++) {
		const char *variable =
			snap__python_pointer(o->at[parent], (i - 1) * sizeof(void *));
		uint32_t known = snap__object_at(variable);

		if (snap__python_pointer(o->at[parent], i * sizeof(void *)) != o->at[object] ||
		    known == SNAP__NO_OBJECT || !is_variable_of_contexts(known))
			continue;
		add_str(&n->name, snap__python_pointer(variable, CONTEXT_VARIABLE_NAME));
		return;
	}
	snap__text_add(&n->name, "?");
}

static void name_from_other(struct naming *n, uint32_t parent, uint32_t object)
{
	const void *key = inline_name(parent, object);

	if (is_of_context(parent) && n->kind && snap__equal(n->kind, "context variable")) {
		if (!n->name.size)
			name_from_context(n, parent, object);
	} else if (flags_of(parent) & SNAP__TYPE_IS_LIST) {
		snap__text_add(&n->name, "[0]");
	} else if (key) {
		name_attribute(n, key);
		n->kind = "attribute of";
		set_type(n, parent);
	} else if (is_a(parent, "frame")) {
		const struct local local = local_in(parent, object);

		restart(n, local.name ? "" : "frame of ");
		n->is_whole = !local.name;
		n->local = local.code;
		if (local.name)
			add_str(&n->name, local.name);
		else
			add_code_place(&n->name, local.code);
	} else if (is_a(parent, "function") && !is_dict(object)) {
		name_from_function(n, parent, object);
	}
}

static void name_step(struct naming *n, uint32_t parent, uint32_t object)
{
	if (is_dict(parent))
		name_from_dict(n, parent, object);
	else
		name_from_other(n, parent, object);
}

/* "local variable `rows` of `take` (app.py:7)" */
static void add_variable(struct snap__text *text, const char *name, const char *code)
{
	snap__text_add(text, "local variable `");
	snap__text_add(text, name);
	snap__text_add(text, "` of ");
	add_code_place(text, code);
}

static void add_kind(struct snap__text *text, const struct naming *n)
{
	snap__text_add(text, n->kind ? n->kind : "object");
	if (n->of[0]) {
		snap__text_add(text, " ");
		snap__text_add(text, n->of);
	}
	if (!n->module)
		return;
	snap__text_add(text, ", ");
	if (!n->class || !add_place_in_classes(text, n->class, n->last))
		add_place_in_module(text, n->module, n->is_library ? NULL : n->buffer);
}

static void add_naming(struct snap__text *text, const struct naming *n)
{
	if (n->is_whole) {
		snap__text_add(text, n->buffer);
	} else if (n->local) {
		add_variable(text, n->buffer, n->local);
	} else if (!n->name.size && !n->module) {
		snap__text_add(text, "the context of a thread");
	} else if (!n->name.size) {
		snap__text_add(text, "the globals of ");
		add_place_in_module(text, n->module, NULL);
	} else {
		snap__text_add(text, "`");
		snap__text_add(text, n->buffer);
		snap__text_add(text, "` (");
		add_kind(text, n);
		snap__text_add(text, ")");
	}
}

/* ---- the rest of the way --------------------------------------------------------------------- */

static void add_count(struct snap__text *text, const char *type, size_t count)
{
	snap__text_add(text, type);
	snap__text_add(text, " of ");
	snap__text_add_u64(text, count);
}

/* "deque of 57 (at most 100)".  What is read as its limit is one only if the items fit. */
static void add_deque(struct snap__text *text, uint32_t object)
{
	int64_t most = (int64_t)snap__python_word(o->at[object], DEQUE_LIMIT);

	add_count(text, "deque", size_of(object));
	if (most <= 0 || (uint64_t)most < size_of(object) || most > DEQUE_LIMIT_MAX)
		return;
	snap__text_add(text, " (at most ");
	snap__text_add_u64(text, (uint64_t)most);
	snap__text_add(text, ")");
}

static void note_function(uint32_t target, void *user)
{
	uint32_t *function = user;

	if (is_a(target, "function"))
		*function = target;
}

/* Is its first argument called `self`? */
static bool is_method(uint32_t function)
{
	const struct snap__python_layout *v = snap__python.layout;
	const char *code = parts_of(function).code;
	size_t at = v->code_local_names ? v->code_local_names : v->code_name_tuples[0];
	const char *names = code ? snap__python_pointer(code, at) : NULL;
	char first[8];

	return names && snap__python_type(names) == snap__python.tuple_type &&
	       snap__python_word(names, SNAP__PYTHON_VAR_SIZE) > 0 &&
	       snap__python_text(snap__python_pointer(names, v->tuple_items), first,
				 sizeof(first)) &&
	       snap__equal(first, "self");
}

static void note_wrapped(uint32_t target, void *user)
{
	const void **wrapped = user;

	if (snap__python_type(o->at[target]) == snap__python.dict_type &&
	    snap__dict_at(o->at[target], "__wrapped__"))
		*wrapped = snap__dict_at(o->at[target], "__wrapped__");
}

/* A function has a name.  What else is called, such as a connection of sqlite3, has a type. */
static void add_cached(struct snap__text *text, uint32_t object)
{
	const char *dict = parts_of(object).dict;
	const void *wrapped = NULL;
	char type[NAME_SIZE];

	if (!dict)
		snap__object_each(object, note_wrapped, &wrapped);
	if (wrapped) {
		snap__type_name(snap__python_type(wrapped), type, sizeof(type));
		snap__text_add(text, type);
		return;
	}
	add_str(text, dict ? snap__dict_at(dict, "__qualname__") : NULL);
}

static void add_cache(struct snap__text *text, uint32_t object)
{
	uint32_t function = SNAP__NO_OBJECT;

	snap__object_each(object, note_function, &function);
	snap__text_add(text, "lru_cache of ");
	if (function != SNAP__NO_OBJECT && is_method(function))
		snap__text_add(text, "method ");
	snap__text_add(text, "`");
	add_cached(text, object);
	snap__text_add(text, "`");
}

/* The module's own dict, or what its native code keeps. */
static void add_module(struct snap__text *text, uint32_t module, uint32_t next)
{
	const char *dict = snap__python_pointer(o->at[module], SNAP__PYTHON_MODULE_DICT);
	const void *name = dict ? snap__dict_at(dict, "__name__") : NULL;

	if (is_dict_of_module(next, module)) {
		snap__text_add(text, "module");
		return;
	}
	snap__text_add(text, "native code of the module");
	if (!name || snap__python_type(name) != snap__python.str_type)
		return;
	snap__text_add(text, " `");
	add_str(text, name);
	snap__text_add(text, "`");
}

/* The word for a step of the way; `next` is the step after it. */
static void add_step(struct snap__text *text, uint32_t object, uint32_t next)
{
	uint64_t flags = flags_of(object);

	if (flags & (SNAP__TYPE_IS_LIST | SNAP__TYPE_IS_TUPLE | SNAP__TYPE_IS_DICT)) {
		add_count(text, type_name(object), size_of(object));
	} else if (is_a(object, "set") || is_a(object, "frozenset")) {
		add_count(text, type_name(object), snap__python_word(o->at[object], 24));
	} else if (is_a(object, "collections.deque")) {
		add_deque(text, object);
	} else if (is_a(object, "functools._lru_cache_wrapper")) {
		add_cache(text, object);
	} else if (is_a(object, "frame")) {
		const struct local local = local_in(object, next);

		add_local(text, &local);
	} else if (is_module(object)) {
		add_module(text, object, next);
	} else if (is_a(object, "weakref") || is_a(object, "weakref.ReferenceType")) {
		snap__text_add(text, "callback of a weakref");
	} else if (is_a(object, "function") && is_closure(next)) {
		snap__text_add(text, "closure of ");
		add_code(text, parts_of(object).code);
	} else if (is_a(object, "function") || is_a(object, "coroutine") ||
		   is_a(object, "generator") || is_a(object, "async_generator")) {
		snap__text_add(text, type_name(object));
		snap__text_add(text, " ");
		add_code(text, parts_of(object).code);
	} else {
		snap__text_add(text, type_name(object));
	}
}

/* The dict of an object's attributes is not mentioned, nor are the cells of a closure. */
static bool is_silent(uint32_t object)
{
	uint32_t owner = o->parent[object];

	if (is_closure(object) || is_a(object, "cell"))
		return true;
	if (owner != SNAP__NO_OBJECT && is_module(owner) && is_dict_of_module(object, owner))
		return true;
	return is_dict(object) && owner != SNAP__NO_OBJECT && !is_dict(owner) &&
	       !(flags_of(owner) & (SNAP__TYPE_IS_LIST | SNAP__TYPE_IS_TUPLE)) &&
	       flags_of(owner) & SNAP__TYPE_HEAP && !is_container(object) &&
	       !inline_name(owner, object);
}

/* A traceback has one object for each frame. */
static bool is_repeated(uint32_t before, uint32_t object)
{
	return is_a(object, "traceback") && is_a(before, "traceback");
}

/* The steps from the start of the way to the object, at most as many as there is room for. */
static uint32_t steps_to(uint32_t object, uint32_t *steps)
{
	uint32_t count = 0, at = object;

	for (; at != SNAP__NO_OBJECT && count < MOST_STEPS; at = o->parent[at])
		count++;
	at = object;
	for (uint32_t i = count; i > 0; i--, at = o->parent[at])
		steps[i - 1] = at;
	return count;
}

static void add_rest(struct snap__text *text, const uint32_t *steps, uint32_t from, uint32_t count)
{
	uint32_t said = 0;

	for (uint32_t i = from; i + 1 < count; i++) {
		if (is_silent(steps[i]) || (i > from && is_repeated(steps[i - 1], steps[i])))
			continue;
		snap__text_add(text, " -> ");
		if (said++ == MOST_SAID) {
			snap__text_add(text, "...");
			return;
		}
		add_step(text, steps[i], steps[i + 1]);
	}
}

void snap__way_in_words(struct snap__text *text, uint32_t object, const uint32_t *places,
			bool to_the_end)
{
	static uint32_t steps[MOST_STEPS + 1]; /* the copy of the process has one thread */
	uint32_t count = steps_to(object, steps), place = 0;
	struct naming n = {.kind = NULL};

	steps[count] = SNAP__NO_OBJECT;
	if (object >= o->held) {
		if (o->state[object] == SNAP__OBJECT_LOST) {
			snap__cycle_in_words(text, object);
			return;
		}
		snap__text_add(text, "native code, or the stack of a function");
		add_rest(text, steps, 0, to_the_end ? count + 1 : count);
		return;
	}
	if (o->parent[steps[0]] != SNAP__NO_OBJECT) {
		snap__text_add(text, "a long chain of objects");
		return;
	}
	name_start(&n, steps[0]);
	while (place + 1 < count && places[steps[place + 1]] == steps[place + 1]) {
		name_step(&n, steps[place], steps[place + 1]);
		place++;
	}
	add_naming(text, &n);
	add_rest(text, steps, place, to_the_end ? count + 1 : count);
}
