/*
 * patch.c - inputs that are changes of a sound file.
 */
#include "fuzz/patch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

uint64_t take(struct bytes *from, unsigned width)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < width && from->size; i++) {
		value |= (uint64_t)*from->data++ << 8 * i;
		from->size--;
	}
	return value;
}

uint8_t *file_content(const char *path, size_t *size)
{
	struct stat info;
	uint8_t *data = NULL;
	FILE *file = fopen(path, "rbe");

	if (file && fstat(fileno(file), &info) == 0)
		data = malloc((size_t)info.st_size + 1);
	if (!data || fread(data, 1, (size_t)info.st_size, file) != (size_t)info.st_size) {
		fprintf(stderr, "%s cannot be read\n", path);
		abort();
	}
	fclose(file);
	*size = (size_t)info.st_size;
	return data;
}

void patch(uint8_t *target, size_t size, struct bytes *patches)
{
	while (patches->size && size) {
		size_t at = take(patches, 3) % size, count = take(patches, 1) % 16 + 1;

		for (size_t i = 0; i < count && at + i < size; i++)
			target[at + i] = (uint8_t)take(patches, 1);
	}
}

static char path[64];

static void remove_scratch(void)
{
	unlink(path);
}

const char *scratch_path(void)
{
	if (!path[0]) {
		const char *directory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

		snprintf(path, sizeof(path), "%s/snapdiff-fuzz-%d", directory, (int)getpid());
		atexit(remove_scratch);
	}
	return path;
}

void scratch_write(const void *data, size_t size)
{
	int fd = open(scratch_path(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);
}
