/*
 * check_finding.c - a finding, what it is known by, and rules while they are applied.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "model/names.h"
#include "report/check_part.h"
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

enum { NAMES_MAX = 512, FINGERPRINT_FRAMES = 4 };

struct report *check_report_new(void)
{
	return report_new("snapdiff.check/1", columns, COLUMNS);
}

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

struct value check_empty_list(struct report *report)
{
	struct value list = value_list(report, 1);

	list.list.count = 0;
	return list;
}

double check_number(const struct value *value, double otherwise)
{
	if (value && value->kind == VALUE_INT)
		return (double)value->integer;
	if (value && value->kind == VALUE_REAL)
		return value->real;
	return otherwise;
}

const char *check_text(const struct value *value)
{
	return value && value->kind == VALUE_TEXT ? value->text.data : NULL;
}

struct value check_copy_value(struct report *report, const struct value *value)
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
			copy.list.items[i] = check_copy_value(report, &value->list.items[i]);
	}
	if (copy.kind == VALUE_OBJECT) {
		copy = value_object();
		for (size_t i = 0; i < value->object.count; i++)
			value_field(report, &copy,
				    report_text(report, "%s", value->object.fields[i].name),
				    check_copy_value(report, &value->object.fields[i].value));
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
		names[count++] = check_text(report_cell(from, row, members[m]));
	for (size_t i = 0; stack && stack->kind == VALUE_LIST && i < stack->list.count; i++)
		for (size_t m = 0; m < 3 && count < NAMES_MAX; m++)
			names[count++] = check_text(value_get(&stack->list.items[i], members[m]));
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

	hash = fold_name(hash, check_text(report_cell(from, row, "function")), name_bare);
	hash = fold_name(hash, check_text(report_cell(from, row, "module")), name_normalise_module);
	for (size_t i = 0;
	     stack && stack->kind == VALUE_LIST && i < stack->list.count && i < FINGERPRINT_FRAMES;
	     i++)
		hash = fold_name(hash, check_text(value_get(&stack->list.items[i], "function")),
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

void check_number_fingerprints(struct report *report)
{
	struct printed *all = report_alloc(report, report->row_count * sizeof(*all));
	uint64_t of_equals = 1;

	for (size_t i = 0; i < report->row_count; i++)
		all[i] = (struct printed){check_text(report_cell(report, i, "fingerprint")),
					  check_number(report_cell(report, i, "line"), 0), i};
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
			    check_copy_value(report, report_cell(from, row, members[i])));
	value_field(report, &object, "measured", measured_value(measured));
	value_field(report, &object, "message", value_text(report, message));
	value_field(report, &object, "finding",
		    check_copy_value(report, report_cell(from, row, "finding")));
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

	values[KEY] = values[SITE] = check_copy_value(report, report_cell(from, row, "key"));
	values[RULE] = value_text(report, rule->name);
	if (rule->status)
		values[STATUS] = value_text(report, rule->status);
	else
		values[STATUS] = check_copy_value(
			report, verdict ? verdict : report_cell(from, row, "status"));
	values[CONFIDENCE] = check_copy_value(report, report_cell(from, row, "confidence"));
	values[MEASURED] = measured_cell(rule, measured);
	values[LIMIT] = value_text(report, rule->limit);
	values[FUNCTION] = check_copy_value(report, report_cell(from, row, "function"));
	values[FILE_NAME] = check_copy_value(report, report_cell(from, row, "file"));
	values[LINE] = check_copy_value(report, report_cell(from, row, "line"));
	values[MODULE] = check_copy_value(report, report_cell(from, row, "module"));
	values[MESSAGE] = value_text(report, message);
	values[FINGERPRINT] = value_text(report, fingerprint(report, rule->name, from, row));
	values[STACK] = check_copy_value(report, report_cell(from, row, "stack"));
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

void check_judge_row(struct checking *checking, struct rule *rule, const struct report *from,
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

struct rule check_rule_begin(struct checking *checking, const char *name, const char *limit)
{
	return (struct rule){.name = name,
			     .limit = limit,
			     .passed = true,
			     .measured = (double)NAN,
			     .rows = check_empty_list(checking->report)};
}

void check_rule_end(struct checking *checking, const struct rule *rule)
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

void check_not_judged(struct checking *checking, const char *why)
{
	append(checking->report, &checking->inconclusive, value_text(checking->report, why));
}

void check_add_whole_finding(struct checking *checking, struct rule *rule, const char *status,
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

bool check_is_unconfirmed(const struct checking *checking)
{
	return checking->request->compare &&
	       checking->request->policy->require_confirm > checking->request->facts.new_snapshots;
}

struct check_range check_range_of(double value)
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

void check_whole(struct checking *checking, const char *name, const char *what,
		 const struct policy_limit *limit, struct check_range old_range,
		 struct check_range new_range, double sampling)
{
	struct rule rule = check_rule_begin(checking, name, limit->text);
	double old = old_range.high, new_ = limit->is_increase ? new_range.low : new_range.high;
	double doubt = limit->is_increase ? fmax(sampling, old_range.doubt) : sampling, allowed;

	rule.whole = strchr(name, ':') ? what : NULL; /* a rule of the policy file */
	rule.is_level = !limit->is_increase;
	if (!limit->text)
		return;
	if (!isnan(new_) && limit->is_increase && !checking->request->compare) {
		check_not_judged(checking,
				 report_text(checking->report,
					     "%s: an increase of %s needs --baseline", name, what));
	} else if (isnan(new_) || (limit->is_increase && isnan(old))) {
		check_not_judged(checking,
				 report_text(checking->report, "%s: %s is not known%s", name, what,
					     isnan(new_) ? "" : " of the baseline"));
	} else {
		rule.measured = limit->is_increase ? new_ - old : new_;
		if (policy_exceeds(limit, old, new_ - doubt, &allowed) &&
		    !(limit->is_increase && check_is_unconfirmed(checking)))
			check_add_whole_finding(
				checking, &rule, limit->is_increase ? "grew" : "above",
				say_whole(checking->report, what, limit, old, new_));
	}
	check_rule_end(checking, &rule);
}
