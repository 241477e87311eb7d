/*
 * fuzz_listener.c - hostile requests for the control socket, as it runs inside a recorded program.
 *
 * The first byte says in how many pieces the rest is sent.  Whatever comes: at most one snapshot is
 * asked for, only by a line that says so, with the label that the line has; and a whole line gets a
 * whole answer.
 */
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/process.h"
#include "runtime/listener.h"
#include "runtime/record.h"
#include "runtime/stacks.h"
#include "runtime/thread.h"
#include "runtime/unwind/unwind.h"
#include "snap/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
	if (!condition)
		abort();
}

/* ---- the recorded program ---- */

static unsigned taken;
static char taken_label[SNAP_CONTROL_LINE_MAX];
static enum snap__holders taken_holders;

static enum snap_status take_snapshot(const char *label, enum snap__holders holders, char *path,
				      size_t size)
{
	static const enum snap_status results[] = {SNAP_OK, SNAP_ESTATE, SNAP_ENOMEM, SNAP_EIO};

	must(strlen(label) < sizeof(taken_label) && !strchr(label, '\n'));
	taken++;
	strcpy(taken_label, label);
	taken_holders = holders;
	snprintf(path, size, "/out/program.1.%06u.snap", taken);
	return results[strlen(label) % 4];
}

static void set_up(void)
{
	static const struct snap__host host = {.allocator = "glibc", .granule_shift = 4};

	/* Where it is permitted, no other snapdiff finds our socket and asks. */
	(void)unshare(CLONE_NEWNET);
	snap__process_find();
	snap__process_set_host(&host);
	strcpy(snap__settings.out, "/out");
	must(snap__threads_init() && snap__heapmap_init(5, false));
	snap__sample_init(0, 1);
	snap__unwind_init(64);
	snap__record_switch(true);
	snap__listener_open();
}

/* ---- what a line asks for, decided by a table ---- */

static const struct word {
	const char *name;
	int holders;
} words[] = {
	{"snap", SNAP__HOLDERS_NONE},
	{"holders", SNAP__HOLDERS_REACH},
	{"retained", SNAP__HOLDERS_RETAINED},
	{"census", SNAP__CENSUS},
	{"census-holders", SNAP__CENSUS | SNAP__HOLDERS_REACH},
	{"census-retained", SNAP__CENSUS | SNAP__HOLDERS_RETAINED},
};

/* The word that the line begins with, ended by a blank or the line's end; NULL: none. */
static const struct word *word_of(const char *line)
{
	size_t size = strcspn(line, " ");

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strlen(words[i].name) == size && memcmp(line, words[i].name, size) == 0)
			return &words[i];
	return NULL;
}

static void check_taken(const char *line)
{
	const struct word *word = word_of(line);
	size_t size = word ? strlen(word->name) : 0;

	must(taken == (word != NULL));
	if (!word)
		return;
	must((int)taken_holders == word->holders);
	must(strcmp(taken_label, line[size] ? line + size + 1 : "") == 0);
}

/* ---- the client ---- */

static int connect_client(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int size = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "%s%d",
			    SNAP_CONTROL_NAME, (int)getpid());

	must(fd >= 0 &&
	     connect(fd, (struct sockaddr *)&address,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)size)) == 0);
	return fd;
}

/* The listener may have left; then the rest is lost. */
static void talk(int fd, const uint8_t *data, size_t size, size_t piece)
{
	snap__listener_serve(take_snapshot); /* accept */
	for (size_t at = 0; at < size && snap__listener_has_client(); at += piece) {
		size_t count = size - at < piece ? size - at : piece;

		if (send(fd, data + at, count, MSG_NOSIGNAL) < 0)
			break;
		snap__listener_serve(take_snapshot);
	}
	shutdown(fd, SHUT_WR);
	for (int i = 0; i < 8 && snap__listener_has_client(); i++)
		snap__listener_serve(take_snapshot);
	must(!snap__listener_has_client());
}

static size_t read_answer(int fd, char *answer, size_t room)
{
	size_t used = 0;
	ssize_t got;

	while (used < room && (got = recv(fd, answer + used, room - used, MSG_DONTWAIT)) > 0)
		used += (size_t)got;
	return used;
}

static void check_answer(const char *line, const char *answer, size_t size)
{
	must(size > 0 && answer[size - 1] == '\n');
	if (strcmp(line, "status") == 0)
		must(memcmp(answer, "dir /out\n", 9) == 0 && answer[size - 2] == '\n');
	else
		must(memchr(answer, '\n', size) == answer + size - 1 &&
		     (strncmp(answer, "ok", 2) == 0 || strncmp(answer, "error ", 6) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	char line[SNAP_CONTROL_LINE_MAX] = "", answer[16384];
	const uint8_t *newline;
	size_t answer_size;
	int fd;

	if (size < 1)
		return 0;
	if (!ready)
		set_up();
	ready = true;
	taken = 0;
	fd = connect_client();
	talk(fd, data + 1, size - 1, data[0] % 32 ? data[0] : 65536);
	answer_size = read_answer(fd, answer, sizeof(answer));
	close(fd);
	newline = memchr(data + 1, '\n', size - 1);
	if (newline && (size_t)(newline - data - 1) < sizeof(line) - 1) {
		memcpy(line, data + 1, (size_t)(newline - data - 1));
		check_taken(line);
		check_answer(line, answer, answer_size);
	} else {
		must(taken == 0 && answer_size == 0);
	}
	return 0;
}
