/*
 * check.c - rules, findings, and suppressed findings, as a report.
 *
 * A rule is one limit of the policy.  Each row of compare or growth that breaks it is a finding,
 * unless a suppression covers it (`suppressed`) or it is below --min-delta (`below_floor`): these
 * are listed and not counted.
 */
#include "report/growth_rows.h"
#include "report/check.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/growth/growth.h"
#include "base/hash.h"
#include "base/memory.h"
#include "model/names.h"
#include "report/sites.h"

enum {
	KEY,
	RULE,
	STATUS,
	CONFIDENCE,
	MEASURED,
	LIMIT,
	FUNCTION,
	FILE_NAME,
	LINE,
	MODULE,
	SITE,
	MESSAGE,
	FINGERPRINT,
	STACK,
	COLUMNS,
};

static const struct column columns[COLUMNS] = {
	[KEY] = {"key", "key", COLUMN_NAME, COLUMN_HIDDEN},
	[RULE] = {"rule", "rule", COLUMN_TEXT, COLUMN_SPARE(1)},
	[STATUS] = {"status", "what", COLUMN_VERDICT, 0},
	[CONFIDENCE] = {"confidence", "sure", COLUMN_TEXT, COLUMN_HIDDEN},
	[MEASURED] = {"measured", "measured", COLUMN_DELTA_BYTES, 0},
	[LIMIT] = {"limit", "limit", COLUMN_TEXT, COLUMN_SPARE(2)},
	[FUNCTION] = {"function", "function", COLUMN_NAME, COLUMN_HIDDEN},
	[FILE_NAME] = {"file", "file", COLUMN_NAME, COLUMN_HIDDEN},
	[LINE] = {"line", "line", COLUMN_COUNT, COLUMN_HIDDEN},
	[MODULE] = {"module", "module", COLUMN_NAME, COLUMN_HIDDEN},
	[SITE] = {"site", "site", COLUMN_NAME, COLUMN_TABLE_ONLY},
	[MESSAGE] = {"message", "message", COLUMN_TEXT, COLUMN_HIDDEN},
	[FINGERPRINT] = {"fingerprint", "fingerprint", COLUMN_TEXT, COLUMN_HIDDEN},
	[STACK] = {"stack", "stack", COLUMN_STACK, COLUMN_DETAIL | COLUMN_FOLDED},
};

/* A sampled figure counts only the part above this many standard errors: a clean gate fails by
 * chance for about one row in a hundred thousand (normal distribution, one side). */
static const double sampling_doubt = 5;

enum { NAMES_MAX = 512, FINGERPRINT_FRAMES = 4, FLOOR_SHOWN = 10 };

/* Fewer blocks between two snapshots do not count as work: a timer may allocate some. */
static const double least_work = 16;

struct checking {
	const struct check_request *request;
	struct report *report;
	struct value rules, suppressed, floor, inconclusive; /* growing lists */
	/* Rows that leak together are one finding of growth; every other row is one of its own. */
	size_t failed, rows, findings, suppressed_count, floor_count;
};

/* A rule while it is applied. */
struct rule {
	const char *name, *limit;
	const char *status; /* NULL: that of the row */
	const char *whole;  /* the subject of a finding without a row; NULL: the process */
	bool is_level;      /* `measured` is a level, not an increase */
	double measured;    /* NAN: unknown */
	bool passed;
	int64_t finding; /* number of the last row's, as growth has it; 0: none */
	struct value rows;
};

/* ---- values ---------------------------------------------------------------------------------- */

static void append(struct report *report, struct value *list, struct value item)
{
	struct value longer;

	/* Twice the room whenever the count reaches a power of 2. */
	if ((list->list.count & (list->list.count - 1)) == 0) {
		longer = value_list(report, list->list.count ? 2 * list->list.count : 1);
		if (list->list.count)
			memcpy(longer.list.items, list->list.items,
			       list->list.count * sizeof(*longer.list.items));
		longer.list.count = list->list.count;
		*list = longer;
	}
	list->list.items[list->list.count++] = item;
}

static struct value empty_list(struct report *report)
{
	struct value list = value_list(report, 1);

	list.list.count = 0;
	return list;
}

static double number(const struct value *value, double otherwise)
{
	if (value && value->kind == VALUE_INT)
		return (double)value->integer;
	if (value && value->kind == VALUE_REAL)
		return value->real;
	return otherwise;
}

static const char *text(const struct value *value)
{
	return value && value->kind == VALUE_TEXT ? value->text.data : NULL;
}

/* A value of another report, in the memory of this one. */
static struct value copy_value(struct report *report, const struct value *value)
{
	struct value copy;

