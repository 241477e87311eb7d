/*
 * runtime/python/source.c - a look for assignments, line by line.
 */
#include "runtime/python/source.h"

#include <stdbool.h>
#include <string.h>

#include "runtime/holders/copy.h"
#include "runtime/os_linux.h"
#include "runtime/text.h"
#include "runtime/hidden.h"

#define FILE_SIZE ((size_t)1 << 20) /* of a longer file only the beginning is searched */
#define PATH_SIZE 1024

static char *contents; /* of the file that was asked for last */
static long length;
static char path_read[PATH_SIZE] SNAP__PAGES;

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

/* A global's name begins a line; that of an attribute may stand in a function. */
static bool is_global(const char *line, const char *at, const char *name)
{
	const char *first = line;

	while (is_blank(*first))
		first++;
	return *first != '#' && (first == line || strchr(name, '.')) &&
	       (at == line || at[-1] != '.');
}

/* In a class: behind a dot, as `self.name`, or at the start of a line of its body. */
static bool is_member(const char *line, const char *at, const char *name)
{
	const char *first = line;

	(void)name;
	while (is_blank(*first))
		first++;
	return *first != '#' && first > line && (at == first || at[-1] == '.');
}

typedef bool stands_fn(const char *line, const char *at, const char *name);

static bool assigns(const char *line, const char *end, const char *name, stands_fn *stands)
{
	size_t size = snap__length(name);

	for (const char *at = line; at + size <= end; at++)
		if (memcmp(at, name, size) == 0 && (at == line || !is_of_name(at[-1])) &&
		    (at + size == end || !is_of_name(at[size])) && stands(line, at, name) &&
		    !is_in_brackets(line, at) && is_assigned(at + size, end))
			return true;
	return false;
}

static const char *end_of_line(const char *line)
{
	const char *end = memchr(line, '\n', (size_t)(contents + length - line));

	return end ? end : contents + length;
}

uint32_t snap__source_line(const char *path, const char *name)
{
	uint32_t number = 1;

	if (!name[0] || !read_file(path))
		return 0;
	for (const char *line = contents, *end; line < contents + length; line = end + 1) {
		end = end_of_line(line);
		if (assigns(line, end, name, is_global))
			return number;
		number++;
	}
	return 0;
}

/* ---- in a class ------------------------------------------------------------------------------ */

static size_t indent_of(const char *line, const char *end)
{
	size_t indent = 0;

	while (line + indent < end && is_blank(line[indent]))
		indent++;
	return indent;
}

/* Does the line begin the definition of that class? */
static bool begins_class(const char *line, const char *end, const char *class)
{
	const char *at = line + indent_of(line, end);
	size_t size = snap__length(class);

	if (end - at < 6 || memcmp(at, "class", 5) != 0 || !is_blank(at[5]))
		return false;
	at += 5;
	at += indent_of(at, end);
	return at + size <= end && memcmp(at, class, size) == 0 &&
	       (at + size == end || !is_of_name(at[size]));
}

/* A line at the class's indent, or further left, ends the class.  Blank lines, comments and closing
   brackets do not count. */
static bool ends_class(const char *line, const char *end, size_t class_indent)
{
	size_t indent = indent_of(line, end);

	return line + indent < end && !strchr("#)]}\r", line[indent]) && indent <= class_indent;
}

uint32_t snap__source_line_in_class(const char *path, const char *class, const char *name)
{
	bool is_inside = false;
	size_t class_indent = 0;
	uint32_t number = 1;

	if (!name[0] || !read_file(path))
		return 0;
	for (const char *line = contents, *end; line < contents + length; line = end + 1) {
		end = end_of_line(line);
		if (begins_class(line, end, class)) {
			is_inside = true;
			class_indent = indent_of(line, end);
		} else if (is_inside && ends_class(line, end, class_indent)) {
			is_inside = false;
		} else if (is_inside && assigns(line, end, name, is_member)) {
			return number;
		}
		number++;
	}
	return 0;
}
