/*
 * model/identity.h - which call stacks are the same call stack.
 *
 * Three 64-bit keys per site, from most to least exact:
 *   exact     build-id and address of every location (0 when the stack has any location without)
 *   line      function, file, line of every frame (addresses ignored)
 *   function  normalised function names and module base names (files and lines ignored); the
 * program's own executable counts as one and the same module under every file name A frame without
 * a function name is identified by its file, and without that by its address.  All keys include the
 * domain.  Keys are stable across processes, machines and versions of the tool.
 */
#ifndef MODEL_IDENTITY_H
#define MODEL_IDENTITY_H

#include "model/model.h"

struct site_identity {
	uint64_t exact;
	uint64_t line;
	uint64_t function;
	uint32_t named; /* position (newest expanded frame = 0) of the frame that names the site:
			   the first of own code, see own.h */
	bool own;       /* that frame is own code */
};

/** One entry per site of a symbolised model, malloc'ed: free() it.  NULL when memory is out. */
struct site_identity *identity_compute(const struct model *model);
/** The same, of those sites alone for which `wanted` is true; the other entries are zero.  A series
 * has the same sites in each snapshot, and most of the work is in the names of their functions. */
struct site_identity *identity_compute_of(const struct model *model, const bool *wanted);

#endif
