/*
 * check_compare.c - rules over the rows of compare; without a baseline, over levels.
 */
#include <fnmatch.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "model/names.h"
#include "report/check_part.h"
#include "report/sites.h"

/* A sampled figure counts only the part above this many standard errors: a clean gate fails by
 * chance for about one row in a hundred thousand (normal distribution, one side). */
static const double sampling_doubt = 5;

/* A row of compare, reduced to the part that is certain. */
struct change_seen {
	const char *status;
	double old, new_, delta, doubt;
	double new_doubt; /* of new_ by itself, for a level */
	bool counts;      /* not within the noise of sampling or the spread of several runs */
};

static struct change_seen see_change(const struct checking *checking, size_t row)
{
	const struct report *compare = checking->request->compare;
	const struct value *spread = report_cell(compare, row, "within_spread");
	double old_high = check_number(report_cell(compare, row, "old_high"), (double)NAN);
	double new_low = check_number(report_cell(compare, row, "new_low"), (double)NAN);
	struct change_seen seen = {
		.status = check_text(report_cell(compare, row, "status")),
		.old = check_number(report_cell(compare, row, "old_bytes"), 0),
		.new_ = check_number(report_cell(compare, row, "new_bytes"), 0),
		.delta = check_number(report_cell(compare, row, "delta_bytes"), 0),
		.doubt = sampling_doubt *
			 check_number(report_cell(compare, row, "delta_bytes_stderr"), 0),
		.new_doubt = sampling_doubt *
			     check_number(report_cell(compare, row, "new_bytes_stderr"), 0),
	};

	if (!isnan(old_high - new_low)) /* several runs: the part by which all exceed every earlier
					   one */
		seen.doubt = fmax(seen.doubt, seen.delta - (new_low - old_high));
	seen.counts =
		!check_text(spread) && seen.delta > seen.doubt && !check_is_unconfirmed(checking);
	return seen;
}

static const char *say_level(struct report *report, double held, const char *limit)
{
	char bytes[32];

	return report_text(report, "holds %s; %s is allowed",
			   sites_bytes((uint64_t)whole_number(held), bytes), limit);
}

static const char *say_change(struct report *report, const struct change_seen *seen,
			      const char *limit)
{
	bool is_new = seen->status && strcmp(seen->status, "new") == 0;
	char delta[32], old[32], new_[32];

	if (is_new && seen->old == 0)
		return report_text(report, "new, holds %s; %s is allowed",
				   sites_bytes((uint64_t)whole_number(seen->new_), new_), limit);
	return report_text(report, "%s by %s (%s -> %s); %s is allowed",
			   is_new ? "new, holds more" : "grew",
			   sites_bytes((uint64_t)whole_number(fabs(seen->delta)), delta),
			   sites_bytes((uint64_t)whole_number(seen->old), old),
			   sites_bytes((uint64_t)whole_number(seen->new_), new_), limit);
}

static bool glob_matches(const char *glob, const char *name)
{
	if (!glob)
		return true;
	return name && (fnmatch(glob, name, 0) == 0 || fnmatch(glob, name_base(name), 0) == 0);
}

static bool in_scope(const struct policy_scope *scope, const struct report *from, size_t row)
{
	return !scope ||
	       (glob_matches(scope->module, check_text(report_cell(from, row, "module"))) &&
		glob_matches(scope->function, check_text(report_cell(from, row, "function"))) &&
		glob_matches(scope->file, check_text(report_cell(from, row, "file"))));
}

static const char *rule_name(struct checking *checking, const struct policy_scope *scope,
			     const char *limit)
{
	return scope ? report_text(checking->report, "%s: %s", scope->name, limit) : limit;
}

static void leave_rule(struct checking *checking, const struct policy_scope *scope,
		       const char *name, const char *limit)
{
	struct rule rule = check_rule_begin(checking, rule_name(checking, scope, name), limit);

	if (limit)
		check_rule_end(checking, &rule);
}

/*
 * A mistyped pattern would always pass, and so would a rule for a renamed module.  So if a rule of
 * the policy file matches no site, its limits are not judged.  True: this was such a rule.
 */
static bool leave_empty_scope(struct checking *checking, const struct policy_scope *scope,
			      const struct report *from)
{
	for (size_t row = 0; row < from->row_count; row++)
		if (in_scope(scope, from, row))
			return false;
	check_not_judged(checking,
			 report_text(checking->report, "rule %s: it means none of the %zu sites",
				     scope->name, from->row_count));
	leave_rule(checking, scope, "max-total", scope->max_total.text);
	leave_rule(checking, scope, "max-site", scope->max_site.text);
	leave_rule(checking, scope, "max-new-sites",
		   scope->has_max_new_sites ? scope->max_new_sites_text : NULL);
	return true;
}