	if (!value)
		return value_null();
	copy = *value;
	if (copy.kind == VALUE_TEXT)
		return value_bytes(report, copy.text.data, copy.text.size);
	if (copy.kind == VALUE_LIST) {
		copy = value_list(report, value->list.count);
		for (size_t i = 0; i < copy.list.count; i++)
			copy.list.items[i] = copy_value(report, &value->list.items[i]);
	}
	if (copy.kind == VALUE_OBJECT) {
		copy = value_object();
		for (size_t i = 0; i < value->object.count; i++)
			value_field(report, &copy,
				    report_text(report, "%s", value->object.fields[i].name),
				    copy_value(report, &value->object.fields[i].value));
	}
	return copy;
}

static struct value measured_value(double measured)
{
	return isnan(measured) || fabs(measured) > 9e18 ? value_null() : value_whole(measured);
}

/* As the table shows it: a level has no sign. */
static struct value measured_cell(const struct rule *rule, double measured)
{
	struct value value = measured_value(measured);

	value.is_level = rule->is_level;
	return value;
}

/* ---- what a finding is ----------------------------------------------------------------------- */

/* The names of a row's call stack, for suppressions. */
static size_t stack_names(const struct report *from, size_t row, const char *names[NAMES_MAX])
{
	static const char *const members[] = {"function", "file", "module"};
	const struct value *stack = report_cell(from, row, "stack");
	size_t count = 0;

	for (size_t m = 0; m < 3; m++)
		names[count++] = text(report_cell(from, row, members[m]));
	for (size_t i = 0; stack && stack->kind == VALUE_LIST && i < stack->list.count; i++)
		for (size_t m = 0; m < 3 && count < NAMES_MAX; m++)
			names[count++] = text(value_get(&stack->list.items[i], members[m]));
	return count;
}

static uint64_t fold_name(uint64_t hash, const char *name,
			  size_t (*reduce)(const char *, char *, size_t))
{
	char reduced[512];
	size_t size = name ? reduce(name, reduced, sizeof(reduced)) : 0;

	if (size >= sizeof(reduced))
		size = sizeof(reduced) - 1;
	return hash_fold(hash, hash_of_bytes(reduced, size));
}

/*
 * Equal for the same finding in another build: the rule, and the names of the newest frames
 * without parameters, versions and lines.
 */
static const char *fingerprint(struct report *report, const char *rule, const struct report *from,
			       size_t row)
{
	const struct value *stack = report_cell(from, row, "stack");
	uint64_t hash = hash_of_bytes(rule, strlen(rule));

	hash = fold_name(hash, text(report_cell(from, row, "function")), name_bare);
	hash = fold_name(hash, text(report_cell(from, row, "module")), name_normalise_module);
	for (size_t i = 0;
	     stack && stack->kind == VALUE_LIST && i < stack->list.count && i < FINGERPRINT_FRAMES;
	     i++)
		hash = fold_name(hash, text(value_get(&stack->list.items[i], "function")),
				 name_bare);
	return report_text(report, "%016" PRIx64, hash);
}

/* A row by the place of its finding. */
struct printed {
	const char *fingerprint;
	double line;
	size_t row;
};

static int by_fingerprint(const void *left, const void *right)
{
	const struct printed *a = left, *b = right;
	int order = strcmp(a->fingerprint, b->fingerprint);

	if (order)
		return order;
	return a->line != b->line ? (a->line > b->line) - (a->line < b->line)
				  : (a->row > b->row) - (a->row < b->row);
}

/* Lines of one function that its callers reach alike: services take equal fingerprints for one
 * finding, so the second line and those behind it get a number. */
static void number_fingerprints(struct report *report)
{
	struct printed *all = report_alloc(report, report->row_count * sizeof(*all));
	uint64_t of_equals = 1;

	for (size_t i = 0; i < report->row_count; i++)
		all[i] = (struct printed){text(report_cell(report, i, "fingerprint")),
					  number(report_cell(report, i, "line"), 0), i};
	if (report->row_count)
		qsort(all, report->row_count, sizeof(*all), by_fingerprint);
	for (size_t i = 1; i < report->row_count; i++) {
		const char *print = all[i].fingerprint;
		struct value *cell = &report->rows[all[i].row * COLUMNS + FINGERPRINT];

		of_equals = strcmp(print, all[i - 1].fingerprint) == 0 ? of_equals + 1 : 1;
		if (of_equals > 1)
			*cell = value_text(
				report,
				report_text(
					report, "%016" PRIx64,
					hash_fold(of_equals, hash_of_bytes(print, strlen(print)))));
	}
}

