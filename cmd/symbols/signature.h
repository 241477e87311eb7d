/*
 * symbols/signature.h - names of C++ functions that have no linkage name, spelled from DWARF.
 *
 * GCC gives no linkage name to static functions and to those of anonymous namespaces.  Once such a
 * function is inlined everywhere, DWARF alone knows what it was called.
 */
#ifndef SYMBOLS_SIGNATURE_H
#define SYMBOLS_SIGNATURE_H

#include <elfutils/libdw.h>
#include <stdbool.h>

#include "symbols/scopes.h"

/** True for `main` and extern "C" functions: their name is all there is. */
bool signature_is_plain(Dwarf_Die *function);

/**
 * `scope::name(parameters)` as a demangler would print it.  Malloc'ed: free() it.
 * NULL when memory is out, or the function has no name.
 */
char *signature_of(struct scopes *scopes, Dwarf_Die *function);

#endif
