/*
 * comparable.c - one snapshot twice, sides that look swapped, different programs, architectures,
 * sampling, and dumps of Python against native recordings.
 */
#include "report/comparable.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/names.h"
#include "report/comparable_sides.h"
#include "report/sites.h"

static enum snap_status take_snapshot(void *user, const struct store_snapshot *row)
{
	struct comparable_side *sides = user;

	for (size_t i = 0; i < 2; i++)
		if (sides[i].id == row->id) {
			snprintf(sides[i].program, SIDE_NAME_SIZE, "%s", name_base(row->program));
			sides[i].run_id = row->run_id;
			sides[i].time_ns = row->time_ns == SNAP_UNKNOWN ? 0 : row->time_ns;
			sides[i].live_bytes = row->live_bytes;
			sides[i].sample_period = row->sample_period;
			sides[i].at_exit = strcmp(row->trigger, "exit") == 0;
			sides[i].ends_a_run =
				sides[i].at_exit && row->seq > 1 && row->seq != SNAP_UNKNOWN;
		}
	return SNAP_OK;
}

static enum snap_status read_facts(struct comparable_side *side, struct store *store,
				   struct snap_error *err)
{
	struct facts facts = {0};
	enum snap_status st = facts_read(&facts, store, side->id, err);

	snprintf(side->arch, SIDE_NAME_SIZE, "%s", facts_text(&facts, "arch"));
	side->is_dump = facts_find(&facts, "python_version");
	if (facts_find(&facts, "time_from"))
		side->time_ns = 0;
	facts_release(&facts);
	return st == SNAP_OK ? facts_read_heap(&side->heap, store, side->id, err) : st;
}

static bool is_on_both_sides(const struct subject *subject, size_t new)
{
	for (size_t i = 0; i < new; i++)
		for (size_t j = new; j < subject->count; j++)
			if (subject->ids[i] == subject->ids[j])
				return true;
	return false;
}

static void warn_of_one_twice(struct notices *notices, const struct subject *subject, size_t new)
{
	if (subject->count == 2 && subject->ids[0] == subject->ids[1])
		notices_add(notices, &(struct notice){.kind = NOTICE_SAME_SNAPSHOT});
	else if (is_on_both_sides(subject, new))
		notices_add(notices, &(struct notice){.kind = NOTICE_ON_BOTH_SIDES});
}

/* "12.3 s", "4 days" */
static const char *duration_text(uint64_t ns, char text[32])
{
	static const struct {
		const char *name;
		double seconds;
	} units[] = {{"days", 86400}, {"h", 3600}, {"min", 60}, {"s", 1}, {"ms", 1e-3}};
	const size_t last = sizeof(units) / sizeof(units[0]) - 1;
	double seconds = (double)ns / 1e9;
	size_t unit = 0;

	while (unit < last && seconds < 2 * units[unit].seconds)
		unit++;
	snprintf(text, 32, "%.1f %s", seconds / units[unit].seconds, units[unit].name);
	return text;
}

/* Two builds may have been recorded in any order, so this is a question, not a claim. */
static void warn_of_order(struct notices *notices, const struct comparable_side *old,
			  const struct comparable_side *new)
{
	char text[32];

	if (old->time_ns && new->time_ns &&new->time_ns < old->time_ns)
		notices_add(notices,
			    &(struct notice){
				    .kind = NOTICE_SWAPPED,
				    .texts = {duration_text(old->time_ns - new->time_ns, text)},
				    .figures = {old->run_id == new->run_id},
			    });
}

static void warn_of_kinds(struct notices *notices, const struct comparable_side *dump,
			  const struct comparable_side *native)
{
	notices_add(notices, &(struct notice){.kind = NOTICE_PYTHON_AND_NATIVE,
					      .texts = {dump->name, native->name}});
}

/* "server-1.2.3", "server_v2" and "server" are one program in several versions. */
static size_t without_version(const char *program)
{
	size_t size = strlen(program), end = size;

	while (end > 0 && strchr("0123456789.", program[end - 1]))
		end--;
	if (end == size)
		return size;
	if (end > 1 && program[end - 1] == 'v' && strchr("-_.", program[end - 2]))
		end--;
	while (end > 1 && strchr("-_.", program[end - 1]))
		end--;
	return end ? end : size;
}

