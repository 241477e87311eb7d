/*
 * choose.c - choose the snapshot of a directory for a report that shows one.
 *
 * A directory may have the snapshots of several runs.  The choice is the last run, then the process
 * with the largest heap, then its newest snapshot.  If that one was taken at the program's exit and
 * an earlier one holds more, the fullest is chosen: at exit most memory has been freed, and the
 * user wants to know what the program needed. --at asks for another one.
 */
#include "snapshots/snapshots.h"
#include "snapshots/state.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/fail.h"
#include "base/shell.h"

struct candidate {
	int64_t id, run_id;
	uint64_t pid, parent, start_ns, time_ns, live_bytes;
	char *path, *program;
	bool at_exit;
	size_t place; /* in order of capture */
};

struct candidates {
	struct candidate *items; /* a process's follow each other, in order of capture */
	size_t count, capacity;
};

/* The chosen snapshot, and what else there is. */
struct choice {
	const struct candidate *shown, *newest;
	size_t number, of; /* the shown one's place among those of its process */
	size_t processes;  /* of the last run that left snapshots in the directory */
	size_t runs;
	uint64_t peak_bytes; /* of the process's heap, if known; else 0 */
};

static void candidates_free(struct candidates *candidates)
{
	for (size_t i = 0; i < candidates->count; i++) {
		free(candidates->items[i].path);
		free(candidates->items[i].program);
	}
	free(candidates->items);
}

static enum snap_status add_candidate(void *user, const struct store_snapshot *row)
{
	struct candidates *candidates = user;
	struct candidate *item;

	if (!array_reserve(&candidates->items, &candidates->capacity, candidates->count,
			   sizeof(*candidates->items)))
		return SNAP_ENOMEM;
	item = &candidates->items[candidates->count++];
	*item = (struct candidate){
		.id = row->id,
		.run_id = row->run_id,
		.pid = row->pid,
		.start_ns = row->start_ns,
		.time_ns = row->time_ns,
		.live_bytes = row->live_bytes == SNAP_UNKNOWN ? 0 : row->live_bytes,
		.path = strdup(row->path),
		.program = strdup(row->program),
		.at_exit = strcmp(row->trigger, "exit") == 0,
		.place = candidates->count,
	};
	return item->path && item->program ? SNAP_OK : SNAP_ENOMEM;
}

/* The one that `at` asks for; NULL if the process left none. */
static const struct candidate *candidate_at(enum snapshots_moment at,
					    const struct candidate *fullest,
					    const struct candidate *newest)
{
	switch (at) {
	case MOMENT_PEAK:
		return fullest;
	case MOMENT_NEWEST:
		return newest;
	case MOMENT_EXIT:
		return newest->at_exit ? newest : NULL;
	default:
		return newest->at_exit ? fullest : newest;
	}
}

/* The process's candidates are items[from..to). */
static void choose_of_process(struct choice *choice, const struct candidates *candidates,
			      size_t from, size_t to, enum snapshots_moment at)
{
	const struct candidate *items = candidates->items, *fullest = &items[to - 1];

	for (size_t i = from; i < to; i++)
		if (items[i].live_bytes > fullest->live_bytes)
			fullest = &items[i];
	choice->newest = &items[to - 1];
	choice->shown = candidate_at(at, fullest, choice->newest);
	choice->number = choice->shown ? (size_t)(choice->shown - &items[from]) + 1 : 0;
	choice->of = to - from;
}

static uint64_t most_in(const struct candidates *candidates, size_t from, size_t to)
{
	uint64_t most = 0;

	for (size_t i = from; i < to; i++)
		if (candidates->items[i].live_bytes > most)
			most = candidates->items[i].live_bytes;
	return most;
}

static size_t end_of_process(const struct candidates *candidates, size_t from)
{
	size_t to = from + 1;

	while (to < candidates->count &&
	       candidates->items[to].run_id == candidates->items[from].run_id)
		to++;
	return to;
}

/* Is one the other's parent, its sibling, or itself under another program? */
static bool are_relatives(const struct candidate *a, const struct candidate *b)
{
	if (a->pid == 0 || b->pid == 0)
		return false;
	return a->pid == b->pid || a->parent == b->pid || b->parent == a->pid ||
	       (a->parent != 0 && a->parent == b->parent);
}

/*
 * A run begins with a process that starts when all before it have ended, and that is no relative of
 * theirs.  `end_ns` is when the last of the processes in items[first..at) ended.
 */
