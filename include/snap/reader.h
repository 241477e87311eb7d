/*
 * snap/reader.h - decode a snapshot file, one section at a time.
 *
 * Files are untrusted: every length is checked against the bytes that remain, and against the
 * ceilings of libsnap/read/limits.h.  A row passed to a callback belongs to the reader and is valid
 * until the callback returns.  Ids inside a row have been checked: they are smaller than the count
 * of the section that they refer to.
 */
#ifndef SNAP_READER_H
#define SNAP_READER_H

#include <stdbool.h>

#include "snap/records.h"
#include "snap/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct snap_reader;

/** How many rows each section of an open file says it has. */
struct snap_counts {
	uint64_t strings, modules, locations, frames, nodes, sites, cohorts;
	uint64_t groups, roots, edges, paths, steps;
};

/**
 * A callback gets one row and returns SNAP_OK to go on; anything else ends the
 * iteration, which then returns that status.
 */
typedef enum snap_status snap_meta_fn(void *user, const struct snap_meta *meta);
typedef enum snap_status snap_string_fn(void *user, uint32_t id, struct snap_text text);
typedef enum snap_status snap_module_fn(void *user, uint32_t id, const struct snap_module *module);
/** `frames` has location->frame_count elements. */
typedef enum snap_status snap_location_fn(void *user, uint32_t id,
					  const struct snap_location *location,
					  const struct snap_frame *frames);
typedef enum snap_status snap_node_fn(void *user, uint32_t id, const struct snap_node *node);
/** `cohorts` has site->cohort_count elements; `variance` is NULL unless the file was sampled. */
typedef enum snap_status snap_site_fn(void *user, uint32_t id, const struct snap_site *site,
				      const struct snap_cohort *cohorts,
				      const struct snap_variance *variance);

typedef enum snap_status snap_group_fn(void *user, uint32_t id, const struct snap_group *group);
typedef enum snap_status snap_root_fn(void *user, uint32_t id, const struct snap_root *root);
typedef enum snap_status snap_edge_fn(void *user, const struct snap_edge *edge);
/** `steps` has path->step_count elements. */
typedef enum snap_status snap_path_fn(void *user, const struct snap_path *path,
				      const struct snap_step *steps);

/** What to do with a file that ends early. */
enum snap_reader_mode {
	SNAP_READ_WHOLE = 0,   /* refuse it: SNAP_ETRUNCATED */
	SNAP_READ_SALVAGE = 1, /* read every whole chunk before the tear; see snap_reader_torn() */
};

/** True if `data` begins as a snapshot file does; 8 bytes are enough to tell. */
bool snap_reader_recognises(const void *data, size_t size);

/**
 * Open the file `path`; verify its header and section directory.
 * On success `*out` is yours: release it with snap_reader_close().  On failure it is
 * NULL, and `err` (may be NULL) says what failed and where.
 * Returns SNAP_OK, SNAP_EIO, SNAP_ENOMEM, SNAP_EVERSION, SNAP_ECORRUPT or SNAP_ETRUNCATED.
 */
enum snap_status snap_reader_open(struct snap_reader **out, const char *path,
				  enum snap_reader_mode mode, struct snap_error *err);

/** The same for `size` bytes at `data`, which must outlive the reader; `name` is for messages. */
enum snap_status snap_reader_open_memory(struct snap_reader **out, const void *data, size_t size,
					 const char *name, enum snap_reader_mode mode,
					 struct snap_error *err);

/** Release a reader; NULL is allowed. */
void snap_reader_close(struct snap_reader *reader);

/**
 * NULL for a whole file. Otherwise, with SNAP_READ_SALVAGE, a sentence that says where the file is
 * torn and what is missing; it belongs to the reader.
 */
const char *snap_reader_torn(const struct snap_reader *reader);

/**
 * The minor version of the file's format: above SNAP_FORMAT_MINOR, the file may hold sections
 * that this reader does not know and leaves out.
 */
unsigned snap_reader_minor(const struct snap_reader *reader);

/** Row counts; of a torn file, those of the chunks that were saved. */
void snap_reader_counts(const struct snap_reader *reader, struct snap_counts *counts);

/**
 * Checksum (XXH64) of the file's content, in file order and independent of compression
 * level: two files with equal digests hold the same snapshot.
 */
uint64_t snap_reader_digest(const struct snap_reader *reader);

/**
 * Iterate over one section, in file order.  Each may be called any number of times, in any
 * order, and from a callback.  A file is read as it is iterated over: it may also fail here.
 * Returns SNAP_OK, the callback's status, SNAP_EIO, SNAP_ENOMEM, SNAP_ECORRUPT.
 */
enum snap_status snap_reader_each_meta(struct snap_reader *reader, snap_meta_fn *fn, void *user,
				       struct snap_error *err);
enum snap_status snap_reader_each_string(struct snap_reader *reader, snap_string_fn *fn, void *user,
					 struct snap_error *err);
enum snap_status snap_reader_each_module(struct snap_reader *reader, snap_module_fn *fn, void *user,
					 struct snap_error *err);
enum snap_status snap_reader_each_location(struct snap_reader *reader, snap_location_fn *fn,
					   void *user, struct snap_error *err);
enum snap_status snap_reader_each_node(struct snap_reader *reader, snap_node_fn *fn, void *user,
				       struct snap_error *err);
enum snap_status snap_reader_each_site(struct snap_reader *reader, snap_site_fn *fn, void *user,
				       struct snap_error *err);

/** The graph of holders; it has no rows if the snapshot was taken without it. */
enum snap_status snap_reader_each_group(struct snap_reader *reader, snap_group_fn *fn, void *user,
					struct snap_error *err);
enum snap_status snap_reader_each_root(struct snap_reader *reader, snap_root_fn *fn, void *user,
				       struct snap_error *err);
enum snap_status snap_reader_each_edge(struct snap_reader *reader, snap_edge_fn *fn, void *user,
				       struct snap_error *err);
enum snap_status snap_reader_each_path(struct snap_reader *reader, snap_path_fn *fn, void *user,
				       struct snap_error *err);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
