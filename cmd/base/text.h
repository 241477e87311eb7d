/*
 * base/text.h - questions about texts.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>

/** Most texts differ from a prefix in their first character, so that a call would cost more. */
static inline bool text_starts_with(const char *text, const char *prefix)
{
	while (*prefix && *text == *prefix) {
		text++;
		prefix++;
	}
	return !*prefix;
}

#endif
