/*
 * capture/unfinished.h - temporary files of snapshots that nobody will finish.
 *
 * libsnap writes a snapshot to `.PROGRAM.PID.HEX.tmp` and gives it its name when it is whole.  A
 * process that is killed meanwhile leaves that file behind.
 */
#ifndef CAPTURE_UNFINISHED_H
#define CAPTURE_UNFINISHED_H

#include <stddef.h>

#include "capture/hello.h"

/**
 * Remove from `dir` such files of processes of this run that have ended, and those that nobody has
 * written to for ten minutes.  Only files of this user, and none that anybody has open for writing:
 * where the file system cannot tell, it stays.  Returns how many of this run's were removed.
 */
size_t unfinished_remove(const struct hello *hello, const char *dir);

#endif
