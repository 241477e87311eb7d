/*
 * arch/x86_64.h - x86-64, with the System V ABI.  See arch/arch.h.
 */
#ifndef SNAP_ARCH_X86_64_H
#define SNAP_ARCH_X86_64_H

#include <stdint.h>

/* The processor's name in snapshots, in ELF files, and for filters of system calls. */
#define SNAP__ARCH_NAME        "x86_64"
#define SNAP__ARCH_ELF_MACHINE EM_X86_64
#define SNAP__ARCH_AUDIT       AUDIT_ARCH_X86_64
/* The loader that nearly all programs name. */
#define SNAP__ARCH_LOADER "/lib64/ld-linux-x86-64.so.2"

/* Relocations by which a module refers to a function: for calls, for its address, in data. */
#define SNAP__ARCH_RELOCATION_CALL  R_X86_64_JUMP_SLOT
#define SNAP__ARCH_RELOCATION_GOT   R_X86_64_GLOB_DAT
#define SNAP__ARCH_RELOCATION_PLAIN R_X86_64_64

/* The clock in the object that the kernel maps into each process. */
#define SNAP__ARCH_VDSO_CLOCK "__vdso_clock_gettime"

/* ---- registers ---- */

/* DWARF numbers: 0-15 are the general registers in their DWARF order, 16 is the return address. */
#define SNAP__REG_FP    6u
#define SNAP__REG_SP    7u
#define SNAP__REG_RA    16u
#define SNAP__REG_COUNT 17u
/* The number of the return address names the pc of a state, not a register. */
#define SNAP__ARCH_RA_IS_PC 1

/* A bit for each register that snap__arch_here() stores: rbx, rbp, rsp, r12-r15, return address. */
#define SNAP__ARCH_KEPT 0x1f0c8u

/* Where ptrace's general registers (struct user_regs_struct, in words) have those of each DWARF
   number: rax, rdx, rcx, rbx, rsi, rdi, rbp, rsp, r8 to r15, rip; and how many words there are. */
#define SNAP__ARCH_PTRACE_ORDER                                                                    \
	{                                                                                          \
		10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0, 16                           \
	}
#define SNAP__ARCH_PTRACE_SP    19
#define SNAP__ARCH_PTRACE_PC    16
#define SNAP__ARCH_PTRACE_WORDS 22
/* The thread pointer is among them: fs_base. */
#define SNAP__ARCH_PTRACE_THREAD_POINTER 21
/* The set with vector registers, if the processor has it; else it is NT_PRFPREG. */
#define SNAP__ARCH_PTRACE_EXTENDED 0x202 /* NT_X86_XSTATE */

/** The address in a code pointer. */
static inline uintptr_t snap__arch_code_address(uintptr_t pointer)
{
	return pointer;
}

/**
 * The caller's stack pointer (the CFA) for an active function of ours whose frame pointer is
 * `frame`: it lies above the saved frame pointer and the return address.
 */
static inline uintptr_t snap__arch_cfa(const void *frame)
{
	return (uintptr_t)frame + 2 * sizeof(uintptr_t);
}

/* The kernel's code at the end of a signal handler is libc's here, and has call frame information. */
#define SNAP__ARCH_BARE_SIGNAL_FRAME 0

/* libunwind: the register that it asks for first, and whether it calls the kernel's code a signal
   frame (1) or the code that was interrupted (0). */
#define SNAP__ARCH_UNW_FIRST_IP     ((unw_regnum_t)UNW_REG_IP)
#define SNAP__ARCH_UNW_MARKS_RETURN 0

/* ---- floating point ---- */

/* The host may have asked for a signal at an exception (feenableexcept()), or for another way of rounding, and
   it may look later at the exceptions that happened (fetestexcept()).  The compiler does not know that
   arithmetic depends on these two functions: call it between them, in a function that is not inlined. */

/** Take the state that a program starts with; what the thread has goes to `kept`. */
static inline void snap__arch_float_begin(uint64_t kept[2])
{
	uint32_t word, plain = 0x1f80;

	__asm__ volatile("stmxcsr %0\n\tldmxcsr %1" : "=m"(word) : "m"(plain) : "memory");
	kept[0] = word;
}

static inline void snap__arch_float_end(const uint64_t kept[2])
{
	uint32_t word = (uint32_t)kept[0];

	__asm__ volatile("ldmxcsr %0" : : "m"(word) : "memory");
}

/* ---- threads and signals ---- */

/* The thread pointer points to the start of libc's struct pthread, and pthread_self() returns it.
   The first and the third word there are the thread pointer itself.  Thread-local variables lie
   below. */
#define SNAP__ARCH_POINTS_TO_THREAD 1
/* The word there that leads to the thread's table of thread-local blocks. */
#define SNAP__ARCH_TLS_TABLE_WORD 1

/** The calling thread's thread pointer: its thread-local variables are found from there. */
static inline char *snap__arch_thread_pointer(void)
{
	char *pointer;

	__asm__ volatile("mov %%fs:0, %0" : "=r"(pointer));
	return pointer;
}

/* What to add to the flags of the kernel's struct sigaction, and the code that ends a handler. */
void snap__arch_end_handler(void);
#define SNAP__ARCH_RESTORE_FLAG 0x04000000 /* SA_RESTORER */
#define SNAP__ARCH_RESTORE_CODE snap__arch_end_handler

/* The compiler has __builtin_setjmp(). */
#define SNAP__ARCH_CAN_JUMP 1

#endif
