/*
 * runtime/python/layout.h - offsets in CPython's structures that describe a call stack.
 *
 * Offsets in bytes, of 64-bit builds, release and debug alike: they are constant within a minor
 * version.  No header of CPython is needed.  3.13 and later also tell their offsets at run time
 * (_Py_DebugOffsets, at the start of _PyRuntime), which are compared with ours before any of ours
 * is used.
 */
#ifndef SNAP_RUNTIME_PYTHON_LAYOUT_H
#define SNAP_RUNTIME_PYTHON_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** How a code object's line table is written. */
enum snap__python_lines {
	SNAP__PYTHON_LNOTAB,    /* up to 3.9: pairs of (bytes of code, lines) */
	SNAP__PYTHON_LINETABLE, /* 3.10, PEP 626: pairs, with a mark for "no line" */
	SNAP__PYTHON_LOCATIONS, /* from 3.11 on, PEP 657 */
};

struct snap__python_layout {
	uint8_t minor; /* of version 3 */
	enum snap__python_lines lines;

	/* PyThreadState: to its newest frame.  If cframe is not 0, it points to a structure that
	   leads to the frame. */
	uint16_t thread_frame, thread_cframe, cframe_frame;
	uint16_t thread_id; /* pthread_self() of the thread that the state belongs to; 0: unused */

	/* Holds an address in the C stack frame of the innermost interpreter loop.  0: the
	   innermost frame that is no Python function's is in it (from 3.13 on). */
	uint16_t thread_entry;

	/* A frame.  The instruction is an int that counts from the start of the code (up to 3.10),
	   or the address of the last instruction. */
	bool counts_instructions;
	uint16_t frame_code, frame_previous, frame_instruction;
	uint16_t frame_owner; /* 0: every frame belongs to a Python function */
	uint8_t owner_c;      /* frames with this owner or a higher one belong to no Python
			         function */
	uintptr_t code_tags;  /* bits of the frame's code pointer that are not part of the
			         address */

	/* A code object. */
	uint16_t code_units;           /* its first instruction, inside it; 0: unused */
	uint16_t code_first_traceable; /* int: instructions before it set the frame up */
	uint16_t code_file, code_name, code_qualified_name; /* 0 as the last one: it has none */
	uint16_t code_line_table, code_first_line;

	uint16_t tuple_items; /* of a tuple: the first of its items */

	/* A compact str: its characters follow one of two headers. */
	uint16_t ascii_header, compact_header;

	/* _PyRuntime.  0: asked in another way, or told by the interpreter. */
	uint16_t runtime_thread;     /* the state of the thread that holds the GIL */
	uint16_t runtime_finalizing; /* not NULL once the interpreter is finalizing */

	/* The interpreter's state.  0: told by the interpreter (modules, gc). */
	uint16_t interpreter_modules; /* the dict of modules */
	uint16_t interpreter_gc;      /* the collector's part */
	uint16_t gc_lists; /* in it: the youngest generation's list; 0: differs between releases */
	bool gc_has_pointer;  /* a pointer lies between the generations and the frozen one */
	uint16_t gc_garbage;  /* in it: the list gc.garbage; 0: as gc_lists */
	uint16_t thread_dict; /* of a thread's state: what it keeps for the program; 0: unknown */
	/* A frame's variables; in its code, their number and a tuple of their names.  0: frames are
	   objects, and the next fields say where these are. */
	uint16_t frame_locals, code_local_count, code_local_names;
	uint16_t frame_object_frame; /* of a frame object: to its frame */
	/* If frames are objects: their variables, and in the code the tuples of their names. */
	uint16_t old_frame_locals, code_name_tuples[3];
	/* Of a coroutine: a char that says how far it is, and what it is before the first step.  0:
	   its frame says so. */
	uint16_t coroutine_state;
	int8_t coroutine_created;
	uint16_t type_cached_keys; /* names of attributes whose values the object has itself; 0 */
	uint16_t type_qualified_name; /* of a type that the program made; 0: unknown */
	bool weak_header; /* objects may have a header of two more words, for their dict */
};

/* The same in every supported version. */
#define SNAP__PYTHON_TYPE_NAME      24
#define SNAP__PYTHON_TYPE_SIZE      32
#define SNAP__PYTHON_TYPE_ITEM_SIZE 40
#define SNAP__PYTHON_TYPE_FLAGS     168
#define SNAP__PYTHON_TYPE_TRAVERSE  184
#define SNAP__PYTHON_TYPE_DICT      264
#define SNAP__PYTHON_TYPE_IS_GC     328
#define SNAP__PYTHON_TYPE_BASES     336
#define SNAP__PYTHON_TYPE_MRO       344
#define SNAP__PYTHON_MODULE_DICT    16
#define SNAP__PYTHON_GC_HEADER      16
#define SNAP__PYTHON_GC_STRIDE      24 /* from one generation's list to the next */
#define SNAP__PYTHON_GC_ENABLED     12 /* an int, that many bytes before the first list */
#define SNAP__PYTHON_OBJECT_TYPE    8
#define SNAP__PYTHON_VAR_SIZE       16
#define SNAP__PYTHON_BYTES_DATA     32
#define SNAP__PYTHON_LIST_ITEMS     24 /* a pointer to them */
#define SNAP__PYTHON_DICT_USED      16 /* entries */
#define SNAP__PYTHON_DICT_VALUES    40 /* set where the keys are in a table of the class */
#define SNAP__PYTHON_STR_LENGTH     16
#define SNAP__PYTHON_STR_STATE      32
#define SNAP__PYTHON_FIRST_MINOR    9
#define SNAP__PYTHON_LATEST_MINOR   14

/** The layout of version 3.`minor`, or NULL. */
const struct snap__python_layout *snap__python_layout(unsigned minor);

/**
 * Do the offsets that the interpreter tells at `runtime` (its _PyRuntime) equal those of `layout`?
 * True for versions that tell none.
 */
bool snap__python_layout_agrees(const struct snap__python_layout *layout, const void *runtime);

/** Whether the debug offsets at `runtime` are those of a build without a GIL. */
bool snap__python_is_free_threaded(const void *runtime);

#endif
