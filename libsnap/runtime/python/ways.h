/*
 * runtime/python/ways.h - for each large group of objects, the way by which most of them are held.
 *
 * In a frozen copy of the process.
 */
#ifndef SNAP_RUNTIME_PYTHON_WAYS_H
#define SNAP_RUNTIME_PYTHON_WAYS_H

#include <stdbool.h>
#include <stdint.h>

/** Of one group: the place that holds most of its objects, and one of these. */
struct snap__way {
	uint32_t group;
	uint32_t object, root; /* the object, and where its way begins */
	uint64_t objects;      /* of the group that are held from the same place */
	bool is_table;         /* the group has no objects, only blocks that belong to this
			          object */
	char *words;
};

/** A group has a block that belongs to `object`, which is in another group. */
void snap__ways_add_table(uint32_t group, uint32_t object);

/**
 * Choose for those groups that have most bytes.  `group_of` has a group for each object, `bytes` is
 * by group, `places` is from words.h.  How many there are; `*ways` is snap__copy_need()'s.
 */
uint32_t snap__ways_make(const uint32_t *group_of, const uint64_t *bytes, uint32_t groups,
			 const uint32_t *places, struct snap__way **ways);

#endif
