/*
 * runtime/python/frames.c - a thread's Python stack, and the kept copy of the last one.
 *
 * Most allocations come from the same stack as the one before, or from a stack that differs only in
 * its newest frames.  So the last stack is kept: each frame's address, instruction and node.
 * Frames are read from the newest one outwards, and a frame is read only if the live frame inside
 * it points to it: a kept address alone is never trusted, because its memory may be gone.  But
 * while the live chain equals the kept one, the next address is known in advance, and the processor
 * need not wait for the load.
 *
 * Each version's functions are compiled for its layout.
 */
#include "runtime/python/frames.h"

#include <string.h>

#include "runtime/arena.h"
#include "runtime/os_linux.h"
#include "runtime/lifecycle.h"
#include "runtime/python/codes.h"
#include "runtime/python/find.h"
#include "runtime/python/layouts.h"
#include "runtime/python/object.h"
#include "runtime/stacks.h"
#include "runtime/unwind/walk.h"

#define INLINE __attribute__((always_inline)) static inline

#define FIRST_CAPACITY     256u
#define CAPACITY_MAX       (1u << 17) /* frames; deeper stacks lose their outermost ones */
#define WAYS               2048u
#define WAYS_SHIFT         53 /* 64 - log2(WAYS) */
#define MIXES              1024u
#define JOIN_WINDOW        4u /* kept frames that a walked one is compared with */
#define OWNED_BY_GENERATOR 1u
#define NO_ROOM            UINT32_MAX /* instead of a node's id */
#define ERAS               (1u << (32 - SNAP__STACK_ID_BITS))

/* From a parent node and an instruction to the node of both. */
struct way {
	uintptr_t place; /* the instruction, and what code it is in; 0: none */
	uint32_t parent; /* and in the bits above it, the era in which it was found */
	uint32_t node;
};

struct snap__python_kept {
	const char **frames; /* outermost first */
	uintptr_t *instructions;
	uintptr_t *codes; /* where the instruction is a number */
	uint32_t *nodes;
	const char **walked; /* newest first */
	uint32_t capacity, count;
	uint32_t cut;  /* frames outside this one are beyond the depth limit */
	uint64_t gone; /* snap__python_codes_gone when the nodes were found; or USELESS */
	uint32_t era;  /* of the ways that are still valid */
	struct way ways[WAYS];
	struct snap__python_mix mixes[MIXES];
};

/* The value of `gone` that makes a kept stack unusable. */
#define USELESS UINT64_MAX

struct frame {
	const char *address;
	uintptr_t instruction;
	uintptr_t code;
};

typedef enum snap__python_look look_fn(struct snap__thread *thread, const char *state,
				       uint32_t *stack);
typedef uint32_t walk_fn(const char *state, uintptr_t *pcs, uint32_t most);

static look_fn *look;
static walk_fn *walk;
static snap__record_stack_fn *otherwise; /* see snap__python_frames_init() */

/* ---- memory ---------------------------------------------------------------------------------- */

static size_t arrays_size(uint32_t capacity)
{
	return capacity * (4 * sizeof(uintptr_t) + sizeof(uint32_t));
}

/* The arrays for `capacity` frames; what was kept is forgotten. */
static bool make_room(struct snap__python_kept *kept, uint32_t capacity)
{
	char *base;

	if (capacity > CAPACITY_MAX)
		return false;
	base = snap__map(arrays_size(capacity));
	if (!base)
		return false;
	if (kept->frames)
		snap__unmap(kept->frames, arrays_size(kept->capacity));
	kept->frames = (const char **)(void *)base;
	kept->instructions = (uintptr_t *)(kept->frames + capacity);
	kept->codes = kept->instructions + capacity;
	kept->walked = (const char **)(kept->codes + capacity);
	kept->nodes = (uint32_t *)(kept->walked + capacity);
	kept->capacity = capacity;
	kept->count = 0;
	return true;
}

static struct snap__python_kept *make_kept(struct snap__thread *thread)
{
	struct snap__python_kept *kept = snap__map(sizeof(*kept));

	if (!kept || !make_room(kept, FIRST_CAPACITY))
		return NULL;
	thread->python = kept;
	return kept;
}

static void forget(struct snap__python_kept *kept, uint64_t gone)
{
	kept->count = 0;
	kept->gone = gone;
	kept->era = (kept->era + 1) % ERAS;
	if (kept->era == 0)
		memset(kept->ways, 0, sizeof(kept->ways));
}

