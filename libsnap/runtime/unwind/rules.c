/*
 * rules.c - compiles rows to words, and keeps them.
 *
 * A rule is a pure function of its pc and of the module mapped there, so that threads that race to
 * compile one write the same word.  A full table is replaced by a copy twice its size.  The old
 * table stays mapped, because a thread may be reading it, but its memory is released: such a thread
 * finds nothing there, and compiles the rule again.
 */
#include <stdbool.h>

#include "runtime/arena.h"
#include "runtime/unwind/cfi.h"
#include "runtime/unwind/rules.h"

#define FIRST_COUNT ((size_t)1 << 13) /* powers of two */
#define MOST_COUNT  ((size_t)1 << 21) /* 32 MB: more pcs than any program calls malloc through */
#define WORD        ((int64_t)sizeof(uintptr_t))

/* The part of a table that is given back begins at a multiple of this. */
#define LARGEST_PAGE ((size_t)1 << 16)

_Atomic(struct snap__rule_table *) snap__rule_table;
static atomic_uint_fast64_t compiled;

static struct snap__rule_table *table_create(size_t count)
{
	struct snap__rule_table *table =
		snap__map(sizeof(*table) + count * sizeof(table->entries[0]));

	if (table)
		table->mask = count - 1;
	return table;
}

static size_t table_size(const struct snap__rule_table *table)
{
	return sizeof(*table) + (table->mask + 1) * sizeof(table->entries[0]);
}

/* A table is never more than half full.  If there is no room, the rule is not remembered. */
static void table_put(struct snap__rule_table *table, uintptr_t pc, snap__rule rule)
{
	for (size_t i = snap__rule_hash(table, pc);; i = (i + 1) & table->mask) {
		struct snap__rule_entry *entry = &table->entries[i];
		uintptr_t key = atomic_load_explicit(&entry->pc, memory_order_relaxed);

		if (key == 0) {
			if (atomic_load_explicit(&table->used, memory_order_relaxed) >
			    table->mask / 2)
				return;
			if (atomic_compare_exchange_strong(&entry->pc, &key, pc)) {
				atomic_fetch_add_explicit(&table->used, 1, memory_order_relaxed);
				key = pc;
			}
		}
		if (key == pc) {
			atomic_store_explicit(&entry->rule, rule, memory_order_relaxed);
			return;
		}
	}
}

/* All but the first page: threads that still read the old table need the mask in it. */
static void discard_entries(struct snap__rule_table *table)
{
	size_t head = LARGEST_PAGE - (uintptr_t)table % LARGEST_PAGE;

	snap__discard((char *)table + head, table_size(table) - head);
}

/* Copy `full` (NULL at first) into a larger table.  Rules that other threads add meanwhile are
   compiled again later. */
static struct snap__rule_table *table_grow(struct snap__rule_table *full)
{
	size_t count = full ? 2 * (full->mask + 1) : FIRST_COUNT;
	struct snap__rule_table *fresh, *old = full;

	if (count > MOST_COUNT)
		return full;
	fresh = table_create(count);
	if (!fresh)
		return full;
	for (size_t i = 0; full && i <= full->mask; i++) {
		uintptr_t pc = atomic_load_explicit(&full->entries[i].pc, memory_order_relaxed);
		snap__rule rule =
			atomic_load_explicit(&full->entries[i].rule, memory_order_relaxed);

		if (pc && rule != SNAP__RULE_NONE)
			table_put(fresh, pc, rule);
	}
	if (atomic_compare_exchange_strong(&snap__rule_table, &full, fresh)) {
		if (old)
			discard_entries(old);
		return fresh;
	}
	snap__unmap(fresh, table_size(fresh));
	return full; /* now the table that another thread put there */
}

static void remember(uintptr_t pc, snap__rule rule)
{
	struct snap__rule_table *table = snap__rules();

	if (!table || atomic_load_explicit(&table->used, memory_order_relaxed) >= table->mask / 2)
		table = table_grow(table);
	if (table)
		table_put(table, pc, rule);
}

/* How far below the CFA the fp slot is in words, 1 without one, or -1 if a word cannot say it. */
static int64_t fp_words(const struct snap__cfi_row *row)
{
	int64_t offset = row->value[SNAP__REG_FP];

	if (row->how[SNAP__REG_FP] == SNAP__CFI_SAME)
		return 1;
	if (row->how[SNAP__REG_FP] != SNAP__CFI_AT_CFA || offset >= -WORD || offset % WORD ||
	    -offset / WORD > SNAP__RULE_MOST_FP_WORDS)
		return -1;
	return -offset / WORD;
}

static snap__rule rule_of_row(const struct snap__cfi_row *row)
{
	int64_t fp = fp_words(row);

	if (row->how[row->ra] == SNAP__CFI_UNDEFINED)
		return SNAP__RULE_OUTERMOST;
	if (row->cfa_is_expr || row->signal_frame || fp < 0 ||
	    (row->cfa_reg != SNAP__REG_SP && row->cfa_reg != SNAP__REG_FP) ||
	    row->how[SNAP__REG_SP] != SNAP__CFI_SAME || row->how[row->ra] != SNAP__CFI_AT_CFA ||
	    row->value[row->ra] != -WORD || row->cfa_value <= 0 || row->cfa_value % WORD ||
	    row->cfa_value / WORD > SNAP__RULE_MOST_CFA_WORDS ||
	    (row->cfa_reg == SNAP__REG_SP && fp > row->cfa_value / WORD))
		return SNAP__RULE_EXOTIC;
	return (snap__rule)-fp << 48 | (snap__rule)(row->cfa_value / WORD) << 8 |
	       (row->cfa_reg == SNAP__REG_SP ? SNAP__RULE_SP : SNAP__RULE_FP);
}

snap__rule snap__rule_compile(uintptr_t pc)
{
	const struct snap__module *module = snap__modules_at(pc);
	struct snap__cfi_row row;
	snap__rule rule;

	/* Generated code changes without notice: no rule for it is kept. */
	if (!module)
		return (snap__rule)SNAP__PC_TAG_NONE << SNAP__RULE_TAG_SHIFT | SNAP__RULE_NO_INFO;
	if (snap__cfi_row_at(module, pc, &row))
		rule = rule_of_row(&row);
	else if (snap__cfi_function_starts_at(module, pc + 1))
		rule = SNAP__RULE_OUTERMOST; /* a return address put there by hand, as makecontext()
						does */
	else
		rule = SNAP__RULE_NO_INFO;
	rule |= (snap__rule)module->tag << SNAP__RULE_TAG_SHIFT;
	atomic_fetch_add_explicit(&compiled, 1, memory_order_relaxed);
	remember(pc, rule);
	return rule;
}

void snap__rules_forget_retired(void)
{
	struct snap__rule_table *table = snap__rules();

	for (size_t i = 0; table && i <= table->mask; i++) {
		struct snap__rule_entry *entry = &table->entries[i];
		uintptr_t pc = atomic_load_explicit(&entry->pc, memory_order_relaxed);

		if (pc && snap__modules_retired(pc))
			atomic_store_explicit(&entry->rule, SNAP__RULE_NONE, memory_order_relaxed);
	}
}

uint64_t snap__rules_compiled(void)
{
	return atomic_load_explicit(&compiled, memory_order_relaxed);
}
