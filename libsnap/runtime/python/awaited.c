/*
 * runtime/python/awaited.c - from a task or a coroutine to the frames of coroutines.
 */
#include "runtime/python/awaited.h"

#include "runtime/python/find.h"
#include "runtime/python/objects.h"
#include "runtime/python/types.h"
#include "runtime/text.h"

#define MOST_AWAITED 16u /* coroutines that wait for each other */
#define OLD_FRAME    16  /* in a coroutine, up to 3.10: its frame, NULL once it has ended */
#define WORD_MASK    ((size_t)7)

static bool is_a(const char *object, const char *name)
{
	return snap__equal(snap__type_short_name(snap__python_type(object)), name);
}

static bool is_coroutine(const char *object)
{
	return is_a(object, "coroutine");
}

static bool is_task(const char *object)
{
	return is_a(object, "_asyncio.Task") || is_a(object, "Task");
}

/* The frame of a coroutine that has begun and waits; NULL: it does not. */
static const char *frame_of(const char *coroutine)
{
	const struct snap__python_layout *v = snap__python.layout;
	signed char state;

	if (!v->coroutine_state)
		return snap__python_pointer(coroutine, OLD_FRAME);
	state = ((const signed char *)coroutine)[v->coroutine_state];
	if (state >= 0 || state == v->coroutine_created)
		return NULL;
	/* The frame is the member after the state, and aligned as a pointer. */
	return coroutine + ((v->coroutine_state + 1 + WORD_MASK) & ~WORD_MASK);
}

struct search {
	const char *except, *found;
};

static int note_coroutine(void *object, void *user)
{
	struct search *search = user;

	if (object && object != search->except && is_coroutine(object) && frame_of(object))
		search->found = object;
	return 0;
}

/* The coroutine that an object refers to; NULL: none. */
static const char *coroutine_of(const char *object)
{
	struct search search = {.except = object};

	snap__object_visit(object, note_coroutine, &search);
	/* If frames are objects, the coroutine's frame has the reference. */
	if (!search.found && !snap__python.layout->coroutine_state && is_coroutine(object) &&
	    frame_of(object))
		snap__object_visit(frame_of(object), note_coroutine, &search);
	return search.found;
}

void snap__awaited_each_local(const char *object, snap__python_local_fn *fn, void *user)
{
	const char *at = object;

	if (is_task(object))
		at = coroutine_of(object);
	else if (!is_coroutine(object))
		return;
	for (uint32_t i = 0; at && i < MOST_AWAITED; i++, at = coroutine_of(at)) {
		const char *frame = frame_of(at);

		if (!frame)
			return;
		snap__python_each_local_of(frame, fn, user);
	}
}
