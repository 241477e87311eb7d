/*
 * runtime/python/objects.h - every object of the interpreter, in a frozen copy of the process.
 *
 * Objects are found as the collector finds them: each type's tp_traverse names what an object
 * refers to.  The search begins at the modules and at the frames that run, breadth first, so that
 * the way to an object is as short as any.  Objects that are only in the collector's lists are held
 * by native code, or only by themselves.  Nothing is written to the objects, no reference is taken,
 * and no Python code runs.
 */
#ifndef SNAP_RUNTIME_PYTHON_OBJECTS_H
#define SNAP_RUNTIME_PYTHON_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/hidden.h"
#include "runtime/holders/space.h"
#include "runtime/python/object.h"

#define SNAP__NO_OBJECT UINT32_MAX

/** What is known to hold an object. */
enum snap__object_state {
	SNAP__OBJECT_HELD,   /* reached from a module or a frame */
	SNAP__OBJECT_NATIVE, /* held from outside of all objects, or by such an object */
	SNAP__OBJECT_LOST, /* only objects that are lost refer to it: the collector would free it */
};

/** Where the search begins. */
enum snap__object_root {
	SNAP__ROOT_MODULE,  /* the object is a module's dict */
	SNAP__ROOT_LOCAL,   /* a local variable of a function that runs */
	SNAP__ROOT_FRAME,   /* a frame that runs (up to 3.10, because frames are objects there) */
	SNAP__ROOT_THREAD,  /* what a thread's state refers to */
	SNAP__ROOT_CONTEXT, /* the values of a thread's context variables */
	SNAP__ROOT_SIGNAL,  /* the handler of a signal */
};

struct snap__object_start {
	uint32_t object;
	enum snap__object_root kind;
	unsigned number;   /* of the signal */
	bool is_library;   /* the module or function came with the interpreter, or was installed */
	const char *name;  /* str: of the module, of the local variable */
	const char *code;  /* of a frame */
	const char *state; /* of the thread */
};

struct snap__objects {
	const char **at;      /* addresses, in the order of the search */
	uint32_t *parent;     /* the object from which it was found; SNAP__NO_OBJECT: it is a start,
			         or was found in a list */
	uint32_t *references; /* how many references from other objects lead to it */
	uint8_t *state;       /* enum snap__object_state */
	uint32_t count, capacity;
	uint32_t held;       /* those before are held */
	uint32_t tracked;    /* in the collector's lists */
	uint32_t lost;       /* how many */
	uint32_t unfollowed; /* their tp_traverse failed: known is what it had named before */
	uint64_t unsound;    /* references that lead to no object */
	bool lists_are_read; /* false: objects that the search does not reach are unknown */
	struct snap__object_start *starts;
	uint32_t start_count;
	bool is_enabled, is_enabled_known; /* the collector */
	const char *garbage;               /* the list gc.garbage; NULL: unknown */
	uint64_t collections[3];
	uint32_t tracked_in[4]; /* by generation; the last one has the frozen objects */
	uint32_t threads;
	uint64_t modules; /* entries of sys.modules */
};
extern SNAP__HIDDEN struct snap__objects snap__objects;

/** Why there can be no census; NULL: there can. */
const char *snap__objects_problem(void);

/** Find them.  Ends the copy if memory runs out. */
void snap__objects_find(struct snap__space *space);

/** Begin at `object`, too, unless it was found already or is NULL; start.object need not be set. */
void snap__objects_start(struct snap__object_start start, const char *object);

/** The object at `address`; SNAP__NO_OBJECT if none is. */
uint32_t snap__object_at(const void *address);

/** Call `fn(target, user)` for each reference of the object; targets may be met again. */
typedef void snap__object_fn(uint32_t target, void *user);
void snap__object_each(uint32_t object, snap__object_fn *fn, void *user);

/** Call `visit(target, user)` for each reference of an object that need not have been found, until it returns
 * other than 0.  False if the object's tp_traverse failed: it has named the same references each
 * time until then. */
typedef int snap__visit_fn(void *target, void *user);
bool snap__object_visit(const char *object, snap__visit_fn *visit, void *user);

/** Bytes before the object that belong to it, and are part of its block. */
size_t snap__object_header(const char *object);

/** Flags of a type. */
#define SNAP__TYPE_INLINE_VALUES (1ull << 2)
#define SNAP__TYPE_WEAK_HEADER   (1ull << 3)
#define SNAP__TYPE_DICT_HEADER   (1ull << 4)
#define SNAP__TYPE_HEAP          (1ull << 9)
#define SNAP__TYPE_HAS_GC        (1ull << 14)
#define SNAP__TYPE_IS_INT        (1ull << 24)
#define SNAP__TYPE_IS_LIST       (1ull << 25)
#define SNAP__TYPE_IS_TUPLE      (1ull << 26)
#define SNAP__TYPE_IS_BYTES      (1ull << 27)
#define SNAP__TYPE_IS_STR        (1ull << 28)
#define SNAP__TYPE_IS_DICT       (1ull << 29)
#define SNAP__TYPE_IS_EXCEPTION  (1ull << 30)
#define SNAP__TYPE_IS_TYPE       (1ull << 31)

static inline uint64_t snap__type_flags(const void *type)
{
	return snap__python_word(type, SNAP__PYTHON_TYPE_FLAGS);
}

#endif
