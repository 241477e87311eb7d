/*
 * cmd_run.c - `snapdiff run`: record a command.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/launch.h"
#include "capture/library.h"
#include "capture/memory.h"
#include "capture/missed.h"
#include "capture/preflight.h"
#include "capture/supervise.h"
#include "cli/cli.h"
#include "run_report.h"

enum { EXIT_NO_CAPTURE = 125, EXIT_NOT_EXECUTABLE = 126, EXIT_NO_COMMAND = 127 };
enum { PATTERNS_MOST = 1000 }; /* bytes */
enum { SETTINGS_MAX = 27, REPEAT_MAX = 100000, KEPT_PEAK_STEP = 1 << 20 };
#define SAFETY_NS 60000000000u
enum python_when { PYTHON_AUTO, PYTHON_ON, PYTHON_OFF };
enum exit_when { EXIT_SNAPSHOT_LATE, EXIT_SNAPSHOT_EARLY, EXIT_SNAPSHOT_NONE };

struct run_options {
	const char *out;
	uint64_t every_ns, safety_ns, at_growth, at_peak, sample, depth, max_memory;
	const char *on_signal;
	struct text_list labels;
	int python;
	int exit_snapshot;
	int command;
	int holders, holders_at_exit; /* 0 none; 1: who refers to whom; 2: retained sizes, too */
	bool census, resident;
	bool mmap;
	bool durable;
	struct text_list only, never; /* descendants by name */
	uint64_t repeat, warmup;
	bool quiet, verbose;
};

static const struct run_options run_defaults = {
	.out = "snaps", .repeat = 1, .safety_ns = SAFETY_NS};

static const char *const python_choices[] = {"auto", "on", "off", NULL};
static const char *const holders_choices[] = {"reach", "retained", NULL};
static const char *const command_choices[] = {"masked", "full", "name", "none", NULL};
static const char *const exit_choices[] = {"late", "early", "none", NULL};

