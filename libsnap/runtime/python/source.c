/*
 * runtime/python/source.c - a look for assignments, line by line.
 */
#include "runtime/python/source.h"

#include <stdbool.h>
#include <string.h>

#include "runtime/holders/copy.h"
#include "runtime/os_linux.h"
#include "runtime/text.h"

#define FILE_SIZE ((size_t)1 << 20) /* of a longer file the beginning is looked at */
#define PATH_SIZE 1024

static char *contents; /* of the file that was asked for last */
static long length;
static char path_read[PATH_SIZE];

static bool read_file(const char *path)
{
	struct snap__text name = SNAP__TEXT(path_read);

	if (contents && snap__equal(path, path_read))
		return length > 0;
	snap__text_add(&name, path);
	if (!contents)
		contents = snap__copy_need(FILE_SIZE);
	length = snap__os_read_file(path, contents, FILE_SIZE);
	return length > 0;
}

static bool is_of_name(char c)
{
	return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Is there an assignment after `at`, before the line ends?  ':' begins an annotation. */
static bool is_assigned(const char *at, const char *end)
{
	for (; at < end && *at != '#' && *at != '(' && *at != '['; at++) {
		if (*at == ':' && at + 1 < end)
			return true;
		if (*at == '=')
			return at + 1 == end || at[1] != '=';
	}
	return false;
}

/* Is `at` inside of brackets that opened on this line?  Then '=' passes an argument. */
static bool is_in_brackets(const char *line, const char *at)
{
	int depth = 0;

	for (; line < at; line++)
		depth += (*line == '(' || *line == '[' || *line == '{') -
			 (*line == ')' || *line == ']' || *line == '}');
	return depth > 0;
}

/* Does the name at `at` stand where a global's does, or an attribute's? */
static bool is_in_place(const char *line, const char *at, enum snap__source_place place)
{
	const char *first = line;

	while (is_blank(*first))
		first++;
	if (place == SNAP__SOURCE_OF_OBJECT)
		return at > line && at[-1] == '.';
	if (place == SNAP__SOURCE_OF_CLASS)
		return at == first && first > line;
	return first == line && *line != '#' && (at == line || at[-1] != '.');
}

static bool assigns(const char *line, const char *end, const char *name,
		    enum snap__source_place place)
{
	size_t size = snap__length(name);

	for (const char *at = line; at + size <= end; at++)
		if (memcmp(at, name, size) == 0 && (at == line || !is_of_name(at[-1])) &&
		    (at + size == end || !is_of_name(at[size])) && is_in_place(line, at, place) &&
		    !is_in_brackets(line, at) && is_assigned(at + size, end))
			return true;
	return false;
}

uint32_t snap__source_line(const char *path, const char *name, enum snap__source_place place)
{
	const char *line, *end;
	uint32_t number = 1;

	if (!name[0] || !read_file(path))
		return 0;
	end = contents + length;
	for (line = contents; line < end; number++) {
		const char *next = memchr(line, '\n', (size_t)(end - line));

		if (!next)
			next = end;
		if (assigns(line, next, name, place))
			return number;
		line = next + 1;
	}
	return 0;
}
