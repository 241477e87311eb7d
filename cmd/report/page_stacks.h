/*
 * report/page_stacks.h - the call stacks of two snapshots as one tree, for pictures.
 */
#ifndef REPORT_PAGE_STACKS_H
#define REPORT_PAGE_STACKS_H

#include "dataset/dataset.h"
#include "snap/status.h"

struct page_frame {
	uint32_t function, file, module; /* string ids; 0 is the empty string */
	uint32_t line;
	bool own; /* the user's own code, not a library's */
};

enum { PAGE_SIDES = 2, PAGE_FIGURES = 3 };

/**
 * A tree in preorder: node i is at depth[i] below the one before it that is at depth[i] - 1.
 * Stacks end at nodes; equal stacks of both snapshots end at the same one.
 */
struct page_stacks {
	const struct dataset *dataset; /* whose strings these are */
	struct page_frame *frames;
	size_t frame_count;
	uint32_t *depth, *frame; /* per node */
	size_t node_count;
	uint32_t *leaf;                               /* per stack: the node where it ends */
	uint64_t (*values)[PAGE_SIDES][PAGE_FIGURES]; /* per stack; unknown figures are 0 */
	size_t leaf_count;
	bool known[PAGE_FIGURES]; /* false: unknown for every stack */
	size_t cut; /* stacks deeper than PAGE_DEPTH_MAX: their newest frames are not shown */
};

/** Frames of a stack that are shown, the outermost ones. */
#define PAGE_DEPTH_MAX 1500

/** The names of the figures, as reports call them. */
extern const char *const page_figure_names[PAGE_FIGURES];

/** From snapshots `old` and `new_` (positions, may be equal) of `dataset`, which must outlive the
 * stacks.  Release with page_stacks_release(), also after a failure.  SNAP_ENOMEM. */
enum snap_status page_stacks_make(struct page_stacks *out, const struct dataset *dataset,
				  size_t old, size_t new_, struct snap_error *err);
void page_stacks_release(struct page_stacks *stacks);

/** Text of a string id, and how many there are. */
const char *page_stacks_text(const struct page_stacks *stacks, uint32_t string);
size_t page_stacks_string_count(const struct page_stacks *stacks);

#endif
