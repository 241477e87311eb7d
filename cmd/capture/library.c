/*
 * library.c - find libsnap.so, and a name for it that LD_PRELOAD can hold.
 */
#include "capture/library.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"

#ifndef SNAPDIFF_LIBDIR
#define SNAPDIFF_LIBDIR "lib"
#endif

static const char *const places[] = {"../lib", "../" SNAPDIFF_LIBDIR};
static const char *const names[] = {"libsnap.so", "libsnap.so.0"};

enum { PLACES = sizeof(places) / sizeof(places[0]), NAMES = sizeof(names) / sizeof(names[0]) };

/* "../lib", or "../lib and ../lib/x86_64-linux-gnu" where the two differ. */
static enum snap_status not_found(const char *directory, struct snap_error *err)
{
	bool one = strcmp(places[0], places[1]) == 0;

	return fail(err, SNAP_ESYSTEM,
		    "libsnap.so is not beside %s (looked in %s%s%s); set SNAP_LIBRARY to its path",
		    directory, places[0], one ? "" : " and ", one ? "" : places[1]);
}

enum snap_status library_find(char **path, struct snap_error *err)
{
	const char *named = getenv("SNAP_LIBRARY");
	char self[PATH_MAX], candidate[PATH_MAX * 2];
	ssize_t size = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	*path = NULL;
	if (named && *named) {
		*path = realpath(named, NULL);
		return *path ? SNAP_OK
			     : fail(err, SNAP_ESYSTEM, "SNAP_LIBRARY=%s: %s", named,
				    strerror(errno));
	}
	if (size <= 0)
		return fail(err, SNAP_ESYSTEM,
			    "cannot find libsnap.so without /proc; set SNAP_LIBRARY to its path");
	self[size] = '\0';
	slash = strrchr(self, '/');
	if (slash)
		*slash = '\0';
	for (size_t i = 0; i < NAMES * PLACES; i++) {
		snprintf(candidate, sizeof(candidate), "%s/%s/%s", self, places[i % PLACES],
			 names[i / PLACES]);
		*path = realpath(candidate, NULL);
		if (*path)
			return SNAP_OK;
	}
	return not_found(self, err);
}

/* Make a directory into which no other user can write, so that nobody can replace the library that
   is preloaded. */
static bool is_safe(const char *directory)
{
	struct stat info;

	return lstat(directory, &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == geteuid() &&
	       (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static bool points_to(const char *link, const char *path)
{
	char target[PATH_MAX];
	ssize_t size = readlink(link, target, sizeof(target));

	return size >= 0 && (size_t)size == strlen(path) && memcmp(target, path, (size_t)size) == 0;
}

/*
 * Make the link ROOT/snapdiff-UID-HASH/libsnap.so -> path; NULL if that is impossible below `root`.
 * Each library has its own directory, so that two prefixes do not overwrite each other's link.
 */
static char *link_below(const char *root, const char *path)
{
	char directory[64], *link = NULL;

	snprintf(directory, sizeof(directory), "%s/snapdiff-%lu-%016llx", root,
		 (unsigned long)geteuid(), (unsigned long long)hash_of_bytes(path, strlen(path)));
	/* Others may traverse it: a program that changes its user still executes programs. */
	if (mkdir(directory, 0755) != 0 && errno != EEXIST)
		return NULL;
	if (!is_safe(directory) || asprintf(&link, "%s/libsnap.so", directory) < 0)
		return NULL;
	if (points_to(link, path) || symlink(path, link) == 0 || points_to(link, path))
		return link;
	free(link);
	return NULL;
}

enum snap_status library_preloadable(const char *path, char **name, struct snap_error *err)
{
	static const char *const roots[] = {P_tmpdir, "/var/tmp", "/dev/shm"};

	*name = NULL;
	if (!strpbrk(path, ": \t\n$")) {
		*name = strdup(path);
		return *name ? SNAP_OK : fail_memory(err, "preparing the command");
	}
	for (size_t i = 0; !*name && i < sizeof(roots) / sizeof(roots[0]); i++)
		*name = link_below(roots[i], path);
	if (*name)
		return SNAP_OK;
	return fail(
		err, SNAP_ESYSTEM,
		"%s: LD_PRELOAD cannot hold this path (it has a blank, a colon or a dollar sign "
		"in it), and no link to it could be made in " P_tmpdir
		"; install snapdiff under another path",
		path);
}
