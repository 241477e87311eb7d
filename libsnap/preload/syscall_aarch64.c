/*
 * preload/syscall_aarch64.c - libc's syscall(), which first compares the number of the call.
 *
 * confine.c has what happens before a call that matters.
 *
 * No frame of ours may lie between the caller and the kernel: a child of SYS_vfork, or of SYS_clone
 * with a stack of its own, also returns from here.  So this is libc's own sequence, with
 * a comparison of the number before it.  The unwind rules are for those who walk stacks of threads
 * that wait in here: debuggers, profilers, and the copy of the process that finds holders.
 */
#if defined(__aarch64__)

__asm__(".text\n"
	".globl syscall\n"
	".type syscall, %function\n"
	"syscall:\n"
	".cfi_startproc\n"
	"	cmp x0, #94\n" /* exit_group */
	"	b.eq 1f\n"
	"	cmp x0, #277\n" /* seccomp */
	"	b.eq 1f\n"
	"	cmp x0, #51\n" /* chroot */
	"	b.eq 1f\n"
	"	cmp x0, #446\n" /* landlock_restrict_self */
	"	b.eq 1f\n"
	"0:	mov x8, x0\n"
	"	mov x0, x1\n"
	"	mov x1, x2\n"
	"	mov x2, x3\n"
	"	mov x3, x4\n"
	"	mov x4, x5\n"
	"	mov x5, x6\n"
	"	mov x6, x7\n"
	"	svc #0\n"
	"	cmn x0, #4095\n"
	"	b.hs snap__failed_syscall\n"
	"	ret\n"
	"1:	stp x29, x30, [sp, #-80]!\n"
	".cfi_adjust_cfa_offset 80\n"
	".cfi_offset x29, -80\n"
	".cfi_offset x30, -72\n"
	"	stp x0, x1, [sp, #16]\n"
	"	stp x2, x3, [sp, #32]\n"
	"	stp x4, x5, [sp, #48]\n"
	"	stp x6, x7, [sp, #64]\n"
	"	bl snap__before_syscall\n"
	"	ldp x0, x1, [sp, #16]\n"
	"	ldp x2, x3, [sp, #32]\n"
	"	ldp x4, x5, [sp, #48]\n"
	"	ldp x6, x7, [sp, #64]\n"
	"	ldp x29, x30, [sp], #80\n"
	".cfi_restore x30\n"
	".cfi_restore x29\n"
	".cfi_adjust_cfa_offset -80\n"
	"	b 0b\n"
	".cfi_endproc\n"
	".size syscall, . - syscall\n");

#else
typedef int snap__syscall_is_elsewhere; /* ISO C wants a declaration */
#endif
