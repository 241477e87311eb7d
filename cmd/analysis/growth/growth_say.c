/*
 * growth_say.c - the growth rule's sentences.
 */
#include "analysis/growth/growth_say.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void growth_say(struct growth_judgement *out, const char *format, ...)
{
	va_list args;

	if (out->reason_count == GROWTH_REASONS)
		return;
	va_start(args, format);
	vsnprintf(out->reasons[out->reason_count++], GROWTH_REASON_SIZE, format, args);
	va_end(args);
}

void growth_say_swap(struct growth_judgement *out, size_t a, size_t b)
{
	char kept[GROWTH_REASON_SIZE];

	memcpy(kept, out->reasons[a], sizeof(kept));
	memcpy(out->reasons[a], out->reasons[b], sizeof(kept));
	memcpy(out->reasons[b], kept, sizeof(kept));
}

/* Digits in groups of three; one decimal below 100 where there is a fraction. */
static void write_number(double value, char buffer[32])
{
	double size = fabs(value);
	char digits[32];
	size_t length, out = 0;

	if (size > 1e18 || (size < 100 && size != floor(size))) {
		snprintf(buffer, 32, size < 1 ? "%.2g" : "%.3g", value);
		return;
	}
	length = (size_t)snprintf(digits, sizeof(digits), "%.0f", round(size));
	if (value < 0)
		buffer[out++] = '-';
	for (size_t i = 0; i < length; i++) {
		buffer[out++] = digits[i];
		if (i + 1 < length && (length - 1 - i) % 3 == 0)
			buffer[out++] = ',';
	}
	buffer[out] = '\0';
}

const char *growth_amount(double value, const char *unit, char buffer[GROWTH_AMOUNT_SIZE])
{
	char number[32];

	write_number(value, number);
	snprintf(buffer, GROWTH_AMOUNT_SIZE, "%s %s%s", number, unit, value == 1 ? "" : "s");
	return buffer;
}

static void say_growth(struct growth_judgement *out, const struct growth_shape *s, const char *unit)
{
	char gain[GROWTH_AMOUNT_SIZE], step[GROWTH_AMOUNT_SIZE], back[GROWTH_AMOUNT_SIZE];

	if (growth_shape_is_exact(s)) {
		growth_say(out, "grows by exactly %s in %zu of %zu intervals and never falls",
			   growth_amount(s->step, unit, step), s->same_steps, s->tail_steps);
		return;
	}
	if (s->give_back > 0)
		growth_say(
			out,
			"its floor rose by %s after the warm-up; the most it ever gave back is %s",
			growth_amount(s->floor_gain, unit, gain),
			growth_amount(s->give_back, unit, back));
	else
		growth_say(out, "rose by %s in %zu of %zu intervals and never gave anything back",
			   growth_amount(s->last - s->y[s->tail], unit, gain), s->rise_count,
			   s->tail_steps);
	if (s->trough_count >= 2 && s->trough_gain > 0)
		growth_say(out, "after %zu drops of up to %s its low points still rose by %s",
			   s->drops, growth_amount(s->largest_drop, unit, back),
			   growth_amount(s->trough_gain, unit, gain));
}

static void say_warm_up(struct growth_judgement *out, const struct growth_shape *s,
			const char *unit)
{
	char rise[GROWTH_AMOUNT_SIZE], band[GROWTH_AMOUNT_SIZE];
	struct growth_rates rates;

	if (growth_shape_is_plateau(s)) {
		growth_say(out, "rose by %s, then stayed within %s over the last %zu snapshots",
			   growth_amount(s->plateau_low - s->first, unit, rise),
			   growth_amount(s->plateau_high - s->plateau_low, unit, band),
			   s->count - s->count / 2);
		return;
	}
	rates = growth_shape_rates(s, s->x);
	growth_say(out, "rises ever more slowly: %s per snapshot early, %s late",
		   growth_amount(rates.early * s->step_x, unit, rise),
		   growth_amount(rates.late * s->step_x, unit, band));
}

static void say_stable(struct growth_judgement *out, const struct growth_shape *s, const char *unit)
{
	char low[GROWTH_AMOUNT_SIZE], high[GROWTH_AMOUNT_SIZE];

	if (s->min == s->max)
		growth_say(out, "always %s over %zu snapshots", growth_amount(s->min, unit, low),
			   s->count);
	else
		growth_say(out, "moves between %s and %s without keeping what it gains",
			   growth_amount(s->min, unit, low), growth_amount(s->max, unit, high));
}

