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

/**
 * For a process of its own that has one thread: call `late`, in a signal handler, when one name, or
 * all names together, take so long that the file must be hostile.  There is no way back out of
 * libiberty, so `late` ends the process.
 */
void demangle_watch(void (*late)(int signal));

/** From here on names lose their clone suffixes only. */
void demangle_plain(void);

#endif
