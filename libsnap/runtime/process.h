/*
 * runtime/process.h - who the process is, how it is to be recorded, and its labels.
 *
 * The bottom layer of the runtime: other files call it, and it calls none of them.
 */
#ifndef SNAP_RUNTIME_PROCESS_H
#define SNAP_RUNTIME_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/config.h"
#include "runtime/hidden.h"

/** What preload/ found out about the host's malloc. */
struct snap__host {
	const char *allocator; /* "glibc", "jemalloc", ... */
	const void *malloc_address;
	unsigned granule_shift; /* see heapmap.h */
	const char *in_front;   /* object whose malloc the program calls instead of ours, or NULL */
	char *alone[2];         /* libc's flag and the program's copy of it (alone.h), or NULL */
	char *const *arguments; /* of the program; NULL: not known */
};

struct snap__process {
	int pid, parent;
	uint64_t start_ticks;   /* snap__process_start_ticks() */
	uint64_t start_time_ns; /* wall clock when recording (or the forked child) began */
	uint64_t start_mono_ns; /* the same by the clock that nobody sets */
	char program[192];      /* file name part; '/' and control characters replaced; cut, so that
				   the names of snapshots are not too long for a file system */
	char host[256];
	char exe[SNAP__PATH_MAX]; /* "unknown" if neither the kernel nor the loader tells */
	char command[8192];
};

/** How the calling process relates to the state in our memory. */
enum snap__relation {
	SNAP__OURS,     /* the process that the state describes */
	SNAP__COPY,     /* a copy made by a raw clone(): no handler has run */
	SNAP__BORROWED, /* a vfork child that runs in its parent's memory: change nothing */
};
enum snap__relation snap__process_relation(void);

/**
 * Has the thread a word that the kernel clears at its end?  libc gives one to each thread, and to
 * the first thread of a forked child; a child of vfork() has none.  The only system call that it
 * makes is prctl().  Preserves errno.
 */
bool snap__process_has_thread_word(void);

/**
 * Is the caller certainly not one of the process's threads that libc started?  It is true in a child of
 * vfork(), without getpid(), if the kernel told the word when recording began.
 */
bool snap__process_is_no_thread(void);
/** To be called at the begin of recording, if no filter is in place. */
void snap__process_note_thread_word(void);

/** The settings, for lifecycle.c to fill in; others read snap__process_config(). */
extern SNAP__HIDDEN struct snap__config snap__settings;

/** Have the kernel make the pages of our small variables in one step, which is cheaper than one
 * fault for each. */
void snap__warm(void);

void snap__process_set_host(const struct snap__host *host);

/** From here on, snap__process_relation() can tell forked copies from vfork children. */
void snap__process_make_witness(void);

/** The name by which the process's program is known, before snap__process_find(). */
const char *snap__process_name(void);

/** What the process has written over its arguments since it began (a server's "worker: idle"), with likely secrets
 * masked as in the command; NULL if it has not, or if the command is not to be recorded.  Lives until the next
 * call; not from two threads at once. */
const char *snap__process_title(void);

/** The first finds out everything about the process; the second only what differs in a forked
 * child. */
void snap__process_find(void);
void snap__process_renew(void);
void snap__process_after_fork(void);

const struct snap__config *snap__process_config(void);
const struct snap__process *snap__process_self(void);
/** Since recording, or the forked child, began.  The wall clock may have been set meanwhile. */
uint64_t snap__process_age_ns(void);
const struct snap__host *snap__process_host(void);
/** When the process started, in clock ticks since boot; 0 unknown.  The kernel is asked once, if
 * `asks` is set. */
uint64_t snap__process_start_ticks(bool asks);
/** The program's path as the kernel knows it; the kernel is asked once.  "" if it does not say. */
const char *snap__process_exe(void);
/** Does `text` lie where the kernel put the arguments and the environment?  That memory can always
 * be read and written. */
bool snap__process_is_of_kernel(const char *text);

/** Labels, as K=V lines. False: no room.  `value` NULL removes. */
bool snap__process_set_label(const char *key, const char *value);
typedef void snap__label_fn(void *user, const char *key, const char *value);
void snap__process_each_label(snap__label_fn *fn, void *user);

#endif
