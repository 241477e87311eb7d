/*
 * own.c - is a frame own code or a library's?  Built-in rules, the user's globs, and the walk that
 * names a stack.
 */
#include "model/own.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <string.h>

#include "base/text.h"
#include "model/names.h"
#include "model/wrapper.h"

/* ---- texts against lists --------------------------------------------------------------------- */

/* The entry that `text` begins with, or NULL. */
static const char *prefix_in(const char *text, const char *const *list)
{
	while (*list && !text_starts_with(text, *list))
		list++;
	return *list;
}

static const char *part_in(const char *text, const char *const *list)
{
	while (*list && !strstr(text, *list))
		list++;
	return *list;
}

static bool ends_with(const char *text, const char *end)
{
	size_t size = strlen(text), end_size = strlen(end);

	return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

/* ---- paths ----------------------------------------------------------------------------------- */

/* "/lib/python3.11/", in whatever directory the interpreter is installed. */
static const char *python_library(const char *path)
{
	static const char *const directories[] = {"/lib/python", "/lib64/python", "/lib/pypy"};

	for (size_t i = 0; i < sizeof(directories) / sizeof(*directories); i++) {
		const char *at = strstr(path, directories[i]);

		if (at && isdigit((unsigned char)at[strlen(directories[i])]) &&
		    strchr(at + strlen(directories[i]), '/'))
			return "a Python installation";
	}
	return NULL;
}

/* Python's frames: the file decides, because the module is the interpreter. */
bool own_is_script(const char *file)
{
	return *file == '<' || ends_with(file, ".py") || ends_with(file, ".pyw") ||
	       ends_with(file, ".pyx");
}

/*
 * A class's methods that a library wrote from its fields, as dataclasses, attrs and SQLAlchemy do,
 * namedtuple's constructor, and a text that Jinja made a program of: their source is no file, and who calls them asked.  "A.__init__" in a "<string>" is the
 * user's: only from Python 3.11 on can the two be told apart.
 */
static bool is_generated(const char *function, const char *file)
{
	if (text_starts_with(file, "<attrs generated ") || strcmp(file, "<template>") == 0)
		return true;
	return strcmp(file, "<string>") == 0 &&
	       (text_starts_with(function, "__create_fn__.") || strcmp(function, "__init__") == 0 ||
		strcmp(function, "<lambda>") == 0);
}

static const char *const package_parts[] = {"/site-packages/", "/dist-packages/", NULL};

/*
 * Scripts that a package manager writes, such as gunicorn and celery, only call a library from their
 * top level.  A user's own script may be there, too: its functions are own code.
 */
static const char *starts_library(const char *function, const char *file)
{
	static const char *const commands[] = {
		"/usr/bin/", "/usr/sbin/", "/usr/local/bin/", "/usr/local/sbin/", NULL,
	};
	static const char *const environments[] = {
		"/venv/bin/",   "/.venv/bin/",       "/env/bin/", "/virtualenvs/",
		"/.local/bin/", "/.pyenv/versions/", NULL,
	};
	const char *why;

	if (own_is_script(file) || strcmp(function, "<module>") != 0)
		return NULL;
	why = prefix_in(file, commands);
	return why ? why : part_in(file, environments);
}

/* Where compilers and languages keep the sources of their libraries. */
static const char *library_file(const char *file)
{
	static const char *const prefixes[] = {
		"/rustc/",
		"/rust/deps/",
		"library/alloc/",
		"library/core/",
		"library/std/",
		"/usr/include/",
		"/usr/local/include/",
		"/usr/lib/",
		"/usr/lib64/",
		"/usr/local/lib/",
		"/usr/local/lib64/",
		"/lib/",
		"/usr/share/",
		"/usr/local/go/src/",
		"<frozen ",
		"<__array_function__",
		"<unknown>",
		"/usr/lib/gcc/",
		NULL,
	};
	static const char *const parts[] = {
		"/include/c++/",  "/rustlib/src/", "/.cargo/registry/", "/.cargo/git/", "/.rustup/",
		"/libstdc++-v3/", "/go/pkg/mod/",  "/node_modules/",    NULL,
	};
	const char *why = prefix_in(file, prefixes);

	if (!why)
		why = part_in(file, parts);
	if (!why)
		why = part_in(file, package_parts);
	if (!why && text_starts_with(name_base(file), "_cgo_"))
		return "made by cgo";
	return why ? why : python_library(file);
}

/* "libfoo.so.1", "foo.so": a program may live in a library directory, too. */
static bool is_shared_object(const char *base)
{
	const char *at = strstr(base, ".so");

	return at && (at[3] == 0 || at[3] == '.');
}

/* Runtimes are known by their names in whatever directory they are. */
static const char *runtime(const char *base)
{
	static const char *const names[] = {
		"libc.so",      "libc-2.",     "ld-linux",      "ld-musl",     "ld-2.",
		"libm.so",      "libpthread",  "libdl.so",      "librt.so",    "libstdc++.so",
		"libc++",       "libgcc_s",    "libgomp.so",    "libstd-",     "libpython",
		"libpypy",      "libperl.so",  "libruby",       "liblua",      "libjvm.so",
		"libnode.so",   "libglib-2.0", "libgobject-2.", "libgio-2.0",  "libssl.so",
		"libcrypto.so", "libsqlite3",  "libjemalloc",   "libtcmalloc", "libmimalloc",
		"libasan",      "libtsan",     "libubsan",      "libsnap.so",  "libz.so",
		"libresolv.so", NULL,
	};

	return is_shared_object(base) || text_starts_with(base, "ld-") ? prefix_in(base, names)
								       : NULL;
}

/* "python3.11", "perl5.36.0", "node": a name, then nothing but a version. */
static const char *interpreter(const char *base)
{
	static const char *const names[] = {
		"python", "pypy",   "perl", "ruby",  "node",  "nodejs",  "php",
		"lua",    "luajit", "java", "guile", "tclsh", "Rscript", NULL,
	};

	for (size_t i = 0; names[i]; i++) {
		const char *rest = base + strlen(names[i]);

		if (!text_starts_with(base, names[i]))
			continue;
		rest += strspn(rest, "0123456789.");
		if (*rest == 0 || strcmp(rest, "-dbg") == 0 || strcmp(rest, "d") == 0 ||
		    strcmp(rest, "t") == 0)
			return names[i];
	}
	return NULL;
}

static const char *library_module(const char *module)
{
	static const char *const directories[] = {
		"/lib/",           "/lib32/",     "/lib64/",     "/libx32/",
		"/usr/lib/",       "/usr/lib32/", "/usr/lib64/", "/usr/local/lib64/",
		"/usr/local/lib/", "/nix/store/", "/gnu/store/", NULL,
	};
	const char *base = name_base(module), *why;

	if (*module == '[') /* [vdso] */
		return "not a file";
	why = is_shared_object(base) ? prefix_in(module, directories) : NULL;
	if (!why)
		why = runtime(base);
	if (!why)
		why = interpreter(base);
	if (!why)
		why = part_in(module, package_parts);
	return why || !is_shared_object(base) ? why : python_library(module);
}

/* ---- functions ------------------------------------------------------------------------------- */

/* Paths of Rust's libraries; the first component alone may be a namespace of the user's. */
static const char *const rust_paths[] = {
	"alloc::alloc::",
	"alloc::borrow::",
	"alloc::boxed::",
	"alloc::collections::",
	"alloc::ffi::",
	"alloc::fmt::",
	"alloc::raw_vec::",
	"alloc::rc::",
	"alloc::slice::",
	"alloc::str::",
	"alloc::string::",
	"alloc::sync::",
	"alloc::vec::",
	"core::any::",
	"core::array::",
	"core::cell::",
	"core::clone::",
	"core::cmp::",
	"core::convert::",
	"core::default::",
	"core::fmt::",
	"core::hash::",
	"core::iter::",
	"core::mem::",
	"core::num::",
	"core::ops::",
	"core::option::",
	"core::panicking::",
	"core::ptr::",
	"core::result::",
	"core::slice::",
	"core::str::",
	"core::sync::",
	"hashbrown::",
	NULL,
};

static const char *language_path(const char *path)
{
	static const char *const reserved[] = {"std::", "__gnu_cxx::", "__rustc::", "__rust_",
					       NULL};
	const char *why = prefix_in(path, reserved);

	return why ? why : prefix_in(path, rust_paths);
}

/* For names whose file is unknown: do they belong to the language? "<T as
 * core::clone::Clone>::clone" belongs to a library if its type is generic. */
static const char *library_function(const char *function)
{
	const char *trait;

	if (*function != '<')
		return language_path(function);
	function += 1 + strspn(function + 1, "&*");
	trait = strstr(function, " as ");
	if (trait && !memchr(function, ':', (size_t)(trait - function)))
		return language_path(trait + strlen(" as "));
	return language_path(function);
}

/* How every program begins. */
static bool is_start_up(const char *function)
{
	static const char *const names[] = {"_start",
					    "__libc_csu_init",
					    "__libc_start_main",
					    "_dl_start_user",
					    "clone3",
					    "start_thread",
					    NULL};

	for (size_t i = 0; names[i]; i++)
		if (strcmp(function, names[i]) == 0)
			return true;
	return false;
}

/*
 * CPython's functions that make, grow and call objects.  They are on every stack of the
 * interpreter, so they do not tell which code asked for memory.
 */
static bool makes_objects(const char *function)
{
	static const char *const prefixes[] = {
		"_PyObject_",  "PyObject_",     "_PyType_",  "PyType_",      "_PyGC_",
		"PyGC_",       "_PyLong_",      "PyLong_",   "_PyTuple_",    "PyTuple_",
		"_PyList_",    "PyList_",       "_PyDict_",  "PyDict_",      "_PySet_",
		"PySet_",      "_PyBytes_",     "PyBytes_",  "_PyUnicode_",  "PyUnicode_",
		"PyFloat_",    "PyCell_",       "_PyEval_",  "PyEval_",      "PyByteArray_",
		"PyFunction_", "_PyFunction_",  "PyMethod_", "PyCFunction_", "_PyCode_",
		"PyCode_",     "PyVectorcall_", "PyIter_",   "_PyStack_",    NULL,
	};
	static const char *const names[] = {
		"list_resize",
		"dictresize",
		"new_dict",
		"new_keys_object",
		"insertdict",
		"set_table_resize",
		"tuple_alloc",
		"get_small_int",
		"gc_alloc",
		"new_values",
		"insert_to_emptydict",
		"dict_new_presized",
		"dict_merge",
		"dict_new",
		"_Py_NewReference",
		"unicode_new_empty",
		"type_call",
		"type_new",
		"vectorcall_method",
		"object_vacall",
		"slot_tp_new",
		"slot_tp_init",
		"tuple_new_impl",
		"cfunction_call",
		"method_vectorcall",
		"gen_new_with_qualname",
		"make_gen",
		"init_inline_values",
		"_PyFrame_New_NoTrack",
		"PyFrame_New",
		"_PyThreadState_PushFrame",
		"push_chunk",
		"cell_new",
		"list_new_prealloc",
		"list_append_grow",
		NULL,
	};

	if (prefix_in(function, prefixes))
		return true;
	for (size_t i = 0; names[i]; i++)
		if (strcmp(function, names[i]) == 0)
			return true;
	return false;
}

static bool is_python(const char *module)
{
	const char *base = name_base(module), *name = interpreter(base);

	return text_starts_with(base, "libpython") || (name && strcmp(name, "python") == 0);
}

/* ---- copies ------------------------------------------------------------------------------------ */

/* "Order::Order(Order const&)", "ns::Set<int>::operator=(ns::Set<int>&&)" */
static bool is_copy_of_cxx(const char *function)
{
	static const char *const ends[] = {" const&)", "&&)"};
	const char *open = strrchr(function, '('), *name;
	size_t scope = 0, base;

	for (size_t i = 0; open && i < sizeof(ends) / sizeof(*ends) && !scope; i++)
		if (ends_with(open, ends[i]))
			scope = strlen(open) - 1 - strlen(ends[i]);
	if (!scope || strncmp(function, open + 1, scope) != 0 ||
	    strncmp(function + scope, "::", 2) != 0)
		return false;
	name = function + scope + 2;
	if (strncmp(name, "operator=(", 10) == 0)
		return true;
	base = strcspn(function, "<"); /* the class without its template arguments */
	base = base < scope ? base : scope;
	return (size_t)(open - name) <= base &&
	       strncmp(function + base - (open - name), name, (size_t)(open - name)) == 0;
}

/* A function that copies an object, which the language makes for every type, says nothing about the
   code that asked. */
static bool copies_object(const char *function)
{
	const char *trait = strstr(function, " as ");

	return is_copy_of_cxx(function) ||
	       (trait && (strstr(trait, " as core::clone::Clone>::clone") ||
			  strstr(trait, " as alloc::borrow::ToOwned>::to_owned")));
}

/* "[truncated]", "[depth limit]": the recorder's marks for the end of a stack that is not complete. */
static bool is_mark(const char *function, const char *file, const char *module)
{
	return *function == '[' && !*file && !*module;
}

/* ---- the decision ---------------------------------------------------------------------------- */

static const char *glob_in(const char *const *globs, size_t count, const char *const *texts)
{
	for (size_t i = 0; i < count; i++)
		for (size_t t = 0; texts[t]; t++)
			if (*texts[t] && fnmatch(globs[i], texts[t], 0) == 0)
				return globs[i];
	return NULL;
}

static enum own_kind built_in(const char *function, const char *file, const char *module,
			      const char **why)
{
	if (name_is_plumbing(function, file, module)) {
		*why = "passes requests on to the allocator";
		return OWN_PLUMBING;
	}
	if (is_generated(function, file)) {
		*why = "a library made it, and no file has it";
		return OWN_OBJECT;
	}
	*why = own_is_script(file) ? NULL : library_module(module);
	if (*why)
		return is_python(module) && makes_objects(function) ? OWN_OBJECT : OWN_LIBRARY;
	*why = *file ? library_file(file) : NULL;
	if (!*why)
		*why = starts_library(function, file);
	if (!*why && !strchr(file, '/')) /* a file called "stl_vector.h" may be the user's own */
		*why = library_function(function);
	if (!*why && copies_object(function)) {
		*why = "copies an object";
		return OWN_OBJECT;
	}
	if (!*why && !own_is_script(file) && name_is_wrapper(function)) {
		*why = "passes requests on to the allocator";
		return OWN_OBJECT;
	}
	if (!*why && is_start_up(function))
		*why = "start of the program";
	if (!*why && !*function && !*file && !*module)
		*why = "nothing is known of it";
	if (is_mark(function, file, module)) {
		*why = "the rest of the stack is not known";
		return OWN_OBJECT;
	}
	return *why ? OWN_LIBRARY : OWN_CODE;
}

enum own_kind own_classify(const struct own_rules *rules, const char *function, const char *file,
			   const char *module, const char **why)
{
	const char *const texts[] = {function, file, module, name_base(module), NULL};
	const char *reason;
	enum own_kind kind = OWN_CODE;

	if (rules && (reason = glob_in(rules->own, rules->own_count, texts))) {
		kind = OWN_CODE;
	} else {
		kind = built_in(function, file, module, &reason);
		if (rules && kind != OWN_PLUMBING && kind != OWN_OBJECT) {
			const char *glob = glob_in(rules->library, rules->library_count, texts);

			kind = glob ? OWN_LIBRARY : kind;
			reason = glob ? glob : reason;
		}
	}
	if (why)
		*why = reason ? reason : "";
	return kind;
}

static const struct own_rules no_rules;
static const struct own_rules *rules_of_process = &no_rules;

void own_set_rules(const struct own_rules *rules)
{
	rules_of_process = rules ? rules : &no_rules;
}

const struct own_rules *own_rules(void)
{
	return rules_of_process;
}

/* ---- the walk -------------------------------------------------------------------------------- */

/* The frame that asked for memory is the newest one of a library or of own code. */
static enum own_kind rank(enum own_kind kind)
{
	return kind > OWN_LIBRARY ? OWN_LIBRARY : kind;
}

bool own_step(struct own_walk *walk, enum own_kind kind)
{
	if (rank(kind) > walk->best) {
		walk->best = rank(kind);
		walk->names.asked = walk->depth;
	}
	walk->found = kind == OWN_CODE;
	walk->names.named = walk->found ? walk->depth : walk->names.asked;
	walk->depth++;
	return !walk->found;
}
