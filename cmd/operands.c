/*
 * operands.c - find operands in the wrong place.
 *
 * A function may have the name of a file, so these only speak where the command fails otherwise.
 */
#include "operands.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/shell.h"
#include "snapshots/snapshots.h"

static bool exists(const char *name)
{
	return strcmp(name, "-") == 0 || access(name, F_OK) == 0;
}

enum snap_status operands_check_function(const struct invocation *call, const char *command,
					 const char *db, struct snap_error *err)
{
	const char *first = call->argv[0];

	if (db || access(first, F_OK) != 0)
		return SNAP_OK;
	if (call->argc == 1 && !exists(SNAPSHOTS_DEFAULT_DIRECTORY))
		return fail(err, SNAP_EUSAGE,
			    "'%s' is a file or directory, and no function is named: "
			    "snapdiff %s REGEX %s",
			    first, command, first);
	if (call->argc == 2 && !exists(call->argv[1]))
		return fail(err, SNAP_EUSAGE,
			    "there is no file '%s'; the function is named first: "
			    "snapdiff %s '%s' %s",
			    call->argv[1], command, call->argv[1], first);
	return SNAP_OK;
}

static const char *first_that(const struct invocation *call, bool is_there)
{
	for (int i = 0; i < call->argc; i++)
		if (strcmp(call->argv[i], "--") != 0 && exists(call->argv[i]) == is_there)
			return call->argv[i];
	return NULL;
}

enum snap_status operands_check_snapshots(const struct invocation *call, const char *command,
					  const char *db, struct snap_error *err)
{
	const char *missing = db ? NULL : first_that(call, false);
	const char *present = missing ? first_that(call, true) : NULL;
	char *function;

	/* A pattern of the shell's that matched nothing, and a path, are no functions. */
	if (!present || strpbrk(missing, "*?/") || strstr(missing, ".snap"))
		return SNAP_OK;
	function = shell_word(missing);
	fail(err, SNAP_EUSAGE,
	     "there is no file '%s'; to see only what a function allocates: snapdiff %s --focus %s "
	     "%s",
	     missing, command, function ? function : missing, present);
	free(function);
	return SNAP_EUSAGE;
}
