/*
 * walk.c - one capture: from registers to a node in the tree of call stacks.
 *
 * The previous stack of the thread is kept (kept.h), and short ways to it are remembered
 * (recall.h). A capture first checks from the outermost frame inwards how much of the kept stack is
 * as it was; then it is the same stack again, or a way that is known, or it walks by compiled rules
 * until it meets a frame of that part.  Then the frames that it walked take the place of those
 * inside the joint.
 *
 * The frame pointer is part of the state only where a frame further out needs it, before one that
 * restores it from the stack: in code that uses it as one more register it says nothing about
 * the stack, and a value that changes all the time would have every walk made anew.
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
#include "runtime/unwind/kept.h"
#include "runtime/unwind/reach.h"
#include "runtime/unwind/recall.h"
#include "runtime/unwind/rules.h"
#include "runtime/unwind/signal_frame.h"
#include "runtime/unwind/unwind.h"

#define DEFAULT_DEPTH   1024u
#define MOST_DEPTH      32768u
#define MOST_FRAMES     ((uint64_t)1 << 20)  /* of one walk: an end to any circle */
#define MOST_FP_STEP    ((uintptr_t)1 << 20) /* a larger frame is not believed without a rule */
#define LOWEST_CODE     ((uintptr_t)1 << 16)
#define WORDS_A_STEP    16u   /* that one exotic rule may read */
#define COUNTS_PERIOD   1024u /* captures between two updates of the shared counts */
#define STATE_REGISTERS (1u << SNAP__REG_SP | 1u << SNAP__REG_FP)
#define WORD            sizeof(uintptr_t)
#define PAGE_BYTES      ((uint64_t)4096)
#define NO_CALLER       UINTPTR_MAX /* the pc inside a call that returns to 0 */

/* A frame of the walk under way, and the rule by which it is left. */
struct fresh {
	struct snap__point at;
	snap__rule rule;
};

/* A word that a step by the general way read; `frame` is the fresh frame that the step left. */
struct read_word {
	struct snap__word word;
	uint64_t frame;
};

struct snap__unwind_thread {
	struct snap__reach reach;
	uint64_t generation; /* of the mapped code, when the stack was kept */
	struct snap__kept kept;
	struct snap__recall recall;
	struct fresh *fresh;
	struct read_word *read_words;
	uint32_t longest;  /* of the walks, in frames; no further than they can be kept */
	uint32_t deepest;  /* most frames that were kept */
	uint32_t captures; /* since the shared counts were updated; likewise the next two */
	uint64_t frames_walked;
	uint64_t frames_reused;
	/* The table of remembered ways, the kept frames and their words, the fresh frames, and the
	   words read. */
	_Alignas(64) char arrays[];
};

