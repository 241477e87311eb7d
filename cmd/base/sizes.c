/*
 * sizes.c - numbers, sizes and durations as people write them.
 */
#include "base/sizes.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

struct unit {
	const char *name;
	uint64_t factor;
};

/* As GNU tools have it: K and KiB are 1024, KB is 1000. */
static const struct unit size_units[] = {
	{"", 1},
	{"B", 1},
	{"K", 1ull << 10},
	{"KiB", 1ull << 10},
	{"KB", 1000ull},
	{"M", 1ull << 20},
	{"MiB", 1ull << 20},
	{"MB", 1000000ull},
	{"G", 1ull << 30},
	{"GiB", 1ull << 30},
	{"GB", 1000000000ull},
	{"T", 1ull << 40},
	{"TiB", 1ull << 40},
	{"TB", 1000000000000ull},
	{NULL, 0},
};

static const struct unit duration_units[] = {
	{"ns", 1ull},
	{"us", 1000ull},
	{"ms", 1000000ull},
	{"s", 1000000000ull},
	{"m", 60000000000ull},
	{"min", 60000000000ull},
	{"h", 3600000000000ull},
	{"d", 86400000000000ull},
	{NULL, 0},
};

/* `text` is a unit's name, in any case; 0 if it is not. */
static uint64_t unit_factor(const struct unit *units, const char *text)
{
	for (; units->name; units++)
		if (strcasecmp(units->name, text) == 0)
			return units->factor;
	return 0;
}

/* Digits; false on overflow or when there are none. */
static bool take_digits(const char **text, uint64_t *value)
{
	const char *at = *text;

	*value = 0;
	for (; isdigit((unsigned char)*at); at++)
		if (__builtin_mul_overflow(*value, 10u, value) ||
		    __builtin_add_overflow(*value, (uint64_t)(*at - '0'), value))
			return false;
	if (at == *text)
		return false;
	*text = at;
	return true;
}

/* `whole.fraction unit`, rounded down to a multiple of the smallest unit. */
static bool parse_quantity(const char *text, const struct unit *units, uint64_t *out)
{
	uint64_t whole, factor, value;
	long double fraction = 0, place = 0.1L;

	if (!take_digits(&text, &whole))
		return false;
	if (*text == '.') {
		if (!isdigit((unsigned char)*++text))
			return false;
		for (; isdigit((unsigned char)*text); text++, place /= 10)
			fraction += place * (*text - '0');
	}
	while (*text == ' ')
		text++;
	factor = unit_factor(units, text);
	if (!factor || __builtin_mul_overflow(whole, factor, &value))
		return false;
	return !__builtin_add_overflow(value, (uint64_t)(fraction * (long double)factor + 1e-6L),
				       out);
}

bool size_parse(const char *text, uint64_t *bytes)
{
	return parse_quantity(text, size_units, bytes);
}

bool duration_parse(const char *text, uint64_t *nanoseconds)
{
	if (strcmp(text, "0") == 0) {
		*nanoseconds = 0;
		return true;
	}
	return parse_quantity(text, duration_units, nanoseconds);
}

bool count_parse(const char *text, uint64_t *count)
{
	return take_digits(&text, count) && *text == '\0';
}
