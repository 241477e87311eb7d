/*
 * runtime/python/lines.h - from an instruction to its line.
 *
 * Worked out from the copy of a code object's line table: when a snapshot is written, never while
 * an allocation is recorded.
 */
#ifndef SNAP_RUNTIME_PYTHON_LINES_H
#define SNAP_RUNTIME_PYTHON_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "runtime/python/layout.h"

/**
 * The line of the instruction at `offset` bytes into the code whose line table of `size` bytes is
 * at `table`; negative: before the first instruction. 0: it has none.  A damaged table gives a
 * wrong line, but is never read beyond its end.
 */
uint32_t snap__python_line_in(enum snap__python_lines kind, const unsigned char *table, size_t size,
			      uint32_t first_line, int64_t offset);

/** The line of a Python frame in the stack tree (frames.h); 0 if it has none. */
uint32_t snap__python_line(uintptr_t pc);

#endif
