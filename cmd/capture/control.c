/*
 * control.c - talk to the libsnap inside a running process.
 */
#include "capture/control.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "capture/doorbell.h"
#include "snap/control.h"

enum { ANSWER_MAX = 1 << 20, FIND_TIMEOUT_MS = 2000, LISTED_MAX = 8 };

enum { RING_WAIT_MS = 2000, RING_PAUSE_MS = 2 };

static int connect_once(uint64_t pid, int timeout_ms)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int size;

	if (fd < 0)
		return -1;
	/* An abstract name: the first byte stays NUL. */
	size = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1,
			SNAP_CONTROL_NAME "%llu", (unsigned long long)pid);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)size)) == 0)
		return fd;
	size = errno;
	close(fd);
	errno = size;
	return -1;
}

static void pause_ms(long ms)
{
	const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&time, NULL);
}

/* Where nobody listens yet, the process is asked to start a helper that does. */
static int connect_to(uint64_t pid, int timeout_ms)
{
	int fd = connect_once(pid, timeout_ms);

	if (fd >= 0 || errno != ECONNREFUSED)
		return fd;
	if (!doorbell_ring(pid)) {
		errno = ECONNREFUSED;
		return -1;
	}
	for (int waited = 0; fd < 0 && waited < RING_WAIT_MS; waited += RING_PAUSE_MS) {
		pause_ms(RING_PAUSE_MS);
		fd = connect_once(pid, timeout_ms);
		if (fd < 0 && errno != ECONNREFUSED)
			break;
	}
	return fd;
}

/* Read until the other end closes.  NULL (errno set) on an error or a time-out. */
static char *read_all(int fd)
{
	size_t used = 0, room = 4096;
	char *text = malloc(room);

	while (text) {
		ssize_t n = read(fd, text + used, room - used - 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			text[used] = '\0';
			if (n == 0)
				return text;
			break;
		}
		used += (size_t)n;
		if (room - used < 2) {
			char *grown = room < ANSWER_MAX ? realloc(text, room * 2) : NULL;

			if (!grown)
				break;
			text = grown;
			room *= 2;
		}
	}
	free(text);
	return NULL;
}

/* Nobody listens there: say whether there is such a process at all. */
static enum snap_status not_recording(uint64_t pid, struct snap_error *err)
{
	if (kill((pid_t)pid, 0) != 0 && errno == ESRCH)
		return fail(err, SNAP_ENOTFOUND, "there is no process %llu",
			    (unsigned long long)pid);
	return fail(err, SNAP_ENOTFOUND,
		    "process %llu is not recorded (no libsnap answers there); start it with "
		    "'snapdiff run'",
		    (unsigned long long)pid);
}

enum snap_status control_ask(uint64_t pid, const char *request, int timeout_ms, char **answer,
			     struct snap_error *err)
{
	char line[SNAP_CONTROL_LINE_MAX];
	int size = snprintf(line, sizeof(line), "%s\n", request);
	int fd;

	*answer = NULL;
	if (size < 0 || (size_t)size >= sizeof(line) || strchr(request, '\n'))
		return fail(err, SNAP_EUSAGE, "the request is too long, or has a line break in it");
	fd = connect_to(pid, timeout_ms);
	if (fd < 0 && errno == ECONNREFUSED)
		return not_recording(pid, err);
	if (fd < 0)
		return fail(err, SNAP_ESYSTEM, "process %llu: %s", (unsigned long long)pid,
			    strerror(errno));
	if (send(fd, line, (size_t)size, MSG_NOSIGNAL) == size)
		*answer = read_all(fd);
	if (!*answer)
		fail(err, SNAP_ESYSTEM, "process %llu does not answer: %s", (unsigned long long)pid,
		     errno == EAGAIN ? "timed out" : strerror(errno));
	close(fd);
	if (*answer && **answer == '\0') {
		free(*answer);
		*answer = NULL;
		return fail(err, SNAP_ESYSTEM,
			    "process %llu refuses: it belongs to another user, or is just ending",
			    (unsigned long long)pid);
	}
	return *answer ? SNAP_OK : SNAP_ESYSTEM;
}

/* The pid in a line of /proc/net/unix that names one of our sockets, or 0. */
static uint64_t pid_in_line(const char *line)
{
	const char *name = strstr(line, "@" SNAP_CONTROL_NAME);

	return name ? strtoull(name + strlen("@" SNAP_CONTROL_NAME), NULL, 10) : 0;
}

