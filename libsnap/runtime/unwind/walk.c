/*
 * walk.c - one capture: from registers to a node in the tree of call stacks.
 *
 * The previous stack of the thread is kept: each frame's state (pc, sp, fp), and every
 * stack word that was read to get from there to its caller.  The next state of a walk is a
 * function of the state before it and of the words read; so when a new walk arrives at a
 * state that was kept, and every word kept for the frames outside it still has its
 * value, the rest of the walk would be the same, and is not repeated.  Comparing less than
 * that is unsound: callers with frames of one size look alike.
 *
 * The frame pointer is part of the state only where a frame further out needs it, before one that
 * restores it from the stack: in code that uses it as one more register it says nothing about
 * the stack, and a value that changes all the time would have every walk made anew.
 *
 * Words are compared from the joint outwards.  At the first that changed, the frames up to
 * there are still right; the walk goes on from there by the rules, and may join again.
 *
 * Programs take turns among some places that allocate.  So the short way from a capture's
 * point to where it joined is remembered too, with its words, in a small table: when it is met
 * again, and its joint is still kept, nothing is walked or looked up at all.  Ways that begin in
 * one state differ in some word further out: the first word that differs from what was expected
 * says where to look next.
 *
 * Deep stacks are cut at a multiple of half the limit, counted from the outermost frame, so that
 * the frames shown depend on the stack alone, and a recursion adds one node for each of its calls,
 * not a whole new stack.
 */
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "runtime/stacks.h"
#include "runtime/unwind/cfi.h"
#include "runtime/unwind/reach.h"
#include "runtime/unwind/rules.h"
#include "runtime/unwind/unwind.h"

/* Functions that read other functions' frames word by word, which sanitizers must not judge. */
#define READS_STACKS __attribute__((no_sanitize("address", "thread")))

#define DEFAULT_DEPTH   1024u
#define MOST_DEPTH      32768u
#define MOST_FRAMES     ((uint64_t)1 << 20)  /* of one walk: an end to any circle */
#define MOST_FP_STEP    ((uintptr_t)1 << 20) /* a larger frame is not believed without a rule */
#define LOWEST_CODE     ((uintptr_t)1 << 16)
#define SLOTS_A_STEP    16u /* words that one exotic rule may read */
#define SEGMENT_BITS    9u
#define SEGMENTS        (1u << SEGMENT_BITS)
#define SEGMENT_SLOTS   19u /* a segment is 384 bytes */
#define MOST_PROBES     8u
#define COUNTS_PERIOD   1024u /* captures between two updates of the shared counts */
#define STATE_REGISTERS (1u << SNAP__REG_SP | 1u << SNAP__REG_FP)
#define PC_MASK         (~(uintptr_t)SNAP__RULE_TAG_MASK)
#define WORD            sizeof(uintptr_t)
#define NO_CALLER       UINTPTR_MAX /* the pc inside a call that returns to 0 */
#define NODE_MASK       ((1u << SNAP__STACK_ID_BITS) - 1)

/* A frame: its state, and what the tree knows it as. */
struct frame {
	uintptr_t pc; /* of a byte inside the call, with the module's tag */
	uintptr_t sp;
	uintptr_t fp;
	uint32_t node : 28;
	uint32_t needs_fp : 1; /* kept: the frames from here outwards depend on fp; fresh: the step
				  from this one does */
	uint32_t saves_fp : 1; /* fresh: the second of its two slots has the caller's fp */
	uint32_t slots; /* kept: slots[0..slots) lead from here outwards; fresh: its first slot */
};

/* A word of the stack that a step read, and its value then. */
struct slot {
	const uintptr_t *address;
	uintptr_t value;
};

/* The way from where a capture began to the kept frame that it joined. */
struct segment {
	uintptr_t pc; /* the state at its beginning */
	uintptr_t sp;
	uintptr_t fp;
	uintptr_t joint_pc; /* and at its end, which is that of kept[joint] */
	uintptr_t joint_sp;
	uintptr_t joint_fp;
	uint32_t joint;
	uint32_t joint_node;
	uint32_t node;  /* of the whole stack */
	uint32_t epoch; /* it counts only while the thread's is the same */
	uint32_t frames;
	uint16_t slot_count;
	bool needs_fp; /* fp is part of its first state; likewise of its last */
	bool joint_needs_fp;
	struct slot slots[SEGMENT_SLOTS];
};

