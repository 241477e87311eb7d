/*
 * launch.c - start a command with libsnap preloaded, wait for it, and see what was recorded.
 *
 * Recording is proved, not assumed: each process that libsnap starts in appends one line to a file
 * that we name (SNAP_HELLO), and the snapshots counted at the end are those of these processes.
 */
#include "capture/launch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- the output directory ---- */

/* Whether `path` is there; errno stays what it was. */
static bool exists(const char *path)
{
	int error = errno;
	bool found = access(path, F_OK) == 0;

	errno = error;
	return found;
}

static int make_directories(const char *dir)
{
	char path[PATH_MAX];
	size_t size = strlen(dir);

	if (size == 0 || size >= sizeof(path)) {
		errno = size ? ENAMETOOLONG : ENOENT;
		return -1;
	}
	memcpy(path, dir, size + 1);
	for (size_t i = 1; i <= size; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		path[i] = '\0';
		if (mkdir(path, 0777) != 0 && !exists(path))
			return -1;
		path[i] = dir[i];
	}
	return 0;
}

enum snap_status launch_prepare_directory(const char *dir, char **absolute, struct snap_error *err)
{
	char probe[PATH_MAX + 32];
	struct stat st;
	int fd;

	*absolute = NULL;
	if (make_directories(dir) != 0 || stat(dir, &st) != 0)
		return fail(err, SNAP_ESYSTEM, "%s: cannot create the output directory: %s", dir,
			    strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return fail(err, SNAP_ESYSTEM, "%s: not a directory", dir);
	*absolute = realpath(dir, NULL);
	if (!*absolute)
		return fail(err, SNAP_ESYSTEM, "%s: %s", dir, strerror(errno));
	snprintf(probe, sizeof(probe), "%s/.snapdiff.%ld", *absolute, (long)getpid());
	fd = open(probe, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0) {
		fail(err, SNAP_ESYSTEM, "%s: snapshots cannot be written there: %s", dir,
		     strerror(errno));
		free(*absolute);
		*absolute = NULL;
		return SNAP_ESYSTEM;
	}
	close(fd);
	unlink(probe);
	return SNAP_OK;
}

/* ---- what the recorded processes said ---- */

enum { HELLO_ROOM = 4096 };

struct hello {
	char path[PATH_MAX + 32];
	uint64_t *pids; /* processes in which recording started */
	size_t count;
};

static void hello_remember(struct hello *hello, uint64_t pid)
{
	uint64_t *grown = realloc(hello->pids, (hello->count + 1) * sizeof(*grown));

	if (!grown)
		return;
	hello->pids = grown;
	hello->pids[hello->count++] = pid;
}

/* An empty file in `dir`; false if no line would fit on its disk. */
static bool hello_create_in(struct hello *hello, const char *dir)
{
	bool has_room;
	int fd;

	snprintf(hello->path, sizeof(hello->path), "%s/.snapdiff.%ld", dir, (long)getpid());
	fd = open(hello->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (fd < 0)
		return false;
	has_room = fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, HELLO_ROOM) == 0 || errno != ENOSPC;
	close(fd);
	if (!has_room)
		unlink(hello->path);
	return has_room;
}

/*
 * The runtime only appends to a file that exists: a stale SNAP_HELLO must not create any.  With a
 * full disk it must still be able to say so.
 */
static void hello_create(struct hello *hello, const char *dir)
{
	if (!hello_create_in(hello, dir))
		(void)hello_create_in(hello, P_tmpdir);
}

/* "PID PROGRAM unseen BYTES LIVE_BYTES": keep the worst.  False if the line is another. */
static bool hello_unseen(struct launch_result *result, char *program)
{
	static const char word[] = " unseen ";
	char *at = strstr(program, word), *end;
	struct launch_unseen unseen = {.processes = result->unseen.processes + 1};

	if (!at)
		return false;
	unseen.bytes = strtoull(at + sizeof(word) - 1, &end, 10);
	if (*end != ' ')
		return false;
	unseen.live_bytes = strtoull(end, &end, 10);
	if (*end != '\0')
		return false;
	*at = '\0';
	snprintf(unseen.program, sizeof(unseen.program), "%s", program);
	if (unseen.bytes > result->unseen.bytes)
		result->unseen = unseen;
	result->unseen.processes = unseen.processes;
	return true;
}

/* Lines are "PID PROGRAM ok", "PID PROGRAM error SENTENCE" or those of hello_unseen(). */
static void hello_read(struct hello *hello, struct launch_result *result)
{
	char line[1024];
	FILE *file = fopen(hello->path, "re");

	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		char *end, *error = strstr(line, " error ");
		uint64_t pid = strtoull(line, &end, 10);

		line[strcspn(line, "\n")] = '\0';
		if (end == line || (*end == ' ' && hello_unseen(result, end + 1)))
			continue;
		if (error)
			snprintf(result->complaint, sizeof(result->complaint), "%s", error + 7);
		else
			hello_remember(hello, pid);
	}
	fclose(file);
	result->started = hello->count > 0;
}

/* The pid in "program.PID.SEQ.snap", or 0. */
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

static bool written_by(const struct hello *hello, uint64_t pid)
{
	for (size_t i = 0; i < hello->count; i++)
		if (hello->pids[i] == pid)
			return true;
	return false;
}

