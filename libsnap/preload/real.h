/*
 * preload/real.h - the real functions that ours wrap.
 *
 * They are found with dlsym(RTLD_NEXT): the malloc that the host would have used (libc's,
 * jemalloc's ...) still does the work.  dlsym may itself allocate; such calls, and any that come
 * before the search is over, are served by bootstrap.h.
 */
#ifndef SNAP_PRELOAD_REAL_H
#define SNAP_PRELOAD_REAL_H

#include <spawn.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/wait.h>

#include "runtime/hidden.h"
#include "runtime/process.h"

struct snap__real {
	void *(*malloc)(size_t);
	void *(*calloc)(size_t, size_t);
	void *(*realloc)(void *, size_t);
	void *(*reallocarray)(void *, size_t, size_t);
	void (*free)(void *);
	void *(*memalign)(size_t, size_t);
	void *(*aligned_alloc)(size_t, size_t);
	int (*posix_memalign)(void **, size_t, size_t);
	void *(*valloc)(size_t);
	void *(*pvalloc)(size_t);
	size_t (*malloc_usable_size)(void *);
	void (*free_sized)(void *, size_t);
	void (*free_aligned_sized)(void *, size_t, size_t);
	void (*exit)(int);
	void (*exit_at_once)(int);
	int (*fork)(void);
	int (*fork_bare)(void);
	int (*dlclose)(void *);
	int (*unshare)(int);
	int (*setns)(int, int);
	pid_t (*waitpid)(pid_t, int *, int);
	pid_t (*wait4)(pid_t, int *, int, struct rusage *);
	int (*waitid)(idtype_t, id_t, siginfo_t *, int);
	int (*setuid)(uid_t);
	int (*setgid)(gid_t);
	int (*seteuid)(uid_t);
	int (*setegid)(gid_t);
	int (*setreuid)(uid_t, uid_t);
	int (*setregid)(gid_t, gid_t);
	int (*setresuid)(uid_t, uid_t, uid_t);
	int (*setresgid)(gid_t, gid_t, gid_t);
	int (*setgroups)(size_t, const gid_t *);
	int (*initgroups)(const char *, gid_t);
	void *(*mmap)(void *, size_t, int, int, int, off_t);
	int (*munmap)(void *, size_t);
	void *(*mremap)(void *, size_t, size_t, int, void *);
	int (*execve)(const char *, char *const *, char *const *);
	int (*execv)(const char *, char *const *);
	int (*execvp)(const char *, char *const *);
	int (*execvpe)(const char *, char *const *, char *const *);
	int (*execveat)(int, const char *, char *const *, char *const *, int);
	int (*fexecve)(int, char *const *, char *const *);
	int (*posix_spawn)(pid_t *, const char *, const posix_spawn_file_actions_t *,
			   const posix_spawnattr_t *, char *const *, char *const *);
	int (*posix_spawnp)(pid_t *, const char *, const posix_spawn_file_actions_t *,
			    const posix_spawnattr_t *, char *const *, char *const *);
	void *(*sbrk)(intptr_t);
	int (*brk)(void *);
	int (*sigaltstack)(const stack_t *, stack_t *);
	void (*abort)(void);
	void (*assert_fail)(const char *, const char *, unsigned, const char *);
	int (*sigaction)(int, const struct sigaction *, struct sigaction *);
	void (*(*signal)(int, void (*)(int)))(int);
	void (*(*sysv_signal)(int, void (*)(int)))(int);
	void (*(*sigset)(int, void (*)(int)))(int);
	int (*prctl)(int, ...);
	int (*chroot)(const char *);
	void *start_main;
};

/** Until snap__real_find() is done all are NULL, but for malloc, calloc, realloc and free: these
 * can always be called, though not with blocks of the pool (bootstrap.h). */
extern SNAP__HIDDEN struct snap__real snap__real;

/** Look everything up, once.  False for calls that come during the search. */
int snap__real_find(void);

/** One function alone: `slot` gets `*known`, or what is looked up if that is NULL.  For calls that an
 *  allocator in front of libsnap may make during the search, and that must not begin it.  False: there
 *  is none. */
bool snap__real_one(void *slot, const void *known, const char *name);

/** What is known of the host's malloc; call after snap__real_find(). */
void snap__real_describe(struct snap__host *host);

#endif
