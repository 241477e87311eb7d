/*
 * step.c - applies a row of rules to registers, DWARF expressions included.
 */
#include <stddef.h>
#include <string.h>

#include "runtime/unwind/cfi.h"

/* DW_OP_*: those that the standard allows in call frame information. */
enum {
	OP_DEREF = 0x06,
	OP_CONST1U = 0x08,
	OP_CONST1S,
	OP_CONST2U,
	OP_CONST2S,
	OP_CONST4U,
	OP_CONST4S,
	OP_CONST8U,
	OP_CONST8S,
	OP_CONSTU,
	OP_CONSTS,
	OP_DUP,
	OP_DROP,
	OP_OVER,
	OP_PICK,
	OP_SWAP,
	OP_ROT,
	OP_ABS = 0x19,
	OP_AND,
	OP_DIV,
	OP_MINUS,
	OP_MOD,
	OP_MUL,
	OP_NEG,
	OP_NOT,
	OP_OR,
	OP_PLUS,
	OP_PLUS_UCONST,
	OP_SHL,
	OP_SHR,
	OP_SHRA,
	OP_XOR,
	OP_BRA,
	OP_EQ,
	OP_GE,
	OP_GT,
	OP_LE,
	OP_LT,
	OP_NE,
	OP_SKIP,
	OP_LIT0 = 0x30,
	OP_LIT31 = 0x4f,
	OP_BREG0 = 0x70,
	OP_BREG31 = 0x8f,
	OP_BREGX = 0x92,
	OP_NOP = 0x96,
};

enum { STACK_WORDS = 32, MOST_OPERATIONS = 1000 };

struct evaluation {
	const struct snap__cfi_state *state;
	snap__cfi_read_fn *read;
	void *context;
	uintptr_t stack[STACK_WORDS];
	unsigned depth;
	const uint8_t *at;
	const uint8_t *start;
	const uint8_t *end;
	enum snap__cfi_result result; /* STEPPED while all is well */
};

static void fail(struct evaluation *e, enum snap__cfi_result why)
{
	if (e->result == SNAP__CFI_STEPPED)
		e->result = why;
}

static void push(struct evaluation *e, uintptr_t value)
{
	if (e->depth == STACK_WORDS)
		fail(e, SNAP__CFI_UNREADABLE);
	else
		e->stack[e->depth++] = value;
}

static uintptr_t pop(struct evaluation *e)
{
	if (e->depth == 0) {
		fail(e, SNAP__CFI_UNREADABLE);
		return 0;
	}
	return e->stack[--e->depth];
}

/* The value `index` words below the top. */
static uintptr_t peek(struct evaluation *e, unsigned index)
{
	if (index >= e->depth) {
		fail(e, SNAP__CFI_UNREADABLE);
		return 0;
	}
	return e->stack[e->depth - 1 - index];
}

static uint64_t fetch(struct evaluation *e, size_t size)
{
	uint64_t value = 0;

	if ((size_t)(e->end - e->at) < size) {
		fail(e, SNAP__CFI_UNREADABLE);
		e->at = e->end;
		return 0;
	}
	memcpy(&value, e->at, size);
	e->at += size;
	return value;
}

static int64_t fetch_signed(struct evaluation *e, size_t size)
{
	unsigned unused_bits = 64 - 8 * (unsigned)size;

	return (int64_t)(fetch(e, size) << unused_bits) >> unused_bits;
}

