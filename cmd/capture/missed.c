/*
 * missed.c - write and read the lists of programs that were not recorded.
 */
#include "capture/missed.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX ".not-recorded."

enum { FILES_MAX = 1000, LINES_MAX = 10000 };
#define FILE_MAX_BYTES ((off_t)1 << 20)

static bool anything(const struct hello *hello)
{
	for (size_t i = 0; i < hello->missed_count; i++)
		if (hello->missed[i].count > 0)
			return true;
	return false;
}

void missed_write(const struct hello *hello, const char *dir)
{
	char path[PATH_MAX];
	struct timespec now;
	FILE *out;
	int fd;

	if (!anything(hello))
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(path, sizeof(path), "%s/" PREFIX "%lld%09ld.%ld", dir, (long long)now.tv_sec,
		 now.tv_nsec, (long)getpid());
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	out = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!out) {
		if (fd >= 0)
			close(fd);
		return;
	}
	for (size_t i = 0; i < hello->missed_count; i++)
		if (hello->missed[i].count > 0)
			fprintf(out, "%zu\t%s\t%s\n", hello->missed[i].count,
				hello->missed[i].reason, hello->missed[i].program);
	if (fclose(out) != 0)
		unlink(path);
}

/* "COUNT<tab>REASON<tab>PROGRAM" */
static void read_line(struct hello *hello, char *line)
{
	char *reason, *program;
	unsigned long long count = strtoull(line, &reason, 10);

	if (*reason != '\t' || count == 0 || count > INT32_MAX)
		return;
	program = strchr(++reason, '\t');
	if (!program)
		return;
	*program++ = '\0';
	hello_miss(hello, program, reason, (size_t)count);
}

static FILE *open_list(int directory, const char *name)
{
	int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat info;
	FILE *in = NULL;

	if (fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
	    info.st_size <= FILE_MAX_BYTES)
		in = fdopen(fd, "r");
	if (fd >= 0 && !in)
		close(fd);
	return in;
}

static void read_list(struct hello *hello, FILE *in)
{
	char line[1024];

	for (unsigned i = 0; i < LINES_MAX && fgets(line, sizeof(line), in); i++) {
		line[strcspn(line, "\n")] = '\0';
		hello_make_printable(line);
		read_line(hello, line);
	}
}

void missed_read(struct hello *hello, const char *dir)
{
	DIR *handle = opendir(dir);
	const struct dirent *entry;
	unsigned files = 0;

	while (handle && files < FILES_MAX && (entry = readdir(handle))) {
		FILE *in = NULL;

		if (strncmp(entry->d_name, PREFIX, sizeof(PREFIX) - 1) == 0)
			in = open_list(dirfd(handle), entry->d_name);
		if (!in)
			continue;
		files++;
		read_list(hello, in);
		fclose(in);
	}
	if (handle)
		closedir(handle);
}
