/*
 * arch_x86_64.c - the System V ABI on x86-64.
 */
#include "runtime/unwind/arch.h"

#if defined(__x86_64__)

/* In assembly, because a compiler may use any of these registers for itself.
   rbx, rbp and r12-r15 survive calls: DWARF numbers 3, 6 and 12-15; rsp is 7, the return
   address 16. */
__asm__(".pushsection .text\n"
	".globl snap__arch_here\n"
	".hidden snap__arch_here\n"
	".type snap__arch_here,@function\n"
	"snap__arch_here:\n"
	"	.cfi_startproc\n"
	"	endbr64\n"
	"	movq %rbx, 24(%rdi)\n"
	"	movq %rbp, 48(%rdi)\n"
	"	leaq 8(%rsp), %rax\n"
	"	movq %rax, 56(%rdi)\n"
	"	movq %r12, 96(%rdi)\n"
	"	movq %r13, 104(%rdi)\n"
	"	movq %r14, 112(%rdi)\n"
	"	movq %r15, 120(%rdi)\n"
	"	movq (%rsp), %rax\n"
	"	movq %rax, 128(%rdi)\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size snap__arch_here, .-snap__arch_here\n"
	".popsection\n");

/* call rel32 is E8 and four bytes; call r/m64 is FF with 2 in the middle field of the byte after.
 */
bool snap__arch_follows_call(const uint8_t *code)
{
	if (code[-5] == 0xe8)
		return true;
	for (int length = 2; length <= 7; length++)
		if (code[-length] == 0xff && (code[1 - length] >> 3 & 7) == 2)
			return true;
	return false;
}

#endif