#define AT(member) offsetof(struct run_options, member)
static const struct option run_table[] = {
	{"output", 'o', OPTION_TEXT, AT(out), "DIR", "where snapshots go (default: snaps)", NULL},
	{"every", 0, OPTION_DURATION, AT(every_ns), "DUR",
	 "take a snapshot each DUR (500ms, 10s, 5m)", NULL},
	{"at-growth", 0, OPTION_SIZE, AT(at_growth), "SIZE",
	 "... each time the live heap has grown by SIZE", NULL},
	{"at-peak", 0, OPTION_SIZE, AT(at_peak), "SIZE",
	 "... each time its maximum has risen by SIZE", NULL},
	{"on-signal", 0, OPTION_TEXT, AT(on_signal), "SIG",
	 "... when the process gets signal SIG (USR2)", NULL},
	{"safety", 0, OPTION_DURATION, AT(safety_ns), "DUR",
	 "first snapshot for the case of a kill (default: 60s; 0: none)", NULL},
	{"sample", 0, OPTION_SIZE, AT(sample), "SIZE",
	 "record one allocation per SIZE bytes on average (default: all)", NULL},
	{"depth", 0, OPTION_COUNT, AT(depth), "N", "keep the newest N frames of a call stack",
	 NULL},
	{"max-memory", 0, OPTION_SIZE, AT(max_memory), "SIZE",
	 "most that call stacks take in each process (default: 5% of memory, 64 to 256 MiB)", NULL},
	{"durable", 0, OPTION_FLAG, AT(durable), NULL,
	 "every snapshot is on the disk before the program goes on", NULL},
	{"mmap", 0, OPTION_FLAG, AT(mmap), NULL,
	 "record anonymous mappings, too, as the domain mmap", NULL},
	{"label", 0, OPTION_LIST, AT(labels), "K=V",
	 "attach a label to every snapshot; may be repeated", NULL},
	{"record-command", 0, OPTION_CHOICE, AT(command), "HOW",
	 "the command line in snapshots: likely secrets masked, all, the name, or none",
	 command_choices},
	{"python", 0, OPTION_CHOICE, AT(python), "WHEN", "record the lines of Python programs",
	 python_choices},
	{"exit-snapshot", 0, OPTION_CHOICE, AT(exit_snapshot), "WHEN",
	 "the snapshot at exit: late (after static destructors), early, or none", exit_choices},
	{"holders", 0, OPTION_OPTIONAL, AT(holders), NULL,
	 "snapshots say who holds what; =retained: and what would be freed with it",
	 holders_choices},
	{"holders-at-exit", 0, OPTION_OPTIONAL, AT(holders_at_exit), NULL,
	 "the same for the snapshot at exit alone", holders_choices},
	{"census", 0, OPTION_FLAG, AT(census), NULL,
	 "snapshots count the objects of Python programs by type and line", NULL},
	{"resident", 0, OPTION_FLAG, AT(resident), NULL,
	 "snapshots say how much of each module is in memory; info shows it", NULL},
	{"follow", 0, OPTION_LIST, AT(only), "PATTERN",
	 "of descendants, record only programs whose name matches; may be repeated", NULL},
	{"no-follow", 0, OPTION_PATTERNS, AT(never), NULL,
	 "record neither forked nor executed descendants; =PATTERN: none whose name matches", NULL},
	{"repeat", 0, OPTION_COUNT, AT(repeat), "N",
	 "run the command N times: one series, labelled iteration=1..N, with --holders-at-exit",
	 NULL},
	{"warmup", 0, OPTION_COUNT, AT(warmup), "K",
	 "with --repeat: K runs before that, not recorded", NULL},
	{"quiet", 'q', OPTION_FLAG, AT(quiet), NULL, "say nothing unless something went wrong",
	 NULL},
	{"verbose", 'v', OPTION_FLAG, AT(verbose), NULL,
	 "name every program that was not recorded, and why", NULL},
	{NULL, 0, OPTION_FLAG, 0, NULL, NULL, NULL},
};
static const struct option *const run_tables[] = {run_table, NULL};

/* The runtime's settings, as text that it parses again. */
struct settings {
	struct launch_setting items[SETTINGS_MAX];
	size_t count;
};

static void settings_free(struct settings *settings)
{
	for (size_t i = 0; i < settings->count; i++)
		free(settings->items[i].value);
	settings->count = 0;
}

static enum snap_status setting(struct settings *settings, struct snap_error *err, const char *name,
				const char *format, ...) __attribute__((format(printf, 4, 5)));

static enum snap_status setting(struct settings *settings, struct snap_error *err, const char *name,
				const char *format, ...)
{
	struct launch_setting *item = &settings->items[settings->count];
	va_list args;
	int size;

	va_start(args, format);
	size = vasprintf(&item->value, format, args);
	va_end(args);
	if (size < 0)
		return fail_memory(err, "preparing the command");
	item->name = name;
	settings->count++;
	return SNAP_OK;
}

/* Numbers that are 0 are off, and not set. */
static enum snap_status setting_number(struct settings *settings, const char *name, uint64_t value,
				       const char *unit, struct snap_error *err)
{
	return value ? setting(settings, err, name, "%" PRIu64 "%s", value, unit) : SNAP_OK;
}

/* "USR2", "SIGUSR2", "12" -> a number that a process may use as it likes. */
static enum snap_status signal_number(const char *name, int *number, struct snap_error *err)
{
	char *end;

	if (strncmp(name, "SIG", 3) == 0)
		name += 3;
	*number = (int)strtol(name, &end, 10);
	if (end == name || *end != '\0') {
		*number = 0;
		for (int i = 1; i < SIGRTMIN && *number == 0; i++)
			if (sigabbrev_np(i) && strcmp(sigabbrev_np(i), name) == 0)
				*number = i;
	}
	if (*number < 1 || *number > SIGRTMAX)
		return fail(err, SNAP_EUSAGE, "--on-signal: there is no signal %s", name);
	if (*number == SIGKILL || *number == SIGSTOP || *number == SIGSEGV || *number == SIGBUS ||
	    *number == SIGILL || *number == SIGFPE)
		return fail(err, SNAP_EUSAGE,
			    "--on-signal: SIG%s cannot ask for a snapshot; USR1 or USR2 can", name);
	return SNAP_OK;
}

