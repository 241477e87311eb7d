/*
 * walk.c - from registers outwards, frame by frame.
 *
 * Ordinary frames on the thread's own stack are left by their compiled rules, a few instructions
 * each.  Expressions, signal frames, other stacks and code without rules take the general step, one
 * frame at a time.
 */
#include <stddef.h>

#include "runtime/stacks.h"
#include "runtime/unwind/cfi.h"
#include "runtime/unwind/reach.h"
#include "runtime/unwind/signal_frame.h"
#include "runtime/unwind/walk.h"

#define MOST_FRAMES     ((uint64_t)1 << 20)  /* most steps of one walk, so that a circle ends */
#define MOST_FP_STEP    ((uintptr_t)1 << 20) /* without a rule, larger is an error */
#define LOWEST_CODE     ((uintptr_t)1 << 16)
#define STATE_REGISTERS (1u << SNAP__REG_SP | 1u << SNAP__REG_FP)
#define WORD            sizeof(uintptr_t)
#define NO_CALLER       UINTPTR_MAX /* the pc inside a call that returns to 0 */

/* Where the next frame is noted; behind the others, if there is no room. */
static inline struct snap__fresh *place_of_next(const struct snap__walk *w)
{
	uint64_t room = w->thread->rooms.fresh;

	return &w->thread->fresh[w->count < room ? w->count : room];
}

static inline void note_unplain(struct snap__walk *w, const struct snap__fresh *fresh)
{
	if (!w->unplain)
		w->unplain = fresh;
}

/* Add the current state to the walk. */
static void note_frame(struct snap__walk *w, snap__rule rule)
{
	*place_of_next(w) = (struct snap__fresh){
		.slot = w->slot, .pc = w->pc, .sp = w->sp, .fp = w->fp, .rule = rule};
	note_unplain(w, place_of_next(w));
	w->count++;
}

/* The step from the newest frame noted read this word. */
static void note_word(struct snap__walk *w, const uintptr_t *address, uintptr_t value)
{
	if (w->count > w->thread->rooms.fresh)
		return;
	if (w->word_count == w->thread->rooms.read_words)
		w->keepable = false;
	else
		w->thread->read_words[w->word_count++] =
			(struct snap__read_word){{address, value}, w->count - 1};
}

/* The walk's state equals the kept frame w->candidates - 1: finish there if the cut allows. */
static bool try_join(struct snap__walk *w)
{
	uint64_t depth = w->count + w->thread->kept.base + w->candidates;

	w->joined = snap__cut_of(depth) >= w->thread->kept.base;
	if (!w->joined)
		w->candidates = 0;
	return w->joined;
}

/* The two places of the step for `pc`, in one cache line.  The lower bits alone would not suffice:
   many functions begin at multiples of 16, and make calls at the same distance from there. */
static inline struct snap__step *places_of_step(const struct snap__unwind_thread *thread,
						uintptr_t pc)
{
	uint64_t hash = pc * 0x9e3779b97f4a7c15u >> 32;

	return (struct snap__step *)(void *)((char *)thread->steps + (hash & thread->steps_mask));
}

/* Fill the step for `pc`, if its rule is a word, and return the rule.  A handler may leave by
 * longjmp in the middle: then the step has no rule. */
__attribute__((noinline)) static snap__rule fill_step(struct snap__unwind_thread *thread,
						      uintptr_t pc, struct snap__step **filled)
{
	struct snap__step *step = places_of_step(thread, pc);
	snap__rule rule = snap__rule_in(snap__rules(), pc);

	*filled = NULL;
	if (!snap__rule_is_simple(rule))
		return rule;
	thread->steps_filled++;
	if (step->rule != SNAP__RULE_NONE)
		step += step[1].rule == SNAP__RULE_NONE || thread->steps_filled & 1;
	step->rule = SNAP__RULE_NONE;
	atomic_signal_fence(memory_order_seq_cst);
	step->pc = pc;
	step->hash = snap__stacks_hash_of_frame(snap__rule_tagged(rule, pc));
	step->caller = &thread->start;
	atomic_signal_fence(memory_order_seq_cst);
	step->rule = rule;
	*filled = step;
	return rule;
}

static inline bool step_is_for(const struct snap__step *step, uintptr_t pc)
{
	return step->pc == pc && step->rule != SNAP__RULE_NONE;
}

/* The step for `pc`; without a rule that is a word, NULL.  `*rule` is the rule, of whatever
   kind. */
