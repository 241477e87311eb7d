/*
 * runtime/python/guise.c - thread pointers.
 */
#include "arch/arch.h"
#include "runtime/python/guise.h"

#include "runtime/python/find.h"
#include "runtime/python/object.h"
#include "runtime/thread.h"

#define MOST_THREADS 4096u
/* offset: a thread's data contain the thread pointer here, and at their start */
#define TCB_SELF 16u

static void set_thread_pointer(void *pointer)
{
	snap__arch_set_thread_pointer(pointer);
	snap__thread_internal(true);
}

/* The state has pthread_self() of its thread: on some processors that is the thread pointer. */
static void *pointer_of(struct snap__space *space, const char *state)
{
	size_t offset = SNAP__ARCH_POINTS_TO_THREAD ? snap__python.layout->thread_id : 0;
	uintptr_t pointer;

	if (offset == 0)
		return NULL;
	pointer = snap__python_word(state, offset);
	if (!snap__space_is_readable(space, pointer, pointer + TCB_SELF + sizeof(pointer)) ||
	    snap__python_word((void *)pointer, 0) != pointer ||
	    snap__python_word((void *)pointer, TCB_SELF) != pointer)
		return NULL;
	return (void *)pointer;
}

/* The place of a thread that has the interpreter's lock, or else of any. */
static char *choose(struct snap__space *space, void *interpreter, void **any)
{
	char *state = snap__python.first_thread(interpreter), *first = NULL;

	for (unsigned i = 0; state && i < MOST_THREADS;
	     i++, state = snap__python.next_thread(state)) {
		void *pointer = pointer_of(space, state);

		if (!pointer)
			continue;
		set_thread_pointer(pointer);
		if (snap__python.attached_thread())
			return state;
		first = state;
		*any = pointer;
	}
	return first;
}

/* Up to 3.11 one variable of the interpreter's says which thread has its lock. */
static void name_thread(void *interpreter)
{
	const char *state = snap__python.first_thread(interpreter);
	void **slot = (void **)(void *)(uintptr_t)(snap__python.runtime +
						   snap__python.layout->runtime_thread);

	if (!*slot)
		*slot = (void *)(uintptr_t)state;
}

void *snap__guise_begin(struct snap__space *space, void *interpreter)
{
	void *own = snap__arch_thread_pointer(), *any = NULL;
	char *state;

	if (snap__python.layout->runtime_thread != 0) {
		name_thread(interpreter);
		return NULL;
	}
	state = choose(space, interpreter, &any);
	if (!state) {
		set_thread_pointer(own);
		return NULL;
	}
	if (!snap__python.attached_thread()) {
		set_thread_pointer(any);
		snap__python.swap_thread(state); /* no thread has the lock, so take it */
	}
	return own;
}

void snap__guise_end(void *own)
{
	if (own)
		set_thread_pointer(own);
}