static enum snap_status setting_signal(struct settings *settings, const char *name,
				       struct snap_error *err)
{
	enum snap_status st;
	int number;

	if (!name)
		return SNAP_OK;
	st = signal_number(name, &number, err);
	if (st != SNAP_OK)
		return st;
	return setting_number(settings, "SNAP_ON_SIGNAL", (uint64_t)number, "", err);
}

static enum snap_status check_label(const char *label, struct snap_error *err)
{
	const char *equals = strchr(label, '=');

	if (!equals || equals == label || strpbrk(label, "\n\t"))
		return fail(err, SNAP_EUSAGE, "--label wants KEY=VALUE on one line, not '%s'",
			    label);
	return SNAP_OK;
}

/* K=V lines; `iteration` 0 adds none. */
/* A setting of the texts in `list`, a line each, with `last` (may be NULL) behind them. */
static enum snap_status setting_lines(struct settings *settings, const char *name,
				      const struct text_list *list, const char *last,
				      struct snap_error *err)
{
	enum snap_status st;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; out && i < list->count; i++)
		fprintf(out, "%s\n", list->items[i]);
	if (out && last)
		fprintf(out, "%s\n", last);
	if (!out || fclose(out) != 0 || !text)
		st = fail_memory(err, "preparing the command");
	else
		st = setting(settings, err, name, "%s", text);
	free(text);
	return st;
}

static enum snap_status setting_labels(struct settings *settings, const struct text_list *labels,
				       uint64_t iteration, struct snap_error *err)
{
	enum snap_status st = SNAP_OK;
	char last[32];

	for (size_t i = 0; i < labels->count && st == SNAP_OK; i++)
		st = check_label(labels->items[i], err);
	if (st != SNAP_OK || (labels->count == 0 && iteration == 0))
		return st;
	snprintf(last, sizeof(last), "iteration=%" PRIu64, iteration);
	return setting_lines(settings, "SNAP_LABELS", labels, iteration ? last : NULL, err);
}

static enum snap_status setting_patterns(struct settings *settings, const char *name,
					 const struct text_list *patterns, struct snap_error *err)
{
	size_t size = 0;

	if (patterns->count == 0)
		return SNAP_OK;
	for (size_t i = 0; i < patterns->count; i++)
		size += strlen(patterns->items[i]) + 1;
	if (size > PATTERNS_MOST)
		return fail(err, SNAP_EUSAGE,
			    "the patterns for descendants are longer than %d bytes", PATTERNS_MOST);
	return setting_lines(settings, name, patterns, NULL, err);
}

/* Patterns are for descendants: the process whose parent is `run` is always recorded. */
static enum snap_status setting_follow(struct settings *settings, const struct run_options *options,
				       struct snap_error *err)
{
	bool none = false;
	enum snap_status st;

	for (size_t i = 0; i < options->never.count; i++)
		none = none || strcmp(options->never.items[i], "*") == 0;
	st = setting(settings, err, "SNAP_FOLLOW", "%s", none ? "0" : "1");
	if (st == SNAP_OK)
		st = setting_patterns(settings, "SNAP_FOLLOW_ONLY", &options->only, err);
	if (st == SNAP_OK && !none)
		st = setting_patterns(settings, "SNAP_FOLLOW_NOT", &options->never, err);
	if (st == SNAP_OK && (options->only.count || options->never.count))
		st = setting_number(settings, "SNAP_RUN", (uint64_t)getpid(), "", err);
	return st;
}

