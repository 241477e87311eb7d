/*
 * preload/wait.c - calls that wait for children of every kind, as debuggers and tracers do.
 *
 * The helper is a child that only waits with __WALL or __WCLONE for any child see.  It lives as long as the host, so
 * such a wait would never end.  The helper ends before these calls, and no thread starts another until it is known
 * that the host has children of its own: the first look does not wait.  A later allocation starts another.
 *
 * The first look is not libc's function, because a thread that is cancelled in it would not come back.
 */
#include <errno.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload/entry.h"
#include "preload/real.h"
#include "runtime/lifecycle.h"
#include "runtime/trigger.h"

static bool meets_helper(bool any, int options)
{
	snap__real_find();
	return any && ((unsigned)options & (__WALL | __WCLONE));
}

static struct snap__way make_way(void)
{
	int saved = errno;
	struct snap__way way = snap__process_make_way();

	errno = saved;
	return way;
}

static void free_way(struct snap__way way)
{
	int saved = errno;

	snap__trigger_free_way(way);
	errno = saved;
}

/* Did a look find something, or is there nothing to wait for? */
static pid_t look(pid_t pid, int *status, int options, struct rusage *usage)
{
	struct snap__way way = make_way();
	pid_t found = (pid_t)syscall(SYS_wait4, pid, status, options | WNOHANG, usage);

	free_way(way);
	return found;
}

ENTRY pid_t waitpid(pid_t pid, int *status, int options)
{
	pid_t found = meets_helper(pid <= 0, options) ? look(pid, status, options, NULL) : 0;

	return found ? found : snap__real.waitpid(pid, status, options);
}

ENTRY pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
	pid_t found = meets_helper(pid <= 0, options) ? look(pid, status, options, usage) : 0;

	return found ? found : snap__real.wait4(pid, status, options, usage);
}

/* The same, where what is found is in `info`. */
static bool look_for_info(idtype_t type, id_t id, siginfo_t *info, int options, int *result)
{
	siginfo_t found = {0};
	struct snap__way way = make_way();

	*result = (int)syscall(SYS_waitid, type, id, &found, options | WNOHANG, NULL);
	free_way(way);
	if (*result == 0 && found.si_pid == 0)
		return false;
	if (*result == 0 && info)
		*info = found;
	return true;
}

ENTRY int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
	int result;

	if (meets_helper(type == P_ALL || type == P_PGID, options) &&
	    look_for_info(type, id, info, options, &result))
		return result;
	return snap__real.waitid(type, id, info, options);
}