/* A walk under way. */
struct walk {
	struct snap__unwind_thread *thread;
	uintptr_t pc; /* of a byte inside the call, or of the interrupted instruction */
	uintptr_t sp;
	uintptr_t fp;
	const uintptr_t *slot; /* where pc was read */
	uint64_t count;        /* frames walked so far */
	uint64_t unkept;       /* the newest so many of them cannot be kept: they were interrupted,
				  or reached in some way that one word does not tell */
	uint32_t word_count;   /* read_words in use */
	uint32_t candidates; /* kept frames that may still be joined; if joined: that are part of it
			      */
	uint32_t jumps;      /* moves to another stack */
	bool joined;         /* at frames[candidates - 1] */
	bool keepable;       /* what was read is all on the home stack */
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

static uint32_t kept_word_capacity(void)
{
	return 2 * kept_capacity();
}

/* One more than a walk may keep: frames beyond the limit are written there and forgotten. */
static uint32_t fresh_capacity(void)
{
	return depth_limit + 1;
}

static uint32_t read_word_capacity(void)
{
	return 2 * depth_limit + WORDS_A_STEP;
}

size_t snap__unwind_thread_size(void)
{
	return sizeof(struct snap__unwind_thread) +
	       (1 + kept_capacity()) * sizeof(struct snap__frame) +
	       kept_word_capacity() * sizeof(struct snap__word) +
	       fresh_capacity() * sizeof(struct fresh) +
	       read_word_capacity() * sizeof(struct read_word) + snap__recall_table_size();
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
	return spare(kept_capacity(), deepest, sizeof(struct snap__frame)) +
	       spare(kept_word_capacity(), deepest, sizeof(struct snap__word)) +
	       spare(fresh_capacity(), longest, sizeof(struct fresh)) +
	       spare(read_word_capacity(), longest, sizeof(struct read_word)) +
	       spare(snap__recall_table_size(), snap__recall_table_used(&thread->recall), 1);
}

/* Find the arrays of a thread's that is still zeroed. */
static void lay_out(struct snap__unwind_thread *thread)
{
	thread->recall.segments = (struct snap__segment *)(void *)thread->arrays;
	thread->kept.frames =
		(struct snap__frame *)(void *)(thread->arrays + snap__recall_table_size()) + 1;
	thread->kept.frames[-1].at.sp = UINTPTR_MAX;
	thread->kept.words = (struct snap__word *)(thread->kept.frames + kept_capacity());
	thread->fresh = (struct fresh *)(thread->kept.words + kept_word_capacity());
	thread->read_words = (struct read_word *)(thread->fresh + fresh_capacity());
}

void snap__unwind_init(unsigned limit)
{
	if (limit)
		depth_limit = limit < 2 ? 2 : limit > MOST_DEPTH ? MOST_DEPTH : limit;
	snap__modules_refresh();
}

/* The first frame (counted from outside) that is shown of a stack of `depth` frames. */
static inline uint64_t cut_of(uint64_t depth)
{
	uint64_t step;

	if (depth <= depth_limit)
		return 0;
	step = depth_limit / 2;
	/* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): no limit is below 2 */
	return (depth - depth_limit + step - 1) / step * step;
}

uint32_t snap__kept_words_hold(const struct snap__kept *kept, uint32_t count)
{
	uint32_t words = snap__frame_words(&kept->frames[count - 1]);

	for (uint32_t i = 0; i < words; i++) {
		if (*kept->words[i].address == kept->words[i].value)
			continue;
		while (count && snap__frame_words(&kept->frames[count - 1]) > i)
			count--;
		break;
	}
	return count;
}

/* Add the current state to the walk. */
static void note_frame(struct walk *w, snap__rule rule)
{
	w->thread->fresh[w->count < depth_limit ? w->count : depth_limit] =
		(struct fresh){.at = {.slot = w->slot,
				      .pc = w->pc | (rule & SNAP__RULE_TAG_MASK),
				      .sp = w->sp,
				      .fp = w->fp},
			       .rule = rule};
	w->count++;
}

/* The step from the newest frame noted read this word. */
static void note_word(struct walk *w, const uintptr_t *address, uintptr_t value)
{
	if (w->count > depth_limit)
		return;
	if (w->word_count == read_word_capacity())
		w->keepable = false;
	else
		w->thread->read_words[w->word_count++] =
			(struct read_word){{address, value}, w->count - 1};
}

/* The walk's state equals the kept frame w->candidates - 1: finish there if the cut allows. */
static bool try_join(struct walk *w)
{
	uint64_t depth = w->count + w->thread->kept.base + w->candidates;

	w->joined = cut_of(depth) >= w->thread->kept.base;
	if (!w->joined)
		w->candidates = 0;
	return w->joined;
}

/*
 * As many steps as compiled rules and the home stack allow.  Stops at a kept state
 * (SNAP__RULE_NONE), or at a step that takes more: returns that step's rule.
 *
 * The state is in local variables, because each step waits for the one before.
 */
SNAP__READS_STACKS static snap__rule walk_home(struct walk *w)
{
	const uintptr_t home_high = snap__reach_has(&w->thread->reach, w->sp & ~(WORD - 1))
					    ? w->thread->reach.home_high
					    : 0;
	struct snap__rule_table *rules = snap__rules();
	uintptr_t pc = w->pc, sp = w->sp, fp = w->fp;
	const uintptr_t *slot = w->slot;
	uint64_t count = w->count;
	const struct snap__frame *candidate = w->thread->kept.frames + w->candidates - 1;
	struct fresh *const last = w->thread->fresh + depth_limit;
	struct fresh *fresh = count < depth_limit ? w->thread->fresh + count : last;
	snap__rule rule;

	for (;; count++) {
		uintptr_t cfa, fp_offset, low_word;

		while (candidate->at.sp < sp)
			candidate--;
		rule = SNAP__RULE_NONE;
		if (snap__frame_is(candidate, pc, sp, fp))
			break;
		rule = snap__rule_in(rules, pc);
		fp_offset = snap__rule_fp_offset(rule);
		/* Both words must lie in this frame, between sp and the CFA; sp is on the home
		 * stack. */
		if (snap__rule_kind(rule) == SNAP__RULE_SP) {
			cfa = sp + snap__rule_cfa_offset(rule);
			if (cfa > home_high)
				break;
		} else if (snap__rule_kind(rule) == SNAP__RULE_FP) {
			cfa = fp + snap__rule_cfa_offset(rule);
			if (cfa <= sp || cfa - fp_offset < sp || cfa > home_high || cfa % WORD)
				break;
		} else {
			break;
		}
		fresh->at.slot = slot;
		fresh->at.pc = pc | (rule & SNAP__RULE_TAG_MASK);
		fresh->at.sp = sp;
		fresh->at.fp = fp;
		fresh->rule = rule;
		if (++fresh > last)
			fresh = last;
		slot = (const uintptr_t *)(cfa - WORD);
		low_word = *(const uintptr_t *)(cfa - fp_offset);
		pc = snap__arch_code_address(*slot) - 1;
		fp = fp_offset != WORD ? low_word : fp;
		sp = cfa;
	}
	w->pc = pc;
	w->sp = sp;
	w->fp = fp;
	w->slot = slot;
	w->count = count;
	w->candidates = (uint32_t)(candidate + 1 - w->thread->kept.frames);
	return rule;
}

/* Read for cfi.h, and take note of what was read. */
static bool read_noted(void *context, uintptr_t address, uintptr_t *value)
{
	struct walk *w = context;

	if (!snap__reach_read(&w->thread->reach, address, value))
		return false;
	if (snap__reach_has(&w->thread->reach, address))
		note_word(w, (const uintptr_t *)address, *value);
	else
		w->keepable = false;
	return true;
}

/* Whether `pc`, found by the frame pointer of code that no rule describes, may be where a call
   returns to.  Interpreters push addresses in their own generated code as they like. */
static bool may_be_return(const struct walk *w, uintptr_t pc)
{
	if (pc < LOWEST_CODE || snap__reach_has(&w->thread->reach, pc & ~(WORD - 1)))
		return false;
	if (!snap__modules_at(pc - 1) && !snap__modules_at(w->pc))
		return true;
	return snap__reach_is_readable(pc - WORD) && snap__arch_follows_call((const uint8_t *)pc);
}

/*
 * Code without rules: its frame pointer, as long as it looks like one.  In a module that has rules
 * for other code it may be any number: there 0 does not say that nobody called.
 */
static enum snap__cfi_result step_by_fp(struct walk *w, struct snap__cfi_state *state)
{
	const struct snap__module *module = snap__modules_at(w->pc);
	uintptr_t fp = w->fp, pc, caller_fp;

