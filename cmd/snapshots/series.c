/*
 * series.c - split snapshots into series.  The snapshots of one process are a series.  Processes of
 * one program that ran one after the other are one series together.
 */
#include "snapshots/snapshots.h"
#include "snapshots/state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"

#define LISTED_PROCESSES 6 /* as many as fit an error sentence */

/* One process: from its start (or first snapshot) to its last snapshot. */
struct process {
	int64_t run_id;
	uint64_t pid, start_ns, end_ns;
	const char *program;
	size_t snapshots;
};

/* The snapshots that are split, in the order of capture. */
struct chosen {
	const struct snapshot_entry **entries;
	size_t count;
};

/* Both `list` and `ids` are in the order of capture. */
static bool choose(struct chosen *chosen, const struct snapshot_list *list, const int64_t *ids,
		   size_t count)
{
	chosen->entries = calloc(count + 1, sizeof(*chosen->entries));
	for (size_t i = 0; chosen->entries && i < list->count; i++)
		if (chosen->count < count && list->entries[i].id == ids[chosen->count])
			chosen->entries[chosen->count++] = &list->entries[i];
	return chosen->entries != NULL;
}

static void add_snapshot(struct process *processes, size_t *count,
			 const struct snapshot_entry *entry)
{
	struct process *process = NULL;

	for (size_t i = *count; i-- > 0 && !process;)
		if (processes[i].run_id == entry->run_id)
			process = &processes[i];
	if (!process) {
		process = &processes[(*count)++];
		*process = (struct process){
			.run_id = entry->run_id,
			.pid = entry->pid,
			.start_ns = entry->start_ns ? entry->start_ns : entry->time_ns,
			.program = entry->program,
		};
	}
	process->snapshots++;
	if (entry->time_ns > process->end_ns)
		process->end_ns = entry->time_ns;
}

/* By program, then by start. */
static int compare_starts(const void *a, const void *b)
{
	const struct process *left = a, *right = b;
	int order = strcmp(left->program, right->program);

	if (order)
		return order;
	return (left->start_ns > right->start_ns) - (left->start_ns < right->start_ns);
}

static bool follow_each_other(const struct process *processes, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (processes[i].start_ns < processes[i - 1].end_ns)
			return false;
	return true;
}

/* How many processes from the first are of its program. */
static size_t same_program(const struct process *processes, size_t count)
{
	size_t same = 1;

	while (same < count && strcmp(processes[same].program, processes[0].program) == 0)
		same++;
	return same;
}

static bool is_of(const struct process *processes, size_t count, int64_t run_id)
{
	for (size_t i = 0; i < count; i++)
		if (processes[i].run_id == run_id)
			return true;
	return false;
}

/* One series of all snapshots of `count` processes. */
static bool add_series(struct snapshots_series_list *out, const struct process *processes,
		       size_t count, size_t pool, const struct chosen *chosen)
{
	struct snapshots_series *series = &out->series[out->count];

	*series = (struct snapshots_series){
		.program = strdup(processes->program),
		.pid = processes[count - 1].pid,
		.start_ns = processes[count - 1].start_ns,
		.processes = count,
		.pool = pool,
		.ids = calloc(chosen->count + 1, sizeof(*series->ids)),
	};
	out->count++;
	if (!series->program || !series->ids)
		return false;
	for (size_t i = 0; i < chosen->count; i++)
		if (is_of(processes, count, chosen->entries[i]->run_id))
			series->ids[series->count++] = chosen->entries[i]->id;
	return true;
}

/* Processes of one program: one series if they follow each other, else one each. */
static bool add_program(struct snapshots_series_list *out, const struct process *processes,
			size_t count, const struct chosen *chosen)
{
	size_t pool = out->pools++;

	if (follow_each_other(processes, count))
		return add_series(out, processes, count, pool, chosen);
	for (size_t i = 0; i < count; i++)
		if (!add_series(out, &processes[i], 1, pool, chosen))
			return false;
	return true;
}

/* Processes with one snapshot only are counted, and left out where others have more. */
static void leave_out_alone(struct snapshots_series_list *out)
{
	size_t kept = 0, longest = 0;

	for (size_t i = 0; i < out->count; i++)
		longest = out->series[i].count > longest ? out->series[i].count : longest;
	for (size_t i = 0; i < out->count; i++) {
		if (out->series[i].count >= 2 || longest < 2) {
			out->series[kept++] = out->series[i];
			continue;
		}
		out->alone++;
		free(out->series[i].program);
		free(out->series[i].ids);
	}
	out->count = kept;
}

static enum snap_status refuse(const struct process *processes, size_t count,
			       struct snap_error *err)
{
	char list[320] = "", more[64] = "";
	size_t used = 0, listed = count < LISTED_PROCESSES ? count : LISTED_PROCESSES;

	for (size_t i = 0; i < listed && used < sizeof(list); i++)
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%" PRIu64 " %.24s",
					 i ? ", " : "", processes[i].pid,
					 *processes[i].program ? processes[i].program : "?");
	if (listed < count)
		snprintf(more, sizeof(more), " and %zu more (snapdiff ls lists them)",
			 count - listed);
	return fail(err, SNAP_ENOSERIES,
		    "there is no series here: %zu processes have one snapshot each: %s%s", count,
		    list, more);
}

enum snap_status series_split(struct snapshots_series_list *out, const struct snapshot_list *list,
			      const int64_t *ids, size_t count, struct snap_error *err)
{
	struct process *processes = calloc(count + 1, sizeof(*processes));
	enum snap_status st = SNAP_OK;
	struct chosen chosen = {0};
	size_t process_count = 0;
	bool fine;

	*out = (struct snapshots_series_list){0};
	out->series = calloc(count + 1, sizeof(*out->series));
	fine = processes && out->series && choose(&chosen, list, ids, count);
	for (size_t i = 0; fine && i < chosen.count; i++)
		add_snapshot(processes, &process_count, chosen.entries[i]);
	if (fine)
		qsort(processes, process_count, sizeof(*processes), compare_starts);
	for (size_t i = 0, same; fine && i < process_count; i += same) {
		same = same_program(&processes[i], process_count - i);
		fine = add_program(out, &processes[i], same, &chosen);
	}
	if (fine)
		leave_out_alone(out);
	if (!fine)
		st = fail_memory(err, "looking for series");
	else if (out->count > 1 && out->series[0].count < 2)
		st = refuse(processes, process_count, err);
	if (st != SNAP_OK)
		snapshots_series_free(out);
	free(chosen.entries);
	free(processes);
	return st;
}

void snapshots_series_free(struct snapshots_series_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): none without series */
		free(list->series[i].program);
		free(list->series[i].ids);
	}
	free(list->series);
	*list = (struct snapshots_series_list){0};
}
