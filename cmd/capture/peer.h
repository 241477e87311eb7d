/*
 * capture/peer.h - which socket belongs to a process, and whether it really does.
 *
 * Anybody can take a name in the abstract namespace.  A process in another pid namespace has
 * another pid there, and one in another network namespace has other names.
 */
#ifndef CAPTURE_PEER_H
#define CAPTURE_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct peer {
	uint64_t pid;       /* as we see it */
	uint64_t inner_pid; /* as the process sees itself */
	uint64_t namespace; /* inode of its pid namespace; 0: not known */
};

/** Look the process up in /proc; without /proc it is taken to be in our namespaces. */
void peer_look_up(struct peer *peer, uint64_t pid);

/** The parent of process `pid`; 0: not known. */
uint64_t peer_parent(uint64_t pid);

enum { PEER_NAME_MOST = 15 }; /* the kernel keeps that much of a name */

/** The kernel's short name of process `pid`, without the line's end; false: not known, and `name` is
 * empty. */
bool peer_name(uint64_t pid, char name[static PEER_NAME_MOST + 2]);

/** Does process `pid` use its parent's memory, as a child of vfork() and a helper do?  Such a process
 *  answers nothing: its parent does.  False if the kernel does not say. */
bool peer_shares_memory(uint64_t pid);

/** A unix socket in the network namespace of the process; -1 (errno) if none can be made. */
int peer_socket(const struct peer *peer);

/** Connect `fd` to the abstract name `name`, if the process or its helper listens there.  Never
 * waits.  False (errno): nobody listens there, or (EPERM) another process does, or (EAGAIN) too
 * many clients wait there. */
bool peer_connect(const struct peer *peer, int fd, const char *name);

#endif
