/*
 * preload/wait.c - calls that wait for children of every kind, as debuggers and tracers do.
 *
 * The helper is a child that only waits with __WALL or __WCLONE see.  It lives as long as the host, so such a
 * wait for any child would never end.  The helper ends before these calls; a later allocation starts another.
 */
#include <errno.h>
#include <stdbool.h>
#include <sys/types.h>
#include <sys/wait.h>

#include "preload/entry.h"
#include "preload/real.h"
#include "runtime/lifecycle.h"

static void make_way(int options)
{
	int saved = errno;

	snap__real_find();
	if ((unsigned)options & (__WALL | __WCLONE))
		(void)snap__process_make_way();
	errno = saved;
}

ENTRY pid_t waitpid(pid_t pid, int *status, int options)
{
	make_way(options);
	return snap__real.waitpid(pid, status, options);
}

ENTRY pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
	make_way(options);
	return snap__real.wait4(pid, status, options, usage);
}

ENTRY int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
	make_way(options);
	return snap__real.waitid(type, id, info, options);
}
