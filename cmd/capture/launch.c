/*
 * launch.c - start a command with libsnap preloaded, wait for it, and see what was recorded.
 */
#include "capture/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "capture/supervise.h"
#include "capture/unfinished.h"
#include "image/image.h"

/* ---- the output directory -------------------------------------------------------------------- */

/* Whether `path` exists; errno is preserved. */
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
	struct stat info;
	int fd;

	*absolute = NULL;
	if (make_directories(dir) != 0 || stat(dir, &info) != 0)
		return fail(err, SNAP_ESYSTEM, "%s: cannot create the output directory: %s", dir,
			    strerror(errno));
	if (!S_ISDIR(info.st_mode))
		return fail(err, SNAP_ESYSTEM, "%s: not a directory", dir);
	*absolute = realpath(dir, NULL);
	if (!*absolute)
		return fail(err, SNAP_ESYSTEM, "%s: %s", dir, strerror(errno));
	snprintf(probe, sizeof(probe), "%s/.snapdiff.XXXXXX", *absolute);
	fd = mkostemp(probe, O_CLOEXEC);
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

/* ---- the command itself ---------------------------------------------------------------------- */

/* Why the command itself must not load libsnap: LD_PRELOAD may name another recorder. */
static enum snap__image image_of(const struct launch *launch)
{
	const char *others = getenv("LD_PRELOAD");

	if (others && snap__image_has_rival(others))
		return SNAP__IMAGE_RECORDER;
	return snap__image_look(AT_FDCWD, launch->path);
}

static bool loads_libsnap(const struct launch *launch)
{
	return launch->dir && !snap__image_must_not_load(image_of(launch));
}

static void set_environment(const struct launch *launch, const char *hello)
{
	const char *others = getenv("LD_PRELOAD");
	char preload[PATH_MAX * 2];

	/* Ours comes first, so that it sees the calls to an allocator that is preloaded after
	 * it. */
	snprintf(preload, sizeof(preload), "%s%s%s", launch->library, others && *others ? ":" : "",
		 others ? others : "");
	setenv("LD_PRELOAD", preload, 1);
	setenv("SNAP_ACTIVE", "1", 1);
	setenv("SNAP_OUT", launch->dir, 1);
	setenv("SNAP_HELLO", hello, 1);
	for (size_t i = 0; i < launch->setting_count; i++)
		setenv(launch->settings[i].name, launch->settings[i].value, 1);
}

static void announce(const char *command)
{
	char *name = strdup(command);

	if (name)
		utf8_make_printable(name, "\t");
	dprintf(STDERR_FILENO, "snapdiff: recording %s as process %ld\n", name ? name : "a command",
		(long)getpid());
	free(name);
}

static void exec_child(const struct launch *launch, const char *hello, int report_fd)
{
	int error;

	memory_lift_limit();
	if (loads_libsnap(launch)) {
		if (launch->announce)
			announce(launch->argv[0]);
		set_environment(launch, hello);
	}
	/* execvp, so that a script without #! runs as it would from a shell. */
	execvp(launch->path, launch->argv);
	error = errno;
	if (write(report_fd, &error, sizeof(error)) != (ssize_t)sizeof(error))
		_exit(126);
	_exit(127);
}

/* Start the child and learn whether exec worked: the pipe closes by itself when it did. */
static enum snap_status start(const struct launch *launch, const char *hello,
			      const struct supervision *supervision, pid_t *child,
			      struct snap_error *err)
{
	int fds[2], error = 0;
	ssize_t size;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return fail(err, SNAP_ESYSTEM, "cannot start a command: %s", strerror(errno));
	*child = fork();
	if (*child == 0) {
		supervise_in_child(supervision);
		exec_child(launch, hello, fds[1]);
	}
	close(fds[1]);
	if (*child < 0) {
		close(fds[0]);
		return fail(err, SNAP_ESYSTEM, "cannot start a command: %s", strerror(errno));
	}
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

static void take_status(struct launch_result *result, int status)
{
	result->end_signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	result->exit_code = result->end_signal ? 128 + result->end_signal : WEXITSTATUS(status);
}

enum snap_status launch_run(const struct launch *launch, struct launch_result *result,
			    struct snap_error *err)
{
	struct supervision supervision;
	enum snap_status st;
	pid_t child = -1;

	memset(result, 0, sizeof(*result));
	if (launch->dir) {
		enum snap__image image = image_of(launch);

		hello_create(&result->hello, launch->dir);
		if (image != SNAP__IMAGE_LOADS)
			hello_miss(&result->hello, basename(launch->path),
				   snap__image_reason(image), 1);
	}
	killed_read(&result->before);
	supervise_begin(&supervision);
	st = start(launch, result->hello.path, &supervision, &child, err);
	if (st == SNAP_OK)
		take_status(result, supervise_wait(&supervision, child));
	supervise_end(&supervision);
	killed_read(&result->after);
	clock_gettime(CLOCK_REALTIME, &result->ended);
	if (launch->dir)
		hello_collect(&result->hello);
	if (launch->dir && st == SNAP_OK) {
		hello_count_snapshots(&result->hello, launch->dir);
		result->hello.unfinished = unfinished_remove(&result->hello, launch->dir);
	}
	return st;
}