struct snap__unwind_thread {
	struct snap__reach reach;
	uint64_t generation; /* of the mapped code, when the stack was kept */
	uint64_t base;       /* frames outside kept[0] that are not kept */
	uint64_t cut; /* the frames from this one on (counted from outside) are in the tree */
	uint32_t kept_count;
	uint32_t captures; /* since the shared counts were updated; likewise the next two */
	uint32_t epoch;    /* of the segments */
	uint64_t frames_walked;
	uint64_t frames_reused;
	/* Followed by kept frames, outermost first, and their slots; then by the frames and slots
	   of the walk under way, newest first; then by the segments. */
	struct frame kept[];
};

/* A walk under way. */
struct walk {
	struct snap__unwind_thread *thread;
	uintptr_t pc; /* of a byte inside the call, or of the interrupted instruction */
	uintptr_t sp;
	uintptr_t fp;
	uint64_t count;      /* frames walked so far */
	uint32_t slot_count; /* fresh slots in use */
	uint32_t candidates; /* kept frames that may still be joined; if joined: that are part of it
			      */
	uint32_t jumps;      /* moves to another stack */
	struct frame *fresh; /* newest first */
	struct slot *slots;
	bool joined;   /* at kept[candidates - 1] */
	bool keepable; /* what was read is all on the home stack */
	bool truncated;
};

static uint32_t depth_limit = DEFAULT_DEPTH;
static _Atomic uint64_t code_generation;
static struct {
	atomic_uint_fast64_t captures, truncated, walked, reused;
} totals;

/* Kept frames may be twice the limit: so that the cut can move back and forth without a new walk.
 */
static uint32_t kept_capacity(void)
{
	return 2 * depth_limit;
}

/* One more than a walk may keep: frames beyond the limit are written there and forgotten. */
static uint32_t fresh_capacity(void)
{
	return depth_limit + 1;
}

static uint32_t slot_capacity(void)
{
	return 2 * kept_capacity();
}

static uint32_t fresh_slot_capacity(void)
{
	return 3 * depth_limit + SLOTS_A_STEP;
}

static struct slot *kept_slots(struct snap__unwind_thread *thread)
{
	return (struct slot *)(thread->kept + kept_capacity());
}

static struct frame *fresh_frames(struct snap__unwind_thread *thread)
{
	return (struct frame *)(kept_slots(thread) + slot_capacity());
}

static struct slot *fresh_slots(struct snap__unwind_thread *thread)
{
	return (struct slot *)(fresh_frames(thread) + fresh_capacity());
}

static struct segment *segments(struct snap__unwind_thread *thread)
{
	return (struct segment *)(fresh_slots(thread) + fresh_slot_capacity());
}

size_t snap__unwind_thread_size(void)
{
	return sizeof(struct snap__unwind_thread) +
	       (kept_capacity() + fresh_capacity()) * sizeof(struct frame) +
	       (slot_capacity() + fresh_slot_capacity()) * sizeof(struct slot) +
	       SEGMENTS * sizeof(struct segment);
}

void snap__unwind_init(unsigned limit)
{
	if (limit)
		depth_limit = limit < 2 ? 2 : limit > MOST_DEPTH ? MOST_DEPTH : limit;
	snap__modules_refresh();
}

/* The first frame (counted from outside) that is shown of a stack of `depth` frames. */
static uint64_t cut_of(uint64_t depth)
{
	uint64_t step = depth_limit / 2;

	/* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): no limit is below 2 */
	return depth <= depth_limit ? 0 : (depth - depth_limit + step - 1) / step * step;
}

/* Add the current state to the walk.  What the general step reads is not told apart: all counts. */
static void note_frame(struct walk *w, snap__rule rule)
{
	if (w->count < depth_limit)
		w->fresh[w->count] =
			(struct frame){.pc = w->pc | (rule & SNAP__RULE_TAG_MASK),
				       .sp = w->sp,
				       .fp = w->fp,
				       .needs_fp = snap__rule_kind(rule) != SNAP__RULE_OUTERMOST,
				       .slots = w->slot_count};
	w->count++;
}

static void note_slot(struct walk *w, const uintptr_t *address, uintptr_t value)
{
	if (w->count > depth_limit)
		return;
	if (w->slot_count < fresh_slot_capacity())
		w->slots[w->slot_count++] = (struct slot){address, value};
	else
		w->keepable = false;
}

