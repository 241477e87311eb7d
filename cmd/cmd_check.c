/*
 * cmd_check.c - `snapdiff check`: judge memory against a policy, for CI.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fail.h"
#include "check_gather.h"
#include "check_record.h"
#include "cli/cli.h"
#include "compare_command.h"
#include "growth_command.h"
#include "input/input.h"
#include "leaks_command.h"
#include "read_symbolised.h"
#include "render/output.h"
#include "render/render.h"
#include "report/check.h"
#include "snapshots/snapshots.h"
#include "suppression_file.h"

enum { SUMMARY_MAX = 1 << 20 };
enum annotate { ANNOTATE_AUTO, ANNOTATE_NONE, ANNOTATE_GITHUB, ANNOTATE_GITLAB };

static const char default_policy[] = "snapdiff.conf";
static const char gitlab_file[] = "gl-code-quality-report.json";

struct check_options {
	struct report_options shared;
	struct policy_texts texts;
	const char *policy, *write_baseline, *keep;
	struct check_how how;
	int python, exit_snapshot; /* as for run; 0 is the default */
	struct text_list baseline, suppressions, also;
	uint64_t runs, warmup;
	bool strict;
	int annotate;
};

static const char *const annotate_names[] = {"auto", "none", "github", "gitlab", NULL};

/* The choices of `run`: the first one is the default. */
static const char *const python_choices[] = {"auto", "on", "off", NULL};
static const char *const exit_choices[] = {"late", "early", NULL};

