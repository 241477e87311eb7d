/*
 * preload/syscall_x86_64.c - libc's syscall(), which first compares the number of the call.
 *
 * confine.c has what happens before a call that matters.
 *
 * No frame of ours may lie between the caller and the kernel: a child of SYS_vfork, or of SYS_clone
 * with a stack of its own, also returns from here.  So this is libc's own sequence, with
 * a comparison of the number before it.  The unwind rules are for those who walk stacks of threads
 * that wait in here: debuggers, profilers, and the copy of the process that finds holders.
 */
#if defined(__x86_64__)

__asm__(".text\n"
	".globl syscall\n"
	".type syscall, @function\n"
	"syscall:\n"
	".cfi_startproc\n"
	"	cmp $231, %rdi\n" /* exit_group */
	"	je 1f\n"
	"	cmp $317, %rdi\n" /* seccomp */
	"	je 1f\n"
	"	cmp $161, %rdi\n" /* chroot */
	"	je 1f\n"
	"	cmp $446, %rdi\n" /* landlock_restrict_self */
	"	je 1f\n"
	"0:	mov %rdi, %rax\n"
	"	mov %rsi, %rdi\n"
	"	mov %rdx, %rsi\n"
	"	mov %rcx, %rdx\n"
	"	mov %r8, %r10\n"
	"	mov %r9, %r8\n"
	"	mov 8(%rsp), %r9\n"
	"	syscall\n"
	"	cmp $-4095, %rax\n"
	"	jae 2f\n"
	"	ret\n"
	"1:	push %rdi\n"
	".cfi_adjust_cfa_offset 8\n"
	"	push %rsi\n"
	".cfi_adjust_cfa_offset 8\n"
	"	push %rdx\n"
	".cfi_adjust_cfa_offset 8\n"
	"	push %rcx\n"
	".cfi_adjust_cfa_offset 8\n"
	"	push %r8\n"
	".cfi_adjust_cfa_offset 8\n"
	"	push %r9\n"
	".cfi_adjust_cfa_offset 8\n"
	"	sub $8, %rsp\n"
	".cfi_adjust_cfa_offset 8\n"
	"	call snap__before_syscall\n"
	"	add $8, %rsp\n"
	".cfi_adjust_cfa_offset -8\n"
	"	pop %r9\n"
	".cfi_adjust_cfa_offset -8\n"
	"	pop %r8\n"
	".cfi_adjust_cfa_offset -8\n"
	"	pop %rcx\n"
	".cfi_adjust_cfa_offset -8\n"
	"	pop %rdx\n"
	".cfi_adjust_cfa_offset -8\n"
	"	pop %rsi\n"
	".cfi_adjust_cfa_offset -8\n"
	"	pop %rdi\n"
	".cfi_adjust_cfa_offset -8\n"
	"	jmp 0b\n"
	"2:	mov %rax, %rdi\n"
	"	jmp snap__failed_syscall\n"
	".cfi_endproc\n"
	".size syscall, . - syscall\n");

#else
typedef int snap__syscall_is_elsewhere; /* ISO C wants a declaration */
#endif
