/*
 * report/holders.h - who keeps blocks alive, and which blocks these keep alive.
 */
#ifndef REPORT_HOLDERS_H
#define REPORT_HOLDERS_H

#include "dataset/graph.h"
#include "cli/report_options.h"
#include "report/report.h"

struct report *holders_report_new(void);

/** A graph summed up by row, for reports on any of its rows; in the store, one at a time.  `graph` and
 * `options` have to outlive it.  Free with holding_free(). */
struct holding;
enum snap_status holding_new(struct holding **out, const struct graph *graph,
			     const struct report_options *options, struct snap_error *err);
void holding_free(struct holding *holding);

/** `pattern` is held against the names of sites, types and roots.  SNAP_EUSAGE: nothing matches. */
enum snap_status holders_fill(struct report *report, const struct holding *holding,
			      const char *pattern, struct snap_error *err);
/** The same of the one row whose key is `key`; SNAP_ENOTFOUND: the graph has none. */
enum snap_status holders_fill_row(struct report *report, const struct holding *holding,
				  const char *key, struct snap_error *err);

#endif
