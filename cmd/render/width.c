/*
 * width.c - text that fits a terminal and cannot send commands to it.
 */
#include "render/formats.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"

void text_add(struct text_buffer *text, const char *data, size_t size)
{
	if (text->size + size + 1 > text->capacity) {
		text->capacity = (text->size + size + 1) * 2;
		text->data = memory_need(realloc(text->data, text->capacity), "printing a report");
	}
	memcpy(text->data + text->size, data, size);
	text->size += size;
	text->data[text->size] = '\0';
}

void text_clear(struct text_buffer *text)
{
	text->size = 0;
	text_add(text, "", 0);
}

void text_free(struct text_buffer *text)
{
	free(text->data);
	*text = (struct text_buffer){0};
}

void text_add_safe(struct text_buffer *text, const char *data, size_t size)
{
	for (size_t at = 0; at < size;) {
		size_t length = utf8_length(data + at, size - at);

		if (length == 0 || utf8_is_control(utf8_decode(data + at, length)))
			text_add(text, "?", 1);
		else
			text_add(text, data + at, length);
		at += length ? length : 1;
	}
}

struct range {
	uint32_t first, last;
};

static bool in_ranges(uint32_t character, const struct range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (character >= ranges[i].first && character <= ranges[i].last)
			return true;
	return false;
}

/* The blocks that matter, independent of the C library's locale: combining marks take none, East
 * Asian ones two. */
static unsigned character_width(uint32_t character)
{
	static const struct range none[] = {
		{0x0300, 0x036f}, {0x200b, 0x200d}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}};
	static const struct range two[] = {
		{0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},  {0xac00, 0xd7a3},
		{0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},  {0xffe0, 0xffe6},
		{0x1f300, 0x1f64f}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};

	if (character < 0x300)
		return 1;
	if (in_ranges(character, none, sizeof(none) / sizeof(*none)))
		return 0;
	return in_ranges(character, two, sizeof(two) / sizeof(*two)) ? 2 : 1;
}

/* Bytes at the beginning of `text` that take at most `width` columns; *used is what they take. */
static size_t fit_prefix(const char *text, size_t size, unsigned width, unsigned *used)
{
	size_t at = 0;

	*used = 0;
	while (at < size) {
		size_t length = utf8_length(text + at, size - at);
		unsigned wide = length ? character_width(utf8_decode(text + at, length)) : 1;

		if (*used + wide > width)
			break;
		*used += wide;
		at += length ? length : 1;
	}
	return at;
}

unsigned text_width(const char *text)
{
	unsigned used;

	fit_prefix(text, strlen(text), (unsigned)-1, &used);
	return used;
}

/* Replace the bytes from `head` to `tail` by `gap`. */
static void replace_middle(struct text_buffer *text, size_t head, size_t tail, const char *gap,
			   size_t gap_size)
{
	size_t tail_size = text->size - tail;

	if (head + gap_size + tail_size > text->size) /* the gap is longer than what it replaces */
		text_add(text, gap, gap_size);
	memmove(text->data + head + gap_size, text->data + tail, tail_size);
	memcpy(text->data + head, gap, gap_size);
	text->size = head + gap_size + tail_size;
	text->data[text->size] = '\0';
}

void text_shorten(struct text_buffer *text, unsigned width, bool unicode)
{
	const char *gap = unicode ? "\xe2\x80\xa6" : "..";
	unsigned gap_width = unicode ? 1 : 2, whole = text_width(text->data), used, room;
	size_t head, tail, gap_size = strlen(gap);

	if (whole <= width)
		return;
	if (width <= gap_width) {
		text->size = fit_prefix(text->data, text->size, width, &used);
		text->data[text->size] = '\0';
		return;
	}
	head = fit_prefix(text->data, text->size, (width - gap_width) / 2, &used);
	room = width - gap_width - used;
	tail = fit_prefix(text->data, text->size, whole - room, &used);
	if (whole - used > room) /* a character of two columns stands across the cut */
		tail += utf8_length(text->data + tail, text->size - tail);
	replace_middle(text, head, tail, gap, gap_size);
}

static bool is_inside_character(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

void text_limit(struct text_buffer *text, size_t bytes)
{
	static const char gap[] = "\xe2\x80\xa6";
	size_t head = bytes / 2, tail = text->size - bytes / 2;

	if (text->size <= bytes)
		return;
	while (head > 0 && is_inside_character(text->data[head]))
		head--;
	while (tail < text->size && is_inside_character(text->data[tail]))
		tail++;
	replace_middle(text, head, tail, gap, strlen(gap));
}