#define AT(member) offsetof(struct check_options, member)
static const struct option check_table[] = {
	{"baseline", 0, OPTION_LIST, AT(baseline), "SNAP",
	 "compare with this snapshot, or this file of --write-baseline; may be repeated", NULL},
	{"run", 0, OPTION_COUNT, AT(runs), "N",
	 "record the command behind -- N times, and judge it", NULL},
	{"warmup", 0, OPTION_COUNT, AT(warmup), "K", "with --run: K runs before, not recorded",
	 NULL},
	{"every", 0, OPTION_DURATION, AT(how.every_ns), "DUR", "with --run: a snapshot each DUR",
	 NULL},
	{"at-growth", 0, OPTION_SIZE, AT(how.at_growth), "SIZE",
	 "with --run: ... each time the live heap has grown by SIZE", NULL},
	{"at-peak", 0, OPTION_SIZE, AT(how.at_peak), "SIZE",
	 "with --run: ... each time its maximum has risen by SIZE", NULL},
	{"sample", 0, OPTION_SIZE, AT(how.sample), "SIZE",
	 "with --run: record one allocation per SIZE bytes on average", NULL},
	{"depth", 0, OPTION_COUNT, AT(how.depth), "N",
	 "with --run: keep the newest N frames of a call stack", NULL},
	{"mmap", 0, OPTION_FLAG, AT(how.mmap), NULL, "with --run: record anonymous mappings, too",
	 NULL},
	{"python", 0, OPTION_CHOICE, AT(python), "WHEN",
	 "with --run: record the lines of Python programs", python_choices},
	{"exit-snapshot", 0, OPTION_CHOICE, AT(exit_snapshot), "WHEN",
	 "with --run: the snapshot at exit: late (after static destructors) or early",
	 exit_choices},
	{"no-follow", 0, OPTION_FLAG, AT(how.no_follow), NULL,
	 "with --run: record neither forked nor executed descendants", NULL},
	{"keep", 0, OPTION_TEXT, AT(keep), "DIR", "with --run: keep the snapshots in DIR", NULL},
	{"policy", 0, OPTION_TEXT, AT(policy), "FILE",
	 "limits from FILE (default: snapdiff.conf, where there is one)", NULL},
	{"suppressions", 0, OPTION_LIST, AT(suppressions), "FILE",
	 "do not count what FILE names (LeakSanitizer's syntax); may be repeated", NULL},
	{"max-total", 0, OPTION_TEXT, AT(texts.max_total), "LIMIT",
	 "all recorded memory: +5%, +64KiB, or 64MiB", NULL},
	{"max-site", 0, OPTION_TEXT, AT(texts.max_site), "LIMIT",
	 "any one site, likewise (default with a baseline: +64KiB)", NULL},
	{"max-new-sites", 0, OPTION_TEXT, AT(texts.max_new_sites), "N",
	 "sites that the baseline does not have", NULL},
	{"max-growth", 0, OPTION_TEXT, AT(texts.max_growth), "RATE",
	 "all sites that leak, together: 1MiB/h", NULL},
	{"fail-on", 0, OPTION_TEXT, AT(texts.fail_on), "LIST",
	 "verdicts of growth that fail (default: leak:medium,container-growth:medium)", NULL},
	{"max-never-freed", 0, OPTION_TEXT, AT(texts.max_never_freed), "SIZE",
	 "what is live in the snapshot at exit", NULL},
	{"max-unreachable", 0, OPTION_TEXT, AT(texts.max_unreachable), "SIZE",
	 "what nothing reaches any more; --run then records who holds what", NULL},
	{"max-peak", 0, OPTION_TEXT, AT(texts.max_peak), "LIMIT", "the peak of recorded memory",
	 NULL},
	{"max-rss", 0, OPTION_TEXT, AT(texts.max_rss), "LIMIT", "resident memory", NULL},
	{"min-delta", 0, OPTION_TEXT, AT(texts.min_delta), "SIZE",
	 "show smaller increases of a site, do not count them", NULL},
	{"require-confirm", 0, OPTION_TEXT, AT(texts.require_confirm), "K",
	 "only what grew in all of at least K repeats counts", NULL},
	{"strict", 0, OPTION_FLAG, AT(strict), NULL,
	 "exit with 5 when something could not be judged", NULL},
	{"write-baseline", 0, OPTION_TEXT, AT(write_baseline), "FILE",
	 "write SNAP, or the runs, as a text to keep in the repository, and stop", NULL},
	{"also", 0, OPTION_LIST, AT(also), "FORMAT=FILE",
	 "write the result in FORMAT to FILE, too; may be repeated", gate_formats},
	{"annotate", 0, OPTION_CHOICE, AT(annotate), "WHERE",
	 "auto (default: from the environment), none, github or gitlab", annotate_names},
	{"match", 0, OPTION_CHOICE, AT(shared.match), "LEVEL", REPORT_MATCH_HELP, pair_level_names},
	{"own", 0, OPTION_LIST, AT(shared.own), "GLOB",
	 "functions, files and modules that match are the user's own code", NULL},
	{"library", 0, OPTION_LIST, AT(shared.library), "GLOB",
	 "those that match are a library's, which names no site", NULL},
	{"group", 'g', OPTION_CHOICE, AT(shared.group), "KEY",
	 "a site is a line (default), function, file, module or stack", group_key_names},
	{"format", 'f', OPTION_CHOICE, AT(shared.format), "F", NULL, gate_formats},
	{"output", 'o', OPTION_TEXT, AT(shared.output), "FILE",
	 "write to FILE, whole or not at all", NULL},
	{"pid", 0, OPTION_COUNT, AT(shared.pid), "PID", "only snapshots of this process", NULL},
	{"program", 0, OPTION_TEXT, AT(shared.program), "NAME", "only snapshots of this program",
	 NULL},
	{"no-pager", 0, OPTION_FLAG, AT(shared.no_pager), NULL, "do not page output on a terminal",
	 NULL},
	{"quiet", 'q', OPTION_FLAG, AT(shared.quiet), NULL, "no progress, and no closing lines",
	 NULL},
	{"verbose", 'v', OPTION_FLAG, AT(shared.verbose), NULL, "exact bytes in tables", NULL},
	{NULL, 0, OPTION_FLAG, 0, NULL, NULL, NULL},
};
static const struct option *const check_tables[] = {check_table, cli_memory_table,
						    cli_symbols_table, NULL};

/* --match and --group: what is not given comes from the policy file. */
enum { CHOICE_UNSET = -1 };

static const struct check_options check_defaults = {.shared = {.limit = REPORT_LIMIT_UNSET,
							       .match = CHOICE_UNSET,
							       .group = CHOICE_UNSET,
							       .formats = gate_formats}};

