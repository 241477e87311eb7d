/*
 * runtime/python/starts.c - modules, threads, contexts, signal handlers.
 */
#include "runtime/python/starts.h"

#include <signal.h>
#include <string.h>

#include "runtime/holders/copy.h"
#include "runtime/python/awaited.h"
#include "runtime/python/find.h"
#include "runtime/python/frames.h"
#include "runtime/python/objects.h"
#include "runtime/python/types.h"
#include "runtime/python/untold.h"
#include "runtime/text.h"

#define MOST_THREADS  4096u
#define STATE_WORDS   128u /* of a thread's state: its context is among them */
#define MOST_MADE     16u  /* modules of which the program makes more and more */
#define FILE_SLOTS    8192u
#define LAST_SIGNAL   64u
#define METHOD_TABLE  16 /* in a function of a native module: its entry in the table of methods */
#define METHOD_SELF   24 /* the module */
#define METHOD_ENTRY  8  /* in that entry: the function */
#define METHOD_FLAGS  16
#define METHOD_TAKES1 8 /* flags: it takes one argument */

static struct snap__objects *const o = &snap__objects;
static const char *last_ones[3]; /* dicts of the modules re and threading */

/* ---- modules --------------------------------------------------------------------------------- */

static const char *module_dict(struct snap__space *space, const char *module)
{
	uint64_t flags = snap__type_flags(snap__python_type(module));
	const char *dict;

	if (flags & (SNAP__TYPE_IS_DICT | SNAP__TYPE_IS_LIST | SNAP__TYPE_IS_TUPLE |
		     SNAP__TYPE_IS_STR | SNAP__TYPE_IS_INT | SNAP__TYPE_IS_TYPE))
		return NULL;
	if (snap__python_type(module) != snap__python.module_type && !(flags & SNAP__TYPE_HEAP))
		return NULL;
	if (!(flags & SNAP__TYPE_HAS_GC))
		return NULL;
	dict = snap__python_pointer(module, SNAP__PYTHON_MODULE_DICT);
	if (!dict || !snap__space_is_readable(space, (uintptr_t)dict, (uintptr_t)dict + 16))
		return NULL;
	return snap__python_type(dict) == snap__python.dict_type ? dict : NULL;
}

static bool is_text(const char *str, const char *text)
{
	char found[32];

	return snap__python_text(str, found, sizeof(found)) && snap__equal(found, text);
}

/* Does the file come with the interpreter, or was it installed? */
static bool is_library_file(const char *text)
{
	return strstr(text, "/lib/python3") || strstr(text, "site-packages") ||
	       strncmp(text, "<frozen", 7) == 0;
}

static bool is_of_library(const char *dict)
{
	const char *file = snap__dict_at(dict, "__file__");
	char text[1024];

	return !file || !snap__python_text(file, text, sizeof(text)) || is_library_file(text);
}

/* Has another module the same file?  By a hash of the name. */
static bool is_file_again(uint64_t *files, const char *file)
{
	char text[1024];
	uint64_t hash = 0xcbf29ce484222325u;
	size_t i;

	if (!snap__python_text(file, text, sizeof(text)))
		return false;
	for (const char *at = text; *at; at++)
		hash = (hash ^ (unsigned char)*at) * 0x100000001b3u;
	for (i = hash % FILE_SLOTS; files[i] && files[i] != hash; i = (i + 1) % FILE_SLOTS)
		;
	if (files[i] == hash)
		return true;
	if (files[FILE_SLOTS] < FILE_SLOTS / 2) { /* how many there are */
		files[i] = hash;
		files[FILE_SLOTS]++;
	}
	return false;
}

/* A module that the program made itself: nothing was imported for it, or the same file as for another. */
static bool is_made(uint64_t *files, const char *name, const char *dict)
{
	const char *file = snap__dict_at(dict, "__file__");
	const char *spec = snap__dict_at(dict, "__spec__");

	if (is_text(name, "__main__"))
		return false;
	if (file)
		return is_file_again(files, file);
	return !spec || snap__equal(snap__type_short_name(snap__python_type(spec)), "NoneType");
}