static bool listens(uint64_t pid)
{
	int fd = connect_to(pid, FIND_TIMEOUT_MS);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Is it a `snapdiff`, which records nothing itself but may have started what is meant? */
static bool is_snapdiff(uint64_t pid)
{
	char path[64], name[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%llu/comm", (unsigned long long)pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(name, sizeof(name), file))
		name[0] = '\0';
	fclose(file);
	return strcmp(name, "snapdiff\n") == 0;
}

/* The parent of the process whose directory in /proc is called `name`; 0 if that is none. */
static uint64_t parent_of(const char *name)
{
	char path[64], text[512];
	const char *after;
	unsigned long long parent = 0;
	FILE *file;

	if (name[strspn(name, "0123456789")] != '\0')
		return 0;
	snprintf(path, sizeof(path), "/proc/%.20s/stat", name);
	file = fopen(path, "re");
	if (!file)
		return 0;
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	after = strrchr(text, ')'); /* a program's name may hold anything */
	return after && sscanf(after + 1, " %*c %llu", &parent) == 1 ? parent : 0;
}

/* What `snapdiff run`, process `pid`, has started and what is recorded; `pid` if that is none. */
static uint64_t recorded_child(uint64_t pid)
{
	const struct dirent *entry;
	uint64_t found = pid;
	DIR *processes = opendir("/proc");

	if (!processes)
		return pid;
	while (found == pid && (entry = readdir(processes)))
		if (parent_of(entry->d_name) == pid && listens(strtoull(entry->d_name, NULL, 10)))
			found = strtoull(entry->d_name, NULL, 10);
	closedir(processes);
	return found;
}

/* Does process `pid` record into `dir` (absolute)? */
static bool records_into(uint64_t pid, const char *dir)
{
	char *answer;
	bool same = false;

	if (control_ask(pid, SNAP_CONTROL_DIR, FIND_TIMEOUT_MS, &answer, NULL) != SNAP_OK)
		return false;
	if (strncmp(answer, "ok ", 3) == 0) {
		answer[strcspn(answer, "\n")] = '\0';
		same = strcmp(answer + 3, dir) == 0;
	}
	free(answer);
	return same;
}

/* The processes that listen and record into `dir`; at most LISTED_MAX.  False: no /proc. */
static bool list_recorders(const char *dir, uint64_t found[LISTED_MAX], size_t *count)
{
	FILE *sockets = fopen("/proc/net/unix", "re");
	char *line = NULL;
	size_t room = 0;

	*count = 0;
	if (!sockets)
		return false;
	while (*count < LISTED_MAX && getline(&line, &room, sockets) >= 0) {
		uint64_t candidate = pid_in_line(line);
		bool known = false;

		for (size_t i = 0; i < *count; i++)
			known = known || found[i] == candidate;
		if (candidate && !known && records_into(candidate, dir))
			found[(*count)++] = candidate;
	}
	free(line);
	fclose(sockets);
	return true;
}

static enum snap_status find_in_directory(const char *dir, uint64_t *pid, struct snap_error *err)
{
	uint64_t found[LISTED_MAX];
	unsigned rung = doorbell_ring_all(dir);
	char list[LISTED_MAX * 24] = "";
	size_t count = 0;

	if (!list_recorders(dir, found, &count))
		return fail(err, SNAP_ESYSTEM, "/proc/net/unix: %s; name the process instead",
			    strerror(errno));
	for (int waited = 0; count < rung && count < LISTED_MAX && waited < RING_WAIT_MS;
	     waited += RING_PAUSE_MS) {
		pause_ms(RING_PAUSE_MS);
		(void)list_recorders(dir, found, &count);
	}
	if (count == 0)
		return fail(err, SNAP_ENOTFOUND, "no running process records into %s", dir);
	*pid = found[0];
	if (count == 1)
		return SNAP_OK;
	for (size_t i = 0; i < count; i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%llu", i ? ", " : "",
			 (unsigned long long)found[i]);
	return fail(err, SNAP_EUSAGE, "several processes record into %s: %s; name one of them", dir,
		    list);
}

enum snap_status control_find(const char *who, uint64_t *pid, struct snap_error *err)
{
	char absolute[PATH_MAX], *end;
	struct stat st;

	errno = 0;
	*pid = strtoull(who, &end, 10);
	if (end != who && *end == '\0' && *who != '-') {
		if (*pid == 0 || *pid > INT32_MAX || errno != 0)
			return fail(err, SNAP_EUSAGE, "%s is not a process id", who);
		if (is_snapdiff(*pid))
			*pid = recorded_child(*pid);
		return SNAP_OK;
	}
	if (stat(who, &st) != 0)
		return fail(err, SNAP_ENOTFOUND, "%s: neither a process id nor a directory", who);
	if (!S_ISDIR(st.st_mode))
		return fail(err, SNAP_EUSAGE, "%s: neither a process id nor a directory", who);
	if (!realpath(who, absolute))
		return fail(err, SNAP_ESYSTEM, "%s: %s", who, strerror(errno));
	return find_in_directory(absolute, pid, err);
}
