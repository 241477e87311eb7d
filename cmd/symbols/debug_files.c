/*
 * debug_files.c - find the other files that contain a module's debug information.
 */
#include "symbols/debug_files.h"

#include <dwarf.h>
#include <elfutils/libdwelf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>
#include <zlib.h>

#include "base/regular.h"
#include "symbols/debuginfod.h"

enum { SPLIT_UNITS_MAX = 1 << 20 };

/* Opening one. */

static void tell_use(const struct debug_search *search, uint64_t size)
{
	if (search->on_use)
		search->on_use(size);
}

int debug_file_open(const struct debug_search *search, const char *path, const char *build_id,
		    char found[BUILD_ID_HEX])
{
	uint64_t size;
	int fd = regular_open(AT_FDCWD, path, DEBUG_FILE_MAX, &size);
	int error;

	if (fd < 0)
		return -1;
	error = build_id_read(fd, found);
	if (!error && strcmp(found, build_id) != 0)
		error = ESTALE;
	if (!error) {
		tell_use(search, size);
		return fd;
	}
	close(fd);
	errno = error;
	return -1;
}

static bool is_build_id(const char *text)
{
	size_t size = strspn(text, "0123456789abcdef");

	return size >= 4 && size < BUILD_ID_HEX && size % 2 == 0 && !text[size];
}

char *debug_file_of_build(const char *root, const char *build_id)
{
	char *path;

	if (!is_build_id(build_id) ||
	    asprintf(&path, "%s/.build-id/%.2s/%s.debug", root, build_id, build_id + 2) < 0)
		return NULL;
	return path;
}

/** Is the file's CRC-32 the one that .gnu_debuglink has? */
static bool has_checksum(int fd, uint32_t checksum)
{
	unsigned char part[16 * 1024];
	uLong sum = crc32(0, NULL, 0);
	off_t at = 0;
	ssize_t got;

	while ((got = pread(fd, part, sizeof(part), at)) > 0) {
		sum = crc32(sum, part, (uInt)got);
		at += got;
	}
	return got == 0 && sum == checksum;
}

