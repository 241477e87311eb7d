/*
 * report/call_tree.h - changed call paths as an indented tree, for people.
 */
#ifndef REPORT_CALL_TREE_H
#define REPORT_CALL_TREE_H

#include "dataset/dataset.h"
#include "report/report.h"

/** A call stack and by how many bytes it changed. */
struct call_path {
	uint32_t site;
	int64_t delta;
};

/**
 * Add the tree of `paths` to the report's closing lines: outermost callers first, each with the sum
 * of what changed below it, the largest change first; callers with one callee share its line.
 * Frames that only pass a request on to malloc are left out. Unless `whole`, so are the frames
 * outside of main and the middle of long chains, and names are short.  False when memory is out.
 */
bool call_tree_note(struct report *report, const struct dataset *dataset,
		    const struct call_path *paths, size_t count, bool whole);

#endif
