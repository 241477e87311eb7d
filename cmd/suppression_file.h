/*
 * suppression_file.h - files that the user names: text, and suppressions.
 */
#ifndef SUPPRESSION_FILE_H
#define SUPPRESSION_FILE_H

#include "analysis/policy/suppress.h"

/** The whole of a text file of at most 1 MiB, malloc'ed. */
enum snap_status text_file_read(const char *path, char **text, struct snap_error *err);

/** The rules of several files.  The names of the files must live as long as the rules.  Release
 * with suppressions_release(). */
enum snap_status suppression_files_read(struct suppressions *out, const char *const *paths,
					size_t count, struct snap_error *err);

/** Today by UTC as yyyymmdd: suppressions that expired before it do not apply. */
int suppression_today(void);

#endif
