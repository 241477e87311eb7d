/*
 * input/input.h - any file that a user may name -> a model.
 *
 * Formats are recognised by content, never by name.  There is one file for each format, and one
 * line in formats.def.  gzip and zstd wrapped files are unwrapped on the way.
 */
#ifndef INPUT_INPUT_H
#define INPUT_INPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "input/input_options.h"
#include "model/model.h"

/**
 * Read the file `path` ("-" is standard input).  On success `*out` is yours (model_free()), not yet
 * symbolised.  On failure it is NULL and `err` names file and offset.
 * Returns SNAP_OK, SNAP_EIO, SNAP_ENOMEM, SNAP_EVERSION, SNAP_ECORRUPT, SNAP_ETRUNCATED,
 * SNAP_EUNSUPPORTED.
 */
enum snap_status input_read(struct model **out, const char *path,
			    const struct input_options *options, struct snap_error *err);

/** Same, for bytes in memory. `name` is for messages. */
enum snap_status input_read_memory(struct model **out, const void *data, size_t size,
				   const char *name, const struct input_options *options,
				   struct snap_error *err);

/** The name of the format that `data` begins as ("snap", "text", "tracemalloc", ...), or NULL. */
const char *input_recognise(const void *data, size_t size);

/** Called for a file that is named like a snapshot and is none, with a sentence that says what it
 * is. */
typedef void input_skip_fn(void *user, const char *path, const char *sentence);

/**
 * The snapshots of a directory in order of capture (start time of the process, pid, seq; then
 * name), as malloc'ed paths.  Only files of a recognised format are listed.  Those that are named
 * like a snapshot and are damaged beyond recognition (emptied, zeroed after a crash) are given to
 * `skip`, which may be NULL.  SNAP_ENOTFOUND when there are neither, SNAP_ECORRUPT when there are
 * only damaged ones.
 */
enum snap_status input_list_directory(const char *dir, input_skip_fn *skip, void *user,
				      char ***paths, size_t *count, struct snap_error *err);
void input_free_list(char **paths, size_t count);

/** What orders snapshots, 0 each where it is not known. */
struct input_time {
	uint64_t start_time_ns, pid, ppid, seq, time_ns;
	uint64_t live_bytes; /* as the recorder counted them */
	bool of_file;        /* time_ns is only the file's */
	bool at_exit;        /* taken as the program ended */
};

/** Read a file's, as cheaply as its format allows.  Of anything but a regular file in a recognised
 * format nothing is known, and nothing is read.  SNAP_OK or SNAP_ENOMEM. */
enum snap_status input_read_time(const char *path, struct input_time *time, struct snap_error *err);

/** Negative, 0 or positive, as `a` comes before, with or after `b`. */
int input_compare_times(const struct input_time *a, const struct input_time *b);

/** Are two names the same but for their numbers?  "step-9.dump" and "step-10.dump" are. */
bool input_same_but_numbers(const char *a, const char *b);

/** Write the text form (dump).  Returns SNAP_OK, SNAP_ENOMEM, or SNAP_EIO if `out` takes no more. */
enum snap_status input_write_text(const struct model *model, FILE *out, struct snap_error *err);
/** The same, and behind live_bytes by how much it may be off, where the model says so. */
enum snap_status input_write_text_with_errors(const struct model *model, FILE *out,
					      struct snap_error *err);

/**
 * Write one text form of symbolised models, the runs of a program, for keeping in a repository:
 * rows sorted, what holds nothing left out, without addresses, build ids, times, directories, ages
 * and cumulative figures.  A row holds the median of the runs, and says how far they differ.
 * Returns SNAP_OK, SNAP_EIO or SNAP_ENOMEM.
 */
enum snap_status input_write_baseline(const struct model *const *runs, size_t count, FILE *out,
				      struct snap_error *err);

/** Write a .snap file (build): to a temporary file in the same directory, fsync, rename. */
enum snap_status input_write_snap(const struct model *model, const char *path,
				  struct snap_error *err);

#endif
