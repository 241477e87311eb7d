/*
 * runtime/python/frames.h - from a thread of the interpreter's to a node in the tree of call
 * stacks.
 *
 * A node's "pc" is a code object's number and an instruction of it.  Frames are read directly,
 * without the interpreter's public functions: those create objects, which may run other code.
 */
#ifndef SNAP_RUNTIME_PYTHON_FRAMES_H
#define SNAP_RUNTIME_PYTHON_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/python/codes.h"
#include "runtime/record.h"
#include "runtime/thread.h"

/** The parts of a pc of the stack tree that is a Python frame: a module tag that no module has, the
 * code object's number, the instruction. */
#define SNAP__PYTHON_PC_TAG           0xfffeull
#define SNAP__PYTHON_PC_TAG_SHIFT     48
#define SNAP__PYTHON_INSTRUCTION_BITS 24
#define SNAP__PYTHON_INSTRUCTION_MAX  ((1u << SNAP__PYTHON_INSTRUCTION_BITS) - 1)

static inline bool snap__python_is_pc(uintptr_t pc)
{
	return pc >> SNAP__PYTHON_PC_TAG_SHIFT == SNAP__PYTHON_PC_TAG;
}

static inline uint32_t snap__python_pc_code(uintptr_t pc)
{
	return (uint32_t)(pc >> SNAP__PYTHON_INSTRUCTION_BITS) &
	       ((1u << SNAP__PYTHON_CODE_BITS) - 1);
}

/** In code units (bytes in 3.9); the highest value is "before the first". */
static inline uint32_t snap__python_pc_instruction(uintptr_t pc)
{
	return (uint32_t)pc & SNAP__PYTHON_INSTRUCTION_MAX;
}

/** The result of reading a thread's frames. */
enum snap__python_look {
	SNAP__PYTHON_NO_FRAMES, /* it runs no Python function */
	SNAP__PYTHON_STACK,
	SNAP__PYTHON_LOST, /* no room for it */
};

/** A thread's kept Python stack.  NULL in a thread's state: none yet. */
struct snap__python_kept;

/** The node for a Python stack and a native one together; cached with the kept stack. */
struct snap__python_mix {
	uint32_t python, native, node;
};
struct snap__python_mix *snap__python_mix_at(struct snap__thread *thread, uint32_t python,
					     uint32_t native);

/**
 * The stack of the interpreter's thread at `state`, which the caller runs.  On SNAP__PYTHON_STACK
 * `*stack` is its node.
 */
enum snap__python_look snap__python_stack(struct snap__thread *thread, const char *state,
					  uint32_t *stack);

/** The state of `thread`, the calling one, if it holds the GIL; NULL: it runs no Python. */
const char *snap__python_attached_state(const struct snap__thread *thread);

/** An address in the C stack frame of the innermost interpreter loop of that thread; 0: unknown. */
uintptr_t snap__python_entry(const char *state);

/** The frames of the thread at `state`, newest first, as pcs; how many there are, at most `most`.
 *  Nothing is kept. */
uint32_t snap__python_walk(const char *state, uintptr_t *pcs, uint32_t most);

/** Of each frame of a thread: call `fn` with each local variable that has a value, the str of its
 * name, and the code object.  Only in a copy of the process, where nothing changes. */
typedef void snap__python_local_fn(void *user, const char *object, const char *name,
				   const char *code);
void snap__python_each_local(const char *state, snap__python_local_fn *fn, void *user);

/** The same for one frame. */
void snap__python_each_local_of(const char *frame, snap__python_local_fn *fn, void *user);

/** The frame of a frame object: up to 3.10 the object itself. */
const char *snap__python_frame_of_object(const char *object);

/** The newest frame of the thread at `state`, and the one outside of `frame`; NULL: none. */
const char *snap__python_newest_frame(const char *state);
const char *snap__python_outer_frame(const char *frame);
/** Its code object; NULL for a frame of the interpreter's own. */
const char *snap__python_frame_code(const char *frame);

/**
 * Before the first use: do the frames of the thread at `state` look valid?  Reads only memory that
 * is known to be mapped.
 */
bool snap__python_frames_are_sane(const char *state);

/**
 * Choose the functions for the interpreter's layout.  The returned function gives the stack of one
 * of the interpreter's blocks, if that is the kept stack, or the kept stack with another
 * instruction of its newest frame.  In all other cases it calls `otherwise`.
 */
snap__record_stack_fn *snap__python_frames_init(snap__record_stack_fn *otherwise);

#endif
