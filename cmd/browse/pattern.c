/*
 * pattern.c - what `/` searches for.
 */
#include "browse/pattern.h"

#include <string.h>

void browse_pattern_release(struct browse_pattern *pattern)
{
	if (pattern->is_regex)
		regfree(&pattern->regex);
	pattern->is_regex = false;
}

bool browse_pattern_set(struct browse_pattern *pattern)
{
	char why[PATTERN_WHY];

	browse_pattern_release(pattern);
	pattern->is_regex =
		*pattern->text && pattern_compile(&pattern->regex, pattern->text, why) == SNAP_OK;
	return pattern->is_regex || !*pattern->text;
}

bool browse_pattern_matches(const struct browse_pattern *pattern, const char *name)
{
	if (pattern->is_regex)
		return pattern_matches(&pattern->regex, name);
	return *pattern->text && strstr(name, pattern->text);
}
