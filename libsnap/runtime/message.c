/*
 * runtime/message.c - one line to standard error, without stdio.
 */
#include "runtime/message.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "runtime/os_linux.h"
#include "runtime/text.h"
#include "runtime/hidden.h"

#define MESSAGE_MAX 1024

enum { EMPTY, FILLING, FULL };
static atomic_uint kept_state;
static char kept[MESSAGE_MAX] SNAP__PAGES;
static size_t kept_size;
static _Thread_local bool is_deferring;

const char *snap__error_text(int error)
{
	static const struct {
		int error;
		const char *text;
	} known[] = {
		{EACCES, "permission denied"},
		{EAGAIN, "a process is needed for it, and none can be made or asked"},
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

void snap__message_defer(void)
{
	is_deferring = true;
}

static void put_together(struct snap__text *line, const char *what, const char *detail, int error)
{
	snap__text_add(line, "libsnap: ");
	snap__text_add(line, what);
	if (detail) {
		snap__text_add(line, " ");
		snap__text_add(line, detail);
	}
	if (error && snap__error_text(error)) {
		snap__text_add(line, ": ");
		snap__text_add(line, snap__error_text(error));
	} else if (error) {
		snap__text_add(line, ": error ");
		snap__text_add_u64(line, (uint64_t)error);
	}
	snap__text_add(line, "\n");
}

static void write_message(const char *data, size_t size)
{
	struct snap__quiet quiet;
	int ignored;

	snap__quiet_begin(&quiet);
	snap__os_write_all(STDERR_FILENO, data, size, &ignored);
	snap__quiet_end(&quiet);
}

/* Only the first message is kept: one is enough to know that something is wrong. */
static void keep(const struct snap__text *line)
{
	unsigned empty = EMPTY;

	if (!atomic_compare_exchange_strong(&kept_state, &empty, FILLING))
		return;
	memcpy(kept, line->data, line->size);
	kept_size = line->size;
	atomic_store(&kept_state, FULL);
}

bool snap__message_is_kept(void)
{
	return atomic_load(&kept_state) == FULL;
}

void snap__message_flush(void)
{
	unsigned full = FULL;

	if (is_deferring || atomic_load(&kept_state) != FULL ||
	    !atomic_compare_exchange_strong(&kept_state, &full, FILLING))
		return;
	write_message(kept, kept_size);
	atomic_store(&kept_state, EMPTY);
}

void snap__message(const char *what, const char *detail, int error)
{
	char buffer[MESSAGE_MAX];
	struct snap__text line = SNAP__TEXT(buffer);

	put_together(&line, what, detail, error);
	if (is_deferring)
		keep(&line);
	else
		write_message(line.data, line.size);
}