static struct value row_object(struct report *report, const struct report *from, size_t row,
			       double measured, const char *message)
{
	static const char *const members[] = {"key", "function", "file", "line", "module", "stack"};
	struct value object = value_object();

	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
		value_field(report, &object, members[i],
			    copy_value(report, report_cell(from, row, members[i])));
	value_field(report, &object, "measured", measured_value(measured));
	value_field(report, &object, "message", value_text(report, message));
	value_field(report, &object, "finding",
		    copy_value(report, report_cell(from, row, "finding")));
	return object;
}

/* Rows of one finding stand next to each other. */
static void count_finding(struct checking *checking, struct rule *rule, const struct value *number)
{
	int64_t finding = number && number->kind == VALUE_INT ? number->integer : 0;

	checking->rows++;
	checking->findings += finding == 0 || finding != rule->finding;
	rule->finding = finding;
}

static void add_finding(struct checking *checking, struct rule *rule, const struct report *from,
			size_t row, double measured, const char *message)
{
	struct report *report = checking->report;
	const struct value *verdict = report_cell(from, row, "verdict");
	struct value *values = report_row(report);

	values[KEY] = values[SITE] = copy_value(report, report_cell(from, row, "key"));
	values[RULE] = value_text(report, rule->name);
	if (rule->status)
		values[STATUS] = value_text(report, rule->status);
	else
		values[STATUS] =
			copy_value(report, verdict ? verdict : report_cell(from, row, "status"));
	values[CONFIDENCE] = copy_value(report, report_cell(from, row, "confidence"));
	values[MEASURED] = measured_cell(rule, measured);
	values[LIMIT] = value_text(report, rule->limit);
	values[FUNCTION] = copy_value(report, report_cell(from, row, "function"));
	values[FILE_NAME] = copy_value(report, report_cell(from, row, "file"));
	values[LINE] = copy_value(report, report_cell(from, row, "line"));
	values[MODULE] = copy_value(report, report_cell(from, row, "module"));
	values[MESSAGE] = value_text(report, message);
	values[FINGERPRINT] = value_text(report, fingerprint(report, rule->name, from, row));
	values[STACK] = copy_value(report, report_cell(from, row, "stack"));
	append(report, &rule->rows, row_object(report, from, row, measured, message));
	rule->passed = false;
	count_finding(checking, rule, report_cell(from, row, "finding"));
}

/* True when a suppression covers the row: it is then listed. */
static bool is_suppressed(struct checking *checking, const struct rule *rule,
			  const struct report *from, size_t row, double measured,
			  const char *message)
{
	const struct check_request *request = checking->request;
	const char *names[NAMES_MAX];
	struct suppression_names all = {names, stack_names(from, row, names)};
	struct suppression *by;
	struct value object;

	if (!request->suppressions)
		return false;
	by = suppressions_find(request->suppressions, &all,
			       measured > 0 ? (uint64_t)whole_number(measured) : 0, request->today);
	if (!by)
		return false;
	object = row_object(checking->report, from, row, measured, message);
	value_field(checking->report, &object, "rule", value_text(checking->report, rule->name));
	value_field(checking->report, &object, "pattern",
		    value_text(checking->report, by->pattern));
	value_field(checking->report, &object, "reason", value_text(checking->report, by->reason));
	append(checking->report, &checking->suppressed, object);
	checking->suppressed_count++;
	return true;
}

static void judge_row(struct checking *checking, struct rule *rule, const struct report *from,
		      size_t row, double measured, const char *message)
{
	struct value object;

	if (is_suppressed(checking, rule, from, row, measured, message))
		return;
	if (measured < (double)checking->request->policy->min_delta) {
		object = row_object(checking->report, from, row, measured, message);
		value_field(checking->report, &object, "rule",
			    value_text(checking->report, rule->name));
		append(checking->report, &checking->floor, object);
		checking->floor_count++;
		return;
	}
	add_finding(checking, rule, from, row, measured, message);
}

/* ---- rules ----------------------------------------------------------------------------------- */

static struct rule rule_begin(struct checking *checking, const char *name, const char *limit)
{
	return (struct rule){.name = name,
			     .limit = limit,
			     .passed = true,
			     .measured = (double)NAN,
			     .rows = empty_list(checking->report)};
}

static void rule_end(struct checking *checking, const struct rule *rule)
{
	struct report *report = checking->report;
	struct value object = value_object();

	value_field(report, &object, "name", value_text(report, rule->name));
	value_field(report, &object, "limit", value_text(report, rule->limit));
	value_field(report, &object, "measured", measured_value(rule->measured));
	value_field(report, &object, "passed", value_bool(rule->passed));
	value_field(report, &object, "rows", rule->rows);
	append(report, &checking->rules, object);
	checking->failed += !rule->passed;
}

static void not_judged(struct checking *checking, const char *why)
{
	append(checking->report, &checking->inconclusive, value_text(checking->report, why));
}

