/*
 * run_report.c - what `snapdiff run` says when its command has ended.
 */
#include "run_report.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/shell.h"

enum { SHOWN_IN_ONE_LINE = 3, LEAST_FILE = 64 << 10 };

static double mebibytes(uint64_t bytes)
{
	return (double)bytes / (1024.0 * 1024.0);
}

/* Warn if reports will show less than half of the memory. */
static void print_unseen(const struct hello_unseen *unseen)
{
	if (unseen->processes == 0)
		return;
	fprintf(stderr,
		"snapdiff: warning: %s holds %.1f MiB that libsnap does not see (an allocator of "
		"its own, or mmap: --mmap shows it), next to %.1f MiB of recorded heap, and "
		"reports show only the "
		"latter",
		unseen->program, mebibytes(unseen->bytes), mebibytes(unseen->live_bytes));
	if (unseen->processes > 1)
		fprintf(stderr, "; so in %zu processes", unseen->processes);
	fprintf(stderr, "\n");
}

/* Say which Python lines will be missing from reports. */
static void print_python(const struct run_report *report, const struct hello_python *python)
{
	if (python->version[0])
		fprintf(stderr,
			"snapdiff: warning: lines of Python %s are not recorded (%s): reports show "
			"its native call stacks\n",
			python->version, python->problem);
	else if (report->wants_python && python->recorded == 0)
		fprintf(stderr, "snapdiff: warning: --python on: no process had a Python whose "
				"lines can be recorded (CPython 3.9 to 3.14)\n");
}

/* "busybox (3 times, statically linked)". */
static void print_missed(const struct hello_missed *missed)
{
	fprintf(stderr, "%s (", missed->program);
	if (missed->count > 1)
		fprintf(stderr, "%zu times, ", missed->count);
	fprintf(stderr, "%s)", missed->reason);
}

static void print_all_missed(const struct hello *hello)
{
	for (size_t i = 0; i < hello->missed_count; i++) {
		if (hello->missed[i].count == 0)
			continue;
		fprintf(stderr, "snapdiff: not recorded: ");
		print_missed(&hello->missed[i]);
		fprintf(stderr, "\n");
	}
}

/* One line: the first few, and how many more there are. */
static void print_some_missed(const struct hello *hello)
{
	size_t shown = 0, more = 0;

	for (size_t i = 0; i < hello->missed_count; i++) {
		if (hello->missed[i].count == 0)
			continue;
		if (shown == SHOWN_IN_ONE_LINE) {
			more++;
			continue;
		}
		fprintf(stderr, "%s", shown++ ? ", " : "snapdiff: not recorded: ");
		print_missed(&hello->missed[i]);
	}
	if (more)
		fprintf(stderr, ", and %zu more (run -v names them)", more);
	if (shown)
		fprintf(stderr, "\n");
}

/* Programs for which the lists have no room. */
static void print_unlisted(const struct hello *hello)
{
	if (hello->missed_unlisted)
		fprintf(stderr,
			"snapdiff: not recorded: %zu more processes, whose programs are not "
			"listed\n",
			hello->missed_unlisted);
	if (hello->lines_lost)
		fprintf(stderr,
			"snapdiff: warning: %zu messages of recorded processes are lost: these "
			"processes could not write to the file of messages\n",
			hello->lines_lost);
	if (hello->processes_unlisted)
		fprintf(stderr,
			"snapdiff: warning: of %zu processes it is not known whether they left a "
			"snapshot\n",
			hello->processes_unlisted);
}

/* The signal after which shells, and programs like them, exit with this status; 0: there is none. */
static int signal_of_status(int status)
{
	return status > 128 && status - 128 <= SIGRTMAX ? status - 128 : 0;
}

/* The recorded processes left nothing: find the cause from how they ended. */
static void print_nothing_left(const struct run_report *report, const struct launch_result *result)
{
	int number = result->end_signal, like = signal_of_status(result->exit_code);

	fprintf(stderr,
		"snapdiff: recording started, but no snapshot was written to %s: ", report->out);
	if (number == SIGKILL)
		fprintf(stderr, "the program was killed before one was due; --every and --safety "
				"take snapshots before that\n");
	else if (number)
		fprintf(stderr,
			"signal %d (%s) ended the program, and no snapshot could be taken for it; "
			"--every and --safety take snapshots before that\n",
			number, strsignal(number));
	else if (like)
		fprintf(stderr,
			"the program exited with status %d by the system call itself, or as a "
			"shell "
			"whose command was ended by signal %d (%s); --every and --safety take "
			"snapshots before that\n",
			result->exit_code, like, strsignal(like));
	else
		fprintf(stderr, "did the program change its user, execute another program in a "
				"clean environment, or exit by the system call itself, as programs "
				"in Go do? With --every there are snapshots of the time before\n");
}

/* A process with this limit cannot even tell us that it was recorded. */
static bool files_may_be_large_enough(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur >= LEAST_FILE;
}

static void print_lost(const struct run_report *report, const struct hello *hello)
{
	if (hello->was_lost)
		fprintf(stderr,
			"snapdiff: warning: somebody removed or renamed %s, or the file of this "
			"run "
			"in it, while the program ran: snapshots may be missing\n",
			report->out);
}