/* The state of one run of the command. */
struct check {
	struct check_options *options;
	const char *const *names; /* the new side */
	size_t count;
	struct policy_file file;
	struct policy policy;
	struct suppressions suppressions;
	const char *policy_file;
	struct check_gathered gathered;
	struct report *compare, *growth, *leaks, *report;
	struct snap_error no_growth; /* why growth judged nothing */
};

/* ---- texts from files ------------------------------------------------------------------------ */

/* The whole of a text file; NULL with SNAP_ENOTFOUND when there is none. */
static enum snap_status read_policy_file(struct check *check, struct snap_error *err)
{
	const char *path = check->options->policy ? check->options->policy : default_policy;
	char *text;
	enum snap_status st = text_file_read(path, &text, err);

	if (st == SNAP_ENOTFOUND && !check->options->policy)
		return SNAP_OK;
	check->policy_file = path;
	if (st == SNAP_OK)
		st = policy_file_parse(&check->file, text, path, err);
	free(text);
	return st;
}

/* Take from the file what the command line does not give. */
static void overlay(const char **given, const char *from_file)
{
	if (!*given)
		*given = from_file;
}

static void overlay_list(struct text_list *given, const struct policy_values *from_file)
{
	if (!given->count)
		*given = (struct text_list){from_file->items, from_file->count};
}

/* The file's word is one of `choices`. */
static void overlay_choice(int *given, const char *from_file, int otherwise,
			   const char *const *choices)
{
	if (*given != CHOICE_UNSET)
		return;
	*given = otherwise;
	for (int i = 0; from_file && choices[i]; i++)
		if (strcmp(from_file, choices[i]) == 0)
			*given = i;
}

/* What is compared with what, and how. */
static void overlay_inputs(struct check *check)
{
	struct check_options *options = check->options;
	const struct policy_file *file = &check->file;

	overlay_choice(&options->shared.match, file->match, PAIR_FUZZY, pair_level_names);
	overlay_choice(&options->shared.group, file->group, GROUP_LINE, group_key_names);
	overlay_list(&options->baseline, &file->baseline);
	overlay_list(&options->shared.own, &file->own);
	overlay_list(&options->shared.library, &file->library);
}

static bool has_limit_over_compare(const struct policy_texts *texts)
{
	return texts->max_total || texts->max_site || texts->max_new_sites;
}

static enum snap_status read_policy(struct check *check, struct snap_error *err)
{
	struct policy_texts texts = check->options->texts;
	const struct policy_texts *file = &check->file.texts;
	enum snap_status st = read_policy_file(check, err);

	if (st != SNAP_OK)
		return st;
	overlay_inputs(check);
	overlay(&texts.max_total, file->max_total);
	overlay(&texts.max_site, file->max_site);
	overlay(&texts.max_new_sites, file->max_new_sites);
	overlay(&texts.max_growth, file->max_growth);
	overlay(&texts.fail_on, file->fail_on);
	overlay(&texts.max_never_freed, file->max_never_freed);
	overlay(&texts.max_unreachable, file->max_unreachable);
	overlay(&texts.max_peak, file->max_peak);
	overlay(&texts.max_rss, file->max_rss);
	overlay(&texts.min_delta, file->min_delta);
	overlay(&texts.require_confirm, file->require_confirm);
	if (check->options->baseline.count && !has_limit_over_compare(&texts))
		texts.max_site = "+64KiB";
	st = policy_parse(&check->policy, &texts, err);
	check->policy.scopes = check->file.scopes;
	check->policy.scope_count = check->file.scope_count;
	return st;
}

static enum snap_status read_suppressions(struct check *check, struct snap_error *err)
{
	const struct text_list *given = &check->options->suppressions;
	const char *path = check->file.suppressions;
	struct text_list from_file = {&path, 1};
	const struct text_list *files =
		given->count || !check->file.suppressions ? given : &from_file;

	if (files->count == 0)
		return SNAP_OK;
	return suppression_files_read(&check->suppressions, files->items, files->count, err);
}

/* ---- judging --------------------------------------------------------------------------------- */

/* Growth judges a series: without a baseline everything that was named, with a baseline a
 * directory. */
