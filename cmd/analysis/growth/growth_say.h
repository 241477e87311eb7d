/*
 * analysis/growth/growth_say.h - the growth rule's sentences.  Private to analysis/growth*.c.
 */
#ifndef ANALYSIS_GROWTH_SAY_H
#define ANALYSIS_GROWTH_SAY_H

#include "analysis/growth/growth_ages.h"
#include "analysis/growth/growth_shape.h"

/** Append a sentence to out->reasons; those that do not fit any more are dropped. */
void growth_say(struct growth_judgement *out, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** Two of the sentences change places. */
void growth_say_swap(struct growth_judgement *out, size_t a, size_t b);

/** "1,234 blocks", "1 block", "1,234 bytes": an amount of `unit` in plain digits. */
enum { GROWTH_AMOUNT_SIZE = 48 };
const char *growth_amount(double value, const char *unit, char buffer[GROWTH_AMOUNT_SIZE]);

/** Why `verdict` follows from the shape of `unit` ("block", "byte"). */
void growth_say_shape(struct growth_judgement *out, enum growth_verdict verdict,
		      const struct growth_shape *shape, const char *unit);

/** What the ages of the blocks show; no sentence if they show nothing. */
void growth_say_ages(struct growth_judgement *out, const struct growth_ages *ages);

#endif
