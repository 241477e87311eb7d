/*
 * launch.c - start a command with libsnap preloaded, wait for it, and see what was recorded.
 */
#include "capture/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
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

enum { CHILD_STACK = 256 << 10 };

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
	enum snap__image image;

	if (others && snap__image_has_rival(others))
		return SNAP__IMAGE_RECORDER;
	image = snap__image_look(AT_FDCWD, launch->path);
	return image == SNAP__IMAGE_LOADS && !snap__image_has_room() ? SNAP__IMAGE_CRAMPED : image;
}

/* ---- its environment ---- */

struct environment {
	char **entries; /* the first `own` are ours to release; ends with NULL */
	size_t own;
};

static bool is_same_name(const char *entry, const char *other)
{
	size_t size = strcspn(other, "=");

	return strncmp(entry, other, size + 1) == 0;
}

static void environment_free(struct environment *environment)
{
	for (size_t i = 0; i < environment->own; i++)
		free(environment->entries[i]);
	free(environment->entries);
}

static bool environment_set(struct environment *environment, const char *name, const char *value)
{
	char *entry;

	if (asprintf(&entry, "%s=%s", name, value) < 0)
		return false;
	environment->entries[environment->own++] = entry;
	return true;
}

/* What is not set comes from our own environment. */
static void environment_inherit(struct environment *environment)
{
	size_t count = environment->own;

	for (char **entry = environ; *entry; entry++) {
		size_t i = 0;

		while (i < environment->own && !is_same_name(*entry, environment->entries[i]))
			i++;
		if (i == environment->own)
			environment->entries[count++] = *entry;
	}
	environment->entries[count] = NULL;
}

/* False: no memory. */
static bool environment_make(struct environment *environment, const struct launch *launch,
			     const char *hello)
{
	const char *others = getenv("LD_PRELOAD");
	char preload[PATH_MAX * 2];
	size_t room = launch->setting_count + 5;
	bool done;

	for (char **entry = environ; *entry; entry++)
		room++;
	*environment = (struct environment){.entries = calloc(room, sizeof(char *))};
	/* Ours comes first, so that it sees the calls to an allocator that is preloaded after
	 * it. */
	snprintf(preload, sizeof(preload), "%s%s%s", launch->library, others && *others ? ":" : "",
		 others ? others : "");
	done = environment->entries && environment_set(environment, "LD_PRELOAD", preload) &&
	       environment_set(environment, "SNAP_ACTIVE", "1") &&
	       environment_set(environment, "SNAP_OUT", launch->dir) &&
	       environment_set(environment, "SNAP_HELLO", hello);
	for (size_t i = 0; done && i < launch->setting_count; i++)
		done = environment_set(environment, launch->settings[i].name,
				       launch->settings[i].value);
	if (done)
		environment_inherit(environment);
	else
		environment_free(environment);
	return done;
}

/* ---- its start ---- */

/* What the child needs.  It runs in our memory, and changes none of it. */
struct birth {
	const struct supervision *supervision;
	char *const *arguments, *const *environment;
	const char *path;
	const char *announced; /* printable name; NULL: nothing is said */
	int report_fd;
};

static void announce(const char *name)
{
	char line[1024];
	int size = snprintf(line, sizeof(line), "snapdiff: recording %.900s as process %ld\n", name,
			    (long)getpid());

	if (write(STDERR_FILENO, line, (size_t)size) != size)
		return; /* nobody listens */
}

static int exec_child(void *user)
{
	const struct birth *birth = user;
	int error;

	memory_lift_limit();
	if (birth->announced)
		announce(birth->announced);
	supervise_in_child(birth->supervision);
	/* It searches no more, but runs a script without #! as a shell would. */
	execvpe(birth->path, birth->arguments, birth->environment);
	error = errno;
	if (write(birth->report_fd, &error, sizeof(error)) != (ssize_t)sizeof(error))
		_exit(126);
	_exit(127);
}

/*
 * As vfork() does, with a stack of its own: fork() would copy the tables of all our pages, and then
 * each page that we write to.  A script without #! takes room for its arguments.
 */
static pid_t run_in_child(int (*function)(void *), struct birth *birth)
{
	size_t size = CHILD_STACK;
	int error;
	char *stack;
	pid_t child;

	for (char *const *argument = birth->arguments; *argument; argument++)
		size += 2 * sizeof(*argument);
	size &= ~(size_t)63;
	stack = malloc(size);
	if (!stack)
		return -1;
	child = clone(function, stack + size, CLONE_VM | CLONE_VFORK | SIGCHLD, birth);
	error = errno;
	free(stack);
	errno = error;
	return child;
}

/* Start the child and learn whether exec worked: the pipe closes by itself when it did. */
static enum snap_status start(struct birth *birth, pid_t *child, struct snap_error *err)
{
	int fds[2], error = 0;
	ssize_t size;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return fail(err, SNAP_ESYSTEM, "cannot start a command: %s", strerror(errno));
	birth->report_fd = fds[1];
	*child = run_in_child(exec_child, birth);
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
		    birth->arguments[0], strerror(error));
}

/* `records`: the command loads libsnap. */
static enum snap_status start_command(const struct launch *launch, bool records, const char *hello,
				      const struct supervision *supervision, pid_t *child,
				      struct snap_error *err)
{
	struct environment environment = {0};
	struct birth birth = {.supervision = supervision,
			      .arguments = launch->argv,
			      .environment = environ,
			      .path = launch->path};
	char *name = NULL;
	enum snap_status st;

	if (records) {
		if (!environment_make(&environment, launch, hello))
			return fail_memory(err, "starting a command");
		birth.environment = environment.entries;
		name = launch->announce ? strdup(launch->argv[0]) : NULL;
		if (name)
			utf8_make_printable(name, "\t");
		birth.announced = name ? name : launch->announce ? "a command" : NULL;
		st = start(&birth, child, err);
		environment_free(&environment);
		free(name);
		return st;
	}
	return start(&birth, child, err);
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
	bool records = false;
	pid_t child = -1;

	memset(result, 0, sizeof(*result));
	supervise_begin(&supervision);
	if (launch->dir) {
		enum snap__image image = image_of(launch);

		records = !snap__image_must_not_load(image);
		hello_create(&result->hello, launch->dir);
		if (image != SNAP__IMAGE_LOADS)
			hello_miss(&result->hello, basename(launch->path),
				   snap__image_reason(image), 1);
	}
	killed_read(&result->before);
	st = start_command(launch, records, result->hello.path, &supervision, &child, err);
	if (st == SNAP_OK)
		take_status(result, supervise_wait(&supervision, child, &result->interrupted));
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