static bool judges_growth(const struct check *check)
{
	return check->options->baseline.count == 0 ||
	       (check->count == 1 && snapshots_is_directory(check->names[0]) &&
		check->gathered.new_.count > 1);
}

/* The names that growth judges: all named snapshots; for a pool of workers, what each run left, and
   other programs. */
static const char **names_for_growth(const struct check *check, size_t *count)
{
	const struct check_side *side = &check->gathered.new_;
	const char **names = malloc((check->count + side->count + 1) * sizeof(*names));

	*count = 0;
	if (!names)
		return NULL;
	for (size_t i = 0; !side->is_pool && i < check->count; i++)
		names[(*count)++] = check->names[i];
	for (size_t i = 0; side->is_pool && i < side->count; i++)
		if (side->items[i].is_repeat ||
		    strcmp(side->items[i].program, check->gathered.facts.program) != 0)
			names[(*count)++] = side->items[i].path;
	return names;
}

/* The path of the snapshot of a directory that holds most, as far as that is known; NULL: files were
 * named. */
static const char *fullest_of_directories(const struct check *check)
{
	const struct check_side *side = &check->gathered.new_;
	const struct check_snapshot *most = NULL;

	for (size_t i = 0; i < check->count; i++)
		if (!snapshots_is_directory(check->names[i]))
			return NULL;
	for (size_t i = 0; i < side->count; i++)
		if (!most || isnan(most->live) || side->items[i].live > most->live)
			most = &side->items[i];
	return most ? most->path : NULL;
}

/* Processes that are no series are compared all the same; without a baseline the fullest is held
 * against the levels. */
static enum snap_status judge_no_series(struct check *check, const struct growth_command *command,
					const struct snap_error *why, struct snap_error *err)
{
	const char *fullest = fullest_of_directories(check);

	if (!check->options->baseline.count && !fullest)
		return fail(err, SNAP_ENOSERIES, "%s", why->message);
	check->no_growth = *why;
	check->gathered.facts.no_growth = check->no_growth.message;
	return check->options->baseline.count
		       ? SNAP_OK
		       : growth_make(&check->growth, command, &fullest, 1, err);
}

static enum snap_status make_growth(struct check *check, struct snap_error *err)
{
	struct growth_command command = {.shared = check->options->shared};
	struct snap_error why = {0};
	enum snap_status st;
	size_t count;
	const char **names = names_for_growth(check, &count);

	if (!names)
		return fail_memory(err, "naming snapshots");
	command.shared.all = true;
	command.shared.keep_progress = !command.shared.quiet;
	command.shared.quiet = true;
	command.per = check->policy.has_max_growth ? "second" : NULL;
	st = growth_make(&check->growth, &command, names, count, &why);
	free(names);
	if (st == SNAP_ENOSERIES)
		return judge_no_series(check, &command, &why, err);
	return st == SNAP_OK ? st : fail(err, st, "%s", why.message);
}

/* Without suppressions: check_judge() applies them. */
static enum snap_status make_leaks(struct check *check, struct snap_error *err)
{
	const char *name = check->gathered.most_unreachable;
	struct leaks_command command = {.shared = check->options->shared};

	if (!check->policy.max_unreachable.text || !name)
		return SNAP_OK;
	command.shared.all = true;
	command.shared.keep_progress = !command.shared.quiet;
	command.shared.quiet = true;
	return leaks_make(&check->leaks, &command, name, err);
}

/* Add the exit snapshots of repeated runs, or the names if the side has no runs. */
static size_t add_names(const char **names, size_t at, const struct check_side *side,
			const char *const *named, size_t count)
{
	bool repeats = side->run_count > 0;

	if (repeats)
		count = side->run_count;
	memcpy(names + at, repeats ? side->runs : named, count * sizeof(*names));
	return at + count;
}

/* OLD... -- NEW... */
static enum snap_status make_compare(struct check *check, struct snap_error *err)
{
	const struct text_list *baseline = &check->options->baseline;
	const struct check_side *old = &check->gathered.old, *new_ = &check->gathered.new_;
	const char **names =
		malloc((baseline->count + old->run_count + check->count + new_->run_count + 1) *
		       sizeof(*names));
	struct compare_command command = {.shared = check->options->shared};
	size_t count, separator;
	enum snap_status st;