/* ---- frames ---------------------------------------------------------------------------------- */

INLINE const char *newest_frame(const struct snap__python_layout *v, const char *state)
{
	const char *from = state;

	if (v->thread_cframe == 0)
		return snap__python_pointer(state, v->thread_frame);
	from = snap__python_pointer(state, v->thread_cframe);
	return from ? snap__python_pointer(from, v->cframe_frame) : NULL;
}

INLINE const char *previous_of(const struct snap__python_layout *v, const char *frame)
{
	return snap__python_pointer(frame, v->frame_previous);
}

INLINE uintptr_t code_of(const struct snap__python_layout *v, const char *frame)
{
	return snap__python_word(frame, v->frame_code) & ~v->code_tags;
}

INLINE uintptr_t instruction_of(const struct snap__python_layout *v, const char *frame)
{
	if (v->counts_instructions)
		return (uint32_t) *
		       (const volatile int *)(const void *)(frame + v->frame_instruction);
	return snap__python_word(frame, v->frame_instruction);
}

INLINE struct frame frame_at(const struct snap__python_layout *v, const char *address)
{
	return (struct frame){
		.address = address,
		.instruction = instruction_of(v, address),
		.code = v->counts_instructions ? code_of(v, address) : 0,
	};
}

/* A frame of the interpreter's own, or one that is still being set up: CPython does not show it
   either. */
INLINE bool is_hidden(const struct snap__python_layout *v, const struct frame *frame)
{
	const char *code;
	unsigned char owner;
	int first;

	if (v->frame_owner == 0)
		return false;
	owner = *(const volatile unsigned char *)(frame->address + v->frame_owner);
	if (owner == OWNED_BY_GENERATOR)
		return false;
	if (owner >= v->owner_c)
		return true;
	code = (const char *)code_of(v, frame->address);
	memcpy(&first, code + v->code_first_traceable, sizeof(first));
	return frame->instruction < (uintptr_t)code + v->code_units + 2 * (uintptr_t)first;
}

/* The pc for the stack tree; 0 if its code cannot have a number. */
INLINE uintptr_t pc_of(const struct snap__python_layout *v, const struct frame *frame)
{
	uintptr_t code = code_of(v, frame->address), instruction = frame->instruction;
	uint32_t id;

	if (snap__sample_period() == 0)
		id = snap__python_code_id((const void *)code);
	else
		id = snap__python_code_id_by_content((const void *)code);
	if (!v->counts_instructions)
		instruction = (instruction - code - v->code_units) / 2;
	if (instruction > SNAP__PYTHON_INSTRUCTION_MAX)
		instruction = SNAP__PYTHON_INSTRUCTION_MAX;
	return id ? SNAP__PYTHON_PC_TAG << SNAP__PYTHON_PC_TAG_SHIFT |
			       (uintptr_t)id << SNAP__PYTHON_INSTRUCTION_BITS | instruction
		  : 0;
}

/* ---- nodes ----------------------------------------------------------------------------------- */

/* A word that identifies an instruction; 0 if one word cannot. */
INLINE uintptr_t place_of(const struct snap__python_layout *v, const struct frame *frame)
{
	if (!v->counts_instructions)
		return frame->instruction;
	return frame->instruction < 0xffff ? frame->code | (frame->instruction + 1) << 48 : 0;
}

INLINE struct way *way_of(struct snap__python_kept *kept, uint32_t parent, uintptr_t place)
{
	uintptr_t hash = (place ^ (uintptr_t)parent * 0x9e3779b1u) * 0x9e3779b97f4a7c15u;

	return &kept->ways[hash >> WAYS_SHIFT];
}

/* `parent` together with the current era.  A code object that is freed begins a new era, so older
   ways no longer match. */
INLINE uint32_t dated(const struct snap__python_kept *kept, uint32_t parent)
{
	return parent | kept->era << SNAP__STACK_ID_BITS;
}

INLINE bool leads(const struct way *way, uint32_t dated_parent, uintptr_t place)
{
	return way->place == place && way->parent == dated_parent && place;
}

/* The node of `frame` below `parent`, which is `parent` itself where the frame is hidden; NO_ROOM
 * if there is none left.  A frame that was shown at an instruction is always shown at that
 * instruction. */
