/*
 * runtime/python/layout.h - where CPython keeps what a call stack is made of.
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

	/* PyThreadState: to its newest frame.  Where cframe is not 0, the frame hangs from what
	   that points to. */
	uint16_t thread_frame, thread_cframe, cframe_frame;
	uint16_t thread_id; /* pthread_self() of the thread that the state belongs to; 0: unused */

	/* Holds an address in the C stack frame of the innermost interpreter loop.  0: the
	   innermost frame that is no Python function's is in it (from 3.13 on). */
	uint16_t thread_entry;

	/* A frame.  The instruction is an int that counts from the start of the code (up to 3.10),
	   or the address of the last instruction. */
	bool counts_instructions;
	uint16_t frame_code, frame_previous, frame_instruction;
	uint16_t frame_owner; /* 0: every frame is a Python function's */
	uint8_t owner_c;      /* owners from this one on are no Python functions */
	uintptr_t code_tags;  /* bits of the frame's code pointer that are no address */

	/* A code object. */
	uint16_t code_units;           /* its first instruction, inside it; 0: unused */
	uint16_t code_first_traceable; /* int: instructions before it set the frame up */
	uint16_t code_file, code_name, code_qualified_name; /* the last 0: it has none */
	uint16_t code_line_table, code_first_line;

	/* A str that is stored compactly: its characters follow one of two headers. */
	uint16_t ascii_header, compact_header;

	/* _PyRuntime.  0: asked in another way, or told by the interpreter. */
	uint16_t runtime_thread;     /* the state of the thread that holds the GIL */
	uint16_t runtime_finalizing; /* not NULL once the interpreter takes itself apart */
};

/* The same in every supported version. */
#define SNAP__PYTHON_OBJECT_TYPE  8
#define SNAP__PYTHON_VAR_SIZE     16
#define SNAP__PYTHON_BYTES_DATA   32
#define SNAP__PYTHON_STR_LENGTH   16
#define SNAP__PYTHON_STR_STATE    32
#define SNAP__PYTHON_FIRST_MINOR  9
#define SNAP__PYTHON_LATEST_MINOR 14

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