static bool begins_run(const struct candidates *candidates, size_t first, size_t at,
		       uint64_t end_ns)
{
	if (candidates->items[at].start_ns <= end_ns)
		return false;
	for (size_t i = first; i < at; i++)
		if (are_relatives(&candidates->items[i], &candidates->items[at]))
			return false;
	return true;
}

/* Where the processes of the last run begin. */
static size_t find_last_run(struct choice *choice, const struct candidates *candidates)
{
	uint64_t end_ns = 0;
	size_t first = 0;

	for (size_t from = 0, to; from < candidates->count; from = to) {
		to = end_of_process(candidates, from);
		if (from == 0 || begins_run(candidates, first, from, end_ns)) {
			first = from;
			choice->runs++;
		}
		if (candidates->items[to - 1].time_ns > end_ns)
			end_ns = candidates->items[to - 1].time_ns;
	}
	return first;
}

/* Of several processes the one that held most; the later one, if two held the same. */
static void choose_process(struct choice *choice, const struct candidates *candidates,
			   enum snapshots_moment at)
{
	uint64_t most = 0;

	for (size_t from = find_last_run(choice, candidates), to; from < candidates->count;
	     from = to) {
		to = end_of_process(candidates, from);
		choice->processes++;
		if (most_in(candidates, from, to) < most)
			continue;
		most = most_in(candidates, from, to);
		choose_of_process(choice, candidates, from, to, at);
	}
}

/* A process's snapshots must be neighbours, whatever was written at the same time. */
static int compare_runs(const void *a, const void *b)
{
	const struct candidate *left = a, *right = b;

	if (left->start_ns != right->start_ns)
		return left->start_ns < right->start_ns ? -1 : 1;
	if (left->run_id != right->run_id)
		return left->run_id < right->run_id ? -1 : 1;
	return (left->place > right->place) - (left->place < right->place);
}

/* Which process started which is in the files only.  Files that are gone meanwhile have no parents.
 */
static enum snap_status read_parents(struct candidates *candidates, struct snap_error *err)
{
	enum snap_status st = SNAP_OK;

	for (size_t from = 0, to; st == SNAP_OK && from < candidates->count; from = to) {
		struct input_time time;

		to = end_of_process(candidates, from);
		st = input_read_time(candidates->items[from].path, &time, err);
		for (size_t i = from; i < to; i++)
			candidates->items[i].parent = time.ppid;
	}
	return st;
}

/* A damaged file that `facts` left out is left out of `snapshots`, too.  A file of which `facts`
 * could read a part counts as damaged. */
static enum snap_status pass_on_damage(struct snapshots *snapshots, const struct snapshots *facts,
				       struct snap_error *err)
{
	for (size_t i = 0; i < facts->skipped_count; i++)
		if (!snapshots_keep_skipped(snapshots, facts->skipped[i]))
			return fail_memory(err, "listing damaged files");
	snapshots->damaged += facts->damaged - facts->skipped_count;
	return SNAP_OK;
}

/* Say what was left out, and keep why. */
static enum snap_status pass_on_without_census(struct snapshots *snapshots, struct snapshots *facts,
					       const char *dir, struct snap_error *err)
{
	enum snap_status st = snapshots_say_without_census(facts, dir, err);

	without_census_release(&snapshots->without_census);
	snapshots->without_census = facts->without_census;
	facts->without_census = (struct without_census){0};
	return st;
}

static enum snap_status take_peak(void *user, const char *key, const char *value)
{
	if (strcmp(key, "heap.peak_bytes") == 0)
		*(uint64_t *)user = strtoull(value, NULL, 10);
	return SNAP_OK;
}

static const char *bytes_text(uint64_t bytes, char buffer[32])
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
	double value = (double)bytes / 1024;
	size_t unit = 0;

	if (bytes < 1024) {
		snprintf(buffer, 32, "%" PRIu64 " B", bytes);
		return buffer;
	}
	for (; value >= 1024 && unit < 3; unit++)
		value /= 1024;
	snprintf(buffer, 32, "%.1f %s", value, units[unit]);
	return buffer;
}

/* "at the peak" only where the snapshot holds all but a 25th of it: a kept peak may lack a 32nd,
 * or 512 KiB. */
