/*
 * peer.c - names, namespaces and credentials of recorded processes.
 */
#include "capture/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_ROOM = 64 };

static FILE *open_proc(uint64_t pid, const char *name)
{
	char path[PATH_ROOM];

	snprintf(path, sizeof(path), "/proc/%llu/%s", (unsigned long long)pid, name);
	return fopen(path, "re");
}

/* The inode of a namespace of the process `who` ("self" or a pid); 0: not known. */
static uint64_t namespace_of(const char *who, const char *kind)
{
	char path[PATH_ROOM];
	struct stat info;

	snprintf(path, sizeof(path), "/proc/%.20s/ns/%s", who, kind);
	return stat(path, &info) == 0 ? info.st_ino : 0;
}

/* The line that begins with `key` in the status of a process; false if there is none. */
static bool status_line(uint64_t pid, const char *key, char *line, size_t size)
{
	FILE *file = open_proc(pid, "status");
	bool found = false;

	while (file && !found && fgets(line, (int)size, file))
		found = strncmp(line, key, strlen(key)) == 0;
	if (file)
		fclose(file);
	return found;
}

void peer_look_up(struct peer *peer, uint64_t pid)
{
	char line[512], who[24], *last;

	*peer = (struct peer){.pid = pid, .inner_pid = pid};
	snprintf(who, sizeof(who), "%llu", (unsigned long long)pid);
	peer->namespace = namespace_of(who, "pid");
	/* "NSpid: 4711 12 1": ours first, the process's own last. */
	if (!status_line(pid, "NSpid:", line, sizeof(line)))
		return;
	last = strrchr(line, '\t');
	if (last && strtoull(last + 1, NULL, 10) > 0)
		peer->inner_pid = strtoull(last + 1, NULL, 10);
}

uint64_t peer_parent(uint64_t pid)
{
	char line[128];

	return status_line(pid, "PPid:", line, sizeof(line)) ? strtoull(line + 5, NULL, 10) : 0;
}

bool peer_name(uint64_t pid, char name[static PEER_NAME_MOST + 2])
{
	char path[PATH_ROOM];
	FILE *file;

	name[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%llu/comm", (unsigned long long)pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(name, PEER_NAME_MOST + 2, file))
		name[0] = '\0';
	fclose(file);
	name[strcspn(name, "\n")] = '\0';
	return name[0] != '\0';
}

bool peer_shares_memory(uint64_t pid)
{
	uint64_t parent = peer_parent(pid);

	return parent && syscall(SYS_kcmp, (pid_t)pid, (pid_t)parent, KCMP_VM, 0, 0) == 0;
}

/* The effective user of the process; false: not known. */
static bool user_of(uint64_t pid, uid_t *user)
{
	unsigned real, effective;
	char line[128];

	if (!status_line(pid, "Uid:", line, sizeof(line)) ||
	    sscanf(line + 4, "%u %u", &real, &effective) != 2)
		return false;
	*user = effective;
	return true;
}

/* ---- sockets of other network namespaces ----------------------------------------------------- */

static bool enter(uint64_t pid, const char *kind)
{
	char path[PATH_ROOM];
	int fd;
	bool entered;

	snprintf(path, sizeof(path), "/proc/%llu/ns/%s", (unsigned long long)pid, kind);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	entered = fd >= 0 && setns(fd, 0) == 0;
	if (fd >= 0)
		close(fd);
	return entered;
}

static bool send_descriptor(int to, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {0}, byte = 0;
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return sendmsg(to, &message, MSG_NOSIGNAL) == 1;
}

static int receive_descriptor(int from)
{
	char control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	const struct cmsghdr *header;
	int fd = -1;

	if (recvmsg(from, &message, MSG_CMSG_CLOEXEC) != 1)
		return -1;
	header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

/* Make the socket in a child process and pass it back, because this process may be unable to return
   to its own namespace. */
static void make_socket_there(uint64_t pid, int to)
{
	int fd = -1;

	if (enter(pid, "net") || (enter(pid, "user") && enter(pid, "net")))
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	_exit(fd >= 0 && send_descriptor(to, fd) ? 0 : 1);
}

static int socket_elsewhere(uint64_t pid)
{
	int pair[2], fd;
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return -1;
	child = fork();
	if (child == 0)
		make_socket_there(pid, pair[1]);
	close(pair[1]);
	fd = child > 0 ? receive_descriptor(pair[0]) : -1;
	close(pair[0]);
	if (child > 0)
		waitpid(child, NULL, 0);
	if (fd < 0)
		errno = EACCES;
	return fd;
}

int peer_socket(const struct peer *peer)
{
	char who[24];
	uint64_t theirs;

	snprintf(who, sizeof(who), "%llu", (unsigned long long)peer->pid);
	theirs = namespace_of(who, "net");
	if (theirs && theirs != namespace_of("self", "net"))
		return socket_elsewhere(peer->pid);
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

/* ---- credentials ----------------------------------------------------------------------------- */

/*
 * The kernel says which process listens.  It must be the process itself or a child of it, such as
 * its helper, and have the same user: a child that has given up its rights must not answer for its
 * parent.
 */
static bool is_genuine(const struct peer *peer, int fd)
{
	struct ucred listener;
	socklen_t size = sizeof(listener);
	uid_t user;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &listener, &size) != 0 || listener.pid <= 0)
		return false;
	if ((uint64_t)listener.pid != peer->pid && peer_parent((uint64_t)listener.pid) != peer->pid)
		return false;
	return listener.uid == 0 || (user_of(peer->pid, &user) && listener.uid == user);
}

bool peer_connect(const struct peer *peer, int fd, const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t size = strlen(name);

	if (size >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return false;
	}
	memcpy(address.sun_path + 1, name, size); /* an abstract name: the first byte stays NUL */
	/* The owner of the name may accept no connection: do not wait for it. */
	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (connect(fd, (struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + size)) != 0)
		return false;
	fcntl(fd, F_SETFL, 0);
	if (is_genuine(peer, fd))
		return true;
	errno = EPERM;
	return false;
}
