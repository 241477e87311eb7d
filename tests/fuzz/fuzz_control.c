/*
 * fuzz_control.c - hostile answers to `snap` and `status`.
 *
 * A thread of this process listens where a recorded program would, and answers with the input.  The
 * first byte says whether it is repeated.  What reaches the caller is text without a character
 * that a terminal obeys.
 */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "capture/control.h"
#include "fuzz/commands.h"
#include "snap/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Each of these connects once. */
enum { CONNECTIONS = 3 };

static void must(bool condition)
{
	if (!condition)
		abort();
}

/* ---- the other side ---- */

static const uint8_t *answer_data;
static size_t answer_size;
static unsigned answer_times;
static sem_t answered; /* once for each connection: the input is not read any more */

static void *listen_and_answer(void *socket_fd)
{
	int listening = *(const int *)socket_fd;
	char request[SNAP_CONTROL_LINE_MAX];

	for (;;) {
		int client = accept4(listening, NULL, NULL, SOCK_CLOEXEC);

		if (client < 0)
			continue;
		must(recv(client, request, sizeof(request), 0) > 0);
		for (unsigned i = 0; i < answer_times; i++)
			if (send(client, answer_data, answer_size, MSG_NOSIGNAL) < 0)
				break;
		close(client);
		sem_post(&answered);
	}
	return NULL;
}

static void set_up(void)
{
	static int listening;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int size = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "%s%d",
			    SNAP_CONTROL_NAME, (int)getpid());
	pthread_t thread;

	/* Where it is permitted, no other snapdiff finds our socket and asks. */
	(void)unshare(CLONE_NEWNET);
	listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(listening >= 0 &&
	     bind(listening, (struct sockaddr *)&address,
		  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)size)) == 0 &&
	     listen(listening, 16) == 0);
	must(pthread_create(&thread, NULL, listen_and_answer, &listening) == 0);
	pthread_detach(thread);
}

/* ---- what we make of it ---- */

/* Free of C0 but for line ends, of DEL, of C1 as UTF-8 has it, and of the mark U+202E. */
static bool is_harmless(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	for (; *at; at++)
		if ((*at < ' ' && *at != '\n') || *at == 0x7f ||
		    (at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0) ||
		    strncmp((const char *)at, "\xe2\x80\xae", 3) == 0)
			return false;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	struct snap_error err = {0};
	char pid[24], *answer;

	if (size < 1)
		return 0;
	if (!ready)
		set_up();
	ready = true;
	answer_data = data + 1;
	answer_size = size - 1;
	answer_times = data[0] == 0xff ? 400 : 1;
	if (control_ask((uint64_t)getpid(), SNAP_CONTROL_DIR, 10000, &answer, &err) == SNAP_OK)
		must(*answer && is_harmless(answer));
	else
		must(!answer && err.message[0] && is_harmless(err.message));
	free(answer);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	(void)run_command((const char *const[]){"snap", pid, NULL});
	(void)run_command(
		(const char *const[]){"status", "-f", "json", "-o", "/dev/null", pid, NULL});
	for (int i = 0; i < CONNECTIONS; i++)
		while (sem_wait(&answered) != 0)
			;
	return 0;
}
