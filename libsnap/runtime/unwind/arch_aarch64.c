/*
 * arch_aarch64.c - the procedure call standard on aarch64 (AAPCS64).
 *
 * On aarch64, rows keep the return address next to the frame pointer, not right below the CFA.  So
 * most of them go through cfi.h: exact, but not yet fast.
 *
 * A frame record {fp, return address} lies anywhere in its frame: how far below the CFA is up to
 * the compiler, and the same wherever the function calls another.  So the distance is looked up
 * in the call frame information once for each such call of ours.
 */
#include "runtime/unwind/arch.h"

#if defined(__aarch64__)

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "runtime/modules.h"
#include "runtime/unwind/cfi.h"

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

/* x19-x29 survive calls, x30 is the return address, sp is number 31. */
__asm__(".pushsection .text\n"
	".globl snap__arch_here\n"
	".hidden snap__arch_here\n"
	".type snap__arch_here,%function\n"
	"snap__arch_here:\n"
	"	.cfi_startproc\n"
	"	hint #34\n" /* bti c */
	"	stp x19, x20, [x0, #152]\n"
	"	stp x21, x22, [x0, #168]\n"
	"	stp x23, x24, [x0, #184]\n"
	"	stp x25, x26, [x0, #200]\n"
	"	stp x27, x28, [x0, #216]\n"
	"	stp x29, x30, [x0, #232]\n"
	"	mov x1, sp\n"
	"	str x1, [x0, #248]\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size snap__arch_here, .-snap__arch_here\n"
	".popsection\n");

/* BL is 100101 and an offset; BLR and its signed forms are 1101011 with opcode 0001. */
bool snap__arch_follows_call(const uint8_t *code)
{
	uint32_t instruction;

	memcpy(&instruction, code - sizeof(instruction), sizeof(instruction));
	return instruction >> 26 == 0x25 || (instruction & 0xfefff000u) == 0xd63f0000u;
}

#endif