/* A finding about the process as a whole has no row. */
static void add_whole_finding(struct checking *checking, struct rule *rule, const char *status,
			      const char *message)
{
	struct report *report = checking->report;
	struct value *values = report_row(report), object = value_object();

	values[KEY] = values[SITE] =
		value_text(report, rule->whole ? rule->whole : "the process as a whole");
	values[RULE] = value_text(report, rule->name);
	values[STATUS] = value_text(report, status);
	values[MEASURED] = measured_cell(rule, rule->measured);
	values[LIMIT] = value_text(report, rule->limit);
	values[MESSAGE] = value_text(report, message);
	values[FINGERPRINT] =
		value_text(report, report_text(report, "%016" PRIx64,
					       hash_of_bytes(rule->name, strlen(rule->name))));
	value_field(report, &object, "key", values[KEY]);
	value_field(report, &object, "measured", values[MEASURED]);
	value_field(report, &object, "message", values[MESSAGE]);
	append(report, &rule->rows, object);
	rule->passed = false;
	count_finding(checking, rule, NULL);
}

/* --require-confirm asks for more repeats than there are: no increase counts. */
static bool is_unconfirmed(const struct checking *checking)
{
	return checking->request->compare &&
	       checking->request->policy->require_confirm > checking->request->facts.new_snapshots;
}

static struct check_range range(double value)
{
	return (struct check_range){value, value, 0};
}

static const char *say_whole(struct report *report, const char *what,
			     const struct policy_limit *limit, double old, double new_)
{
	char from[32], to[32];

	sites_bytes((uint64_t)whole_number(new_), to);
	if (!limit->is_increase)
		return report_text(report, "%s: %s; %s is allowed", what, to, limit->text);
	return report_text(report, "%s: from %s to %s; %s is allowed", what,
			   sites_bytes((uint64_t)whole_number(old), from), to, limit->text);
}

/*
 * A figure of the whole process.  Of several runs, the increase is the part by which all of them
 * exceed all runs of the baseline; a level is compared with every run.  Unknown: NAN.
 */
static void check_whole(struct checking *checking, const char *name, const char *what,
			const struct policy_limit *limit, struct check_range old_range,
			struct check_range new_range, double sampling)
{
	struct rule rule = rule_begin(checking, name, limit->text);
	double old = old_range.high, new_ = limit->is_increase ? new_range.low : new_range.high;
	double doubt = limit->is_increase ? fmax(sampling, old_range.doubt) : sampling, allowed;

	rule.whole = strchr(name, ':') ? what : NULL; /* a rule of the policy file */
	rule.is_level = !limit->is_increase;
	if (!limit->text)
		return;
	if (!isnan(new_) && limit->is_increase && !checking->request->compare) {
		not_judged(checking,
			   report_text(checking->report, "%s: an increase of %s needs --baseline",
				       name, what));
	} else if (isnan(new_) || (limit->is_increase && isnan(old))) {
		not_judged(checking, report_text(checking->report, "%s: %s is not known%s", name,
						 what, isnan(new_) ? "" : " of the baseline"));
	} else {
		rule.measured = limit->is_increase ? new_ - old : new_;
		if (policy_exceeds(limit, old, new_ - doubt, &allowed) &&
		    !(limit->is_increase && is_unconfirmed(checking)))
			add_whole_finding(checking, &rule, limit->is_increase ? "grew" : "above",
					  say_whole(checking->report, what, limit, old, new_));
	}
	rule_end(checking, &rule);
}

/* ---- rules over compare ---------------------------------------------------------------------- */

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
	double old_high = number(report_cell(compare, row, "old_high"), (double)NAN);
	double new_low = number(report_cell(compare, row, "new_low"), (double)NAN);
	struct change_seen seen = {
		.status = text(report_cell(compare, row, "status")),
		.old = number(report_cell(compare, row, "old_bytes"), 0),
		.new_ = number(report_cell(compare, row, "new_bytes"), 0),
		.delta = number(report_cell(compare, row, "delta_bytes"), 0),
		.doubt =
			sampling_doubt * number(report_cell(compare, row, "delta_bytes_stderr"), 0),
		.new_doubt =
			sampling_doubt * number(report_cell(compare, row, "new_bytes_stderr"), 0),
	};

	if (!isnan(old_high - new_low)) /* several runs: the part by which all exceed every earlier
					   one */
		seen.doubt = fmax(seen.doubt, seen.delta - (new_low - old_high));
	seen.counts = !text(spread) && seen.delta > seen.doubt && !is_unconfirmed(checking);
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
	return !scope || (glob_matches(scope->module, text(report_cell(from, row, "module"))) &&
			  glob_matches(scope->function, text(report_cell(from, row, "function"))) &&
			  glob_matches(scope->file, text(report_cell(from, row, "file"))));
}

