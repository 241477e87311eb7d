/* test_pickle.c - the reader of tracemalloc's pickles: what it makes, what it refuses, what it
 * costs. */
/* links: cmd_input */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "input/input.h"
#include "input/pickle.h"

/* Bytes of a literal, its NULs included. */
#define BYTES(literal) (literal), sizeof(literal) - 1

static struct pickle pickle;
static struct snap_error err;

static void accepts(const char *data, size_t size)
{
	cr_assert_eq(pickle_read(&pickle, data, size, "p", &err), SNAP_OK, "%s", err.message);
}

static void refuses(const char *data, size_t size, enum snap_status st, const char *message)
{
	cr_expect_eq(pickle_read(&pickle, data, size, "p", &err), st, "%s", err.message);
	cr_expect_str_eq(err.message, message);
}

static void holds_number(const char *data, size_t size, int64_t expected)
{
	int64_t number = 0;

	accepts(data, size);
	cr_expect(pickle_number(&pickle, pickle.result, &number));
	cr_expect_eq(number, expected, "%lld", (long long)number);
	pickle_free(&pickle);
}

Test(pickle, numbers_keep_their_value_at_every_width)
{
	holds_number(BYTES("\x80\4K\xff."), 255);
	holds_number(BYTES("\x80\4M\xff\xff."), 65535);
	holds_number(BYTES("\x80\4J\xff\xff\xff\xff."), -1);
	holds_number(BYTES("\x80\4J\xff\xff\xff\7."), 134217727);
	holds_number(BYTES("\x80\4J\0\0\0\x08."), 134217728);
	holds_number(BYTES("\x80\4J\0\0\0\xf8."), -134217728);
	holds_number(BYTES("\x80\4J\0\0\0\x80."), INT32_MIN);
	holds_number(BYTES("\x80\4\x8a\0."), 0);
	holds_number(BYTES("\x80\4\x8a\1\x80."), -128);
	holds_number(BYTES("\x80\4\x8a\5\0\0\0\0\1."), INT64_C(1) << 32);
	holds_number(BYTES("\x80\4\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f."), INT64_MAX);
	holds_number(BYTES("\x80\4\x8a\x09\xff\xff\xff\xff\xff\xff\xff\x7f\0."), INT64_MAX);
}

/* Table 3-7 of the Unicode standard; Python writes lone surrogates as they are. */
Test(pickle, texts_are_utf_8)
{
	static const char *const right[] = {"\xc2\x80", "\xe0\xa0\x80", "\xed\xa0\x80",
					    "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"};
	static const char *const wrong[] = {"\xc1\x80",         "\x80",
					    "\xe0\x9f\x80",     "\xe1\x80",
					    "\xf0\x8f\x80\x80", "\xf4\x90\x80\x80",
					    "\xf5\x80\x80\x80", "\xf1\x80\x80"};
	char data[16];

	for (size_t i = 0; i < sizeof(right) / sizeof(*right); i++) {
		int size = sprintf(data, "\x80\4\x8c%c%s.", (int)strlen(right[i]), right[i]);

		accepts(data, (size_t)size);
		cr_expect_eq(pickle_kind(pickle.result), PICKLE_TEXT);
		pickle_free(&pickle);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		int size = sprintf(data, "\x80\4\x8c%c%s.", (int)strlen(wrong[i]), wrong[i]);

		refuses(data, (size_t)size, SNAP_ECORRUPT,
			"p: offset 2: opcode 0x8c: the text is not UTF-8");
	}
}

Test(pickle, a_shared_tuple_is_one_tuple)
{
	const struct pickle_tuple *outer;

	accepts(BYTES("\x80\4\x8c\1aK\7\x86\x94h\0\x86."));
	outer = &pickle.tuples[pickle_index(pickle.result)];
	cr_expect_eq(outer->count, 2);
	cr_expect_eq(pickle.items[outer->first], pickle.items[outer->first + 1]);
	cr_expect_eq(pickle.tuple_count, 2);
	pickle_free(&pickle);
}

