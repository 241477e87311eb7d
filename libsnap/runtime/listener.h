/*
 * runtime/listener.h - the thread that answers the control socket (control.h).
 */
#ifndef SNAP_RUNTIME_LISTENER_H
#define SNAP_RUNTIME_LISTENER_H

#include <stdbool.h>

/**
 * Open the socket and start the thread that answers it; from the worker, whose file descriptors
 * it shares.  False: there is no such thread.
 */
bool snap__listener_start(void);

#endif