static void say_fullest(const struct choice *choice, const char *dir, FILE *out)
{
	const struct candidate *shown = choice->shown, *newest = choice->newest;
	char peak[32], left[32], *word = shell_word(dir);
	bool at_peak = choice->peak_bytes && shown->live_bytes >= choice->peak_bytes / 100 * 96;

	fprintf(out, "%s (snapshot %zu of %zu", at_peak ? "at the peak" : "the fullest",
		choice->number, choice->of);
	if (!at_peak && choice->peak_bytes)
		fprintf(out, "; the peak was %s", bytes_text(choice->peak_bytes, peak));
	fprintf(out, newest->at_exit ? "); at exit %s were left" : "); the newest holds %s",
		bytes_text(newest->live_bytes, left));
	fprintf(out, ": snapdiff top --at %s %s", newest->at_exit ? "exit" : "newest",
		word ? word : dir);
	free(word);
}

/* One sentence, if there was a choice. */
static enum snap_status say(const struct snapshots *snapshots, const char *dir,
			    const struct choice *choice, struct snap_error *err)
{
	bool wants_exit = snapshots->options.at == MOMENT_EXIT;
	char *text = NULL;
	size_t size;
	FILE *out;

	if (!snapshots->options.notice ||
	    (choice->of == 1 && choice->processes == 1 && choice->runs == 1))
		return SNAP_OK;
	out = open_memstream(&text, &size);
	if (!out)
		return fail_memory(err, "choosing a snapshot");
	fprintf(out, "From %s: ", dir);
	if (choice->runs > 1)
		fprintf(out, "the last of %zu runs; ", choice->runs);
	if (choice->processes > 1)
		fprintf(out, "%s, pid %" PRIu64 ", which held most of %zu processes; ",
			choice->shown->program, choice->shown->pid, choice->processes);
	if (choice->shown != choice->newest)
		say_fullest(choice, dir, out);
	else
		fprintf(out, "%s (snapshot %zu of %zu)%s.",
			wants_exit ? "at the exit" : "the newest", choice->number, choice->of,
			choice->shown->at_exit && !wants_exit ? ", taken at the program's exit"
							      : "");
	if (fclose(out) != 0 || !text) {
		free(text);
		return fail_memory(err, "choosing a snapshot");
	}
	snapshots_notice(snapshots,
			 &(struct notice){.kind = NOTICE_SNAPSHOT_CHOSEN, .texts = {text}});
	free(text);
	return SNAP_OK;
}

/* The facts of every snapshot in `dir`; `facts` loads no call stacks. */
static enum snap_status read_facts(struct snapshots *facts, const char *dir,
				   struct candidates *candidates, struct snap_error *err)
{
	int64_t *ids = NULL;
	size_t count = 0;
	enum snap_status st = snapshots_list(facts, &dir, 1, &ids, &count, err);

	if (st == SNAP_OK)
		st = store_each_snapshot(facts->store, add_candidate, candidates, err);
	free(ids);
	return st;
}

enum snap_status snapshots_choose(struct snapshots *snapshots, const char *dir, char **path,
				  struct snap_error *err)
{
	struct snapshots_options options = {.pid = snapshots->options.pid,
					    .program = snapshots->options.program,
					    .quiet = snapshots->options.quiet,
					    .notice = snapshots->options.notice,
					    .user = snapshots->options.user,
					    .census = snapshots->options.census,
					    .facts_only = true};
	struct candidates candidates = {0};
	struct choice choice = {0};
	struct snapshots *facts = NULL;
	enum snap_status st = snapshots_open(&facts, &options, err);

	*path = NULL;
	if (st == SNAP_OK)
		st = read_facts(facts, dir, &candidates, err);
	if (st == SNAP_OK && candidates.count) {
		qsort(candidates.items, candidates.count, sizeof(*candidates.items), compare_runs);
		st = read_parents(&candidates, err);
	}
	if (st == SNAP_OK && candidates.count) {
		choose_process(&choice, &candidates, snapshots->options.at);
		st = store_each_metric(facts->store, choice.newest->id, take_peak,
				       &choice.peak_bytes, err);
	}
	if (st == SNAP_OK && candidates.count && !choice.shown)
		st = fail(err, SNAP_EUSAGE,
			  "%s: %s, pid %" PRIu64
			  ", left no snapshot of its exit; --at newest shows its last one",
			  dir, choice.newest->program, choice.newest->pid);
	if (st == SNAP_OK && candidates.count) {
		*path = strdup(choice.shown->path);
		st = *path ? say(snapshots, dir, &choice, err)
			   : fail_memory(err, "choosing a snapshot");
	}
	if (facts && st == SNAP_OK)
		st = pass_on_damage(snapshots, facts, err);
	if (facts && st == SNAP_OK)
		st = pass_on_without_census(snapshots, facts, dir, err);
	snapshots_close(facts);
	candidates_free(&candidates);
	return st;
}
