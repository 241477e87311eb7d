/*
 * snap/control.h - what a recorded process answers on its control socket.
 *
 * The helper process of libsnap listens on a stream socket in Linux's abstract namespace, so that
 * nothing is left behind in the file system.  It serves its own user and root only.  A connection
 * carries one request, one line, and its answer; the runtime closes it afterwards.
 *
 * The socket's name is the first of these that is free, after SNAP_CONTROL_NAME:
 *   PID            the pid that the process itself has, in decimal
 *   PID.NAMESPACE  and the inode of its pid namespace, in decimal
 *   PID.SECRET     and the 64-bit value that came with the signal, in hexadecimal
 * Anybody can take the first two names.  So a client must ask the kernel who listens (SO_PEERCRED):
 * it must be the process or a child of it, with the process's effective user or root.
 *
 * There is no helper until it is needed.  Signal SNAP_CONTROL_DOORBELL asks the process to start one;
 * sent by rt_sigqueueinfo(), its value is the secret.  It may be sent only to a process that handles
 * it (SigCgt in /proc/PID/status): it kills others.
 *
 *   snap [LABEL]   -> "ok PATH" once the snapshot is durable (PATH absolute), or "error SENTENCE"
 *   holders [LABEL], retained [LABEL]
 *                  -> the same, of a snapshot that says who holds what
 *   census [LABEL], census-holders [LABEL], census-retained [LABEL]
 *                  -> the same with the objects of an interpreter
 *   resident       -> "ok"; from now on, snapshots say how much of each module is in memory
 *   dir            -> "ok DIR", the absolute output directory
 *   flush          -> "ok" once every snapshot that was asked for before is durable
 *   status         -> lines "KEY VALUE", then an empty line.  Keys: dir program pid seq uptime_ns
 *                  live_bytes live_blocks peak_bytes allocated_bytes allocated_blocks freed_blocks
 *                  rate_per_second (recorded allocations, over the whole time) allocator
 *                  sample_period stacks rss recorder_memory recorder_memory_percent (of rss)
 *                  process_cpu_ns recorder_cpu_ns recorder_cpu_percent (of process_cpu_ns, which
 *                  includes it) losses.* (as in a snapshot, without those that only a snapshot has)
 *   anything else  -> "error unknown request"
 */
#ifndef SNAP_CONTROL_H
#define SNAP_CONTROL_H

#define SNAP_CONTROL_NAME     "snapdiff."
#define SNAP_CONTROL_SNAP     "snap"
#define SNAP_CONTROL_HOLDERS  "holders"
#define SNAP_CONTROL_RETAINED "retained"
#define SNAP_CONTROL_CENSUS   "census" /* with "-" and one of these two: see above */
#define SNAP_CONTROL_RESIDENT "resident"
#define SNAP_CONTROL_DIR      "dir"
#define SNAP_CONTROL_FLUSH    "flush"
#define SNAP_CONTROL_STATUS   "status"

/** How an answer begins; what follows is separated by a space. */
#define SNAP_CONTROL_OK    "ok"
#define SNAP_CONTROL_ERROR "error"

#define SNAP_CONTROL_DOORBELL 32

/** Longest request, its newline included. */
#define SNAP_CONTROL_LINE_MAX 1024

#endif
