/*
 * capture.c - from registers to a node in the tree of call stacks.
 *
 * The previous stack of the thread is kept (kept.h), and short ways to it are remembered
 * (recall.h).  A capture first checks, from the outermost frame inwards, how much of the kept stack
 * is unchanged.  If the stack is the same, or a known way leads to the unchanged part, it is done.
 * Otherwise it walks (walk.c) until it meets a frame of the unchanged part, the joint.  Then the
 * walked frames replace the kept ones inside the joint (keep.c).
 *
 * Where that is of little use for the next capture, a walk keeps nothing: it only adds up the hash of
 * the stack, by which the tree of stacks knows it.
 */
#include <stdatomic.h>
#include <stddef.h>

#include "runtime/arena.h"
#include "runtime/modules.h"
#include "runtime/stacks.h"
#include "runtime/unwind/walk.h"

#define DEFAULT_DEPTH 1024u
#define MOST_DEPTH    32768u
#define COUNTS_PERIOD 1024u /* captures between two updates of the shared counts */
#define PAGE_BYTES    ((uintptr_t)4096)
#define SMALL_DEPTH   20u /* frames of a stack for which a thread's first arrays have room */
#define SMALL_WALKS   256u
#define SMALL_STEPS   4u
#define STEPS_A_LINE  2u
#define FULL_STEPS    1024u /* of the tables of steps; powers of two */
#define MOST_STEPS    8192u
#define MANY_FILLED   2u          /* a table that was filled so often is too small */
#define MOST_ENLARGED (16u << 20) /* bytes of the larger tables of all threads */

/* See is_kept_in_vain(). */
#define GAIN         8u /* what a kept frame saves that is met again, to what it costs to keep one */
#define MANY_IN_VAIN 512u
#define MOST_IN_VAIN 1024u
#define KEPT_ONE_IN  16u

uint32_t snap__depth_limit = DEFAULT_DEPTH;
static _Atomic uint64_t code_generation;
static atomic_bool keeps_all;
static struct {
	atomic_uint_fast64_t captures, truncated, walked, reused;
} totals;

static const struct snap__rooms small = {.steps = SMALL_STEPS,
					 .fresh = SMALL_DEPTH,
					 .read_words = SMALL_DEPTH,
					 .frames = SMALL_DEPTH,
					 .words = SMALL_DEPTH};

/* Kept frames may be twice the limit: so that the cut can move back and forth without a new
 * walk. */
static struct snap__rooms full(void)
{
	return (struct snap__rooms){.steps = FULL_STEPS,
				    .fresh = snap__depth_limit,
				    .read_words = 2 * snap__depth_limit + SNAP__WORDS_A_STEP,
				    .frames = 2 * snap__depth_limit,
				    .words = 4 * snap__depth_limit};
}

static size_t arrays_size(const struct snap__rooms *rooms)
{
	return rooms->steps * sizeof(struct snap__step) +
	       (1 + rooms->frames) * sizeof(struct snap__frame) +
	       rooms->frames * sizeof(struct snap__return) +
	       rooms->words * sizeof(struct snap__word) + rooms->frames * sizeof(uint64_t) +
	       (1 + rooms->fresh) * sizeof(struct snap__fresh) +
	       rooms->read_words * sizeof(struct snap__read_word);
}

size_t snap__unwind_thread_size(void)
{
	return sizeof(struct snap__unwind_thread) + arrays_size(&small);
}

/* Make the thread use an empty table of steps.  A handler may leave by longjmp in the middle. */
static void use_steps(struct snap__unwind_thread *thread, struct snap__step *steps, uint32_t count)
{
	thread->start.caller = &thread->start; /* no step leads into another table */
	thread->steps_filled = 0;
	thread->steps_mask = 0;
	atomic_signal_fence(memory_order_seq_cst);
	thread->steps = steps;
	atomic_signal_fence(memory_order_seq_cst);
	thread->steps_mask = (count - STEPS_A_LINE) * sizeof(struct snap__step);
}

static uint32_t count_of_steps(const struct snap__unwind_thread *thread)
{
	return (uint32_t)(thread->steps_mask / sizeof(struct snap__step)) + STEPS_A_LINE;
}

/* NULL: the thread, or all of them together, may have no more. */
static struct snap__step *larger_table(uint32_t count)
{
	static _Atomic uint32_t enlarged;
	uint32_t size = count * (uint32_t)sizeof(struct snap__step);

	if (count > MOST_STEPS)
		return NULL;
	if (atomic_fetch_add(&enlarged, size) + size > MOST_ENLARGED) {
		atomic_fetch_sub(&enlarged, size);
		return NULL;
	}
	return snap__arena_alloc(size);
}

