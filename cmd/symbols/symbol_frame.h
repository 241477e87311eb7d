/*
 * symbols/symbol_frame.h - the function, file and line at an address.
 */
#ifndef SYMBOLS_SYMBOL_FRAME_H
#define SYMBOLS_SYMBOL_FRAME_H

#include <stdbool.h>
#include <stdint.h>

/** One resolved frame; texts belong to the symboliser or the cache until the next call. */
struct symbol_frame {
	const char *function; /* demangled, with parameters, no return type, no clone suffix; ""
				 unknown */
	const char *file;
	uint32_t line;
	bool inlined;    /* into the next one */
	uint64_t offset; /* of a variable: in it */
};

#endif
