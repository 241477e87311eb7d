/*
 * runtime/process.h - who we are: the process's identity, its beginning, forks and end.
 */
#ifndef SNAP_RUNTIME_PROCESS_H
#define SNAP_RUNTIME_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/config.h"

/** What is known about the host's malloc, found out by preload/. */
struct snap__host {
	const char *allocator; /* "glibc", "jemalloc", ... */
	const void *malloc_address;
	unsigned granule_shift; /* see heapmap.h */
	const char *in_front;   /* object whose malloc the program calls instead of ours, or NULL */
	char *alone[2];         /* libc's flag and the program's copy of it (alone.h), or NULL */
};

struct snap__identity {
	int pid, parent;
	uint64_t start_ticks;   /* of the process, clock ticks since boot */
	uint64_t start_time_ns; /* wall clock when recording (or the forked child) began */
	char program[256];      /* file name part; '/' and control characters replaced */
	char exe[SNAP__PATH_MAX];
	char command[8192];
	char host[256];
};

/** What the calling process is, in relation to the state in our memory. */
enum snap__relation {
	SNAP__OURS,     /* the process that the state describes */
	SNAP__COPY,     /* a copy made by a raw clone(): no handler has run */
	SNAP__BORROWED, /* a vfork child in its parent's memory: touch nothing */
};
enum snap__relation snap__process_relation(void);

/** The library was loaded: register for fork and exit, and begin if the environment says so. */
void snap__process_load(char **environment, const struct snap__host *host);

/** main() is about to be called: what needs a thread can start now. */
void snap__process_main(void);

/** Begin recording with `wanted` (NULL: the environment) over the settings of the environment. */
enum snap_status snap__process_start(const struct snap_config *wanted);
enum snap_status snap__process_stop(void);

/** main returned, or exit() was called: the place of an early exit snapshot. */
void snap__process_exit_begins(void);

/** The process is about to end: the exit snapshot, unless it was taken.  Never hangs. */
void snap__process_exit(void);

/**
 * call(first, second), which the kernel refuses (EINVAL) if the process has several threads: should
 * that be our doing, the helper makes way for it.
 */
int snap__process_alone(int (*call)(int, int), int first, int second);

/**
 * Around a change of user or group.  libc makes every thread change, and aborts the process if not
 * all may; a host that raised or dropped capabilities, which are each thread's own, must not find
 * the helper with others: it makes way, and comes back as the caller is then.
 */
bool snap__process_before_identity(void);
void snap__process_after_identity(bool made_way);

/** In the child, after fork() returned. */
void snap__process_forked(void);

/** A thread of the host is about to end, though the process is not. */
void snap__process_thread_ends(void);

/** Called now and then from the record path: the helper is started where it is missing. */
void snap__process_tick(void);

const struct snap__config *snap__process_config(void);
const struct snap__identity *snap__process_identity(void);
const struct snap__host *snap__process_host(void);

/** Labels, as K=V lines. False: no room.  `value` NULL removes. */
bool snap__process_set_label(const char *key, const char *value);
typedef void snap__label_fn(void *user, const char *key, const char *value);
void snap__process_each_label(snap__label_fn *fn, void *user);

#endif
