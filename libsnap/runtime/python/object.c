/*
 * runtime/python/object.c - str and bytes.
 */
#include "runtime/python/object.h"

#include <string.h>

#include "runtime/python/find.h"

/* In the bits of a str's state. */
#define KIND_SHIFT 2
#define KIND_MASK  7u
#define COMPACT    (1u << 5)
#define ASCII      (1u << 6)

#define MOST_CHARACTERS ((size_t)1 << 48)

/* The character at position `i` of text with `kind` bytes a character. */
static uint32_t character(const char *data, unsigned kind, size_t i)
{
	uint32_t wide;
	uint16_t narrow;

	if (kind == 1)
		return (unsigned char)data[i];
	if (kind == 2) {
		memcpy(&narrow, data + 2 * i, sizeof(narrow));
		return narrow;
	}
	memcpy(&wide, data + 4 * i, sizeof(wide));
	return wide;
}

/* `c` as UTF-8; how many bytes that takes. */
static size_t encode(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | (c >> 18 & 7));
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* Where the characters of a str are, and how they are stored. */
struct characters {
	size_t begin, count;
	unsigned kind; /* bytes of each */
};

/* False: it is no str, or its characters are elsewhere. */
static bool find_characters(const void *object, struct characters *out)
{
	const struct snap__python_layout *v = snap__python.layout;
	uint32_t state;

	if (!object || snap__python_type(object) != snap__python.str_type)
		return false;
	memcpy(&state, (const char *)object + SNAP__PYTHON_STR_STATE, sizeof(state));
	out->count = snap__python_word(object, SNAP__PYTHON_STR_LENGTH);
	out->kind = state >> KIND_SHIFT & KIND_MASK;
	out->begin = state & ASCII ? v->ascii_header : v->compact_header;
	return (state & COMPACT) && (out->kind == 1 || out->kind == 2 || out->kind == 4);
}

size_t snap__python_text_size(const void *object)
{
	struct characters characters;

	if (!find_characters(object, &characters) || characters.count > MOST_CHARACTERS)
		return 0;
	return characters.begin + (characters.count + 1) * characters.kind;
}

bool snap__python_text(const void *object, char *text, size_t size)
{
	struct characters characters;
	const char *data = object;
	size_t used = 0;

	if (!find_characters(object, &characters))
		return false;
	data += characters.begin;
	for (size_t i = 0; i < characters.count; i++) {
		char bytes[4];
		size_t n = encode(character(data, characters.kind, i), bytes);

		if (used + n >= size)
			break;
		memcpy(text + used, bytes, n);
		used += n;
	}
	text[used] = '\0';
	return true;
}

bool snap__python_bytes(const void *object, const unsigned char **data, size_t *size)
{
	if (!object || snap__python_type(object) != snap__python.bytes_type)
		return false;
	*size = snap__python_word(object, SNAP__PYTHON_VAR_SIZE);
	*data = (const unsigned char *)object + SNAP__PYTHON_BYTES_DATA;
	return true;
}