static const char *rule_name(struct checking *checking, const struct policy_scope *scope,
			     const char *limit)
{
	return scope ? report_text(checking->report, "%s: %s", scope->name, limit) : limit;
}

static void leave_rule(struct checking *checking, const struct policy_scope *scope,
		       const char *name, const char *limit)
{
	struct rule rule = rule_begin(checking, rule_name(checking, scope, name), limit);

	if (limit)
		rule_end(checking, &rule);
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
	not_judged(checking,
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
		rule_begin(checking, rule_name(checking, scope, "max-site"), limit->text);
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
		judge_row(checking, &rule, compare, row, measured,
			  rule.is_level ? say_level(checking->report, seen.new_, limit->text)
					: say_change(checking->report, &seen, limit->text));
	}
	rule_end(checking, &rule);
}

/* All rows together are within the limit, so there are no findings. */
static void take_back(struct checking *checking, struct rule *rule, size_t rows_before)
{
	checking->report->row_count -= checking->rows - rows_before;
	checking->findings -= checking->rows - rows_before;
	checking->rows = rows_before;
	rule->rows = empty_list(checking->report);
	rule->passed = true;
}

static void check_new_sites(struct checking *checking, uint64_t most, const char *most_text,
			    const struct policy_scope *scope)
{
	const struct report *compare = checking->request->compare;
	struct rule rule =
		rule_begin(checking, rule_name(checking, scope, "max-new-sites"), most_text);
	size_t before = checking->rows;

	for (size_t row = 0; row < compare->row_count; row++) {
		struct change_seen seen = see_change(checking, row);

		if (seen.counts && seen.status && strcmp(seen.status, "new") == 0 &&
		    in_scope(scope, compare, row))
			judge_row(checking, &rule, compare, row, seen.delta,
				  say_change(checking->report, &seen,
					     report_text(checking->report, "%s new sites",
							 most_text)));
	}
	rule.measured = (double)(checking->rows - before);
	if (checking->rows - before <= most)
		take_back(checking, &rule, before);
	rule_end(checking, &rule);
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
			repeats |=
				!isnan(number(report_cell(compare, row, "new_low"), (double)NAN));
		}
	doubt = repeats ? sum : sqrt(variance);
	check_whole(checking, rule_name(checking, scope, "max-total"),
		    report_text(checking->report, "the sites of rule %s", scope->name),
		    &scope->max_total, range(old), range(new_), doubt);
}

static double total_of(const struct report *compare, const char *side, const char *figure)
{
	const struct value *totals = value_get(&compare->head, "totals");

	return number(value_get(value_get(totals, side), figure), (double)NAN);
}

