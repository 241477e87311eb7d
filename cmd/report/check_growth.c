/*
 * check_growth.c - rules over the verdicts of growth, and over what nothing reaches.
 */
#include <math.h>
#include <string.h>

#include "analysis/growth/growth.h"
#include "report/check_part.h"
#include "report/growth_rows.h"
#include "report/sites.h"

static int verdict_index(const char *name)
{
	const struct verdict *verdict = name ? verdict_find(name) : NULL;

	return verdict ? (int)(verdict - verdicts) : GROWTH_TOO_FEW;
}

static bool fails_on(const struct policy *policy, const struct report *growth, size_t row)
{
	const char *confidence = check_text(report_cell(growth, row, "confidence"));
	int least = policy->fail_on[verdict_index(check_text(report_cell(growth, row, "verdict")))];

	if (least < 0 || !confidence)
		return false;
	for (int i = least; i <= GROWTH_HIGH; i++)
		if (strcmp(confidence, growth_confidence_name((enum growth_confidence)i)) == 0)
			return true;
	return false;
}

bool check_is_of_runs(const struct report *growth)
{
	const struct value *runs = value_get(&growth->head, "repeated");

	return runs && runs->kind == VALUE_BOOL && runs->boolean;
}

double check_bytes_grown(const struct report *growth, size_t row)
{
	double first = check_number(report_cell(growth, row, "first_bytes"), 0);

	if (check_is_of_runs(growth))
		return check_number(report_cell(growth, row, "growth_bytes"), 0);
	return check_number(report_cell(growth, row, "last_bytes"), first) - first;
}

/* The mean of the snapshots [from, from + count) of a row. */
static double mean_bytes(const struct value *series, size_t from, size_t count)
{
	double sum = 0;

	for (size_t i = from; i < from + count; i++)
		sum += check_number(&series->list.items[i], 0);
	return sum / (double)count;
}

/*
 * What a row that leaks gained.  Large blocks in flight at the first snapshot and few at the last
 * one hide small blocks that stay, so the first and the last third of the series count as well.
 */
static double bytes_leaked(const struct report *growth, size_t row)
{
	const struct value *series = value_get(report_cell(growth, row, "series"), "bytes");
	size_t count = series && series->kind == VALUE_LIST ? series->list.count : 0;
	double grown = check_bytes_grown(growth, row), by_thirds = 0;
	size_t third = count / 3;

	if (third > 0 && !check_is_of_runs(growth)) /* count - third of count - 1 intervals apart */
		by_thirds =
			(mean_bytes(series, count - third, third) - mean_bytes(series, 0, third)) *
			(double)(count - 1) / (double)(count - third);
	return fmax(fmax(grown, by_thirds), 0);
}

static const char *first_reason(const struct report *growth, size_t row)
{
	const struct value *reasons = report_cell(growth, row, "reasons");
	const char *reason = reasons && reasons->kind == VALUE_LIST && reasons->list.count
				     ? check_text(&reasons->list.items[0])
				     : NULL;

	return reason ? reason : "it keeps growing";
}

static const char *say_growth(struct report *report, const struct report *growth, size_t row)
{
	char each[32];

	return report_text(
		report, "%s (%s)%s: %s", check_text(report_cell(growth, row, "verdict")),
		check_text(report_cell(growth, row, "confidence")),
		check_is_of_runs(growth)
			? report_text(report, ", %s per run",
				      sites_bytes((uint64_t)check_bytes_grown(growth, row), each))
			: "",
		first_reason(growth, row));
}

bool check_is_single(const struct report *growth)
{
	const struct value *inputs = value_get(&growth->head, "inputs");

	return inputs && inputs->list.count == 1;
}

static void check_verdicts(struct checking *checking)
{
	const struct report *growth = checking->request->growth;
	const struct policy *policy = checking->request->policy;
	struct rule rule = check_rule_begin(checking, "fail-on", policy->fail_on_text);

	for (size_t row = 0; row < growth->row_count; row++)
		if (fails_on(policy, growth, row)) {
			int verdict =
				verdict_index(check_text(report_cell(growth, row, "verdict")));
			enum growth_confidence least =
				(enum growth_confidence)policy->fail_on[verdict];

			rule.limit = report_text(checking->report, "no %s (%s)",
						 growth_verdict_name((enum growth_verdict)verdict),
						 growth_confidence_name(least));
			check_judge_row(checking, &rule, growth, row, bytes_leaked(growth, row),
					say_growth(checking->report, growth, row));
		}
	rule.limit = policy->fail_on_text;
	if (!check_is_single(growth))
		rule.measured = (double)rule.rows.list.count;
	check_rule_end(checking, &rule);
}