static void check_sites(struct checking *checking, const struct policy_limit *limit,
			const struct policy_scope *scope)
{
	const struct report *compare = checking->request->compare;
	struct rule rule =
		check_rule_begin(checking, rule_name(checking, scope, "max-site"), limit->text);
	double allowed;

	if (!limit->text)
		return;
	rule.is_level = !limit->is_increase;
	rule.status = rule.is_level ? "above" : NULL;
	rule.measured = 0;
	for (size_t row = 0; row < compare->row_count; row++) {
		struct change_seen seen = see_change(checking, row);
		double measured = limit->is_increase ? seen.delta : seen.new_;

		if (!in_scope(scope, compare, row))
			continue;
		if (measured > rule.measured)
			rule.measured = measured;
		if ((limit->is_increase && !seen.counts) ||
		    !policy_exceeds(limit, seen.old,
				    seen.new_ - (limit->is_increase ? seen.doubt : seen.new_doubt),
				    &allowed))
			continue;
		check_judge_row(checking, &rule, compare, row, measured,
				rule.is_level ? say_level(checking->report, seen.new_, limit->text)
					      : say_change(checking->report, &seen, limit->text));
	}
	check_rule_end(checking, &rule);
}

void check_take_back(struct checking *checking, struct rule *rule, size_t rows_before)
{
	checking->report->row_count -= checking->rows - rows_before;
	checking->findings -= checking->rows - rows_before;
	checking->rows = rows_before;
	rule->rows = check_empty_list(checking->report);
	rule->passed = true;
}

static void check_new_sites(struct checking *checking, uint64_t most, const char *most_text,
			    const struct policy_scope *scope)
{
	const struct report *compare = checking->request->compare;
	struct rule rule =
		check_rule_begin(checking, rule_name(checking, scope, "max-new-sites"), most_text);
	size_t before = checking->rows;

	for (size_t row = 0; row < compare->row_count; row++) {
		struct change_seen seen = see_change(checking, row);

		if (seen.counts && seen.status && strcmp(seen.status, "new") == 0 &&
		    in_scope(scope, compare, row))
			check_judge_row(checking, &rule, compare, row, seen.delta,
					say_change(checking->report, &seen,
						   report_text(checking->report, "%s new sites",
							       most_text)));
	}
	rule.measured = (double)(checking->rows - before);
	if (checking->rows - before <= most)
		check_take_back(checking, &rule, before);
	check_rule_end(checking, &rule);
}

/* The sum of a scope's rows.  Of several runs the doubts add up, as runs may differ in all of
 * them at once; the errors of sampling are independent. */
static void check_scope_total(struct checking *checking, const struct policy_scope *scope)
{
	const struct report *compare = checking->request->compare;
	double old = 0, new_ = 0, variance = 0, sum = 0, doubt;
	bool repeats = false;

	for (size_t row = 0; row < compare->row_count; row++)
		if (in_scope(scope, compare, row)) {
			struct change_seen seen = see_change(checking, row);

			old += seen.old;
			new_ += seen.new_;
			variance += seen.doubt * seen.doubt;
			sum += seen.doubt;
			repeats |= !isnan(
				check_number(report_cell(compare, row, "new_low"), (double)NAN));
		}
	doubt = repeats ? sum : sqrt(variance);
	check_whole(checking, rule_name(checking, scope, "max-total"),
		    report_text(checking->report, "the sites of rule %s", scope->name),
		    &scope->max_total, check_range_of(old), check_range_of(new_), doubt);
}

static double total_of(const struct report *compare, const char *side, const char *figure)
{
	const struct value *totals = value_get(&compare->head, "totals");

	return check_number(value_get(value_get(totals, side), figure), (double)NAN);
}

