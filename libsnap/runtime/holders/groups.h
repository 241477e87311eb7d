/*
 * holders/groups.h - the graph by allocation site, as it is written to the file.
 */
#ifndef SNAP_RUNTIME_HOLDERS_GROUPS_H
#define SNAP_RUNTIME_HOLDERS_GROUPS_H

#include <stdbool.h>
#include <stdint.h>

#include "write/writer.h"

/** Number the groups; with `retained`, compute what each keeps alive. */
void snap__groups_make(bool retained);

/** Texts that rows refer to, each once; 0 is the empty one.  The caller writes those from 1 on as
 *  strings, and passes the id of the first in struct snap__groups_ids. */
uint32_t snap__groups_label_count(void);
const char *snap__groups_label(uint32_t index);

/** Ids, as the file numbers them, that the rows refer to. */
struct snap__groups_ids {
	uint32_t first_label;
	uint32_t modules; /* how many the file has */
	void (*place)(void *user, uint32_t stack, struct snap_group *row); /* node and label */
	void *user;
};

/** How many rows there are; rows of other graphs follow. */
uint32_t snap__groups_count(void);
uint32_t snap__groups_root_count(void);

/** Write the rows of one section each. */
void snap__groups_write_groups(struct snap__writer *w, const struct snap__groups_ids *ids);
void snap__groups_write_roots(struct snap__writer *w, const struct snap__groups_ids *ids);
void snap__groups_write_edges(struct snap__writer *w);
void snap__groups_write_paths(struct snap__writer *w);
#endif