	if (fp == 0)
		return module && module->eh_frame_hdr ? SNAP__CFI_UNREADABLE : SNAP__CFI_OUTERMOST;
	if (fp < w->sp || fp - w->sp > MOST_FP_STEP || !read_noted(w, fp, &caller_fp) ||
	    !read_noted(w, fp + WORD, &pc))
		return SNAP__CFI_UNREADABLE;
	pc = snap__arch_code_address(pc);
	if (pc && !may_be_return(w, pc))
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
	    (snap__rule_saves_fp(rule) &&
	     !read_noted(w, cfa - fp_offset, &state->reg[SNAP__REG_FP])))
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
		return snap__signal_frame_step(w->pc + 1, w->sp, state, read_noted, w)
			       ? SNAP__CFI_STEPPED
			       : step_by_fp(w, state);
	if (snap__rule_kind(rule) != SNAP__RULE_EXOTIC && state->wanted == STATE_REGISTERS)
		return step_by_rule(w, state, rule);
	module = snap__modules_at(w->pc);
	if (!module || !snap__cfi_row_at(module, w->pc, &row))
		return SNAP__CFI_UNREADABLE;
	return snap__cfi_step(state, &row, read_noted, w);
}

/* Find the word that the last step read `pc` from.  Without one, no frame so far can be kept. */
static void find_slot(struct walk *w, const struct snap__cfi_state *state)
{
	const struct read_word *words = w->thread->read_words;

	for (uint32_t i = w->word_count; i-- > 0 && words[i].frame == w->count - 1;) {
		if (state->exact || snap__arch_code_address(words[i].word.value) != state->pc)
			continue;
		w->slot = words[i].word.address;
		return;
	}
	w->unkept = w->count;
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
	find_slot(w, state);
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
	struct walk own = {.thread = w->thread};
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
			own.word_count = 0;
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

/* Walk until the outermost frame, a kept one, or the end of what is known. */
static void walk(struct walk *w, const struct snap__regs *at)
{
	bool needs_registers = false;
	snap__rule rule;

	for (;;) {
		rule = walk_home(w);
		if (rule == SNAP__RULE_NONE) {
			if (try_join(w))
				return;
			continue;
		}
		if (w->pc == NO_CALLER) {
			note_word(w, w->slot, 0);
			return;
		}
		if (!step_slowly(w, rule, &needs_registers))
			break;
	}
	if (needs_registers)
		walk_with_registers(w, at);
}

/* Give frames[first..count) their nodes, below `node`; returns the last one, 0 without room. */
static uint32_t link_kept(struct snap__kept *kept, uint32_t first, uint32_t count, uint32_t node)
{
	for (uint32_t i = first; i < count; i++) {
		node = snap__stacks_child(node, kept->frames[i].at.pc);
		kept->frames[i].node = node;
		if (!node)
			break;
	}
	return node;
}

/* Forget the `gone` outermost of the `count` frames; at least one stays. */
static void drop_outermost(struct snap__kept *kept, uint32_t count, uint32_t gone)
{
	/* With the new outermost one's own step: what is beyond it is no longer looked at. */
	uint32_t words_gone = snap__frame_words(&kept->frames[gone]);
	uint32_t words = snap__frame_words(&kept->frames[count - 1]);

	memmove(kept->frames, kept->frames + gone, (count - gone) * sizeof(kept->frames[0]));
	memmove(kept->words, kept->words + words_gone,
		(words - words_gone) * sizeof(kept->words[0]));
	for (uint32_t i = 0; i < count - gone; i++)
		kept->frames[i].reads -= 2 * words_gone;
	kept->base += gone;
}

/* The word that a step read the caller's fp from, which is `caller`'s. */
static struct snap__word fp_word(const struct snap__frame *caller, snap__rule rule)
{
	return (struct snap__word){(const uintptr_t *)(caller->at.sp - snap__rule_fp_offset(rule)),
				   caller->at.fp};
}

/* Keep the walk's fresh frames `newest`..`stored` after the first `count` of the old ones, and give
   those below `shown` their nodes below `node`.  Returns the last one, 0 without room in the tree.
 */
static uint32_t append(struct walk *w, uint32_t count, uint32_t newest, uint32_t stored,
		       uint32_t shown, uint32_t node)
{
	struct snap__kept *kept = &w->thread->kept;
	struct snap__frame *frame = kept->frames + count;
	const struct read_word *read = w->thread->read_words + w->word_count;
	/* What is beyond a gap may depend on anything. */
	uint32_t reads = count ? frame[-1].reads : stored < w->count;

	while (read > w->thread->read_words && read[-1].frame >= stored)
		read--;
	for (uint32_t i = stored; i-- > newest; frame++) {
		const struct fresh *fresh = &w->thread->fresh[i];

		if (i < shown && !(node = snap__stacks_child(node, fresh->at.pc)))
			return 0;
		if (snap__rule_kind(fresh->rule) != SNAP__RULE_SP || read > w->thread->read_words ||
		    (reads & 1)) {
			for (; read > w->thread->read_words && read[-1].frame == i; reads += 2)
				kept->words[reads >> 1] = (--read)->word;
			if ((reads & 1) && snap__rule_saves_fp(fresh->rule)) {
				if (frame > kept->frames) {
					kept->words[reads >> 1] = fp_word(frame - 1, fresh->rule);
					reads += 2;
				}
				reads &= ~1u;
			}
			if (snap__rule_kind(fresh->rule) != SNAP__RULE_SP &&
			    snap__rule_kind(fresh->rule) != SNAP__RULE_OUTERMOST)
				reads |= 1;
		}
		frame->at = fresh->at;
		frame->node = node;
		frame->reads = reads;
	}
	return node;
}

/* The node of fresh frames that are not kept: the `shown` newest. */
static uint32_t link_fresh(const struct walk *w, uint32_t shown, uint32_t node)
{
	for (uint32_t i = shown; i-- > 0;) {
		node = snap__stacks_child(node, w->thread->fresh[i].at.pc);
		if (!node)
			break;
	}
	return node;
}

/* Make room for `stored` more kept frames by dropping those outside of `cut`. */
static void make_room(struct walk *w, uint32_t stored, uint64_t cut)
{
	struct snap__kept *kept = &w->thread->kept;
	uint32_t outside = (uint32_t)(cut - kept->base);

	if (w->candidates + stored <= kept_capacity())
		return;
	if (outside >= w->candidates) {
		w->joined = false; /* none of the old frames is shown any more */
		return;
	}
	drop_outermost(kept, w->candidates, outside);
	w->candidates -= outside;
}

/* Whether the words of `stored` more frames fit behind those of the first `count` frames. */
static bool words_fit(const struct walk *w, uint32_t count, uint32_t stored)
{
	const struct snap__kept *kept = &w->thread->kept;

	return w->word_count + stored <=
	       kept_word_capacity() - (count ? snap__frame_words(&kept->frames[count - 1]) : 0);
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
	struct snap__kept *kept = &w->thread->kept;
	bool any_shown = w->joined && kept->base + w->candidates > cut;

	if (any_shown && cut == kept->cut) {
		*node = kept->frames[w->candidates - 1].node;
		return true;
	}
	*node = root_of(w, cut);
	if ((cut || w->truncated) && !*node)
		return false;
	if (!any_shown)
		return true;
	*node = link_kept(kept, (uint32_t)(cut - kept->base), w->candidates, *node);
	return *node != 0;
}

/* Turn the finished walk into a stack id, and keep what can be kept. */
static uint32_t finish(struct walk *w)
{
	struct snap__kept *kept = &w->thread->kept;
	uint32_t stored = (uint32_t)(w->count < depth_limit ? w->count : depth_limit);
	uint32_t newest = (uint32_t)(w->unkept < stored ? w->unkept : stored);
	uint64_t depth = w->count + (w->joined ? kept->base + w->candidates : 0);
	uint64_t cut = cut_of(depth);
	uint32_t shown = depth - cut < stored ? (uint32_t)(depth - cut) : stored;
	uint32_t count = kept->count;
	uint32_t node, joined;

	/* A handler may leave by longjmp in the middle of this: then nothing is kept. */
	kept->count = 0;
	atomic_signal_fence(memory_order_seq_cst);
	if (stored < w->count)
		w->joined = false; /* there is a gap between the fresh frames and the kept */
	if (w->joined)
		make_room(w, stored, cut);
	if (!link_joined(w, cut, &node))
		return 0;
	joined = w->joined ? w->candidates : 0;
	if (w->joined) {
		count = joined;
		kept->cut = cut;
	}
	if (w->keepable && !w->truncated && words_fit(w, joined, stored)) {
		if (!w->joined)
			kept->base = depth - stored;
		kept->cut = cut;
		count = joined + stored - newest;
		if (newest < stored && !(node = append(w, joined, newest, stored, shown, node)))
			return 0;
		shown = shown < newest ? shown : newest;
	}
	if (shown)
		node = link_fresh(w, shown, node);
	if (stored > w->thread->longest)
		w->thread->longest = stored;
	if (count > w->thread->deepest)
		w->thread->deepest = count;
	atomic_signal_fence(memory_order_seq_cst);
	kept->count = node ? count : 0;
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

/* What a finished capture reports. */
static inline struct snap__capture capture_of(uint32_t stack, uint64_t depth, bool truncated)
{
	uint64_t cut = cut_of(depth);

	return (struct snap__capture){
		.stack = stack, .truncated = truncated || cut, .frames = (uint16_t)(depth - cut)};
}

/* Walk, find or make the node, keep the stack, and in `place` (may be NULL) the way to where it
   joined one of the `joinable` kept frames. */
static struct snap__capture capture_by_walk(struct snap__unwind_thread *thread,
					    const struct snap__regs *at, uint32_t joinable,
					    struct snap__segment *place)
{
	struct walk w = {.thread = thread,
			 .pc = at->pc - 1,
			 .sp = at->sp,
			 .fp = at->fp,
			 .slot = (const uintptr_t *)at->sp,
			 .candidates = joinable,
			 .keepable = snap__reach_begin(&thread->reach, at->sp)};
	struct snap__capture capture;
	uint32_t joint;
	uint64_t depth;

	walk(&w, at);
	depth = w.count + (w.joined ? thread->kept.base + w.candidates : 0);
	count_capture(thread, w.count, w.joined ? w.candidates : 0);
	joint = w.joined ? w.candidates - 1 : UINT32_MAX;
	capture = capture_of(finish(&w), depth, w.truncated);
	if (place && joint < thread->kept.count && depth <= depth_limit && w.keepable &&
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
