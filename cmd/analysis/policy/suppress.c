/*
 * suppress.c - read suppression files, and match call stacks against them.
 */
#include "analysis/policy/suppress.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/sizes.h"

enum { RULES_MAX = 10000, PATTERN_MAX = 4096 };

/* ---- patterns ---- */

/* One character of a pattern that is anchored at both ends, or a star. */
static bool is_star(const char *pattern, const char *end)
{
	return pattern < end && *pattern == '*';
}

/*
 * Match all of `text` against pattern..end, where only '*' is special.  Each star is tried
 * from the shortest text on; a later star never needs an earlier one to be tried again.
 */
static bool matches_whole(const char *pattern, const char *end, const char *text)
{
	const char *star = NULL, *retry = NULL;

	while (*text) {
		if (is_star(pattern, end)) {
			star = ++pattern;
			retry = text;
		} else if (pattern < end && *pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star;
			text = ++retry;
		} else {
			return false;
		}
	}
	while (is_star(pattern, end))
		pattern++;
	return pattern == end;
}

bool suppression_matches(const char *pattern, const char *text)
{
	char whole[PATTERN_MAX + 3];
	size_t length = strcspn(pattern, "$"), size = 0; /* characters after the end mean nothing */
	bool from_start = *pattern == '^';
	bool to_end = pattern[length] == '$';

	if (!text || !*text || length > PATTERN_MAX)
		return false;
	pattern += from_start;
	length -= from_start;
	if (to_end && length == 0)
		return false; /* it asks for a name that is empty */
	if (!from_start)
		whole[size++] = '*';
	/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): its end is handed on beside it */
	memcpy(whole + size, pattern, length);
	size += length;
	if (!to_end)
		whole[size++] = '*';
	return matches_whole(whole, whole + size, text);
}

/* ---- reading ---- */

struct reading {
	struct suppressions *out;
	const char *name;
	unsigned line;
	struct snap_error *err;
};

static enum snap_status wrong(const struct reading *reading, const char *what, const char *text)
{
	return fail(reading->err, SNAP_EUSAGE, "%s, line %u: %s: '%.80s'", reading->name,
		    reading->line, what, text);
}

static int days_of(int year, int month)
{
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2                                              ? 28 + leap
	       : month == 4 || month == 6 || month == 9 || month == 11 ? 30
								       : 31;
}

/* "2027-01-31" -> 20270131; 0 when it is no date. */
static int parse_date(const char *text)
{
	static const char form[] = "dddd-dd-dd";
	int digits[8] = {0}, count = 0, year, month, day;

	for (size_t i = 0; form[i]; i++) {
		if (form[i] == 'd' && text[i] >= '0' && text[i] <= '9')
			digits[count++] = text[i] - '0';
		else if (form[i] != text[i])
			return 0;
	}
	month = digits[4] * 10 + digits[5];
	day = digits[6] * 10 + digits[7];
	year = digits[0] * 1000 + digits[1] * 100 + digits[2] * 10 + digits[3];
	if (text[sizeof(form) - 1] != '\0' || month < 1 || month > 12 || day < 1 ||
	    day > days_of(year, month))
		return 0;
	return year * 10000 + month * 100 + day;
}

