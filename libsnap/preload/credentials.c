/*
 * preload/credentials.c - changes of user and group, which libc makes in all threads of the process
 * at once.
 */
#include <grp.h>
#include <unistd.h>

#include "preload/entry.h"
#include "preload/real.h"
#include "runtime/lifecycle.h"
#include "runtime/trigger.h"

#define CREDENTIALS_CALL(name, parameters, arguments)                                              \
	ENTRY int name parameters                                                                  \
	{                                                                                          \
		struct snap__way way;                                                              \
		int result;                                                                        \
                                                                                                   \
		snap__real_find();                                                                 \
		way = snap__process_make_way();                                                    \
		result = snap__real.name arguments;                                                \
		snap__process_after_credentials(way);                                              \
		return result;                                                                     \
	}

CREDENTIALS_CALL(setuid, (uid_t user), (user))
CREDENTIALS_CALL(setgid, (gid_t group), (group))
CREDENTIALS_CALL(seteuid, (uid_t user), (user))
CREDENTIALS_CALL(setegid, (gid_t group), (group))
CREDENTIALS_CALL(setreuid, (uid_t real, uid_t effective), (real, effective))
CREDENTIALS_CALL(setregid, (gid_t real, gid_t effective), (real, effective))
CREDENTIALS_CALL(setresuid, (uid_t real, uid_t effective, uid_t saved), (real, effective, saved))
CREDENTIALS_CALL(setresgid, (gid_t real, gid_t effective, gid_t saved), (real, effective, saved))
CREDENTIALS_CALL(setgroups, (size_t count, const gid_t *groups), (count, groups))

/* It reads files and allocates, which may need a helper. */
ENTRY int initgroups(const char *user, gid_t group)
{
	struct snap__way way;
	int result;

	snap__real_find();
	way = snap__process_make_way();
	snap__trigger_free_way(way);
	result = snap__real.initgroups(user, group);
	way.is_held = false;
	snap__process_after_credentials(way);
	return result;
}