/*
 * Compare the slots that lead outwards from kept[index], nearest first.
 * Returns how many of them, counted from outside, were not reached: 0 if all are unchanged.
 */
READS_STACKS static uint32_t verify(struct snap__unwind_thread *thread, uint32_t index)
{
	const struct slot *slots = kept_slots(thread);
	uint32_t left = thread->kept[index].slots;

	for (; left >= 4; left -= 4) {
		const struct slot *s = slots + left - 4;

		if ((*s[3].address ^ s[3].value) | (*s[2].address ^ s[2].value) |
		    (*s[1].address ^ s[1].value) | (*s[0].address ^ s[0].value))
			break;
	}
	while (left && *slots[left - 1].address == slots[left - 1].value)
		left--;
	return left;
}

/* The walk's state equals kept[index]: finish there, or learn how far it holds. */
static bool try_join(struct walk *w, uint32_t index)
{
	struct snap__unwind_thread *thread = w->thread;
	uint32_t changed = verify(thread, index);
	uint64_t depth = w->count + thread->base + index + 1;
	uint32_t first = 0;

	if (!changed && cut_of(depth) >= thread->base) {
		w->joined = true;
		w->candidates = index + 1;
		return true;
	}
	/* The changed word was read by the step from kept[first]: further out the walk may join.
	 */
	if (changed)
		for (first = index; first && thread->kept[first - 1].slots >= changed; first--)
			;
	w->candidates = first;
	return false;
}

static inline bool is_state(const struct frame *frame, uintptr_t pc, uintptr_t sp, uintptr_t fp)
{
	return frame->sp == sp && ((frame->pc ^ pc) & PC_MASK) == 0 &&
	       (frame->fp == fp || !frame->needs_fp);
}

/*
 * As many steps as compiled rules and the home stack allow.  Stops at a state that equals a
 * kept one, at the end (NO_CALLER), or at a step that takes more: returns that step's rule.
 *
 * The state is in local variables, because each step waits for the one before; and what differs
 * from frame to frame is computed without branches, because nobody could predict them.
 */
READS_STACKS static snap__rule walk_home(struct walk *w)
{
	const struct frame *kept = w->thread->kept;
	const uintptr_t home_high = snap__reach_has(&w->thread->reach, w->sp & ~(WORD - 1))
					    ? w->thread->reach.home_high
					    : 0;
	struct snap__rule_table *rules = snap__rules();
	uintptr_t pc = w->pc, sp = w->sp, fp = w->fp;
	uint64_t count = w->count;
	uint32_t candidates = w->candidates;
	struct frame *last_frame = w->fresh + depth_limit;
	struct frame *frame = count < depth_limit ? w->fresh + count : last_frame;
	struct slot *slot = w->slots + w->slot_count;
	const struct slot *last_slot = w->slots + fresh_slot_capacity() - SLOTS_A_STEP;
	snap__rule rule;

	for (;; count++) {
		uintptr_t cfa, fp_offset, low_slot, caller_fp;

		while (candidates && kept[candidates - 1].sp < sp)
			candidates--;
		rule = SNAP__RULE_NONE;
		if (pc == NO_CALLER || (candidates && is_state(&kept[candidates - 1], pc, sp, fp)))
			break;
		rule = snap__rule_in(rules, pc);
		if (snap__rule_kind(rule) > SNAP__RULE_FP)
			break;
		cfa = (snap__rule_kind(rule) == SNAP__RULE_SP ? sp : fp) +
		      snap__rule_cfa_offset(rule);
		fp_offset = snap__rule_fp_offset(rule);
		/* Both words lie in this frame, between sp and the CFA; sp is on the home stack. */
		low_slot = cfa - (fp_offset ? fp_offset : WORD);
		if (cfa <= sp || low_slot < sp || cfa > home_high || cfa % WORD || slot > last_slot)
			break;
		*frame = (struct frame){.pc = pc | (rule & SNAP__RULE_TAG_MASK),
					.sp = sp,
					.fp = fp,
					.needs_fp = snap__rule_kind(rule) == SNAP__RULE_FP,
					.saves_fp = fp_offset != 0,
					.slots = (uint32_t)(slot - w->slots)};
		slot[0].address = (const uintptr_t *)(cfa - WORD);
		slot[0].value = *slot[0].address;
		slot[1].address = (const uintptr_t *)low_slot;
		slot[1].value = caller_fp = *slot[1].address;
		pc = slot[0].value - 1;
		sp = cfa;
		fp = fp_offset ? caller_fp : fp;
		if (frame < last_frame) {
			frame++;
			slot += 1 + (fp_offset != 0);
		}
	}
	w->pc = pc;
	w->sp = sp;
	w->fp = fp;
	w->count = count;
	w->candidates = candidates;
	w->slot_count = (uint32_t)(slot - w->slots);
	return rule;
}

