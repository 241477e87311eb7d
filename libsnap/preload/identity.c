/*
 * preload/identity.c - changes of user and group, which libc makes in all threads at once: ours
 * included.
 */
#include <grp.h>
#include <unistd.h>

#include "preload/entry.h"
#include "preload/real.h"
#include "runtime/lifecycle.h"

#define IDENTITY_CALL(name, parameters, arguments)                                                 \
	ENTRY int name parameters                                                                  \
	{                                                                                          \
		bool made_way;                                                                     \
		int result;                                                                        \
                                                                                                   \
		snap__real_find();                                                                 \
		made_way = snap__process_before_identity();                                        \
		result = snap__real.name arguments;                                                \
		snap__process_after_identity(made_way);                                            \
		return result;                                                                     \
	}

IDENTITY_CALL(setuid, (uid_t user), (user))
IDENTITY_CALL(setgid, (gid_t group), (group))
IDENTITY_CALL(seteuid, (uid_t user), (user))
IDENTITY_CALL(setegid, (gid_t group), (group))
IDENTITY_CALL(setreuid, (uid_t real, uid_t effective), (real, effective))
IDENTITY_CALL(setregid, (gid_t real, gid_t effective), (real, effective))
IDENTITY_CALL(setresuid, (uid_t real, uid_t effective, uid_t saved), (real, effective, saved))
IDENTITY_CALL(setresgid, (gid_t real, gid_t effective, gid_t saved), (real, effective, saved))
IDENTITY_CALL(setgroups, (size_t count, const gid_t *groups), (count, groups))
IDENTITY_CALL(initgroups, (const char *user, gid_t group), (user, group))
