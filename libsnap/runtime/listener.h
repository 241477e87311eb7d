/*
 * runtime/listener.h - the thread that answers the control socket (control.h).
 */
#ifndef SNAP_RUNTIME_LISTENER_H
#define SNAP_RUNTIME_LISTENER_H

#include <stdbool.h>

/** From the worker thread, whose file descriptors the listener shares. */
void snap__listener_start(void);

/** A detached thread with all signals blocked (trigger.c). */
bool snap__trigger_spawn(void *(*main_function)(void *));

#endif
