/*
 * snap/control.h - what a recorded process answers on its control socket.
 *
 * The helper thread of libsnap listens on a stream socket in Linux's abstract namespace, named
 * SNAP_CONTROL_NAME followed by the decimal pid, so that nothing is left behind in the file
 * system.  It serves its own user and root only.  A connection carries one request, one line,
 * and its answer; the runtime closes it afterwards.
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

/** Longest request, its newline included. */
#define SNAP_CONTROL_LINE_MAX 1024

#endif
