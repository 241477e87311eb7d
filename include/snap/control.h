/*
 * snap/control.h - what a recorded process answers on its control socket.
 *
 * The helper process of libsnap listens on a stream socket in Linux's abstract namespace, named
 * SNAP_CONTROL_NAME followed by the decimal pid, so that nothing is left behind in the file
 * system.  It serves its own user and root only.  A connection carries one request, one line,
 * and its answer; the runtime closes it afterwards.
 *
 * There is no helper until it is needed.  Signal SNAP_CONTROL_DOORBELL asks the process to start one.
 * It may be sent only to a process that handles it (SigCgt in /proc/PID/status): it kills others.
 *
 *   snap [LABEL]   -> "ok PATH" once the snapshot is durable (PATH absolute), or "error SENTENCE"
 *   dir            -> "ok DIR", the absolute output directory
 *   status         -> lines "KEY VALUE", then an empty line
 */
#ifndef SNAP_CONTROL_H
#define SNAP_CONTROL_H

#define SNAP_CONTROL_NAME   "snapdiff."
#define SNAP_CONTROL_SNAP   "snap"
#define SNAP_CONTROL_DIR    "dir"
#define SNAP_CONTROL_STATUS "status"

#define SNAP_CONTROL_DOORBELL 32

/** Longest request, its newline included. */
#define SNAP_CONTROL_LINE_MAX 1024

#endif
