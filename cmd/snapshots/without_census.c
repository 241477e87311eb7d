/*
 * without_census.c - count the snapshots that have no census, by process.
 *
 * A process is its program, its number and its start: the number alone stays the same when a shell
 * script executes an interpreter.
 */
#include "snapshots/without_census.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* One snapshot, left out or not. */
struct mark {
	const char *program;
	uint64_t pid, start_ns;
	bool has_census;
};

bool without_census_add(struct without_census *list, const char *program, uint64_t pid,
			uint64_t start_ns, const char *why)
{
	char *copy = strdup(program);

	if (copy && !list->why)
		list->why = strdup(why);
	if (!copy || !list->why ||
	    !array_reserve(&list->items, &list->capacity, list->count, sizeof(*list->items))) {
		free(copy);
		return false;
	}
	list->items[list->count++] = (struct census_less){copy, pid, start_ns};
	return true;
}

void without_census_release(struct without_census *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].program);
	free(list->items);
	free(list->why);
	*list = (struct without_census){0};
}

static int compare_processes(const struct mark *a, const struct mark *b)
{
	int order = strcmp(a->program, b->program);

	if (order == 0)
		order = (a->pid > b->pid) - (a->pid < b->pid);
	if (order == 0)
		order = (a->start_ns > b->start_ns) - (a->start_ns < b->start_ns);
	return order;
}

static int compare_marks(const void *a, const void *b)
{
	return compare_processes(a, b);
}

/* The marks are ordered by process. */
static struct snapshots_without_census count_marks(const struct mark *marks, size_t count)
{
	struct snapshots_without_census counts = {0};

	for (size_t from = 0, to; from < count; from = to) {
		size_t without = 0;

		for (to = from; to < count && compare_processes(&marks[from], &marks[to]) == 0;
		     to++)
			without += !marks[to].has_census;
		if (without == to - from)
			counts.processes++;
		else
			counts.snapshots += without;
	}
	return counts;
}

bool without_census_count(const struct without_census *list, const struct snapshot_list *all,
			  struct snapshots_without_census *counts)
{
	struct mark *marks = calloc(list->count + all->count + 1, sizeof(*marks));
	size_t count = 0;

	if (!marks)
		return false;
	for (size_t i = 0; i < list->count; i++)
		marks[count++] = (struct mark){list->items[i].program, list->items[i].pid,
					       list->items[i].start_ns, false};
	for (size_t i = 0; i < all->count; i++)
		marks[count++] = (struct mark){all->entries[i].program, all->entries[i].pid,
					       all->entries[i].start_ns, true};
	qsort(marks, count, sizeof(*marks), compare_marks);
	*counts = count_marks(marks, count);
	free(marks);
	return true;
}

void without_census_tell(const struct snapshots_without_census *counts, const char *who,
			 notice_fn *notice, void *user)
{
	const struct {
		enum notice_kind kind;
		size_t count;
	} told[] = {{NOTICE_PROCESSES_WITHOUT_CENSUS, counts->processes},
		    {NOTICE_SNAPSHOTS_WITHOUT_CENSUS, counts->snapshots}};

	for (size_t i = 0; notice && i < sizeof(told) / sizeof(*told); i++)
		if (told[i].count)
			notice(user, &(struct notice){.kind = told[i].kind,
						      .who = who,
						      .figures = {told[i].count}});
}

enum snap_status without_census_refuse(const struct without_census *list, struct snap_error *err)
{
	if (list->count == 1)
		return fail(err, SNAP_EUSAGE, "%s", list->why);
	return fail(err, SNAP_EUSAGE, "%s; %zu more snapshot%s %s none", list->why, list->count - 1,
		    list->count == 2 ? "" : "s", list->count == 2 ? "has" : "have");
}