static int64_t fetch_leb(struct evaluation *e, bool with_sign)
{
	uint64_t value = 0, byte;
	unsigned shift = 0;

	do {
		byte = fetch(e, 1);
		if (shift < 64)
			value |= (byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	if (with_sign && (byte & 0x40) && shift < 64)
		value |= ~(uint64_t)0 << shift;
	return (int64_t)value;
}

static uintptr_t register_value(struct evaluation *e, uint64_t reg)
{
#if SNAP__ARCH_RA_IS_PC
	if (reg == SNAP__REG_RA)
		return e->state->pc;
#endif
	if (reg >= SNAP__REG_COUNT || !(e->state->known >> reg & 1)) {
		fail(e, SNAP__CFI_UNKNOWN_REG);
		return 0;
	}
	return e->state->reg[reg];
}

static void jump(struct evaluation *e, int64_t distance)
{
	if (distance < e->start - e->at || distance > e->end - e->at)
		fail(e, SNAP__CFI_UNREADABLE);
	else
		e->at += distance;
}

/* Operations that push a constant. False: not one of them. */
static bool run_constant(struct evaluation *e, unsigned op)
{
	if (op >= OP_LIT0 && op <= OP_LIT31) {
		push(e, op - OP_LIT0);
		return true;
	}
	switch (op) {
	case OP_CONST1U:
		push(e, fetch(e, 1));
		return true;
	case OP_CONST1S:
		push(e, (uintptr_t)fetch_signed(e, 1));
		return true;
	case OP_CONST2U:
		push(e, fetch(e, 2));
		return true;
	case OP_CONST2S:
		push(e, (uintptr_t)fetch_signed(e, 2));
		return true;
	case OP_CONST4U:
		push(e, fetch(e, 4));
		return true;
	case OP_CONST4S:
		push(e, (uintptr_t)fetch_signed(e, 4));
		return true;
	case OP_CONST8U:
	case OP_CONST8S:
		push(e, fetch(e, 8));
		return true;
	case OP_CONSTU:
		push(e, (uintptr_t)fetch_leb(e, false));
		return true;
	case OP_CONSTS:
		push(e, (uintptr_t)fetch_leb(e, true));
		return true;
	default:
		return false;
	}
}

/* Operations on registers, memory, the stack's order and the flow.  False: not one of them. */
static bool run_movement(struct evaluation *e, unsigned op)
{
	uintptr_t a, b, c;
	int64_t distance;
	uint64_t reg;

	if (op >= OP_BREG0 && op <= OP_BREG31) {
		a = (uintptr_t)fetch_leb(e, true);
		push(e, register_value(e, op - OP_BREG0) + a);
		return true;
	}
	switch (op) {
	case OP_BREGX:
		reg = (uint64_t)fetch_leb(e, false);
		a = (uintptr_t)fetch_leb(e, true);
		push(e, register_value(e, reg) + a);
		break;
	case OP_DEREF:
		a = pop(e);
		if (e->result == SNAP__CFI_STEPPED && !e->read(e->context, a, &b))
			fail(e, SNAP__CFI_UNREADABLE);
		push(e, e->result == SNAP__CFI_STEPPED ? b : 0);
		break;
	case OP_DUP:
		push(e, peek(e, 0));
		break;
	case OP_DROP:
		(void)pop(e);
		break;
	case OP_OVER:
		push(e, peek(e, 1));
		break;
	case OP_PICK:
		push(e, peek(e, (unsigned)fetch(e, 1)));
		break;
	case OP_SWAP:
		a = pop(e);
		b = pop(e);
		push(e, a);
		push(e, b);
		break;
	case OP_ROT:
		a = pop(e);
		b = pop(e);
		c = pop(e);
		push(e, a);
		push(e, c);
		push(e, b);
		break;
	case OP_SKIP:
		jump(e, fetch_signed(e, 2));
		break;
	case OP_BRA:
		distance = fetch_signed(e, 2);
		if (pop(e) != 0)
			jump(e, distance);
		break;
	case OP_NOP:
		break;
	default:
		return false;
	}
	return true;
}

/* Operations that compute one value from the top one.  False: not one of them. */
static bool run_unary(struct evaluation *e, unsigned op)
{
	switch (op) {
	case OP_ABS:
		if ((intptr_t)peek(e, 0) >= 0)
			return true;
		push(e, 0 - pop(e));
		return true;
	case OP_NEG:
		push(e, 0 - pop(e));
		return true;
	case OP_NOT:
		push(e, ~pop(e));
		return true;
	case OP_PLUS_UCONST:
		push(e, pop(e) + (uintptr_t)fetch_leb(e, false));
		return true;
	default:
		return false;
	}
}

/* `left op right`. */
static uintptr_t binary(struct evaluation *e, unsigned op, uintptr_t left, uintptr_t right)
{
	intptr_t l = (intptr_t)left, r = (intptr_t)right;

	switch (op) {
	case OP_AND:
		return left & right;
	case OP_OR:
		return left | right;
	case OP_XOR:
		return left ^ right;
	case OP_PLUS:
		return left + right;
	case OP_MINUS:
		return left - right;
	case OP_MUL:
		return left * right;
	case OP_SHL:
		return right < 64 ? left << right : 0;
	case OP_SHR:
		return right < 64 ? left >> right : 0;
	case OP_SHRA:
		/* cppcheck-suppress shiftTooManyBitsSigned; GCC and clang shift the sign in */
		return (uintptr_t)(l >> (right < 64 ? right : 63));
	case OP_EQ:
		return l == r;
	case OP_NE:
		return l != r;
	case OP_GE:
		return l >= r;
	case OP_GT:
		return l > r;
	case OP_LE:
		return l <= r;
	case OP_LT:
		return l < r;
	default:
		fail(e, SNAP__CFI_UNREADABLE); /* division has no use here; other operations are
					       unknown */
		return 0;
	}
}

static void run_operation(struct evaluation *e)
{
	unsigned op = (unsigned)fetch(e, 1);
	uintptr_t left, right;

	if (run_constant(e, op) || run_movement(e, op) || run_unary(e, op))
		return;
	right = pop(e);
	left = pop(e);
	push(e, binary(e, op, left, right));
}

/* The value of the expression block at `block`; `initial`, if any, is on the stack at first. */
static enum snap__cfi_result evaluate(const struct snap__cfi_state *state, int64_t block,
				      const uintptr_t *initial, snap__cfi_read_fn *read,
				      void *context, uintptr_t *value)
{
	const uint8_t *at = (const uint8_t *)(uintptr_t)block;
	struct evaluation e = {.state = state, .read = read, .context = context};
	uint64_t size;

	/* The block was checked to lie within its record when the row was made: its length is
	 * valid. */
	e.at = at;
	e.end = at + 10;
	size = (uint64_t)fetch_leb(&e, false);
	e.start = e.at;
	e.end = e.at + size;
	if (initial)
		push(&e, *initial);
	for (unsigned n = 0; e.at < e.end && e.result == SNAP__CFI_STEPPED; n++) {
		if (n == MOST_OPERATIONS)
			fail(&e, SNAP__CFI_UNREADABLE);
		run_operation(&e);
	}
	*value = pop(&e);
	return e.result;
}

/* Register `reg` of the caller, given the frame's CFA. */
static enum snap__cfi_result recover(const struct snap__cfi_state *state,
				     const struct snap__cfi_row *row, unsigned reg, uintptr_t cfa,
				     snap__cfi_read_fn *read, void *context, uintptr_t *value)
{
	enum snap__cfi_result result = SNAP__CFI_STEPPED;
	int64_t rule = row->value[reg];
	uintptr_t address = cfa + (uintptr_t)rule;

	switch (row->how[reg]) {
	case SNAP__CFI_SAME:
		*value = state->reg[reg];
		return state->known >> reg & 1 ? SNAP__CFI_STEPPED : SNAP__CFI_UNKNOWN_REG;
	case SNAP__CFI_UNDEFINED:
		return SNAP__CFI_UNKNOWN_REG;
	case SNAP__CFI_REGISTER:
		if (rule < 0 || rule >= (int64_t)SNAP__REG_COUNT || !(state->known >> rule & 1))
			return SNAP__CFI_UNKNOWN_REG;
		*value = state->reg[rule];
		return SNAP__CFI_STEPPED;
	case SNAP__CFI_CFA_PLUS:
		*value = address;
		return SNAP__CFI_STEPPED;
	case SNAP__CFI_EXPR:
		return evaluate(state, rule, &cfa, read, context, value);
	case SNAP__CFI_AT_EXPR:
		result = evaluate(state, rule, &cfa, read, context, &address);
		break;
	default: /* SNAP__CFI_AT_CFA */
		break;
	}
	if (result == SNAP__CFI_STEPPED && !read(context, address, value))
		result = SNAP__CFI_UNREADABLE;
	return result;
}

static enum snap__cfi_result compute_cfa(const struct snap__cfi_state *state,
					 const struct snap__cfi_row *row, snap__cfi_read_fn *read,
					 void *context, uintptr_t *cfa)
{
	if (row->cfa_is_expr)
		return evaluate(state, row->cfa_value, NULL, read, context, cfa);
	if (!(state->known >> row->cfa_reg & 1))
		return SNAP__CFI_UNKNOWN_REG;
	*cfa = state->reg[row->cfa_reg] + (uintptr_t)row->cfa_value;
	return SNAP__CFI_STEPPED;
}

enum snap__cfi_result snap__cfi_step(struct snap__cfi_state *state, const struct snap__cfi_row *row,
				     snap__cfi_read_fn *read, void *context)
{
	struct snap__cfi_state caller = {.wanted = state->wanted, .exact = row->signal_frame};
	enum snap__cfi_result result;
	uintptr_t cfa;

	if (row->how[row->ra] == SNAP__CFI_UNDEFINED)
		return SNAP__CFI_OUTERMOST;
	result = compute_cfa(state, row, read, context, &cfa);
	if (result != SNAP__CFI_STEPPED)
		return result;
	result = recover(state, row, row->ra, cfa, read, context, &caller.pc);
	if (result != SNAP__CFI_STEPPED)
		return result;
	caller.pc = snap__arch_code_address(caller.pc);
	for (unsigned reg = 0; reg < SNAP__REG_COUNT; reg++) {
		if (!(state->wanted >> reg & 1))
			continue;
		if (reg == SNAP__REG_SP && row->how[reg] == SNAP__CFI_SAME) {
			caller.reg[reg] = cfa; /* that is what the CFA is */
		} else {
			result = recover(state, row, reg, cfa, read, context, &caller.reg[reg]);
			if (result == SNAP__CFI_UNREADABLE)
				return result;
			if (result != SNAP__CFI_STEPPED)
				continue; /* lost; that matters only if a caller's rules need it */
		}
		caller.known |= (uint32_t)1 << reg;
	}
	*state = caller;
	return SNAP__CFI_STEPPED;
}
