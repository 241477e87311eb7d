/*
 * runtime/symbols.h - faster than dlsym(), at the start of a program.
 *
 * dlsym() takes 700 instructions for a name that it finds, and some thousand, with an allocated
 * message, for one that it does not.  A short process pays for 50 of them.
 *
 * Between snap__symbols_open() and snap__symbols_close() the two functions below read the tables of
 * the objects that the program was started with.  At other times, and for symbols that need the
 * loader (thread-local variables, functions that choose an implementation), they call dlsym().
 */
#ifndef SNAP_RUNTIME_SYMBOLS_H
#define SNAP_RUNTIME_SYMBOLS_H

#include <stdbool.h>

/** No object may be loaded or unloaded until it is closed. */
void snap__symbols_open(void);
void snap__symbols_close(void);

/** Like dlsym(RTLD_DEFAULT, name); and like dlsym(RTLD_NEXT, name), which searches the objects
 * behind libsnap. */
void *snap__symbols_any(const char *name);
void *snap__symbols_next(const char *name);

/** Is it known without the loader that no object has it? */
bool snap__symbols_lack(const char *name);

#endif