INLINE uint32_t node_below(const struct snap__python_layout *v, struct snap__python_kept *kept,
			   uint32_t parent, const struct frame *frame)
{
	uintptr_t place = place_of(v, frame), pc;
	struct way *way = way_of(kept, parent, place);
	uint32_t node;

	if (__builtin_expect(leads(way, dated(kept, parent), place), 1))
		return way->node;
	if (is_hidden(v, frame))
		return parent;
	pc = pc_of(v, frame);
	node = pc ? snap__stacks_child(parent, pc) : 0;
	if (!node)
		return NO_ROOM;
	*way = (struct way){place, dated(kept, parent), node};
	return node;
}

/* Frame number `i`, counted from outside, is kept, below the node `parent`. False: there is no room
 * for its node. */
INLINE bool keep_frame(const struct snap__python_layout *v, struct snap__python_kept *kept,
		       uint32_t i, const char *address, uint32_t parent)
{
	struct frame frame = frame_at(v, address);
	uint32_t node = i >= kept->cut ? node_below(v, kept, parent, &frame) : parent;

	if (node == NO_ROOM)
		return false;
	kept->frames[i] = address;
	kept->instructions[i] = frame.instruction;
	if (v->counts_instructions)
		kept->codes[i] = frame.code;
	kept->nodes[i] = node;
	return true;
}

/* ---- comparing ------------------------------------------------------------------------------- */

INLINE bool is_at(const struct snap__python_layout *v, const struct snap__python_kept *kept,
		  uint32_t i)
{
	const char *frame = kept->frames[i];

	return instruction_of(v, frame) == kept->instructions[i] &&
	       (!v->counts_instructions || code_of(v, frame) == kept->codes[i]);
}

/* Kept frame number `i` is live.  Is the chain from there to frame `low` as it was, except for
   instructions?  `*same` is how many of the outermost frames, up to `i`, are at theirs. */
INLINE bool chain_holds(const struct snap__python_layout *v, const struct snap__python_kept *kept,
			uint32_t i, uint32_t low, uint32_t *same)
{
	*same = is_at(v, kept, i) ? i + 1 : i;
	for (; i > low; i--) {
		if (previous_of(v, kept->frames[i]) != kept->frames[i - 1])
			return false;
		if (!is_at(v, kept, i - 1))
			*same = i - 1;
	}
	return low > 0 || previous_of(v, kept->frames[0]) == NULL;
}

/* Kept frame number `i` is live.  Is the one outside of it as it was? */
INLINE bool next_holds(const struct snap__python_layout *v, const struct snap__python_kept *kept,
		       size_t i)
{
	const char *outside = kept->frames[i - 1];

	return previous_of(v, kept->frames[i]) == outside &&
	       instruction_of(v, outside) == kept->instructions[i - 1] &&
	       (!v->counts_instructions || code_of(v, outside) == kept->codes[i - 1]);
}

/* Kept frame number `i` is live.  Are those outside of it as they were, as far as they are shown?
 * (A deep recursion would otherwise pay for all its frames in each allocation.)  Four at a time,
 * because counting would be a third of the work. */
INLINE bool outside_holds(const struct snap__python_layout *v, const struct snap__python_kept *kept,
			  size_t i)
{
	size_t cut = kept->cut;

	for (; i >= cut + 4; i -= 4)
		if (!next_holds(v, kept, i) || !next_holds(v, kept, i - 1) ||
		    !next_holds(v, kept, i - 2) || !next_holds(v, kept, i - 3))
			return false;
	for (; i > cut; i--)
		if (!next_holds(v, kept, i))
			return false;
	return cut > 0 || previous_of(v, kept->frames[0]) == NULL;
}

/* Walk from `frame` outwards to the first kept one, and keep a list of the frames inside of it;
 * `*joint` is its number plus one, 0 if none was met.  How many were walked; UINT32_MAX: there
 * is no room for them. */
INLINE uint32_t walk_to_kept(const struct snap__python_layout *v, struct snap__python_kept *kept,
			     const char *frame, uint32_t *joint)
{
	uint32_t walked = 0, low = kept->count > JOIN_WINDOW ? kept->count - JOIN_WINDOW : 0;

	*joint = 0;
	for (; frame; frame = previous_of(v, frame)) {
		for (uint32_t i = kept->count; i > low; i--)
			if (kept->frames[i - 1] == frame) {
				*joint = i;
				return walked;
			}
		if (walked == kept->capacity)
			return UINT32_MAX;
		kept->walked[walked++] = frame;
	}
	return walked;
}

