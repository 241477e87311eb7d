/*
 * runtime/python/tasks.c - tasks by the coroutine that they run.
 */
#include "runtime/python/tasks.h"

#include <string.h>

#include "runtime/heapmap.h"
#include "runtime/python/find.h"
#include "runtime/python/objects.h"
#include "runtime/python/types.h"
#include "runtime/record.h"
#include "runtime/text.h"
#include "runtime/hidden.h"

#define KINDS        256u
#define MOST_TOLD    16u
#define MOST_AWAITED 16u /* coroutines that wait for each other */
#define OLD_FRAME    16  /* in a coroutine, up to 3.10: its frame, NULL once it has ended */
#define RUNNING_3_9  24  /* in it: a char, whether it runs */
#define STATE_3_10   108 /* in the frame: a char, 0 while it runs */

enum state { NOT_STARTED, WAITS, RUNS, HAS_ENDED, STATES };

struct kind {
	const char *code, *waits_in; /* code objects; the second of one that waits */
	uint32_t count, in_state[STATES];
	uint32_t oldest; /* snapshots since it was made */
	bool in_task;
};

static const struct snap__objects *const o = &snap__objects;
static struct kind kinds[KINDS] SNAP__PAGES;
static uint32_t kind_count;

static const char *type_name(uint32_t object)
{
	return snap__type_short_name(snap__python_type(o->at[object]));
}

static bool is_coroutine(uint32_t object)
{
	return snap__equal(type_name(object), "coroutine");
}

static bool is_task(uint32_t object)
{
	return snap__equal(type_name(object), "_asyncio.Task") ||
	       snap__equal(type_name(object), "Task");
}

/* ---- a coroutine ------------------------------------------------------------------------------- */

static enum state old_state(const char *coroutine)
{
	const struct snap__python_layout *v = snap__python.layout;
	const char *frame = snap__python_pointer(coroutine, OLD_FRAME);
	int32_t instruction;

	if (!frame)
		return HAS_ENDED;
	if (v->minor == 9 ? coroutine[RUNNING_3_9] == 1 : frame[STATE_3_10] == 0)
		return RUNS;
	memcpy(&instruction, frame + v->frame_instruction, sizeof(instruction));
	return instruction < 0 ? NOT_STARTED : WAITS;
}

static enum state state_of(uint32_t coroutine)
{
	const struct snap__python_layout *v = snap__python.layout;
	signed char state;

	if (!v->coroutine_state)
		return old_state(o->at[coroutine]);
	state = ((const signed char *)o->at[coroutine])[v->coroutine_state];
	if (state == v->coroutine_created)
		return NOT_STARTED;
	return state < 0 ? WAITS : state == 0 ? RUNS : HAS_ENDED;
}

/* Its code object is among its first words, in every version. */
static const char *code_of(uint32_t coroutine)
{
	for (size_t i = 2; i < 10; i++) {
		uintptr_t word = snap__python_word(o->at[coroutine], i * sizeof(void *)) &
				 ~snap__python.layout->code_tags;

		if (snap__object_at((const void *)word) != SNAP__NO_OBJECT &&
		    snap__python_type((const void *)word) == snap__python.code_type)
			return (const char *)word;
	}
	return NULL;
}

struct search {
	uint32_t except, found;
};

static void note_coroutine(uint32_t target, void *user)
{
	struct search *search = user;

	if (target != search->except && is_coroutine(target) && state_of(target) == WAITS)
		search->found = target;
	/* If frames are objects, the frame has the reference. */
	if (!snap__python.layout->coroutine_state && snap__equal(type_name(target), "frame") &&
	    o->parent[target] == search->except)
		snap__object_each(target, note_coroutine, search);
}

/* The innermost coroutine that it waits for. */
static uint32_t awaited_by(uint32_t coroutine)
{
	for (uint32_t i = 0; i < MOST_AWAITED; i++) {
		struct search search = {coroutine, SNAP__NO_OBJECT};

		snap__object_each(coroutine, note_coroutine, &search);
		if (search.found == SNAP__NO_OBJECT)
			break;
		coroutine = search.found;
	}
	return coroutine;
}

