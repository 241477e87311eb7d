/*
 * fill.c - read a file piece by piece as if it came in one.
 */
#include "base/fill.h"

#include <errno.h>
#include <unistd.h>

ssize_t fill(int fd, char *into, size_t room)
{
	size_t size = 0;
	ssize_t got;

	while (size < room) {
		got = read(fd, into + size, room - size);
		if (got == 0)
			break;
		if (got > 0)
			size += (size_t)got;
		else if (errno != EINTR)
			return -1;
	}
	return (ssize_t)size;
}