/*
 * Without triggers there would be only the exit snapshot, when most memory has been freed.  So the
 * peak is kept too.  Not with --repeat, where the ends of the runs are one series.
 */
static uint64_t kept_peak(const struct run_options *options)
{
	bool triggered = options->every_ns || options->at_growth || options->at_peak ||
			 options->on_signal || options->exit_snapshot == EXIT_SNAPSHOT_NONE;

	return triggered || options->repeat > 1 ? 0 : KEPT_PEAK_STEP;
}

/* With a timer, none is needed; and a user who wants no exit snapshot wants no other one in its
 * place. */
static uint64_t safety_of(const struct run_options *options)
{
	return options->every_ns || options->exit_snapshot == EXIT_SNAPSHOT_NONE
		       ? 0
		       : options->safety_ns;
}

static enum snap_status setting_holders(struct settings *settings,
					const struct run_options *options, struct snap_error *err)
{
	int at_exit = options->holders_at_exit ? options->holders_at_exit : options->holders;
	enum snap_status st = SNAP_OK;

	/* What is reachable at the end of a run is not a leak of the run. */
	if (!at_exit && options->repeat > 1)
		at_exit = 1;
	if (options->holders)
		st = setting(settings, err, "SNAP_HOLDERS", "%s",
			     holders_choices[options->holders - 1]);
	if (st == SNAP_OK && at_exit)
		st = setting(settings, err, "SNAP_HOLDERS_AT_EXIT", "%s",
			     holders_choices[at_exit - 1]);
	if (st == SNAP_OK && options->census)
		st = setting(settings, err, "SNAP_CENSUS", "1");
	if (st == SNAP_OK && options->resident)
		st = setting(settings, err, "SNAP_RESIDENT", "1");
	return st;
}

static enum snap_status settings_make(struct settings *settings, const struct run_options *options,
				      uint64_t iteration, struct snap_error *err)
{
	enum snap_status st;

	st = setting_number(settings, "SNAP_EVERY", options->every_ns, "ns", err);
	if (st == SNAP_OK)
		st = setting_number(settings, "SNAP_SAFETY", safety_of(options), "ns", err);
	if (st == SNAP_OK)
		st = setting_number(settings, "SNAP_AT_GROWTH", options->at_growth, "", err);
	if (st == SNAP_OK)
		st = setting_number(settings, "SNAP_AT_PEAK", options->at_peak, "", err);
	if (st == SNAP_OK)
		st = setting_number(settings, "SNAP_KEEP_PEAK", kept_peak(options), "", err);
	if (st == SNAP_OK)
		st = setting_number(settings, "SNAP_SAMPLE", options->sample, "", err);
	if (st == SNAP_OK)
		st = setting_number(settings, "SNAP_DEPTH", options->depth, "", err);
	if (st == SNAP_OK)
		st = setting_number(settings, "SNAP_MAX_MEMORY",
				    options->max_memory ? options->max_memory : memory_default(),
				    "", err);
	if (st == SNAP_OK)
		st = setting_number(settings, "SNAP_MMAP", options->mmap, "", err);
	if (st == SNAP_OK)
		st = setting_number(settings, "SNAP_DURABLE", options->durable, "", err);
	if (st == SNAP_OK)
		st = setting_signal(settings, options->on_signal, err);
	if (st == SNAP_OK)
		st = setting(settings, err, "SNAP_EXIT", "%s",
			     exit_choices[options->exit_snapshot]);
	if (st == SNAP_OK)
		st = setting_holders(settings, options, err);
	if (st == SNAP_OK)
		st = setting_follow(settings, options, err);
	if (st == SNAP_OK)
		st = setting(settings, err, "SNAP_PYTHON", "%s", python_choices[options->python]);
	if (st == SNAP_OK)
		st = setting(settings, err, "SNAP_RECORD_COMMAND", "%s",
			     command_choices[options->command]);
	if (st == SNAP_OK)
		st = setting_labels(settings, &options->labels, iteration, err);
	return st;
}