	if (!names)
		return fail_memory(err, "naming snapshots");
	command.shared.all = true;
	command.shared.keep_progress = !command.shared.quiet;
	command.shared.quiet = true;
	separator = add_names(names, 0, old, baseline->items, baseline->count);
	names[separator] = "--";
	count = add_names(names, separator + 1, new_, check->names, check->count);
	check->gathered.facts.new_snapshots = count - separator - 1;
	st = compare_make(&check->compare, &command, names, count, err);
	free(names);
	return st;
}

/* A gate never ignores a damaged file. */
static void note_damaged(struct report *report, size_t damaged)
{
	if (damaged > report->damaged)
		report->damaged = damaged;
}

static enum snap_status judge(struct check *check, struct snap_error *err)
{
	struct check_request request = {
		.policy = &check->policy,
		.suppressions = check->suppressions.count ? &check->suppressions : NULL,
		.policy_file = check->policy_file,
		.today = suppression_today(),
	};
	enum snap_status st =
		check_gather(&check->gathered, &check->options->shared, &check->options->baseline,
			     check->names, check->count, err);

	if (st == SNAP_OK && check->options->baseline.count)
		st = make_compare(check, err);
	if (st == SNAP_OK && judges_growth(check))
		st = make_growth(check, err);
	if (st == SNAP_OK)
		st = make_leaks(check, err);
	if (st != SNAP_OK)
		return st;
	request.compare = check->compare;
	request.growth = check->growth;
	request.leaks = check->leaks;
	request.damage = &check->gathered.new_.damage;
	request.facts = check->gathered.facts;
	check->report = check_judge(&request);
	note_damaged(check->report, check->compare ? check->compare->damaged : 0);
	note_damaged(check->report, check->growth ? check->growth->damaged : 0);
	note_damaged(check->report, check->gathered.new_.damaged);
	return SNAP_OK;
}

/* ---- output ---------------------------------------------------------------------------------- */

/* The format of FORMAT=FILE, an index of gate_formats; -1: it is none. */
static int also_format(const char *also)
{
	size_t size = strcspn(also, "=");

	for (int i = 0; also[size] && also[size + 1] && gate_formats[i]; i++)
		if (strlen(gate_formats[i]) == size && strncmp(gate_formats[i], also, size) == 0)
			return i;
	return -1;
}

static enum snap_status check_also(const struct text_list *also, struct snap_error *err)
{
	for (size_t i = 0; i < also->count; i++)
		if (also_format(also->items[i]) < 0)
			return fail(err, SNAP_EUSAGE,
				    "--also wants FORMAT=FILE, such as junit=check.xml, not '%s'",
				    also->items[i]);
	return SNAP_OK;
}

static enum snap_status write_also(const struct check *check, const char *also,
				   struct snap_error *err)
{
	struct report_options options = check->options->shared;

	options.format = also_format(also);
	options.output = strchr(also, '=') + 1;
	options.quiet = true;
	options.warned = true;
	return output_report(check->report, &options, err);
}

/* GitHub reads its commands from both streams of a step.  They must not stand in the data of a
 * format that a program reads. */
static enum snap_status write_commands(const struct check *check, struct snap_error *err)
{
	const struct report_options *options = &check->options->shared;
	const char *format = gate_formats[options->format];
	struct render_options look = {0};

	if (strcmp(format, "github") == 0 && !options->output)
		return SNAP_OK;
	if (options->output || strcmp(format, "table") == 0)
		return write_also(check, "github=-", err);
	return render_find("github")->render(check->report, stderr, &look);
}

/* GitHub shows what is appended to this file on the page of the run. */
static enum snap_status append_summary(const struct check *check, const char *path,
				       struct snap_error *err)
{
	struct render_options look = {0};
	char *text = NULL;
	size_t size;
	FILE *memory = open_memstream(&text, &size), *out;
	bool written;

