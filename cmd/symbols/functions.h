/*
 * symbols/functions.h - the functions that a module's symbol tables name.
 */
#ifndef SYMBOLS_FUNCTIONS_H
#define SYMBOLS_FUNCTIONS_H

#include <elfutils/libdwfl.h>
#include <stddef.h>
#include <stdint.h>

struct function {
	uint64_t begin, end; /* ELF virtual addresses */
	const char *name;    /* as the linker knows it; the module's */
};

/** Sorted by address, not overlapping. */
struct functions {
	struct function *items;
	size_t count;
};

/**
 * The functions of .symtab, .dynsym and .gnu_debugdata.  `bias` is dwfl's address minus the ELF
 * virtual address.  Returns an empty table when there are none or memory is out.
 */
struct functions functions_read(Dwfl_Module *module, uint64_t bias);
void functions_free(struct functions *functions);

/** The function that contains `address`, or NULL. */
const struct function *functions_find(const struct functions *functions, uint64_t address);

#endif
