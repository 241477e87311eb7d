/*
 * preload/confine.c - calls by which a program gives up what we need later.
 *
 * A filter of system calls may kill the process for opening a file, and nothing tells that in
 * advance.  So the recorder is told before a filter comes: by prctl(), or by syscall(), which
 * libseccomp uses.  It is told before chroot() as well, for the names of files then mean others.
 * A filter that comes without libc is found out later (runtime/sandbox.h).
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "image/image.h"
#include "preload/entry.h"
#include "preload/real.h"
#include "preload/signals.h"
#include "runtime/filter.h"
#include "runtime/hidden.h"
#include "runtime/lifecycle.h"
#include "runtime/process.h"
#include "runtime/trigger.h"

#define PRELOAD "LD_PRELOAD="

/* libc starts programs as well, by system() and others, and nobody sees it. */
static void leave_environment(void)
{
	for (char **entry = environ; entry && *entry; entry++)
		if (strncmp(*entry, PRELOAD, sizeof(PRELOAD) - 1) == 0 &&
		    snap__process_is_of_kernel(*entry))
			(void)snap__image_strip_preload(*entry + sizeof(PRELOAD) - 1,
							*entry + sizeof(PRELOAD) - 1);
}

/* A handler of ours would make system calls that the filter may kill for. */
static void before_confinement(void)
{
	snap__process_confine(true);
	snap__signals_leave();
	if (snap__trigger_is_filtered() && snap__filter_ends_us())
		leave_environment();
}

/* Only who renounces new privileges, or is privileged, may install a filter.  An earlier filter might
 * kill us for asking. */
static bool may_filter(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {{0}};
	int saved = errno;
	bool may;

	if (snap__trigger_is_silent())
		return true;
	may = syscall(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ||
	      syscall(SYS_capget, &header, sets) != 0 ||
	      (sets[0].effective & 1u << CAP_SYS_ADMIN) != 0;
	errno = saved;
	return may;
}

/* After a filter, asking who we are may be deadly. */
static bool is_borrower(void)
{
	return !snap__trigger_is_silent() && snap__process_relation() == SNAP__BORROWED;
}

/* Programs ask for a filter in vain to find out whether the kernel has filters, or go on without. */
static void before_filter(const void *program)
{
	if (may_filter() && snap__filter_learn(program, is_borrower()))
		before_confinement();
}

ENTRY int prctl(int option, ...)
{
	unsigned long a[4];
	va_list rest;

	va_start(rest, option);
	for (int i = 0; i < 4; i++)
		a[i] = va_arg(rest, unsigned long);
	va_end(rest);
	if (option == PR_SET_SECCOMP && a[0] == SECCOMP_MODE_FILTER)
		before_filter((const void *)a[1]);
	else if (option == PR_SET_SECCOMP && a[0] == SECCOMP_MODE_STRICT)
		before_confinement();
	snap__real_find();
	if (snap__real.prctl)
		return snap__real.prctl(option, a[0], a[1], a[2], a[3]);
	errno = ENOSYS;
	return -1;
}

ENTRY int chroot(const char *path)
{
	snap__real_find();
	snap__process_confine(false);
	if (snap__real.chroot)
		return snap__real.chroot(path);
	errno = ENOSYS;
	return -1;
}

/* ---- syscall() ------------------------------------------------------------------------------- */

SNAP__HIDDEN void snap__before_syscall(long number, long first, long second, long third);
SNAP__HIDDEN long snap__failed_syscall(long negative);

/* Called before the few system calls that matter. */
void snap__before_syscall(long number, long first, long second, long third)
{
	if (number == SYS_seccomp && first == SECCOMP_SET_MODE_FILTER)
		before_filter((const void *)third);
	else if (number == SYS_seccomp && first == SECCOMP_SET_MODE_STRICT && !second && !third)
		before_confinement();
	else if (number == SYS_exit_group)
		snap__process_exit();
	else if (number == SYS_chroot)
		snap__process_confine(false);
}

/* Called with a negative errno value. */
long snap__failed_syscall(long negative)
{
	errno = (int)-negative;
	return -1;
}

/*
 * No frame of ours may stand between the caller and the kernel: a child of SYS_vfork, or of
 * SYS_clone with a stack of its own, returns from here, too.  So this is libc's own sequence, with
 * a look at the number before it.  The unwind rules are for those who walk stacks of threads that
 * wait in here: debuggers, profilers, and a copy that says who holds what.
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
#elif defined(__aarch64__)
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
#endif
