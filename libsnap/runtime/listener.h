/*
 * runtime/listener.h - the control socket (control.h), as the helper serves it.
 *
 * Nothing here waits for a client, so that a slow client cannot delay a snapshot.
 */
#ifndef SNAP_RUNTIME_LISTENER_H
#define SNAP_RUNTIME_LISTENER_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/holders/holders.h"
#include "snap/status.h"

/** The next socket may use this number in its name (control.h) if its other names are taken.
 * Async-signal-safe, in any thread. */
void snap__listener_rename(uint64_t secret);

/** Open the socket, unless it is open or has failed before. */
void snap__listener_open(void);
void snap__listener_close(void);

/** What to wait for before snap__listener_serve(); returns how many are filled in. */
#define SNAP__LISTENER_FDS 1
size_t snap__listener_wants(struct pollfd fds[SNAP__LISTENER_FDS]);

/** Is a client connected that has not been answered yet? */
bool snap__listener_has_client(void);

/** Take a durable snapshot named `label`; `path` gets the file's name. */
typedef enum snap_status snap__take_fn(const char *label, enum snap__holders holders, char *path,
				       size_t size);

/** Accept a client, or read what it sends, if that is possible now; answer a whole line. */
void snap__listener_serve(snap__take_fn *take);

void snap__listener_after_fork(void);

#endif
