/*
 * runtime/listener.c - the control socket: one request per connection.
 */
#include "runtime/listener.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/arena.h"
#include "runtime/metrics.h"
#include "runtime/os_linux.h"
#include "runtime/process.h"
#include "runtime/record.h"
#include "runtime/sandbox.h"
#include "runtime/stacks.h"
#include "runtime/text.h"
#include "runtime/thread.h"
#include "runtime/snapshot.h"
#include "runtime/hidden.h"
#include "snap/control.h"
#include "write/sys.h"

#define CLIENT_TIMEOUT_NS 5000000000ull
#define ANSWER_TIMEOUT_S  1

static bool has_failed; /* no socket could be made: do not try again */

/* ---- names ----------------------------------------------------------------------------------- */

/* The inode of our pid namespace: "pid:[4026531836]"; 0: not known. */
static uint64_t own_namespace(void)
{
	char link[64];
	const char *number;
	int saved = errno;
	long size = syscall(SYS_readlinkat, AT_FDCWD, "/proc/self/ns/pid", link, sizeof(link) - 1);

	errno = saved;
	link[size > 0 ? size : 0] = '\0';
	number = strchr(link, '[');
	return number ? snap__parse_u64(number + 1, NULL) : 0;
}

enum name { PLAIN, OF_NAMESPACE, SECRET, NAMES };

/* Build the address with that kind of name.  Returns its size, or 0 if there is no such name. */
static socklen_t own_address(struct sockaddr_un *address, enum name kind, uint64_t secret)
{
	struct snap__text name;
	uint64_t namespace = kind == OF_NAMESPACE ? own_namespace() : 0;

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	name = snap__text_in(address->sun_path + 1, sizeof(address->sun_path) - 1);
	snap__text_add(&name, SNAP_CONTROL_NAME);
	snap__text_add_u64(&name, (uint64_t)snap__process_self()->pid);
	if (kind != PLAIN)
		snap__text_add(&name, ".");
	if (kind == OF_NAMESPACE)
		snap__text_add_u64(&name, namespace);
	if (kind == SECRET)
		snap__text_add_hex(&name, secret);
	if ((kind == OF_NAMESPACE && !namespace) || (kind == SECRET && !secret))
		return 0;
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + name.size);
}

/* The first name that is free; NAMES if none is, or another error comes. */
static enum name bind_name(int fd, uint64_t secret)
{
	struct sockaddr_un address;

	for (enum name kind = PLAIN; kind < NAMES; kind++) {
		socklen_t size = own_address(&address, kind, secret);

		if (size && bind(fd, (struct sockaddr *)&address, size) == 0)
			return kind;
		if (size && errno != EADDRINUSE)
			break;
	}
	return NAMES;
}

static int open_socket(uint64_t secret, enum name *kind)
{
	int fd;

	*kind = NAMES;
	if (!snap__sandbox_survives_socket())
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	*kind = bind_name(fd, secret);
	if (*kind == NAMES || listen(fd, 16) != 0) {
		snap__sys_close(fd);
		return -1;
	}
	return fd;
}

static bool is_allowed(int client)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	       (peer.uid == 0 || peer.uid == snap__sys_geteuid());
}

static void answer(int client, const char *first, const char *second)
{
	char buffer[SNAP__PATH_MAX / 2];
	struct snap__text text = SNAP__TEXT(buffer);
	int error;

	snap__text_add(&text, first);
	snap__text_add(&text, second);
	snap__text_add(&text, "\n");
	snap__os_write_all(client, text.data, text.size, &error);
}

static void answer_snap(int client, const char *label, enum snap__holders holders,
			snap__take_fn *take)
{
	static char path[SNAP__PATH_MAX] SNAP__PAGES;
	enum snap_status st =
		snap__recording() ? take(label, holders, path, sizeof(path)) : SNAP_ESTATE;

	switch (st) {
	case SNAP_OK:
		answer(client, SNAP_CONTROL_OK " ", path);
		break;
	case SNAP_ESTATE:
		answer(client, SNAP_CONTROL_ERROR " ", "the process is not recording any more");
		break;
	case SNAP_ENOMEM:
		answer(client, SNAP_CONTROL_ERROR " ", "the process is out of memory");
		break;
	default:
		answer(client, SNAP_CONTROL_ERROR " cannot write to ", snap__process_config()->out);
	}
}

static void add_text(struct snap__text *out, const char *key, const char *value)
{
	snap__text_add(out, key);
	snap__text_add(out, " ");
	snap__text_add(out, value);
	snap__text_add(out, "\n");
}

static void add_number(struct snap__text *out, const char *key, uint64_t value)
{
	char buffer[32];
	struct snap__text text = SNAP__TEXT(buffer);

	snap__text_add_u64(&text, value);
	add_text(out, key, buffer);
}

