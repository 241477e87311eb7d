/*
 * runtime/python/cycles.c - from a lost object to the cycle above it.
 *
 * Every object that refers to a lost object is itself lost.  So a walk from each object to one that
 * refers to it ends in a circle.
 */
#include "runtime/python/cycles.h"

#include "runtime/holders/copy.h"
#include "runtime/python/find.h"
#include "runtime/python/objects.h"
#include "runtime/python/types.h"

#define MOST_STEPS    4096u /* until the circle closes */
#define MOST_SAID     6u
#define TYPE_FINALIZE 392 /* in a type: the same from 3.9 on */

static const struct snap__objects *const o = &snap__objects;
static uint32_t *referrer; /* by number of the object minus o->held: an object that refers to it;
			      SNAP__NO_OBJECT: none */

struct note {
	uint32_t from;
};

static void note_referrer(uint32_t target, void *user)
{
	const struct note *note = user;

	if (target >= o->held && target != note->from &&
	    referrer[target - o->held] == SNAP__NO_OBJECT)
		referrer[target - o->held] = note->from;
}

/* An object that refers to itself alone is its own circle. */
static void note_itself(uint32_t target, void *user)
{
	const struct note *note = user;

	if (target == note->from && referrer[target - o->held] == SNAP__NO_OBJECT)
		referrer[target - o->held] = target;
}

static void find_referrers(void)
{
	size_t count = o->count - o->held;

	referrer = snap__copy_need((count + 1) * sizeof(*referrer));
	for (size_t i = 0; i < count; i++)
		referrer[i] = SNAP__NO_OBJECT;
	for (int pass = 0; pass < 2; pass++)
		for (uint32_t i = o->held; i < o->count; i++) {
			struct note note = {i};

			if (o->state[i] != SNAP__OBJECT_LOST)
				continue;
			snap__object_each(i, pass ? note_itself : note_referrer, &note);
			if (i % 65536 == 0)
				snap__copy_tick();
		}
}

static uint32_t up(uint32_t object)
{
	return object == SNAP__NO_OBJECT ? object : referrer[object - o->held];
}

/* An object of the circle above the given one; SNAP__NO_OBJECT: it is too far away. */
static uint32_t object_of_circle(uint32_t object)
{
	uint32_t slow = object, fast = object;

	for (uint32_t i = 0; i < MOST_STEPS && fast != SNAP__NO_OBJECT; i++) {
		slow = up(slow);
		fast = up(up(fast));
		if (slow == fast)
			return fast;
	}
	return SNAP__NO_OBJECT;
}

static const char *type_of(uint32_t object)
{
	return snap__python_type(o->at[object]);
}

static bool is_of_class(uint32_t object)
{
	return (snap__type_flags(type_of(object)) & SNAP__TYPE_HEAP) != 0;
}

/* The dict with an object's attributes is not worth mentioning. */
static bool is_silent(uint32_t object)
{
	return type_of(object) == snap__python.dict_type && is_of_class(up(object));
}

/* The member with which the description begins: an instance of a class of the program, if there is
   one. */
static uint32_t best_start(uint32_t circle)
{
	uint32_t at = circle;

	do {
		if (is_of_class(at))
			return at;
		at = up(at);
	} while (at != circle);
	return circle;
}

/* The walk went from each object to one that refers to it.  References go the other way, so a small
   circle is reversed. */
static void add_types(struct snap__text *text, uint32_t start)
{
	uint32_t members[MOST_SAID], count = 0, at = up(start);
	bool whole = true;

	for (; at != start; at = up(at)) {
		if (is_silent(at))
			continue;
		if (count == MOST_SAID) {
			whole = false;
			break;
		}
		members[count++] = at;
	}
	snap__text_add(text, snap__type_short_name(type_of(start)));
	if (!whole)
		snap__text_add(text, " -> ...");
	while (count-- > 0) {
		snap__text_add(text, " -> ");
		snap__text_add(text, snap__type_short_name(type_of(members[count])));
	}
	snap__text_add(text, " -> ");
	snap__text_add(text, snap__type_short_name(type_of(start)));
}

static void add_finalizer(struct snap__text *text, uint32_t start)
{
	uint32_t at = start;

	do {
		if (is_of_class(at) && snap__python_word(type_of(at), TYPE_FINALIZE)) {
			snap__text_add(text, " (finalizer `");
			snap__text_add(text, snap__type_short_name(type_of(at)));
			snap__text_add(text, ".__del__`)");
			return;
		}
		at = up(at);
	} while (at != start);
}

void snap__cycle_in_words(struct snap__text *text, uint32_t object)
{
	uint32_t circle;

	snap__text_add(text, "only a cycle of objects, until a collection");
	if (!referrer)
		find_referrers();
	circle = object_of_circle(object);
	if (circle == SNAP__NO_OBJECT)
		return;
	circle = best_start(circle);
	snap__text_add(text, ": ");
	add_types(text, circle);
	add_finalizer(text, circle);
}
