/*
 * runtime/python/objects.c - the search for objects.
 *
 * The table of objects is its own queue.  A hash finds an object's place in it by address.
 */
#include "runtime/python/objects.h"

#include <string.h>

#include "runtime/holders/attempt.h"
#include "runtime/holders/copy.h"
#include "runtime/python/find.h"
#include "runtime/python/sound.h"
#include "runtime/python/starts.h"
#include "runtime/python/untold.h"
#include "runtime/text.h"

#define FIRST_CAPACITY  (1u << 16)
#define MOST_OBJECTS    (UINT32_MAX / 4)
#define MOST_STARTS     (1u << 17)
#define GENERATIONS     3u
#define TICK_EVERY      65536u
#define POINTER_BITS    (~(uintptr_t)3) /* of a link between objects in the collector's lists */
#define TOLD_GC_3_13    80              /* in _Py_DebugOffsets */
#define TOLD_GC_3_14    88
#define TOLD_COLLECTING 656 /* of 3.14: a flag between the collector's lists and gc.garbage */
#define GC_STATISTICS   24  /* of a generation */
#define GC_THRESHOLD    16  /* an int, behind the head of a generation's list */

struct snap__objects snap__objects;

static struct snap__objects *const o = &snap__objects;
static uint8_t *hides_keys; /* a bit for each object: a dict that tells all but its keys */
static uint32_t *slots;     /* object + 1; 0 is empty */
static uint32_t mask;
static struct snap__space *space;
static const char *interpreter;

typedef int traverse_fn(void *object, snap__visit_fn *visit, void *user);
typedef int is_gc_fn(void *object);

/* ---- the table ------------------------------------------------------------------------------- */

static uint32_t hash(const void *address)
{
	return (uint32_t)(((uintptr_t)address >> 4) * 0x9e3779b97f4a7c15u >> 32);
}

/* The slot of the object at `address`, or the empty one where it would be. */
static uint32_t *slot_of(const char *address)
{
	uint32_t i = hash(address) & mask;

	while (slots[i] && o->at[slots[i] - 1] != address)
		i = (i + 1) & mask;
	return &slots[i];
}

static void grow_slots(void)
{
	uint32_t *old = slots;
	size_t old_size = ((size_t)mask + 1) * sizeof(*slots);

	slots = snap__copy_need(2 * old_size);
	mask = mask * 2 + 1;
	for (uint32_t i = 0; i < o->count; i++)
		*slot_of(o->at[i]) = i + 1;
	snap__copy_give_back(old, old_size);
}

static void *grown(void *array, size_t size)
{
	return snap__copy_grow(array, o->capacity * size, 2 * o->capacity * size);
}

static void grow(void)
{
	if (o->capacity >= MOST_OBJECTS)
		snap__copy_fail("there are too many objects");
	o->at = grown(o->at, sizeof(*o->at));
	o->parent = grown(o->parent, sizeof(*o->parent));
	o->references = grown(o->references, sizeof(*o->references));
	o->state = grown(o->state, sizeof(*o->state));
	hides_keys = snap__copy_grow(hides_keys, o->capacity / 8, o->capacity / 4);
	o->capacity *= 2;
	grow_slots();
}

static void make_table(void)
{
	o->capacity = FIRST_CAPACITY;
	o->at = snap__copy_need(o->capacity * sizeof(*o->at));
	o->parent = snap__copy_need(o->capacity * sizeof(*o->parent));
	o->references = snap__copy_need(o->capacity * sizeof(*o->references));
	o->state = snap__copy_need(o->capacity * sizeof(*o->state));
	hides_keys = snap__copy_need(o->capacity / 8);
	o->starts = snap__copy_need(MOST_STARTS * sizeof(*o->starts));
	mask = 2 * FIRST_CAPACITY - 1;
	slots = snap__copy_need(((size_t)mask + 1) * sizeof(*slots));
}

uint32_t snap__object_at(const void *address)
{
	return *slot_of(address) - 1;
}

/* Returns the place of an object, and adds the object if it is new: `parent` is the object that led
 * to it.  SNAP__NO_OBJECT: there is no object at this address. */