/* Read for cfi.h, and take note of what was read. */
static bool read_noted(void *context, uintptr_t address, uintptr_t *value)
{
	struct walk *w = context;

	if (!snap__reach_read(&w->thread->reach, address, value))
		return false;
	if (snap__reach_has(&w->thread->reach, address))
		note_slot(w, (const uintptr_t *)address, *value);
	else
		w->keepable = false;
	return true;
}

/* Code without rules: its frame pointer, as long as it looks like one. */
static enum snap__cfi_result step_by_fp(struct walk *w, struct snap__cfi_state *state)
{
	uintptr_t fp = w->fp, pc, caller_fp;

	if (fp == 0)
		return SNAP__CFI_OUTERMOST;
	if (fp < w->sp || fp - w->sp > MOST_FP_STEP || !read_noted(w, fp, &caller_fp) ||
	    !read_noted(w, fp + WORD, &pc))
		return SNAP__CFI_UNREADABLE;
	pc = snap__arch_code_address(pc);
	if (pc && (pc < LOWEST_CODE || snap__reach_has(&w->thread->reach, pc & ~(WORD - 1))))
		return SNAP__CFI_UNREADABLE;
	state->pc = pc;
	state->exact = false;
	state->reg[SNAP__REG_SP] = fp + 2 * WORD;
	state->reg[SNAP__REG_FP] = caller_fp;
	state->known = STATE_REGISTERS;
	return SNAP__CFI_STEPPED;
}

/* A compiled rule, for a stack that has to be probed. */
static enum snap__cfi_result step_by_rule(struct walk *w, struct snap__cfi_state *state,
					  snap__rule rule)
{
	uintptr_t cfa = (snap__rule_kind(rule) == SNAP__RULE_SP ? w->sp : w->fp) +
			snap__rule_cfa_offset(rule);
	uintptr_t fp_offset = snap__rule_fp_offset(rule);

	if (!read_noted(w, cfa - WORD, &state->pc) ||
	    (fp_offset && !read_noted(w, cfa - fp_offset, &state->reg[SNAP__REG_FP])))
		return SNAP__CFI_UNREADABLE;
	state->pc = snap__arch_code_address(state->pc);
	state->exact = false;
	state->reg[SNAP__REG_SP] = cfa;
	return SNAP__CFI_STEPPED;
}

/* The general step: by the row itself, or by the frame pointer. */
static enum snap__cfi_result step_general(struct walk *w, struct snap__cfi_state *state,
					  snap__rule rule)
{
	struct snap__cfi_row row;
	const struct snap__module *module;

	if (snap__rule_kind(rule) == SNAP__RULE_OUTERMOST)
		return SNAP__CFI_OUTERMOST;
	if (snap__rule_kind(rule) == SNAP__RULE_NO_INFO)
		return step_by_fp(w, state);
	if (snap__rule_kind(rule) != SNAP__RULE_EXOTIC && state->wanted == STATE_REGISTERS)
		return step_by_rule(w, state, rule);
	module = snap__modules_at(w->pc);
	if (!module || !snap__cfi_row_at(module, w->pc, &row))
		return SNAP__CFI_UNREADABLE;
	return snap__cfi_step(state, &row, read_noted, w);
}

/* Move the walk to `state`, the caller's. False where the stack pointer moved in an impossible way.
 */
static bool arrive(struct walk *w, const struct snap__cfi_state *state)
{
	uintptr_t sp = state->reg[SNAP__REG_SP];
	bool same_stack = snap__reach_has(&w->thread->reach, sp & ~(WORD - 1)) &&
			  snap__reach_has(&w->thread->reach, w->sp & ~(WORD - 1));

	if (sp <= w->sp && (same_stack || ++w->jumps > 16))
		return false;
	w->sp = sp;
	w->fp = state->reg[SNAP__REG_FP];
	w->pc = state->pc;
	return true;
}

