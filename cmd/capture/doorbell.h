/*
 * capture/doorbell.h - have a recorded process start the helper that answers its control socket.
 */
#ifndef CAPTURE_DOORBELL_H
#define CAPTURE_DOORBELL_H

#include <stdbool.h>
#include <stdint.h>

/** Ring at process `pid`, if libsnap is in it and listens for that.  False: it does not. */
bool doorbell_ring(uint64_t pid);

/** Ring at every process of ours that was started to record into `dir` (absolute).  How many. */
unsigned doorbell_ring_all(const char *dir);

#endif
