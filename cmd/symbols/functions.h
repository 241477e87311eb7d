/*
 * symbols/functions.h - the functions and variables that a module's symbol tables name.
 */
#ifndef SYMBOLS_FUNCTIONS_H
#define SYMBOLS_FUNCTIONS_H

#include <elfutils/libdwfl.h>
#include <stddef.h>
#include <stdint.h>

struct function {
	uint64_t begin, end; /* ELF virtual addresses; offsets in the module's block for TLS */
	const char *name;    /* as the linker knows it; the module's */
};

/** Sorted by address, not overlapping. */
struct functions {
	struct function *items;
	size_t count;
};

/** What a table is made of. */
enum functions_kind {
	FUNCTIONS_CODE, /* functions */
	FUNCTIONS_DATA, /* variables */
	FUNCTIONS_TLS,  /* thread-local variables */
};

/**
 * What .symtab, .dynsym and .gnu_debugdata name.  `bias` is dwfl's address minus the ELF virtual
 * address.  Returns an empty table when there is nothing or memory is out.
 */
struct functions functions_read(Dwfl_Module *module, uint64_t bias, enum functions_kind kind);
void functions_free(struct functions *functions);

/** The function or variable that contains `address`, or NULL. */
const struct function *functions_find(const struct functions *functions, uint64_t address);

#endif