/** A debug file by its name; without a build-id its checksum has to show that it is the one. */
static int open_linked(const struct debug_search *search, const char *path, bool linked,
		       uint32_t checksum)
{
	char found[BUILD_ID_HEX];
	int fd;

	if (strcmp(path, search->path) == 0)
		return -1;
	fd = debug_file_open(search, path, search->build_id, found);
	if (fd >= 0 && !*search->build_id && !(linked && has_checksum(fd, checksum))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Finding the separate debug file. */

/** "/usr/bin/" of "/usr/bin/prog". */
static int directory_size(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (int)(slash - path) + 1 : 0;
}

/** Next to the module, in .debug beside it, and where distributions install debug files. */
static int find_linked(const struct debug_search *search, const char *link, uint32_t checksum,
		       char **name)
{
	const char *path = search->path, *base = path + directory_size(path);
	const char *prefixes[] = {"", "", search->root}, *middles[] = {"", ".debug/", ""};
	int fd = -1;

	if (*path != '/' || (link && strchr(link, '/')))
		return -1;
	for (size_t i = 0; i < 3 && fd < 0; i++) {
		if (asprintf(name, "%s%.*s%s%s%s", prefixes[i], directory_size(path), path,
			     middles[i], link ? link : base, link ? "" : ".debug") < 0)
			return -1;
		fd = open_linked(search, *name, link, checksum);
		if (fd < 0)
			free(*name);
	}
	return fd;
}

static int find_by_build(const struct debug_search *search, char **name)
{
	char found[BUILD_ID_HEX];
	int fd;

	*name = debug_file_of_build(search->root, search->build_id);
	fd = *name ? debug_file_open(search, *name, search->build_id, found) : -1;
	if (fd < 0)
		free(*name);
	return fd;
}

static int find_online(const struct debug_search *search, char **name)
{
	char found[BUILD_ID_HEX];
	int fd;

	*name = search->online && is_build_id(search->build_id) ? debuginfod_fetch(search->build_id)
								: NULL;
	fd = *name ? debug_file_open(search, *name, search->build_id, found) : -1;
	if (fd < 0)
		free(*name);
	return fd;
}

int debug_file_find(const struct debug_search *search, const char *link, uint32_t checksum,
		    char **name)
{
	int fd = find_by_build(search, name);

	if (fd < 0)
		fd = find_linked(search, link, checksum, name);
	if (fd < 0)
		fd = find_online(search, name);
	if (fd < 0)
		*name = NULL;
	return fd;
}

/* What debug information names. */

/** The shared file: by its build-id, then by the name that `file` has for it. */
static int find_alternate(const struct debug_search *search, const char *file, const char *name,
			  const char *build_id)
{
	char *path = debug_file_of_build(search->root, build_id);
	char found[BUILD_ID_HEX];
	int fd = path ? debug_file_open(search, path, build_id, found) : -1;

	free(path);
	if (fd >= 0 ||
	    asprintf(&path, "%.*s%s", *name == '/' ? 0 : directory_size(file), file, name) < 0)
		return fd;
	fd = debug_file_open(search, path, build_id, found);
	free(path);
	return fd;
}

static bool open_alternate(const struct debug_search *search, Dwarf *dwarf, const char *file,
			   struct alternate *alternate)
{
	char build_id[BUILD_ID_HEX];
	const char *name;
	const void *bytes;
	ssize_t size = dwelf_dwarf_gnu_debugaltlink(dwarf, &name, &bytes);

	if (size <= 0)
		return size == 0;
	build_id_print(bytes, (size_t)size, build_id);
	alternate->fd = find_alternate(search, file, name, build_id);
	alternate->dwarf = alternate->fd >= 0 ? dwarf_begin(alternate->fd, DWARF_C_READ) : NULL;
	if (alternate->dwarf)
		dwarf_setalt(dwarf, alternate->dwarf);
	return alternate->dwarf != NULL;
}

/** May libdw look for a split unit there?  If there is no file, it finds nothing. */
static bool is_harmless(const struct debug_search *search, const char *before, int before_size,
			const char *directory, const char *name)
{
	uint64_t size = 0;
	char *path;
	int fault;

	if (asprintf(&path, "%.*s%s%s%s", before_size, before, directory, *directory ? "/" : "",
		     name) < 0)
		return false;
	fault = regular_fault(AT_FDCWD, path, DEBUG_FILE_MAX, &size);
	free(path);
	if (fault == 0)
		tell_use(search, size);
	return fault == 0 || fault == ENOENT || fault == ENOTDIR || fault == EACCES;
}

static const char *text_of(Dwarf_Die *die, unsigned name)
{
	Dwarf_Attribute attribute;

	return dwarf_formstring(dwarf_attr(die, name, &attribute));
}

/** A split unit is looked for beside `file`, and where the compiler ran. */
static bool unit_is_harmless(const struct debug_search *search, Dwarf_Die *unit, const char *file)
{
	const char *name = text_of(unit, DW_AT_dwo_name), *directory;
	int beside = directory_size(file);

	if (!name)
		name = text_of(unit, DW_AT_GNU_dwo_name);
	if (!name)
		return true;
	if (*name == '/')
		return is_harmless(search, "", 0, "", name);
	directory = text_of(unit, DW_AT_comp_dir);
	if (!directory)
		directory = "";
	return is_harmless(search, file, beside, "", name) &&
	       is_harmless(search, file, *directory == '/' ? 0 : beside, directory, name);
}

static bool units_are_harmless(const struct debug_search *search, Dwarf *dwarf, const char *file)
{
	Dwarf_Off offset = 0, next;
	size_t header, count = 0;
	Dwarf_Half version;

	while (dwarf_next_unit(dwarf, offset, &next, &header, &version, NULL, NULL, NULL, NULL,
			       NULL) == 0) {
		Dwarf_Die unit;

		if (next <= offset || ++count > SPLIT_UNITS_MAX)
			return false;
		if (dwarf_offdie(dwarf, offset + header, &unit) &&
		    !unit_is_harmless(search, &unit, file))
			return false;
		offset = next;
	}
	return true;
}

bool debug_files_make_safe(const struct debug_search *search, Dwarf *dwarf, const char *file,
			   struct alternate *alternate)
{
	*alternate = (struct alternate){.fd = -1};
	return open_alternate(search, dwarf, file, alternate) &&
	       units_are_harmless(search, dwarf, file);
}

void alternate_release(struct alternate *alternate)
{
	dwarf_end(alternate->dwarf);
	if (alternate->fd >= 0)
		close(alternate->fd);
	*alternate = (struct alternate){.fd = -1};
}
