/*
 * runtime/doorbell.h - how a process without a helper is asked to start one.
 *
 * `snapdiff snap` and `status` talk to the helper's control socket (control.h).  If there is no
 * helper yet, they send signal SNAP_CONTROL_DOORBELL (32) to the process and try again. libc keeps
 * this signal for itself: programs can neither block nor handle it by libc's functions. glibc uses
 * it for pthread_cancel(); its handler ignores signals from other processes.  Ours is replaced by
 * glibc's when the program cancels a thread for the first time.  The kernel checks that the sender
 * has the same user, or is root.
 *
 * What the host can notice: one signal, at the first request, may interrupt a poll(), select(),
 * epoll_wait() or nanosleep() with EINTR; other calls are restarted.  The sender looks whether the handler is
 * there, and then sends: if the process executes another program just in between, the signal ends it.
 */
#ifndef SNAP_RUNTIME_DOORBELL_H
#define SNAP_RUNTIME_DOORBELL_H

/** Install our handler, unless there is another one. */
void snap__doorbell_hang(void);

#endif
