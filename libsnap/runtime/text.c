/*
 * runtime/text.c - short texts in fixed buffers.
 */
#include "runtime/text.h"

#include <string.h>

struct snap__text snap__text_in(char *buffer, size_t capacity)
{
	buffer[0] = '\0';
	return (struct snap__text){.data = buffer, .capacity = capacity};
}

void snap__text_add_bytes(struct snap__text *text, const char *s, size_t size)
{
	size_t room = text->capacity - 1 - text->size;

	if (size > room) {
		size = room;
		text->cut = true;
	}
	memcpy(text->data + text->size, s, size);
	text->size += size;
	text->data[text->size] = '\0';
}

void snap__text_add(struct snap__text *text, const char *s)
{
	snap__text_add_bytes(text, s, snap__length(s));
}

void snap__text_add_padded(struct snap__text *text, uint64_t value, unsigned digits)
{
	char written[20];
	unsigned first = sizeof(written);

	do {
		written[--first] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	while (first > 0 && sizeof(written) - first < digits)
		written[--first] = '0';
	snap__text_add_bytes(text, written + first, sizeof(written) - first);
}

void snap__text_add_u64(struct snap__text *text, uint64_t value)
{
	snap__text_add_padded(text, value, 1);
}

void snap__text_add_hex(struct snap__text *text, uint64_t value)
{
	char digits[16];
	unsigned first = sizeof(digits);

	do {
		digits[--first] = "0123456789abcdef"[value & 15];
		value >>= 4;
	} while (value > 0);
	snap__text_add_bytes(text, digits + first, sizeof(digits) - first);
}

size_t snap__length(const char *s)
{
	return strlen(s);
}

bool snap__equal(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

bool snap__starts_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

uint64_t snap__parse_u64(const char *s, const char **end)
{
	uint64_t value = 0;

	while (*s == ' ' || *s == '\t')
		s++;
	for (; *s >= '0' && *s <= '9'; s++) {
		uint64_t digit = (uint64_t)(*s - '0');

		value = value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : value * 10 + digit;
	}
	if (end)
		*end = s;
	return value;
}

uint64_t snap__parse_hex(const char *s, const char **end)
{
	uint64_t value = 0;

	for (;; s++) {
		if (*s >= '0' && *s <= '9')
			value = value << 4 | (uint64_t)(*s - '0');
		else if (*s >= 'a' && *s <= 'f')
			value = value << 4 | (uint64_t)(*s - 'a' + 10);
		else
			break;
	}
	if (end)
		*end = s;
	return value;
}