/* How many snapshots were taken since the object was made. */
static uint32_t age_of(uint32_t object)
{
	const char *at = o->at[object];
	struct snap__block block;
	uint32_t epochs;

	if (!snap__heapmap_find((uintptr_t)at - snap__object_header(at), &block))
		return 0;
	/* This snapshot has begun an epoch, and objects were made until the copy was. */
	epochs = (snap__record_epoch() - block.epoch) % SNAP__EPOCHS;
	return epochs ? epochs - 1 : 0;
}

/* ---- kinds ------------------------------------------------------------------------------------- */

static void count(uint32_t object, uint32_t coroutine, bool in_task)
{
	const char *code = code_of(coroutine);
	enum state state = state_of(coroutine);
	struct kind *kind = kinds;

	while (kind < kinds + kind_count && (kind->code != code || kind->in_task != in_task))
		kind++;
	if (!code || kind == kinds + KINDS)
		return;
	if (kind == kinds + kind_count)
		kinds[kind_count++] = (struct kind){.code = code, .in_task = in_task};
	kind->count++;
	kind->in_state[state]++;
	if (state == WAITS && !kind->waits_in)
		kind->waits_in = code_of(awaited_by(coroutine));
	if (state != HAS_ENDED && age_of(object) > kind->oldest)
		kind->oldest = age_of(object);
}

static void note_any_coroutine(uint32_t target, void *user)
{
	struct search *search = user;

	if (is_coroutine(target))
		search->found = target;
}

static void count_all(void)
{
	for (uint32_t i = 0; i < o->count; i++) {
		struct search search = {i, SNAP__NO_OBJECT};

		if (is_task(i)) {
			snap__object_each(i, note_any_coroutine, &search);
			if (search.found != SNAP__NO_OBJECT)
				count(i, search.found, true);
		} else if (is_coroutine(i) && state_of(i) == NOT_STARTED &&
			   (o->parent[i] == SNAP__NO_OBJECT || !is_task(o->parent[i]))) {
			count(i, i, false);
		}
	}
}

/* ---- in words ---------------------------------------------------------------------------------- */

static const char *add_state(struct snap__text *text, const struct kind *kind, enum state state,
			     const char *words, const char *separator)
{
	if (!kind->in_state[state])
		return separator;
	snap__text_add(text, separator);
	if (kind->in_state[state] != kind->count) {
		snap__text_add_u64(text, kind->in_state[state]);
		snap__text_add(text, " ");
	}
	snap__text_add(text, words);
	if (state == WAITS && kind->waits_in) {
		snap__text_add(text, " in ");
		snap__things_add_code(text, kind->waits_in);
	}
	return ", ";
}

static void say(const struct kind *kind, struct snap__text *text)
{
	const char *separator = ": ";

	snap__text_add_u64(text, kind->count);
	snap__text_add(text, " of ");
	snap__things_add_code(text, kind->code);
	if (kind->in_task) {
		separator = add_state(text, kind, WAITS, "waiting", separator);
		separator = add_state(text, kind, RUNS, "running", separator);
		separator = add_state(text, kind, NOT_STARTED, "not started", separator);
		add_state(text, kind, HAS_ENDED, "ended", separator);
	} else {
		snap__text_add(text, ": never awaited");
	}
	if (!kind->oldest)
		return;
	snap__text_add(text, "; the oldest for ");
	snap__text_add_u64(text, kind->oldest);
	snap__text_add(text, kind->oldest == 1 ? " snapshot" : " snapshots");
}

static void tell(bool in_task, const char *prefix, snap__things_fn *fn, void *user)
{
	for (uint32_t told = 1; told <= MOST_TOLD; told++) {
		char key_buffer[32], value_buffer[1024];
		struct snap__text key = SNAP__TEXT(key_buffer), value = SNAP__TEXT(value_buffer);
		struct kind *most = NULL;

		for (uint32_t i = 0; i < kind_count; i++)
			if (kinds[i].in_task == in_task && kinds[i].count &&
			    (!most || kinds[i].count > most->count))
				most = &kinds[i];
		if (!most)
			return;
		snap__text_add(&key, prefix);
		snap__text_add_u64(&key, told);
		say(most, &value);
		fn(user, key_buffer, value_buffer);
		most->count = 0;
	}
}

void snap__tasks_each(snap__things_fn *fn, void *user)
{
	count_all();
	tell(true, "task.", fn, user);
	tell(false, "coroutine.", fn, user);
}
