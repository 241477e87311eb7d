/*
 * preflight.c - can this command be recorded at all?
 */
#include "capture/preflight.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/image.h"

/* 0 if `path` is a file that may be executed, else the errno that exec would give. */
static int executable_errno(const char *path)
{
	struct stat info;

	if (stat(path, &info) != 0)
		return errno;
	if (!S_ISREG(info.st_mode))
		return EACCES;
	return access(path, X_OK) == 0 ? 0 : errno;
}

/* Search PATH; *last_errno is EACCES if a candidate existed but could not be executed. */
static char *search_path(const char *command, int *last_errno)
{
	const char *dirs = getenv("PATH");
	char candidate[PATH_MAX];

	*last_errno = ENOENT;
	if (!dirs)
		dirs = "/usr/local/bin:/usr/bin:/bin";
	while (true) {
		size_t length = strcspn(dirs, ":");
		int n = snprintf(candidate, sizeof(candidate), "%.*s%s%s", (int)length, dirs,
				 length ? "/" : "", command);

		if (n > 0 && (size_t)n < sizeof(candidate)) {
			int error = executable_errno(candidate);

			if (error == 0)
				return strdup(candidate);
			if (error == EACCES)
				*last_errno = EACCES;
		}
		if (dirs[length] == '\0')
			return NULL;
		dirs += length + 1;
	}
}

enum snap_status preflight_find(const char *command, char **path, struct snap_error *err)
{
	int error;

	*path = NULL;
	if (strchr(command, '/')) {
		error = executable_errno(command);
		if (error == 0)
			*path = strdup(command);
	} else {
		*path = search_path(command, &error);
		if (*path)
			error = 0;
	}
	if (error == 0)
		return *path ? SNAP_OK : fail_memory(err, "looking for the command");
	if (error == ENOENT || error == ENOTDIR)
		return fail(err, SNAP_ENOTFOUND, "%s: command not found%s", command,
			    strpbrk(command, " |>;") ? " (a line for the shell: sh -c 'LINE')"
						     : "");
	return fail(err, SNAP_EIO, "%s: cannot be executed: %s", command, strerror(error));
}

enum snap_status preflight_check(const char *path, struct snap_error *err)
{
	switch (snap__image_look(AT_FDCWD, path)) {
	case SNAP__IMAGE_STATIC:
		return fail(
			err, SNAP_EUNSUPPORTED,
			"%s is statically linked: nothing can be preloaded into it; link it "
			"dynamically, or call the functions of snap.h from it and link libsnap.a",
			path);
	case SNAP__IMAGE_PRIVILEGED:
		return fail(err, SNAP_EUNSUPPORTED,
			    "%s is setuid, setgid or has capabilities: the loader ignores "
			    "preloading there; run it as the user that it switches to",
			    path);
	case SNAP__IMAGE_OTHER_MACHINE:
		return fail(err, SNAP_EUNSUPPORTED,
			    "%s is built for another processor or word size than libsnap", path);
	case SNAP__IMAGE_OTHER_LIBC:
		return fail(err, SNAP_EUNSUPPORTED,
			    "%s uses another C library, and this libsnap was built for glibc",
			    path);
	case SNAP__IMAGE_OLD_LIBC:
		return fail(err, SNAP_EUNSUPPORTED,
			    "%s uses an older glibc than libsnap needs (2.34)", path);
	case SNAP__IMAGE_LOADS:
	case SNAP__IMAGE_SANITIZER: /* it runs, and is not recorded: the end of the run says so */
	case SNAP__IMAGE_RECORDER:
	case SNAP__IMAGE_OUT_OF_REACH:
	case SNAP__IMAGE_CRAMPED:
	case SNAP__IMAGE_FILTERED:
	case SNAP__IMAGE_COUNT:
		break;
	}
	return SNAP_OK;
}
