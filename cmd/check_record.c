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

enum { ARGUMENTS_MAX = 16 };

static size_t count_words(const char *const *words)
{
	size_t count = 0;

	while (words[count])
		count++;
	return count;
}

/* run -q -o DIR --repeat N [--warmup K] [--every DUR] [--holders-at-exit] -- COMMAND... */
static const char **make_arguments(const struct check_recording *recording, const char *directory,
				   char runs[24], char warmup[24])
{
	size_t words = count_words(recording->argv), count = 0;
	const char **argv = malloc((ARGUMENTS_MAX + words + 1) * sizeof(*argv));

	if (!argv)
		return NULL;
	snprintf(runs, 24, "%" PRIu64, recording->runs);
	snprintf(warmup, 24, "%" PRIu64, recording->warmup);
	argv[count++] = "snapdiff";
	argv[count++] = "run";
	argv[count++] = "-q";
	argv[count++] = "-o";
	argv[count++] = directory;
	argv[count++] = "--repeat";
	argv[count++] = runs;
	if (recording->warmup) {
		argv[count++] = "--warmup";
		argv[count++] = warmup;
	}
	if (recording->every) {
		argv[count++] = "--every";
		argv[count++] = recording->every;
	}
	if (recording->holders)
		argv[count++] = "--holders-at-exit";
	argv[count++] = "--";
	memcpy(argv + count, recording->argv, (words + 1) * sizeof(*argv));
	return argv;
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
	char runs[24], warmup[24];
	const char **argv;
	enum snap_status st;
	pid_t pid;

	*directory = make_directory(recording->keep);
	if (!*directory)
		return fail(err, SNAP_ESYSTEM, "cannot make a directory for the recording: %s",
			    strerror(errno));
	st = refuse_used(*directory, err);
	if (st != SNAP_OK)
		return st;
	argv = make_arguments(recording, *directory, runs, warmup);
	if (!argv)
		return fail_memory(err, "preparing the command");
	pid = fork();
	if (pid == 0)
		become_run(argv);
	st = pid < 0 ? fail(err, SNAP_ESYSTEM, "cannot start a process: %s", strerror(errno))
		     : wait_for(pid, recording->argv[0], err);
	free(argv);
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
