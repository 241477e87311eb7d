/*
 * leaky_server.c - a small key-value server, with one example of each way in which a heap can
 * behave.
 *
 *   leaky_server [REQUESTS [SNAPSHOT_EVERY]]
 *
 * It serves a client of its own over a socket pair, and takes a snapshot every so many
 * requests.  What a report on it should say:
 *   session_remember  leaks one block of 96 bytes in every tenth request
 *   log_append        one buffer that is reallocated for ever: container growth
 *   cache_put         fills up to 512 entries, then replaces: a warm-up
 *   reply_render      allocated and freed within the request: stable
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <snap/snap.h>

enum { CACHE_ENTRIES = 512, LINE = 64 };

struct session {
	struct session *next;
	char peer[88];
};

struct server {
	struct session *sessions; /* every session ever seen: the leak */
	char *cache[CACHE_ENTRIES];
	char *log;
	size_t log_size, log_capacity;
};

static void session_remember(struct server *server, const char *line)
{
	struct session *session = malloc(sizeof(*session));

	if (!session)
		abort();
	snprintf(session->peer, sizeof(session->peer), "%s", line);
	session->next = server->sessions;
	server->sessions = session;
}

static void cache_put(struct server *server, unsigned key, const char *line)
{
	char *value = strdup(line);

	if (!value)
		abort();
	free(server->cache[key % CACHE_ENTRIES]);
	server->cache[key % CACHE_ENTRIES] = value;
}

static void log_append(struct server *server, const char *line)
{
	size_t size = strlen(line);

	if (server->log_size + size > server->log_capacity) {
		server->log_capacity += 16384;
		server->log = realloc(server->log, server->log_capacity);
		if (!server->log)
			abort();
	}
	memcpy(server->log + server->log_size, line, size);
	server->log_size += size;
}

static char *reply_render(const char *line)
{
	char *reply = malloc(LINE * 2);

	if (!reply)
		abort();
	snprintf(reply, (size_t)LINE * 2, "stored: %s\n", line);
	return reply;
}

static void handle(struct server *server, unsigned number, const char *line, int out)
{
	char *reply = reply_render(line);

	if (number % 10 == 0)
		session_remember(server, line);
	cache_put(server, number * 7, line);
	log_append(server, line);
	if (write(out, reply, strlen(reply)) < 0)
		abort();
	free(reply);
}

struct client {
	int fd;
	unsigned requests;
};

static void *client_main(void *argument)
{
	const struct client *client = argument;
	char line[LINE], reply[LINE * 2];

	for (unsigned i = 1; i <= client->requests; i++) {
		memset(line, 0, sizeof(line));
		snprintf(line, sizeof(line), "put key%u value%u", i % 1000, i);
		if (write(client->fd, line, sizeof(line)) != sizeof(line) ||
		    read(client->fd, reply, sizeof(reply)) <= 0)
			abort();
	}
	shutdown(client->fd, SHUT_WR);
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned requests = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 10000;
	unsigned every = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1000;
	struct server *server = calloc(1, sizeof(*server));
	struct client client = {.requests = requests};
	pthread_t thread;
	char line[LINE];
	int fds[2];

	if (!server || socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
		return 1;
	client.fd = fds[1];
	if (pthread_create(&thread, NULL, client_main, &client) != 0)
		return 1;
	for (unsigned i = 1; read(fds[0], line, sizeof(line)) == sizeof(line); i++) {
		handle(server, i, line, fds[0]);
		if (every && i % every == 0)
			snap_take(i == every ? "baseline" : NULL);
	}
	pthread_join(thread, NULL);
	printf("served %u requests\n", requests);
	fflush(stdout);
	return 0;
}