/* Give the whole pages of a table back that the thread uses no more. */
static void discard_table(const struct snap__step *steps, uint32_t count)
{
	uintptr_t from = ((uintptr_t)steps + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
	uintptr_t to = (uintptr_t)(steps + count) & ~(PAGE_BYTES - 1);

	if (to > from)
		snap__discard((void *)from, to - from);
}

/* A program may allocate through more calls than the table has room for. */
__attribute__((noinline)) static void enlarge_steps(struct snap__unwind_thread *thread)
{
	struct snap__step *before = thread->steps, *steps;
	uint32_t count = count_of_steps(thread);

	steps = larger_table(2 * count);
	if (steps) {
		use_steps(thread, steps, 2 * count);
		discard_table(before, count);
	} else {
		thread->steps_filled = 0;
	}
}

/* Make the thread use arrays with `rooms` at `arrays`: the steps, the kept frames, their returns,
   words and hashes, the fresh frames, and the words read.  A handler may leave by longjmp in the
   middle of this. */
static void lay_out(struct snap__unwind_thread *thread, char *arrays,
		    const struct snap__rooms *rooms)
{
	thread->kept.count = 0;
	thread->kept.base = thread->kept.cut = 0;
	atomic_signal_fence(memory_order_seq_cst);
	use_steps(thread, (struct snap__step *)(void *)arrays, rooms->steps);
	thread->kept.frames = (struct snap__frame *)(void *)(thread->steps + rooms->steps) + 1;
	thread->kept.frames[-1].sp = UINTPTR_MAX;
	thread->kept.returns = (struct snap__return *)(thread->kept.frames + rooms->frames);
	thread->kept.words = (struct snap__word *)(thread->kept.returns + rooms->frames);
	thread->kept.hashes = (uint64_t *)(thread->kept.words + rooms->words);
	thread->fresh = (struct snap__fresh *)(thread->kept.hashes + rooms->frames);
	thread->read_words = (struct snap__read_word *)(thread->fresh + rooms->fresh + 1);
	atomic_signal_fence(memory_order_seq_cst);
	thread->rooms = *rooms;
}

static bool is_small(const struct snap__unwind_thread *thread)
{
	return !thread->recall.segments;
}

/* Forget the kept stack.  False if memory ran out. */
static bool enlarge(struct snap__unwind_thread *thread)
{
	const struct snap__rooms rooms = full();
	char *table = snap__arena_alloc(snap__recall_table_size() + arrays_size(&rooms));

	if (!table)
		return false;
	lay_out(thread, table + snap__recall_table_size(), &rooms);
	snap__recall_forget(&thread->recall);
	thread->recall.written = 1; /* the first frame writes here, though nothing is kept of it */
	thread->recall.segments = (struct snap__segment *)(void *)table;
	return true;
}

/* Whole pages of an array that lie beyond its elements in use. */
static uint64_t spare(const void *array, size_t capacity, size_t used, size_t element)
{
	uintptr_t from = (uintptr_t)array + used * element + PAGE_BYTES - 1;
	uintptr_t to = (uintptr_t)array + capacity * element;

	from &= ~(PAGE_BYTES - 1);
	to &= ~(PAGE_BYTES - 1);
	return to > from ? to - from : 0;
}

uint64_t snap__unwind_untouched(const struct snap__unwind_thread *thread)
{
	uint32_t longest = thread->longest, deepest = thread->deepest;

	if (is_small(thread))
		return 0;
	/* A frame of ordinary code has at most one word besides its return address.  For other
	 * code this is a little too much. */
	return spare(thread->kept.frames, thread->rooms.frames, deepest,
		     sizeof(struct snap__frame)) +
	       spare(thread->kept.returns, thread->rooms.frames, deepest,
		     sizeof(struct snap__return)) +
	       spare(thread->kept.words, thread->rooms.words, deepest, sizeof(struct snap__word)) +
	       spare(thread->kept.hashes, thread->rooms.frames, deepest, sizeof(uint64_t)) +
	       spare(thread->fresh, thread->rooms.fresh, longest, sizeof(struct snap__fresh)) +
	       spare(thread->read_words, thread->rooms.read_words, longest,
		     sizeof(struct snap__read_word)) +
	       snap__recall_untouched(&thread->recall);
}

void snap__unwind_init(unsigned limit)
{
	if (limit)
		snap__depth_limit = limit < 2 ? 2 : limit > MOST_DEPTH ? MOST_DEPTH : limit;
	snap__modules_refresh();
}

static inline void count_capture(struct snap__unwind_thread *thread, uint64_t walked,
				 uint64_t reused)
{
	thread->frames_walked += walked;
	thread->frames_reused += reused;
	if (++thread->captures < COUNTS_PERIOD)
		return;
	atomic_fetch_add_explicit(&totals.captures, thread->captures, memory_order_relaxed);
	atomic_fetch_add_explicit(&totals.walked, thread->frames_walked, memory_order_relaxed);
	atomic_fetch_add_explicit(&totals.reused, thread->frames_reused, memory_order_relaxed);
	thread->captures = 0;
	thread->frames_walked = 0;
	thread->frames_reused = 0;
}

/* What a finished capture reports. */
static inline struct snap__capture capture_of(uint32_t stack, uint64_t depth, bool truncated)
{
	uint64_t cut = snap__cut_of(depth);

	return (struct snap__capture){
		.stack = stack, .truncated = truncated || cut, .frames = (uint16_t)(depth - cut)};
}

static inline struct snap__walk walk_from(struct snap__unwind_thread *thread,
					  const struct snap__regs *at, uint32_t joinable)
{
	return (struct snap__walk){.thread = thread,
				   .pc = at->pc - 1,
				   .sp = at->sp,
				   .fp = at->fp,
				   .slot = (const uintptr_t *)at->sp,
				   .candidates = joinable,
				   .keepable = snap__reach_begin(&thread->reach, at->sp)};
}

/*
 * A program may go down another way each time, from near its outermost frame.  Then little of what was
 * kept of a stack is met again.  If it was so for a while, most walks keep nothing.
 */
static bool is_kept_in_vain(struct snap__unwind_thread *thread, uint32_t joinable)
{
	uint32_t before = thread->unjudged, cost, gain;

	if (before) {
		cost = thread->kept.count > before ? thread->kept.count - before : 0;
		gain = joinable > before ? (joinable - before) * GAIN : 0;
		thread->in_vain = cost + (gain < thread->in_vain ? thread->in_vain - gain : 0);
		if (thread->in_vain > MOST_IN_VAIN)
			thread->in_vain = MOST_IN_VAIN;
		thread->unjudged = 0;
	}
	return thread->in_vain > MANY_IN_VAIN;
}

/* Find the stack by its hash, and keep nothing.  False: it is not known, or no kept frame is met. */
static bool capture_by_hash(struct snap__unwind_thread *thread, const struct snap__regs *at,
			    uint32_t joinable, struct snap__capture *found)
{
	struct snap__walk w = walk_from(thread, at, joinable);
	uint64_t depth;
	uint32_t node;

	if (!w.keepable || !snap__walk_lightly(&w))
		return false;
	depth = w.count + w.candidates;
	node = depth <= snap__depth_limit ? snap__stacks_by_hash(snap__walk_hash(&w)) : 0;
	if (node == 0)
		return false;
	count_capture(thread, w.count, w.candidates);
	*found = (struct snap__capture){.stack = node, .frames = (uint16_t)depth, .walked = true};
	return true;
}

/* Walk, find or make the node, and keep the stack.  `place` (may be NULL) gets the way to the
 * joint, one of the `joinable` kept frames.  `by_hash`: next time the stack is to be found so. */
static struct snap__capture capture_by_walk(struct snap__unwind_thread *thread,
					    const struct snap__regs *at, uint32_t joinable,
					    struct snap__segment *place, bool by_hash)
{
	struct snap__walk w = walk_from(thread, at, joinable);
	struct snap__capture capture;
	uint32_t joint, node;
	uint64_t depth;
	bool shortened;

	w.by_hash = by_hash;
	snap__walk(&w, at);
	if (is_small(thread) && !snap__walk_fits(&w))
		return enlarge(thread) ? capture_by_walk(thread, at, 0, NULL, false)
				       : (struct snap__capture){0};
	depth = w.count + (w.joined ? thread->kept.base + w.candidates : 0);
	count_capture(thread, w.count, w.joined ? w.candidates : 0);
	joint = w.joined ? w.candidates - 1 : UINT32_MAX;
	thread->unjudged = w.joined ? w.candidates : 1;
	node = snap__keep(&w, &shortened);
	capture = capture_of(node, depth, w.truncated);
	capture.shortened = shortened;
	capture.walked = true;
	if (place && joint < thread->kept.count && depth <= snap__depth_limit && w.keepable &&
	    w.unkept == 0 && !w.truncated)
		snap__recall_keep(&thread->recall, place, &thread->kept, at, joint, capture.stack);
	if (capture.truncated)
		atomic_fetch_add_explicit(&totals.truncated, 1, memory_order_relaxed);
	return capture;
}

/* A different place than last time: use a remembered way, or walk.  `joinable` of the kept frames may
 * be joined.  Separate from the function below, so that an allocating loop does not save registers
 * that only this one needs. */
__attribute__((noinline)) static struct snap__capture
capture_elsewhere(struct snap__unwind_thread *thread, const struct snap__regs *at,
		  uint32_t joinable)
{
	const struct snap__segment *way;
	struct snap__segment *place = NULL;
	struct snap__capture found;
	uint32_t frames;
	bool by_hash;

	if (!thread->rooms.steps) /* what lay_out() writes last */
		lay_out(thread, thread->small_arrays, &small);
	if (is_small(thread) && (++thread->walks > SMALL_WALKS || snap__depth_limit < SMALL_DEPTH))
		joinable = enlarge(thread) ? 0 : joinable; /* without memory it goes on as it is */
	/* If the outer part of the stack is cut away, walk. */
	if (is_small(thread) || thread->kept.base != 0 || thread->kept.cut != 0 ||
	    atomic_load_explicit(&keeps_all, memory_order_relaxed))
		return capture_by_walk(thread, at, joinable, NULL, false);
	if (__builtin_expect(thread->steps_filled >= MANY_FILLED * count_of_steps(thread), 0))
		enlarge_steps(thread);
	by_hash = is_kept_in_vain(thread, joinable);
	if (by_hash && joinable && ++thread->lightly % KEPT_ONE_IN &&
	    capture_by_hash(thread, at, joinable, &found))
		return found;
	if (!snap__recall_is_worth_it(&thread->recall))
		return capture_by_walk(thread, at, joinable, NULL, by_hash);
	way = snap__recall_find(&thread->recall, &thread->kept, joinable, at, &place);
	if (!way)
		return capture_by_walk(thread, at, joinable, place, by_hash);
	frames = (uint32_t)way->frames + way->joint + 1;
	count_capture(thread, 0, frames);
	return (struct snap__capture){.stack = way->node, .frames = (uint16_t)frames};
}

/* These may belong to code that is no longer mapped. */
__attribute__((noinline)) static void forget_steps(struct snap__unwind_thread *thread)
{
	for (uint32_t i = 0; thread->steps && i < count_of_steps(thread); i++)
		thread->steps[i].rule = SNAP__RULE_NONE;
}

struct snap__capture snap__unwind_capture(struct snap__unwind_thread *thread,
					  const struct snap__regs *at)
{
	uint64_t generation = atomic_load_explicit(&code_generation, memory_order_acquire);
	uint32_t frames = thread->kept.count, joinable;

	if (thread->generation != generation) {
		thread->kept.count = frames = 0;
		snap__recall_forget(&thread->recall);
		forget_steps(thread);
		thread->generation = generation;
	}
	joinable = snap__kept_joinable(&thread->kept);
	if (joinable == frames && frames && thread->kept.base == 0 && thread->kept.cut == 0 &&
	    snap__frame_is(&thread->kept.frames[frames - 1], at->pc - 1, at->sp, at->fp)) {
		count_capture(thread, 0, frames);
		return (struct snap__capture){.stack = thread->kept.frames[frames - 1].node,
					      .frames = (uint16_t)frames};
	}
	return capture_elsewhere(thread, at, joinable);
}

void snap__unwind_keep_all(void)
{
	atomic_store(&keeps_all, true);
}

/* A frame's part of the C stack goes from its own stack pointer to that of the next outer one. */
uint32_t snap__unwind_graft(const struct snap__unwind_thread *thread, uint32_t native,
			    uintptr_t point, uint32_t node)
{
	const struct snap__kept *kept = &thread->kept;
	uint32_t first = kept->count;

	if (first == 0 || kept->frames[first - 1].node != native)
		return 0;
	while (first > 0 && kept->frames[first - 1].sp <= point)
		first--;
	if (first == kept->count)
		return 0; /* the point is not on this stack */
	first += first + 1 < kept->count;
	for (; first < kept->count && node; first++)
		node = snap__stacks_child(node, kept->frames[first].pc);
	return node;
}

void snap__unwind_modules_changed(void)
{
	uint64_t retirements;

	snap__modules_refresh();
	retirements = snap__modules_retirements();
	if (retirements == atomic_load(&code_generation))
		return;
	snap__rules_forget_retired();
	atomic_store(&code_generation, retirements);
}

void snap__unwind_thread_reset(struct snap__unwind_thread *thread)
{
	thread->reach = (struct snap__reach){0};
	thread->kept.count = 0;
	snap__recall_forget(&thread->recall);
}

void snap__unwind_after_fork(struct snap__unwind_thread *thread)
{
	thread->kept.count = 0;
}

void snap__unwind_counts(struct snap__unwind_counts *out)
{
	*out = (struct snap__unwind_counts){
		.captures = atomic_load_explicit(&totals.captures, memory_order_relaxed),
		.truncated = atomic_load_explicit(&totals.truncated, memory_order_relaxed),
		.rules_compiled = snap__rules_compiled(),
		.frames_walked = atomic_load_explicit(&totals.walked, memory_order_relaxed),
		.frames_reused = atomic_load_explicit(&totals.reused, memory_order_relaxed),
	};
}
