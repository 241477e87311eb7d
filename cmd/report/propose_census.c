/*
 * propose_census.c - propose a census: it has the types of the objects and what holds them, which
 * lines of Python do not say.  Or say why there is none.
 */
#include "report/propose_census.h"

#include <string.h>

#include "dataset/facts.h"
#include "store/store.h"

/* What a shell takes as it stands. */
static bool is_plain(const char *command)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    " _./=:,@%+-";

	return command[0] && strlen(command) <= 80 && command[strspn(command, plain)] == '\0';
}

struct command_of {
	struct report *report;
	int64_t id;
	const char *command;
};

static enum snap_status take_command(void *user, const struct store_snapshot *row)
{
	struct command_of *of = user;

	if (row->id == of->id && is_plain(row->command))
		of->command = report_text(of->report, "%s", row->command);
	return SNAP_OK;
}

static bool lacks_census(const struct dataset *dataset)
{
	struct facts facts = {0};
	bool lacks;

	if (!dataset->store || dataset->snapshot_count == 0 ||
	    facts_read(&facts, dataset->store, dataset->snapshot_ids[0], NULL) != SNAP_OK)
		return false;
	lacks = facts_find(&facts, "python.version") && !facts_find(&facts, "python.problem") &&
		!facts_find(&facts, "census");
	facts_release(&facts);
	return lacks;
}

/* Add a note that the newest snapshot's census failed, and why. */
static void note_failure(struct report *report, const struct dataset *dataset)
{
	static const char failed[] = "failed: ";
	struct facts facts = {0};
	const char *what;

	if (!dataset->store || dataset->snapshot_count == 0 ||
	    facts_read(&facts, dataset->store, dataset->snapshot_ids[dataset->snapshot_count - 1],
		       NULL) != SNAP_OK)
		return;
	what = facts_find(&facts, "census");
	if (what && strncmp(what, failed, strlen(failed)) == 0)
		report_note(report,
			    "Who holds the objects is unknown: the census of the newest snapshot "
			    "failed: %s",
			    what + strlen(failed));
	facts_release(&facts);
}

void propose_census(struct report *report, const struct dataset *dataset)
{
	struct command_of of = {.report = report, .command = "COMMAND"};

	note_failure(report, dataset);
	if (!lacks_census(dataset))
		return;
	of.id = dataset->snapshot_ids[0];
	if (store_each_snapshot(dataset->store, take_command, &of, NULL) == SNAP_OK)
		report_note(report,
			    "For types and holders: snapdiff run --census --every 1s -- %s, then "
			    "snapdiff growth",
			    of.command);
}