static inline struct snap__step *find_step(struct snap__unwind_thread *thread, uintptr_t pc,
					   snap__rule *rule)
{
	struct snap__step *step = places_of_step(thread, pc);

	if (!step_is_for(step, pc) && !step_is_for(++step, pc)) {
		*rule = fill_step(thread, pc, &step);
		return step;
	}
	*rule = step->rule;
	return step;
}

/* How far up a walk at `sp` may read the home stack; 0 if it is on another. */
static inline uintptr_t home_end(const struct snap__reach *reach, uintptr_t sp)
{
	return snap__reach_has(reach, sp & ~(WORD - 1)) ? reach->home_high : 0;
}

/*
 * The rule for `pc`, which `*step` led to, and the CFA that it gives.  False: there is no rule that is
 * a word, or what it would read is not on the home stack.  `*step` becomes the step for `pc`.
 */
SNAP__READS_STACKS __attribute__((always_inline)) static inline bool
find_cfa(struct snap__unwind_thread *thread, uintptr_t home_high, uintptr_t pc, uintptr_t sp,
	 uintptr_t fp, struct snap__step **step, snap__rule *rule, uintptr_t *cfa)
{
	struct snap__step *caller = (*step)->caller;

	*rule = caller->rule;
	if (__builtin_expect(caller->pc == pc && snap__rule_kind(*rule) == SNAP__RULE_SP, 1)) {
		*step = caller;
		*cfa = sp + snap__rule_cfa_words(*rule) * WORD;
		return *cfa <= home_high;
	}
	if (!step_is_for(caller, pc)) {
		caller = find_step(thread, pc, rule);
		if (!caller)
			return false;
		(*step)->caller = caller;
	}
	*step = caller;
	/* Both words must lie in this frame, between sp and the CFA; sp is on the home stack. */
	*cfa = snap__rule_cfa_words(*rule) * WORD;
	if (snap__rule_kind(*rule) == SNAP__RULE_SP) {
		*cfa += sp;
		return *cfa <= home_high;
	}
	*cfa += fp;
	return *cfa > sp && *cfa + (uintptr_t)snap__rule_fp_words(*rule) * WORD >= sp &&
	       *cfa <= home_high && *cfa % WORD == 0;
}

/* From a frame with this rule and CFA to its caller.  Both words are read, because a branch would be
 * mispredicted. */
SNAP__READS_STACKS __attribute__((always_inline)) static inline void
leave(snap__rule rule, uintptr_t cfa, uintptr_t *pc, uintptr_t *sp, uintptr_t *fp)
{
	const uintptr_t *end = (const uintptr_t *)cfa;
	intptr_t fp_words = snap__rule_fp_words(rule);
	uintptr_t low_word = end[fp_words];

	*fp = fp_words != -1 ? low_word : *fp;
	*pc = snap__arch_code_address(end[-1]) - 1;
	*sp = cfa;
}

/* Of the kept frames from `candidate` outwards, the first that a walk at `sp` may still meet. */
static inline const struct snap__frame *next_candidate(const struct snap__frame *candidate,
						       uintptr_t sp)
{
	while (candidate->sp < sp)
		candidate--;
	return candidate;
}

/* Note that walk_home() came from w's state to this one, by the frames from `first` to before
 * `fresh`, and by `forgotten` ones. */
static inline void note_home(struct snap__walk *w, struct snap__fresh *first,
			     const struct snap__fresh *fresh, uint64_t forgotten, uintptr_t sp)
{
	uint64_t count = (uint64_t)(fresh - first) + forgotten;

	if (count == 0)
		return;
	if (w->unplain)
		for (struct snap__fresh *each = first + 1; each < fresh; each++)
			each->slot = (const uintptr_t *)each->sp - 1;
	first->slot = w->slot;
	w->slot = (const uintptr_t *)sp - 1;
	w->count += count;
}

/*
 * Make as many steps as compiled rules and the home stack allow.  Stops at a kept state (returns
 * SNAP__RULE_NONE), or at a step that needs the general method (returns its rule).
 *
 * The state is in local variables, because each step waits for the one before.
 */
