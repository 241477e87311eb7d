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

/** For large tables and buffers: each begins a page of its own, and the linker puts the small
 * variables side by side behind them.  A short process pays for each page that it touches. */
#define SNAP__PAGES __attribute__((aligned(4096)))

/** For the first of the small variables: the linker puts larger alignments in front of it. */
#define SNAP__FIRST_SMALL __attribute__((aligned(2048)))

#endif
