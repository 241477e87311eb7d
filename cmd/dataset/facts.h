/*
 * dataset/facts.h - the facts of a snapshot, read once: its meta, by key.
 */
#ifndef DATASET_FACTS_H
#define DATASET_FACTS_H

#include <stddef.h>
#include <stdint.h>

#include "snap/status.h"

struct store;

struct fact {
	char *key, *value;
};

/** Zero it; release with facts_release(). */
struct facts {
	struct fact *items;
	size_t count, room;
};

/** Read those of a snapshot; what `facts` had is gone.  Release it in any case. */
enum snap_status facts_read(struct facts *facts, struct store *store, int64_t id,
			    struct snap_error *err);
void facts_release(struct facts *facts);

/** The value of a key; NULL when the snapshot does not say it. */
const char *facts_find(const struct facts *facts, const char *key);
/** The same; "" when it does not say it. */
const char *facts_text(const struct facts *facts, const char *key);
/** As a number; 0 when it does not say it. */
uint64_t facts_number(const struct facts *facts, const char *key);

/** Bytes of the heap by its metrics; 0 unknown. */
struct heap_sizes {
	uint64_t peak, live;
};
enum snap_status facts_read_heap(struct heap_sizes *sizes, struct store *store, int64_t id,
				 struct snap_error *err);

#endif
