/*
 * preflight.c - can this command be recorded at all?
 */
#include "capture/preflight.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { SCRIPT_LEVELS = 4, LINE_MAX_BYTES = 256, HEADERS_MAX = 4096 };

#if defined(__x86_64__)
#define OWN_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define OWN_MACHINE EM_AARCH64
#else
#define OWN_MACHINE EM_NONE
#endif

/* 0 if `path` is a file that may be executed, else the errno that exec would give. */
static int executable_errno(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return errno;
	if (!S_ISREG(st.st_mode))
		return EACCES;
	return access(path, X_OK) == 0 ? 0 : errno;
}

/* Search PATH; *last_errno is EACCES if a candidate existed but could not be executed. */
static char *search_path(const char *command, int *last_errno)
{
	const char *dirs = getenv("PATH");
	char candidate[PATH_MAX];

	*last_errno = ENOENT;
	if (!dirs)
		dirs = "/usr/local/bin:/usr/bin:/bin";
	while (true) {
		size_t length = strcspn(dirs, ":");
		int n = snprintf(candidate, sizeof(candidate), "%.*s%s%s", (int)length, dirs,
				 length ? "/" : "", command);

		if (n > 0 && (size_t)n < sizeof(candidate)) {
			int error = executable_errno(candidate);

			if (error == 0)
				return strdup(candidate);
			if (error == EACCES)
				*last_errno = EACCES;
		}
		if (dirs[length] == '\0')
			return NULL;
		dirs += length + 1;
	}
}

enum snap_status preflight_find(const char *command, char **path, struct snap_error *err)
{
	int error;

	*path = NULL;
	if (strchr(command, '/')) {
		error = executable_errno(command);
		if (error == 0)
			*path = strdup(command);
	} else {
		*path = search_path(command, &error);
		if (*path)
			error = 0;
	}
	if (error == 0)
		return *path ? SNAP_OK : fail_memory(err, "looking for the command");
	if (error == ENOENT || error == ENOTDIR)
		return fail(err, SNAP_ENOTFOUND, "%s: command not found", command);
	return fail(err, SNAP_EIO, "%s: cannot be executed: %s", command, strerror(error));
}

/* The kernel starts such a program in secure mode, where the loader ignores LD_PRELOAD. */
static bool runs_privileged(const char *path)
{
	struct stat st;
	char capability[64];

	if (stat(path, &st) != 0)
		return false;
	if ((st.st_mode & S_ISUID) && st.st_uid != geteuid())
		return true;
	if ((st.st_mode & S_ISGID) && (st.st_mode & S_IXGRP) && st.st_gid != getegid())
		return true;
	return geteuid() != 0 &&
	       getxattr(path, "security.capability", capability, sizeof(capability)) > 0;
}

/* Read PT_INTERP's path from the file into `loader` ("" when there is none). */
static enum snap_status read_loader(int fd, const char *path, const Elf64_Ehdr *header,
				    char loader[PATH_MAX], struct snap_error *err)
{
	loader[0] = '\0';
	if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phnum > HEADERS_MAX)
		return fail(err, SNAP_EUNSUPPORTED, "%s: its program headers are damaged", path);
	for (unsigned i = 0; i < header->e_phnum; i++) {
		Elf64_Phdr segment;
		off_t at = (off_t)(header->e_phoff + i * sizeof(segment));
		ssize_t n;

		if (pread(fd, &segment, sizeof(segment), at) != (ssize_t)sizeof(segment))
			return fail(err, SNAP_EUNSUPPORTED, "%s: its program headers are damaged",
				    path);
		if (segment.p_type != PT_INTERP)
			continue;
		n = pread(fd, loader, PATH_MAX - 1, (off_t)segment.p_offset);
		if (n < 0)
			n = 0;
		if ((uint64_t)n > segment.p_filesz)
			n = (ssize_t)segment.p_filesz;
		loader[n] = '\0';
		return SNAP_OK;
	}
	return SNAP_OK;
}

static enum snap_status check_elf(int fd, const char *path, const unsigned char *head, size_t size,
				  struct snap_error *err)
{
	Elf64_Ehdr header;
	char loader[PATH_MAX];
	enum snap_status st;

	if (size < sizeof(header))
		return fail(err, SNAP_EUNSUPPORTED, "%s: its ELF header is cut off", path);
	memcpy(&header, head, sizeof(header));
	if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != OWN_MACHINE)
		return fail(err, SNAP_EUNSUPPORTED,
			    "%s is built for another processor or word size than libsnap", path);
	st = read_loader(fd, path, &header, loader, err);
	if (st != SNAP_OK)
		return st;
	if (loader[0] == '\0')
		return fail(err, SNAP_EUNSUPPORTED,
			    "%s is statically linked: nothing can be preloaded into it; link it "
			    "dynamically, or call libsnap's API from it",
			    path);
#ifdef __GLIBC__
	if (strstr(loader, "ld-musl"))
		return fail(err, SNAP_EUNSUPPORTED,
			    "%s uses the musl C library, and this libsnap was built for glibc",
			    path);
#endif
	if (runs_privileged(path))
		return fail(
			err, SNAP_EUNSUPPORTED,
			"%s is setuid, setgid or has capabilities: the loader ignores preloading "
			"there; run it as the user that it switches to",
			path);
	return SNAP_OK;
}

/* "#!/bin/sh -e" -> "/bin/sh"; false if there is no interpreter in the line. */
static bool interpreter_of(const unsigned char *head, size_t size, char out[LINE_MAX_BYTES])
{
	size_t start = 2, end;

	while (start < size && (head[start] == ' ' || head[start] == '\t'))
		start++;
	end = start;
	while (end < size && head[end] && !strchr(" \t\r\n", head[end]))
		end++;
	if (end == start || end - start >= LINE_MAX_BYTES)
		return false;
	memcpy(out, head + start, end - start);
	out[end - start] = '\0';
	return true;
}

static enum snap_status check_level(const char *path, int level, struct snap_error *err)
{
	unsigned char head[LINE_MAX_BYTES];
	char interpreter[LINE_MAX_BYTES];
	enum snap_status st = SNAP_OK;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size;

	if (fd < 0)
		return SNAP_OK; /* executable but not readable: only trying it can tell */
	size = read(fd, head, sizeof(head));
	if (size >= SELFMAG && memcmp(head, ELFMAG, SELFMAG) == 0)
		st = check_elf(fd, path, head, (size_t)size, err);
	else if (size > 2 && memcmp(head, "#!", 2) == 0 && level < SCRIPT_LEVELS &&
		 interpreter_of(head, (size_t)size, interpreter))
		st = check_level(interpreter, level + 1, err);
	close(fd);
	return st;
}

enum snap_status preflight_check(const char *path, struct snap_error *err)
{
	return check_level(path, 0, err);
}
