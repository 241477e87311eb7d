/*
 * series.c - is this one series?  One process is; so are runs of one program that follow each
 * other.
 */
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

static const struct snapshot_entry *find_entry(const struct snapshot_list *list, int64_t id)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->entries[i].id == id)
			return &list->entries[i];
	return NULL;
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

static int compare_starts(const void *a, const void *b)
{
	const struct process *left = a, *right = b;

	return (left->start_ns > right->start_ns) - (left->start_ns < right->start_ns);
}

static bool are_successive_runs(struct process *processes, size_t count)
{
	qsort(processes, count, sizeof(*processes), compare_starts);
	for (size_t i = 1; i < count; i++)
		if (strcmp(processes[i].program, processes[i - 1].program) != 0 ||
		    processes[i].start_ns < processes[i - 1].end_ns)
			return false;
	return true;
}

static bool are_one_program(const struct process *processes, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (strcmp(processes[i].program, processes[0].program) != 0)
			return false;
	return true;
}

static enum snap_status refuse(const struct process *processes, size_t count,
			       struct snap_error *err)
{
	char list[320] = "", more[64] = "";
	size_t used = 0, listed = count < LISTED_PROCESSES ? count : LISTED_PROCESSES;

	for (size_t i = 0; i < listed && used < sizeof(list); i++)
		used += (size_t)snprintf(
			list + used, sizeof(list) - used, "%s%" PRIu64 " %.24s (%zu)",
			i ? ", " : "", processes[i].pid,
			*processes[i].program ? processes[i].program : "?", processes[i].snapshots);
	if (listed < count)
		snprintf(more, sizeof(more), " and %zu more (snapdiff ls lists them)",
			 count - listed);
	if (are_one_program(processes, count))
		return fail(err, SNAP_EUSAGE,
			    "%zu processes that ran at the same time are no series; pick one with "
			    "--pid, for example --pid %" PRIu64
			    "; pid, program and snapshots are: %s%s",
			    count, processes[0].pid, list, more);
	return fail(err, SNAP_EUSAGE,
		    "snapshots of %zu processes are no series; pick with --pid or --program, for "
		    "example --pid %" PRIu64 "; pid, program and snapshots are: %s%s",
		    count, processes[0].pid, list, more);
}

enum snap_status series_check(const struct snapshot_list *list, const int64_t *ids, size_t count,
			      struct snap_error *err)
{
	struct process *processes = calloc(count + 1, sizeof(*processes));
	enum snap_status status = SNAP_OK;
	size_t process_count = 0;

	if (!processes)
		return fail_memory(err, "looking for a series");
	for (size_t i = 0; i < count; i++) {
		const struct snapshot_entry *entry = find_entry(list, ids[i]);

		if (entry)
			add_snapshot(processes, &process_count, entry);
	}
	if (process_count > 1 && !are_successive_runs(processes, process_count))
		status = refuse(processes, process_count, err);
	free(processes);
	return status;
}
