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
	browse_pattern_release(pattern);
	pattern->is_regex = *pattern->text &&
			    regcomp(&pattern->regex, pattern->text, REG_EXTENDED | REG_NOSUB) == 0;
	return pattern->is_regex || !*pattern->text;
}

bool browse_pattern_matches(const struct browse_pattern *pattern, const char *name)
{
	if (pattern->is_regex)
		return regexec(&pattern->regex, name, 0, NULL, 0) == 0;
	return *pattern->text && strstr(name, pattern->text);
}
