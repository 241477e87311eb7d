/*
 * runtime/python/codes.h - code objects by number.
 *
 * The data of a code object (file, qualified name, first line, line table) are copied when a call
 * stack first contains it; equal copies have one number.  So a reloaded module is the same code,
 * and the data outlive the objects.  No reference is held: a code object that dies is noticed when
 * its memory is freed.
 */
#ifndef SNAP_RUNTIME_PYTHON_CODES_H
#define SNAP_RUNTIME_PYTHON_CODES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "runtime/hidden.h"

/** Numbers are below this; 0 is no code. */
#define SNAP__PYTHON_CODE_BITS 20

struct snap__python_code {
	const char *name, *file; /* UTF-8; the name is qualified where the version has such names */
	const unsigned char *line_table;
	uint32_t line_table_size;
	uint32_t first_line;
	uint64_t hash; /* of all fields */
};

/**
 * The number of the code object at `code`, which must be alive.  0: it is no code object, or there
 * is no room.  Known by its address, so that only a first look reads it.
 */
uint32_t snap__python_code_id(const void *code);

/** The same, but an earlier entry for this address is not trusted. */
uint32_t snap__python_code_id_by_content(const void *code);

/** Numbers 1 to count - 1 are in use; entries never change. */
uint32_t snap__python_code_count(void);
const struct snap__python_code *snap__python_code(uint32_t id);

/**
 * False: no code object that has a number is at `address`, except for one whose block in the fine
 * heap map is marked.
 */
bool snap__python_may_be_code(const void *address);

/** The object at `address` is about to be freed; it may be a code object. */
void snap__python_code_goes(const void *address);

/** Grows when a numbered code object is freed: its address is then no longer valid. */
extern SNAP__HIDDEN _Atomic uint64_t snap__python_codes_gone;

/** Around fork: no table is half-changed in the child. */
void snap__python_codes_before_fork(void);
void snap__python_codes_after_fork(void);

#endif
