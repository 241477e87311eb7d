/*
 * runtime/hidden.h - data that the record path reads, though another file defines it.
 *
 * -fvisibility=hidden says nothing of declarations: without a word from them the compiler must
 * expect such data in another library, and takes its address from a table first.
 */
#ifndef SNAP_RUNTIME_HIDDEN_H
#define SNAP_RUNTIME_HIDDEN_H

#define SNAP__HIDDEN __attribute__((visibility("hidden")))

#endif