static uint32_t add(const char *object, uint32_t parent)
{
	uint32_t *slot = slot_of(object);

	if (*slot)
		return *slot - 1;
	if (!snap__is_sound(space, (uintptr_t)object)) {
		o->unsound++;
		return SNAP__NO_OBJECT;
	}
	if (o->count == o->capacity) {
		grow();
		slot = slot_of(object);
	}
	o->at[o->count] = object;
	o->parent[o->count] = parent;
	*slot = ++o->count;
	return o->count - 1;
}

/* ---- references ------------------------------------------------------------------------------ */

static void *function_at(const void *base, size_t offset)
{
	return (void *)snap__python_word(base, offset);
}

/* Does the collector handle this object?  A static type has tp_traverse, but must not be passed
 * to it. */
static bool is_traversed(const char *object, const void *type, traverse_fn **traverse)
{
	void *address = function_at(type, SNAP__PYTHON_TYPE_TRAVERSE);
	void *asks = function_at(type, SNAP__PYTHON_TYPE_IS_GC);
	is_gc_fn *is_gc;

	if (!(snap__type_flags(type) & SNAP__TYPE_HAS_GC) || !address)
		return false;
	memcpy(traverse, &address, sizeof(address));
	memcpy(&is_gc, &asks, sizeof(asks));
	return !asks || is_gc((void *)(uintptr_t)object);
}

/* A static type refers to others like any type. */
static void visit_static_type(const char *type, snap__visit_fn *visit, void *user)
{
	static const uint16_t members[] = {SNAP__PYTHON_TYPE_DICT, SNAP__PYTHON_TYPE_BASES,
					   SNAP__PYTHON_TYPE_MRO};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		uintptr_t word = snap__python_word(type, members[i]);

		/* A small number here is an index of the interpreter's own. */
		if (word > 4096)
			visit((void *)word, user);
	}
}

struct visiting {
	const char *object;
	snap__visit_fn *visit;
	void *user;
};

/* May fault: tp_traverse may be an extension's, and its object may be damaged. */
static void visit_now(void *argument)
{
	const struct visiting *v = argument;
	const char *type = snap__python_type(v->object);
	traverse_fn *traverse;

	if (is_traversed(v->object, type, &traverse))
		traverse((void *)(uintptr_t)v->object, v->visit, v->user);
	else if (snap__type_flags(type) & SNAP__TYPE_IS_TYPE)
		visit_static_type(v->object, v->visit, v->user);
}

bool snap__object_visit(const char *object, snap__visit_fn *visit, void *user)
{
	struct visiting visiting = {object, visit, user};

	if (!(snap__type_flags(snap__python_type(object)) &
	      (SNAP__TYPE_HAS_GC | SNAP__TYPE_IS_TYPE)))
		return true;
	return snap__attempt(visit_now, &visiting);
}

/* ---- keys of dicts --------------------------------------------------------------------------- */

struct visits {
	uint32_t from;
	uint64_t count, most;
};

static int count_visit(void *object, void *user)
{
	struct visits *visits = user;

	visits->count += object != NULL;
	return visits->count > visits->most;
}

/* The references of a dict that its own type names; those of a subclass are more. */
static uint64_t count_of_dict(const char *dict, uint64_t most)
{
	void *address = function_at(snap__python.dict_type, SNAP__PYTHON_TYPE_TRAVERSE);
	struct visits visits = {.most = most};
	traverse_fn *traverse;

	if (!address)
		return 0;
	memcpy(&traverse, &address, sizeof(address));
	traverse((void *)(uintptr_t)dict, count_visit, &visits);
	return visits.count;
}

static bool is_dict(const char *object)
{
	return snap__type_flags(snap__python_type(object)) & SNAP__TYPE_IS_DICT;
}

/* If all keys are strings, a dict tells the collector its values only.  Names of attributes are in
 * a table of the class, and no dict's own.  `count`: of the references that it told. */
static void note_keys(uint32_t object, uint64_t count)
{
	const char *dict = o->at[object];
	uint64_t used;

	if (!is_dict(dict) || snap__python_word(dict, SNAP__PYTHON_DICT_VALUES))
		return;
	used = snap__python_word(dict, SNAP__PYTHON_DICT_USED);
	if (snap__python_type(dict) != snap__python.dict_type)
		count = count_of_dict(dict, used);
	if (used > 0 && count == used)
		hides_keys[object / 8] |= (uint8_t)(1u << object % 8);
}

