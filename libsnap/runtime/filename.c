/*
 * runtime/filename.c - names that nobody else has.
 *
 * The temporary file is created with O_EXCL.  Whoever has it may then see whether the final name is
 * free: another process would need the same temporary file to take that.
 */
#include "runtime/filename.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/identity.h"
#include "write/sys.h"

enum { VARIANTS = 20, RUN_DIGITS = 8 };

static unsigned variant; /* 0: plain names; from 1 on with the run; from 2 on with a letter, too */

/* Milliseconds since 1970 in base 36: eight digits until the year 2059. */
static void add_run(struct snap__text *name)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	uint64_t rest = snap__process_identity()->start_time_ns / 1000000;
	char text[RUN_DIGITS], letter = (char)('a' + variant - 1);

	for (unsigned i = RUN_DIGITS; i-- > 0; rest /= 36)
		text[i] = digits[rest % 36];
	snap__text_add(name, "_"); /* sorts behind the dot of plain names */
	snap__text_add_bytes(name, text, sizeof(text));
	snap__text_add_bytes(name, &letter, variant > 1);
}

static void add_name(struct snap__text *name, const char *directory, const char *prefix,
		     uint64_t seq, const char *suffix)
{
	const struct snap__identity *who = snap__process_identity();

	if (directory) {
		snap__text_add(name, directory);
		snap__text_add(name, "/");
	}
	snap__text_add(name, prefix);
	snap__text_add(name, who->program);
	snap__text_add(name, ".");
	snap__text_add_u64(name, (uint64_t)who->pid);
	if (variant)
		add_run(name);
	snap__text_add(name, ".");
	snap__text_add_padded(name, seq, 6);
	snap__text_add(name, suffix);
}

void snap__filename_temporary(struct snap__text *name, const char *directory, uint64_t seq)
{
	add_name(name, directory, ".", seq, ".tmp");
}

void snap__filename_final(struct snap__text *name, const char *directory, uint64_t seq)
{
	add_name(name, directory, "", seq, ".snap");
}

void snap__filename_after_fork(void)
{
	variant = 0;
}

static bool exists(int at, const char *name)
{
	struct stat st;

	return snap__sys_stat(at, name, &st) == 0;
}

int snap__filename_create(int at, const char *directory, uint64_t seq)
{
	/* Static: too large for a stack that may be a signal handler's; snapshots come one by one.
	 */
	static char temporary_buffer[SNAP__PATH_MAX + SNAP__FILENAME_MAX];
	static char final_buffer[SNAP__PATH_MAX + SNAP__FILENAME_MAX];

	for (; variant < VARIANTS; variant++) {
		struct snap__text temporary = SNAP__TEXT(temporary_buffer);
		struct snap__text final = SNAP__TEXT(final_buffer);
		int fd;

		snap__filename_temporary(&temporary, directory, seq);
		snap__filename_final(&final, directory, seq);
		fd = snap__sys_openat(at, temporary.data,
				      O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
		if (fd >= 0 && !exists(at, final.data))
			return fd;
		if (fd < 0 && errno != EEXIST)
			return -1;
		if (fd >= 0) {
			snap__sys_close(fd);
			unlinkat(at, temporary.data, 0);
		}
	}
	variant = 0;
	errno = EEXIST;
	return -1;
}
