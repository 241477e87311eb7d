/*
 * unwind/cfi.h - call frame information: from a pc to the row of rules that holds there, and from a
 * row and registers to the registers of the caller.  (DWARF 5, section 6.4; LSB, .eh_frame.)
 *
 * This is the exact and general method; rules.h compiles the common rows to a faster form.
 */
#ifndef SNAP_RUNTIME_UNWIND_CFI_H
#define SNAP_RUNTIME_UNWIND_CFI_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/modules.h"
#include "arch/arch.h"

/** How a register of the caller is recovered. */
enum snap__cfi_how {
	SNAP__CFI_SAME = 0,  /* it was not changed; also what is assumed when nothing is said */
	SNAP__CFI_UNDEFINED, /* it is lost; for the return address: this is the outermost frame */
	SNAP__CFI_AT_CFA,    /* saved at CFA + value */
	SNAP__CFI_CFA_PLUS,  /* it is CFA + value */
	SNAP__CFI_REGISTER,  /* it is in register `value` */
	SNAP__CFI_AT_EXPR,   /* saved at the address that the expression at `value` computes */
	SNAP__CFI_EXPR,      /* it is the result of the expression at address `value` */
};

/** The rules that hold at one pc. */
struct snap__cfi_row {
	int64_t value[SNAP__REG_COUNT];
	uint8_t how[SNAP__REG_COUNT]; /* enum snap__cfi_how */
	uint8_t ra;                   /* the column of the return address */
	bool cfa_is_expr;
	bool signal_frame; /* the caller was interrupted: its pc is exact, not a return address */
	uint32_t cfa_reg;
	int64_t cfa_value; /* offset from cfa_reg, or address of the expression */
};

/** Registers at one point of a walk.  `known` has a bit for each register whose value is known. */
struct snap__cfi_state {
	uintptr_t reg[SNAP__REG_COUNT];
	uint32_t known;
	uint32_t wanted; /* registers worth recovering in callers */
	uintptr_t pc;
	bool exact; /* pc is that of an interrupted instruction, not a return address */
};

/** Read one word of stack memory; false when it must not be touched. */
typedef bool snap__cfi_read_fn(void *context, uintptr_t address, uintptr_t *value);

enum snap__cfi_result {
	SNAP__CFI_STEPPED,
	SNAP__CFI_OUTERMOST,   /* there is no caller */
	SNAP__CFI_UNKNOWN_REG, /* the rules need a register that `known` lacks */
	SNAP__CFI_UNREADABLE, /* the rules lead to memory that must not be read, or are malformed */
};

/** The address to look up: the pc itself, or for a return address a byte of the call before it. */
static inline uintptr_t snap__cfi_lookup_pc(const struct snap__cfi_state *state)
{
	return state->pc - (state->exact ? 0 : 1);
}

/** The row for `pc` from the module's .eh_frame; false when it has none or it is malformed. */
bool snap__cfi_row_at(const struct snap__module *module, uintptr_t pc, struct snap__cfi_row *row);

/** Whether a function that has call frame information starts at `pc`. */
bool snap__cfi_function_starts_at(const struct snap__module *module, uintptr_t pc);

/** Turn `state` into the caller's. On any result but STEPPED it is unchanged. */
enum snap__cfi_result snap__cfi_step(struct snap__cfi_state *state, const struct snap__cfi_row *row,
				     snap__cfi_read_fn *read, void *context);

#endif