static bool are_one_program(const char *a, const char *b)
{
	size_t size = without_version(a);

	return size == without_version(b) && memcmp(a, b, size) == 0;
}

static bool is_allocated_known(const struct dataset_cell *cell)
{
	return cell && cell->figures.value[FIGURE_ALLOCATED_BLOCKS] != SNAP_UNKNOWN;
}

/* Blocks allocated by call stacks that both sides have; one side may have several copies of one.  The
 * others may be what changed. */
static void sum_work(const struct pairing *pairing, const struct pair_sides *sides,
		     uint64_t *before, uint64_t *after)
{
	*before = *after = 0;
	for (size_t i = 0; i < pairing->count; i++) {
		const struct pair *pair = &pairing->pairs[i];
		const struct dataset_cell *old, *new;

		if (pair->level == PAIR_NONE && !pair->is_copy)
			continue;
		old = pair->old == SNAP_NONE ? NULL : sides->old[pair->old];
		new = pair->new == SNAP_NONE ? NULL : sides->new[pair->new];
		if (!pair->is_copy && (!is_allocated_known(old) || !is_allocated_known(new)))
			continue;
		if (is_allocated_known(old))
			*before += old->figures.value[FIGURE_ALLOCATED_BLOCKS];
		if (is_allocated_known(new))
			*after += new->figures.value[FIGURE_ALLOCATED_BLOCKS];
	}
}

/* Runs with different amounts of work cannot be compared directly.  A few allocations of
 * the old one are too few to tell. */
void comparable_warn_of_work(struct report *report, const struct pairing *pairing,
			     const struct pair_sides *sides)
{
	static const double much = 1.3;
	static const uint64_t few = 100;
	uint64_t before, after;
	char text[32];
	double ratio;

	sum_work(pairing, sides, &before, &after);
	if (before < few)
		return;
	ratio = (double)after / (double)before;
	if (ratio < much && ratio > 1 / much)
		return;
	snprintf(text, sizeof(text), "%.2g", ratio);
	report_notice(report, &(struct notice){.kind = NOTICE_OTHER_WORK,
					       .texts = {text},
					       .figures = {before, after}});
}

/*
 * At its exit a program has freed most of its memory, so two exit snapshots may be equal although
 * one of the programs held far more before.
 */
static bool warn_of_exits(struct notices *notices, const struct comparable_side *old,
			  const struct comparable_side *new)
{
	static const double much = 1.2;
	static const uint64_t few = 64 << 10;
	uint64_t live = new->heap.live > old->heap.live ? new->heap.live - old->heap.live : 0;
	char before[32], after[32];

	if (!old->at_exit || !new->at_exit || old->run_id == new->run_id || !old->heap.peak ||
	    new->heap.peak < old->heap.peak + few ||
	    (double)new->heap.peak < much *(double)old->heap.peak ||
	    new->heap.peak - old->heap.peak < 2 * live)
		return false;
	notices_add(notices, &(struct notice){.kind = NOTICE_PEAKS_APART,
					      .texts = {sites_bytes(old->heap.peak, before),
							sites_bytes(new->heap.peak, after)}});
	return true;
}

/* Only a small part of the memory is compared, and differences in the rest are not seen. */
static void remark_on_leftovers(struct notices *notices, const struct comparable_side *old,
				const struct comparable_side *new)
{
	static const uint64_t few = 64 << 10;
	char left[32], peak[32];

	if (!old->at_exit || !new->at_exit || old->run_id == new->run_id || new->heap.peak < few ||
	    old->live_bytes > old->heap.peak / 4 || new->live_bytes > new->heap.peak / 4)
		return;
	notices_add(notices, &(struct notice){.kind = NOTICE_LEFTOVERS,
					      .texts = {sites_bytes(new->live_bytes, left),
							sites_bytes(new->heap.peak, peak)}});
}

/* A run whose heap stayed small has no snapshot of its peak, and the other side may have one. */
static void remark_on_one_exit(struct notices *notices, const struct comparable_side *exit,
			       const struct comparable_side *other)
{
	static const uint64_t few = 4 << 10;
	char peak[32];

	if (!exit->at_exit || other->at_exit || exit->run_id == other->run_id ||
	    exit->heap.peak < exit->live_bytes + few)
		return;
	notices_add(notices,
		    &(struct notice){.kind = NOTICE_ONE_AT_EXIT,
				     .who = exit->name,
				     .texts = {other->name, sites_bytes(exit->heap.peak, peak)}});
}

