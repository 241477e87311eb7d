/*
 * model/bounds.h - limits of a snapshot's contents, beyond those of the format.
 */
#ifndef MODEL_BOUNDS_H
#define MODEL_BOUNDS_H

#include "model/model.h"

/**
 * The call stacks of all sites together, inlined frames included, may have a fixed number of
 * frames, and a number of further frames for each node of the tree of stacks.  A node is shared by
 * all stacks above it, so that a file of some hundred bytes can hold ten thousands of stacks of ten
 * thousands of frames each. A recording has about as many nodes as sites: at most 256 frames each
 * are more than any has.
 */
#define MODEL_FRAMES_FREE     (UINT64_C(16) << 20)
#define MODEL_FRAMES_PER_NODE UINT64_C(256)

/** SNAP_ECORRUPT: the stacks ask for more; or memory is out. */
enum snap_status model_check_stacks(const struct model *model, struct snap_error *err);

/** SNAP_ECORRUPT: a figure, or what the figures add up to, is beyond 2^63 - 1, which no process can
 * have and no database can hold. */
enum snap_status model_check_figures(const struct model *model, const struct model_totals *totals,
				     struct snap_error *err);

/** The same for the graph of holders: for its figures and for what all groups hold together. */
enum snap_status model_check_holders(const struct model *model, struct snap_error *err);

/** Both checks, for a model that is printed or written without a database: every report must be
 * able to read it. */
enum snap_status model_check_contents(const struct model *model, struct snap_error *err);

#endif
