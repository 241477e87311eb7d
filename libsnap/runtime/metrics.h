/*
 * runtime/metrics.h - figures of the whole process that go into every snapshot.
 */
#ifndef SNAP_RUNTIME_METRICS_H
#define SNAP_RUNTIME_METRICS_H

#include <stdbool.h>
#include <stdint.h>

/** Receives one figure; unknown figures are not reported. */
typedef void snap__metric_fn(void *user, const char *key, uint64_t value);

/** Which questions are allowed for one snapshot. */
struct snap__metrics_leave {
	bool allocator;      /* glibc's mallinfo2() may be called: never from a thread that may have
				interrupted malloc, since it takes the allocator's locks */
	bool may_hold_up;    /* the program is about to end: waiting is harmless */
	bool is_brief;       /* the process is short-lived: leave out the proportional set size and
			        the cgroup's figures */
	bool is_least;       /* only what costs least: resident, anonymous and address space */
	uint64_t heap_bytes; /* the largest that the heap has been */
	uint64_t frees;      /* blocks freed so far; UINT64_MAX unknown */
	bool (*begin)(void); /* called before and after the allocator is asked, or NULL; false: do
			        not ask */
	void (*end)(void);
	/** Calls fn(argument), which may wait for locks of the host's; false: it gave up.  NULL:
	 * nobody has to give up. */
	bool (*call)(void (*fn)(void *argument), void *argument);
};

/**
 * Figures of /proc, the cgroup (v1 or v2) and the allocator.  Two of them, the allocator's figures
 * and the proportional set size, hold locks that the program's threads may wait for, longer with
 * more memory.  They are left out if the delay would be noticed, unless `may_hold_up` is set;
 * always if `leave` is NULL.  True if the allocator's figures are among them.
 */
bool snap__metrics_each(const struct snap__metrics_leave *leave, snap__metric_fn *fn, void *user);

/** The recorder's own memory, in bytes. */
uint64_t snap__metrics_recorder_bytes(void);

/** Figures that /proc has for each process are those of `pid`, not of the caller. */
void snap__metrics_of(int pid);

/** Number of threads of the process, 0 if unknown. */
uint64_t snap__metrics_threads(void);

/** The same, as snap__metrics_each() saw it just before. */
uint64_t snap__metrics_threads_seen(void);

/** Has the process slept since an earlier call?  *switches is how often it had gone to sleep by
 * that call (0: there was none), and is updated.  True only if it has slept all the time since
 * then. */
bool snap__metrics_sleeps(uint64_t *switches);

/** Resident memory of the process in bytes, 0 if unknown. */
uint64_t snap__metrics_resident(void);

/** Start time of the process in clock ticks since boot (field 22 of /proc/self/stat), 0 unknown. */
uint64_t snap__metrics_start_ticks(void);

#endif
