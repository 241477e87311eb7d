/*
 * runtime/python/find.h - is there a CPython in this process, which one, and where are its
 * functions?
 *
 * Everything is looked up by name at run time.  An interpreter is found when recording begins, if
 * the program or a library that came with it has one; or later, in a library that is loaded then.
 */
#ifndef SNAP_RUNTIME_PYTHON_FIND_H
#define SNAP_RUNTIME_PYTHON_FIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/hidden.h"
#include "runtime/modules.h"
#include "runtime/python/layout.h"

/** PyMemAllocatorEx and PyObjectArenaAllocator. */
struct snap__python_allocator {
	void *context;
	void *(*malloc)(void *context, size_t size);
	void *(*calloc)(void *context, size_t count, size_t size);
	void *(*realloc)(void *context, void *ptr, size_t size);
	void (*free)(void *context, void *ptr);
};

struct snap__python_arenas {
	void *context;
	void *(*alloc)(void *context, size_t size);
	void (*free)(void *context, void *arena, size_t size);
};

/** PyMemAllocatorDomain. */
enum snap__python_domain { SNAP__PYTHON_RAW, SNAP__PYTHON_MEM, SNAP__PYTHON_OBJECT };

/** Where its code is; zeros if unknown. */
struct snap__python_function {
	uintptr_t start, end;
};

struct snap__python {
	const struct snap__python_layout
		*layout;     /* NULL: none found, or not one that we can read */
	const char *problem; /* why an interpreter that was found cannot be read, or NULL */
	char version[32];    /* of the one that was found, "3.11.2"; "" none */
	void *library;       /* the handle for dlsym() */
	bool is_in_program;  /* the program itself contains the interpreter, not a library */
	const char *runtime; /* _PyRuntime */
	const void *const *finalizing; /* not NULL once it is finalizing */
	/* Code: the interpreter loop, and the function that starts an interpreter. */
	struct snap__python_function loop, initialize;
	const void *code_type, *str_type, *bytes_type;

	void (*get_allocator)(int domain, struct snap__python_allocator *allocator);
	void (*set_allocator)(int domain, struct snap__python_allocator *allocator);
	void (*get_arenas)(struct snap__python_arenas *arenas);
	void (*set_arenas)(struct snap__python_arenas *arenas);
	void *(*attached_thread)(void); /* state of the thread that holds the GIL, or NULL */
	void *(*own_thread)(void);      /* state of the calling thread, with the GIL or without */
	ptrdiff_t (*allocated_blocks)(void); /* blocks in use, with the GIL only; may be NULL */

	/* For the census of objects; NULLs where one of them is missing. */
	const void *type_type, *dict_type, *tuple_type, *list_type, *module_type;
	void *(*main_interpreter)(void);
	void *(*first_interpreter)(void);
	void *(*next_interpreter)(void *interpreter);
	void *(*first_thread)(void *interpreter);
	void *(*next_thread)(void *thread);
	void *(*swap_thread)(void *thread);
	int (*dict_next)(void *dict, intptr_t *position, void **key, void **value);
	void *(*number_object)(long number); /* PyLong_FromLong(); may be NULL */
};

/** What was found; zeros until then. */
extern SNAP__HIDDEN struct snap__python snap__python;

/** Is a call stack's `pc`, which may have a tag, in the function's code? */
static inline bool snap__python_is_in(const struct snap__python_function *function, uintptr_t pc)
{
	uintptr_t address = pc & (((uintptr_t)1 << SNAP__PC_TAG_SHIFT) - 1);

	return address - function->start < function->end - function->start;
}

/**
 * Look for an interpreter by `library`, a handle of dlopen() or RTLD_DEFAULT, unless one is known
 * already.  True if it is there and can be read; otherwise `problem` says what was wrong with it,
 * and is NULL if there is none.  Takes the loader's lock.
 */
bool snap__python_find(void *library);

#endif
