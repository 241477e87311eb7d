/*
 * symbols/demangle.h - linker names -> the names that people know.
 */
#ifndef SYMBOLS_DEMANGLE_H
#define SYMBOLS_DEMANGLE_H

#include <stdbool.h>
#include <stddef.h>

/**
 * The name of a function as CLI.md defines it: demangled with parameters, without return type and
 * compiler clone suffix; names of C stay as they are.  Malloc'ed: free() it.  NULL when memory is
 * out.
 */
char *demangle_function(const char *linkage_name);

/** Length of `name` without `.constprop.0`, `.isra.0`, `.part.0`, `.cold`, `.lto_priv.0`, ... */
size_t demangle_base_size(const char *name, size_t size);

/** A Rust name, legacy or v0 (RFC 2603), without its hash; NULL if `name` is not one. */
char *demangle_rust(const char *name);

/** The part of a demangled C++ name that is left without its return type; may edit in place. */
char *demangle_drop_return_type(char *demangled);

#endif