SNAP__READS_STACKS static snap__rule walk_home(struct snap__walk *w)
{
	struct snap__unwind_thread *const thread = w->thread;
	const uintptr_t home_high = home_end(&thread->reach, w->sp);
	struct snap__step *step = &thread->start;
	uintptr_t pc = w->pc, sp = w->sp, fp = w->fp;
	uint64_t forgotten = 0;
	const struct snap__frame *candidate = thread->kept.frames + w->candidates - 1;
	struct snap__fresh *const last = thread->fresh + thread->rooms.fresh;
	struct snap__fresh *const first = place_of_next(w), *fresh = first;
	snap__rule rule;

	for (;;) {
		uintptr_t cfa;

		if (candidate->sp <= sp) {
			candidate = next_candidate(candidate, sp);
			rule = SNAP__RULE_NONE;
			if (snap__frame_is(candidate, pc, sp, fp))
				break;
		}
		if (!find_cfa(thread, home_high, pc, sp, fp, &step, &rule, &cfa))
			break;
		if (snap__rule_kind(rule) != SNAP__RULE_SP)
			note_unplain(w, fresh);
		fresh->pc = pc;
		fresh->sp = sp;
		fresh->fp = fp;
		fresh->rule = rule;
		if (++fresh > last) {
			fresh = last;
			forgotten++;
		}
		leave(rule, cfa, &pc, &sp, &fp);
	}
	note_home(w, first, fresh, forgotten, sp);
	w->pc = pc;
	w->sp = sp;
	w->fp = fp;
	w->candidates = (uint32_t)(candidate + 1 - thread->kept.frames);
	return rule;
}

SNAP__READS_STACKS bool snap__walk_lightly(struct snap__walk *w)
{
	struct snap__unwind_thread *const thread = w->thread;
	const uintptr_t home_high = home_end(&thread->reach, w->sp);
	const struct snap__frame *candidate = thread->kept.frames + w->candidates - 1;
	struct snap__step *step = &thread->start;
	uintptr_t pc = w->pc, sp = w->sp, fp = w->fp;
	uint64_t hash = 0, power = 1, count = 0;

	for (;; count++) {
		uintptr_t cfa;
		snap__rule rule;

		if (candidate->sp <= sp) {
			candidate = next_candidate(candidate, sp);
			if (snap__frame_is(candidate, pc, sp, fp))
				break;
		}
		if (!find_cfa(thread, home_high, pc, sp, fp, &step, &rule, &cfa))
			return false;
		hash += power * step->hash;
		power *= SNAP__STACKS_HASH_FACTOR;
		leave(rule, cfa, &pc, &sp, &fp);
	}
	w->count = count;
	w->hash = hash;
	w->hash_power = power;
	w->candidates = (uint32_t)(candidate + 1 - thread->kept.frames);
	w->joined = true;
	return true;
}

/* Read a word for cfi.h, and note what was read. */
static bool read_noted(void *context, uintptr_t address, uintptr_t *value)
{
	struct snap__walk *w = context;

	if (!snap__reach_read(&w->thread->reach, address, value))
		return false;
	if (snap__reach_has(&w->thread->reach, address))
		note_word(w, (const uintptr_t *)address, *value);
	else
		w->keepable = false;
	return true;
}

/* May `pc` be a return address?  It was found by the frame pointer of code without rules.
 * Interpreters push addresses of their own generated code. */
static bool may_be_return(const struct snap__walk *w, uintptr_t pc)
{
	if (pc < LOWEST_CODE || snap__reach_has(&w->thread->reach, pc & ~(WORD - 1)))
		return false;
	if (!snap__modules_at(pc - 1) && !snap__modules_at(w->pc))
		return true;
	return snap__reach_is_readable(pc - WORD) && snap__arch_follows_call((const uint8_t *)pc);
}

static bool is_further_out(const struct snap__walk *w, uintptr_t fp)
{
	return fp >= w->sp && fp - w->sp <= MOST_FP_STEP;
}

static bool is_on_other_stack(const struct snap__walk *w, uintptr_t fp)
{
	return !snap__reach_has(&w->thread->reach, fp & ~(WORD - 1)) ||
	       !snap__reach_has(&w->thread->reach, w->sp & ~(WORD - 1));
}

/*
 * Code that switches stacks may leave the frame pointer of its caller, on the other stack: Go does so
 * where it calls C.  Any number may look like that, so both addresses must be of one module.
 */
static bool is_in_same_module(const struct snap__walk *w, uintptr_t pc)
{
	const struct snap__module *module = snap__modules_at(w->pc);

	return module && module == snap__modules_at(pc - 1);
}

/*
 * Code without rules: follow its frame pointer while it looks valid.  In a module that has rules
 * for other code, the register may hold any number: a 0 there does not mean "no caller", except in
 * the code that the kernel starts.
 */
