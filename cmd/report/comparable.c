/*
 * comparable.c - one snapshot twice, sides that look swapped, different programs, architectures,
 * sampling, and dumps of Python against native recordings.
 */
#include "report/comparable.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dataset/facts.h"
#include "model/names.h"
#include "report/comparable_sides.h"

static enum snap_status take_snapshot(void *user, const struct store_snapshot *row)
{
	struct comparable_side *sides = user;

	for (size_t i = 0; i < 2; i++)
		if (sides[i].id == row->id) {
			snprintf(sides[i].program, SIDE_NAME_SIZE, "%s", name_base(row->program));
			sides[i].run_id = row->run_id;
			sides[i].time_ns = row->time_ns == SNAP_UNKNOWN ? 0 : row->time_ns;
			sides[i].sample_period = row->sample_period;
			sides[i].ends_a_run = row->seq > 1 && row->seq != SNAP_UNKNOWN &&
					      strcmp(row->trigger, "exit") == 0;
		}
	return SNAP_OK;
}

static enum snap_status read_facts(struct comparable_side *side, struct store *store,
				   struct snap_error *err)
{
	struct facts facts = {0};
	enum snap_status st = facts_read(&facts, store, side->id, err);

	snprintf(side->arch, SIDE_NAME_SIZE, "%s", facts_text(&facts, "arch"));
	side->is_dump = facts_find(&facts, "python_version");
	if (facts_find(&facts, "time_from"))
		side->time_ns = 0;
	facts_release(&facts);
	return st;
}

static bool is_on_both_sides(const struct subject *subject, size_t new)
{
	for (size_t i = 0; i < new; i++)
		for (size_t j = new; j < subject->count; j++)
			if (subject->ids[i] == subject->ids[j])
				return true;
	return false;
}

static void warn_of_one_twice(struct report *report, const struct subject *subject, size_t new)
{
	if (subject->count == 2 && subject->ids[0] == subject->ids[1])
		report_warn(report, "OLD and NEW are one and the same snapshot");
	else if (is_on_both_sides(subject, new))
		report_warn(report, "a snapshot is on both sides");
}

/* "12.3 s", "4 days" */
static const char *duration_text(uint64_t ns, char text[32])
{
	static const struct {
		const char *name;
		double seconds;
	} units[] = {{"days", 86400}, {"h", 3600}, {"min", 60}, {"s", 1}, {"ms", 1e-3}};
	const size_t last = sizeof(units) / sizeof(units[0]) - 1;
	double seconds = (double)ns / 1e9;
	size_t unit = 0;

	while (unit < last && seconds < 2 * units[unit].seconds)
		unit++;
	snprintf(text, 32, "%.1f %s", seconds / units[unit].seconds, units[unit].name);
	return text;
}

/* Two builds may have been recorded in any order, so this is a question, not a claim. */
static void warn_of_order(struct report *report, const struct comparable_side *old,
			  const struct comparable_side *new)
{
	char text[32];

	if (old->time_ns && new->time_ns &&new->time_ns < old->time_ns)
		report_warn(report, "NEW was taken %s before OLD%s: are they swapped?",
			    duration_text(old->time_ns - new->time_ns, text),
			    old->run_id == new->run_id ? ", of the same run" : "");
}

static void warn_of_kinds(struct report *report, const struct comparable_side *dump,
			  const struct comparable_side *native)
{
	report_warn(report,
		    "%s is a dump of Python's tracemalloc and %s has native call stacks: they have "
		    "no row in common, all are new or gone",
		    dump->name, native->name);
}

/* "server-1.2.3", "server_v2" and "server" are one program in several versions. */
static size_t without_version(const char *program)
{
	size_t size = strlen(program), end = size;

	while (end > 0 && strchr("0123456789.", program[end - 1]))
		end--;
	if (end == size)
		return size;
	if (end > 1 && program[end - 1] == 'v' && strchr("-_.", program[end - 2]))
		end--;
	while (end > 1 && strchr("-_.", program[end - 1]))
		end--;
	return end ? end : size;
}

static bool are_one_program(const char *a, const char *b)
{
	size_t size = without_version(a);

	return size == without_version(b) && memcmp(a, b, size) == 0;
}

/*
 * Runs with different amounts of work cannot be compared directly.  Within one run, the later
 * snapshot has always done more.  A few allocations are too few to tell.
 */