/* Apply any rule to `state`; true if the walk goes on. */
static bool advance_state(struct walk *w, struct snap__cfi_state *state, snap__rule rule,
			  bool *needs_registers)
{
	enum snap__cfi_result result;

	note_frame(w, rule);
	result = step_general(w, state, rule);
	if (result == SNAP__CFI_STEPPED && (state->known & STATE_REGISTERS) != STATE_REGISTERS)
		result = SNAP__CFI_UNKNOWN_REG;
	if (result == SNAP__CFI_UNKNOWN_REG && needs_registers) {
		*needs_registers = true;
		return false;
	}
	if (result == SNAP__CFI_OUTERMOST || (result == SNAP__CFI_STEPPED && state->pc == 0))
		return false;
	w->truncated = result != SNAP__CFI_STEPPED || !arrive(w, state) || w->count >= MOST_FRAMES;
	if (!w->truncated)
		w->pc = snap__cfi_lookup_pc(state);
	return !w->truncated;
}

/* A step that the short way could not make; true if the walk goes on. */
static bool step_slowly(struct walk *w, snap__rule rule, bool *needs_registers)
{
	struct snap__cfi_state state = {.wanted = STATE_REGISTERS, .known = STATE_REGISTERS};

	/* Whether pc is exact no longer matters: the row for it is looked up by w->pc. */
	state.pc = w->pc;
	state.reg[SNAP__REG_SP] = w->sp;
	state.reg[SNAP__REG_FP] = w->fp;
	return advance_state(w, &state, rule, needs_registers);
}

/*
 * Rules that need more registers than a capture begins with: walk from this very function,
 * where all are known, through the recorder's own frames, with all of them.
 */
__attribute__((noinline)) static void walk_with_registers(struct walk *w,
							  const struct snap__regs *at)
{
	struct snap__cfi_state state = {.wanted = SNAP__ARCH_KEPT, .known = SNAP__ARCH_KEPT};
	struct walk own = {.thread = w->thread, .fresh = w->fresh, .slots = w->slots};
	bool reached = false, more = true;

	snap__arch_here(state.reg);
	state.pc = state.reg[SNAP__REG_RA];
	own.pc = snap__cfi_lookup_pc(&state);
	own.sp = state.reg[SNAP__REG_SP];
	own.fp = state.reg[SNAP__REG_FP];
	while (more) {
		if (!reached && own.sp == at->sp && state.pc == at->pc) {
			reached = true;
			own.count = 0;
			own.slot_count = 0;
		}
		state.reg[SNAP__REG_SP] = own.sp;
		more = advance_state(&own, &state, snap__rule_in(snap__rules(), own.pc), NULL);
	}
	if (!reached) {
		own.count = 0;
		own.truncated = true;
	}
	*w = own;
	w->keepable = false;
}

/* Walk until a step needs more than a compiled rule, and return its rule; SNAP__RULE_NONE if the
   walk ended before that, at a kept frame or without a caller. */
static snap__rule walk_quickly(struct walk *w)
{
	snap__rule rule;

	do
		rule = walk_home(w);
	while (rule == SNAP__RULE_NONE && w->pc != NO_CALLER && !try_join(w, w->candidates - 1));
	return rule;
}

/* Walk until the outermost frame, a kept one, or the end of what is known. */
static void walk(struct walk *w, const struct snap__regs *at)
{
	bool needs_registers = false;
	snap__rule rule;

	do
		rule = walk_quickly(w);
	while (rule != SNAP__RULE_NONE && step_slowly(w, rule, &needs_registers));
	if (needs_registers)
		walk_with_registers(w, at);
}

/* Give kept[first..count) their nodes, below `node`; returns the last one, 0 without room. */
static uint32_t link_kept(struct snap__unwind_thread *thread, uint32_t first, uint32_t count,
			  uint32_t node)
{
	for (uint32_t i = first; i < count; i++) {
		node = snap__stacks_child(node, thread->kept[i].pc);
		thread->kept[i].node = node & NODE_MASK;
		if (!node)
			break;
	}
	return node;
}

