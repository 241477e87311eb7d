/*
 * browse/pattern.h - what `/` searches for.  Private to browse/.
 */
#ifndef BROWSE_PATTERN_H
#define BROWSE_PATTERN_H

#include <stdbool.h>

#include "base/pattern.h"

enum { PATTERN_SIZE = 128 };

struct browse_pattern {
	char text[PATTERN_SIZE]; /* "": nothing is searched for */
	regex_t regex;
	bool is_regex; /* else the text is searched for literally */
};

/** Take pattern->text as an extended regular expression.  False when it is none: then the text is
 * searched for literally. */
bool browse_pattern_set(struct browse_pattern *pattern);
void browse_pattern_release(struct browse_pattern *pattern);

bool browse_pattern_matches(const struct browse_pattern *pattern, const char *name);

#endif