/* Modules that are made again and again are held by `sys.modules`; else they have names of their own. */
static uint32_t count_made(struct snap__space *space, const char *modules)
{
	size_t size = (FILE_SLOTS + 1) * sizeof(uint64_t);
	uint64_t *files = snap__copy_need(size);
	intptr_t position = 0;
	void *name, *module;
	uint32_t count = 0;

	while (snap__python.dict_next((void *)(uintptr_t)modules, &position, &name, &module)) {
		const char *dict = module_dict(space, module);

		count += dict && is_made(files, name, dict);
	}
	snap__copy_give_back(files, size);
	return count;
}

static void note_last_ones(const char *name, const char *dict)
{
	if (is_text(name, "re")) {
		last_ones[0] = snap__dict_at(dict, "_cache");
		last_ones[1] = snap__dict_at(dict, "_cache2");
	} else if (is_text(name, "threading")) {
		last_ones[2] = snap__dict_at(dict, "_active");
	}
}

bool snap__starts_is_last(const char *object)
{
	return object == last_ones[0] || object == last_ones[1] || object == last_ones[2];
}

/* The program's own modules come first: if two ways have the same length, the way from the
   program's module gives the better name. */
static void start_at_modules(struct snap__space *space, const char *modules)
{
	bool skips_made = count_made(space, modules) > MOST_MADE;
	size_t size = (FILE_SLOTS + 1) * sizeof(uint64_t);
	uint64_t *files = snap__copy_need(size);

	for (int pass = 0; pass < 3; pass++) {
		intptr_t position = 0;
		void *name, *module;

		while (snap__python.dict_next((void *)(uintptr_t)modules, &position, &name,
					      &module)) {
			const char *dict = module_dict(space, module);
			int of_pass;

			if (!dict)
				continue;
			of_pass = is_text(name, "__main__") ? 0 : 1 + is_of_library(dict);
			if (of_pass != pass || (skips_made && is_made(files, name, dict)))
				continue;
			note_last_ones(name, dict);
			snap__objects_start((struct snap__object_start){.kind = SNAP__ROOT_MODULE,
									.is_library = pass == 2,
									.name = name},
					    dict);
		}
	}
	snap__copy_give_back(files, size);
}

/* ---- threads --------------------------------------------------------------------------------- */

struct locals {
	const char *state, *code; /* of a thread; the code object that is known */
	bool is_library;          /* whose that is */
	bool wanted;              /* which variables start: of libraries, or of the program */
};

static void note_code(struct locals *locals, const char *code)
{
	char text[1024];

	if (code == locals->code)
		return;
	locals->code = code;
	locals->is_library =
		snap__python_text(snap__python_pointer(code, snap__python.layout->code_file), text,
				  sizeof(text)) &&
		is_library_file(text);
}

static void start_at_awaited(void *user, const char *object, const char *name, const char *code)
{
	struct locals *locals = user;

	note_code(locals, code);
	if (!locals->is_library)
		snap__objects_start((struct snap__object_start){.kind = SNAP__ROOT_LOCAL,
								.name = name,
								.code = code,
								.state = locals->state},
				    object);
}

static void start_at_local(void *user, const char *object, const char *name, const char *code)
{
	struct locals *locals = user;
	struct locals awaited = {.state = locals->state};

	note_code(locals, code);
	/* asyncio's function that runs has the program's main coroutine in a variable. */
	if (locals->is_library && !locals->wanted)
		snap__awaited_each_local(object, start_at_awaited, &awaited);
	if (locals->is_library == locals->wanted)
		snap__objects_start((struct snap__object_start){.kind = SNAP__ROOT_LOCAL,
								.is_library = locals->is_library,
								.name = name,
								.code = code,
								.state = locals->state},
				    object);
}

/* The thread's context has the values of its context variables. */
static void start_at_context(struct snap__space *space, const char *state)
{
	for (size_t i = 0; i < STATE_WORDS; i++) {
		uintptr_t at = (uintptr_t)state + i * sizeof(void *), word;
		const char *type;

		if (!snap__space_is_readable(space, at, at + sizeof(void *)))
			return;
		word = snap__python_word(state, i * sizeof(void *));
		if (!snap__untold_is_object(space, word))
			continue;
		type = snap__type_short_name(snap__python_type((const char *)word));
		if (snap__equal(type, "Context") || snap__equal(type, "_contextvars.Context"))
			snap__objects_start((struct snap__object_start){.kind = SNAP__ROOT_CONTEXT,
									.state = state},
					    (const char *)word);
	}
}

