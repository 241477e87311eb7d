/*
 * walk.c - one capture: from registers to a node in the tree of call stacks.
 */
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "runtime/stacks.h"
#include "runtime/unwind/cfi.h"
#include "runtime/unwind/reach.h"
#include "runtime/unwind/rules.h"
#include "runtime/unwind/unwind.h"

struct snap__unwind_thread {
	struct snap__reach reach;
	uintptr_t pcs[];
};

static unsigned depth_limit = 1024;

void snap__unwind_init(unsigned limit)
{
	if (limit)
		depth_limit = limit;
	(void)snap__modules_refresh();
}

size_t snap__unwind_thread_size(void)
{
	return sizeof(struct snap__unwind_thread) + depth_limit * sizeof(uintptr_t);
}

static bool read_word(void *context, uintptr_t address, uintptr_t *value)
{
	return snap__reach_read(context, address, value);
}

static enum snap__cfi_result step(struct snap__reach *reach, struct snap__cfi_state *state,
				  snap__rule *rule)
{
	uintptr_t pc = snap__cfi_lookup_pc(state);
	struct snap__cfi_row row;

	*rule = snap__rule_for(pc);
	if (snap__rule_kind(*rule) == SNAP__RULE_OUTERMOST)
		return SNAP__CFI_OUTERMOST;
	if (snap__rule_kind(*rule) == SNAP__RULE_NO_INFO ||
	    !snap__cfi_row_at(snap__modules_at(pc), pc, &row))
		return SNAP__CFI_UNREADABLE;
	return snap__cfi_step(state, &row, read_word, reach);
}

struct snap__capture snap__unwind_capture(struct snap__unwind_thread *thread,
					  const struct snap__regs *at)
{
	struct snap__cfi_state state = {.pc = at->pc,
					.wanted = 1u << SNAP__REG_SP | 1u << SNAP__REG_FP,
					.known = 1u << SNAP__REG_SP | 1u << SNAP__REG_FP};
	struct snap__capture capture = {0};
	enum snap__cfi_result result = SNAP__CFI_STEPPED;
	unsigned n = 0;

	state.reg[SNAP__REG_SP] = at->sp;
	state.reg[SNAP__REG_FP] = at->fp;
	snap__reach_begin(&thread->reach, at->sp);
	while (result == SNAP__CFI_STEPPED && n < depth_limit && state.pc) {
		uintptr_t pc = snap__cfi_lookup_pc(&state);
		snap__rule rule;

		result = step(&thread->reach, &state, &rule);
		thread->pcs[n++] = pc | (rule & SNAP__RULE_TAG_MASK);
	}
	if (n == depth_limit && result == SNAP__CFI_STEPPED)
		capture.stack = snap__stacks_child(0, SNAP__PC_DEPTH);
	else if (result != SNAP__CFI_STEPPED && result != SNAP__CFI_OUTERMOST)
		capture.stack = snap__stacks_child(0, SNAP__PC_TRUNCATED);
	capture.truncated = capture.stack != 0;
	capture.frames = (uint16_t)n;
	while (n--)
		capture.stack = snap__stacks_child(capture.stack, thread->pcs[n]);
	return capture;
}

void snap__unwind_modules_changed(void)
{
	if (snap__modules_refresh())
		snap__rules_forget_retired();
}

void snap__unwind_after_fork(struct snap__unwind_thread *thread)
{
	(void)thread;
}

void snap__unwind_counts(struct snap__unwind_counts *out)
{
	*out = (struct snap__unwind_counts){.rules_compiled = snap__rules_compiled()};
}