/* The keys that snap__object_visit() leaves out, of a dict that was followed. */
static void visit_keys(uint32_t object, snap__visit_fn *visit, void *user)
{
	intptr_t position = 0;
	void *key, *value;

	if (!(hides_keys[object / 8] >> object % 8 & 1))
		return;
	while (snap__python.dict_next((void *)(uintptr_t)o->at[object], &position, &key, &value))
		visit(key, user);
}

/* ---- each reference -------------------------------------------------------------------------- */

struct each {
	snap__object_fn *fn;
	void *user;
};

static int visit_each(void *object, void *user)
{
	const struct each *each = user;
	uint32_t target = object ? snap__object_at(object) : SNAP__NO_OBJECT;

	if (target != SNAP__NO_OBJECT)
		each->fn(target, each->user);
	return 0;
}

void snap__object_each(uint32_t object, snap__object_fn *fn, void *user)
{
	struct each each = {fn, user};

	snap__object_visit(o->at[object], visit_each, &each);
}

static void each_key(uint32_t object, snap__object_fn *fn, void *user)
{
	struct each each = {fn, user};

	visit_keys(object, visit_each, &each);
}

/* ---- the search ------------------------------------------------------------------------------ */

static void found(const char *object, uint32_t from)
{
	uint32_t target = add(object, from); /* may move the arrays */

	if (target != SNAP__NO_OBJECT)
		o->references[target]++;
}

static int visit_found(void *object, void *user)
{
	struct visits *visits = user;

	if (!object)
		return 0;
	visits->count++;
	found(object, visits->from);
	return 0;
}

static void follow(uint32_t object)
{
	struct visits visits = {.from = object};

	if (snap__object_visit(o->at[object], visit_found, &visits))
		note_keys(object, visits.count);
	else
		o->unfollowed++;
}

static void follow_keys(uint32_t object)
{
	struct visits visits = {.from = object};

	visit_keys(object, visit_found, &visits);
}

/* Follow the references of objects that were found but not yet followed. */
static void drain(uint32_t *done)
{
	for (; *done < o->count; ++*done) {
		uint32_t from = *done;

		if (snap__starts_is_last(o->at[from]))
			continue;
		follow(from);
		if (from % TICK_EVERY == 0)
			snap__copy_tick();
	}
}

static void add_untold(uint32_t object, const char *target)
{
	found(target, object);
}

static void drain_last(uint32_t *done)
{
	for (uint32_t from = 0, count = o->count; from < count; from++)
		if (snap__starts_is_last(o->at[from]))
			follow(from);
	drain(done);
}

/* The same, and references that tp_traverse does not name.  They come last: whatever else holds an
 * object says more about it. */
static void drain_untold(uint32_t *done)
{
	for (uint32_t from = 0; from < o->count; from++) {
		if (from == *done)
			drain(done);
		follow_keys(from);
		snap__untold_each(space, from, add_untold);
		if (from % TICK_EVERY == 0)
			snap__copy_tick();
	}
	drain(done);
}

/* Of objects that only the collector's lists lead to. */
static void drain_keys(uint32_t *done)
{
	for (uint32_t from = o->held; from < o->count; from++) {
		if (from == *done)
			drain(done);
		follow_keys(from);
	}
	drain(done);
}

/* ---- where it begins ------------------------------------------------------------------------- */

void snap__objects_start(struct snap__object_start start, const char *object)
{
	uint32_t before = o->count;

	if (!object || o->start_count == MOST_STARTS)
		return;
	start.object = add(object, SNAP__NO_OBJECT);
	if (start.object == before)
		o->starts[o->start_count++] = start;
}

static const char *modules_dict(void)
{
	const struct snap__python_layout *v = snap__python.layout;
	size_t offset = v->interpreter_modules;
	uint64_t told;

	if (v->minor >= 13) {
		memcpy(&told,
		       snap__python.runtime + (v->minor == 13 ? TOLD_GC_3_13 : TOLD_GC_3_14) + 8,
		       sizeof(told));
		offset = (size_t)told;
	}
	return snap__python_pointer(interpreter, offset);
}