static enum snap__cfi_result step_unplain(struct snap__walk *w, struct snap__cfi_state *state)
{
	const struct snap__module *module = snap__modules_at(w->pc);
	uintptr_t fp = w->fp, pc, caller_fp;

	if (fp == 0 && module && module->eh_frame_hdr && !snap__modules_is_entry(w->pc))
		return SNAP__CFI_UNREADABLE;
	if (fp == 0)
		return SNAP__CFI_OUTERMOST;
	if ((!is_further_out(w, fp) && !is_on_other_stack(w, fp)) ||
	    !read_noted(w, fp, &caller_fp) || !read_noted(w, fp + WORD, &pc))
		return SNAP__CFI_UNREADABLE;
	pc = snap__arch_code_address(pc);
	if (!is_further_out(w, fp) && !is_in_same_module(w, pc))
		return SNAP__CFI_UNREADABLE;
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
static enum snap__cfi_result step_by_rule(struct snap__walk *w, struct snap__cfi_state *state,
					  snap__rule rule)
{
	uintptr_t cfa = (snap__rule_kind(rule) == SNAP__RULE_SP ? w->sp : w->fp) +
			snap__rule_cfa_words(rule) * WORD;
	uintptr_t fp_place = cfa + (uintptr_t)snap__rule_fp_words(rule) * WORD;

	if (!read_noted(w, cfa - WORD, &state->pc) ||
	    (snap__rule_saves_fp(rule) && !read_noted(w, fp_place, &state->reg[SNAP__REG_FP])))
		return SNAP__CFI_UNREADABLE;
	state->pc = snap__arch_code_address(state->pc);
	state->exact = false;
	state->reg[SNAP__REG_SP] = cfa;
	return SNAP__CFI_STEPPED;
}

/* The general step: by the row itself, or by the frame pointer. */
static enum snap__cfi_result step_general(struct snap__walk *w, struct snap__cfi_state *state,
					  snap__rule rule)
{
	struct snap__cfi_row row;
	const struct snap__module *module;

	if (snap__rule_kind(rule) == SNAP__RULE_OUTERMOST)
		return SNAP__CFI_OUTERMOST;
	if (snap__rule_kind(rule) == SNAP__RULE_NO_INFO)
		return snap__signal_frame_step(w->pc + 1, w->sp, state, read_noted, w)
			       ? SNAP__CFI_STEPPED
			       : step_unplain(w, state);
	if (snap__rule_kind(rule) != SNAP__RULE_EXOTIC && state->wanted == STATE_REGISTERS)
		return step_by_rule(w, state, rule);
	module = snap__modules_at(w->pc);
	if (!module || !snap__cfi_row_at(module, w->pc, &row))
		return SNAP__CFI_UNREADABLE;
	return snap__cfi_step(state, &row, read_noted, w);
}

/* Find the word that the last step read `pc` from.  Without one, no frame so far can be kept. */
static void find_slot(struct snap__walk *w, const struct snap__cfi_state *state)
{
	const struct snap__read_word *words = w->thread->read_words;

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
static bool arrive(struct snap__walk *w, const struct snap__cfi_state *state)
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
static bool advance_state(struct snap__walk *w, struct snap__cfi_state *state, snap__rule rule,
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

/* A step that the fast path could not make; true if the walk goes on. */
static bool step_slowly(struct snap__walk *w, snap__rule rule, bool *needs_registers)
{
	struct snap__cfi_state state = {.wanted = STATE_REGISTERS, .known = STATE_REGISTERS};

	/* Whether pc is exact no longer matters: the row for it is looked up by w->pc. */
	state.pc = w->pc;
	state.reg[SNAP__REG_SP] = w->sp;
	state.reg[SNAP__REG_FP] = w->fp;
	return advance_state(w, &state, rule, needs_registers);
}

/*
 * Some rules need more registers than a capture begins with.  Then walk from this function, where
 * all registers are known, through the recorder's own frames.
 */
__attribute__((noinline)) static void walk_with_registers(struct snap__walk *w,
							  const struct snap__regs *at)
{
	struct snap__cfi_state state = {.wanted = SNAP__ARCH_KEPT, .known = SNAP__ARCH_KEPT};
	struct snap__walk own = {.thread = w->thread};
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
			own.unplain = NULL;
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

void snap__walk(struct snap__walk *w, const struct snap__regs *at)
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