/* Forget the `count` outermost of the `kept` frames; at least one stays. */
static void drop_outermost(struct snap__unwind_thread *thread, uint32_t kept, uint32_t count)
{
	struct slot *slots = kept_slots(thread);
	uint32_t gone = thread->kept[count].slots; /* the new outermost one's own step included */
	uint32_t slot_count = thread->kept[kept - 1].slots;

	memmove(thread->kept, thread->kept + count, (kept - count) * sizeof(struct frame));
	memmove(slots, slots + gone, (slot_count - gone) * sizeof(struct slot));
	for (uint32_t i = 0; i < kept - count; i++)
		thread->kept[i].slots -= gone;
	thread->base += count;
}

/* Whether the walk's slots fit behind those of the first `kept` frames. */
static bool slots_fit(const struct walk *w, uint32_t kept)
{
	return w->slot_count <= slot_capacity() - (kept ? w->thread->kept[kept - 1].slots : 0);
}

/* Put a step's slots `from`..`end` (newest first) at `to` (outermost first); returns the end. */
static inline struct slot *put_slots(struct slot *to, const struct slot *from,
				     const struct slot *end)
{
	while (end-- > from)
		*to++ = *end;
	return to;
}

/* Keep the walk's `stored` newest frames after the first `kept` of the old ones, and give the
   `shown` newest their nodes below `node`.  Returns the last one, 0 without room in the tree. */
static uint32_t append(struct walk *w, uint32_t kept, uint32_t stored, uint32_t shown,
		       uint32_t node)
{
	struct snap__unwind_thread *thread = w->thread;
	struct slot *slots = kept_slots(thread);
	struct slot *to = slots + (kept ? thread->kept[kept - 1].slots : 0);
	uint32_t end = w->slot_count;
	/* What is beyond a gap may depend on anything. */
	bool needs_fp = kept ? thread->kept[kept - 1].needs_fp : stored < w->count;

	for (uint32_t i = stored; i-- > 0; kept++) {
		const struct frame *fresh = &w->fresh[i];
		struct frame *frame = &thread->kept[kept];
		bool drops_fp = fresh->saves_fp && !needs_fp;

		if (i < shown)
			node = snap__stacks_child(node, fresh->pc);
		if (i < shown && !node)
			return 0;
		to = put_slots(to, w->slots + fresh->slots, w->slots + end - drops_fp);
		end = fresh->slots;
		needs_fp = fresh->needs_fp || (needs_fp && !fresh->saves_fp);
		*frame = (struct frame){.pc = fresh->pc,
					.sp = fresh->sp,
					.fp = fresh->fp,
					.node = node & NODE_MASK,
					.needs_fp = needs_fp,
					.slots = (uint32_t)(to - slots)};
	}
	return node;
}

/* The node of a stack that is not kept. */
static uint32_t link_fresh(const struct walk *w, uint32_t shown, uint32_t node)
{
	for (uint32_t i = shown; i-- > 0;) {
		node = snap__stacks_child(node, w->fresh[i].pc);
		if (!node)
			break;
	}
	return node;
}

/* Make room for `stored` more kept frames by dropping those outside of `cut`. */
static void make_room(struct walk *w, uint32_t stored, uint64_t cut)
{
	struct snap__unwind_thread *thread = w->thread;
	uint32_t outside = (uint32_t)(cut - thread->base);

	if (w->candidates + stored <= kept_capacity())
		return;
	if (outside >= w->candidates) {
		w->joined = false; /* none of the old frames is shown any more */
		return;
	}
	drop_outermost(thread, w->candidates, outside);
	w->candidates -= outside;
}

static uint32_t root_of(const struct walk *w, uint64_t cut)
{
	if (cut)
		return snap__stacks_child(0, SNAP__PC_DEPTH);
	return w->truncated ? snap__stacks_child(0, SNAP__PC_TRUNCATED) : 0;
}

/* Set `*node` to that of the kept frames up to the joint; without a joint, or with all of them
   cut away, to what the fresh ones hang from.  False when there is no room in the tree. */
static bool link_joined(struct walk *w, uint64_t cut, uint32_t *node)
{
	struct snap__unwind_thread *thread = w->thread;
	bool any_shown = w->joined && thread->base + w->candidates > cut;

	if (any_shown && cut == thread->cut) {
		*node = thread->kept[w->candidates - 1].node;
		return true;
	}
	*node = root_of(w, cut);
	if ((cut || w->truncated) && !*node)
		return false;
	if (!any_shown)
		return true;
	*node = link_kept(thread, (uint32_t)(cut - thread->base), w->candidates, *node);
	return *node != 0;
}

