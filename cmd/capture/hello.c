/*
 * hello.c - read the lines of recorded processes, and find the snapshots that they left.
 *
 * The lines come from the programs that run, and whoever can write to the directory may add some.
 * So only printable bytes are kept for printing.
 */
#include "capture/hello.h"

#include <inttypes.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/utf8.h"
#include "capture/peer.h"
#include "format/board.h"
#include "image/image.h"

enum { HELLO_ROOM = 4096, MISSED_MAX = 10000, PROCESSES_MAX = 1000000, HELPER_WAIT_MS = 60000 };

/* ---- the file -------------------------------------------------------------------------------- */

/* For the board and some lines; false if the disk is full.  Pages of a file that have no place on the
   disk must not be mapped: without one there is no board. */
static bool make_room(struct hello *hello, int fd)
{
	const off_t board = sizeof(struct snap__board);
	int error;

	hello->has_board = fallocate(fd, 0, 0, board) == 0;
	if (hello->has_board)
		return fallocate(fd, FALLOC_FL_KEEP_SIZE, board, HELLO_ROOM) == 0 ||
		       errno != ENOSPC;
	error = errno;
	return ftruncate(fd, 0) == 0 && error != ENOSPC;
}

/* A file without lines in `dir`; false if none would fit on its disk. */
static bool create_in(struct hello *hello, const char *dir)
{
	mode_t mask = umask(0);
	struct stat info;
	bool has_room;
	int fd;

	umask(mask);
	snprintf(hello->path, sizeof(hello->path), "%s/.snapdiff.XXXXXX", dir);
	fd = mkostemp(hello->path, O_CLOEXEC);
	if (fd < 0) {
		hello->path[0] = '\0';
		return false;
	}
	/* A recorded process may change its user. */
	(void)fchmod(fd, 0666 & ~mask);
	/* Use the same clock and the same call that date the snapshots. */
	hello->since =
		fstatat(AT_FDCWD, hello->path, &info, 0) == 0 ? info.st_mtim : (struct timespec){0};
	has_room = make_room(hello, fd);
	hello->file = has_room ? fdopen(fd, "r+") : NULL;
	if (hello->file)
		return true;
	close(fd);
	unlink(hello->path);
	return false;
}

/*
 * The runtime only appends to a file that exists: a stale SNAP_HELLO must not create any.  With a
 * full disk, a process must still be able to report that.
 */
void hello_create(struct hello *hello, const char *dir)
{
	if (!create_in(hello, dir))
		(void)create_in(hello, P_tmpdir);
}

/* ---- lists ----------------------------------------------------------------------------------- */

void hello_make_printable(char *text)
{
	utf8_make_printable(text, "\t");
}

static struct hello_missed *find_missed(struct hello *hello, const char *program,
					const char *reason)
{
	for (size_t i = 0; i < hello->missed_count; i++)
		if (strcmp(hello->missed[i].program, program) == 0 &&
		    strcmp(hello->missed[i].reason, reason) == 0)
			return &hello->missed[i];
	return NULL;
}

/* False when the list is full, or memory is out. */
static bool add_missed(struct hello *hello, const char *program, const char *reason, size_t count)
{
	struct hello_missed entry = {strdup(program), strdup(reason), count};

	if (!entry.program || !entry.reason || hello->missed_count == MISSED_MAX ||
	    !array_reserve(&hello->missed, &hello->missed_room, hello->missed_count,
			   sizeof(entry))) {
		free(entry.program);
		free(entry.reason);
		return false;
	}
	hello->missed[hello->missed_count++] = entry;
	return true;
}

void hello_miss(struct hello *hello, const char *program, const char *reason, size_t count)
{
	struct hello_missed *entry = find_missed(hello, program, reason);

	if (entry)
		entry->count += count;
	else if (!add_missed(hello, program, reason, count))
		hello->missed_unlisted += count;
}

static void unmiss(struct hello *hello, const char *program, const char *reason)
{
	struct hello_missed *entry = find_missed(hello, program, reason);

	if (entry && entry->count > 0)
		entry->count--;
}

/* Processes with equal remainders of their pids are chained, the newest first. */
static size_t *bucket_of(struct hello *hello, uint64_t pid)
{
	return &hello->buckets[pid % HELLO_BUCKETS];
}

