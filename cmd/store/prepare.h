/*
 * prepare.h - hashes of a model's rows, for the engines of the store.  Rows of different files with
 * equal hashes are equal.
 */
#ifndef STORE_PREPARE_H
#define STORE_PREPARE_H

#include "store/hash128.h"
#include "store/store.h"

/* Parallel to the model's arrays; frames location after location. */
struct store_prepared {
	struct hash128 *strings, *modules, *frames, *sites;
	uint32_t *order; /* the sites by rising site_key() */
};

/** A location without frames is stored as one nameless frame. */
static inline uint32_t prepared_frame_count(const struct model_location *location)
{
	return location->frame_count ? location->frame_count : 1;
}

static inline const struct snap_frame *
prepared_frame(const struct model *model, const struct model_location *location, uint32_t position)
{
	static const struct snap_frame nameless;

	return location->frame_count ? &model->frames[location->first_frame + position] : &nameless;
}

/** Modules only, for a load without call stacks. */
struct store_prepared *prepare_facts(const struct model *model);

#endif
