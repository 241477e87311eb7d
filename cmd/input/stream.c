/*
 * stream.c - bytes in order: a window over a file, a pipe or memory.
 */
#include "input/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail.h"

enum {
	READ_SIZE = 256 * 1024, /* bytes to ask of a source at once */
	EXPECTED_MAX = 1 << 30, /* most memory that is set aside because of a file's size alone */
};

struct file {
	int fd;
	const char *name; /* the stream's */
};

static enum snap_status file_read(void *state, char *out, size_t room, size_t *got,
				  struct snap_error *err)
{
	const struct file *file = state;
	ssize_t size;

	do
		size = read(file->fd, out, room);
	while (size < 0 && errno == EINTR);
	if (size < 0)
		return fail(err, fail_status_of_file(errno), "%s: %s", file->name, strerror(errno));
	*got = (size_t)size;
	return SNAP_OK;
}

static void file_close(void *state)
{
	struct file *file = state;

	if (file->fd != STDIN_FILENO)
		close(file->fd);
	free(file);
}

static enum snap_status open_file(const char *path, int *fd, struct stat *info,
				  struct snap_error *err)
{
	*fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	enum snap_status st;

	if (*fd < 0 || fstat(*fd, info) != 0) {
		st = fail(err, fail_status_of_file(errno), "%s: %s", path, strerror(errno));
		if (*fd > STDIN_FILENO)
			close(*fd);
		return st;
	}
	if (S_ISDIR(info->st_mode)) {
		if (*fd != STDIN_FILENO)
			close(*fd);
		return fail(err, SNAP_EUNSUPPORTED,
			    "%s: is a directory, where one snapshot file is wanted", path);
	}
	return SNAP_OK;
}

/** Facts that only regular files have; the size and time of a pipe say nothing. */
static void note_facts(struct stream *stream, const struct stat *info)
{
	if (!S_ISREG(info->st_mode))
		return;
	stream->file_size = (uint64_t)info->st_size;
	if (info->st_mtim.tv_sec > 0)
		stream->modified_ns = (uint64_t)info->st_mtim.tv_sec * 1000000000u +
				      (uint64_t)info->st_mtim.tv_nsec;
}

enum snap_status stream_open(struct stream **out, const char *path, struct snap_error *err)
{
	struct file *file = malloc(sizeof(*file));
	struct stream_source source = {file, file_read, file_close};
	enum snap_status st;
	struct stat info;

	*out = NULL;
	if (!file)
		return fail_memory(err, "opening a file");
	st = open_file(path, &file->fd, &info, err);
	if (st != SNAP_OK) {
		free(file);
		return st;
	}
	st = stream_open_source(out, &source, path, err);
	if (st != SNAP_OK)
		return st;
	file->name = (*out)->name;
	note_facts(*out, &info);
	if (S_ISREG(info.st_mode) && file->fd != STDIN_FILENO) {
		(*out)->path = strdup(path);
		if (!(*out)->path) {
			stream_close(*out);
			*out = NULL;
			return fail_memory(err, "opening a file");
		}
	}
	return SNAP_OK;
}

enum snap_status stream_open_source(struct stream **out, const struct stream_source *source,
				    const char *name, struct snap_error *err)
{
	struct stream *stream = calloc(1, sizeof(*stream));

	*out = NULL;
	if (stream)
		stream->name = strdup(name);
	if (!stream || !stream->name) {
		free(stream);
		source->close(source->state);
		return fail_memory(err, "opening a file");
	}
	stream->source = *source;
	*out = stream;
	return SNAP_OK;
}

static void nothing_to_close(void *state)
{
	(void)state;
}

enum snap_status stream_open_memory(struct stream **out, const void *data, size_t size,
				    const char *name, struct snap_error *err)
{
	struct stream_source source = {.close = nothing_to_close};
	enum snap_status st = stream_open_source(out, &source, name, err);

	if (st == SNAP_OK) {
		(*out)->data = data;
		(*out)->size = size;
		(*out)->ended = true;
	}
	return st;
}

void stream_close(struct stream *stream)
{
	if (!stream)
		return;
	stream->source.close(stream->source.state);
	free(stream->buffer);
	free(stream->name);
	free(stream->path);
	free(stream);
}

/** Room for `more` bytes behind the window at once, where they are expected; if not, it grows. */
static void expect(struct stream *stream, uint64_t more)
{
	size_t used = stream->buffer ? (size_t)(stream->data - stream->buffer) : 0;
	size_t room = used + stream->size + (size_t)more;
	char *buffer;

	if (more > EXPECTED_MAX || (stream->size && !stream->buffer) || room <= stream->room)
		return;
	buffer = realloc(stream->buffer, room);
	if (!buffer)
		return;
	stream->buffer = buffer;
	stream->room = room;
	stream->data = buffer + used;
}

/** Move the window to the front of a buffer that has room for `size` bytes and one more read. */
static bool make_room(struct stream *stream, size_t size)
{
	size_t room = stream->room ? stream->room : 2 * READ_SIZE;
	char *buffer;

	if (size > SIZE_MAX / 4)
		return false;
	while (room < size + READ_SIZE)
		room *= 2;
	if (stream->buffer && room == stream->room) {
		memmove(stream->buffer, stream->data, stream->size);
		stream->data = stream->buffer;
		return true;
	}
	buffer = malloc(room);
	if (!buffer)
		return false;
	if (stream->size)
		memcpy(buffer, stream->data, stream->size);
	free(stream->buffer);
	stream->buffer = buffer;
	stream->room = room;
	stream->data = buffer;
	return true;
}

enum snap_status stream_need(struct stream *stream, size_t size, struct snap_error *err)
{
	while (stream->size < size && !stream->ended) {
		size_t used = stream->buffer ? (size_t)(stream->data - stream->buffer) : 0;
		size_t got = 0;
		enum snap_status st;

		if (stream->room - used < stream->size + READ_SIZE) {
			if (!make_room(stream, stream->size > size ? stream->size : size))
				return fail(err, SNAP_ENOMEM, "out of memory while reading %s",
					    stream->name);
			used = 0;
		}
		st = stream->source.read(stream->source.state, stream->buffer + used + stream->size,
					 READ_SIZE, &got, err);
		if (st != SNAP_OK)
			return st;
		stream->size += got;
		stream->ended = got == 0;
	}
	return SNAP_OK;
}

void stream_skip(struct stream *stream, size_t size)
{
	stream->data += size;
	stream->size -= size;
	stream->offset += size;
}

enum snap_status stream_need_all(struct stream *stream, struct snap_error *err)
{
	enum snap_status st = SNAP_OK;
	uint64_t known = stream->offset + stream->size;

	if (!stream->ended && stream->file_size > known)
		expect(stream, stream->file_size - known +
				       UINT64_C(2) * READ_SIZE); /* the end is read, too */
	while (st == SNAP_OK && !stream->ended)
		st = stream_need(stream, stream->size + 1, err);
	return st;
}
