/*
 * wire.c - buffered bytes over a socket.
 */
#include "symbols/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void wire_init(struct wire *wire, int fd)
{
	wire->fd = fd;
	wire->read_at = wire->read_end = wire->written = 0;
}

/** Without SIGPIPE: that would end the command. */
static bool send_all(int fd, const unsigned char *data, size_t size)
{
	while (size) {
		ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		data += sent;
		size -= (size_t)sent;
	}
	return true;
}

bool wire_flush(struct wire *wire)
{
	size_t size = wire->written;

	wire->written = 0;
	return send_all(wire->fd, wire->out, size);
}

bool wire_put(struct wire *wire, const void *data, size_t size)
{
	if (size > sizeof(wire->out) - wire->written && !wire_flush(wire))
		return false;
	if (size > sizeof(wire->out))
		return send_all(wire->fd, data, size);
	if (size)
		memcpy(wire->out + wire->written, data, size);
	wire->written += size;
	return true;
}

static bool fill(struct wire *wire)
{
	ssize_t got;

	do
		got = recv(wire->fd, wire->in, sizeof(wire->in), 0);
	while (got < 0 && errno == EINTR);
	wire->read_at = 0;
	wire->read_end = got > 0 ? (size_t)got : 0;
	return got > 0;
}

bool wire_get(struct wire *wire, void *data, size_t size)
{
	unsigned char *to = data;

	while (size) {
		size_t part = wire->read_end - wire->read_at;

		if (part > size)
			part = size;
		if (part)
			memcpy(to, wire->in + wire->read_at, part);
		wire->read_at += part;
		to += part;
		size -= part;
		if (size && !fill(wire))
			return false;
	}
	return true;
}