/* Add the rest of the live chain to the `walked` frames; UINT32_MAX without room. */
INLINE uint32_t walk_on(const struct snap__python_layout *v, struct snap__python_kept *kept,
			const char *frame, uint32_t walked)
{
	for (; frame; frame = previous_of(v, frame)) {
		if (walked == kept->capacity)
			return UINT32_MAX;
		kept->walked[walked++] = frame;
	}
	return walked;
}

/* How many of the outermost `walked` frames are as they were kept. */
INLINE uint32_t common(const struct snap__python_layout *v, const struct snap__python_kept *kept,
		       uint32_t walked)
{
	uint32_t most = walked < kept->count ? walked : kept->count, i = 0;

	while (i < most && kept->walked[walked - 1 - i] == kept->frames[i] && is_at(v, kept, i))
		i++;
	return i;
}

static uint32_t root_of(const struct snap__python_kept *kept)
{
	return kept->cut ? snap__stacks_child(0, SNAP__PC_DEPTH) : 0;
}

/* Keep the `walked` frames inside the `same` outermost ones, which are as they were. */
INLINE enum snap__python_look keep_walked(const struct snap__python_layout *v,
					  struct snap__python_kept *kept, uint32_t same,
					  uint32_t walked, uint32_t *stack)
{
	uint32_t depth = same + walked, cut = (uint32_t)snap__cut_of(depth), node;

	if (cut != kept->cut) {
		/* Different frames are shown, so all nodes are different. */
		kept->cut = cut;
		kept->count = 0;
		node = root_of(kept);
		if (cut && !node)
			return SNAP__PYTHON_LOST;
		for (uint32_t i = 0; i < same; i++) {
			if (!keep_frame(v, kept, i, kept->frames[i], node))
				return SNAP__PYTHON_LOST;
			node = kept->nodes[i];
		}
	} else {
		node = same ? kept->nodes[same - 1] : root_of(kept);
	}
	kept->count = 0;
	for (uint32_t i = same; i < depth; i++) {
		if (!keep_frame(v, kept, i, kept->walked[depth - 1 - i], node))
			return SNAP__PYTHON_LOST;
		node = kept->nodes[i];
	}
	kept->count = depth;
	*stack = node;
	return node ? SNAP__PYTHON_STACK : SNAP__PYTHON_NO_FRAMES;
}

/* How many of the outermost kept frames need no look: those that are not shown, if as many are not
 * shown of a stack of `depth` frames. */
static uint32_t unshown(const struct snap__python_kept *kept, uint32_t depth)
{
	return snap__cut_of(depth) == kept->cut ? kept->cut : 0;
}

/* It is not the kept stack with another instruction: find how much of the kept stack is still
   valid. */
INLINE enum snap__python_look look_again(const struct snap__python_layout *v,
					 struct snap__python_kept *kept, const char *frame,
					 uint32_t *stack)
{
	uint32_t joint, same, walked;

	do {
		walked = walk_to_kept(v, kept, frame, &joint);
		if (walked == UINT32_MAX || joint + walked > kept->capacity)
			continue;
		if (joint &&
		    chain_holds(v, kept, joint - 1, unshown(kept, joint + walked), &same)) {
			while (joint > same)
				kept->walked[walked++] = kept->frames[--joint];
			return keep_walked(v, kept, same, walked, stack);
		}
		walked = walk_on(v, kept, joint ? kept->frames[joint - 1] : NULL, walked);
		if (walked == UINT32_MAX)
			continue;
		same = common(v, kept, walked);
		return keep_walked(v, kept, same, walked - same, stack);
	} while (make_room(kept, kept->capacity * 2));
	return SNAP__PYTHON_LOST;
}

/* ---- looking --------------------------------------------------------------------------------- */