static const char *gc_state(void)
{
	const struct snap__python_layout *v = snap__python.layout;
	uint64_t told;

	if (v->minor < 13)
		return interpreter + v->interpreter_gc;
	memcpy(&told, snap__python.runtime + (v->minor == 13 ? TOLD_GC_3_13 : TOLD_GC_3_14),
	       sizeof(told));
	return interpreter + told;
}

/* ---- the collector's lists ------------------------------------------------------------------- */

static bool is_word(uintptr_t address)
{
	return address % sizeof(uintptr_t) == 0 &&
	       snap__space_is_readable(space, address, address + 2 * sizeof(uintptr_t));
}

static uintptr_t next_in_list(uintptr_t link)
{
	return snap__python_word((const void *)link, 0) & POINTER_BITS;
}

static uintptr_t before_in_list(uintptr_t link)
{
	return snap__python_word((const void *)link, 8) & POINTER_BITS;
}

/* A list's head points to its first and its last member, and these point back. */
static bool is_list(uintptr_t head)
{
	uintptr_t first = next_in_list(head), last = before_in_list(head);

	return is_word(first) && is_word(last) && before_in_list(first) == head &&
	       next_in_list(last) == head;
}

static size_t collecting_at(void)
{
	uint64_t told;

	memcpy(&told, snap__python.runtime + TOLD_COLLECTING, sizeof(told));
	return (size_t)told;
}

/* Releases of 3.14 have one of two collectors.  In both, four lists and the statistics of three
   generations stand in front of the flag. */
static size_t lists_at(void)
{
	size_t before = (GENERATIONS + 1) * SNAP__PYTHON_GC_STRIDE + GENERATIONS * GC_STATISTICS;

	return snap__python.layout->gc_lists ? snap__python.layout->gc_lists
					     : collecting_at() - before;
}

static size_t garbage_at(void)
{
	return snap__python.layout->gc_garbage ? snap__python.layout->gc_garbage
					       : collecting_at() + sizeof(void *);
}

static uintptr_t list_of(unsigned generation)
{
	const struct snap__python_layout *v = snap__python.layout;
	uintptr_t first = (uintptr_t)gc_state() + lists_at();

	return first + generation * SNAP__PYTHON_GC_STRIDE +
	       (generation == GENERATIONS && v->gc_has_pointer ? sizeof(void *) : 0);
}

/* While a collection is under way, the list of the generation that it looks at may be in pieces. */
static void add_list(unsigned generation)
{
	uintptr_t head = list_of(generation), link = next_in_list(head);

	for (; link != head && is_word(link); link = next_in_list(link)) {
		add((const char *)link + SNAP__PYTHON_GC_HEADER, SNAP__NO_OBJECT);
		o->tracked_in[generation]++;
		if (++o->tracked == MOST_OBJECTS)
			snap__copy_fail("the collector's lists do not end");
		if (o->tracked % TICK_EVERY == 0)
			snap__copy_tick();
	}
}

static void read_statistics(void)
{
	const char *statistics = (const char *)list_of(GENERATIONS) + SNAP__PYTHON_GC_STRIDE;

	for (unsigned i = 0; i < GENERATIONS; i++)
		o->collections[i] = snap__python_word(statistics, (size_t)GC_STATISTICS * i);
	o->garbage = snap__python_pointer(gc_state(), garbage_at());
}

/* Without a threshold for the youngest objects it never begins by itself. */
static void read_enabled(void)
{
	size_t lists = lists_at();
	int32_t enabled, threshold;

	if (lists < SNAP__PYTHON_GC_ENABLED)
		return;
	memcpy(&enabled, gc_state() + lists - SNAP__PYTHON_GC_ENABLED, sizeof(enabled));
	memcpy(&threshold, (const char *)list_of(0) + GC_THRESHOLD, sizeof(threshold));
	o->is_enabled_known = enabled == 0 || enabled == 1;
	o->is_enabled = enabled == 1 && threshold != 0;
}

