/*
 * unwind/rules.h - rules compiled to one word each, and the cache that all threads share.
 *
 * Nearly every row of .eh_frame says: the CFA is sp or fp plus a constant, the return address
 * is at CFA - 8, the caller's fp is unchanged or at CFA minus a constant.  Such rows fit
 * into a word; the others are marked as exotic and go through cfi.h each time.
 */
#ifndef SNAP_RUNTIME_UNWIND_RULES_H
#define SNAP_RUNTIME_UNWIND_RULES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/modules.h"

/*
 * bits 63-48  where the caller's fp was saved: words from the CFA, negative; -1, where the return
 *             address is: fp is unchanged
 * bits 47-32  tag of the module (modules.h)
 * bits 31-8   CFA offset, in words
 * bits 7-0    enum snap__rule_kind
 *
 * Each part takes few instructions to get.
 */
typedef uint64_t snap__rule;

enum snap__rule_kind {
	SNAP__RULE_NONE = 0, /* not in the cache */
	SNAP__RULE_SP,       /* CFA = sp + offset; fp is saved above sp */
	SNAP__RULE_FP,       /* CFA = fp + offset */
	SNAP__RULE_OUTERMOST,
	SNAP__RULE_EXOTIC,  /* ask cfi.h */
	SNAP__RULE_NO_INFO, /* the code has no call frame information */
};

#define SNAP__PC_TAG_MASK ((uintptr_t)0xffff << SNAP__PC_TAG_SHIFT)

#define SNAP__RULE_MOST_CFA_WORDS 0xffffff
#define SNAP__RULE_MOST_FP_WORDS  0x7fff
#define SNAP__RULE_TAG_SHIFT      32

static inline enum snap__rule_kind snap__rule_kind(snap__rule rule)
{
	return (enum snap__rule_kind)(rule & 0xff);
}

/** `pc` with the rule's tag: what the tree keeps. */
static inline uintptr_t snap__rule_tagged(snap__rule rule, uintptr_t pc)
{
	return pc | (rule << (SNAP__PC_TAG_SHIFT - SNAP__RULE_TAG_SHIFT) & SNAP__PC_TAG_MASK);
}

static inline uintptr_t snap__rule_cfa_words(snap__rule rule)
{
	return (uint32_t)rule >> 8;
}

/** The place of the caller's fp in words from the CFA; that of the return address if fp is
 * unchanged. */
static inline intptr_t snap__rule_fp_words(snap__rule rule)
{
	return (int64_t)rule >> 48;
}

static inline bool snap__rule_saves_fp(snap__rule rule)
{
	return snap__rule_fp_words(rule) < -1;
}

/** Whether the rule itself says where the caller is. */
static inline bool snap__rule_is_simple(snap__rule rule)
{
	return snap__rule_kind(rule) == SNAP__RULE_SP || snap__rule_kind(rule) == SNAP__RULE_FP;
}

struct snap__rule_entry {
	_Atomic uintptr_t pc;
	_Atomic snap__rule rule; /* SNAP__RULE_NONE: being filled in, or no longer valid */
};

/* Open addressing; entries are claimed once and keep their pc.  Growing publishes a copy. */
struct snap__rule_table {
	size_t mask;
	_Atomic size_t used;
	struct snap__rule_entry entries[];
};

extern _Atomic(struct snap__rule_table *) snap__rule_table;

/* Cheap, because the walk waits for it: calls in one function differ in their lower bits. */
static inline size_t snap__rule_hash(const struct snap__rule_table *table, uintptr_t pc)
{
	return (pc ^ pc >> 13) & table->mask;
}

/** Compile the rule for `pc` and remember it. */
snap__rule snap__rule_compile(uintptr_t pc);

/** The table as it is now; NULL before the first rule. */
static inline struct snap__rule_table *snap__rules(void)
{
	return atomic_load_explicit(&snap__rule_table, memory_order_acquire);
}

/** The rule for the instruction at `pc` (for a call: any byte of it), looked up in `table` first.
 *  Never SNAP__RULE_NONE. */
static inline snap__rule snap__rule_in(struct snap__rule_table *table, uintptr_t pc)
{
	if (table) {
		for (size_t i = snap__rule_hash(table, pc);; i = (i + 1) & table->mask) {
			struct snap__rule_entry *entry = &table->entries[i];
			uintptr_t key = atomic_load_explicit(&entry->pc, memory_order_relaxed);

			if (key == pc) {
				snap__rule rule =
					atomic_load_explicit(&entry->rule, memory_order_relaxed);

				if (rule != SNAP__RULE_NONE)
					return rule;
				break;
			}
			if (key == 0)
				break;
		}
	}
	return snap__rule_compile(pc);
}

/** Forget every rule whose code is no longer mapped. */
void snap__rules_forget_retired(void);

uint64_t snap__rules_compiled(void);

#endif
