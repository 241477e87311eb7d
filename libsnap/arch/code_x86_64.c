/*
 * arch/code_x86_64.c - x86-64, with the System V ABI.
 */
#include "arch/arch.h"

#if defined(__x86_64__)

#include <asm/prctl.h>
#include <errno.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

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

void snap__arch_set_thread_pointer(void *pointer)
{
	syscall(SYS_arch_prctl, ARCH_SET_FS, pointer);
}

__asm__(".pushsection .text\n"
	".hidden snap__arch_clone\n"
	".globl snap__arch_clone\n"
	".type snap__arch_clone, @function\n"
	"snap__arch_clone:\n"
	"	mov 8(%rsp), %rax\n" /* argument */
	"	and $-16, %rsi\n"
	"	sub $16, %rsi\n"
	"	mov %r9, (%rsi)\n"
	"	mov %rax, 8(%rsi)\n"
	"	mov %rcx, %r10\n"
	"	mov $56, %eax\n"
	"	syscall\n"
	"	test %rax, %rax\n"
	"	jz 1f\n"
	"	ret\n"
	"1:	xor %ebp, %ebp\n"
	"	pop %rax\n"
	"	pop %rdi\n"
	"	call *%rax\n"
	"	ud2\n"
	".size snap__arch_clone, . - snap__arch_clone\n"
	".popsection\n");

/* rt_sigreturn.  Debuggers and unwinders recognise a signal frame by these bytes. */
__asm__(".pushsection .text\n"
	".balign 16\n"
	"	nop\n"
	".hidden snap__arch_end_handler\n"
	".globl snap__arch_end_handler\n"
	".type snap__arch_end_handler, @function\n"
	"snap__arch_end_handler:\n"
	"	mov $15, %rax\n"
	"	syscall\n"
	".size snap__arch_end_handler, . - snap__arch_end_handler\n"
	".popsection\n");

/* malloc() makes these calls itself. */
static bool is_of_memory(greg_t call)
{
	return call == SYS_brk || call == SYS_mmap || call == SYS_munmap || call == SYS_mremap ||
	       call == SYS_madvise || call == SYS_mprotect;
}

/*
 * After a system call, rcx holds the address of the next instruction.  A call that a signal ended
 * returns -EINTR.  A call that will be restarted has its number in rax, and rip points before it.
 * kill() and tgkill() of the process itself return 0; malloc() makes no other call whose first
 * argument is the pid.
 */
bool snap__arch_came_in_a_call(const void *context, int pid)
{
	const greg_t *r = ((const ucontext_t *)context)->uc_mcontext.gregs;

	if (r[REG_RCX] == r[REG_RIP] + 2)
		return !is_of_memory(r[REG_RAX]);
	return r[REG_RCX] == r[REG_RIP] &&
	       (r[REG_RAX] == -EINTR || (r[REG_RAX] == 0 && r[REG_RDI] == pid));
}

#endif
