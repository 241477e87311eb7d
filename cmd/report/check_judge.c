/*
 * check_judge.c - rules, findings, and suppressed findings, as a report.
 *
 * A rule is one limit of the policy.  Each row of compare or growth that breaks it is a finding,
 * unless a suppression covers it (`suppressed`) or it is below --min-delta (`below_floor`): these
 * are listed and not counted.
 */
#include "report/check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "report/check_part.h"
#include "report/sites.h"

enum { FLOOR_SHOWN = 10 };

/* Fewer blocks between two snapshots do not count as work: a timer may allocate some. */
static const double least_work = 16;

/* ---- the report ------------------------------------------------------------------------------ */

static void warn_of_suppression(struct checking *checking, const struct suppression *rule,
				enum notice_kind kind)
{
	struct report *report = checking->report;
	const char *day = report_text(report, "%04d-%02d-%02d", rule->expires / 10000,
				      rule->expires / 100 % 100, rule->expires % 100);
	bool exceeded = kind == NOTICE_SUPPRESSION_EXCEEDED;
	char most[32], found[32];

	report_notice(report,
		      &(struct notice){
			      .kind = kind,
			      .who = report_text(report, "%s, line %u", rule->file, rule->line),
			      .texts = {rule->pattern,
					exceeded ? sites_bytes(rule->max_bytes, most) : day,
					sites_bytes(rule->too_large, found)},
		      });
}

static void warn_of_suppressions(struct checking *checking)
{
	const struct check_request *request = checking->request;

	for (size_t i = 0; request->suppressions && i < request->suppressions->count; i++) {
		const struct suppression *rule = &request->suppressions->rules[i];

		if (suppression_is_expired(rule, request->today))
			warn_of_suppression(checking, rule, NOTICE_SUPPRESSION_PAST);
		else if (rule->too_large)
			warn_of_suppression(checking, rule, NOTICE_SUPPRESSION_EXCEEDED);
		else if (rule->matches == 0)
			warn_of_suppression(checking, rule, NOTICE_SUPPRESSION_UNUSED);
		if (rule->matches)
			report_fact(checking->report, "suppressed %zu by leak:%s%s%s",
				    rule->matches, rule->pattern, rule->reason ? ": " : "",
				    rule->reason ? rule->reason : "");
	}
}

static void take_warnings(struct report *report, const struct report *from)
{
	for (size_t i = 0; from && i < from->warning_count; i++) {
		struct notice notice = from->warnings[i].notice;

		if (notice.kind == NOTICE_OTHER_WORK)
			notice.texts[1] = "compare"; /* the command whose option the sentence
						        mentions */
		report_notice(report, &notice);
	}
}

/* Is the sentence said, of a file that is left out or of one of which a part is used? */
static bool tells_of(const struct report *report, const char *sentence)
{
	for (size_t i = 0; i < report->warning_count; i++) {
		const struct notice *notice = &report->warnings[i].notice;

		if (notice_is_of_damage(notice) && strcmp(notice->texts[0], sentence) == 0)
			return true;
	}
	return false;
}

/* Warnings that the reports do not have. */
static void take_damage(struct report *report, const struct notices *damage)
{
	if (!damage)
		return;
	if (damage->incomplete)
		memory_need(NULL, "taking warnings");
	for (size_t i = 0; i < damage->count; i++)
		if (!tells_of(report, damage->items[i].texts[0]))
			report_notice(report, &damage->items[i]);
}

/* ---- no work --------------------------------------------------------------------------------- */

/* Growth comes from allocations: a few large blocks are work, too. */
static bool has_grown(const struct checking *checking)
{
	const struct report *growth = checking->request->growth;

	for (size_t row = 0; row < growth->row_count; row++)
		if (check_bytes_grown(growth, row) > (double)checking->request->policy->min_delta)
			return true;
	return false;
}

/* A gate that judges a program which did nothing has judged nothing. */
static void note_idle(struct checking *checking)
{
	const struct check_facts *facts = &checking->request->facts;
	const struct report *growth = checking->request->growth;
	bool of_runs = growth && check_is_of_runs(growth);

	if (of_runs && facts->new_work == 0)
		check_not_judged(checking, "growth: the runs allocated nothing");
	else if (growth && !of_runs && !check_is_single(growth) && facts->step_work < least_work &&
		 !has_grown(checking))
		check_not_judged(
			checking,
			report_text(checking->report,
				    "growth: the program did no work between its snapshots: it "
				    "made at most %.0f allocation%s from one to the next",
				    facts->step_work, facts->step_work == 1 ? "" : "s"));
}

/* A run that did less work holds less: what it would hold with the same work is unknown. */
static void note_less_work(struct checking *checking)
{
	const struct report *compare = checking->request->compare;
	const struct check_facts *facts = &checking->request->facts;

	if (facts->new_work == 0 && facts->old_work > 0) {
		check_not_judged(checking, "compare: NEW allocated nothing");
		return;
	}
	for (size_t i = 0; i < compare->warning_count; i++) {
		const struct notice *notice = &compare->warnings[i].notice;

		if (notice->kind == NOTICE_OTHER_WORK && notice->figures[1] < notice->figures[0])
			check_not_judged(checking,
					 "compare: NEW did less work than OLD, and may have "
					 "less for that alone");
	}
}