static bool begins_with(const char *text, const char *word)
{
	return strncmp(text, word, strlen(word)) == 0;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

static size_t space_at(const char *text)
{
	return strspn(text, " \t");
}

static bool is_attribute(const char *text)
{
	return begins_with(text, "max=") || begins_with(text, "expires=") ||
	       begins_with(text, "reason=");
}

/* Where the attributes of a line begin: behind the first blank that one follows. */
static char *find_attributes(char *line)
{
	for (char *at = line; *at; at++)
		if (is_space(*at) && is_attribute(at + space_at(at)))
			return at;
	return line + strlen(line);
}

static enum snap_status take_reason(const struct reading *reading, struct suppression *rule,
				    char **at)
{
	char *text = *at + strlen("reason="), *end;

	if (*text != '"')
		return wrong(reading, "reason= wants its text in double quotes", text);
	end = strchr(++text, '"');
	if (!end)
		return wrong(reading, "the quote of reason= is not closed", text);
	free(rule->reason);
	rule->reason = strndup(text, (size_t)(end - text));
	*at = end + 1;
	return rule->reason ? SNAP_OK : fail_memory(reading->err, "reading suppressions");
}

static enum snap_status take_word(const struct reading *reading, struct suppression *rule,
				  char **at)
{
	char *word = *at, *end = word + strcspn(word, " \t"), *value = strchr(word, '=') + 1;

	*at = *end ? end + 1 : end;
	*end = '\0';
	if (begins_with(word, "max="))
		return size_parse(value, &rule->max_bytes)
			       ? SNAP_OK
			       : wrong(reading, "max= wants a size such as 64KiB", value);
	rule->expires = parse_date(value);
	return rule->expires ? SNAP_OK
			     : wrong(reading, "expires= wants a date such as 2027-01-31", value);
}

static enum snap_status take_attributes(const struct reading *reading, struct suppression *rule,
					char *text)
{
	enum snap_status st = SNAP_OK;

	for (char *at = text + space_at(text); st == SNAP_OK && *at; at += space_at(at)) {
		if (!is_attribute(at))
			return wrong(reading,
				     "only max=, expires= and reason= may follow a pattern", at);
		st = begins_with(at, "reason=") ? take_reason(reading, rule, &at)
						: take_word(reading, rule, &at);
	}
	return st;
}

static enum snap_status take_rule(struct reading *reading, char *line)
{
	struct suppressions *all = reading->out;
	struct suppression *rule;
	char *attributes;

	if (!begins_with(line, "leak:"))
		return wrong(reading, "no rule, which begins with 'leak:'", line);
	line += strlen("leak:");
	if (all->count == RULES_MAX)
		return wrong(reading, "there are too many rules", line);
	if (!array_reserve(&all->rules, &all->capacity, all->count, sizeof(*all->rules)))
		return fail_memory(reading->err, "reading suppressions");
	attributes = find_attributes(line);
	rule = &all->rules[all->count++];
	*rule = (struct suppression){
		.file = reading->name, .max_bytes = UINT64_MAX, .line = reading->line};
	rule->pattern = strndup(line, (size_t)(attributes - line));
	if (!rule->pattern)
		return fail_memory(reading->err, "reading suppressions");
	if (!*rule->pattern || strlen(rule->pattern) > PATTERN_MAX)
		return wrong(reading, "the pattern is empty or too long", rule->pattern);
	return take_attributes(reading, rule, attributes);
}

/* White space at the end of a line is no part of a pattern. */
static void trim(char *line)
{
	size_t size = strlen(line);

	while (size && (is_space(line[size - 1]) || line[size - 1] == '\r'))
		line[--size] = '\0';
}

static enum snap_status take_lines(struct reading *reading, char *text)
{
	enum snap_status st = SNAP_OK;
	char *next;

	for (char *line = text; st == SNAP_OK && line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		reading->line++;
		trim(line);
		line += space_at(line);
		if (*line && *line != '#')
			st = take_rule(reading, line);
	}
	return st;
}

enum snap_status suppressions_parse(struct suppressions *out, const char *text, const char *name,
				    struct snap_error *err)
{
	struct reading reading = {.out = out, .name = name, .err = err};
	char *copy = strdup(text);
	enum snap_status st;

	st = copy ? take_lines(&reading, copy) : fail_memory(err, "reading suppressions");
	free(copy);
	if (st != SNAP_OK)
		suppressions_release(out);
	return st;
}

void suppressions_release(struct suppressions *suppressions)
{
	for (size_t i = 0; i < suppressions->count; i++) {
		free(suppressions->rules[i].pattern);
		free(suppressions->rules[i].reason);
	}
	free(suppressions->rules);
	*suppressions = (struct suppressions){0};
}

/* ---- finding ---- */

bool suppression_is_expired(const struct suppression *rule, int today)
{
	return rule->expires && rule->expires < today;
}

static bool matches_any(const char *pattern, const struct suppression_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		if (suppression_matches(pattern, names->names[i]))
			return true;
	return false;
}

struct suppression *suppressions_find(struct suppressions *suppressions,
				      const struct suppression_names *names, uint64_t bytes,
				      int today)
{
	for (size_t i = 0; i < suppressions->count; i++) {
		struct suppression *rule = &suppressions->rules[i];

		if (suppression_is_expired(rule, today) || !matches_any(rule->pattern, names))
			continue;
		if (bytes > rule->max_bytes) {
			if (bytes > rule->too_large)
				rule->too_large = bytes;
			continue;
		}
		rule->matches++;
		rule->bytes += bytes;
		return rule;
	}
	return NULL;
}
