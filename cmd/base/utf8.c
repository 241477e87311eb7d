/*
 * utf8.c - well-formedness as in table 3-7 of the Unicode standard.
 */
#include "base/utf8.h"

#include <stdbool.h>
#include <string.h>

static bool continues(unsigned char byte)
{
	return (byte & 0xc0) == 0x80;
}

/* The second byte is what excludes overlong forms, surrogates and what lies beyond U+10FFFF. */
static bool second_fits(unsigned char first, unsigned char second)
{
	switch (first) {
	case 0xe0:
		return second >= 0xa0 && second <= 0xbf;
	case 0xed:
		return second >= 0x80 && second <= 0x9f;
	case 0xf0:
		return second >= 0x90 && second <= 0xbf;
	case 0xf4:
		return second >= 0x80 && second <= 0x8f;
	default:
		return continues(second);
	}
}

size_t utf8_length(const char *data, size_t size)
{
	const unsigned char *at = (const unsigned char *)data;
	size_t length;

	if (size == 0)
		return 0;
	if (at[0] < 0x80)
		return 1;
	if (at[0] < 0xc2 || at[0] > 0xf4)
		return 0;
	length = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
	if (size < length || !second_fits(at[0], at[1]))
		return 0;
	for (size_t i = 2; i < length; i++)
		if (!continues(at[i]))
			return 0;
	return length;
}

uint32_t utf8_decode(const char *data, size_t length)
{
	static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t character = (unsigned char)data[0] & masks[length];

	for (size_t i = 1; i < length; i++)
		character = character << 6 | ((unsigned char)data[i] & 0x3f);
	return character;
}

bool utf8_is_control(uint32_t character)
{
	return character < 0x20 || (character >= 0x7f && character < 0xa0) || character == 0x061c ||
	       (character >= 0x200e && character <= 0x200f) ||
	       (character >= 0x2028 && character <= 0x202e) ||
	       (character >= 0x2066 && character <= 0x2069);
}

size_t utf8_step(const char *text, bool *obeyed)
{
	size_t length = utf8_length(text, strnlen(text, 4));

	*obeyed = utf8_is_control(length ? utf8_decode(text, length) : (unsigned char)*text);
	return length ? length : 1;
}

void utf8_make_printable(char *text, const char *kept)
{
	char *to = text;
	bool obeyed;

	for (size_t length; *text; text += length) {
		length = utf8_step(text, &obeyed);
		if (obeyed && !strchr(kept, *text)) {
			*to++ = '?';
			continue;
		}
		memmove(to, text, length);
		to += length;
	}
	*to = '\0';
}