static void say_rules(struct checking *checking)
{
	struct report *report = checking->report;
	size_t floor_count = checking->floor.list.count;

	for (size_t i = 0; i < checking->rules.list.count; i++) {
		const struct value *rule = &checking->rules.list.items[i];

		report_note(report, "%s %s: %s", check_text(value_get(rule, "name")),
			    check_text(value_get(rule, "limit")),
			    !value_get(rule, "passed")->boolean               ? "FAILED"
			    : value_get(rule, "measured")->kind == VALUE_NULL ? "not judged"
									      : "passed");
	}
	for (size_t i = 0; i < floor_count && i < FLOOR_SHOWN; i++)
		report_fact(report, "not counted, below --min-delta: %s: %s",
			    check_text(value_get(&checking->floor.list.items[i], "key")),
			    check_text(value_get(&checking->floor.list.items[i], "message")));
	if (floor_count > FLOOR_SHOWN)
		report_fact(report, "not counted, below --min-delta: %zu more, which -f json has",
			    floor_count - FLOOR_SHOWN);
	for (size_t i = 0; i < checking->inconclusive.list.count; i++)
		report_fact(report, "not judged: %s",
			    check_text(&checking->inconclusive.list.items[i]));
}

/* A single snapshot can be judged only by a given limit, not by the default. */
static void note_single(struct checking *checking)
{
	const struct report *growth = checking->request->growth;

	for (size_t i = 0; i < checking->rules.list.count; i++)
		if (value_get(&checking->rules.list.items[i], "measured")->kind != VALUE_NULL)
			return;
	if (growth && check_is_single(growth))
		check_not_judged(checking, "growth: one snapshot does not say what grows");
}

static const char *findings_text(struct checking *checking)
{
	const char *ending = checking->findings == 1 ? "" : "s";

	if (checking->rows == checking->findings)
		return report_text(checking->report, "%zu finding%s", checking->findings, ending);
	return report_text(checking->report, "%zu finding%s at %zu sites", checking->findings,
			   ending, checking->rows);
}

static void say_title(struct checking *checking)
{
	size_t rules = checking->rules.list.count;
	struct report *report = checking->report;

	if (checking->failed)
		report->title = report_text(report,
					    "check FAILED: %s; %zu of %zu rule%s "
					    "failed",
					    findings_text(checking), checking->failed, rules,
					    rules == 1 ? "" : "s");
	else if (checking->inconclusive.list.count)
		report->title = report_text(report,
					    "check passed, but not everything could be "
					    "judged: %zu rule%s",
					    rules, rules == 1 ? "" : "s");
	else
		report->title = report_text(report, "check passed: %zu rule%s, no finding", rules,
					    rules == 1 ? "" : "s");
}

static void describe(struct checking *checking)
{
	const struct check_request *request = checking->request;
	struct report *report = checking->report;
	struct value shown = value_object(), hidden = value_object();

	if (request->growth)
		value_field(report, &report->head, "inputs",
			    check_copy_value(report, value_get(&request->growth->head, "inputs")));
	if (request->compare)
		value_field(report, &report->head, request->growth ? "compared" : "inputs",
			    check_copy_value(report, value_get(&request->compare->head, "inputs")));
	value_field(report, &report->head, "policy", value_text(report, request->policy_file));
	value_field(report, &report->head, "passed", value_bool(checking->failed == 0));
	value_field(report, &report->head, "inconclusive", checking->inconclusive);
	value_field(report, &report->head, "rules", checking->rules);
	value_field(report, &report->head, "suppressed", checking->suppressed);
	value_field(report, &report->head, "below_floor", checking->floor);
	value_field(report, &report->head, "findings", value_u64(checking->findings));
	value_field(report, &shown, "rows", value_u64(checking->rows));
	value_field(report, &hidden, "rows",
		    value_u64(checking->suppressed_count + checking->floor_count));
	value_field(report, &report->tail, "shown", shown);
	value_field(report, &report->tail, "hidden", hidden);
}

struct report *check_judge(const struct check_request *request)
{
	struct checking checking = {.request = request};
	const struct policy *policy = request->policy;
	const struct check_facts *facts = &request->facts;

	checking.report = check_report_new();
	checking.rules = check_empty_list(checking.report);
	checking.suppressed = check_empty_list(checking.report);
	checking.floor = check_empty_list(checking.report);
	checking.inconclusive = check_empty_list(checking.report);
	take_warnings(checking.report, request->compare);
	take_warnings(checking.report, request->growth);
	take_warnings(checking.report, request->leaks);
	take_damage(checking.report, request->damage);
	if (request->compare)
		check_compare(&checking);
	else
		check_without_baseline(&checking);
	if (request->growth) {
		check_growth(&checking);
		note_idle(&checking);
	}
	if (facts->no_growth)
		check_not_judged(&checking,
				 report_text(checking.report, "growth: %s", facts->no_growth));
	if (request->compare)
		note_less_work(&checking);
	check_whole(&checking, "max-peak", "the peak of recorded memory", &policy->max_peak,
		    facts->old_peak, facts->new_peak, 0);
	check_whole(&checking, "max-rss", "resident memory", &policy->max_rss, facts->old_rss,
		    facts->new_rss, 0);
	check_whole(&checking, "max-never-freed", "what was never freed at exit",
		    &policy->max_never_freed, check_range_of((double)NAN),
		    check_range_of(facts->never_freed), 0);
	check_unreachable(&checking);
	note_single(&checking);
	if (request->compare && facts->others)
		report_note(checking.report,
			    "The runs have several programs: compared is %s, which left most at "
			    "its exits; --program names another.",
			    facts->program);
	if (facts->is_pool)
		report_note(checking.report,
			    "A run has several processes of %s: the one that left most stands "
			    "for it.",
			    facts->program);
	say_rules(&checking);
	warn_of_suppressions(&checking);
	check_number_fingerprints(checking.report);
	say_title(&checking);
	describe(&checking);
	checking.report->finding = checking.failed > 0;
	return checking.report;
}

bool check_is_inconclusive(const struct report *report)
{
	const struct value *list = value_get(&report->head, "inconclusive");

	return !report->finding && list && list->list.count > 0;
}
