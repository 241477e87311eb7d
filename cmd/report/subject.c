/*
 * subject.c - open the snapshots that the user named, describe them, and warn about missing data.
 */
#include "report/subject.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <time.h>

#include "base/array.h"
#include "base/fail.h"
#include "base/memory.h"
#include "dataset/facts.h"
#include "report/sites.h"
#include "report/own_code.h"

/* ---- opening --------------------------------------------------------------------------------- */

static void keep_notice(void *user, const struct notice *notice)
{
	struct subject *subject = user;

	/* A damaged file is found again at every question. */
	for (size_t i = 0; subject->again && i < subject->notices.count; i++)
		if (!notice_is_remark(notice) && notice_equals(&subject->notices.items[i], notice))
			return;
	notices_add(&subject->notices, notice);
}

enum snap_status subject_guess(const struct report_options *options, const char *name,
			       struct snap_error *err)
{
	const struct {
		const char *option, *pattern;
	} given[] = {{"focus", options->focus},
		     {"ignore", options->ignore},
		     {"show", options->show},
		     {"hide", options->hide}};

	for (size_t i = 0; !name && !options->db && i < sizeof(given) / sizeof(*given); i++)
		if (given[i].pattern && access(given[i].pattern, F_OK) == 0 &&
		    !snapshots_is_directory(SNAPSHOTS_DEFAULT_DIRECTORY))
			return fail(
				err, SNAP_EUSAGE,
				"--%s takes a pattern, and '%s' is a file or directory: to read "
				"it, name it without --%s",
				given[i].option, given[i].pattern, given[i].option);
	return SNAP_OK;
}

enum snap_status subject_open(struct subject *subject, const struct report_options *options,
			      bool with_ages, struct snap_error *err)
{
	const struct snapshots_options snapshots = {
		.db = options->db,
		.pid = options->pid,
		.program = options->program,
		.order = (enum snapshots_order)options->order,
		.at = (enum snapshots_moment)options->at,
		.without_ages = !with_ages,
		.census = options->group == GROUP_TYPE,
		.leave_out_own = !options->all,
		.no_progress = options->quiet && !options->keep_progress,
		.notice = keep_notice,
		.user = subject,
	};

	enum snap_status st =
		own_code_apply(&options->own, &options->library, options->native, err);

	*subject = (struct subject){0};
	return st == SNAP_OK ? snapshots_open(&subject->snapshots, &snapshots, err) : st;
}

void subject_remember(struct subject *subject)
{
	snapshots_remember(subject->snapshots);
}

void subject_again(struct subject *subject)
{
	subject->again = true;
	snapshots_again(subject->snapshots);
	subject->count = 0;
}

void subject_close(struct subject *subject)
{
	snapshots_close(subject->snapshots);
	notices_release(&subject->notices);
	free(subject->ids);
	*subject = (struct subject){0};
}

enum snap_status subject_add_id(struct subject *subject, int64_t id, struct snap_error *err)
{
	if (!array_reserve(&subject->ids, &subject->capacity, subject->count,
			   sizeof(*subject->ids)))
		return fail_memory(err, "choosing snapshots");
	subject->ids[subject->count++] = id;
	return SNAP_OK;
}

enum snap_status subject_add(struct subject *subject, const char *name, struct snap_error *err)
{
	int64_t id;
	enum snap_status st = snapshots_one(subject->snapshots, name, &id, err);

	return st == SNAP_OK ? subject_add_id(subject, id, err) : st;
}

/* ---- describing ------------------------------------------------------------------------------ */

struct description {
	const struct subject *subject;
	struct report *report;
	struct value *inputs, *labels; /* one per snapshot */
	const char **names;            /* the same, for warnings */
};

/* "2026-01-02T03:04:05.123456789Z" */
static struct value time_value(struct report *report, uint64_t time_ns)
{
	time_t seconds = (time_t)(time_ns / 1000000000u);
	char text[64], whole[80];
	struct tm tm;

	if (time_ns == 0 || time_ns == SNAP_UNKNOWN || !gmtime_r(&seconds, &tm))
		return value_null();
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(whole, sizeof(whole), "%s.%09" PRIu64 "Z", text, time_ns % 1000000000u);
	return value_text(report, whole);
}

static struct value text_or_null(struct report *report, const char *text)
{
	return value_text(report, text && *text ? text : NULL);
}

static void describe_snapshot(struct report *report, const struct store_snapshot *row,
			      struct value labels, struct value *input)
{
	*input = value_object();
	value_field(report, input, "path", text_or_null(report, row->path));
	value_field(report, input, "label", value_text(report, row->label));
	value_field(report, input, "labels", labels);
	value_field(report, input, "trigger", text_or_null(report, row->trigger));
	value_field(report, input, "seq", value_u64(row->seq));
	value_field(report, input, "time", time_value(report, row->time_ns));
	value_field(report, input, "pid", row->pid ? value_u64(row->pid) : value_null());
	value_field(report, input, "command", text_or_null(report, row->command));
	value_field(report, input, "sample_period", value_u64(row->sample_period));
}

static enum snap_status describe_row(void *user, const struct store_snapshot *row)
{
	struct description *description = user;

