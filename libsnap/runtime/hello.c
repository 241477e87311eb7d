/*
 * runtime/hello.c - lines for `snapdiff run`.
 */
#include "runtime/hello.h"

#include <fcntl.h>

#include "runtime/identity.h"
#include "runtime/message.h"
#include "runtime/os_linux.h"
#include "runtime/text.h"
#include "write/sys.h"

bool snap__hello_is_wanted(void)
{
	return snap__process_config()->hello[0] != '\0';
}

/* "PID PROGRAM", as every line for `snapdiff run` begins. */
static void hello_begin(struct snap__text *line)
{
	snap__text_add_u64(line, (uint64_t)snap__process_identity()->pid);
	snap__text_add(line, " ");
	snap__text_add(line, snap__process_identity()->program);
}

/* Append the line at once, where `snapdiff run` reads it. */
static void hello_send(struct snap__text *line)
{
	int fd, ignored;

	if (!snap__hello_is_wanted())
		return;
	snap__text_add(line, "\n");
	fd = snap__sys_open(snap__process_config()->hello,
			    O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return;
	snap__os_write_all(fd, line->data, line->size, &ignored);
	snap__sys_close(fd);
}

/* Tell `snapdiff run` that recording has started. */
void snap__hello_started(void)
{
	char buffer[sizeof(((struct snap__identity *)0)->program) + 64];
	struct snap__text line = SNAP__TEXT(buffer);

	hello_begin(&line);
	snap__text_add(&line, " ok");
	hello_send(&line);
}

/* ... or why not. */
void snap__hello_refused(const char *problem, const char *detail, int error)
{
	char buffer[SNAP__PATH_MAX / 2];
	struct snap__text line = SNAP__TEXT(buffer);

	hello_begin(&line);
	snap__text_add(&line, " error ");
	snap__text_add(&line, problem);
	snap__text_add(&line, detail ? " " : "");
	snap__text_add(&line, detail ? detail : "");
	if (error && snap__error_text(error)) {
		snap__text_add(&line, ": ");
		snap__text_add(&line, snap__error_text(error));
	}
	hello_send(&line);
}

void snap__hello_skips(int pid, const char *word, const char *path, bool back)
{
	char buffer[256 + 64];
	struct snap__text line = SNAP__TEXT(buffer);
	const char *slash = path + snap__length(path);
	size_t name;

	while (slash > path && slash[-1] != '/')
		slash--;
	snap__text_add_u64(&line, (uint64_t)pid);
	snap__text_add(&line, " ");
	name = line.size;
	snap__text_add(&line, *slash ? slash : "unnamed");
	for (char *c = line.data + name; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '_';
	snap__text_add(&line, back ? " back " : " skip ");
	snap__text_add(&line, word);
	hello_send(&line);
}

/* ... or, at the end, that what was recorded is the lesser part of the memory. */
void snap__hello_unseen(uint64_t bytes, uint64_t live_bytes)
{
	char buffer[sizeof(((struct snap__identity *)0)->program) + 128];
	struct snap__text line = SNAP__TEXT(buffer);

	hello_begin(&line);
	snap__text_add(&line, " unseen ");
	snap__text_add_u64(&line, bytes);
	snap__text_add(&line, " ");
	snap__text_add_u64(&line, live_bytes);
	hello_send(&line);
}
