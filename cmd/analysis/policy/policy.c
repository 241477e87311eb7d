/*
 * policy.c - the limits of a gate, from text to numbers.
 */
#include "analysis/policy/policy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/growth/growth.h"
#include "base/sizes.h"

/* ---- limits ---- */

static bool parse_percent(const char *text, double *percent)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	*percent = strtod(text, &end);
	return strcmp(end, "%") == 0 && isfinite(*percent) && *percent <= 1e6;
}

/* "+5%", "5%", "+64KiB", "64MiB" */
static enum snap_status parse_limit(struct policy_limit *out, const char *name, const char *text,
				    struct snap_error *err)
{
	*out = (struct policy_limit){.text = text, .bytes = UINT64_MAX};
	if (!text)
		return SNAP_OK;
	out->is_increase = *text == '+';
	text += out->is_increase;
	if (parse_percent(text, &out->percent)) {
		out->is_increase = true;
		return SNAP_OK;
	}
	if (size_parse(text, &out->bytes) && out->bytes <= INT64_MAX)
		return SNAP_OK;
	return fail(err, SNAP_EUSAGE,
		    "%s wants an increase such as +5%% or +64KiB, or a size, not '%s'", name,
		    out->text);
}

bool policy_exceeds(const struct policy_limit *limit, double old, double new_, double *allowed)
{
	*allowed = 0;
	if (!limit->text)
		return false;
	if (!limit->is_increase) {
		*allowed = (double)limit->bytes;
		return new_ > *allowed;
	}
	*allowed = limit->bytes != UINT64_MAX ? (double)limit->bytes : old * limit->percent / 100;
	return new_ - old > *allowed;
}

/* ---- rates ---- */

static const struct {
	const char *unit;
	double per_hour;
} rate_units[] = {
	{"h", 1}, {"min", 60}, {"m", 60}, {"s", 3600}, {"d", 1.0 / 24},
};

/* "1MiB/h" -> bytes per hour */
static enum snap_status parse_rate(double *out, const char *text, struct snap_error *err)
{
	const char *slash = strchr(text, '/');
	char size[64] = "";
	uint64_t bytes;

	if (slash && (size_t)(slash - text) < sizeof(size)) {
		memcpy(size, text, (size_t)(slash - text));
		for (size_t i = 0; i < sizeof(rate_units) / sizeof(*rate_units); i++)
			if (strcmp(slash + 1, rate_units[i].unit) == 0 &&
			    size_parse(size, &bytes)) {
				*out = (double)bytes * rate_units[i].per_hour;
				return SNAP_OK;
			}
	}
	return fail(err, SNAP_EUSAGE, "--max-growth wants a rate such as 1MiB/h, not '%s'", text);
}

/* ---- verdicts ---- */

/* The length of `word` must be `size`. */
static bool is_word(const char *text, size_t size, const char *word)
{
	return strlen(word) == size && strncmp(text, word, size) == 0;
}

static int verdict_of(const char *text, size_t size)
{
	for (int i = 0; i < GROWTH_VERDICTS; i++)
		if (is_word(text, size, growth_verdict_name((enum growth_verdict)i)))
			return i;
	return -1;
}

static int confidence_of(const char *text, size_t size)
{
	for (int i = GROWTH_LOW; i <= GROWTH_HIGH; i++)
		if (is_word(text, size, growth_confidence_name((enum growth_confidence)i)))
			return i;
	return -1;
}

static enum snap_status wrong_verdict(const char *text, size_t size, struct snap_error *err)
{
	return fail(err, SNAP_EUSAGE,
		    "--fail-on wants verdicts such as leak:high,container-growth:medium (or none), "
		    "not '%.*s'",
		    (int)(size < 80 ? size : 80), text);
}