void check_compare(struct checking *checking)
{
	const struct policy *policy = checking->request->policy;
	const struct report *compare = checking->request->compare;
	const struct check_facts *facts = &checking->request->facts;
	bool alone = !policy->max_total.is_increase || facts->old_total.doubt > 0;
	double doubt = total_of(compare, alone ? "new" : "delta", "live_bytes_stderr");

	check_whole(
		checking, "max-total", "recorded live memory", &policy->max_total,
		isnan(facts->old_total.low) ? check_range_of(total_of(compare, "old", "live_bytes"))
					    : facts->old_total,
		isnan(facts->new_total.low) ? check_range_of(total_of(compare, "new", "live_bytes"))
					    : facts->new_total,
		isnan(doubt) ? 0 : sampling_doubt * doubt);
	check_sites(checking, &policy->max_site, NULL);
	if (policy->has_max_new_sites)
		check_new_sites(checking, policy->max_new_sites, policy->max_new_sites_text, NULL);
	for (size_t i = 0; i < policy->scope_count; i++) {
		const struct policy_scope *scope = &policy->scopes[i];

		if (leave_empty_scope(checking, scope, compare))
			continue;
		check_scope_total(checking, scope);
		check_sites(checking, &scope->max_site, scope);
		if (scope->has_max_new_sites)
			check_new_sites(checking, scope->max_new_sites, scope->max_new_sites_text,
					scope);
	}
	if (check_is_unconfirmed(checking))
		check_not_judged(
			checking,
			report_text(checking->report,
				    "--require-confirm %" PRIu64
				    ": only %zu snapshot%s on the new side",
				    policy->require_confirm, checking->request->facts.new_snapshots,
				    checking->request->facts.new_snapshots == 1 ? "" : "s"));
}

/* ---- without a baseline ---------------------------------------------------------------------- */

/* The most that a row of growth held in any snapshot. */
static double most_held(const struct report *growth, size_t row)
{
	const struct value *series = value_get(report_cell(growth, row, "series"), "bytes");
	double most = check_number(report_cell(growth, row, "last_bytes"), 0);

	for (size_t i = 0; series && series->kind == VALUE_LIST && i < series->list.count; i++)
		most = fmax(most, check_number(&series->list.items[i], 0));
	return most;
}

static void needs_baseline(struct checking *checking, struct rule *rule)
{
	check_not_judged(checking, report_text(checking->report, "%s %s: there is no baseline",
					       rule->name, rule->limit));
	check_rule_end(checking, rule);
}

/* Levels can be held against any snapshot, increases cannot. */
static void check_site_levels(struct checking *checking, const struct policy_limit *limit,
			      const struct policy_scope *scope)
{
	const struct report *growth = checking->request->growth;
	struct rule rule =
		check_rule_begin(checking, rule_name(checking, scope, "max-site"), limit->text);

	if (!limit->text)
		return;
	if (limit->is_increase) {
		needs_baseline(checking, &rule);
		return;
	}
	rule.status = "above";
	rule.is_level = true;
	rule.measured = 0;
	for (size_t row = 0; row < growth->row_count; row++) {
		double most = most_held(growth, row);

		if (!in_scope(scope, growth, row))
			continue;
		rule.measured = fmax(rule.measured, most);
		if (most > (double)limit->bytes)
			check_judge_row(checking, &rule, growth, row, most,
					say_level(checking->report, most, limit->text));
	}
	check_rule_end(checking, &rule);
}

static void check_scope_levels(struct checking *checking, const struct policy_scope *scope)
{
	const struct report *growth = checking->request->growth;
	double held = 0;

	for (size_t row = 0; row < growth->row_count; row++)
		if (in_scope(scope, growth, row))
			held += check_number(report_cell(growth, row, "last_bytes"), 0);
	check_whole(checking, rule_name(checking, scope, "max-total"),
		    report_text(checking->report, "the sites of rule %s", scope->name),
		    &scope->max_total, check_range_of((double)NAN), check_range_of(held), 0);
	check_site_levels(checking, &scope->max_site, scope);
}

static void note_new_sites(struct checking *checking, bool has_limit, const char *limit,
			   const struct policy_scope *scope)
{
	struct rule rule =
		check_rule_begin(checking, rule_name(checking, scope, "max-new-sites"), limit);

	if (has_limit)
		needs_baseline(checking, &rule);
}

void check_without_baseline(struct checking *checking)
{
	const struct policy *policy = checking->request->policy;

	check_whole(checking, "max-total", "recorded live memory", &policy->max_total,
		    check_range_of((double)NAN), check_range_of(checking->request->facts.new_live),
		    0);
	check_site_levels(checking, &policy->max_site, NULL);
	note_new_sites(checking, policy->has_max_new_sites, policy->max_new_sites_text, NULL);
	for (size_t i = 0; i < policy->scope_count; i++) {
		const struct policy_scope *scope = &policy->scopes[i];

		if (leave_empty_scope(checking, scope, checking->request->growth))
			continue;
		check_scope_levels(checking, scope);
		note_new_sites(checking, scope->has_max_new_sites, scope->max_new_sites_text,
			       scope);
	}
}