Test(pickle, a_dict_finds_its_text_keys)
{
	const pickle_value *value;

	accepts(BYTES("\x80\4}(\x8c\1aK\1\x8c\1bK\2u."));
	value = pickle_lookup(&pickle, pickle.result, "b");
	cr_assert_not_null(value);
	cr_expect_eq(pickle_kind(*value), PICKLE_INT);
	cr_expect_null(pickle_lookup(&pickle, pickle.result, "c"));
	pickle_free(&pickle);
}

Test(pickle, what_it_refuses_is_named_by_offset_and_opcode)
{
	refuses(BYTES("\x80\4NR."), SNAP_ECORRUPT,
		"p: offset 3: opcode 0x52: no tracemalloc dump has this opcode");
	refuses(BYTES("\x80\4cos\nsystem\n."), SNAP_ECORRUPT,
		"p: offset 2: opcode 0x63: it names os.system; only tracemalloc.Snapshot and "
		"tracemalloc._Traces belong here");
	refuses(BYTES("\x80\4X\xff\xff\xff\xff"
		      "a"),
		SNAP_ETRUNCATED, "p: offset 2: the pickle ends inside an opcode");
	refuses(BYTES("\x80\4\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\0."), SNAP_ECORRUPT,
		"p: offset 2: opcode 0x8a: the number is larger than 2^63 - 1");
	refuses(BYTES("\x80\4r\1\0\0\0."), SNAP_ECORRUPT,
		"p: offset 2: opcode 0x72: there is nothing to remember");
	refuses(BYTES("\x80\4Nr\1\0\0\0."), SNAP_ECORRUPT,
		"p: offset 3: opcode 0x72: it skips places in the memo");
	refuses(BYTES("\x80\4(t\x85\x86."), SNAP_ECORRUPT,
		"p: offset 5: opcode 0x86: there are not enough values for a tuple");
	refuses(BYTES("\x80\4"), SNAP_ETRUNCATED, "p: offset 2: the pickle ends without a STOP");
}

/* "\x80\4", `count` times `part`, and a STOP; malloc'ed. */
static char *repeated(const char *begin, const char *part, size_t part_size, size_t count,
		      size_t *size)
{
	size_t begin_size = strlen(begin);
	char *data = malloc(begin_size + part_size * count + 1);

	cr_assert_not_null(data);
	memcpy(data, begin, begin_size);
	for (size_t i = 0; i < count; i++)
		memcpy(data + begin_size + i * part_size, part, part_size);
	*size = begin_size + part_size * count + 1;
	data[*size - 1] = '.';
	return data;
}

Test(pickle, more_lists_than_a_dump_has_are_refused)
{
	size_t size;
	char *data = repeated("\x80\4", "]", 1, 100000, &size);

	cr_expect_eq(pickle_read(&pickle, data, size, "p", &err), SNAP_ECORRUPT);
	cr_expect_str_eq(err.message,
			 "p: offset 66: opcode 0x5d: more lists and dicts than any dump has");
	free(data);
}

/* The costliest opcodes, a megabyte each: bytes of arrays that a byte of input can make. */
Test(pickle, a_byte_of_input_costs_no_more_than_a_few_dozen_bytes)
{
	static const struct {
		const char *begin, *part;
		size_t part_size;
	} costly[] = {
		{"\x80\4N", "\x85", 1},
		{"\x80\4N", "\x85\x94", 2},
		{"\x80\4", ")", 1},
		{"\x80\4", "\x8c\0", 2},
		{"\x80\4", "N", 1},
		{"\x80\4N", "\x94", 1},
		{"\x80\4", "\x8a\5\0\0\0\0\1", 7},
	};

	for (size_t i = 0; i < sizeof(costly) / sizeof(*costly); i++) {
		size_t count = (1 << 20) / costly[i].part_size, size, held;
		char *data = repeated(costly[i].begin, costly[i].part, costly[i].part_size, count,
				      &size);

		accepts(data, size);
		held = pickle.text_room * sizeof(*pickle.texts) +
		       pickle.item_room * sizeof(*pickle.items) +
		       pickle.number_room * sizeof(*pickle.numbers) +
		       pickle.tuple_room * sizeof(*pickle.tuples);
		cr_expect_leq(held, 36 * size, "case %zu: %zu bytes for %zu", i, held, size);
		pickle_free(&pickle);
		free(data);
	}
}
