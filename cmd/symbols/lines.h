/*
 * symbols/lines.h - DWARF: address -> functions, files and lines, inlined calls included.
 */
#ifndef SYMBOLS_LINES_H
#define SYMBOLS_LINES_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stdint.h>

#include "symbols/functions.h"
#include "symbols/symbol_frame.h"
#include "symbols/texts.h"

/** Most frames of one address; deeper inlining loses its outermost calls, never the function. */
enum { LINES_FRAMES_MAX = 256 };

struct lines;

/** An index of `dwarf`, filled as it is asked; NULL when memory is out. */
struct lines *lines_new(Dwarf *dwarf, const struct functions *functions, struct texts *texts);
void lines_free(struct lines *lines);

/**
 * The frames at `address` (as DWARF counts it; `bias` less is what `functions` has), innermost
 * first. Returns how many; 0 when DWARF knows nothing about it.
 */
size_t lines_find(struct lines *lines, uint64_t address, uint64_t bias,
		  struct symbol_frame frames[LINES_FRAMES_MAX]);

#endif
