/*
 * runtime/python/find.c - looking for CPython by the names that it exports.
 *
 * Nothing here runs Python code.  Py_GetVersion() only puts a text together, and may be called
 * before the interpreter is initialised.
 */
#include "runtime/python/find.h"

#include <dlfcn.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>

#include "runtime/symbols.h"
#include "runtime/text.h"

/* In _Py_DebugOffsets: offset of _PyRuntime.finalizing. */
#define TOLD_FINALIZING 32

struct snap__python snap__python;

static void *address_of(void *library, const char *name)
{
	return library == RTLD_DEFAULT ? snap__symbols_any(name) : dlsym(library, name);
}

/* ISO C has no conversion from object to function pointers; POSIX promises that this works. */
static bool look_up(void *library, void *slot, const char *name)
{
	void *address = address_of(library, name);

	memcpy(slot, &address, sizeof(address));
	return address != NULL;
}

static bool has(void *library, const char *name)
{
	return address_of(library, name) != NULL;
}

/* The version's numbers, up to the blank or plus sign that follows them. */
static void note_version(struct snap__python *found, const char *text)
{
	struct snap__text version = SNAP__TEXT(found->version);
	size_t n = strcspn(text, " +");

	snap__text_add_bytes(&version, text, n);
}

static bool look_up_functions(struct snap__python *found, void *library)
{
	bool all = look_up(library, &found->get_allocator, "PyMem_GetAllocator") &&
		   look_up(library, &found->set_allocator, "PyMem_SetAllocator") &&
		   look_up(library, &found->get_arenas, "PyObject_GetArenaAllocator") &&
		   look_up(library, &found->set_arenas, "PyObject_SetArenaAllocator") &&
		   look_up(library, &found->own_thread, "PyGILState_GetThisThreadState") &&
		   look_up(library, &found->runtime, "_PyRuntime") &&
		   look_up(library, &found->code_type, "PyCode_Type") &&
		   look_up(library, &found->str_type, "PyUnicode_Type") &&
		   look_up(library, &found->bytes_type, "PyBytes_Type");

	return all && (look_up(library, &found->attached_thread, "PyThreadState_GetUnchecked") ||
		       look_up(library, &found->attached_thread, "_PyThreadState_UncheckedGet"));
}

/* Functions that only the census needs: without them, lines are still recorded. */
static void look_up_for_census(struct snap__python *found, void *library)
{
	bool all = look_up(library, &found->type_type, "PyType_Type") &&
		   look_up(library, &found->dict_type, "PyDict_Type") &&
		   look_up(library, &found->tuple_type, "PyTuple_Type") &&
		   look_up(library, &found->list_type, "PyList_Type") &&
		   look_up(library, &found->module_type, "PyModule_Type") &&
		   look_up(library, &found->main_interpreter, "PyInterpreterState_Main") &&
		   look_up(library, &found->first_interpreter, "PyInterpreterState_Head") &&
		   look_up(library, &found->next_interpreter, "PyInterpreterState_Next") &&
		   look_up(library, &found->first_thread, "PyInterpreterState_ThreadHead") &&
		   look_up(library, &found->next_thread, "PyThreadState_Next") &&
		   look_up(library, &found->swap_thread, "PyThreadState_Swap") &&
		   look_up(library, &found->dict_next, "PyDict_Next");

	(void)look_up(library, &found->number_object, "PyLong_FromLong");
	if (!all)
		found->type_type = NULL;
}

/* NULL, or what is wrong with the interpreter whose Py_GetVersion() said `text`. */
static const char *choose_layout(struct snap__python *found, void *library, const char *text)
{
	const char *rest = text;
	uint64_t major = snap__parse_u64(text, &rest), minor;

	if (major != 3 || *rest != '.')
		return "it is not version 3";
	minor = snap__parse_u64(rest + 1, NULL);
	if (minor < SNAP__PYTHON_FIRST_MINOR)
		return "it is older than 3.9";
	if (minor > SNAP__PYTHON_LATEST_MINOR)
		return "it is newer than 3.14";
	if (!look_up_functions(found, library))
		return "it does not export what is needed";
	if (strstr(text, "free-threading") || snap__python_is_free_threaded(found->runtime))
		return "it is a free-threaded build";
	if (has(library, "_Py_PrintReferences"))
		return "it was built with Py_TRACE_REFS";
	found->layout = snap__python_layout((unsigned)minor);
	if (!found->layout || !snap__python_layout_agrees(found->layout, found->runtime))
		return "its structures are not laid out as in other builds";
	return NULL;
}

static const void *const *find_finalizing(const struct snap__python *found)
{
	size_t offset = found->layout->runtime_finalizing;

	if (found->layout->minor >= 13) {
		uint64_t told;

		memcpy(&told, found->runtime + TOLD_FINALIZING, sizeof(told));
		offset = told;
	}
	return (const void *const *)(const void *)(found->runtime + offset);
}

/* Optimised builds keep a part of it elsewhere. */
static struct snap__python_function find_function(void *library, const char *name)
{
	void *function = address_of(library, name), *entry = NULL;
	const ElfW(Sym) * symbol;
	Dl_info info;

	if (!function || !dladdr1(function, &info, &entry, RTLD_DL_SYMENT) || !entry)
		return (struct snap__python_function){0};
	symbol = entry;
	return (struct snap__python_function){(uintptr_t)function,
					      (uintptr_t)function + symbol->st_size};
}

/* The program's headers are in its first page. */
static bool is_in_program(void *library)
{
	Dl_info info;

	return dladdr(address_of(library, "Py_GetVersion"), &info) != 0 &&
	       getauxval(AT_PHDR) - (uintptr_t)info.dli_fbase < 4096;
}

static bool find(void *library)
{
	const char *(*get_version)(void);
	struct snap__python found = {.library = library};
	const char *text;

	if (snap__python.layout)
		return true;
	if (!has(library, "PyMem_SetAllocator") || !look_up(library, &get_version, "Py_GetVersion"))
		return false;
	text = get_version();
	note_version(&found, text);
	found.is_in_program = is_in_program(library);
	found.problem = choose_layout(&found, library, text);
	if (found.problem)
		found.layout = NULL;
	else
		found.finalizing = find_finalizing(&found);
	if (found.layout) {
		found.loop = find_function(library, "_PyEval_EvalFrameDefault");
		found.initialize = find_function(library, "Py_InitializeFromConfig");
		look_up_for_census(&found, library);
		if (!look_up(library, &found.allocated_blocks, "_Py_GetGlobalAllocatedBlocks"))
			(void)look_up(library, &found.allocated_blocks, "_Py_GetAllocatedBlocks");
	}
	snap__python = found;
	return found.layout != NULL;
}

/* A failed look-up leaves a message in a block of libc: the host would be told of it by dlerror(), and would free
 * a block whose allocation was not recorded.  The first dlerror() fetches the message, the second one frees
 * it. */
bool snap__python_find(void *library)
{
	bool was_found = find(library);

	(void)dlerror();
	(void)dlerror();
	return was_found;
}