static bool is_later(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

static void count_snapshots(const char *dir, const struct hello *hello,
			    const struct timespec *since, struct launch_result *result)
{
	struct timespec newest = {0};
	const struct dirent *entry;
	DIR *handle = opendir(dir);

	if (!handle)
		return;
	while ((entry = readdir(handle))) {
		size_t size = strlen(entry->d_name);
		struct stat st;

		if (size < 6 || strcmp(entry->d_name + size - 5, ".snap") != 0 ||
		    !written_by(hello, pid_of_name(entry->d_name)) ||
		    fstatat(dirfd(handle), entry->d_name, &st, 0) != 0 ||
		    is_later(since, &st.st_mtim))
			continue;
		result->snapshots++;
		if (is_later(&newest, &st.st_mtim))
			continue;
		newest = st.st_mtim;
		snprintf(result->newest, sizeof(result->newest), "%s", entry->d_name);
	}
	closedir(handle);
}

/* ---- the command itself ---- */

static void set_environment(const struct launch *launch, const char *hello)
{
	const char *others = getenv("LD_PRELOAD");
	char preload[PATH_MAX * 2];

	if (!launch->dir)
		return;
	/* Ours comes first, so that it sees what an allocator preloaded behind it is asked for. */
	snprintf(preload, sizeof(preload), "%s%s%s", launch->library, others && *others ? ":" : "",
		 others ? others : "");
	setenv("LD_PRELOAD", preload, 1);
	setenv("SNAP_ACTIVE", "1", 1);
	setenv("SNAP_OUT", launch->dir, 1);
	setenv("SNAP_HELLO", hello, 1);
	for (size_t i = 0; i < launch->setting_count; i++)
		setenv(launch->settings[i].name, launch->settings[i].value, 1);
}

static void exec_child(const struct launch *launch, const char *hello, int report_fd)
{
	int error;

	if (launch->announce)
		dprintf(STDERR_FILENO, "snapdiff: recording %s as process %ld\n", launch->argv[0],
			(long)getpid());
	set_environment(launch, hello);
	/* execvp, so that a script without #! runs as it would from a shell. */
	execvp(launch->path, launch->argv);
	error = errno;
	if (write(report_fd, &error, sizeof(error)) != (ssize_t)sizeof(error))
		_exit(126);
	_exit(127);
}

static volatile sig_atomic_t passed_to;

static void pass_on(int signal_number)
{
	if (passed_to > 0)
		kill((pid_t)passed_to, signal_number);
}

/* The terminal sends SIGINT and SIGQUIT to the whole group: the command decides, we wait. */
struct signal_setup {
	struct sigaction interrupt, quit, terminate, hangup;
};

static void signals_while_waiting(struct signal_setup *before)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, pass = {.sa_handler = pass_on};

	pass.sa_flags = SA_RESTART;
	sigaction(SIGINT, &ignore, &before->interrupt);
	sigaction(SIGQUIT, &ignore, &before->quit);
	sigaction(SIGTERM, &pass, &before->terminate);
	sigaction(SIGHUP, &pass, &before->hangup);
}

static void signals_restore(const struct signal_setup *before)
{
	sigaction(SIGINT, &before->interrupt, NULL);
	sigaction(SIGQUIT, &before->quit, NULL);
	sigaction(SIGTERM, &before->terminate, NULL);
	sigaction(SIGHUP, &before->hangup, NULL);
}

/* Start the child and learn whether exec worked: the pipe closes by itself when it did. */
static enum snap_status start(const struct launch *launch, const char *hello,
			      const struct signal_setup *before, pid_t *child,
			      struct snap_error *err)
{
	int fds[2], error = 0;
	ssize_t size;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return fail(err, SNAP_ESYSTEM, "cannot start a command: %s", strerror(errno));
	*child = fork();
	if (*child == 0) {
		signals_restore(before);
		exec_child(launch, hello, fds[1]);
	}
	close(fds[1]);
	if (*child < 0) {
		close(fds[0]);
		return fail(err, SNAP_ESYSTEM, "cannot start a command: %s", strerror(errno));
	}
	passed_to = (sig_atomic_t)*child;
	do
		size = read(fds[0], &error, sizeof(error));
	while (size < 0 && errno == EINTR);
	close(fds[0]);
	if (size != (ssize_t)sizeof(error))
		return SNAP_OK;
	waitpid(*child, NULL, 0);
	return fail(err, error == ENOENT ? SNAP_ENOTFOUND : SNAP_EIO, "%s: cannot be executed: %s",
		    launch->argv[0], strerror(error));
}

static int wait_for(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return 125;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

enum snap_status launch_run(const struct launch *launch, struct launch_result *result,
			    struct snap_error *err)
{
	struct hello hello = {.path = ""};
	struct signal_setup before;
	struct timespec since;
	enum snap_status st;
	pid_t child = -1;

	memset(result, 0, sizeof(*result));
	clock_gettime(CLOCK_REALTIME_COARSE, &since);
	if (launch->dir)
		hello_create(&hello, launch->dir);
	signals_while_waiting(&before);
	st = start(launch, hello.path, &before, &child, err);
	if (st == SNAP_OK)
		result->exit_code = wait_for(child);
	passed_to = 0;
	signals_restore(&before);
	if (launch->dir) {
		hello_read(&hello, result);
		unlink(hello.path);
		if (st == SNAP_OK)
			count_snapshots(launch->dir, &hello, &since, result);
	}
	free(hello.pids);
	return st;
}
