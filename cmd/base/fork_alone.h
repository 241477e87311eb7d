/*
 * base/fork_alone.h - fork() while a second thread works.
 *
 * A child of fork() has only the thread that called it.  There, data that the other thread was
 * changing stay half changed, and locks that it held stay locked.  Some libraries do not expect a
 * fork, the allocator of AddressSanitizer among them.
 */
#ifndef BASE_FORK_ALONE_H
#define BASE_FORK_ALONE_H

#include <sys/types.h>

/** Around what a second thread does.  Between end and begin it may only wait. */
void fork_hold(void);
void fork_permit(void);

/** fork(), at a moment when no second thread is between fork_hold() and fork_permit(). */
pid_t fork_alone(void);

#endif
