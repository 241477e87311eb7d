/*
 * capture/doorbell.h - make a recorded process start the helper that answers its control socket.
 */
#ifndef CAPTURE_DOORBELL_H
#define CAPTURE_DOORBELL_H

#include <stdbool.h>
#include <stdint.h>

/**
 * Send the signal to process `pid`, if libsnap is in it and handles the signal.  `secret` becomes
 * part of the socket's name if the other names are taken.  False: it does not.
 */
bool doorbell_ring(uint64_t pid, uint64_t secret);

/** Does process `pid` handle the signal?  Not any more when it has ended. */
bool doorbell_is_hung(uint64_t pid);

/** Call `fn` with every process that was started to record into `dir` (absolute). */
void doorbell_each(const char *dir, void (*fn)(uint64_t pid, void *user), void *user);

#endif
