/*
 * runtime/file.h - a new file in the output directory: whole under its name, or absent.
 *
 * Other users may be able to write to the directory.  So the temporary name is unpredictable, no
 * existing file or link is opened, and only files that are known to be ours are replaced.  The name has
 * the pid in it, so that `snapdiff run` can remove what a killed process left.
 */
#ifndef SNAP_RUNTIME_FILE_H
#define SNAP_RUNTIME_FILE_H

#include <stdbool.h>

struct snap__file {
	int directory; /* descriptor */
	bool owns_directory;
	int fd;
	char temporary[320];
};

/** A temporary file for `name` in `directory`, or, if that is negative, in the directory at `path`.
 *  0, or an errno value. */
int snap__file_create(struct snap__file *file, int directory, const char *path, const char *name);

/** All is written.  `is_durable`: it is on the disk afterwards.  0, or an errno value. */
int snap__file_finish(struct snap__file *file, bool is_durable);

/** Give it the name `name`.  0, or an errno value.  EEXIST: the name is taken. */
int snap__file_rename(struct snap__file *file, const char *name);

/** The same where `name` is that of an older file of ours, which is replaced. */
int snap__file_replace(struct snap__file *file, const char *name);

/** Close everything.  `is_kept`: it has its name, which is on the disk if `is_durable`; otherwise
 *  nothing is left. */
void snap__file_close(struct snap__file *file, bool is_kept, bool is_durable);

#endif