	if (!memory)
		return fail_memory(err, "writing the summary");
	render_find("markdown")->render(check->report, memory, &look);
	if (fclose(memory) != 0 || !text) {
		free(text);
		return fail_memory(err, "writing the summary");
	}
	out = size < SUMMARY_MAX ? fopen(path, "ae") : NULL;
	written = out && fwrite(text, 1, size, out) == size;
	free(text);
	if (out && fclose(out) != 0)
		written = false;
	if (!written)
		cli_warn("the step summary could not be written to %s", path);
	return SNAP_OK;
}

static bool is_true(const char *name)
{
	const char *value = getenv(name);

	return value && strcmp(value, "true") == 0;
}

static enum snap_status annotate(const struct check *check, struct snap_error *err)
{
	const char *summary = getenv("GITHUB_STEP_SUMMARY");
	int where = check->options->annotate;
	char gitlab[64];
	enum snap_status st = SNAP_OK;

	if (where == ANNOTATE_AUTO)
		where = is_true("GITHUB_ACTIONS") ? ANNOTATE_GITHUB
			: is_true("GITLAB_CI")    ? ANNOTATE_GITLAB
						  : ANNOTATE_NONE;
	if (where == ANNOTATE_GITLAB) {
		snprintf(gitlab, sizeof(gitlab), "gitlab=%s", gitlab_file);
		return write_also(check, gitlab, err);
	}
	if (where == ANNOTATE_GITHUB) {
		st = write_commands(check, err);
		if (st == SNAP_OK && summary && *summary)
			st = append_summary(check, summary, err);
	}
	return st;
}

static enum snap_status show(const struct check *check, struct snap_error *err)
{
	enum snap_status st = output_report(check->report, &check->options->shared, err);

	for (size_t i = 0; st == SNAP_OK && i < check->options->also.count; i++)
		st = write_also(check, check->options->also.items[i], err);
	return st == SNAP_OK ? annotate(check, err) : st;
}

/* ---- the command ----------------------------------------------------------------------------- */

/* Before anything is recorded, so that a mistake in the policy is reported at once. */
static enum snap_status prepare(struct check *check, struct snap_error *err)
{
	enum snap_status st = check_also(&check->options->also, err);

	if (st == SNAP_OK)
		st = read_policy(check, err);
	return st == SNAP_OK ? read_suppressions(check, err) : st;
}

static enum snap_status check_names(struct check *check, int *exit_code, struct snap_error *err)
{
	bool strict = check->options->strict;
	enum snap_status st = judge(check, err);

	if (st == SNAP_OK)
		st = show(check, err);
	if (st == SNAP_OK && check->report->finding)
		*exit_code = EXIT_FINDING;
	else if (st == SNAP_OK && (strict || check->file.strict) &&
		 check_is_inconclusive(check->report))
		*exit_code = EXIT_INCONCLUSIVE;
	return st;
}

static void check_release(struct check *check)
{
	report_free(check->report);
	report_free(check->compare);
	report_free(check->growth);
	report_free(check->leaks);
	check_gathered_release(&check->gathered);
	suppressions_release(&check->suppressions);
	policy_file_release(&check->file);
}

/* `models` has room for every path; what was read is the caller's. */
static enum snap_status read_runs(struct model **models, const struct check_paths *paths,
				  const struct report_options *options, struct snap_error *err)
{
	enum snap_status st = SNAP_OK;

	for (size_t i = 0; st == SNAP_OK && i < paths->count; i++)
		st = read_symbolised(&models[i], paths->items[i], false, options->quiet, err);
	return st;
}

static enum snap_status write_baseline(const struct check_options *options,
				       const char *const *names, size_t count,
				       struct snap_error *err)
{
	struct report_options to = options->shared;
	struct check_paths paths;
	struct model **models = NULL;
	struct output output;
	enum snap_status st = check_baseline_sources(&paths, &options->shared, names, count, err);

