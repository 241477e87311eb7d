/*
 * runtime/hidden.h - marks data that one file defines and the record path reads.
 *
 * -fvisibility=hidden does not apply to declarations: unless the declaration is marked as hidden
 * too, the compiler must assume that the data is in another library, and loads its address from a
 * table first.
 */
#ifndef SNAP_RUNTIME_HIDDEN_H
#define SNAP_RUNTIME_HIDDEN_H

#define SNAP__HIDDEN __attribute__((visibility("hidden")))

#endif
