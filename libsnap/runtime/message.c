/*
 * runtime/message.c - one line to standard error, without stdio.
 */
#include "runtime/message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#include "runtime/os_linux.h"
#include "runtime/text.h"
#include "write/sys.h"

static _Thread_local bool has_private_files;

const char *snap__error_text(int error)
{
	static const struct {
		int error;
		const char *text;
	} known[] = {
		{EACCES, "permission denied"},
		{EDQUOT, "disk quota exceeded"},
		{EEXIST, "file exists"},
		{EFBIG, "file too large"},
		{EIO, "input/output error"},
		{EMFILE, "too many open files"},
		{ENFILE, "too many open files in the system"},
		{ENOENT, "no such file or directory"},
		{ENOMEM, "out of memory"},
		{ENOSPC, "no space left on device"},
		{ENOTDIR, "not a directory"},
		{EPERM, "operation not permitted"},
		{EROFS, "read-only file system"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].error == error)
			return known[i].text;
	return NULL;
}

void snap__message_from_private_files(void)
{
	has_private_files = true;
}

void snap__message(const char *what, const char *detail, int error)
{
	int saved = errno, ignored, fd = STDERR_FILENO;
	char buffer[1024];
	struct snap__text line = SNAP__TEXT(buffer);

	snap__text_add(&line, "libsnap: ");
	snap__text_add(&line, what);
	if (detail) {
		snap__text_add(&line, " ");
		snap__text_add(&line, detail);
	}
	if (error && snap__error_text(error)) {
		snap__text_add(&line, ": ");
		snap__text_add(&line, snap__error_text(error));
	} else if (error) {
		snap__text_add(&line, ": error ");
		snap__text_add_u64(&line, (uint64_t)error);
	}
	snap__text_add(&line, "\n");
	if (has_private_files)
		fd = snap__sys_open("/proc/self/fd/2",
				    O_WRONLY | O_APPEND | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0)
		snap__os_write_all(fd, line.data, line.size, &ignored);
	if (fd >= 0 && has_private_files)
		snap__sys_close(fd);
	errno = saved;
}
