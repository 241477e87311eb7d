/*
 * source.c - files, pipes and memory behind one read function.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "read/error.h"
#include "read/limits.h"
#include "read/source.h"

#define PIPE_FIRST_READ ((size_t)64 << 10)

/* A lack of memory or descriptors is not a fault of the file. */
static enum snap_status status_of(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM ? SNAP_ESYSTEM : SNAP_EIO;
}

static enum snap_status fail_errno(struct snap_error *err, const char *path)
{
	return snap__fail(err, status_of(errno), path, "%s", strerror(errno));
}

/* Room for more bytes: twice as much as before. */
static enum snap_status grow(struct snap__source *source, size_t *capacity, const char *path,
			     struct snap_error *err)
{
	size_t larger = *capacity ? *capacity * 2 : PIPE_FIRST_READ;
	uint8_t *memory;

	if (*capacity >= SNAP__LIMIT_PIPE_SIZE)
		return snap__fail(err, SNAP_EIO, path, "more than %llu bytes through a pipe",
				  (unsigned long long)SNAP__LIMIT_PIPE_SIZE);
	memory = realloc(source->owned, larger);
	if (!memory)
		return snap__fail(err, SNAP_ENOMEM, path, "out of memory");
	source->owned = memory;
	source->memory = memory;
	*capacity = larger;
	return SNAP_OK;
}

static enum snap_status read_pipe(struct snap__source *source, int fd, const char *path,
				  struct snap_error *err)
{
	enum snap_status st = SNAP_OK;
	size_t capacity = 0;

	for (;;) {
		ssize_t got;

		if (source->size == capacity)
			st = grow(source, &capacity, path, err);
		if (st != SNAP_OK)
			return st;
		got = read(fd, source->owned + source->size, capacity - source->size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fail_errno(err, path);
		if (got == 0)
			return SNAP_OK;
		source->size += (size_t)got;
	}
}

static enum snap_status use_fd(struct snap__source *source, int fd, const char *path,
			       struct snap_error *err)
{
	struct stat about;
	enum snap_status st;

	if (fstat(fd, &about) != 0) {
		st = fail_errno(err, path);
	} else if (S_ISREG(about.st_mode)) {
		source->size = (uint64_t)about.st_size;
		source->fd = fd;
		return SNAP_OK;
	} else {
		st = read_pipe(source, fd, path, err);
	}
	close(fd);
	return st;
}

enum snap_status snap__source_open(struct snap__source *source, const char *path,
				   struct snap_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	*source = (struct snap__source){.fd = -1};
	if (fd < 0)
		return fail_errno(err, path);
	return use_fd(source, fd, path, err);
}

void snap__source_memory(struct snap__source *source, const void *data, size_t size)
{
	*source = (struct snap__source){.fd = -1, .memory = data, .size = size};
}

void snap__source_close(struct snap__source *source)
{
	free(source->owned);
	if (source->fd >= 0)
		close(source->fd);
	*source = (struct snap__source){.fd = -1};
}

enum snap_status snap__source_read(const struct snap__source *source, uint64_t offset, size_t size,
				   uint8_t *buffer, const uint8_t **bytes, const char *name,
				   struct snap_error *err)
{
	size_t filled = 0;

	if (source->fd < 0) {
		*bytes = source->memory + offset;
		return SNAP_OK;
	}
	while (filled < size) {
		ssize_t got =
			pread(source->fd, buffer + filled, size - filled, (off_t)(offset + filled));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return snap__fail_at(err, status_of(errno), name, offset, "%s",
					     strerror(errno));
		if (got == 0)
			return snap__fail_at(err, SNAP_EIO, name, offset + filled,
					     "the file became shorter while it was read");
		filled += (size_t)got;
	}
	*bytes = buffer;
	return SNAP_OK;
}
