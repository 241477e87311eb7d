/*
 * base/regular.h - open a file that somebody else named, and nothing but a regular file.
 *
 * A name in a snapshot may lead to a device, which does something when it is opened, or to a pipe,
 * whose waiting writer would continue.  So the file is checked first, and opened only if it is a
 * regular file.
 */
#ifndef BASE_REGULAR_H
#define BASE_REGULAR_H

#include <stdint.h>

/**
 * Open `path` for reading: a regular file of at most `most` bytes that lies on a disk (files of
 * the kernel, as in /proc and /sys, act when they are read).  A relative path begins at
 * `directory`, or at the current one for AT_FDCWD.  Symbolic links are followed; what they lead to
 * is checked.  Returns a descriptor and its `*size` (may be NULL), or -1 with errno: EISDIR, EINVAL
 * (no such file), EFBIG, or what the system said.
 */
int regular_open(int directory, const char *path, uint64_t most, uint64_t *size);

/** What regular_open() would refuse the file for, as an errno; or 0, and its `*size`.  Nothing is
 * opened. */
int regular_fault(int directory, const char *path, uint64_t most, uint64_t *size);

#endif
