/*
 * runtime/lock.h - a lock that gives up.
 *
 * For the few tables that are not lock-free.  The thread that holds the lock can vanish (a raw
 * clone() copies the memory but not the thread), or the thread that wants the lock may be in a
 * signal handler that interrupted the one that holds it.  A guest must not hang its host: after a
 * bounded wait the caller continues without the lock and counts a loss.
 */
#ifndef SNAP_RUNTIME_LOCK_H
#define SNAP_RUNTIME_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>

#include "runtime/os_linux.h"

struct snap__lock {
	atomic_uint held;
};

/** One attempt; never waits.  Async-signal-safe. */
static inline bool snap__lock_try(struct snap__lock *lock)
{
	return atomic_load_explicit(&lock->held, memory_order_relaxed) == 0 &&
	       atomic_exchange_explicit(&lock->held, 1, memory_order_acquire) == 0;
}

/** Take the lock; false if another thread has held it for about a second. */
static inline bool snap__lock_take(struct snap__lock *lock)
{
	for (unsigned i = 0; i < 100; i++)
		if (snap__lock_try(lock))
			return true;
	for (uint64_t end = snap__os_mono_ns() + 1000000000u; snap__os_mono_ns() < end;) {
		if (snap__lock_try(lock))
			return true;
		snap__os_yield();
	}
	return false;
}

static inline void snap__lock_release(struct snap__lock *lock)
{
	atomic_store_explicit(&lock->held, 0, memory_order_release);
}

/** In a forked child, where the thread that held the lock may not exist. */
static inline void snap__lock_reset(struct snap__lock *lock)
{
	atomic_store_explicit(&lock->held, 0, memory_order_relaxed);
}

#endif