static void say_inconclusive(struct growth_judgement *out, const struct growth_shape *s,
			     const char *unit)
{
	char first[GROWTH_AMOUNT_SIZE], last[GROWTH_AMOUNT_SIZE], back[GROWTH_AMOUNT_SIZE];

	growth_say(out, "went from %s to %s over %zu snapshots and gave back up to %s on the way",
		   growth_amount(s->first, unit, first), growth_amount(s->last, unit, last),
		   s->count, growth_amount(s->give_back, unit, back));
}

void growth_say_shape(struct growth_judgement *out, enum growth_verdict verdict,
		      const struct growth_shape *s, const char *unit)
{
	char a[GROWTH_AMOUNT_SIZE], b[GROWTH_AMOUNT_SIZE];

	switch (verdict) {
	case GROWTH_LEAK:
	case GROWTH_CONTAINER:
		say_growth(out, s, unit);
		break;
	case GROWTH_WARM_UP:
		say_warm_up(out, s, unit);
		break;
	case GROWTH_SAWTOOTH:
		growth_say(out, "fell %zu times by up to %s; its low points moved by %s only",
			   s->drops, growth_amount(s->largest_drop, unit, a),
			   growth_amount(fabs(s->trough_gain), unit, b));
		break;
	case GROWTH_ONE_OFF:
		growth_say(out, "one interval carries the growth: %s, with %zu snapshots after it",
			   growth_amount(s->jump, unit, a), s->count - s->jump_at - 1);
		break;
	case GROWTH_SHRINKING:
		growth_say(out, "fell from %s to %s", growth_amount(s->first, unit, a),
			   growth_amount(s->last, unit, b));
		break;
	case GROWTH_STABLE:
		say_stable(out, s, unit);
		break;
	case GROWTH_INCONCLUSIVE:
		say_inconclusive(out, s, unit);
		break;
	case GROWTH_TOO_FEW:
		growth_say(out, "only %zu snapshot%s: a verdict needs at least 3, a sure one 8",
			   s->count, s->count == 1 ? "" : "s");
		break;
	case GROWTH_VERDICTS:
		break;
	}
}

static void say_lasting(struct growth_judgement *out, const struct growth_ages *ages)
{
	char left[GROWTH_AMOUNT_SIZE], gone[GROWTH_AMOUNT_SIZE];

	growth_say(out,
		   "%zu of the %zu intervals after the warm-up left %s that still live; it freed "
		   "%s older than %zu interval%s",
		   ages->leaving, ages->epochs, growth_amount(ages->survivors, "block", left),
		   ages->deaths > 0 ? growth_amount(ages->deaths, "block", gone) : "none",
		   ages->age, ages->age == 1 ? "" : "s");
}

void growth_say_ages(struct growth_judgement *out, const struct growth_ages *ages)
{
	char early[GROWTH_AMOUNT_SIZE], late[GROWTH_AMOUNT_SIZE];

	switch (ages->pattern) {
	case AGES_LASTING:
	case AGES_SPARSE:
		say_lasting(out, ages);
		break;
	case AGES_SLOWING:
	case AGES_EARLY:
		growth_say(out,
			   "the first half of the intervals after the warm-up left %s that still "
			   "live, "
			   "the second half %s",
			   growth_amount(ages->early, "block", early),
			   growth_amount(ages->late, "block", late));
		break;
	case AGES_RECENT:
		growth_say(
			out,
			"no block that was born after the warm-up lived longer than %zu interval%s",
			ages->age, ages->age == 1 ? "" : "s");
		break;
	case AGES_ENDED:
		growth_say(out,
			   "%zu of the %zu intervals after the warm-up left %s that still live, "
			   "but the "
			   "youngest left far fewer: the growth may have ended",
			   ages->leaving, ages->epochs,
			   growth_amount(ages->survivors, "block", early));
		break;
	case AGES_DYING:
	case AGES_REPLACED:
		growth_say(out,
			   "old blocks are still freed: %.0f %% of them in a time as long as the "
			   "series",
			   100 * ages->expected_loss);
		break;
	case AGES_UNKNOWN:
		break;
	}
}
