/*
 * write/writer.h - rows -> chunks -> zstd -> file descriptor.
 *
 * Used inside the host by the runtime and by `snapdiff build`: it never calls malloc,
 * stdio or a lock.  All memory is one workspace that the caller gives.  Sections are
 * written in the order of the functions below (meta may be repeated only at the start); within
 * a section, rows in id order.  The first error sticks: later calls return it, so that a
 * caller may check only snap__writer_finish().
 */
#ifndef SNAP_WRITE_WRITER_H
#define SNAP_WRITE_WRITER_H

#include "snap/records.h"
#include "snap/status.h"

struct snap__writer;

/** Bytes of workspace that a writer needs; a constant of the build, a few MiB at most. */
size_t snap__writer_workspace_size(void);

/**
 * Begin a file on `fd` (at its current offset, which must be 0; the writer keeps its own
 * count and only calls write()).  `workspace` is 64-byte aligned, stays the caller's, and must
 * live until snap__writer_finish().  Never fails: for a workspace that is too small or not aligned
 * it returns NULL, which the functions below take and answer with SNAP_ENOMEM.
 */
struct snap__writer *snap__writer_begin(void *workspace, size_t workspace_size, int fd);

/** Do not compress chunks below 4 KiB: a process that waits for its last snapshot should not also
 * wait for a compressor.  `w` may be NULL. */
void snap__writer_hurry(struct snap__writer *w);

/**
 * Each returns SNAP_OK or the first error.  String 0 must be the empty string.  A row beyond the
 * ceilings of snap/format.h gives SNAP_EINVAL, except that the depth of the tree is not checked:
 * the caller must keep it within SNAP_STACK_DEPTH_MAX, or no reader accepts the file.
 */
enum snap_status snap__write_meta(struct snap__writer *w, const struct snap_meta *meta);
enum snap_status snap__write_string(struct snap__writer *w, struct snap_text text);
enum snap_status snap__write_module(struct snap__writer *w, const struct snap_module *module);
enum snap_status snap__write_location(struct snap__writer *w, const struct snap_location *location,
				      const struct snap_frame *frames);
enum snap_status snap__write_node(struct snap__writer *w, const struct snap_node *node);
/** `variance` NULL in exact mode; either every site of a file has one or none has. */
enum snap_status snap__write_site(struct snap__writer *w, const struct snap_site *site,
				  const struct snap_cohort *cohorts,
				  const struct snap_variance *variance);

/** The graph of holders.  It may be left out. */
enum snap_status snap__write_group(struct snap__writer *w, const struct snap_group *group);
enum snap_status snap__write_root(struct snap__writer *w, const struct snap_root *root);
enum snap_status snap__write_edge(struct snap__writer *w, const struct snap_edge *edge);
enum snap_status snap__write_path(struct snap__writer *w, const struct snap_path *path,
				  const struct snap_step *steps);

/**
 * Flush, write the table of contents and footer.  Does not fsync or close `fd`.
 * `*bytes` (may be NULL) gets the file's size.  Returns SNAP_OK, SNAP_EIO (errno is kept),
 * SNAP_ENOMEM, SNAP_EINVAL (rows out of order, an id out of range).
 */
enum snap_status snap__writer_finish(struct snap__writer *w, uint64_t *bytes);

#endif