/* If the command succeeded but its recording failed, `run` failed. */
static int exit_code_of(const struct run_options *options, const struct launch_result *result)
{
	const struct hello *hello = &result->hello;
	size_t running;
	bool may_wait = options->exit_snapshot == EXIT_SNAPSHOT_NONE ||
			hello_running(hello, &running) != NULL;
	bool excused = hello->process_count > 0 && may_wait && hello->complaint[0] == '\0';

	if (result->exit_code == 0 && hello->snapshots == 0 && !excused)
		return EXIT_SYSTEM;
	return result->exit_code;
}

static void report(const struct run_options *options, struct launch_result *result, const char *dir)
{
	const struct run_report what = {
		.out = options->out,
		.wants_python = options->python == PYTHON_ON,
		.wants_exit = options->exit_snapshot != EXIT_SNAPSHOT_NONE,
		.is_quiet = options->quiet,
		.is_full = options->verbose,
	};

	if (what.wants_exit && result->hello.snapshots > 0)
		hello_miss_silent(&result->hello);
	missed_write(&result->hello, dir);
	run_report_print(&what, result);
}

static enum snap_status run_once(const struct run_options *options, const struct launch *planned,
				 uint64_t iteration, struct run_totals *sum, int *exit_code,
				 struct snap_error *err)
{
	struct launch launch = *planned;
	struct settings settings = {.count = 0};
	struct launch_result result = {0};
	enum snap_status st = settings_make(&settings, options, iteration, err);

	if (st == SNAP_OK) {
		launch.settings = settings.items;
		launch.setting_count = settings.count;
		st = launch_run(&launch, &result, err);
	}
	settings_free(&settings);
	if (st != SNAP_OK) {
		hello_free(&result.hello);
		return st;
	}
	*exit_code = result.exit_code;
	sum->interrupted = result.interrupted;
	if (launch.dir) {
		run_totals_add(sum, &result);
		report(options, &result, launch.dir);
		*exit_code = exit_code_of(options, &result);
	}
	hello_free(&result.hello);
	return SNAP_OK;
}

/* A series that ended early is shorter than the user asked for.  A verdict on it does not show
   that, so say it. */
static void say_failed_run(const struct run_options *options, bool warms_up, uint64_t run,
			   int exit_code)
{
	uint64_t of = warms_up ? options->warmup : options->repeat;
	char cause[32] = "";

	if (exit_code > 128 && exit_code - 128 <= SIGRTMAX)
		snprintf(cause, sizeof(cause), ", as after signal %d", exit_code - 128);
	fprintf(stderr,
		"snapdiff run: warning: the command failed (exit status %d%s) in %s %" PRIu64
		" of %" PRIu64 ": no later run was made\n",
		exit_code, cause, warms_up ? "warm-up run" : "run", run, of);
}

/* Warm-up runs are not recorded; the first run that fails ends the series. */
static enum snap_status run_series(const struct run_options *options, const struct launch *recorded,
				   int *exit_code, struct snap_error *err)
{
	struct launch unrecorded = *recorded;
	struct run_totals sum = {.snapshots = 0};
	bool labelled = options->repeat > 1;
	enum snap_status st = SNAP_OK;

	unrecorded.dir = NULL;
	unrecorded.announce = false;
	for (uint64_t i = 1; i <= options->warmup && st == SNAP_OK && *exit_code == 0; i++) {
		st = run_once(options, &unrecorded, 0, &sum, exit_code, err);
		if (*exit_code)
			say_failed_run(options, true, i, *exit_code);
	}
	for (uint64_t i = 1; i <= options->repeat && st == SNAP_OK && *exit_code == 0; i++) {
		st = run_once(options, recorded, labelled ? i : 0, &sum, exit_code, err);
		if (*exit_code && labelled)
			say_failed_run(options, false, i, *exit_code);
	}
	if (!options->quiet)
		run_report_written(&sum, options->out,
				   sum.has_series || options->repeat > 1 ? "growth" : "top");
	if (sum.interrupted)
		supervise_die_interrupted();
	return st;
}