INLINE enum snap__python_look look_at(const struct snap__python_layout *v,
				      struct snap__thread *thread, const char *state,
				      uint32_t *stack)
{
	uint64_t gone = atomic_load_explicit(&snap__python_codes_gone, memory_order_acquire);
	const char *frame = newest_frame(v, state);
	struct snap__python_kept *kept = thread->python;
	uint32_t newest;

	if (!frame)
		return SNAP__PYTHON_NO_FRAMES;
	if (!kept && !(kept = make_kept(thread)))
		return SNAP__PYTHON_LOST;
	if (__builtin_expect(kept->gone != gone, 0))
		forget(kept, gone);
	/* In a sampled program, freed code objects are not noticed. */
	if (__builtin_expect(snap__sample_period() != 0, 0))
		kept->gone = USELESS;
	newest = kept->count - 1;
	if (kept->count == 0 || kept->frames[newest] != frame || !outside_holds(v, kept, newest))
		return look_again(v, kept, frame, stack);
	if (!is_at(v, kept, newest) &&
	    !keep_frame(v, kept, newest, frame, newest ? kept->nodes[newest - 1] : 0)) {
		kept->count = 0;
		return SNAP__PYTHON_LOST;
	}
	*stack = kept->nodes[newest];
	return *stack ? SNAP__PYTHON_STACK : SNAP__PYTHON_NO_FRAMES;
}

INLINE const char *attached_state(const struct snap__python_layout *v,
				  const struct snap__thread *thread)
{
	const char *state;

	if (v->runtime_thread == 0)
		return snap__python.attached_thread();
	state = snap__python_pointer(snap__python.runtime, v->runtime_thread);
	/* A thread that allocates without the GIL must not read the frames of the thread that
	 * has it. */
	return state && snap__python_word(state, v->thread_id) == thread->id ? state : NULL;
}

/* Is `frame`, the newest one, that of the kept stack, and are those outside of it as they were? */
INLINE bool stack_holds(const struct snap__python_layout *v, const struct snap__python_kept *kept,
			const char *frame)
{
	uint32_t newest = kept->count - 1;

	return kept->count != 0 && kept->frames[newest] == frame && outside_holds(v, kept, newest);
}

/* A stack is kept only if frames can be trusted, so no other check is needed. */
INLINE uint32_t quick_stack(const struct snap__python_layout *v, struct snap__thread *thread,
			    const void *native)
{
	uint64_t gone = atomic_load_explicit(&snap__python_codes_gone, memory_order_acquire);
	struct snap__python_kept *kept = thread->python;
	const char *state = attached_state(v, thread), *address;
	uint32_t newest, parent;
	struct frame frame;
	uintptr_t place;
	struct way *way;

	if (!state || !kept || kept->gone != gone ||
	    !stack_holds(v, kept, address = newest_frame(v, state)))
		return otherwise(thread, native);
	newest = kept->count - 1;
	frame = frame_at(v, address);
	if (is_at(v, kept, newest) && kept->nodes[newest])
		return kept->nodes[newest];
	parent = newest ? kept->nodes[newest - 1] : 0;
	place = place_of(v, &frame);
	way = way_of(kept, parent, place);
	if (newest < kept->cut || !leads(way, dated(kept, parent), place))
		return otherwise(thread, native);
	kept->instructions[newest] = frame.instruction;
	if (v->counts_instructions)
		kept->codes[newest] = frame.code;
	return kept->nodes[newest] = way->node;
}

INLINE uint32_t walk_all(const struct snap__python_layout *v, const char *state, uintptr_t *pcs,
			 uint32_t most)
{
	uint32_t count = 0;

	for (const char *at = newest_frame(v, state); at && count < most; at = previous_of(v, at)) {
		struct frame frame = frame_at(v, at);

		if (!is_hidden(v, &frame))
			pcs[count++] = pc_of(v, &frame);
	}
	return count;
}

