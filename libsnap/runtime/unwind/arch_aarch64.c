/*
 * arch_aarch64.c - the procedure call standard on aarch64 (AAPCS64).
 *
 * Rows there keep the return address next to the frame pointer, not right below the CFA, so that
 * all of them go through cfi.h: exact, but not yet fast.
 */
#include "runtime/unwind/arch.h"

#if defined(__aarch64__)

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

#endif
