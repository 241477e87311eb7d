/*
 * runtime/modules.h - every object that was ever mapped: the program, its libraries, the vdso.
 *
 * A module stays known after dlclose, so that frames in it stay attributed to it.  If another
 * object is later mapped at the same addresses, it gets a different tag: a small number in the
 * upper 16 bits of every pc in the stack tree.  The same file mapped again at the same place
 * becomes the same module again.
 *
 * Modules are only ever added; reading needs no lock.
 */
#ifndef SNAP_RUNTIME_MODULES_H
#define SNAP_RUNTIME_MODULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SNAP__PC_TAG_SHIFT 48
#define SNAP__PC_TAG_NONE  0xffffu /* code in no module: generated, or mapped by hand */
#define SNAP__BUILD_ID_MAX 64

struct snap__module {
	const char *path; /* as the loader names it; the program's is absolute where known */
	const char *file; /* the same, absolute: for the snapshot */
	const char *name; /* the loader's own string, to compare by address while it is mapped */
	uintptr_t bias;   /* address in memory minus ELF virtual address */
	uintptr_t start;  /* first and one past the last byte of its segments */
	uintptr_t end;
	uintptr_t eh_frame_hdr; /* 0: no unwind information */
	uintptr_t data_start;   /* of its segments that may be written; 0 none */
	uintptr_t data_end;
	size_t tls_id; /* libc's number of its thread-local variables; 0: it has none */
	size_t tls_size;
	uint16_t tag;
	uint8_t build_id_size; /* 0: it has none */
	uint8_t build_id[SNAP__BUILD_ID_MAX];
};

/**
 * Bring the list up to date with the loader's.  Takes the loader's lock: call it only where
 * dlopen could be called, never with a lock held that recording takes.
 */
void snap__modules_refresh(void);

/** Call `fn` with each new module from now on.  The thread that first meets the module calls it,
 * and may hold the loader's lock. */
void snap__modules_on_new(void (*fn)(const struct snap__module *module));

/** How often a refresh found unmapped code; rules compiled from that code must be dropped too. */
uint64_t snap__modules_retirements(void);

/** The module whose code is mapped at `pc` now, or NULL.  Async-signal-safe. */
const struct snap__module *snap__modules_at(uintptr_t pc);

/** Whether `pc` is in the first instructions of the process: the program's or the loader's entry
 *  point, which nobody called.  Async-signal-safe. */
bool snap__modules_is_entry(uintptr_t pc);

/** Whether a module that is no longer mapped once held `pc` (untagged). */
bool snap__modules_retired(uintptr_t pc);

/** Modules are numbered from 0 in the order in which they were seen. */
uint32_t snap__modules_count(void);
const struct snap__module *snap__modules_get(uint32_t index);

/**
 * What a pc of the stack tree (tag included) refers to: the module's number and the ELF virtual
 * address in it.  False for code in no module: then `*elf_vaddr` is the address itself.
 */
bool snap__modules_locate(uintptr_t tagged_pc, uint32_t *module, uint64_t *elf_vaddr);

#endif
