/*
 * test_python_lines.c - the line of an instruction, whatever the order of the questions.
 */
/* links: snapruntime */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdlib.h>
#include <string.h>

#include "runtime/python/lines.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * One function's line table, and the line of each of its code units, as CPython itself tells them
 * (co_lines(), or dis.findlinestarts() of 3.9); 0: none.  Its lines go back and forth:
 *
 *	def f(rows):
 *	    total = 0
 *	    for row in rows:
 *	        try:
 *	            total += sum(
 *	                value
 *	                for value in row)
 *	        except TypeError:
 *	            continue
 *
 *
 *
 *	    while total > 100: total -= len(
 *	        rows)
 *	    return total
 */
static const unsigned char table_3_9[] = {
	0, 1, 4, 1, 8, 1, 2, 1, 10, 2, 2, 254, 14, 3, 12, 1, 12, 4, 12, 1, 2, 255, 8, 2,
};
static const uint32_t lines_3_9[] = {
	3, 3, 4, 4,  4,  4,  5,  6,  6,  6,  6,  6,  8,  6,  6,  6,  6,  6,  6,  6,  9,  9,  9,
	9, 9, 9, 10, 10, 10, 10, 10, 10, 14, 14, 14, 14, 14, 14, 15, 14, 14, 14, 14, 16, 16,
};
static const unsigned char table_3_10[] = {
	4, 1, 8, 1, 2, 1, 10, 1, 2, 2, 14, 254, 12, 3, 4, 1, 2, 255, 12, 5, 2, 1, 14, 255, 4, 2,
};
static const uint32_t lines_3_10[] = {
	3, 3, 4, 4,  4,  4, 5,  6,  6,  6,  6,  6,  8,  6,  6,  6,  6,  6,  6,  6,  9,  9,  9,
	9, 9, 9, 10, 10, 9, 14, 14, 14, 14, 14, 14, 15, 14, 14, 14, 14, 14, 14, 14, 16, 16,
};
static const unsigned char table_3_11[] = {
	128, 0,   216, 12,  13,  128, 69,  216, 15,  19,  240, 0,   6,   5,   21,  240, 0,   6,
	5,   21,  136, 3,   240, 2,   5,   9,   21,  216, 12,  17,  149, 83,  240, 0,   2,   25,
	34,  240, 0,   2,   25,  34,  224, 29,  32,  240, 5,   2,   25,  34,  241, 0,   2,   25,
	34,  244, 0,   2,   25,  34,  241, 0,   2,   22,  34,  244, 0,   2,   22,  34,  241, 0,
	2,   13,  34,  136, 69,  136, 69,  248, 245, 6,   0,   16,  25,  240, 0,   1,   9,   21,
	240, 0,   1,   9,   21,  240, 0,   1,   9,   21,  216, 12,  20,  136, 72,  240, 3,   1,
	9,   21,  248, 248, 248, 240, 10,  0,   11,  16,  144, 35,  138, 43,  136, 43,  144, 117,
	165, 3,   216, 8,   12,  241, 3,   1,   33,  14,  244, 0,   1,   33,  14,  241, 0,   1,
	24,  14,  144, 117, 136, 37,  144, 35,  138, 43,  136, 43,  224, 11,  16,  128, 76,
};
static const uint32_t lines_3_11[] = {
	2,  3,  3,  4,  4,  4,  4,  5,  6,  6,  6,  6,  6,  6,  6,  6,  6,  8,  6,  6,  6,  6,
	6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  0,  9,  9,  9,  9,  9,  9,
	9,  9,  9,  10, 10, 9,  0,  0,  0,  14, 14, 14, 14, 14, 14, 14, 14, 14, 14, 14, 14, 14,
	15, 14, 14, 14, 14, 14, 14, 14, 14, 14, 14, 14, 14, 14, 14, 14, 14, 16, 16,
};

#define FIRST_LINE 2

struct sample {
	enum snap__python_lines kind;
	const unsigned char *table;
	size_t size;
	const uint32_t *lines;
	size_t units;
};

#define SAMPLE(kind, version)                                                                      \
	{                                                                                          \
		SNAP__PYTHON_##kind, table_##version, COUNT(table_##version), lines_##version,     \
			COUNT(lines_##version)                                                     \
	}

static const struct sample samples[] = {
	SAMPLE(LNOTAB, 3_9),
	SAMPLE(LINETABLE, 3_10),
	SAMPLE(LOCATIONS, 3_11),
};

static struct snap__python_lines_read begin(const struct sample *s)
{
	struct snap__python_lines_read read;

	snap__python_lines_begin(&read, s->kind, s->table, s->size, FIRST_LINE);
	return read;
}

static void expect_line(const struct sample *s, struct snap__python_lines_read *read, size_t unit)
{
	cr_expect_eq(snap__python_lines_at(read, 2 * (int64_t)unit), s->lines[unit],
		     "kind %d, unit %zu", (int)s->kind, unit);
}

Test(python_lines, forwards_backwards_and_in_leaps)
{
	for (size_t i = 0; i < COUNT(samples); i++) {
		const struct sample *s = &samples[i];
		struct snap__python_lines_read read = begin(s);

		for (size_t unit = 0; unit < s->units; unit++)
			expect_line(s, &read, unit);
		for (size_t unit = s->units; unit-- > 0;)
			expect_line(s, &read, unit);
		for (size_t n = 0; n < 8 * s->units; n++)
			expect_line(s, &read, n * 31 % s->units);
	}
}

Test(python_lines, before_the_first_instruction_is_the_first_line)
{
	for (size_t i = 0; i < COUNT(samples); i++) {
		struct snap__python_lines_read read = begin(&samples[i]);

		expect_line(&samples[i], &read, samples[i].units - 1);
		cr_expect_eq(snap__python_lines_at(&read, -1), (uint32_t)FIRST_LINE);
		expect_line(&samples[i], &read, 0);
	}
}

/* Up to 3.9 the last line has no end; later versions say where the code ends. */
Test(python_lines, behind_the_last_instruction)
{
	const uint32_t expected[] = {16, 0, 0};

	for (size_t i = 0; i < COUNT(samples); i++) {
		struct snap__python_lines_read read = begin(&samples[i]);

		for (unsigned n = 0; n < 3; n++)
			cr_expect_eq(snap__python_lines_at(&read, INT64_C(1) << (20 + 20 * n)),
				     expected[i]);
		expect_line(&samples[i], &read, 3);
	}
}

/* The copies end where their memory does, so that a read beyond them is found under sanitizers. */
Test(python_lines, a_table_that_was_cut_is_right_up_to_the_cut)
{
	for (size_t i = 0; i < COUNT(samples); i++) {
		for (size_t size = 0; size < samples[i].size; size++) {
			struct sample cut = samples[i];
			struct snap__python_lines_read read;
			unsigned char *copy = malloc(size ? size : 1);

			cr_assert(copy != NULL);
			memcpy(copy, cut.table, size);
			cut.table = copy;
			cut.size = size;
			read = begin(&cut);
			for (size_t unit = 0; unit < cut.units; unit++)
				snap__python_lines_at(&read, 2 * (int64_t)unit);
			if (size >= 6)
				expect_line(&cut, &read, 1);
			free(copy);
		}
	}
}