/* The newest process with that pid: pids are reused, and each pid namespace has its own. */
static struct hello_process *find_process(struct hello *hello, uint64_t pid)
{
	for (size_t i = *bucket_of(hello, pid); i > 0; i = hello->processes[i - 1].next)
		if (hello->processes[i - 1].pid == pid)
			return &hello->processes[i - 1];
	return NULL;
}

static void remember(struct hello *hello, uint64_t pid, const char *program)
{
	struct hello_process *before = find_process(hello, pid);
	struct hello_process process = {
		.pid = pid, .program = strdup(program), .next = *bucket_of(hello, pid)};

	if (before)
		before->replaced = true;
	if (!process.program || hello->process_count == PROCESSES_MAX ||
	    !array_reserve(&hello->processes, &hello->process_room, hello->process_count,
			   sizeof(process))) {
		free(process.program);
		hello->processes_unlisted++;
		return;
	}
	hello->processes[hello->process_count++] = process;
	*bucket_of(hello, pid) = hello->process_count;
}

void hello_free(struct hello *hello)
{
	for (size_t i = 0; i < hello->process_count; i++)
		free(hello->processes[i].program);
	for (size_t i = 0; i < hello->missed_count; i++) {
		free(hello->missed[i].program);
		free(hello->missed[i].reason);
	}
	free(hello->processes);
	free(hello->missed);
	if (hello->file)
		fclose(hello->file);
	memset(hello, 0, sizeof(*hello));
}

/* ---- lines ----------------------------------------------------------------------------------- */

static const char *reason_of_word(const char *word)
{
	for (unsigned i = 0; i < SNAP__IMAGE_COUNT; i++)
		if (strcmp(snap__image_word(i), word) == 0)
			return snap__image_reason(i);
	if (strcmp(word, "clean-environment") == 0)
		return "started in an environment without LD_PRELOAD";
	return word;
}

/* "PID PROGRAM unseen BYTES LIVE_BYTES": keep the worst. */
static void hear_unseen(struct hello *hello, const char *program, const char *figures)
{
	struct hello_unseen unseen = {.processes = hello->unseen.processes + 1};
	char *end;

	unseen.bytes = strtoull(figures, &end, 10);
	if (*end != ' ')
		return;
	unseen.live_bytes = strtoull(end, &end, 10);
	if (*end != '\0')
		return;
	snprintf(unseen.program, sizeof(unseen.program), "%s", program);
	if (unseen.bytes > hello->unseen.bytes)
		hello->unseen = unseen;
	hello->unseen.processes = unseen.processes;
}

/* "PID PROGRAM python-lines VERSION", then " PROBLEM" if lines are not recorded. */
static void hear_python(struct hello_python *python, const char *text)
{
	size_t size = strcspn(text, " ");

	if (text[size] == '\0') {
		python->recorded++;
		return;
	}
	snprintf(python->version, sizeof(python->version), "%.*s", (int)size, text);
	snprintf(python->problem, sizeof(python->problem), "%s", text + size + 1);
}

static void hear(struct hello *hello, uint64_t pid, const char *program, const char *verb,
		 const char *rest)
{
	struct hello_process *process = find_process(hello, pid);

	if (strcmp(verb, "ok") == 0) {
		remember(hello, pid, program);
	} else if (strcmp(verb, "error") == 0) {
		snprintf(hello->complaint, sizeof(hello->complaint), "%s", rest);
		hello_miss(hello, program, rest, 1);
		if (process)
			process->complained = true;
	} else if (strcmp(verb, "unseen") == 0) {
		hear_unseen(hello, program, rest);
	} else if (strcmp(verb, "nothing") == 0) {
		if (process)
			process->has_nothing = true;
	} else if (strcmp(verb, "merged") == 0) {
		hello->merged += strtoull(rest, NULL, 10);
	} else if (strcmp(verb, "unwritten") == 0) {
		hello_miss(hello, program,
			   "forked under a filter of system calls: recorded, but not written",
			   strtoul(rest, NULL, 10));
	} else if (strcmp(verb, "python-lines") == 0) {
		hear_python(&hello->python, rest);
	} else if (strcmp(verb, "skip") == 0) {
		hello_miss(hello, program, reason_of_word(rest), 1);
		if (process)
			process->replaced = true;
	} else if (strcmp(verb, "back") == 0) {
		unmiss(hello, program, reason_of_word(rest));
		if (process)
			process->replaced = false;
	}
}