static void add_lists(void)
{
	for (unsigned i = 0; i <= GENERATIONS; i++)
		if (!is_list(list_of(i)))
			return;
	o->lists_are_read = true;
	read_enabled();
	for (unsigned i = 0; i <= GENERATIONS; i++)
		add_list(i);
	read_statistics();
}

/* ---- who is held by nothing ------------------------------------------------------------------ */

/* References from outside of all objects: native code, the stack of a function, the interpreter. */
static bool has_outer_reference(uint32_t object)
{
	int32_t count = (int32_t) * (const volatile uint32_t *)(const void *)o->at[object];

	return count < 0 || (uint32_t)count > o->references[object];
}

static void hold(uint32_t target, void *user)
{
	uint32_t **top = user;

	if (o->state[target] != SNAP__OBJECT_LOST)
		return;
	o->state[target] = SNAP__OBJECT_NATIVE;
	*(*top)++ = target;
}

struct adoption {
	uint32_t *top;
	uint32_t from;
};

static void adopt(uint32_t target, void *user)
{
	struct adoption *adoption = user;

	if (o->state[target] == SNAP__OBJECT_LOST)
		o->parent[target] = adoption->from;
	hold(target, &adoption->top);
}

/* As in the collector: if an object has more references than come from other objects, something
   outside holds it, and with it everything that it leads to. */
static void find_lost(void)
{
	size_t size = ((size_t)o->count - o->held + 1) * sizeof(uint32_t);
	uint32_t *stack = snap__copy_need(size);

	for (uint32_t i = o->held; i < o->count; i++)
		o->state[i] = SNAP__OBJECT_LOST;
	for (uint32_t i = o->held; i < o->count; i++) {
		struct adoption adoption = {.top = stack};

		if (o->state[i] != SNAP__OBJECT_LOST || !has_outer_reference(i))
			continue;
		o->parent[i] = SNAP__NO_OBJECT;
		hold(i, &adoption.top);
		while (adoption.top > stack) {
			adoption.from = *--adoption.top;
			snap__object_each(adoption.from, adopt, &adoption);
			each_key(adoption.from, adopt, &adoption);
		}
	}
	for (uint32_t i = o->held; i < o->count; i++)
		o->lost += o->state[i] == SNAP__OBJECT_LOST;
	snap__copy_give_back(stack, size);
}

/* ---- all of it ------------------------------------------------------------------------------- */

size_t snap__object_header(const char *object)
{
	uint64_t flags = snap__type_flags(snap__python_type(object));
	bool heap_type = snap__python.layout->weak_header && flags & SNAP__TYPE_HAS_GC;

	if (!(flags & SNAP__TYPE_HAS_GC))
		return 0;
	if (heap_type && flags & (SNAP__TYPE_DICT_HEADER | SNAP__TYPE_WEAK_HEADER))
		return 2 * SNAP__PYTHON_GC_HEADER;
	return SNAP__PYTHON_GC_HEADER;
}

const char *snap__objects_problem(void)
{
	if (!snap__python.version[0])
		return "there is no interpreter of Python";
	if (!snap__python.layout)
		return snap__python.problem ? snap__python.problem : "the interpreter is not known";
	if (!snap__python.type_type)
		return "the interpreter does not export what is needed";
	return NULL;
}

void snap__objects_find(struct snap__space *copied)
{
	const char *modules;
	uint32_t done = 0;

	space = copied;
	interpreter = snap__python.main_interpreter();
	modules = interpreter ? modules_dict() : NULL;
	if (!modules ||
	    !snap__space_is_readable(space, (uintptr_t)modules, (uintptr_t)modules + 16) ||
	    snap__python_type(modules) != snap__python.dict_type)
		snap__copy_fail("the interpreter's modules are not where they should be");
	snap__objects.modules = snap__python_word(modules, SNAP__PYTHON_VAR_SIZE);
	make_table();
	snap__starts_first(space, interpreter, modules);
	drain(&done);
	snap__starts_later(space, interpreter, modules);
	drain(&done);
	drain_last(&done);
	drain_untold(&done);
	o->held = o->count;
	add_lists();
	drain(&done);
	drain_keys(&done);
	find_lost();
	snap__copy_tick();
}
