/*
 * read_symbolised.h - one snapshot with names, for commands that write it in another form.
 */
#ifndef READ_SYMBOLISED_H
#define READ_SYMBOLISED_H

#include "model/model.h"

/**
 * Read the snapshot `name` (of a directory, the newest) and symbolise it.  `salvage`: take what
 * precedes the damage of a damaged file.  `*model` is the caller's, also after a failure, and may
 * be NULL: model_free().  Unless `quiet`, warnings and progress go to standard error.
 */
enum snap_status read_symbolised(struct model **model, const char *name, bool salvage, bool quiet,
				 struct snap_error *err);

#endif
