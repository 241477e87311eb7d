/*
 * holders/copy.h - a frozen copy of the process, and the results that it leaves before it ends.
 *
 * The process that takes snapshots shares the host's memory but is no thread of it.  It stops the
 * host's threads by ptrace, reads their registers, copies the address space by a bare fork(), and
 * resumes the threads.  Slow work is done in the copy, which cannot harm the host.  The copy has no
 * other thread.  It may reach its memory limit, fault, or be killed; the snapshot is then written
 * without holders.
 *
 * Not touched: the host's signal handlers, its fork handlers, and its SIGCHLD.  What the host can
 * notice: a stop of a few milliseconds; system calls that the kernel never restarts after a stop
 * (epoll_wait, semop, sigtimedwait, reads of sockets that have a time limit) return EINTR; and
 * pages are copied when they are first written after the copy was made.
 */
#ifndef SNAP_RUNTIME_HOLDERS_COPY_H
#define SNAP_RUNTIME_HOLDERS_COPY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/holders/registers.h"
#include "runtime/holders/space.h"

#define SNAP__COPY_REASON_SIZE 128

/** A page that the copy and the host's side share: the orders of one, the results of the other. */
struct snap__copy_page {
	atomic_uint progress;                /* grows while the copy makes progress */
	atomic_uint done;                    /* it has done everything */
	char reason[SNAP__COPY_REASON_SIZE]; /* why it has not; "" unknown */
	_Atomic uint64_t pause_ns;           /* of the threads; 0 while it lasts */
	uint64_t live_bytes, unseen;         /* for the snapshot in the host */
};

/** The moment at which the copy was made. */
struct snap__copy {
	struct snap__copy_page *page;
	struct snap__space space;
	struct snap__stopped *threads;         /* of the host */
	uint32_t thread_count, threads_unread; /* unread: those that are late as well */
	uint32_t threads_late;                 /* which did not stop in time */
	bool was_stopped;                      /* otherwise no register is known */
	uint64_t memory_limit, memory_used;    /* of the copy, in bytes */
	uint64_t inherited;                    /* resident when it was made */
	uint64_t pages_unread;                 /* of memory that the copy has not */
};

/**
 * Make a copy and run `work(copy, user)` in it.  False if that did not succeed: `reason` says why.
 * `tick` is called now and then while it runs.  Called in the helper (helper.h): a thread cannot
 * ptrace threads of its own process.
 */
typedef void snap__copy_work(struct snap__copy *copy, void *user);
bool snap__copy_run(snap__copy_work *work, void *user, void (*tick)(void),
		    char reason[SNAP__COPY_REASON_SIZE], struct snap__copy_page *result);

/* ---- in the copy ----------------------------------------------------------------------------- */

/** Zeroed memory.  The copy ends if there is none, or its limit is reached. */
void *snap__copy_need(size_t size);
/** The same, where the first `used` bytes will all be written to. */
void *snap__copy_need_now(size_t size, size_t used);
/** All of it will be written to; `memory` begins a page. */
void snap__copy_will_write(void *memory, size_t size);
void snap__copy_give_back(void *memory, size_t size);
/** Give `*memory`, of `size` bytes, `new_size` bytes. */
void *snap__copy_grow(void *memory, size_t size, size_t new_size);

/** How long the threads were stopped, in nanoseconds. */
uint64_t snap__copy_pause_ns(void);

/** The most memory, in bytes, that the copy took for itself so far.  Memory that it shares with the
 * host does not count, nor do pages that exist twice because the host wrote to them meanwhile. */
uint64_t snap__copy_own_memory(void);

/** Report progress. */
void snap__copy_tick(void);

/** End the copy; the waiting process gets the reason. */
_Noreturn void snap__copy_fail(const char *reason);

#endif
