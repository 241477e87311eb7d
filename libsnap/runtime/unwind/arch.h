/*
 * unwind/arch.h - what the unwinder must know about a processor and its calling convention.
 *
 * Exactly one arch_*.c is compiled to something: the one that defines snap__arch_here().
 */
#ifndef SNAP_RUNTIME_UNWIND_ARCH_H
#define SNAP_RUNTIME_UNWIND_ARCH_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__x86_64__)
/* DWARF numbers: 0-15 are the general registers in their DWARF order, 16 is the return address. */
#define SNAP__REG_FP    6u
#define SNAP__REG_SP    7u
#define SNAP__REG_RA    16u
#define SNAP__REG_COUNT 17u
#elif defined(__aarch64__)
#define SNAP__REG_FP    29u
#define SNAP__REG_RA    30u
#define SNAP__REG_SP    31u
#define SNAP__REG_COUNT 32u
#else
#error "snapdiff records on x86-64 and aarch64"
#endif

/**
 * Store the registers that the ABI preserves across calls, sp, and the return address of the
 * caller, by DWARF number.  A walk that knows every register starts from these.  Other entries are
 * not changed.
 */
void snap__arch_here(uintptr_t registers[SNAP__REG_COUNT]);

/** The address in a code pointer: return addresses carry a signature where the processor signs
 * them. */
static inline uintptr_t snap__arch_code_address(uintptr_t pointer)
{
#if defined(__aarch64__)
	register uintptr_t x30 __asm__("x30") = pointer;

	__asm__("hint #7" : "+r"(x30)); /* xpaclri: strips x30; a no-op on processors without */
	return x30;
#else
	return pointer;
#endif
}

/** Whether the instruction before `code` is a call. `code[-8]` to `code[-1]` are readable. */
bool snap__arch_follows_call(const uint8_t *code);

/**
 * The caller's stack pointer (the CFA) for an active function of ours whose frame pointer is
 * `frame`; 0 if unknown.
 */
#if defined(__aarch64__)
uintptr_t snap__arch_cfa(const void *frame);
#else
static inline uintptr_t snap__arch_cfa(const void *frame)
{
	return (uintptr_t)frame +
	       2 * sizeof(uintptr_t); /* above what it saved and was returned to */
}
#endif

/** A bit for each register that snap__arch_here() stores. */
#if defined(__x86_64__)
#define SNAP__ARCH_KEPT 0x1f0c8u /* rbx, rbp, rsp, r12-r15, return address */
#else
#define SNAP__ARCH_KEPT 0xfff80000u /* x19-x30, sp */
#endif

#endif
