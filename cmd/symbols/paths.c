/*
 * paths.c - names of source files, spelled in one way.
 */
#include "symbols/paths.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/** The rest of `file` if it lies in `directory`, else `file`. */
static const char *strip_directory(const char *file, const char *directory)
{
	size_t size = directory ? strlen(directory) : 0;

	while (size > 1 && directory[size - 1] == '/')
		size--;
	if (size < 2 || strncmp(file, directory, size) != 0 || file[size] != '/')
		return file;
	for (file += size; *file == '/'; file++)
		;
	return file;
}

static bool is_up(const char *part, size_t size)
{
	return size == 2 && part[0] == '.' && part[1] == '.';
}

/** Take the last part off `path[0, size)`; false if there is none to take. */
static bool pop_part(const char *path, size_t *size)
{
	size_t begin = *size;

	while (begin && path[begin - 1] != '/')
		begin--;
	if (begin == *size || is_up(path + begin, *size - begin))
		return false;
	*size = begin > 1 ? begin - 1 : begin;
	return true;
}

char *paths_source_name(const char *file, const char *directory)
{
	const char *in = strip_directory(file, directory);
	char *out = malloc(strlen(in) + 2);
	size_t size = 0;

	if (!out)
		return NULL;
	if (*in == '/')
		out[size++] = '/';
	while (*in) {
		size_t part = strcspn(in, "/");
		bool nothing = part == 0 || (part == 1 && *in == '.');

		if (!nothing && !(is_up(in, part) && pop_part(out, &size))) {
			if (size && out[size - 1] != '/')
				out[size++] = '/';
			memcpy(out + size, in, part);
			size += part;
		}
		in += part;
		in += *in == '/';
	}
	out[size] = '\0';
	return out;
}
