/*
 * runtime/python/mixed.c - native frames below Python's.
 *
 * The native stack has a frame of the interpreter loop for each piece of the Python stack.  Outside
 * the innermost loop, only Python's frames are kept, because they say more than the native ones.
 * Inside it is the extension, or the part of the interpreter, that allocates.  The loop's frame is
 * found by an address that the interpreter keeps in it. 3.9 keeps none: there the code of the loop
 * is looked for.
 */
#include "runtime/python/mixed.h"

#include "runtime/modules.h"
#include "runtime/python/find.h"
#include "runtime/python/frames.h"
#include "runtime/python/hooks.h"
#include "runtime/python/object.h"
#include "runtime/python/python.h"
#include "runtime/stacks.h"

#define CHECK_PERIOD  64u  /* mallocs between two checks of the hooks */
#define DEPTH_BY_CODE 256u /* native frames that are searched if there is no address */

/* The state of the calling thread, which may not hold the GIL.  NULL: it runs no Python, or the
 * interpreter is finalizing, which frees the states of threads that still run. */
static const char *own_state(void)
{
	const char *state = NULL;

	if (*(const void *const volatile *)snap__python.finalizing)
		return NULL;
	if (snap__python.layout->runtime_thread == 0)
		state = snap__python.attached_thread();
	return state ? state : snap__python.own_thread();
}

/* The frames of `native` inside the innermost one of the interpreter loop, below `node`. */
static uint32_t graft_by_code(uint32_t native, uint32_t node)
{
	uintptr_t pcs[DEPTH_BY_CODE];
	uint32_t count = 0;

	for (; native && count < DEPTH_BY_CODE; native = snap__stacks_parent(native)) {
		uintptr_t pc = snap__stacks_pc(native);

		if (count > 0 && snap__python_is_in(&snap__python.loop, pc))
			break;
		pcs[count++] = pc;
	}
	while (count > 0 && node)
		node = snap__stacks_child(node, pcs[--count]);
	return node;
}

static uint32_t mix(struct snap__thread *thread, const char *state, uint32_t python,
		    uint32_t native)
{
	struct snap__python_mix *known = snap__python_mix_at(thread, python, native);
	uintptr_t entry;
	uint32_t node = 0;

	if (known->python == python && known->native == native)
		return known->node;
	entry = snap__python_entry(state);
	if (entry)
		node = snap__unwind_graft(thread->unwind, native, entry, python);
	if (!node)
		node = graft_by_code(native, python);
	if (!node)
		return native;
	*known = (struct snap__python_mix){python, native, node};
	return node;
}

/* Does the calling thread, whose state is at `state`, hold the GIL? */
static bool holds_gil(const char *state)
{
	const struct snap__python_layout *v = snap__python.layout;

	if (v->runtime_thread == 0)
		return snap__python.attached_thread() == state;
	return snap__python_pointer(snap__python.runtime, v->runtime_thread) == state;
}

uint32_t snap__python_mixed(struct snap__thread *thread, uint32_t native)
{
	const char *state = own_state();
	uint32_t python;

	if (state && ++thread->mallocs_below_python % CHECK_PERIOD == 0 && holds_gil(state))
		snap__python_hooks_check();
	if (!native || !state || !snap__python_is_trusted(state) ||
	    snap__python_stack(thread, state, &python) != SNAP__PYTHON_STACK)
		return native;
	return mix(thread, state, python, native);
}
