/*
 * report/growth_finding.h - which rows of a growth report are one finding, and its sentences.
 */
#ifndef REPORT_GROWTH_FINDING_H
#define REPORT_GROWTH_FINDING_H

#include "report/growth_rows.h"

/** Rows that are one event: the leader's, those in step with it, and a container's. */
struct growth_finding {
	size_t count;
	size_t in_step;  /* rows that leak together, the leader included */
	bool even;       /* all of them leave as many blocks */
	bool by_holder;  /* some rows belong to it because one container holds them and others */
	bool by_caller;  /* its name is the caller in which its rows meet */
	uint32_t shared; /* outermost frames that their stacks share, 0: they do not all meet;
			    in_step > 1 only */
	struct stats_slope bytes, blocks;   /* of all rows together */
	const struct select_row *container; /* rises together with them; NULL: none is known */
};

/** Find them in a list that is ordered by claim.  Stacks are compared of rows whose heaviest site
 * is known.  SNAP_ENOMEM. */
enum snap_status growth_list_find(struct growth_list *list, const struct report_options *options,
				  struct snap_error *err);
/** Choose the row that leads each finding: the one that is nearest to the fault.  SNAP_ENOMEM. */
enum snap_status growth_list_name(struct growth_list *list, struct snap_error *err);
/** Put the findings first, largest first, the rows of each next to each other.  SNAP_ENOMEM. */
enum snap_status growth_list_order_findings(struct growth_list *list, bool by_blocks,
					    struct snap_error *err);

/** The finding that a row belongs to, or NULL. */
const struct growth_finding *growth_finding_of(const struct growth_list *list,
					       const struct growth_row *row);

/** Bytes that rise in few blocks: a table, list or buffer that is made larger. */
bool growth_is_container(const struct growth_row *row);

/** "it starts in handle server.c:40", "called from main"; NULL where that is not known. */
const char *growth_finding_start(struct report *report, const struct growth_row *leader,
				 const struct growth_finding *finding);

/** "postpone queue.c:42": the row that leads, or the caller in which the rows meet. */
const char *growth_finding_name(struct report *report, const struct growth_row *leader,
				const struct growth_finding *finding);

/* ---- in words (growth_say_finding.c) --------------------------------------------------------- */

/** The first line of the report: what was found, how much it is per hour, where it begins. */
void growth_add_headline(struct report *report, const struct growth_list *list,
			 const struct growth_part *parts, size_t count, double unrecorded,
			 const struct report_options *options);
/** By what the blocks allocated there are held, with the type of objects: "exactly 500 dict per
 * snapshot, held by ..."; NULL: no census and no graph knows it. */
const char *growth_holder_line(struct report *report, const struct growth_row *row);
/** Why a row has its verdict, in one line; NULL: it needs no reason. */
const char *growth_reason_line(struct report *report, const struct growth_list *list,
			       const struct growth_row *row);
/** How many rows have which verdict, and how many of them are shown. */
void growth_note_verdicts(struct report *report, const size_t counts[GROWTH_VERDICTS],
			  const size_t shown[GROWTH_VERDICTS]);
/** Every reason of a row's verdict; with `all`, the series and the call stack too. */
void growth_explain_row(struct report *report, const struct growth_list *list,
			const struct growth_row *row, bool all);

#endif
