/*
 * read_symbolised.h - one snapshot with names, for commands that write it in another form.
 */
#ifndef READ_SYMBOLISED_H
#define READ_SYMBOLISED_H

#include "model/model.h"
#include "snapshots/snapshots.h"

/**
 * Read the snapshot in `path` and symbolise it.  `salvage`: take what
 * precedes the damage of a damaged file.  `*model` is the caller's, also after a failure, and may
 * be NULL: model_free().  Unless `quiet`, warnings and progress go to standard error.
 */
enum snap_status read_symbolised(struct model **model, const char *path, bool salvage, bool quiet,
				 struct snap_error *err);

/**
 * The file that reports take of a directory, of the processes that `which` names.  `*path` is the
 * caller's, also after a failure, and may be NULL; `*damaged` (may be NULL) is how many damaged
 * files the directory has.
 */
enum snap_status find_snapshot_file(char **path, size_t *damaged, const char *directory,
				    const struct snapshots_options *which, struct snap_error *err);

#endif