/* `run` has exit codes of its own, as a shell and env(1) have: main must not map these errors. */
static enum snap_status refuse(int *exit_code, int code, const struct snap_error *err)
{
	fprintf(stderr, "snapdiff run: %s\n", err->message);
	*exit_code = code;
	return SNAP_OK;
}

static enum snap_status check_options(const struct run_options *options, struct snap_error *err)
{
	int number;

	if (options->repeat < 1 || options->repeat > REPEAT_MAX || options->warmup > REPEAT_MAX)
		return fail(err, SNAP_EUSAGE, "--repeat and --warmup take up to %d runs",
			    REPEAT_MAX);
	if (options->warmup && options->repeat == 1)
		return fail(err, SNAP_EUSAGE, "--warmup needs --repeat");
	if (options->mmap && options->sample)
		return fail(err, SNAP_EUSAGE,
			    "--mmap works only with exact recording: leave --sample out");
	for (size_t i = 0; i < options->labels.count; i++)
		if (check_label(options->labels.items[i], err) != SNAP_OK)
			return SNAP_EUSAGE;
	return options->on_signal ? signal_number(options->on_signal, &number, err) : SNAP_OK;
}

static enum snap_status run_run(const struct invocation *call, int *exit_code,
				struct snap_error *err)
{
	const struct run_options *options = call->options;
	struct launch launch = {.argv = call->argv};
	char *path = NULL, *library = NULL, *preloaded = NULL, *dir = NULL;
	enum snap_status st = check_options(options, err);

	if (st != SNAP_OK)
		return st;
	st = preflight_find(call->argv[0], &path, err);
	if (st != SNAP_OK) {
		st = refuse(exit_code, st == SNAP_ENOTFOUND ? EXIT_NO_COMMAND : EXIT_NOT_EXECUTABLE,
			    err);
		goto out;
	}
	if (preflight_check(path, err) != SNAP_OK || library_find(&library, err) != SNAP_OK ||
	    library_preloadable(library, &preloaded, err) != SNAP_OK ||
	    launch_prepare_directory(options->out, &dir, err) != SNAP_OK) {
		st = refuse(exit_code, EXIT_NO_CAPTURE, err);
		goto out;
	}
	launch.path = path;
	launch.library = preloaded;
	launch.dir = dir;
	launch.announce = !options->quiet && options->repeat == 1;
	st = run_series(options, &launch, exit_code, err);
	if (st == SNAP_ENOTFOUND)
		st = refuse(exit_code, EXIT_NO_COMMAND, err);
	else if (st == SNAP_EIO)
		st = refuse(exit_code, EXIT_NOT_EXECUTABLE, err);
	else if (st != SNAP_OK)
		st = refuse(exit_code, EXIT_NO_CAPTURE, err);
out:
	free(path);
	free(library);
	free(preloaded);
	free(dir);
	return st;
}

const struct command cmd_run = {
	.name = "run",
	.summary = "Record a command: write snapshots of its heap while it runs",
	.usage = "[options] -- COMMAND [ARG...]",
	.group = "capture",
	.details = "Starts COMMAND with libsnap preloaded.  Every process that it starts is "
		   "recorded, each\n"
		   "under its own pid, into DIR/<program>.<pid>.<seq>.snap.  A snapshot at exit is "
		   "always\n"
		   "taken unless --exit-snapshot says otherwise.\n\n"
		   "The exit status is the command's own; 128+n if signal n ended it; 4 if the "
		   "command\n"
		   "succeeded but nothing could be recorded; 125 if capture could not start; 126 "
		   "and 127 as\n"
		   "a shell would.",
	.options = run_tables,
	.options_size = sizeof(struct run_options),
	.defaults = &run_defaults,
	.operands_min = 1,
	.operands_max = -1,
	.operands_end_options = true,
	.run = run_run,
};