/* "PID PROGRAM VERB ...", where the program's name may have blanks in it. */
static void read_line(struct hello *hello, char *line)
{
	static const char *const verbs[] = {"ok",   "error",        "unseen", "unwritten", "skip",
					    "back", "python-lines", "merged", "nothing"};
	char *program, *at;
	uint64_t pid = strtoull(line, &program, 10);

	if (program == line || *program != ' ')
		return;
	program++;
	for (at = strchr(program, ' '); at; at = strchr(at + 1, ' '))
		for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
			size_t size = strlen(verbs[i]);

			if (strncmp(at + 1, verbs[i], size) != 0 ||
			    (at[1 + size] != ' ' && at[1 + size] != '\0'))
				continue;
			*at = '\0';
			hear(hello, pid, program, verbs[i],
			     at[1 + size] ? at + 2 + size : at + 1 + size);
			return;
		}
}

static void read_lines(struct hello *hello, FILE *file)
{
	char line[1024];

	clearerr(file);
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		hello_make_printable(line);
		read_line(hello, line);
	}
}

/* The lines of processes that could not append to the file. */
static void read_board(struct hello *hello, FILE *file)
{
	struct snap__board *board = malloc(sizeof(*board));

	if (board && fseek(file, 0, SEEK_SET) == 0 && fread(board, sizeof(*board), 1, file) == 1) {
		for (size_t i = 0; i < SNAP__BOARD_PLACES && i < board->taken; i++) {
			char *line = board->places[i].line;

			line[SNAP__BOARD_TEXT - 1] = '\0';
			line[strcspn(line, "\n")] = '\0';
			hello_make_printable(line);
			if (board->places[i].is_whole)
				read_line(hello, line);
		}
		if (board->taken > SNAP__BOARD_PLACES)
			hello->lines_lost = board->taken - SNAP__BOARD_PLACES;
	}
	free(board);
}

/* ---- last snapshots -------------------------------------------------------------------------- */

/* Does libsnap's helper in process `pid` live?  It holds a lock on the byte with that number. */
static bool has_helper(int fd, uint64_t pid)
{
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)pid, .l_len = 1};

	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

static bool has_ended(uint64_t pid)
{
	char path[64], state = 'Z';
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%llu/stat", (unsigned long long)pid);
	file = fopen(path, "re");
	if (!file)
		return true;
	if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = 'R';
	fclose(file);
	return state == 'Z' || state == 'X';
}

bool hello_has_ended(const struct hello *hello, uint64_t pid)
{
	size_t at = hello->buckets[pid % HELLO_BUCKETS];

	while (at > 0 && hello->processes[at - 1].pid != pid)
		at = hello->processes[at - 1].next;
	return at > 0 && has_ended(pid);
}

/* The helpers of processes that have ended may still write: wait for them, but not for ever. */
static void wait_for_helpers(const struct hello *hello, int fd)
{
	const struct timespec pause = {.tv_nsec = 2000000};
	int left = HELPER_WAIT_MS / 2;

	for (size_t i = 0; i < hello->process_count; i++) {
		uint64_t pid = hello->processes[i].pid;

		while (left > 0 && has_helper(fd, pid) && has_ended(pid)) {
			nanosleep(&pause, NULL);
			left--;
		}
	}
}

/* Was it removed, or its directory, or one of them renamed? */
static bool is_lost(const struct hello *hello)
{
	struct stat ours, there;

	return fstat(fileno(hello->file), &ours) == 0 &&
	       (stat(hello->path, &there) != 0 || there.st_ino != ours.st_ino ||
		there.st_dev != ours.st_dev);
}

void hello_collect(struct hello *hello)
{
	FILE *file = hello->file;

	if (!file)
		return;
	hello->was_lost = is_lost(hello);
	if (hello->has_board)
		(void)fseek(file, sizeof(struct snap__board), SEEK_SET);
	read_lines(hello, file);
	wait_for_helpers(hello, fileno(file));
	read_lines(hello, file);
	if (hello->has_board)
		read_board(hello, file);
	fclose(file);
	hello->file = NULL;
	if (!hello->was_lost)
		unlink(hello->path);
}

/* ---- snapshots ------------------------------------------------------------------------------- */

/* The pid in "program.PID.SEQ.snap" and "program.PID_RUN.SEQ.snap", or 0. */
static uint64_t pid_of_name(const char *name)
{
	size_t size = strlen(name), dots = 0;

	for (size_t i = size; i > 0; i--) {
		if (name[i - 1] != '.' || ++dots < 3)
			continue;
		return strtoull(name + i, NULL, 10);
	}
	return 0;
}

