/*
 * model/model.h - one snapshot in memory, whatever file it came from.
 *
 * Inputs build a model, the symboliser completes it, the store loads it, the text writer prints it.
 * Rows are those of snap/records.h; ids are positions in the arrays below.  A model depends on no
 * other part: no SQL, no files, no formats.
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include <stdbool.h>

#include "model/holders.h"
#include "snap/records.h"
#include "snap/status.h"

struct model_index; /* hash tables behind the intern functions; private */

struct model_location {
	uint32_t module;      /* module id or SNAP_NONE */
	uint32_t flags;       /* enum snap_location_flags */
	uint64_t address;     /* as in struct snap_location */
	uint32_t first_frame; /* its frames are frames[first_frame .. first_frame + frame_count) */
	uint32_t frame_count; /* 0: not symbolised */
};

struct model_site {
	struct snap_site row;
	uint32_t first_cohort; /* its cohorts are cohorts[first_cohort .. + row.cohort_count) */
};

struct model {
	struct snap_text *strings; /* string 0 is empty; bytes are owned by the model, and
				      NUL-terminated after their `size` bytes for convenience */
	uint32_t string_count;
	struct {
		uint32_t key, value;
	} * meta; /* string ids, in file order */
	uint32_t meta_count;
	struct snap_module *modules;
	uint32_t module_count;
	struct model_location *locations;
	uint32_t location_count;
	struct snap_frame *frames;
	uint32_t frame_count;
	struct snap_node *nodes; /* a parent always precedes its children */
	uint32_t node_count;
	struct model_site *sites;
	uint32_t site_count;
	struct snap_cohort *cohorts;
	uint32_t cohort_count;
	struct snap_variance *variances; /* one per site, or NULL in exact mode */
	struct model_holders holders;

	char *source;    /* path as the user named it, or "-"; owned; for messages */
	char *torn;      /* NULL, or a sentence saying what is missing of a damaged file; owned */
	char *remark;    /* NULL, or a sentence to warn of; owned */
	uint64_t digest; /* checksum of the content: equal digests, equal snapshots */
	struct model_index *index;
};

/** An empty model (string 0 is there); NULL when memory is out.  Release with model_free(). */
struct model *model_new(void);
void model_free(struct model *model);

/**
 * Add rows.  The intern functions return the id of an equal row if there is one.  All return
 * SNAP_NONE when memory (or 2^32 - 2 rows) ran out.  Rows may refer only to existing ids: the
 * caller makes sure of that.
 */
uint32_t model_string(struct model *model, const char *data, size_t size);
uint32_t model_cstring(struct model *model, const char *text);
uint32_t model_meta_add(struct model *model, uint32_t key, uint32_t value);
uint32_t model_module_intern(struct model *model, const struct snap_module *module);
uint32_t model_location_add(struct model *model, const struct snap_location *location,
			    const struct snap_frame *frames);
/** A location that is one symbolic frame without address; interned. */
uint32_t model_symbolic_location(struct model *model, uint32_t module,
				 const struct snap_frame *frame);
uint32_t model_node_add(struct model *model, uint32_t parent, uint32_t location);
uint32_t model_node_intern(struct model *model, uint32_t parent, uint32_t location);
/** Release what only interning nodes and locations needs; a later intern builds it again. */
void model_end_interning(struct model *model);
uint32_t model_site_add(struct model *model, const struct snap_site *site,
			const struct snap_cohort *cohorts, const struct snap_variance *variance);
/** Give an unsymbolised location its frames (appended to model->frames). */
bool model_location_symbolise(struct model *model, uint32_t location,
			      const struct snap_frame *frames, uint32_t frame_count);

/** NUL-terminated text of a string id; never NULL. */
const char *model_text(const struct model *model, uint32_t string);
/** Value of a meta key, or NULL.  For a repeated key, the last. */
const char *model_meta(const struct model *model, const char *key);
/** The same as a number; `otherwise` when absent or not a decimal number. */
uint64_t model_meta_u64(const struct model *model, const char *key, uint64_t otherwise);
/** Set (or replace) a meta value. */
bool model_meta_set(struct model *model, const char *key, const char *value);

/** Sums over all sites; SNAP_UNKNOWN where any site's figure is unknown. Overflow: SNAP_ECORRUPT.
 */
struct model_totals {
	uint64_t live_bytes, live_blocks, allocated_bytes, allocated_blocks;
};
enum snap_status model_totals(const struct model *model, struct model_totals *totals,
			      struct snap_error *err);

/** Digest over everything above, for inputs whose file format has none of its own. */
uint64_t model_digest(const struct model *model);

#endif