/* The rows that leak, together, per hour. */
static void check_rate(struct checking *checking)
{
	const struct report *growth = checking->request->growth;
	const struct policy *policy = checking->request->policy;
	struct rule rule = check_rule_begin(checking, "max-growth", policy->max_growth_text);
	size_t timeless = 0;
	char rate[32];

	rule.measured = check_is_single(growth) ? (double)NAN : 0;
	for (size_t row = 0; row < growth->row_count; row++)
		if (fails_on(policy, growth, row) && check_is_of_runs(growth))
			timeless++;
		else if (fails_on(policy, growth, row))
			rule.measured +=
				3600 * check_number(value_get(report_cell(growth, row,
									  "bytes_per_snapshot"),
							      "value"),
						    0);
	if (rule.measured > policy->max_growth)
		check_add_whole_finding(
			checking, &rule, "grew",
			report_text(checking->report,
				    "the sites that leak grow by %s per hour; %s is "
				    "allowed",
				    sites_bytes((uint64_t)whole_number(rule.measured), rate),
				    policy->max_growth_text));
	if (timeless) {
		rule.measured = rule.passed ? (double)NAN : rule.measured;
		check_not_judged(checking,
				 "max-growth: what repeated runs leave has no rate per hour; "
				 "record one run with --every");
	}
	check_rule_end(checking, &rule);
}

/* Would its verdict fail the gate with higher confidence, and are there too few snapshots for
 * that? */
static bool lacks_snapshots(const struct policy *policy, const struct report *growth, size_t row)
{
	const struct value *series = value_get(report_cell(growth, row, "series"), "bytes");
	int least = policy->fail_on[verdict_index(check_text(report_cell(growth, row, "verdict")))];

	return least >= 0 && !fails_on(policy, growth, row) && series &&
	       series->kind == VALUE_LIST &&
	       (int)growth_most_confidence(series->list.count) < least;
}

static size_t snapshots_of(const struct report *growth, size_t row)
{
	const struct value *series = value_get(report_cell(growth, row, "series"), "bytes");

	return series && series->kind == VALUE_LIST ? series->list.count : 0;
}

static size_t most_snapshots(const struct report *growth)
{
	size_t most = 0;

	for (size_t row = 0; row < growth->row_count; row++)
		if (snapshots_of(growth, row) > most)
			most = snapshots_of(growth, row);
	return most;
}

/* A helper that lived for a few snapshots beside a program that has many proves nothing, and
 * leaves nothing open: growth does not show its rows either. */
static bool is_of_helper(const struct policy *policy, const struct report *growth, size_t row,
			 size_t most)
{
	return most >= GROWTH_SURE_SNAPSHOTS &&
	       snapshots_of(growth, row) < GROWTH_LIKELY_SNAPSHOTS &&
	       !fails_on(policy, growth, row);
}

/* Its verdict fails the gate, but for its confidence. */
static bool is_doubtful(const struct policy *policy, const struct report *growth, size_t row)
{
	int verdict = verdict_index(check_text(report_cell(growth, row, "verdict")));

	return policy->fail_on[verdict] >= 0 && !fails_on(policy, growth, row) &&
	       !lacks_snapshots(policy, growth, row);
}

static void say_doubtful(struct checking *checking, size_t sites)
{
	if (sites)
		report_fact(checking->report,
			    "growth: %zu site%s may leak, but not surely enough for --fail-on; "
			    "snapdiff growth says why",
			    sites, sites == 1 ? "" : "s");
}

static void say_unjudged(struct checking *checking, size_t sites, const char *one, const char *many)
{
	if (sites)
		check_not_judged(checking, report_text(checking->report, "growth: %zu %s", sites,
						       sites == 1 ? one : many));
}