/* Blocks that live now: unlike bytes they have no counter of their own on the record path. */
static void count_block(void *user, uintptr_t address, const struct snap__block *block)
{
	(void)address;
	(void)block;
	++*(uint64_t *)user;
}

/* `part` in percent of `whole`, with one decimal. */
static void add_percent(struct snap__text *out, const char *key, uint64_t part, uint64_t whole)
{
	uint64_t tenths = whole ? (uint64_t)((double)part * 1000.0 / (double)whole + 0.5) : 0;
	char buffer[48];
	struct snap__text text = SNAP__TEXT(buffer);

	snap__text_add_u64(&text, tenths / 10);
	snap__text_add(&text, ".");
	snap__text_add_u64(&text, tenths % 10);
	add_text(out, key, buffer);
}

static void keep_rss(void *user, const char *key, uint64_t value)
{
	if (snap__equal(key, "rss"))
		*(uint64_t *)user = value;
}

/* CPU time and memory of recording, next to those of the whole process. */
static void add_costs(struct snap__text *out)
{
	uint64_t memory = snap__metrics_recorder_bytes(), rss = 0;
	uint64_t cpu_ns = snap__snapshot_cpu_ns();
	uint64_t process_cpu_ns =
		snap__os_process_cpu_ns(snap__process_self()->pid) + snap__snapshot_writing_ns();

	snap__metrics_each(NULL, keep_rss, &rss);
	add_number(out, "rss", rss);
	add_number(out, "recorder_memory", memory);
	add_percent(out, "recorder_memory_percent", memory, rss);
	add_number(out, "process_cpu_ns", process_cpu_ns);
	add_number(out, "recorder_cpu_ns", cpu_ns);
	add_percent(out, "recorder_cpu_percent", cpu_ns, process_cpu_ns);
}

static void add_losses(struct snap__text *out)
{
	add_number(out, "losses.reentrant", snap__threads_total(SNAP__COUNT_REENTRANT));
	add_number(out, "losses.stacks_truncated", snap__threads_total(SNAP__COUNT_TRUNCATED));
	add_number(out, "losses.unknown_frees", snap__threads_total(SNAP__COUNT_UNKNOWN_FREES));
	add_number(out, "losses.unseen_frees", snap__threads_total(SNAP__COUNT_UNSEEN_FREES));
	add_number(out, "losses.table_overflows", snap__threads_total(SNAP__COUNT_OVERFLOWS));
	add_number(out, "losses.snapshots_failed", snap__snapshot_failures());
}

static void answer_resident(int client)
{
	snap__snapshot_want_modules();
	answer(client, SNAP_CONTROL_OK, "");
}

static void answer_status(int client)
{
	static char buffer[SNAP__PATH_MAX * 2] SNAP__PAGES;
	struct snap__text out = SNAP__TEXT(buffer);
	const struct snap__process *who = snap__process_self();
	uint64_t allocated = snap__threads_total(SNAP__COUNT_ALLOCATED), blocks = 0;
	uint64_t up_ns = snap__process_age_ns();
	int error;

	snap__heapmap_walk(count_block, &blocks);
	add_text(&out, "dir", snap__process_config()->out);
	add_text(&out, "program", who->program);
	add_number(&out, "pid", (uint64_t)who->pid);
	add_number(&out, "seq", snap__snapshot_seq());
	add_number(&out, "uptime_ns", up_ns);
	add_number(&out, "live_bytes", snap__record_live_bytes());
	add_number(&out, "live_blocks", blocks);
	add_number(&out, "peak_bytes", snap__record_peak_bytes());
	add_number(&out, "allocated_bytes", snap__snapshot_allocated_bytes());
	add_number(&out, "allocated_blocks", allocated);
	add_number(&out, "freed_blocks", snap__threads_total(SNAP__COUNT_FREED));
	add_number(&out, "rate_per_second", up_ns ? allocated * 1000 / (up_ns / 1000000 + 1) : 0);
	add_text(&out, "allocator", snap__process_host()->allocator);
	add_number(&out, "sample_period", snap__sample_period());
	add_number(&out, "stacks", snap__stacks_count() - 1);
	add_costs(&out);
	add_losses(&out);
	snap__text_add(&out, "\n");
	snap__os_write_all(client, out.data, out.size, &error);
}

/* ---- one client at a time -------------------------------------------------------------------- */

static int listening = -1, client = -1;
static enum name own_name; /* of the socket that listens */
static _Atomic uint64_t wanted_secret;
static uint64_t tried_secret;
static uint64_t client_until_ns; /* a client that sends no line within this time is dropped */
static char line[SNAP_CONTROL_LINE_MAX] SNAP__PAGES;
static size_t line_size;