static void print_failure(const struct run_report *report, const struct launch_result *result)
{
	const struct hello *hello = &result->hello;

	if (hello->complaint[0])
		fprintf(stderr, "snapdiff: recording failed: %s\n", hello->complaint);
	else if (hello->process_count == 0 && hello->missed_count > 0)
		fprintf(stderr, "snapdiff: nothing was recorded\n");
	else if (hello->was_lost)
		return; /* which is said */
	else if (!files_may_be_large_enough())
		fprintf(stderr, "snapdiff: no snapshot was written: the limit of the size of files "
				"(ulimit -f) is too low\n");
	else if (hello->process_count == 0)
		fprintf(stderr,
			"snapdiff: recording did not start: the program did not load libsnap "
			"(is it started in a clean environment, or by a privileged helper?)\n");
	else if (report->wants_exit)
		print_nothing_left(report, result);
	else if (!report->is_quiet)
		fprintf(stderr, "snapdiff: no snapshot was asked for while the program ran\n");
}

/* Steps of --at-growth and --at-peak within one allocation, and ticks of --every during a
 * snapshot. */
static void print_unfinished(const struct hello *hello)
{
	if (hello->unfinished)
		fprintf(stderr,
			"snapdiff: warning: %zu snapshot%s %s lost: the process was killed while "
			"it was written (the unfinished file is removed)\n",
			hello->unfinished, hello->unfinished == 1 ? "" : "s",
			hello->unfinished == 1 ? "was" : "were");
}

static void print_merged(const struct hello *hello)
{
	if (hello->merged)
		fprintf(stderr,
			"snapdiff: %" PRIu64
			" more snapshot%s %s due at the same moment as another "
			"and %s not taken\n",
			hello->merged, hello->merged == 1 ? "" : "s",
			hello->merged == 1 ? "was" : "were", hello->merged == 1 ? "was" : "were");
}

/* Say which process was killed, and why.  A status of 137 without a signal may also be the
   program's own. */
static bool print_who_was_killed(const struct launch_result *result)
{
	bool itself = result->end_signal == SIGKILL;
	char why[256];

	if (itself || killed_in_group(&result->before, &result->after)) {
		killed_explain(&result->before, &result->after, why, sizeof(why));
		fprintf(stderr, "snapdiff: %s killed (SIGKILL), %s",
			itself ? "the program was" : "a process was", why);
		return true;
	}
	if (result->exit_code != 128 + SIGKILL)
		return false;
	fprintf(stderr,
		"snapdiff: the program exited with status %d, as a shell does when its "
		"command is killed (SIGKILL)",
		result->exit_code);
	return true;
}

/* A killed process cannot leave a last snapshot: name the newest one, and say how old it is. */
static void print_killed(const struct launch_result *result)
{
	const struct hello *hello = &result->hello;
	double age = (double)(result->ended.tv_sec - hello->newest_time.tv_sec) +
		     (double)(result->ended.tv_nsec - hello->newest_time.tv_nsec) / 1e9;

	if (!print_who_was_killed(result))
		return;
	if (hello->snapshots > 0)
		fprintf(stderr, "; the newest snapshot, %s, is from %.1f s before the end",
			hello->newest, age > 0 ? age : 0);
	fprintf(stderr, "\n");
}

/* The command has ended, but not what it started: a daemon, or jobs in the background. */
static void print_running(const struct hello_process *newest, size_t count)
{
	fprintf(stderr, "snapdiff: %s still runs as process %" PRIu64, newest->program,
		newest->pid);
	if (count > 1)
		fprintf(stderr, ", and %zu more processes", count - 1);
	fprintf(stderr, "; recording goes on; a snapshot now: snapdiff snap %" PRIu64 "\n",
		newest->pid);
}

void run_report_print(const struct run_report *report, const struct launch_result *result)
{
	const struct hello *hello = &result->hello;
	size_t running;
	const struct hello_process *newest = hello_running(hello, &running);

	print_killed(result);
	print_lost(report, hello);
	if (newest && !report->is_quiet)
		print_running(newest, running);
	if (hello->snapshots == 0 && !newest)
		print_failure(report, result);
	if (report->is_full)
		print_all_missed(hello);
	else if (!report->is_quiet || (hello->snapshots == 0 && !newest))
		print_some_missed(hello);
	print_unlisted(hello);
	print_unfinished(hello);
	if (!report->is_quiet) {
		print_unseen(&hello->unseen);
		print_merged(hello);
	}
	print_python(report, &hello->python);
}

void run_totals_add(struct run_totals *totals, const struct launch_result *result)
{
	totals->snapshots += result->hello.snapshots;
	totals->has_series = totals->has_series || result->hello.has_series;
	if (result->hello.snapshots > 0)
		snprintf(totals->newest, sizeof(totals->newest), "%s", result->hello.newest);
}

void run_report_written(const struct run_totals *totals, const char *out, const char *next)
{
	char *directory = shell_word(out);

	if (totals->snapshots > 0)
		fprintf(stderr,
			"snapdiff: %zu snapshot%s in %s (newest: %s); next: snapdiff %s %s\n",
			totals->snapshots, totals->snapshots == 1 ? "" : "s", out, totals->newest,
			next, directory ? directory : out);
	free(directory);
}