/* Turn the finished walk into a stack id, and keep what can be kept. */
static uint32_t finish(struct walk *w)
{
	struct snap__unwind_thread *thread = w->thread;
	uint32_t stored = (uint32_t)(w->count < depth_limit ? w->count : depth_limit);
	uint64_t depth = w->count + (w->joined ? thread->base + w->candidates : 0);
	uint64_t cut = cut_of(depth);
	uint32_t shown = depth - cut < stored ? (uint32_t)(depth - cut) : stored;
	uint32_t kept_count = thread->kept_count;
	uint32_t node, joined;

	/* A handler may leave by longjmp in the middle of this: then nothing is kept. */
	thread->kept_count = 0;
	atomic_signal_fence(memory_order_seq_cst);
	if (stored < w->count)
		w->joined = false; /* there is a gap between the fresh frames and the kept */
	if (w->joined)
		make_room(w, stored, cut);
	if (!link_joined(w, cut, &node))
		return 0;
	joined = w->joined ? w->candidates : 0;
	if (w->joined) {
		kept_count = joined;
		thread->cut = cut;
	}
	if (w->keepable && !w->truncated && slots_fit(w, joined)) {
		if (!w->joined)
			thread->base = depth - stored;
		thread->cut = cut;
		kept_count = joined + stored;
		node = append(w, joined, stored, shown, node);
	} else {
		node = link_fresh(w, shown, node);
	}
	atomic_signal_fence(memory_order_seq_cst);
	thread->kept_count = node ? kept_count : 0;
	return node;
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

/* Remember in `segment` the way from `at`, which was kept last, to the kept frame `joint`. */
static void keep_segment(struct snap__unwind_thread *thread, const struct snap__regs *at,
			 struct segment *segment, uint32_t joint, uint32_t node)
{
	const struct frame *newest = &thread->kept[thread->kept_count - 1];
	uint32_t first_slot = thread->kept[joint].slots;

	if (newest->slots - first_slot > SEGMENT_SLOTS)
		return;

	/* A handler that leaves by longjmp in the middle leaves no half of it that counts. */
	segment->epoch = thread->epoch - 1;
	atomic_signal_fence(memory_order_seq_cst);
	segment->pc = at->pc - 1;
	segment->sp = at->sp;
	segment->fp = at->fp;
	segment->joint_pc = thread->kept[joint].pc;
	segment->joint_sp = thread->kept[joint].sp;
	segment->joint_fp = thread->kept[joint].fp;
	segment->joint = joint;
	segment->joint_node = thread->kept[joint].node;
	segment->node = node;
	segment->frames = thread->kept_count - 1 - joint;
	segment->needs_fp = newest->needs_fp;
	segment->joint_needs_fp = thread->kept[joint].needs_fp;
	segment->slot_count = (uint16_t)(newest->slots - first_slot);
	memcpy(segment->slots, kept_slots(thread) + first_slot,
	       segment->slot_count * sizeof(struct slot));
	atomic_signal_fence(memory_order_seq_cst);
	segment->epoch = thread->epoch;
}

/* How many of the segment's words are as they were, counted from the newest. */
READS_STACKS static inline uint32_t slots_unchanged(const struct segment *segment)
{
	uint32_t left = segment->slot_count;

	while (left && *segment->slots[left - 1].address == segment->slots[left - 1].value)
		left--;
	return segment->slot_count - left;
}

/* Whether the segment ends at a frame that is kept, and the rest of the stack is as it was. */
static inline bool joint_holds(struct snap__unwind_thread *thread, const struct segment *segment)
{
	const struct frame *joint = &thread->kept[segment->joint];

	return segment->joint < thread->kept_count && joint->node == segment->joint_node &&
	       joint->pc == segment->joint_pc && joint->sp == segment->joint_sp &&
	       joint->needs_fp == segment->joint_needs_fp &&
	       (!joint->needs_fp || joint->fp == segment->joint_fp) &&
	       verify(thread, segment->joint) == 0;
}

/*
 * Look for a segment that a walk from `at` would follow.  True: `*found` holds, down to the
 * outermost frame.  False: it is where the way should be remembered.
 */
READS_STACKS static inline bool recall(struct snap__unwind_thread *thread,
				       const struct snap__regs *at, struct segment **found)
{
	uint64_t key = (at->pc ^ at->sp << 8) * 0x9e3779b97f4a7c15u;

	for (unsigned probe = 0;; probe++) {
		struct segment *segment = segments(thread) + (key >> (64 - SEGMENT_BITS));
		uint32_t same;

		*found = segment;
		if (segment->pc != at->pc - 1 || segment->sp != at->sp ||
		    segment->epoch != thread->epoch || (segment->needs_fp && segment->fp != at->fp))
			return false;
		same = slots_unchanged(segment);
		if (same == segment->slot_count)
			return joint_holds(thread, segment);
		if (probe == MOST_PROBES)
			return false;
		key = (key ^ same ^ *segment->slots[segment->slot_count - same - 1].address) *
		      0x9e3779b97f4a7c15u;
	}
}

/* What a finished capture reports. */
static struct snap__capture capture_of(uint32_t stack, uint64_t depth, bool truncated)
{
	uint64_t cut = cut_of(depth);

	return (struct snap__capture){
		.stack = stack, .truncated = truncated || cut, .frames = (uint16_t)(depth - cut)};
}

/* The usual way: walk, find or make the node, keep the stack, and in `segment` (may be NULL) the
   way to where it joined. */
__attribute__((noinline)) static struct snap__capture
capture_by_walk(struct snap__unwind_thread *thread, const struct snap__regs *at,
		struct segment *segment)
{
	struct walk w = {.thread = thread,
			 .pc = at->pc - 1,
			 .sp = at->sp,
			 .fp = at->fp,
			 .candidates = thread->kept_count,
			 .fresh = fresh_frames(thread),
			 .slots = fresh_slots(thread),
			 .keepable = snap__reach_begin(&thread->reach, at->sp)};
	struct snap__capture capture;
	uint32_t joint;
	uint64_t depth;

	walk(&w, at);
	depth = w.count + (w.joined ? thread->base + w.candidates : 0);
	count_capture(thread, w.count, w.joined ? w.candidates : 0);
	joint = w.joined ? w.candidates - 1 : UINT32_MAX;
	capture = capture_of(finish(&w), depth, w.truncated);
	if (segment && joint < thread->kept_count && depth <= depth_limit && w.keepable &&
	    !w.truncated)
		keep_segment(thread, at, segment, joint, capture.stack);
	if (capture.truncated)
		atomic_fetch_add_explicit(&totals.truncated, 1, memory_order_relaxed);
	return capture;
}

/* Not the same place again: a way that is remembered, or a walk.  Apart from the function below, so
   that a loop which allocates does not pay for registers that only this one needs. */
__attribute__((noinline)) static struct snap__capture
capture_elsewhere(struct snap__unwind_thread *thread, const struct snap__regs *at)
{
	struct segment *segment;
	uint32_t frames;

	/* A stack whose outer part is cut away is left to the walk. */
	if (thread->base != 0 || thread->cut != 0)
		return capture_by_walk(thread, at, NULL);
	if (!recall(thread, at, &segment))
		return capture_by_walk(thread, at, segment);
	frames = segment->frames + segment->joint + 1;
	count_capture(thread, 0, frames);
	return (struct snap__capture){.stack = segment->node, .frames = (uint16_t)frames};
}

struct snap__capture snap__unwind_capture(struct snap__unwind_thread *thread,
					  const struct snap__regs *at)
{
	uint64_t generation = atomic_load_explicit(&code_generation, memory_order_acquire);
	uint32_t frames = thread->kept_count;

	if (thread->generation != generation) {
		thread->kept_count = frames = 0;
		thread->epoch++;
		thread->generation = generation;
	}
	if (frames && thread->base == 0 && thread->cut == 0 &&
	    is_state(&thread->kept[frames - 1], at->pc - 1, at->sp, at->fp) &&
	    verify(thread, frames - 1) == 0) {
		count_capture(thread, 0, frames);
		return (struct snap__capture){.stack = thread->kept[frames - 1].node,
					      .frames = (uint16_t)frames};
	}
	return capture_elsewhere(thread, at);
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
	thread->kept_count = 0;
	thread->epoch++;
}

void snap__unwind_after_fork(struct snap__unwind_thread *thread)
{
	thread->kept_count = 0;
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
