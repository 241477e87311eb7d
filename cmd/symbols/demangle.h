/*
 * symbols/demangle.h - linker names -> the names that people know.
 */
#ifndef SYMBOLS_DEMANGLE_H
#define SYMBOLS_DEMANGLE_H

/**
 * The name of a function as reports show it: demangled with parameters, without return type and
 * compiler clone suffix.  Names of C stay as they are.  Malloc'ed: free() it.  NULL when memory is
 * out.
 */
char *demangle_function(const char *linkage_name);

#endif
