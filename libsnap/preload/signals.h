/*
 * preload/signals.h - signals that end the program.
 */
#ifndef SNAP_PRELOAD_SIGNALS_H
#define SNAP_PRELOAD_SIGNALS_H

/** From here on, a fatal signal with the default disposition leads to a last snapshot. */
void snap__signals_watch(void);

/** Before a filter of system calls is installed: remove our handlers from all signals. */
void snap__signals_leave(void);

#endif