#define FUNCTIONS(version)                                                                         \
	static enum snap__python_look look_##version(struct snap__thread *thread,                  \
						     const char *state, uint32_t *stack)           \
	{                                                                                          \
		return look_at(&snap__python_##version, thread, state, stack);                     \
	}                                                                                          \
	static uint32_t quick_##version(struct snap__thread *thread, const void *native)           \
	{                                                                                          \
		return quick_stack(&snap__python_##version, thread, native);                       \
	}                                                                                          \
	static uint32_t walk_##version(const char *state, uintptr_t *pcs, uint32_t most)           \
	{                                                                                          \
		return walk_all(&snap__python_##version, state, pcs, most);                        \
	}

FUNCTIONS(3_9)
FUNCTIONS(3_10)
FUNCTIONS(3_11)
FUNCTIONS(3_12)
FUNCTIONS(3_13)
FUNCTIONS(3_14)

#define VERSION(version)                                                                           \
	{                                                                                          \
		look_##version, walk_##version, quick_##version                                    \
	}

snap__record_stack_fn *snap__python_frames_init(snap__record_stack_fn *slow)
{
	static const struct {
		look_fn *look;
		walk_fn *walk;
		snap__record_stack_fn *quick;
	} versions[] = {VERSION(3_9),  VERSION(3_10), VERSION(3_11),
			VERSION(3_12), VERSION(3_13), VERSION(3_14)};
	unsigned version = snap__python.layout->minor - SNAP__PYTHON_FIRST_MINOR;

	look = versions[version].look;
	walk = versions[version].walk;
	otherwise = slow;
	return versions[version].quick;
}

enum snap__python_look snap__python_stack(struct snap__thread *thread, const char *state,
					  uint32_t *stack)
{
	return look(thread, state, stack);
}

const char *snap__python_attached_state(const struct snap__thread *thread)
{
	return attached_state(snap__python.layout, thread);
}

uint32_t snap__python_walk(const char *state, uintptr_t *pcs, uint32_t most)
{
	return walk(state, pcs, most);
}

struct snap__python_mix *snap__python_mix_at(struct snap__thread *thread, uint32_t python,
					     uint32_t native)
{
	uint32_t hash = (python * 0x9e3779b1u) ^ (native * 0x85ebca6bu);

	return &thread->python->mixes[(hash >> 16 ^ hash) % MIXES];
}

uintptr_t snap__python_entry(const char *state)
{
	const struct snap__python_layout *v = snap__python.layout;
	const char *frame;

	if (v->thread_entry)
		return snap__python_word(state, v->thread_entry);
	if (v->minor < 13)
		return 0;
	for (frame = newest_frame(v, state); frame; frame = previous_of(v, frame))
		if (*(const volatile unsigned char *)(frame + v->frame_owner) >= v->owner_c)
			return (uintptr_t)frame;
	return 0;
}

/* ---- the first look -------------------------------------------------------------------------- */

#define FRAMES_CHECKED 64u

static bool is_readable(const char *base, size_t offset)
{
	return snap__os_is_readable(base + offset);
}

static bool is_object_of(const char *object, const void *type)
{
	return object && ((uintptr_t)object & 7) == 0 &&
	       is_readable(object, SNAP__PYTHON_OBJECT_TYPE) && snap__python_type(object) == type;
}

/* Do a code object's fields point to objects of the right types? */
static bool is_code(const struct snap__python_layout *v, const char *code)
{
	return is_object_of(code, snap__python.code_type) && is_readable(code, v->code_file) &&
	       is_readable(code, v->code_name) && is_readable(code, v->code_line_table) &&
	       is_object_of(snap__python_pointer(code, v->code_file), snap__python.str_type) &&
	       is_object_of(snap__python_pointer(code, v->code_name), snap__python.str_type) &&
	       is_object_of(snap__python_pointer(code, v->code_line_table),
			    snap__python.bytes_type);
}

/* Is the instruction one of the code's, or just before the first? */
static bool is_inside(const struct snap__python_layout *v, const struct frame *frame,
		      const char *code)
{
	uintptr_t units, count;

	if (v->counts_instructions)
		return frame->instruction == UINT32_MAX || frame->instruction < 1u << 24;
	units = (uintptr_t)code + v->code_units;
	count = snap__python_word(code, SNAP__PYTHON_VAR_SIZE);
	return frame->instruction + 2 >= units && frame->instruction <= units + 2 * count;
}

static bool is_shown(const struct snap__python_layout *v, const char *frame)
{
	return v->frame_owner == 0 || v->minor == 11 ||
	       (unsigned char)frame[v->frame_owner] < v->owner_c;
}

/* `*frame` leads to the next one, or to NULL. */
static bool frame_is_sane(const struct snap__python_layout *v, const char **frame)
{
	const char *at = *frame;
	struct frame read;

	if (((uintptr_t)at & 7) != 0 || !is_readable(at, v->frame_code) ||
	    !is_readable(at, v->frame_previous) ||
	    !is_readable(at, v->frame_instruction & ~(size_t)7) ||
	    !is_readable(at, v->frame_owner & ~(size_t)7))
		return false;
	if (is_shown(v, at)) {
		const char *code = (const char *)code_of(v, at);

		read = frame_at(v, at);
		if (!is_code(v, code) || !is_inside(v, &read, code))
			return false;
	}
	*frame = previous_of(v, at);
	return true;
}

bool snap__python_frames_are_sane(const char *state)
{
	const struct snap__python_layout *v = snap__python.layout;
	const char *frame;

	if (!is_readable(state, v->thread_frame) || !is_readable(state, v->thread_cframe))
		return false;
	if (v->thread_cframe) {
		frame = snap__python_pointer(state, v->thread_cframe);
		if (frame && !is_readable(frame, v->cframe_frame))
			return false;
	}
	frame = newest_frame(v, state);
	for (unsigned i = 0; frame && i < FRAMES_CHECKED; i++)
		if (!frame_is_sane(v, &frame))
			return false;
	return true;
}

/* ---- in a copy of the process ---------------------------------------------------------------- */

#define MOST_FRAMES   (1u << 16)
#define MOST_LOCALS   (1 << 12)
#define TAGGED_NUMBER 3u /* both tag bits: a number, not an address */

const char *snap__python_newest_frame(const char *state)
{
	return newest_frame(snap__python.layout, state);
}

const char *snap__python_outer_frame(const char *frame)
{
	return previous_of(snap__python.layout, frame);
}

const char *snap__python_frame_code(const char *frame)
{
	const struct snap__python_layout *v = snap__python.layout;
	const char *code = (const char *)code_of(v, frame);

	if (v->frame_owner &&
	    *(const volatile unsigned char *)(frame + v->frame_owner) >= v->owner_c)
		return NULL;
	return code && snap__python_type(code) == snap__python.code_type ? code : NULL;
}

/* The names of a code object's variables; NULL if they are not where they should be. */
static const char *local_names(const struct snap__python_layout *v, const char *code, int *count)
{
	const char *names = snap__python_pointer(code, v->code_local_names);

	memcpy(count, code + v->code_local_count, sizeof(*count));
	if (*count <= 0 || *count > MOST_LOCALS ||
	    snap__python_type(names) != snap__python.tuple_type ||
	    snap__python_word(names, SNAP__PYTHON_VAR_SIZE) != (uintptr_t)*count)
		return NULL;
	return names;
}

/* Up to 3.10: the frame object contains the variables, those of a closure last. */
static void each_local_of_old(const char *frame, const char *code, snap__python_local_fn *fn,
			      void *user)
{
	const struct snap__python_layout *v = snap__python.layout;
	size_t at = v->old_frame_locals;

	for (size_t i = 0; i < sizeof(v->code_name_tuples) / sizeof(v->code_name_tuples[0]); i++) {
		const char *names = snap__python_pointer(code, v->code_name_tuples[i]);
		size_t count = names ? snap__python_word(names, SNAP__PYTHON_VAR_SIZE) : 0;

		if (count > MOST_LOCALS)
			return;
		for (size_t k = 0; k < count; k++, at += sizeof(void *)) {
			const char *value = snap__python_pointer(frame, at);
			size_t name = v->tuple_items + k * sizeof(void *);

			if (value)
				fn(user, value, snap__python_pointer(names, name), code);
		}
	}
}

static void each_local_of_new(const char *frame, const char *code, snap__python_local_fn *fn,
			      void *user)
{
	const struct snap__python_layout *v = snap__python.layout;
	const char *names;
	int count;

	if (!(names = local_names(v, code, &count)))
		return;
	for (int i = 0; i < count; i++) {
		size_t at = (size_t)i * sizeof(void *);
		uintptr_t word = snap__python_word(frame, v->frame_locals + at);

		if (v->code_tags && (word & v->code_tags) == TAGGED_NUMBER)
			continue;
		word &= ~v->code_tags;
		if (word)
			fn(user, (const char *)word,
			   snap__python_pointer(names, v->tuple_items + at), code);
	}
}

static bool frames_are_objects(void)
{
	return snap__python.layout->frame_owner == 0;
}

const char *snap__python_frame_of_object(const char *object)
{
	return frames_are_objects()
		       ? object
		       : snap__python_pointer(object, snap__python.layout->frame_object_frame);
}

void snap__python_each_local_of(const char *frame, snap__python_local_fn *fn, void *user)
{
	const char *code = snap__python_frame_code(frame);

	if (!code)
		return;
	if (frames_are_objects())
		each_local_of_old(frame, code, fn, user);
	else
		each_local_of_new(frame, code, fn, user);
}

void snap__python_each_local(const char *state, snap__python_local_fn *fn, void *user)
{
	const char *frame = snap__python_newest_frame(state);

	for (uint32_t i = 0; frame && i < MOST_FRAMES; i++, frame = snap__python_outer_frame(frame))
		snap__python_each_local_of(frame, fn, user);
}
