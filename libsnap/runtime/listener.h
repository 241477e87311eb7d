/*
 * runtime/listener.h - the thread that answers the control socket (control.h).
 */
#ifndef SNAP_RUNTIME_LISTENER_H
#define SNAP_RUNTIME_LISTENER_H

#include <stdbool.h>

/** Start it.  False: there is no such thread. */
bool snap__listener_start(void);

/** Make it look whether it shall stop: by calling on it, for want of another way. */
void snap__listener_wake(void);

#endif
