/*
 * figures.c - sums of figures, some of which may be unknown.
 */
#include "dataset/figures.h"

#include <math.h>

/* Deltas are signed: what does not fit there is not a plausible heap either. */
static const uint64_t largest = INT64_MAX;

void figures_add(struct figures *sum, const struct figures *more)
{
	for (int i = 0; i < FIGURES; i++) {
		if (sum->value[i] == SNAP_UNKNOWN || more->value[i] > largest - sum->value[i])
			sum->value[i] = SNAP_UNKNOWN;
		else
			sum->value[i] += more->value[i];
		sum->variance[i] += more->variance[i];
	}
}

void figures_subtract(struct figures *sum, const struct figures *part)
{
	for (int i = 0; i < FIGURES; i++) {
		if (sum->value[i] != SNAP_UNKNOWN)
			sum->value[i] -= part->value[i];
		sum->variance[i] = fmax(0.0, sum->variance[i] - part->variance[i]);
	}
}

double figures_stderr(const struct figures *figures, enum figure figure)
{
	return sqrt(figures->variance[figure]);
}

int64_t figures_delta(const struct figures *old, const struct figures *new, enum figure figure)
{
	if (old->value[figure] > largest || new->value[figure] > largest)
		return 0;
	return (int64_t) new->value[figure] - (int64_t)old->value[figure];
}

bool figures_has(const struct figures *figures, enum figure figure)
{
	return figures->value[figure] != SNAP_UNKNOWN && figures->value[figure] != 0;
}
