/*
 * control.c - talk to the libsnap inside a running process.
 */
#include "capture/control.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/seed.h"
#include "base/utf8.h"
#include "capture/doorbell.h"
#include "capture/peer.h"
#include "snap/control.h"

enum { ANSWER_MAX = 1 << 20, FIND_TIMEOUT_MS = 2000, LISTED_MAX = 8 };

enum { RING_WAIT_MS = 10000, RING_AGAIN_MS = 1000, RING_PAUSE_MS = 2 };

static void pause_ms(long ms)
{
	const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&time, NULL);
}

/* A connection to the process, if it has that name; -1 with errno. */
static int connect_name(const struct peer *peer, int timeout_ms, const char *name)
{
	struct timeval limit = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
	int fd = peer_socket(peer), error;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (peer_connect(peer, fd, name))
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* Try the names that a process may have (see snap/control.h), one after the other; first the one
   that no stranger can have.  EPERM: a stranger has one of them, and the process has none.  EAGAIN:
   too many clients wait at one of them. */
static int connect_once(const struct peer *peer, int timeout_ms, uint64_t secret)
{
	char names[3][80];
	int error = ECONNREFUSED;

	snprintf(names[0], sizeof(names[0]), SNAP_CONTROL_NAME "%llu.%llx",
		 (unsigned long long)peer->inner_pid, (unsigned long long)secret);
	snprintf(names[1], sizeof(names[1]), SNAP_CONTROL_NAME "%llu",
		 (unsigned long long)peer->inner_pid);
	snprintf(names[2], sizeof(names[2]), SNAP_CONTROL_NAME "%llu.%llu",
		 (unsigned long long)peer->inner_pid, (unsigned long long)peer->namespace);
	for (unsigned i = secret ? 0 : 1; i < 3; i++) {
		int fd = connect_name(peer, timeout_ms, names[i]);

		if (fd >= 0)
			return fd;
		if (errno != ECONNREFUSED && error != EPERM)
			error = errno;
	}
	errno = error;
	return -1;
}

static bool may_be_rung(int error)
{
	return error == ECONNREFUSED || error == EPERM || error == EAGAIN;
}

/* If the process does not listen yet, or a stranger has the name, ask the process to start a
 * helper.  It listens at a name that no other process can have taken.  ETIMEDOUT: libsnap is there,
 * but no thread has handled the signal. */
static int connect_to(uint64_t pid, int timeout_ms)
{
	struct peer peer;
	uint64_t secret = 0;
	int fd, error;

	peer_look_up(&peer, pid);
	fd = connect_once(&peer, timeout_ms, 0);
	error = errno;
	if (fd >= 0 || !may_be_rung(error) || peer_shares_memory(pid)) {
		errno = error;
		return fd;
	}
	random_bytes(&secret, sizeof(secret));
	if (!doorbell_ring(pid, secret)) {
		errno = error;
		return -1;
	}
	for (int waited = RING_PAUSE_MS; fd < 0 && waited < RING_WAIT_MS; waited += RING_PAUSE_MS) {
		pause_ms(RING_PAUSE_MS);
		if (waited % RING_AGAIN_MS == 0) /* the process was busy with its end or an exec */
			doorbell_ring(pid, secret);
		fd = connect_once(&peer, timeout_ms, secret);
		error = errno;
		if (fd < 0 && (!may_be_rung(error) || !doorbell_is_hung(pid)))
			break;
	}
	errno = may_be_rung(error) && doorbell_is_hung(pid) ? ETIMEDOUT : error;
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

/* Its helper may live a little longer. */
static bool has_ended(uint64_t pid)
{
	return kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}

/* Nobody listens there: say whether there is such a process at all. */
static enum snap_status not_recording(uint64_t pid, struct snap_error *err)
{
	if (has_ended(pid))
		return fail(err, SNAP_ENOTFOUND, "there is no process %llu",
			    (unsigned long long)pid);
	if (peer_shares_memory(pid))
		return fail(
			err, SNAP_ENOTFOUND,
			"process %llu uses the memory of its parent (as a child of vfork() does "
			"until it executes a program): name process %llu",
			(unsigned long long)pid, (unsigned long long)peer_parent(pid));
	return fail(err, SNAP_ENOTFOUND,
		    "process %llu is not recorded (no libsnap answers there); start it with "
		    "'snapdiff run'",
		    (unsigned long long)pid);
}

/* It has libsnap, but cannot handle a signal now. */
static enum snap_status silent(uint64_t pid, struct snap_error *err)
{
	return fail(err, SNAP_ESYSTEM,
		    "process %llu is recorded, but has not answered for %d s: it may be stopped, "
		    "or wait for a child of vfork(); ask again when it runs",
		    (unsigned long long)pid, RING_WAIT_MS / 1000);
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
	if (fd < 0 && errno == ETIMEDOUT)
		return silent(pid, err);
	if (fd < 0 && errno == EPERM && has_ended(pid))
		return not_recording(pid, err);
	if (fd < 0 && errno == EPERM)
		return fail(err, SNAP_ENOTFOUND,
			    "process %llu is not recorded, or cannot be asked: another process "
			    "uses the name of its control socket",
			    (unsigned long long)pid);
	if (fd < 0 && errno == EAGAIN)
		return fail(err, SNAP_ESYSTEM,
			    "process %llu cannot be asked: too many clients wait at its control "
			    "socket, or another process uses the name of that socket and accepts "
			    "nobody",
			    (unsigned long long)pid);
	if (fd < 0)
		return fail(err, SNAP_ESYSTEM, "process %llu: %s", (unsigned long long)pid,
			    strerror(errno));
	if (send(fd, line, (size_t)size, MSG_NOSIGNAL) == size)
		*answer = read_all(fd);
	/* The recorded program is not trusted: its text must not control our terminal. */
	if (*answer)
		utf8_make_printable(*answer, "\n");
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

/* The pid in a line of /proc/net/unix that names a socket of a process in our pid namespace, or
 * 0. */
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

/* Is it a `snapdiff`? It records nothing itself, but may have started the process that the user
 * means. */
static bool is_snapdiff(uint64_t pid)
{
	char name[PEER_NAME_MOST + 2];

	return peer_name(pid, name) && strcmp(name, "snapdiff") == 0;
}

/* Is `name`, of a directory in /proc, a child of process `parent`? */
static bool is_child(const char *name, uint64_t parent)
{
	return name[strspn(name, "0123456789")] == '\0' &&
	       peer_parent(strtoull(name, NULL, 10)) == parent;
}

/* The recorded process that `snapdiff run` (process `pid`) has started; `pid` itself if there is
 * none. */
static uint64_t recorded_child(uint64_t pid)
{
	const struct dirent *entry;
	uint64_t found = pid;
	DIR *processes = opendir("/proc");

	if (!processes)
		return pid;
	while (found == pid && (entry = readdir(processes)))
		if (is_child(entry->d_name, pid) && listens(strtoull(entry->d_name, NULL, 10)))
			found = strtoull(entry->d_name, NULL, 10);
	closedir(processes);
	return found;
}

/* Does process `pid` record into `dir` (absolute)?  If it does not say, `err` says why. */
static bool records_into(uint64_t pid, const char *dir, struct snap_error *err)
{
	char *answer;
	bool same = false;

	if (control_ask(pid, SNAP_CONTROL_DIR, FIND_TIMEOUT_MS, &answer, err) != SNAP_OK)
		return false;
	if (strncmp(answer, "ok ", 3) == 0) {
		answer[strcspn(answer, "\n")] = '\0';
		same = strcmp(answer + 3, dir) == 0;
	}
	free(answer);
	return same;
}

struct recorders {
	const char *dir;
	uint64_t pids[LISTED_MAX];
	size_t count;
	struct snap_error
		silent; /* the last process that was started to record there did not answer */
};

static bool consider(struct recorders *found, uint64_t pid, struct snap_error *err)
{
	for (size_t i = 0; i < found->count; i++)
		if (found->pids[i] == pid)
			return true;
	if (found->count == LISTED_MAX || !records_into(pid, found->dir, err))
		return false;
	found->pids[found->count++] = pid;
	return true;
}

/* A process that was started to record into the directory. */
static void consider_started(uint64_t pid, void *user)
{
	struct snap_error err = {SNAP_OK, ""};
	struct recorders *found = user;

	if (!peer_shares_memory(pid) && !consider(found, pid, &err) && err.status == SNAP_ESYSTEM)
		found->silent = err;
}

/* Processes that set the directory by snap_start() can only be found by their sockets. */
static void consider_sockets(struct recorders *found)
{
	FILE *sockets = fopen("/proc/net/unix", "re");
	char *line = NULL;
	size_t room = 0;

	while (sockets && getline(&line, &room, sockets) >= 0)
		if (pid_in_line(line))
			consider(found, pid_in_line(line), NULL);
	free(line);
	if (sockets)
		fclose(sockets);
}

static enum snap_status find_in_directory(const char *dir, uint64_t *pid, struct snap_error *err)
{
	struct recorders found = {.dir = dir};
	char list[LISTED_MAX * 24] = "";

	doorbell_each(dir, consider_started, &found);
	consider_sockets(&found);
	if (found.count == 0 && found.silent.status != SNAP_OK && err)
		*err = found.silent;
	if (found.count == 0 && found.silent.status != SNAP_OK)
		return found.silent.status;
	if (found.count == 0)
		return fail(err, SNAP_ENOTFOUND, "no running process records into %s", dir);
	*pid = found.pids[0];
	if (found.count == 1)
		return SNAP_OK;
	for (size_t i = 0; i < found.count; i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%llu", i ? ", " : "",
			 (unsigned long long)found.pids[i]);
	return fail(err, SNAP_EUSAGE, "several processes record into %s: %s; name one of them", dir,
		    list);
}

/* The newest process of that name; 0: none has it. */
static uint64_t process_named(const char *name)
{
	DIR *handle = opendir("/proc");
	const struct dirent *entry;
	uint64_t newest = 0;

	while (handle && (entry = readdir(handle))) {
		uint64_t pid = strtoull(entry->d_name, NULL, 10);
		char short_name[PEER_NAME_MOST + 2];

		if (pid > newest && peer_name(pid, short_name) && strcmp(short_name, name) == 0)
			newest = pid;
	}
	if (handle)
		closedir(handle);
	return newest;
}

static enum snap_status fail_unknown(const char *who, struct snap_error *err)
{
	uint64_t pid = process_named(who);

	if (!pid)
		return fail(err, SNAP_ENOTFOUND, "%s: neither a process id nor a directory", who);
	return fail(err, SNAP_ENOTFOUND,
		    "%s: name a process by its id: the newest one of that name is %llu", who,
		    (unsigned long long)pid);
}

enum snap_status control_find(const char *who, uint64_t *pid, struct snap_error *err)
{
	char absolute[PATH_MAX], *end;
	struct stat info;

	errno = 0;
	*pid = strtoull(who, &end, 10);
	if (end != who && *end == '\0' && *who != '-') {
		if (*pid == 0 || *pid > INT32_MAX || errno != 0)
			return fail(err, SNAP_EUSAGE, "%s is not a process id", who);
		if (is_snapdiff(*pid))
			*pid = recorded_child(*pid);
		return SNAP_OK;
	}
	if (stat(who, &info) != 0)
		return fail_unknown(who, err);
	if (!S_ISDIR(info.st_mode))
		return fail(err, SNAP_EUSAGE, "%s: neither a process id nor a directory", who);
	if (!realpath(who, absolute))
		return fail(err, SNAP_ESYSTEM, "%s: %s", who, strerror(errno));
	return find_in_directory(absolute, pid, err);
}
