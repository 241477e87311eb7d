/*
 * check_record.c - `check --run`: the recording is made by `snapdiff run`, so that there is one way
 * to record.
 */
#include "check_record.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OPTIONS_MAX = 16 };

/* The arguments of `run`. */
struct arguments {
	const char **argv;
	size_t count;
	char *owned[OPTIONS_MAX];
	size_t owned_count;
	bool failed; /* no memory; sticks */
};

static void add_word(struct arguments *to, const char *word)
{
	to->argv[to->count++] = word;
}

/* --NAME=VALUE */
static void add_text(struct arguments *to, const char *name, const char *value)
{
	char *word;

	if (!value)
		return;
	if (asprintf(&word, "--%s=%s", name, value) < 0) {
		to->failed = true;
		return;
	}
	to->owned[to->owned_count++] = word;
	add_word(to, word);
}

static void add_number(struct arguments *to, const char *name, uint64_t value, const char *unit)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64 "%s", value, unit);
	add_text(to, name, value ? text : NULL);
}

static void add_how(struct arguments *to, const struct check_how *how)
{
	add_number(to, "every", how->every_ns, "ns");
	add_number(to, "at-growth", how->at_growth, "");
	add_number(to, "at-peak", how->at_peak, "");
	add_number(to, "sample", how->sample, "");
	add_number(to, "depth", how->depth, "");
	add_text(to, "python", how->python);
	add_text(to, "exit-snapshot", how->exit_snapshot);
	if (how->mmap)
		add_word(to, "--mmap");
	if (how->no_follow)
		add_word(to, "--no-follow");
}

/* run -q -o DIR --repeat N [OPTION...] -- COMMAND... */
static bool make_arguments(struct arguments *to, const struct check_recording *recording,
			   const char *directory)
{
	size_t words = 0;

	while (recording->argv[words])
		words++;
	*to = (struct arguments){.argv = malloc((2 * OPTIONS_MAX + words + 1) * sizeof(*to->argv))};
	if (!to->argv)
		return false;
	add_word(to, "snapdiff");
	add_word(to, "run");
	add_word(to, "-q");
	add_word(to, "-o");
	add_word(to, directory);
	add_number(to, "repeat", recording->runs, "");
	add_number(to, "warmup", recording->warmup, "");
	add_how(to, &recording->how);
	if (recording->holders)
		add_word(to, "--holders-at-exit");
	add_word(to, "--");
	memcpy(to->argv + to->count, recording->argv, (words + 1) * sizeof(*to->argv));
	return !to->failed;
}

static void arguments_release(struct arguments *arguments)
{
	for (size_t i = 0; i < arguments->owned_count; i++)
		free(arguments->owned[i]);
	free(arguments->argv);
}

/* The judged command's output is not the gate's: it goes to standard error. */
static void become_run(const char **argv)
{
	dup2(STDERR_FILENO, STDOUT_FILENO);
	execv("/proc/self/exe", (char **)(void *)argv);
	_exit(127);
}

static enum snap_status wait_for(pid_t pid, const char *command, struct snap_error *err)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return fail(err, SNAP_ESYSTEM, "waiting for %s: %s", command,
				    strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return SNAP_OK;
	if (WIFSIGNALED(status))
		return fail(err, SNAP_ESYSTEM, "%s: ended by signal %d; nothing was judged",
			    command, WTERMSIG(status));
	return fail(err, SNAP_ESYSTEM, "%s: ended with status %d; nothing was judged", command,
		    WEXITSTATUS(status));
}

static char *make_directory(const char *keep)
{
	const char *parent = getenv("TMPDIR");
	char *name;

	if (keep)
		return strdup(keep);
	if (asprintf(&name, "%s/snapdiff-check.XXXXXX", parent && *parent ? parent : "/tmp") < 0)
		return NULL;
	if (mkdtemp(name))
		return name;
	free(name);
	return NULL;
}

/* Refuse old snapshots: they would be judged too. */
static enum snap_status refuse_used(const char *directory, struct snap_error *err)
{
	DIR *listing = opendir(directory);
	const struct dirent *entry;
	bool used = false;

	while (listing && !used && (entry = readdir(listing)))
		used = fnmatch("*.snap", entry->d_name, 0) == 0;
	if (listing)
		closedir(listing);
	return used ? fail(err, SNAP_EUSAGE,
			   "%s has snapshots already: --keep wants an empty directory, or a new "
			   "one",
			   directory)
		    : SNAP_OK;
}

enum snap_status check_record(const struct check_recording *recording, char **directory,
			      struct snap_error *err)
{
	struct arguments arguments;
	enum snap_status st;
	pid_t pid;

	*directory = make_directory(recording->keep);
	if (!*directory)
		return fail(err, SNAP_ESYSTEM, "cannot make a directory for the recording: %s",
			    strerror(errno));
	st = refuse_used(*directory, err);
	if (st != SNAP_OK)
		return st;
	if (!make_arguments(&arguments, recording, *directory)) {
		arguments_release(&arguments);
		return fail_memory(err, "preparing the command");
	}
	pid = fork();
	if (pid == 0)
		become_run(arguments.argv);
	st = pid < 0 ? fail(err, SNAP_ESYSTEM, "cannot start a process: %s", strerror(errno))
		     : wait_for(pid, recording->argv[0], err);
	arguments_release(&arguments);
	return st;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *at)
{
	(void)info;
	(void)type;
	(void)at;
	return remove(path);
}

void check_record_done(const struct check_recording *recording, char *directory)
{
	if (directory && !recording->keep)
		nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	free(directory);
}