/* "leak:high,sawtooth" */
static enum snap_status parse_verdicts(struct policy *policy, const char *text,
				       struct snap_error *err)
{
	for (int i = 0; i < GROWTH_VERDICTS; i++)
		policy->fail_on[i] = -1;
	if (strcmp(text, "none") == 0)
		return SNAP_OK;
	if (!*text) /* if no verdict shall fail, the word is "none" */
		return wrong_verdict(text, 0, err);
	for (size_t size; *text; text += size + (text[size] == ',')) {
		size_t word;
		int verdict, confidence = GROWTH_MEDIUM;

		size = strcspn(text, ",");
		word = strcspn(text, ",:");
		verdict = verdict_of(text, word);
		if (word < size)
			confidence = confidence_of(text + word + 1, size - word - 1);
		if (verdict < 0 || confidence < 0)
			return wrong_verdict(text, size, err);
		policy->fail_on[verdict] = confidence;
	}
	return SNAP_OK;
}

/* ---- all of it ---- */

static enum snap_status parse_count(const char *name, const char *text, uint64_t *out,
				    struct snap_error *err)
{
	if (!text || count_parse(text, out))
		return SNAP_OK;
	return fail(err, SNAP_EUSAGE, "%s wants a number, not '%s'", name, text);
}

/* A limit that cannot be an increase. */
static enum snap_status parse_level(struct policy_limit *out, const char *name, const char *text,
				    struct snap_error *err)
{
	enum snap_status st = parse_limit(out, name, text, err);

	if (st == SNAP_OK && text && out->is_increase)
		st = fail(err, SNAP_EUSAGE, "%s wants a size such as 64KiB, not '%s'", name, text);
	return st;
}

static enum snap_status parse_limits(struct policy *out, const struct policy_texts *texts,
				     struct snap_error *err)
{
	enum snap_status st = parse_limit(&out->max_total, "--max-total", texts->max_total, err);

	if (st == SNAP_OK)
		st = parse_limit(&out->max_site, "--max-site", texts->max_site, err);
	if (st == SNAP_OK)
		st = parse_limit(&out->max_peak, "--max-peak", texts->max_peak, err);
	if (st == SNAP_OK)
		st = parse_limit(&out->max_rss, "--max-rss", texts->max_rss, err);
	if (st == SNAP_OK)
		st = parse_level(&out->max_never_freed, "--max-never-freed", texts->max_never_freed,
				 err);
	if (st == SNAP_OK)
		st = parse_level(&out->max_unreachable, "--max-unreachable", texts->max_unreachable,
				 err);
	return st;
}

enum snap_status policy_parse(struct policy *out, const struct policy_texts *texts,
			      struct snap_error *err)
{
	enum snap_status st;

	*out = (struct policy){0};
	st = parse_limits(out, texts, err);
	out->max_new_sites_text = texts->max_new_sites;
	out->has_max_new_sites = texts->max_new_sites != NULL;
	out->max_growth_text = texts->max_growth;
	out->has_max_growth = texts->max_growth != NULL;
	out->fail_on_text = texts->fail_on ? texts->fail_on : POLICY_FAIL_ON;
	if (st == SNAP_OK)
		st = parse_count("--max-new-sites", texts->max_new_sites, &out->max_new_sites, err);
	if (st == SNAP_OK)
		st = parse_count("--require-confirm", texts->require_confirm, &out->require_confirm,
				 err);
	if (st == SNAP_OK && texts->max_growth)
		st = parse_rate(&out->max_growth, texts->max_growth, err);
	if (st == SNAP_OK && texts->min_delta && !size_parse(texts->min_delta, &out->min_delta))
		st = fail(err, SNAP_EUSAGE, "--min-delta wants a size such as 16KiB, not '%s'",
			  texts->min_delta);
	if (st == SNAP_OK)
		st = parse_verdicts(out, out->fail_on_text, err);
	return st;
}

/* Limits of a scope are parsed here, so that a limit has one parser. */
enum snap_status policy_scope_parse(struct policy_scope *scope, struct snap_error *err)
{
	enum snap_status st = parse_limit(&scope->max_site, "max-site", scope->max_site_text, err);

	if (st == SNAP_OK)
		st = parse_limit(&scope->max_total, "max-total", scope->max_total_text, err);
	scope->has_max_new_sites = scope->max_new_sites_text != NULL;
	if (st == SNAP_OK)
		st = parse_count("max-new-sites", scope->max_new_sites_text, &scope->max_new_sites,
				 err);
	return st;
}
