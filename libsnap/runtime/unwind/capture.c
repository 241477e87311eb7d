/*
 * capture.c - from registers to a node in the tree of call stacks.
 *
 * The previous stack of the thread is kept (kept.h), and short ways to it are remembered
 * (recall.h). A capture first checks from the outermost frame inwards how much of the kept stack is
 * as it was; then it is the same stack again, or a way that is known, or it walks (walk.c) until it
 * meets a frame of that part.  Then the frames that it walked take the place of those inside the
 * joint (keep.c).
 */
#include <stdatomic.h>
#include <stddef.h>

#include "runtime/modules.h"
#include "runtime/stacks.h"
#include "runtime/unwind/walk.h"

#define DEFAULT_DEPTH 1024u
#define MOST_DEPTH    32768u
#define COUNTS_PERIOD 1024u /* captures between two updates of the shared counts */
#define PAGE_BYTES    ((uint64_t)4096)

uint32_t snap__depth_limit = DEFAULT_DEPTH;
static _Atomic uint64_t code_generation;
static atomic_bool keeps_all;
static struct {
	atomic_uint_fast64_t captures, truncated, walked, reused;
} totals;

size_t snap__unwind_thread_size(void)
{
	return sizeof(struct snap__unwind_thread) +
	       (1 + snap__kept_capacity()) * sizeof(struct snap__frame) +
	       snap__kept_word_capacity() * sizeof(struct snap__word) +
	       snap__fresh_capacity() * sizeof(struct snap__fresh) +
	       snap__read_word_capacity() * sizeof(struct snap__read_word) +
	       snap__recall_table_size();
}

/* An array's bytes beyond those used, in whole pages. */
static uint64_t spare(size_t capacity, size_t used, size_t element)
{
	uint64_t bytes = (uint64_t)(capacity - used) * element;

	return bytes > PAGE_BYTES ? (bytes - PAGE_BYTES) & ~(uint64_t)(PAGE_BYTES - 1) : 0;
}

uint64_t snap__unwind_untouched(const struct snap__unwind_thread *thread)
{
	uint32_t longest = thread->longest, deepest = thread->deepest;

	/* A frame of ordinary code has at most one word besides its return address.  Where others
	   are met, this is a little too much. */
	return spare(snap__kept_capacity(), deepest, sizeof(struct snap__frame)) +
	       spare(snap__kept_word_capacity(), deepest, sizeof(struct snap__word)) +
	       spare(snap__fresh_capacity(), longest, sizeof(struct snap__fresh)) +
	       spare(snap__read_word_capacity(), longest, sizeof(struct snap__read_word)) +
	       spare(snap__recall_table_size(), snap__recall_table_used(&thread->recall), 1);
}

/* Find the arrays of a thread's that is still zeroed. */
static void lay_out(struct snap__unwind_thread *thread)
{
	thread->recall.segments = (struct snap__segment *)(void *)thread->arrays;
	thread->kept.frames =
		(struct snap__frame *)(void *)(thread->arrays + snap__recall_table_size()) + 1;
	thread->kept.frames[-1].at.sp = UINTPTR_MAX;
	thread->kept.words = (struct snap__word *)(thread->kept.frames + snap__kept_capacity());
	thread->fresh = (struct snap__fresh *)(thread->kept.words + snap__kept_word_capacity());
	thread->read_words = (struct snap__read_word *)(thread->fresh + snap__fresh_capacity());
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

/* Walk, find or make the node, keep the stack, and in `place` (may be NULL) the way to where it
   joined one of the `joinable` kept frames. */
static struct snap__capture capture_by_walk(struct snap__unwind_thread *thread,
					    const struct snap__regs *at, uint32_t joinable,
					    struct snap__segment *place)
{
	struct snap__walk w = {.thread = thread,
			       .pc = at->pc - 1,
			       .sp = at->sp,
			       .fp = at->fp,
			       .slot = (const uintptr_t *)at->sp,
			       .candidates = joinable,
			       .keepable = snap__reach_begin(&thread->reach, at->sp)};
	struct snap__capture capture;
	uint32_t joint, node;
	uint64_t depth;
	bool shortened;

	snap__walk(&w, at);
	depth = w.count + (w.joined ? thread->kept.base + w.candidates : 0);
	count_capture(thread, w.count, w.joined ? w.candidates : 0);
	joint = w.joined ? w.candidates - 1 : UINT32_MAX;
	node = snap__keep(&w, &shortened);
	capture = capture_of(node, depth, w.truncated);
	capture.shortened = shortened;
	if (place && joint < thread->kept.count && depth <= snap__depth_limit && w.keepable &&
	    w.unkept == 0 && !w.truncated)
		snap__recall_keep(&thread->recall, place, &thread->kept, at, joint, capture.stack);
	if (capture.truncated)
		atomic_fetch_add_explicit(&totals.truncated, 1, memory_order_relaxed);
	return capture;
}

/* Not the same place again: a way that is remembered, or a walk.  Apart from the function below, so
   that a loop which allocates does not pay for registers that only this one needs. */
__attribute__((noinline)) static struct snap__capture
capture_elsewhere(struct snap__unwind_thread *thread, const struct snap__regs *at)
{
	const struct snap__segment *way;
	struct snap__segment *place = NULL;
	uint32_t joinable, frames;

	if (!thread->fresh)
		lay_out(thread);
	joinable = snap__kept_joinable(&thread->kept);
	/* A stack whose outer part is cut away is left to the walk. */
	if (thread->kept.base != 0 || thread->kept.cut != 0 ||
	    atomic_load_explicit(&keeps_all, memory_order_relaxed) ||
	    !snap__recall_is_worth_it(&thread->recall))
		return capture_by_walk(thread, at, joinable, NULL);
	way = snap__recall_find(&thread->recall, &thread->kept, joinable, at, &place);
	if (!way)
		return capture_by_walk(thread, at, joinable, place);
	frames = way->frames + way->joint + 1;
	count_capture(thread, 0, frames);
	return (struct snap__capture){.stack = way->node, .frames = (uint16_t)frames};
}

struct snap__capture snap__unwind_capture(struct snap__unwind_thread *thread,
					  const struct snap__regs *at)
{
	uint64_t generation = atomic_load_explicit(&code_generation, memory_order_acquire);
	uint32_t frames = thread->kept.count;

	if (thread->generation != generation) {
		thread->kept.count = frames = 0;
		snap__recall_forget(&thread->recall);
		thread->generation = generation;
	}
	if (frames && thread->kept.base == 0 && thread->kept.cut == 0 &&
	    snap__frame_is(&thread->kept.frames[frames - 1], at->pc - 1, at->sp, at->fp) &&
	    snap__kept_joinable(&thread->kept) == frames) {
		count_capture(thread, 0, frames);
		return (struct snap__capture){.stack = thread->kept.frames[frames - 1].node,
					      .frames = (uint16_t)frames};
	}
	return capture_elsewhere(thread, at);
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
	while (first > 0 && kept->frames[first - 1].at.sp <= point)
		first--;
	if (first == kept->count)
		return 0; /* the point is not on this stack */
	first += first + 1 < kept->count;
	for (; first < kept->count && node; first++)
		node = snap__stacks_child(node, kept->frames[first].at.pc);
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