/* The number in "program.PID.SEQ.snap"; 0 of a name that does not end so. */
static uint64_t number_of_name(const char *name)
{
	const char *dot = NULL, *before = NULL;

	for (const char *at = name; *at; at++)
		if (*at == '.') {
			before = dot;
			dot = at;
		}
	return before ? strtoull(before + 1, NULL, 10) : 0;
}

static bool is_by(const char *name, const char *program)
{
	size_t size = strlen(program);

	return strncmp(name, program, size) == 0 && name[size] == '.';
}

/* One process may have been several programs, one after the other: all that have that pid and that
   name wrote the snapshot, as far as we can tell.  False if none has that pid. */
static bool credit_writer(struct hello *hello, const char *name)
{
	uint64_t pid = pid_of_name(name);
	bool found = false, is_known = false;

	for (size_t i = *bucket_of(hello, pid); i > 0; i = hello->processes[i - 1].next) {
		struct hello_process *process = &hello->processes[i - 1];

		if (process->pid != pid)
			continue;
		found = true;
		if (is_by(name, process->program))
			process->wrote = is_known = true;
	}
	/* It became a program that could not tell us: it had another user by then. */
	for (size_t i = *bucket_of(hello, pid); i > 0 && found && !is_known;
	     i = hello->processes[i - 1].next)
		if (hello->processes[i - 1].pid == pid)
			hello->processes[i - 1].replaced = true;
	return found;
}

static bool is_later(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

void hello_count_snapshots(struct hello *hello, const char *dir)
{
	struct timespec newest = {0};
	const struct dirent *entry;
	DIR *handle = opendir(dir);

	if (!handle)
		return;
	while ((entry = readdir(handle))) {
		size_t size = strlen(entry->d_name);
		struct stat info;

		if (size < 6 || strcmp(entry->d_name + size - 5, ".snap") != 0 ||
		    fstatat(dirfd(handle), entry->d_name, &info, 0) != 0 ||
		    is_later(&hello->since, &info.st_mtim) || !credit_writer(hello, entry->d_name))
			continue;
		hello->snapshots++;
		hello->has_series = hello->has_series || number_of_name(entry->d_name) >= 3;
		if (is_later(&newest, &info.st_mtim))
			continue;
		newest = info.st_mtim;
		hello->newest_time = newest;
		snprintf(hello->newest, sizeof(hello->newest), "%s", entry->d_name);
	}
	closedir(handle);
}

/* The kernel's short name is that of a script, and some programs change it. */
static bool has_short_name(const struct hello_process *process)
{
	char name[PEER_NAME_MOST + 2];

	return peer_name(process->pid, name) &&
	       strncmp(name, process->program, PEER_NAME_MOST) == 0;
}

/* The file's name, after which the kernel says if the file was deleted. */
static bool has_name_of_file(const struct hello_process *process)
{
	char path[64], file[PATH_MAX + 16];
	const char *name;
	ssize_t size;
	size_t common = strlen(process->program);

	snprintf(path, sizeof(path), "/proc/%" PRIu64 "/exe", process->pid);
	size = readlink(path, file, sizeof(file) - 1);
	if (size <= 0)
		return false;
	file[size] = '\0';
	name = strrchr(file, '/');
	name = name ? name + 1 : file;
	return strncmp(name, process->program, common) == 0 &&
	       (name[common] == '\0' || strcmp(name + common, " (deleted)") == 0);
}

/* Its pid may be another process's by now, or one of another namespace: a name must be the same. */
static bool runs(const struct hello_process *process)
{
	return (has_short_name(process) || has_name_of_file(process)) && !has_ended(process->pid);
}

const struct hello_process *hello_running(const struct hello *hello, size_t *count)
{
	const struct hello_process *newest = NULL;

	*count = 0;
	for (size_t i = 0; i < hello->process_count; i++) {
		if (hello->processes[i].replaced || !runs(&hello->processes[i]))
			continue;
		newest = &hello->processes[i];
		++*count;
	}
	return newest;
}

/* No snapshot, and no reason either. */
static bool is_silent(const struct hello_process *process)
{
	return !process->wrote && !process->replaced && !process->complained &&
	       !process->has_nothing;
}

void hello_miss_silent(struct hello *hello)
{
	for (size_t i = 0; i < hello->process_count; i++)
		if (is_silent(&hello->processes[i]) && !runs(&hello->processes[i]))
			hello_miss(hello, hello->processes[i].program,
				   "recorded, but left no snapshot", 1);
}
