/*
 * capture/preflight.h - can this command be recorded at all?  Asked before it is started.
 *
 * Preloading fails silently: a static or setuid program runs unrecorded.  So we check first.
 */
#ifndef CAPTURE_PREFLIGHT_H
#define CAPTURE_PREFLIGHT_H

#include "base/fail.h"

/**
 * Find `command` as a shell would (PATH unless it has a slash); the malloc'ed path in *path.
 * SNAP_ENOTFOUND: there is none (exit 127).  SNAP_EIO: found, but not executable (exit 126).
 */
enum snap_status preflight_find(const char *command, char **path, struct snap_error *err);

/**
 * Check that a preloaded library would be loaded into the program at `path` (image/image.h).
 * SNAP_EUNSUPPORTED says why not and, if there is one, names a workaround.  A program that has a
 * sanitizer or another recorder passes: it is run without libsnap.
 */
enum snap_status preflight_check(const char *path, struct snap_error *err);

#endif