static void note_unjudged_rows(struct checking *checking)
{
	const struct report *growth = checking->request->growth;
	const struct policy *policy = checking->request->policy;
	size_t few = 0, open = 0, helpers = 0, doubtful = 0, most = most_snapshots(growth);

	for (size_t row = 0; row < growth->row_count; row++) {
		int verdict = verdict_index(check_text(report_cell(growth, row, "verdict")));

		if (check_bytes_grown(growth, row) <= (double)policy->min_delta)
			continue;
		if (is_of_helper(policy, growth, row, most)) {
			helpers++;
			continue;
		}
		few += verdict == GROWTH_TOO_FEW || lacks_snapshots(policy, growth, row);
		open += verdict == GROWTH_INCONCLUSIVE;
		doubtful += is_doubtful(policy, growth, row);
	}
	say_unjudged(checking, few, "site grew, and there are too few snapshots to be sure",
		     "sites grew, and there are too few snapshots to be sure");
	say_unjudged(checking, open, "site grew without a clear verdict",
		     "sites grew without a clear verdict");
	say_doubtful(checking, doubtful);
	if (helpers)
		report_fact(checking->report,
			    "growth: %zu site%s of processes that lived for fewer than %d "
			    "snapshots %s left out",
			    helpers, helpers == 1 ? "" : "s", GROWTH_LIKELY_SNAPSHOTS,
			    helpers == 1 ? "is" : "are");
}

/* No rule knows why it grew, so no rule passed it. */
static void note_unrecorded_growth(struct checking *checking)
{
	double bytes =
		check_number(value_get(&checking->request->growth->head, "unrecorded_growth"), 0);
	char size[32];

	if (bytes > 0)
		check_not_judged(checking,
				 report_text(checking->report,
					     "growth: resident memory grew by %s that no hook saw; "
					     "snapdiff growth says more",
					     sites_bytes((uint64_t)whole_number(bytes), size)));
}

static void note_without_census(struct checking *checking)
{
	const struct value *without = value_get(&checking->request->growth->head, "without_census");
	size_t processes = (size_t)check_number(value_get(without, "processes"), 0);
	size_t snapshots = (size_t)check_number(value_get(without, "snapshots"), 0);

	if (processes)
		report_fact(checking->report,
			    "growth: %zu process%s without a census of objects %s left out",
			    processes, processes == 1 ? "" : "es", processes == 1 ? "is" : "are");
	if (snapshots)
		report_fact(checking->report,
			    "growth: %zu snapshot%s without a census of objects %s left out",
			    snapshots, snapshots == 1 ? "" : "s", snapshots == 1 ? "is" : "are");
}

void check_growth(struct checking *checking)
{
	check_verdicts(checking);
	if (checking->request->policy->has_max_growth)
		check_rate(checking);
	note_unjudged_rows(checking);
	note_unrecorded_growth(checking);
	note_without_census(checking);
}

/* ---- what nothing reaches -------------------------------------------------------------------- */

static const char *say_lost(struct report *report, const struct report *leaks, size_t row,
			    const char *limit)
{
	double bytes = check_number(report_cell(leaks, row, "unreachable_bytes"), 0);
	double blocks = check_number(report_cell(leaks, row, "unreachable_blocks"), 0);
	char size[32], count[64];

	return report_text(report, "nothing reaches %s in %s; %s is allowed in all",
			   sites_bytes((uint64_t)whole_number(bytes), size),
			   sites_blocks((uint64_t)whole_number(blocks), count), limit);
}

void check_unreachable(struct checking *checking)
{
	const struct policy_limit *limit = &checking->request->policy->max_unreachable;
	const struct report *leaks = checking->request->leaks;
	struct rule rule = check_rule_begin(checking, "max-unreachable", limit->text);
	size_t before = checking->rows;
	double allowed;

	if (!limit->text)
		return;
	if (!leaks)
		check_not_judged(checking,
				 "max-unreachable: no snapshot says who holds what; take one "
				 "with snap --holders, or record with run --holders-at-exit");
	else
		rule.measured = 0;
	rule.status = "unreachable";
	rule.is_level = true;
	for (size_t row = 0; leaks && row < leaks->row_count; row++) {
		double lost = check_number(report_cell(leaks, row, "unreachable_bytes"), 0);
		size_t rows = checking->rows;

		check_judge_row(checking, &rule, leaks, row, lost,
				say_lost(checking->report, leaks, row, limit->text));
		if (checking->rows > rows)
			rule.measured += lost;
	}
	if (!policy_exceeds(limit, 0, rule.measured, &allowed))
		check_take_back(checking, &rule, before);
	check_rule_end(checking, &rule);
}
