/*
 * base/fill.h - read a file piece by piece as if it came in one.
 */
#ifndef BASE_FILL_H
#define BASE_FILL_H

#include <stddef.h>
#include <sys/types.h>

/**
 * Read until `room` bytes are there, or the file ends.  Returns how many there are, or -1 with
 * errno: what an interrupted or short read leaves is read by another one.
 */
ssize_t fill(int fd, char *into, size_t room);

#endif
