/*
 * report/growth_graph.h - the graph of holders of the last snapshot, for the rows of growth.
 */
#ifndef REPORT_GROWTH_GRAPH_H
#define REPORT_GROWTH_GRAPH_H

#include "report/growth_table.h"
#include "store/store.h"

struct growth_list;

/** Per row of a table; see growth_graph_read(). */
struct growth_graph {
	size_t row_count;
	struct growth_graph_row {
		uint64_t blocks, unreachable;      /* of the graph */
		uint64_t bytes, unreachable_bytes; /* likewise */
		uint64_t direct;                   /* unreachable, and held by no other block */
		char *root;      /* by which it is reached, or what holds most of it; NULL none */
		uint32_t holder; /* the row between them, if the root says little by itself;
				    SNAP_NONE none */
		bool is_weak;    /* that root is a stack or a register */
	} rows[];
};

/** The graph of the newest of the snapshots that has one, summed by the store; *out is NULL where
 * none has.  Release with growth_graph_free(). */
enum snap_status growth_graph_read(struct growth_graph **out, struct store *store,
				   const int64_t *ids, size_t count, struct growth_table *table,
				   struct snap_error *err);
void growth_graph_free(struct growth_graph *graph);

/**
 * A growing row most of whose blocks nothing reaches is a leak, with high confidence.  Of runs that
 * are repeated, what is reachable at the exit is no leak: it is summed up in list->reachable.
 */
void growth_graph_judge(struct growth_list *list);

/** Does nothing reach most of its blocks? */
bool growth_graph_is_mostly_lost(const struct growth_graph_row *row);

/** Insert a sentence before the other reasons; the last one is dropped if there is no room. */
void growth_add_reason(struct growth_judgement *judgement, const char *sentence);

#endif
