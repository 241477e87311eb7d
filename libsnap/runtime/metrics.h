/*
 * runtime/metrics.h - the process seen from outside: figures that go into every snapshot.
 */
#ifndef SNAP_RUNTIME_METRICS_H
#define SNAP_RUNTIME_METRICS_H

#include <stdbool.h>
#include <stdint.h>

/** Takes one figure; what is not known here is not reported. */
typedef void snap__metric_fn(void *user, const char *key, uint64_t value);

/**
 * Figures of /proc, the cgroup (v1 or v2) and, if `ask_allocator`, glibc's mallinfo2().  The latter
 * takes the allocator's locks: not from a thread that may have interrupted malloc.
 */
void snap__metrics_each(bool ask_allocator, snap__metric_fn *fn, void *user);

/** Number of threads of the process, 0 if unknown. */
uint64_t snap__metrics_threads(void);

/** Start time of the process in clock ticks since boot (field 22 of /proc/self/stat), 0 unknown. */
uint64_t snap__metrics_start_ticks(void);

#endif
