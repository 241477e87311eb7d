/*
 * runtime/snapshot/epochs.h - when blocks were born, in snapshots.
 *
 * Each snapshot closes an epoch, and a block has the number of the epoch that it was born in.  The
 * numbers are modulo SNAP__EPOCHS; the oldest epochs are merged long before the numbers run out.
 */
#ifndef SNAP_RUNTIME_SNAPSHOT_EPOCHS_H
#define SNAP_RUNTIME_SNAPSHOT_EPOCHS_H

#include <stdint.h>

/** Close the epoch that ends with snapshot `seq`; returns its number. */
uint32_t snap__epochs_close(uint64_t seq);

/** The snapshot that closed epoch `closed` failed; `seq` is the last one that did not. */
void snap__epochs_fail(uint32_t closed, uint64_t seq);

/** How many epochs that still have their own number lie before `epoch`. */
uint32_t snap__epochs_age(uint32_t epoch);

/** The last snapshot before the epoch of this age began; 0: there is none. */
uint64_t snap__epochs_seq_before(uint32_t age);

/** In a forked child: what it inherited existed before its first snapshot. */
void snap__epochs_after_fork(void);

#endif
