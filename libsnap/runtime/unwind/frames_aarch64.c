/*
 * frames_aarch64.c - where frames lie on aarch64.
 *
 * On aarch64, rows keep the return address next to the frame pointer, not right below the CFA.  So
 * most of them take the general step of cfi.h, which is exact but not fast.
 *
 * A frame record {fp, return address} lies anywhere in its frame: how far below the CFA is up to
 * the compiler, and the same wherever the function calls another.  So the distance is looked up
 * in the call frame information once for each such call of ours.
 */
#include "arch/arch.h"

#if defined(__aarch64__)

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <ucontext.h>

#include "runtime/modules.h"
#include "runtime/unwind/cfi.h"
#include "runtime/unwind/signal_frame.h"

#define MOST_LINKS     16u /* calls of ours between an entry point and here */
#define DISTANCES      64u /* a power of two: more than we have calls that lead to a capture */
#define PC_BITS        48u
#define MOST_DISTANCE  0xffffu
#define DISTANCE_OF(v) ((uintptr_t)((v) >> PC_BITS))
#define PC_OF(v)       ((uintptr_t)((v) & (((uint64_t)1 << PC_BITS) - 1)))

/* From a frame record to the CFA, by the return address into its function: distance and address in
   one word, so that threads need no lock. */
static _Atomic uint64_t distances[DISTANCES];

/* The same from the row of rules; 0 if the row does not say. */
static uintptr_t find_distance(uintptr_t pc)
{
	const struct snap__module *module = snap__modules_at(pc - 1);
	struct snap__cfi_row row;

	if (!module || !snap__cfi_row_at(module, pc - 1, &row) || row.cfa_is_expr ||
	    row.cfa_reg != SNAP__REG_FP || row.cfa_value <= 0 || row.cfa_value > MOST_DISTANCE)
		return 0;
	return (uintptr_t)row.cfa_value;
}

static uintptr_t distance_at(uintptr_t pc)
{
	_Atomic uint64_t *slot = &distances[pc / 4 % DISTANCES];
	uint64_t known = atomic_load_explicit(slot, memory_order_relaxed);
	uintptr_t distance;

	if (PC_OF(known) == pc)
		return DISTANCE_OF(known);
	distance = find_distance(pc);
	if (distance && pc >> PC_BITS == 0)
		atomic_store_explicit(slot, (uint64_t)distance << PC_BITS | pc,
				      memory_order_relaxed);
	return distance;
}

/* All our code is compiled with frame records: the chain leads from here to `frame`. */
__attribute__((noinline)) uintptr_t snap__arch_cfa(const void *frame)
{
	const uintptr_t *record = __builtin_frame_address(0);

	for (unsigned n = 0; n < MOST_LINKS; n++) {
		uintptr_t distance;

		if (record[0] == (uintptr_t)frame) {
			distance = distance_at(snap__arch_code_address(record[1]));
			return distance ? (uintptr_t)frame + distance : 0;
		}
		record = (const uintptr_t *)record[0]; /* NOLINT(performance-no-int-to-ptr) */
	}
	return 0;
}

/* ---- the end of a signal handler ---- */

/* mov x8, #139 (rt_sigreturn); svc #0: what debuggers know it by, and so does not change. */
#define SIGRETURN 0xd4000001d2801168u
#define WORD      sizeof(uintptr_t)

/* What the kernel puts at the handler's stack pointer. */
struct signal_frame {
	siginfo_t info;
	ucontext_t context;
};

#define SAVED(field) (offsetof(struct signal_frame, context.uc_mcontext.field))

/* Instructions are aligned to 4 bytes, and reads to 8. */
static bool read_code(uintptr_t pc, uint64_t *code, snap__cfi_read_fn *read, void *context)
{
	uintptr_t low, high;

	if (pc % WORD == 0)
		return read(context, pc, code);
	if (!read(context, pc - 4, &low) || !read(context, pc + 4, &high))
		return false;
	*code = low >> 32 | high << 32;
	return true;
}

/* The kernel keeps that code where it is: once seen, it need not be read again. */
static bool is_sigreturn(uintptr_t pc, snap__cfi_read_fn *read, void *context)
{
	static _Atomic uintptr_t seen;
	uint64_t code;

	if (pc == atomic_load_explicit(&seen, memory_order_relaxed))
		return true;
	if (pc % 4 != 0 || !read_code(pc, &code, read, context) || code != SIGRETURN)
		return false;
	atomic_store_explicit(&seen, pc, memory_order_relaxed);
	return true;
}

bool snap__signal_frame_step(uintptr_t pc, uintptr_t sp, struct snap__cfi_state *state,
			     snap__cfi_read_fn *read, void *context)
{
	struct snap__cfi_state before = {.wanted = state->wanted, .exact = true};

	if (!is_sigreturn(pc, read, context) || !read(context, sp + SAVED(pc), &before.pc) ||
	    !read(context, sp + SAVED(sp), &before.reg[SNAP__REG_SP]))
		return false;
	for (unsigned reg = 0; reg < SNAP__REG_SP; reg++)
		if (!read(context, sp + SAVED(regs) + reg * WORD, &before.reg[reg]))
			return false;
	before.known = UINT32_MAX;
	*state = before;
	return true;
}

#endif