	if (st == SNAP_OK && !(models = calloc(paths.count + 1, sizeof(struct model *))))
		st = fail_memory(err, "writing a baseline");
	if (st == SNAP_OK)
		st = read_runs(models, &paths, &options->shared, err);
	to.output = strcmp(options->write_baseline, "-") == 0 ? NULL : options->write_baseline;
	if (st == SNAP_OK)
		st = output_open(&output, &to, false, err);
	if (st == SNAP_OK) {
		st = input_write_baseline((const struct model *const *)models, paths.count,
					  output.stream, err);
		st = output_close(&output, st == SNAP_EIO ? SNAP_OK : st, err); /* names the file */
	}
	for (size_t i = 0; models && i < paths.count; i++)
		model_free(models[i]);
	free(models);
	check_paths_release(&paths);
	return st;
}

static enum snap_status check_command(struct check_options *options, const char *const *argv,
				      int *exit_code, struct snap_error *err)
{
	struct check_recording recording = {.runs = options->runs,
					    .warmup = options->warmup,
					    .how = options->how,
					    .keep = options->keep,
					    .argv = argv};
	const char *names[1];
	char *directory = NULL;
	struct check check = {.options = options, .names = names, .count = 1};
	enum snap_status st = prepare(&check, err);

	recording.how.python = python_choices[options->python];
	recording.how.exit_snapshot = exit_choices[options->exit_snapshot];
	recording.holders = check.policy.max_unreachable.text != NULL;
	if (st == SNAP_OK)
		st = check_record(&recording, &directory, err);
	names[0] = directory;
	if (st == SNAP_OK && options->write_baseline)
		st = write_baseline(options, names, 1, err);
	else if (st == SNAP_OK)
		st = check_names(&check, exit_code, err);
	check_release(&check);
	check_record_done(&recording, directory);
	return st;
}

static bool records_somehow(const struct check_options *options)
{
	const struct check_how *how = &options->how;

	return how->every_ns || how->at_growth || how->at_peak || how->sample || how->depth ||
	       how->mmap || how->no_follow || options->python || options->exit_snapshot;
}

static enum snap_status check_run(const struct invocation *call, int *exit_code,
				  struct snap_error *err)
{
	const struct check_options *given = call->options;
	struct check_options copy = *given, *options = &copy; /* the policy file adds to it */
	const char *const *names = (const char *const *)call->argv;
	bool separated = call->argc > 0 && strcmp(names[0], "--") == 0;
	struct check check = {.options = options, .names = names, .count = (size_t)call->argc};
	enum snap_status st;

	if (options->how.mmap && options->how.sample)
		return fail(err, SNAP_EUSAGE,
			    "--mmap works only with exact recording: leave --sample out");
	if (options->runs) {
		if (!separated || call->argc < 2)
			return fail(err, SNAP_EUSAGE,
				    "--run needs a command after --: check --run 3 -- ./test");
		return check_command(options, names + 1, exit_code, err);
	}
	if (options->warmup || options->keep || records_somehow(options))
		return fail(err, SNAP_EUSAGE,
			    "--warmup, --keep and the options of recording need --run");
	if (call->argc == 0 || separated)
		return fail(err, SNAP_EUSAGE, "name the snapshots to judge, or record with --run");
	if (options->write_baseline)
		return write_baseline(options, names, check.count, err);
	st = prepare(&check, err);
	if (st == SNAP_OK)
		st = check_names(&check, exit_code, err);
	check_release(&check);
	return st;
}

const struct command cmd_check = {
	.name = "check",
	.summary = "Judge memory against a policy: a gate for CI",
	.usage = "[options] SNAP... | [options] NEW --baseline OLD | --run N -- COMMAND [ARG...]",
	.group = "gate",
	.details =
		"Without a baseline the snapshots are a series, and the verdicts of growth are "
		"judged.\n"
		"With one, NEW is compared with it; a directory is judged by growth as well.\n\n"
		"A LIMIT is an increase (+5%, +64KiB) or a level (64MiB).  Every option that is a "
		"limit is\n"
		"also a key of the policy file, which may have rules for modules, functions and "
		"files.\n\n"
		"The exit code is 0 when all rules passed, 1 for a finding and for nothing else, 3 "
		"for a\n"
		"broken input, and with --strict 5 when something could not be judged.",
	.options = check_tables,
	.options_size = sizeof(struct check_options),
	.defaults = &check_defaults,
	.operands_min = 0,
	.operands_max = -1,
	.keeps_separator = true,
	.run = check_run,
};
