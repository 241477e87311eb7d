/*
 * runtime/hello.c - lines for `snapdiff run`.
 */
#include "runtime/hello.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/board.h"
#include "runtime/filter.h"
#include "runtime/process.h"
#include "runtime/message.h"
#include "runtime/os_linux.h"
#include "runtime/text.h"
#include "write/sys.h"

bool snap__hello_is_wanted(void)
{
	return snap__process_config()->hello[0] != '\0';
}

/* "PID PROGRAM", as every line for `snapdiff run` begins. */
static void hello_begin(struct snap__text *line)
{
	snap__text_add_u64(line, (uint64_t)snap__process_self()->pid);
	snap__text_add(line, " ");
	snap__text_add(line, snap__process_self()->program);
}

/* The file of `snapdiff run`, or -1.  Another file at this path is not touched. */
static int open_hello(int flags, struct stat *info)
{
	const char *path = snap__process_config()->hello;
	int fd = -1;

	if (snap__hello_is_wanted())
		fd = snap__sys_open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd >= 0 && (syscall(SYS_fstat, fd, info) != 0 || !S_ISREG(info->st_mode))) {
		snap__sys_close(fd);
		fd = -1;
	}
	return fd;
}

/* ---- the board ------------------------------------------------------------------------------- */

static struct snap__board *board; /* NULL: there is none */

/* Once per program, while the file can be opened; a forked child has its parent's. */
static void find_board(int fd, const struct stat *info)
{
	void *map = MAP_FAILED;

	if (!board && info->st_size >= (off_t)sizeof(*board))
		map = snap__os_mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
				    0);
	if (map != MAP_FAILED)
		board = map;
}

static void put_on_board(const struct snap__text *line)
{
	uint32_t place = board ? atomic_fetch_add(&board->taken, 1) : SNAP__BOARD_PLACES;
	struct snap__text out;

	if (place >= SNAP__BOARD_PLACES)
		return;
	out = SNAP__TEXT(board->places[place].line);
	snap__text_add(&out, line->data);
	atomic_store(&board->places[place].is_whole, 1);
}

/* Append the line at once, where `snapdiff run` reads it. */
static bool append(struct snap__text *line)
{
	struct snap__quiet quiet;
	struct stat info;
	int fd = open_hello((board ? O_WRONLY : O_RDWR) | O_APPEND, &info), ignored;
	bool done;

	if (fd < 0)
		return false;
	find_board(fd, &info);
	snap__text_add(line, "\n");
	snap__quiet_begin(&quiet);
	done = snap__os_write_all(fd, line->data, line->size, &ignored);
	snap__quiet_end(&quiet);
	snap__sys_close(fd);
	return done;
}

static void hello_send(struct snap__text *line)
{
	int saved = errno;

	if (snap__filter_ends_us() || !append(line))
		put_on_board(line);
	errno = saved;
}

int snap__hello_hold(void)
{
	struct flock lock = {.l_type = F_RDLCK,
			     .l_whence = SEEK_SET,
			     .l_start = snap__process_self()->pid,
			     .l_len = 1};
	struct stat info;
	int fd = open_hello(O_RDONLY, &info);

	if (fd >= 0)
		(void)syscall(SYS_fcntl, fd, F_OFD_SETLK, &lock);
	return fd;
}

/* A line that has only a verb. */
static void hello_say(const char *verb)
{
	char buffer[sizeof(((struct snap__process *)0)->program) + 64];
	struct snap__text line = SNAP__TEXT(buffer);

	hello_begin(&line);
	snap__text_add(&line, verb);
	hello_send(&line);
}

void snap__hello_started(void)
{
	hello_say(" ok");
}

void snap__hello_nothing(void)
{
	hello_say(" nothing");
}

/* Tell it why recording could not start. */
void snap__hello_refused(const char *problem, const char *detail, int error)
{
	char buffer[SNAP__PATH_MAX / 2];
	struct snap__text line = SNAP__TEXT(buffer);

	hello_begin(&line);
	snap__text_add(&line, " error ");
	snap__text_add(&line, problem);
	snap__text_add(&line, detail ? " " : "");
	snap__text_add(&line, detail ? detail : "");
	if (error && snap__error_text(error)) {
		snap__text_add(&line, ": ");
		snap__text_add(&line, snap__error_text(error));
	}
	hello_send(&line);
}

/* The file that "/proc/self/exe" leads to; `path` itself if it is another name. */
static const char *behind_link(const char *path, char *target, size_t room)
{
	int saved = errno;
	ssize_t size = -1;

	if (strncmp(path, "/proc/", 6) == 0)
		size = snap__sys_readlink(path, target, room - 1);
	errno = saved;
	if (size <= 0)
		return path;
	target[size] = '\0';
	return target;
}

void snap__hello_skips(int pid, const char *word, const char *path, bool back)
{
	char buffer[256 + 64], target[256];
	struct snap__text line = SNAP__TEXT(buffer);
	const char *slash;
	size_t name;

	path = behind_link(path, target, sizeof(target));
	slash = path + snap__length(path);
	while (slash > path && slash[-1] != '/')
		slash--;
	snap__text_add_u64(&line, (uint64_t)pid);
	snap__text_add(&line, " ");
	name = line.size;
	snap__text_add(&line, *slash ? slash : "unnamed");
	for (char *c = line.data + name; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '_';
	snap__text_add(&line, back ? " back " : " skip ");
	snap__text_add(&line, word);
	hello_send(&line);
}

void snap__hello_unwritten(uint64_t processes)
{
	char buffer[sizeof(((struct snap__process *)0)->program) + 64];
	struct snap__text line = SNAP__TEXT(buffer);

	hello_begin(&line);
	snap__text_add(&line, " unwritten ");
	snap__text_add_u64(&line, processes);
	hello_send(&line);
}

/* Tell it, at the end, that most of the memory was not recorded. */
void snap__hello_merged(uint64_t snapshots)
{
	char buffer[sizeof(((struct snap__process *)0)->program) + 64];
	struct snap__text line = SNAP__TEXT(buffer);

	hello_begin(&line);
	snap__text_add(&line, " merged ");
	snap__text_add_u64(&line, snapshots);
	hello_send(&line);
}

void snap__hello_unseen(uint64_t bytes, uint64_t live_bytes)
{
	char buffer[sizeof(((struct snap__process *)0)->program) + 128];
	struct snap__text line = SNAP__TEXT(buffer);

	hello_begin(&line);
	snap__text_add(&line, " unseen ");
	snap__text_add_u64(&line, bytes);
	snap__text_add(&line, " ");
	snap__text_add_u64(&line, live_bytes);
	hello_send(&line);
}

/* Tell it which Python interpreter the process contains. */
void snap__hello_python(const char *version, const char *problem)
{
	char buffer[sizeof(((struct snap__process *)0)->program) + 256];
	struct snap__text line = SNAP__TEXT(buffer);

	hello_begin(&line);
	snap__text_add(&line, " python-lines ");
	snap__text_add(&line, version);
	snap__text_add(&line, problem ? " " : "");
	snap__text_add(&line, problem ? problem : "");
	hello_send(&line);
}