static void warn_of_sides(struct notices *notices, const struct comparable_side *old,
			  const struct comparable_side *new)
{
	if (old->program[0] && new->program[0] && !are_one_program(old->program, new->program))
		notices_add(notices, &(struct notice){.kind = NOTICE_OTHER_PROGRAM,
						      .texts = {old->program, new->program}});
	if (old->arch[0] && new->arch[0] && strcmp(old->arch, new->arch) != 0)
		notices_add(notices, &(struct notice){.kind = NOTICE_OTHER_MACHINE,
						      .texts = {old->arch, new->arch}});
	if (old->sample_period && !new->sample_period)
		notices_add(notices,
			    &(struct notice){.kind = NOTICE_ONE_SAMPLED, .texts = {"OLD", "NEW"}});
	if (!old->sample_period && new->sample_period)
		notices_add(notices,
			    &(struct notice){.kind = NOTICE_ONE_SAMPLED, .texts = {"NEW", "OLD"}});
}

/* ---- several snapshots on a side ------------------------------------------------------------- */

struct mixture {
	const struct subject *subject;
	size_t new;
	const struct comparable_side *sides;
	char other[2][SIDE_NAME_SIZE]; /* a program on either side that is not the first's */
};

static enum snap_status find_other_program(void *user, const struct store_snapshot *row)
{
	struct mixture *mixture = user;
	const char *program = name_base(row->program);

	for (size_t i = 0; i < mixture->subject->count; i++) {
		bool side = i >= mixture->new;

		if (mixture->subject->ids[i] == row->id &&
		    !are_one_program(mixture->sides[side].program, program))
			snprintf(mixture->other[side], SIDE_NAME_SIZE, "%s", program);
	}
	return SNAP_OK;
}

/* Medians over different programs are meaningless. */
static enum snap_status warn_of_mixtures(struct notices *notices, const struct subject *subject,
					 size_t new, const struct comparable_side sides[2],
					 struct snap_error *err)
{
	struct mixture mixture = {.subject = subject, .new = new, .sides = sides};
	enum snap_status st = store_each_snapshot(snapshots_store(subject->snapshots),
						  find_other_program, &mixture, err);

	for (size_t i = 0; st == SNAP_OK && i < 2; i++)
		if (mixture.other[i][0])
			notices_add(notices, &(struct notice){
						     .kind = NOTICE_SEVERAL_PROGRAMS,
						     .who = sides[i].name,
						     .texts = {sides[i].program, mixture.other[i]},
					     });
	return st;
}

enum snap_status comparable_warn(struct notices *notices, const struct subject *subject,
				 struct dataset *dataset, size_t new, bool *are_runs,
				 struct snap_error *err)
{
	struct comparable_side sides[2] = {{.id = subject->ids[0], .name = "OLD"},
					   {.id = subject->ids[new], .name = "NEW"}};
	struct store *store = snapshots_store(subject->snapshots);
	enum snap_status st = store_each_snapshot(store, take_snapshot, sides, err);

	for (size_t i = 0; st == SNAP_OK && i < 2; i++)
		st = read_facts(&sides[i], store, err);
	if (st != SNAP_OK)
		return st;
	*are_runs = sides[0].run_id != sides[1].run_id;
	warn_of_one_twice(notices, subject, new);
	st = warn_of_mixtures(notices, subject, new, sides, err);
	if (st != SNAP_OK)
		return st;
	warn_of_order(notices, &sides[0], &sides[1]);
	if (sides[0].is_dump != sides[1].is_dump) {
		warn_of_kinds(notices, &sides[sides[1].is_dump], &sides[sides[0].is_dump]);
		return SNAP_OK;
	}
	warn_of_sides(notices, &sides[0], &sides[1]);
	if (subject->count == 2 && !warn_of_exits(notices, &sides[0], &sides[1]))
		remark_on_leftovers(notices, &sides[0], &sides[1]);
	for (size_t i = 0; subject->count == 2 && i < 2; i++)
		remark_on_one_exit(notices, &sides[i], &sides[1 - i]);
	if (sides[0].ends_a_run && sides[1].ends_a_run)
		notices_add(notices, &(struct notice){.kind = NOTICE_BOTH_AT_EXIT});
	return comparable_warn_of_modules(notices, store, dataset, new, sides, err);
}
