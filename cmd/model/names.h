/*
 * model/names.h - what functions are called.
 */
#ifndef MODEL_NAMES_H
#define MODEL_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/**
 * True for frames that only pass a request on to malloc: operator new, xmalloc, strdup,
 * std::allocator, Rust's alloc shims, g_malloc, PyMem_*, ...  Naming a site skips them.
 */
bool name_is_plumbing(const char *function, const char *file, const char *module);

/**
 * `function` as compared at level `function`: without compiler clone suffixes, Rust hashes, lambda
 * and anonymous-namespace numbering, ABI tags, with canonical template spelling. Writes at most
 * `size` bytes with its NUL to `out` and returns the length it needed, as snprintf does.
 */
size_t name_normalise(const char *function, char *out, size_t size);

/**
 * The bare path of a function: normalised, and without parameters and template arguments, so that a
 * changed signature leaves it alone: "std::vector<int>::reserve(unsigned long)" ->
 * "std::vector::reserve".
 */
size_t name_bare(const char *function, char *out, size_t size);

/** True for the placeholder of an unknown function: "libfoo.so+0x1234", "0x1234". */
bool name_is_address(const char *function);

/** True for "libfoo.so+?": all frames without a name in a rebuilt module. */
bool name_is_of_another_build(const char *function);

/** The last component of a path. */
const char *name_base(const char *path);

/** "/usr/lib/x86_64-linux-gnu/libfoo.so.1.2.3" -> "libfoo.so": the module's name as compared across
 * builds. */
size_t name_normalise_module(const char *path, char *out, size_t size);

#endif