static void check_compare(struct checking *checking)
{
	const struct policy *policy = checking->request->policy;
	const struct report *compare = checking->request->compare;
	const struct check_facts *facts = &checking->request->facts;
	bool alone = !policy->max_total.is_increase || facts->old_total.doubt > 0;
	double doubt = total_of(compare, alone ? "new" : "delta", "live_bytes_stderr");

	check_whole(checking, "max-total", "recorded live memory", &policy->max_total,
		    isnan(facts->old_total.low) ? range(total_of(compare, "old", "live_bytes"))
						: facts->old_total,
		    isnan(facts->new_total.low) ? range(total_of(compare, "new", "live_bytes"))
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
	if (is_unconfirmed(checking))
		not_judged(checking,
			   report_text(checking->report,
				       "--require-confirm %" PRIu64
				       ": only %zu snapshot%s on the new side",
				       policy->require_confirm,
				       checking->request->facts.new_snapshots,
				       checking->request->facts.new_snapshots == 1 ? "" : "s"));
}

/* ---- rules over growth ----------------------------------------------------------------------- */

static int verdict_index(const char *name)
{
	const struct verdict *verdict = name ? verdict_find(name) : NULL;

	return verdict ? (int)(verdict - verdicts) : GROWTH_TOO_FEW;
}

static bool fails_on(const struct policy *policy, const struct report *growth, size_t row)
{
	const char *confidence = text(report_cell(growth, row, "confidence"));
	int least = policy->fail_on[verdict_index(text(report_cell(growth, row, "verdict")))];

	if (least < 0 || !confidence)
		return false;
	for (int i = least; i <= GROWTH_HIGH; i++)
		if (strcmp(confidence, growth_confidence_name((enum growth_confidence)i)) == 0)
			return true;
	return false;
}

/* Snapshots at the exits of repeated runs: each shows what one run leaves. */
static bool is_of_runs(const struct report *growth)
{
	const struct value *runs = value_get(&growth->head, "repeated");

	return runs && runs->kind == VALUE_BOOL && runs->boolean;
}

/* From the first snapshot to the last; of runs, what each of them adds. */
static double bytes_grown(const struct report *growth, size_t row)
{
	double first = number(report_cell(growth, row, "first_bytes"), 0);

	if (is_of_runs(growth))
		return number(report_cell(growth, row, "growth_bytes"), 0);
	return number(report_cell(growth, row, "last_bytes"), first) - first;
}

/* The mean of the snapshots [from, from + count) of a row. */
static double mean_bytes(const struct value *series, size_t from, size_t count)
{
	double sum = 0;

	for (size_t i = from; i < from + count; i++)
		sum += number(&series->list.items[i], 0);
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
	double grown = bytes_grown(growth, row), by_thirds = 0;
	size_t third = count / 3;

	if (third > 0 && !is_of_runs(growth)) /* count - third of count - 1 intervals apart */
		by_thirds =
			(mean_bytes(series, count - third, third) - mean_bytes(series, 0, third)) *
			(double)(count - 1) / (double)(count - third);
	return fmax(fmax(grown, by_thirds), 0);
}

static const char *first_reason(const struct report *growth, size_t row)
{
	const struct value *reasons = report_cell(growth, row, "reasons");
	const char *reason = reasons && reasons->kind == VALUE_LIST && reasons->list.count
				     ? text(&reasons->list.items[0])
				     : NULL;

	return reason ? reason : "it keeps growing";
}

static const char *say_growth(struct report *report, const struct report *growth, size_t row)
{
	char each[32];

	return report_text(
		report, "%s (%s)%s: %s", text(report_cell(growth, row, "verdict")),
		text(report_cell(growth, row, "confidence")),
		is_of_runs(growth)
			? report_text(report, ", %s per run",
				      sites_bytes((uint64_t)bytes_grown(growth, row), each))
			: "",
		first_reason(growth, row));
}

/* One snapshot does not say what grows. */
static bool is_single(const struct report *growth)
{
	const struct value *inputs = value_get(&growth->head, "inputs");

	return inputs && inputs->list.count == 1;
}

static void check_verdicts(struct checking *checking)
{
	const struct report *growth = checking->request->growth;
	const struct policy *policy = checking->request->policy;
	struct rule rule = rule_begin(checking, "fail-on", policy->fail_on_text);

	for (size_t row = 0; row < growth->row_count; row++)
		if (fails_on(policy, growth, row)) {
			int verdict = verdict_index(text(report_cell(growth, row, "verdict")));
			enum growth_confidence least =
				(enum growth_confidence)policy->fail_on[verdict];

			rule.limit = report_text(checking->report, "no %s (%s)",
						 growth_verdict_name((enum growth_verdict)verdict),
						 growth_confidence_name(least));
			judge_row(checking, &rule, growth, row, bytes_leaked(growth, row),
				  say_growth(checking->report, growth, row));
		}
	rule.limit = policy->fail_on_text;
	if (!is_single(growth))
		rule.measured = (double)rule.rows.list.count;
	rule_end(checking, &rule);
}

/* The rows that leak, together, per hour. */
static void check_rate(struct checking *checking)
{
	const struct report *growth = checking->request->growth;
	const struct policy *policy = checking->request->policy;
	struct rule rule = rule_begin(checking, "max-growth", policy->max_growth_text);
	size_t timeless = 0;
	char rate[32];

	rule.measured = is_single(growth) ? (double)NAN : 0;
	for (size_t row = 0; row < growth->row_count; row++)
		if (fails_on(policy, growth, row) && is_of_runs(growth))
			timeless++;
		else if (fails_on(policy, growth, row))
			rule.measured +=
				3600 *
				number(value_get(report_cell(growth, row, "bytes_per_snapshot"),
						 "value"),
				       0);
	if (rule.measured > policy->max_growth)
		add_whole_finding(
			checking, &rule, "grew",
			report_text(checking->report,
				    "the sites that leak grow by %s per hour; %s is "
				    "allowed",
				    sites_bytes((uint64_t)whole_number(rule.measured), rate),
				    policy->max_growth_text));
	if (timeless) {
		rule.measured = rule.passed ? (double)NAN : rule.measured;
		not_judged(checking, "max-growth: what repeated runs leave has no rate per hour; "
				     "record one run with --every");
	}
	rule_end(checking, &rule);
}

/* Would its verdict fail the gate with higher confidence, and are there too few snapshots for
 * that? */
static bool lacks_snapshots(const struct policy *policy, const struct report *growth, size_t row)
{
	const struct value *series = value_get(report_cell(growth, row, "series"), "bytes");
	int least = policy->fail_on[verdict_index(text(report_cell(growth, row, "verdict")))];

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
	int verdict = verdict_index(text(report_cell(growth, row, "verdict")));

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
		not_judged(checking, report_text(checking->report, "growth: %zu %s", sites,
						 sites == 1 ? one : many));
}

static void note_unjudged_rows(struct checking *checking)
{
	const struct report *growth = checking->request->growth;
	const struct policy *policy = checking->request->policy;
	size_t few = 0, open = 0, helpers = 0, doubtful = 0, most = most_snapshots(growth);

	for (size_t row = 0; row < growth->row_count; row++) {
		int verdict = verdict_index(text(report_cell(growth, row, "verdict")));

		if (bytes_grown(growth, row) <= (double)policy->min_delta)
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
	double bytes = number(value_get(&checking->request->growth->head, "unrecorded_growth"), 0);
	char size[32];

	if (bytes > 0)
		not_judged(checking,
			   report_text(checking->report,
				       "growth: resident memory grew by %s that no hook saw; "
				       "snapdiff growth says more",
				       sites_bytes((uint64_t)whole_number(bytes), size)));
}

static void check_growth(struct checking *checking)
{
	check_verdicts(checking);
	if (checking->request->policy->has_max_growth)
		check_rate(checking);
	note_unjudged_rows(checking);
	note_unrecorded_growth(checking);
}

/* ---- what nothing reaches -------------------------------------------------------------------- */

static const char *say_lost(struct report *report, const struct report *leaks, size_t row,
			    const char *limit)
{
	double bytes = number(report_cell(leaks, row, "unreachable_bytes"), 0);
	double blocks = number(report_cell(leaks, row, "unreachable_blocks"), 0);
	char size[32], count[64];

	return report_text(report, "nothing reaches %s in %s; %s is allowed in all",
			   sites_bytes((uint64_t)whole_number(bytes), size),
			   sites_blocks((uint64_t)whole_number(blocks), count), limit);
}

/* All rows together are held against the limit; each of them is a finding if they exceed it. */
static void check_unreachable(struct checking *checking)
{
	const struct policy_limit *limit = &checking->request->policy->max_unreachable;
	const struct report *leaks = checking->request->leaks;
	struct rule rule = rule_begin(checking, "max-unreachable", limit->text);
	size_t before = checking->rows;
	double allowed;

	if (!limit->text)
		return;
	if (!leaks)
		not_judged(checking, "max-unreachable: no snapshot says who holds what; take one "
				     "with snap --holders, or record with run --holders-at-exit");
	else
		rule.measured = 0;
	rule.status = "unreachable";
	rule.is_level = true;
	for (size_t row = 0; leaks && row < leaks->row_count; row++) {
		double lost = number(report_cell(leaks, row, "unreachable_bytes"), 0);
		size_t rows = checking->rows;

		judge_row(checking, &rule, leaks, row, lost,
			  say_lost(checking->report, leaks, row, limit->text));
		if (checking->rows > rows)
			rule.measured += lost;
	}
	if (!policy_exceeds(limit, 0, rule.measured, &allowed))
		take_back(checking, &rule, before);
	rule_end(checking, &rule);
}

/* ---- without a baseline ---------------------------------------------------------------------- */

/* The most that a row of growth held in any snapshot. */
static double most_held(const struct report *growth, size_t row)
{
	const struct value *series = value_get(report_cell(growth, row, "series"), "bytes");
	double most = number(report_cell(growth, row, "last_bytes"), 0);

	for (size_t i = 0; series && series->kind == VALUE_LIST && i < series->list.count; i++)
		most = fmax(most, number(&series->list.items[i], 0));
	return most;
}

static void needs_baseline(struct checking *checking, struct rule *rule)
{
	not_judged(checking, report_text(checking->report, "%s %s: there is no baseline",
					 rule->name, rule->limit));
	rule_end(checking, rule);
}

/* Levels can be held against any snapshot, increases cannot. */
static void check_site_levels(struct checking *checking, const struct policy_limit *limit,
			      const struct policy_scope *scope)
{
	const struct report *growth = checking->request->growth;
	struct rule rule =
		rule_begin(checking, rule_name(checking, scope, "max-site"), limit->text);

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
			judge_row(checking, &rule, growth, row, most,
				  say_level(checking->report, most, limit->text));
	}
	rule_end(checking, &rule);
}

static void check_scope_levels(struct checking *checking, const struct policy_scope *scope)
{
	const struct report *growth = checking->request->growth;
	double held = 0;

	for (size_t row = 0; row < growth->row_count; row++)
		if (in_scope(scope, growth, row))
			held += number(report_cell(growth, row, "last_bytes"), 0);
	check_whole(checking, rule_name(checking, scope, "max-total"),
		    report_text(checking->report, "the sites of rule %s", scope->name),
		    &scope->max_total, range((double)NAN), range(held), 0);
	check_site_levels(checking, &scope->max_site, scope);
}

static void note_new_sites(struct checking *checking, bool has_limit, const char *limit,
			   const struct policy_scope *scope)
{
	struct rule rule = rule_begin(checking, rule_name(checking, scope, "max-new-sites"), limit);

	if (has_limit)
		needs_baseline(checking, &rule);
}

static void check_without_baseline(struct checking *checking)
{
	const struct policy *policy = checking->request->policy;

	check_whole(checking, "max-total", "recorded live memory", &policy->max_total,
		    range((double)NAN), range(checking->request->facts.new_live), 0);
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
		if (bytes_grown(growth, row) > (double)checking->request->policy->min_delta)
			return true;
	return false;
}

/* A gate that judges a program which did nothing has judged nothing. */
static void note_idle(struct checking *checking)
{
	const struct check_facts *facts = &checking->request->facts;
	const struct report *growth = checking->request->growth;
	bool of_runs = growth && is_of_runs(growth);

	if (of_runs && facts->new_work == 0)
		not_judged(checking, "growth: the runs allocated nothing");
	else if (growth && !of_runs && !is_single(growth) && facts->step_work < least_work &&
		 !has_grown(checking))
		not_judged(checking,
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
		not_judged(checking, "compare: NEW allocated nothing");
		return;
	}
	for (size_t i = 0; i < compare->warning_count; i++) {
		const struct notice *notice = &compare->warnings[i].notice;

		if (notice->kind == NOTICE_OTHER_WORK && notice->figures[1] < notice->figures[0])
			not_judged(checking, "compare: NEW did less work than OLD, and may have "
					     "less for that alone");
	}
}

static void say_rules(struct checking *checking)
{
	struct report *report = checking->report;
	size_t floor_count = checking->floor.list.count;

	for (size_t i = 0; i < checking->rules.list.count; i++) {
		const struct value *rule = &checking->rules.list.items[i];

		report_note(report, "%s %s: %s", text(value_get(rule, "name")),
			    text(value_get(rule, "limit")),
			    !value_get(rule, "passed")->boolean               ? "FAILED"
			    : value_get(rule, "measured")->kind == VALUE_NULL ? "not judged"
									      : "passed");
	}
	for (size_t i = 0; i < floor_count && i < FLOOR_SHOWN; i++)
		report_fact(report, "not counted, below --min-delta: %s: %s",
			    text(value_get(&checking->floor.list.items[i], "key")),
			    text(value_get(&checking->floor.list.items[i], "message")));
	if (floor_count > FLOOR_SHOWN)
		report_fact(report, "not counted, below --min-delta: %zu more, which -f json has",
			    floor_count - FLOOR_SHOWN);
	for (size_t i = 0; i < checking->inconclusive.list.count; i++)
		report_fact(report, "not judged: %s", text(&checking->inconclusive.list.items[i]));
}

/* A single snapshot can be judged only by a given limit, not by the default. */
static void note_single(struct checking *checking)
{
	const struct report *growth = checking->request->growth;

	for (size_t i = 0; i < checking->rules.list.count; i++)
		if (value_get(&checking->rules.list.items[i], "measured")->kind != VALUE_NULL)
			return;
	if (growth && is_single(growth))
		not_judged(checking, "growth: one snapshot does not say what grows");
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
			    copy_value(report, value_get(&request->growth->head, "inputs")));
	if (request->compare)
		value_field(report, &report->head, request->growth ? "compared" : "inputs",
			    copy_value(report, value_get(&request->compare->head, "inputs")));
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

	checking.report = report_new("snapdiff.check/1", columns, COLUMNS);
	checking.rules = empty_list(checking.report);
	checking.suppressed = empty_list(checking.report);
	checking.floor = empty_list(checking.report);
	checking.inconclusive = empty_list(checking.report);
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
		not_judged(&checking, report_text(checking.report, "growth: %s", facts->no_growth));
	if (request->compare)
		note_less_work(&checking);
	check_whole(&checking, "max-peak", "the peak of recorded memory", &policy->max_peak,
		    facts->old_peak, facts->new_peak, 0);
	check_whole(&checking, "max-rss", "resident memory", &policy->max_rss, facts->old_rss,
		    facts->new_rss, 0);
	check_whole(&checking, "max-never-freed", "what was never freed at exit",
		    &policy->max_never_freed, range((double)NAN), range(facts->never_freed), 0);
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
	number_fingerprints(checking.report);
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