static void start_at_state(struct snap__space *space, const char *state, bool later)
{
	const struct snap__python_layout *v = snap__python.layout;
	struct locals locals = {.state = state, .wanted = later};
	struct snap__object_start frame = {.kind = SNAP__ROOT_FRAME, .state = state};
	struct snap__object_start dict = {.kind = SNAP__ROOT_THREAD, .state = state};

	snap__python_each_local(state, start_at_local, &locals);
	if (!later) {
		snap__objects_start(dict, snap__python_pointer(state, v->thread_dict));
		return;
	}
	/* A frame object refers to more than its variables. */
	if (v->frame_owner == 0)
		snap__objects_start(frame, snap__python_pointer(state, v->thread_frame));
	start_at_context(space, state);
}

static void start_at_threads(struct snap__space *space, const char *interpreter, bool later)
{
	char *state = snap__python.first_thread((void *)(uintptr_t)interpreter);

	for (o->threads = 0; state && o->threads < MOST_THREADS; o->threads++) {
		start_at_state(space, state, later);
		state = snap__python.next_thread(state);
	}
}

/* ---- signals --------------------------------------------------------------------------------- */

const char *snap__starts_signal_name(unsigned number)
{
	static const char *const names[LAST_SIGNAL + 1] = {
		[SIGHUP] = "SIGHUP",   [SIGINT] = "SIGINT",   [SIGQUIT] = "SIGQUIT",
		[SIGABRT] = "SIGABRT", [SIGUSR1] = "SIGUSR1", [SIGUSR2] = "SIGUSR2",
		[SIGPIPE] = "SIGPIPE", [SIGALRM] = "SIGALRM", [SIGTERM] = "SIGTERM",
		[SIGCHLD] = "SIGCHLD", [SIGCONT] = "SIGCONT", [SIGTSTP] = "SIGTSTP",
		[SIGPROF] = "SIGPROF", [SIGIO] = "SIGIO",     [SIGWINCH] = "SIGWINCH",
	};

	return number <= LAST_SIGNAL ? names[number] : NULL;
}

static const char *module_named(struct snap__space *space, const char *modules, const char *wanted)
{
	const char *module = snap__dict_at(modules, wanted);

	return module ? module_dict(space, module) : NULL;
}

/* Only the module `_signal` knows the handlers.  Its function is native, reads an array, and makes no
   object: small numbers exist. */
static void start_at_signals(struct snap__space *space, const char *modules)
{
	const char *dict = module_named(space, modules, "_signal");
	const char *function = dict ? snap__dict_at(dict, "getsignal") : NULL;
	void *(*get)(void *module, void *number), *address;
	const char *method;
	int flags;

	if (!function || !snap__python.number_object ||
	    !snap__equal(snap__type_short_name(snap__python_type(function)),
			 "builtin_function_or_method"))
		return;
	method = snap__python_pointer(function, METHOD_TABLE);
	memcpy(&flags, method + METHOD_FLAGS, sizeof(flags));
	if (flags != METHOD_TAKES1)
		return;
	address = (void *)snap__python_word(method, METHOD_ENTRY);
	memcpy(&get, &address, sizeof(address));
	for (unsigned i = 1; i <= LAST_SIGNAL; i++) {
		char *handler = get((void *)snap__python_word(function, METHOD_SELF),
				    snap__python.number_object((long)i));

		if (handler && snap__type_flags(snap__python_type(handler)) & SNAP__TYPE_HAS_GC)
			snap__objects_start(
				(struct snap__object_start){.kind = SNAP__ROOT_SIGNAL, .number = i},
				handler);
	}
}

/* ---- both times ------------------------------------------------------------------------------ */

void snap__starts_first(struct snap__space *space, const char *interpreter, const char *modules)
{
	start_at_modules(space, modules);
	start_at_threads(space, interpreter, false);
}

void snap__starts_later(struct snap__space *space, const char *interpreter, const char *modules)
{
	start_at_threads(space, interpreter, true);
	start_at_signals(space, modules);
}