	for (size_t i = 0; i < description->subject->count; i++) {
		if (description->subject->ids[i] != row->id)
			continue;
		describe_snapshot(description->report, row, description->labels[i],
				  &description->inputs[i]);
		description->names[i] =
			row->path[0]
				? report_text(description->report, "%s", row->path)
				: report_text(description->report, "snapshot %" PRId64, row->id);
	}
	return SNAP_OK;
}

struct labels {
	struct report *report;
	struct value *object;
};

static enum snap_status describe_label(void *user, const char *key, const char *value)
{
	struct labels *labels = user;

	value_field(labels->report, labels->object, report_text(labels->report, "%s", key),
		    value_text(labels->report, value));
	return SNAP_OK;
}

/* Losses that a reader must know of; `info` shows the others. */
static const struct {
	const char *kind, *meaning;
} losses[] = {
	{"events_dropped", "allocations or frees were not recorded"},
	{"stacks_truncated",
	 "allocations have call stacks that are cut at the depth limit, or end at code "
	 "without unwind information"},
	{"stacks_shortened",
	 "allocations have the newest frames of their call stacks only, under [memory limit]: "
	 "the recorder had used its memory (run --max-memory SIZE)"},
	{"verify_mismatches", "call stacks differed from what libunwind found (SNAP_VERIFY)"},
	{"changed_while_writing", "blocks were freed or moved while the snapshot was written"},
	{"snapshots_failed", "earlier snapshots could not be written"},
};

struct loss_warning {
	struct report *report;
	const char *name;
};

static enum snap_status warn_of_loss(void *user, const char *kind, const char *count)
{
	struct loss_warning *warning = user;

	for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++)
		if (strcmp(kind, losses[i].kind) == 0 && strcmp(count, "0") != 0)
			report_notice(warning->report,
				      &(struct notice){.kind = NOTICE_LOST,
						       .who = warning->name,
						       .texts = {count, losses[i].meaning}});
	return SNAP_OK;
}

static enum snap_status take_labels(struct description *description, size_t i,
				    struct snap_error *err)
{
	struct labels labels = {description->report, &description->labels[i]};

	description->labels[i] = value_object();
	return store_each_label(snapshots_store(description->subject->snapshots),
				description->subject->ids[i], describe_label, &labels, err);
}

static enum snap_status warn_of_losses(const struct description *description, size_t i,
				       struct snap_error *err)
{
	struct loss_warning warning = {description->report, description->names[i]};

	for (size_t before = 0; before < i; before++)
		if (description->subject->ids[before] == description->subject->ids[i])
			return SNAP_OK; /* one snapshot under two names is warned of once */
	return store_each_loss(snapshots_store(description->subject->snapshots),
			       description->subject->ids[i], warn_of_loss, &warning, err);
}

/* Which files are left out as damaged. */
static void describe_skipped(const struct snapshots *snapshots, struct report *report)
{
	struct value skipped;
	size_t count = 0;

	while (snapshots_skipped(snapshots, count))
		count++;
	skipped = value_list(report, count);
	for (size_t i = 0; i < count; i++)
		skipped.list.items[i] = value_text(report, snapshots_skipped(snapshots, i));
	value_field(report, &report->head, "skipped", skipped);
	report->damaged = snapshots_damaged(snapshots);
}

/* What tracemalloc itself allocated is not the program's. */
static enum snap_status note_own_bytes(const struct subject *subject, struct report *report,
				       struct snap_error *err)
{
	enum snap_status st = SNAP_OK;
	struct facts facts = {0};
	uint64_t most = 0;
	char size[32];

	for (size_t i = 0; st == SNAP_OK && i < subject->count; i++) {
		uint64_t bytes;

		st = facts_read(&facts, snapshots_store(subject->snapshots), subject->ids[i], err);
		bytes = facts_number(&facts, "own_bytes");
		if (bytes > most)
			most = bytes;
	}
	facts_release(&facts);
	if (most == 0)
		return st;
	value_field(report, &report->head, "left_out_own_bytes", value_u64(most));
	report_note(report, "What tracemalloc itself allocated is left out (%s%s); --all shows it.",
		    sites_bytes(most, size), subject->count > 1 ? " at most" : "");
	return st;
}

enum snap_status subject_describe(const struct subject *subject, struct report *report,
				  struct snap_error *err)
{
	struct value inputs = value_list(report, subject->count),
		     labels = value_list(report, subject->count);
	struct description description = {
		.subject = subject,
		.report = report,
		.inputs = inputs.list.items,
		.labels = labels.list.items,
		.names = report_alloc(report, (subject->count + 1) * sizeof(char *)),
	};
	enum snap_status st = SNAP_OK;

	describe_skipped(subject->snapshots, report);
	report_notices(report, &subject->notices);
	for (size_t i = 0; st == SNAP_OK && i < subject->count; i++)
		st = take_labels(&description, i, err);
	if (st == SNAP_OK)
		st = store_each_snapshot(snapshots_store(subject->snapshots), describe_row,
					 &description, err);
	for (size_t i = 0; st == SNAP_OK && i < subject->count; i++)
		st = warn_of_losses(&description, i, err);
	value_field(report, &report->head, "inputs", inputs);
	return st == SNAP_OK ? note_own_bytes(subject, report, err) : st;
}