static void leave_client(void)
{
	snap__sys_close(client);
	client = -1;
}

static void welcome(void)
{
	struct timeval timeout = {.tv_sec = ANSWER_TIMEOUT_S};

	client = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
	if (client < 0)
		return;
	setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	client_until_ns = snap__os_mono_ns() + CLIENT_TIMEOUT_NS;
	line_size = 0;
	if (!is_allowed(client))
		leave_client();
}

/* `name`, perhaps followed by a blank and a label. */
static bool is_request(const char *name, const char **label)
{
	size_t size = snap__length(name);

	if (!snap__starts_with(line, name) || (line[size] && line[size] != ' '))
		return false;
	*label = line[size] ? line + size + 1 : "";
	return true;
}

static void answer_line(snap__take_fn *take)
{
	const char *label;

	if (is_request(SNAP_CONTROL_SNAP, &label))
		answer_snap(client, label, SNAP__HOLDERS_NONE, take);
	else if (is_request(SNAP_CONTROL_HOLDERS, &label))
		answer_snap(client, label, SNAP__HOLDERS_REACH, take);
	else if (is_request(SNAP_CONTROL_RETAINED, &label))
		answer_snap(client, label, SNAP__HOLDERS_RETAINED, take);
	else if (is_request(SNAP_CONTROL_CENSUS, &label))
		answer_snap(client, label, SNAP__CENSUS, take);
	else if (is_request(SNAP_CONTROL_CENSUS "-" SNAP_CONTROL_HOLDERS, &label))
		answer_snap(client, label, (enum snap__holders)(SNAP__CENSUS | SNAP__HOLDERS_REACH),
			    take);
	else if (is_request(SNAP_CONTROL_CENSUS "-" SNAP_CONTROL_RETAINED, &label))
		answer_snap(client, label,
			    (enum snap__holders)(SNAP__CENSUS | SNAP__HOLDERS_RETAINED), take);
	else if (snap__equal(line, SNAP_CONTROL_RESIDENT))
		answer_resident(client);
	else if (snap__equal(line, SNAP_CONTROL_STATUS))
		answer_status(client);
	else if (snap__equal(line, SNAP_CONTROL_DIR))
		answer(client, SNAP_CONTROL_OK " ", snap__process_config()->out);
	else if (snap__equal(line, SNAP_CONTROL_FLUSH)) /* all earlier requests are done by now */
		answer(client, SNAP_CONTROL_OK, "");
	else
		answer(client, SNAP_CONTROL_ERROR " ", "unknown request");
}

/* What the client has sent.  A whole line is answered. */
static void listen_to_client(snap__take_fn *take)
{
	ssize_t got = syscall(SYS_recvfrom, client, line + line_size, sizeof(line) - 1 - line_size,
			      MSG_DONTWAIT, NULL, NULL);
	char *newline;

	if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
		if (snap__os_mono_ns() > client_until_ns)
			leave_client();
		return;
	}
	newline = got > 0 ? memchr(line + line_size, '\n', (size_t)got) : NULL;
	if (got > 0)
		line_size += (size_t)got;
	if (newline) {
		*newline = '\0';
		answer_line(take);
	} else if (got > 0 && line_size + 1 < sizeof(line)) {
		return; /* the rest of the line has not come yet */
	}
	leave_client();
}

void snap__listener_rename(uint64_t secret)
{
	atomic_store(&wanted_secret, secret);
}

void snap__listener_open(void)
{
	uint64_t secret = atomic_load(&wanted_secret);

	/* A client that rings again does not know the earlier secret. */
	if (secret != tried_secret) {
		has_failed = false;
		if (listening >= 0 && own_name == SECRET) {
			snap__sys_close(listening);
			listening = -1;
		}
	}
	tried_secret = secret;
	if (listening < 0 && !has_failed) {
		listening = open_socket(secret, &own_name);
		has_failed = listening < 0;
	}
}

size_t snap__listener_wants(struct pollfd fds[SNAP__LISTENER_FDS])
{
	int fd = client >= 0 ? client : listening;

	fds[0] = (struct pollfd){.fd = fd, .events = POLLIN};
	return fd >= 0;
}

bool snap__listener_has_client(void)
{
	return client >= 0;
}

void snap__listener_serve(snap__take_fn *take)
{
	if (listening >= 0 && client < 0)
		welcome();
	if (client >= 0)
		listen_to_client(take);
}

void snap__listener_close(void)
{
	if (client >= 0)
		leave_client();
	if (listening >= 0)
		snap__sys_close(listening);
	snap__listener_after_fork();
}

void snap__listener_after_fork(void)
{
	listening = client = -1;
	has_failed = false;
}