static void warn_of_work(struct report *report, const struct comparable_side *old,
			 const struct comparable_side *new, const struct dataset *dataset)
{
	static const double much = 1.3;
	static const uint64_t few = 100;
	uint64_t before = dataset->snapshots[0].totals.value[FIGURE_ALLOCATED_BLOCKS];
	uint64_t after = dataset->snapshots[1].totals.value[FIGURE_ALLOCATED_BLOCKS];
	double ratio;

	if (old->run_id == new->run_id || before < few || after < few || before == SNAP_UNKNOWN ||
	    after == SNAP_UNKNOWN)
		return;
	ratio = (double)after / (double)before;
	if (ratio < much && ratio > 1 / much)
		return;
	report_warn(report,
		    "NEW made %.2g times as many allocations as OLD (%" PRIu64 " -> %" PRIu64
		    "): the runs did not do as much, so sizes are not comparable as they are; "
		    "--normalize allocations (or seconds, or a label) judges per unit of work",
		    ratio, before, after);
}

static void warn_of_sides(struct report *report, const struct comparable_side *old,
			  const struct comparable_side *new)
{
	if (old->program[0] && new->program[0] && !are_one_program(old->program, new->program))
		report_warn(report,
			    "OLD is of program %s and NEW of %s: only what they have in common can "
			    "pair",
			    old->program, new->program);
	if (old->arch[0] && new->arch[0] && strcmp(old->arch, new->arch) != 0)
		report_warn(
			report,
			"OLD is of architecture %s and NEW of %s: sizes may differ for that alone",
			old->arch, new->arch);
	if ((old->sample_period > 0) != (new->sample_period > 0))
		report_warn(report,
			    "%s is sampled and %s is exact: each difference has the standard error "
			    "of %s",
			    old->sample_period ? "OLD" : "NEW", old->sample_period ? "NEW" : "OLD",
			    old->sample_period ? "OLD" : "NEW");
}

/* ---- several snapshots on a side ------------------------------------------------------------- */

struct mixture {
	const struct subject *subject;
	size_t new;
	const struct comparable_side *sides;
	char other[2][SIDE_NAME_SIZE]; /* a program on either side that is not the first's */
};

static enum snap_status find_other_program(void *user, const struct store_snapshot *row)
{
	struct mixture *mixture = user;
	const char *program = name_base(row->program);

	for (size_t i = 0; i < mixture->subject->count; i++) {
		bool side = i >= mixture->new;

		if (mixture->subject->ids[i] == row->id &&
		    !are_one_program(mixture->sides[side].program, program))
			snprintf(mixture->other[side], SIDE_NAME_SIZE, "%s", program);
	}
	return SNAP_OK;
}

/* Medians over different programs are meaningless. */
static enum snap_status warn_of_mixtures(struct report *report, const struct subject *subject,
					 size_t new, const struct comparable_side sides[2],
					 struct snap_error *err)
{
	struct mixture mixture = {.subject = subject, .new = new, .sides = sides};
	enum snap_status st = store_each_snapshot(session_store(subject->session),
						  find_other_program, &mixture, err);

	for (size_t i = 0; st == SNAP_OK && i < 2; i++)
		if (mixture.other[i][0])
			report_warn(report, "%s has snapshots of several programs: %s, %s",
				    sides[i].name, sides[i].program, mixture.other[i]);
	return st;
}

enum snap_status comparable_warn(struct report *report, const struct subject *subject,
				 struct dataset *dataset, size_t new, bool normalized,
				 struct snap_error *err)
{
	struct comparable_side sides[2] = {{.id = subject->ids[0], .name = "OLD"},
					   {.id = subject->ids[new], .name = "NEW"}};
	struct store *store = session_store(subject->session);
	enum snap_status st = store_each_snapshot(store, take_snapshot, sides, err);

	for (size_t i = 0; st == SNAP_OK && i < 2; i++)
		st = read_facts(&sides[i], store, err);
	if (st != SNAP_OK)
		return st;
	warn_of_one_twice(report, subject, new);
	st = warn_of_mixtures(report, subject, new, sides, err);
	if (st != SNAP_OK)
		return st;
	warn_of_order(report, &sides[0], &sides[1]);
	if (sides[0].is_dump != sides[1].is_dump) {
		warn_of_kinds(report, &sides[sides[1].is_dump], &sides[sides[0].is_dump]);
		return SNAP_OK;
	}
	warn_of_sides(report, &sides[0], &sides[1]);
	if (!normalized && subject->count == 2)
		warn_of_work(report, &sides[0], &sides[1], dataset);
	if (sides[0].ends_a_run && sides[1].ends_a_run)
		report_note(report,
			    "Both are of the program's exit, when it has freed what it could: "
			    "snapdiff ls shows earlier ones.");
	return comparable_warn_of_modules(report, store, dataset, new, sides, err);
}
