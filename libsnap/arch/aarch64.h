/*
 * arch/aarch64.h - aarch64, with its procedure call standard (AAPCS64).  See arch/arch.h.
 */
#ifndef SNAP_ARCH_AARCH64_H
#define SNAP_ARCH_AARCH64_H

#include <stdint.h>

/* The processor's name in snapshots, in ELF files, and for filters of system calls. */
#define SNAP__ARCH_NAME        "aarch64"
#define SNAP__ARCH_ELF_MACHINE EM_AARCH64
#define SNAP__ARCH_AUDIT       AUDIT_ARCH_AARCH64
/* The loader that nearly all programs name. */
#define SNAP__ARCH_LOADER "/lib/ld-linux-aarch64.so.1"

/* Relocations by which a module refers to a function: for calls, for its address, in data. */
#define SNAP__ARCH_RELOCATION_CALL  R_AARCH64_JUMP_SLOT
#define SNAP__ARCH_RELOCATION_GOT   R_AARCH64_GLOB_DAT
#define SNAP__ARCH_RELOCATION_PLAIN R_AARCH64_ABS64

/* The clock in the object that the kernel maps into each process. */
#define SNAP__ARCH_VDSO_CLOCK "__kernel_clock_gettime"

/* ---- registers ---- */

/* DWARF numbers: 0-30 are x0 to x30, 31 is the stack pointer. */
#define SNAP__REG_FP    29u
#define SNAP__REG_RA    30u
#define SNAP__REG_SP    31u
#define SNAP__REG_COUNT 32u
/* The return address is in a register, x30. */
#define SNAP__ARCH_RA_IS_PC 0

/* A bit for each register that snap__arch_here() stores: x19-x30, sp. */
#define SNAP__ARCH_KEPT 0xfff80000u

/* ptrace's general registers (struct user_regs_struct, in words): x0 to x30, sp, pc, pstate. */
#define SNAP__ARCH_PTRACE_ORDER                                                                    \
	{                                                                                          \
		0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,  \
			23, 24, 25, 26, 27, 28, 29, 30, 31                                         \
	}
#define SNAP__ARCH_PTRACE_SP    31
#define SNAP__ARCH_PTRACE_PC    32
#define SNAP__ARCH_PTRACE_WORDS 34
/* The thread pointer is in a set of its own, NT_ARM_TLS. */
#define SNAP__ARCH_PTRACE_THREAD_POINTER_SET 0x401
/* The set with vector registers. */
#define SNAP__ARCH_PTRACE_EXTENDED NT_PRFPREG

/** The address in a code pointer: return addresses carry a signature where the processor signs
 * them. */
static inline uintptr_t snap__arch_code_address(uintptr_t pointer)
{
	register uintptr_t x30 __asm__("x30") = pointer;

	__asm__("hint #7" : "+r"(x30)); /* xpaclri: strips x30; a no-op on processors without */
	return x30;
}

/**
 * The caller's stack pointer (the CFA) for an active function of ours whose frame pointer is
 * `frame`; 0 if unknown.  In runtime/unwind/frames_aarch64.c, because it needs call frame
 * information.
 */
uintptr_t snap__arch_cfa(const void *frame);

/* The kernel's code at the end of a signal handler has no call frame information. */
#define SNAP__ARCH_BARE_SIGNAL_FRAME 1

/* libunwind: the register that it asks for first (UNW_REG_IP is the return address), and whether
   it calls the kernel's code a signal frame (1) or the code that was interrupted (0). */
#define SNAP__ARCH_UNW_FIRST_IP     UNW_AARCH64_PC
#define SNAP__ARCH_UNW_MARKS_RETURN 1

/* ---- floating point ---- */

/* The host may have asked for a signal at an exception (feenableexcept()), or for another way of rounding, and
   it may look later at the exceptions that happened (fetestexcept()).  The compiler does not know that
   arithmetic depends on these two functions: call it between them, in a function that is not inlined. */

/** Take the state that a program starts with; what the thread has goes to `kept`. */
static inline void snap__arch_float_begin(uint64_t kept[2])
{
	__asm__ volatile("mrs %0, fpcr\n\tmrs %1, fpsr\n\tmsr fpcr, xzr"
			 : "=&r"(kept[0]), "=&r"(kept[1])
			 :
			 : "memory");
}

static inline void snap__arch_float_end(const uint64_t kept[2])
{
	__asm__ volatile("msr fpsr, %1\n\tmsr fpcr, %0" : : "r"(kept[0]), "r"(kept[1]) : "memory");
}

/* ---- threads and signals ---- */

/* The thread pointer points behind libc's struct pthread.  Thread-local variables lie above. */
#define SNAP__ARCH_POINTS_TO_THREAD 0
/* The word there that leads to the thread's table of thread-local blocks. */
#define SNAP__ARCH_TLS_TABLE_WORD 0

/** The calling thread's thread pointer: its thread-local variables are found from there. */
static inline char *snap__arch_thread_pointer(void)
{
	char *pointer;

	__asm__ volatile("mrs %0, tpidr_el0" : "=r"(pointer));
	return pointer;
}

/* The kernel itself provides the code that ends a handler. */
#define SNAP__ARCH_RESTORE_FLAG 0
#define SNAP__ARCH_RESTORE_CODE NULL

/* Whether the compiler has __builtin_setjmp(): clang has not. */
#if defined(__clang__)
#define SNAP__ARCH_CAN_JUMP 0
#else
#define SNAP__ARCH_CAN_JUMP 1
#endif

#endif
