/*
 * runtime/python/lines.h - from an instruction to its line.
 *
 * Computed from the copy of a code object's line table when a snapshot is written, never while an
 * allocation is recorded.
 */
#ifndef SNAP_RUNTIME_PYTHON_LINES_H
#define SNAP_RUNTIME_PYTHON_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "runtime/python/layout.h"

/** A line table, and the entry that was read last: entries refer to the one before. */
struct snap__python_lines_read {
	enum snap__python_lines kind;
	uint32_t first_line, shown;                  /* `shown`: the entry's line; 0: it has none */
	const unsigned char *table, *table_end, *at; /* at the next entry */
	int64_t start, end;                          /* the entry is about these bytes of code */
	int64_t line, change;                        /* the next entry's is `change` further */
};

/** Begin with the line table of `size` bytes at `table`, of code that begins at `first_line`. */
void snap__python_lines_begin(struct snap__python_lines_read *read, enum snap__python_lines kind,
			      const unsigned char *table, size_t size, uint32_t first_line);

/**
 * The line of the instruction at `offset` bytes into the code; negative: before the first
 * instruction.  0: it has none.  A damaged table gives a wrong line, but is never read beyond its
 * end.  Reads on from the last entry if the offset is not before it.
 */
uint32_t snap__python_lines_at(struct snap__python_lines_read *read, int64_t offset);

/** Line tables that are being read, by code object, and lines that were found; zero it before use. */
#define SNAP__PYTHON_LINES_OPEN  512u
#define SNAP__PYTHON_LINES_FOUND 4096u
struct snap__python_lines_open {
	struct {
		uintptr_t pc;
		uint32_t line;
	} found[SNAP__PYTHON_LINES_FOUND];
	uint32_t code[SNAP__PYTHON_LINES_OPEN];
	struct snap__python_lines_read read[SNAP__PYTHON_LINES_OPEN];
};

/** The line of a Python frame in the stack tree (frames.h); 0 if it has none. */
uint32_t snap__python_line(struct snap__python_lines_open *open, uintptr_t pc);

#endif
