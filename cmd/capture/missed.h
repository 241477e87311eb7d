/*
 * capture/missed.h - the programs that a run did not record, kept beside its snapshots.
 *
 * Each run that missed some leaves one hidden file in the output directory:
 * ".not-recorded.<start, nanoseconds>.<pid>", with lines "COUNT<tab>REASON<tab>PROGRAM".
 */
#ifndef CAPTURE_MISSED_H
#define CAPTURE_MISSED_H

#include "base/fail.h"
#include "capture/hello.h"

/** Write the file if there is anything to say.  A failure is ignored. */
void missed_write(const struct hello *hello, const char *dir);

/** Add to `hello` what the files in `dir` say.  The files are untrusted: other files, and files
 * that are too large, are left out. */
void missed_read(struct hello *hello, const char *dir);

#endif
