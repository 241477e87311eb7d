/*
 * arch/code_aarch64.c - aarch64, with its procedure call standard (AAPCS64).
 */
#include "arch/arch.h"

#if defined(__aarch64__)

#include <string.h>

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

void snap__arch_set_thread_pointer(void *pointer)
{
	__asm__ volatile("msr tpidr_el0, %0" : : "r"(pointer) : "memory");
}

__asm__(".pushsection .text\n"
	".hidden snap__arch_clone\n"
	".globl snap__arch_clone\n"
	".type snap__arch_clone, %function\n"
	"snap__arch_clone:\n"
	"	and x1, x1, #-16\n"
	"	stp x5, x6, [x1, #-16]!\n"
	"	mov x7, x3\n" /* the kernel wants the thread pointer before the child's id */
	"	mov x3, x4\n"
	"	mov x4, x7\n"
	"	mov x8, #220\n"
	"	svc #0\n"
	"	cbz x0, 1f\n"
	"	ret\n"
	"1:	mov x29, #0\n"
	"	mov x30, #0\n"
	"	ldp x1, x0, [sp], #16\n"
	"	blr x1\n"
	"	brk #0\n"
	".size snap__arch_clone, . - snap__arch_clone\n"
	".popsection\n");

/* Unknown here: nothing that the kernel saves proves it. */
bool snap__arch_came_in_a_call(const void *context, int pid)
{
	(void)context;
	(void)pid;
	return false;
}

#endif
