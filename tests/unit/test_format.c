/*
 * test_format.c - integers, checksums and the fixed parts of a file.
 */
/* links: snapformat */
#include <string.h>

#include <criterion/criterion.h>

#include "format/checksum.h"
#include "format/frame.h"
#include "format/varint.h"
#include "snap/status.h"

/* ---- varints ---- */

static struct snap__cursor cursor(const void *bytes, size_t size)
{
	return (struct snap__cursor){.at = bytes, .end = (const uint8_t *)bytes + size};
}

Test(varint, known_values_have_their_leb128_bytes)
{
	/* From the DWARF 5 standard, figure C.1, and the two ends of the range. */
	static const struct {
		uint64_t value;
		uint8_t size, bytes[10];
	} known[] = {
		{0, 1, {0}},
		{2, 1, {2}},
		{127, 1, {127}},
		{128, 2, {0x80, 1}},
		{129, 2, {0x81, 1}},
		{12857, 2, {0xb9, 0x64}},
		{UINT64_MAX, 10, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		struct snap__cursor in = cursor(known[i].bytes, known[i].size);
		uint8_t out[SNAP__VARINT_MAX];

		cr_assert_eq(snap__varint_put(out, known[i].value) - out, known[i].size);
		cr_assert_arr_eq(out, known[i].bytes, known[i].size);
		cr_assert_eq(snap__get(&in), known[i].value);
		cr_assert(!in.bad && in.at == in.end);
	}
}

static void refuses(const void *bytes, size_t size)
{
	struct snap__cursor in = cursor(bytes, size);

	cr_assert_eq(snap__get(&in), 0);
	cr_assert(in.bad, "%zu bytes were accepted", size);
	cr_assert_eq(in.at, bytes, "the cursor must stay where the bad value begins");
	cr_assert_eq(snap__get(&in), 0, "a bad cursor stays bad");
}

Test(varint, a_value_that_is_cut_off_is_refused)
{
	refuses("", 0);
	refuses("\x80", 1);
	refuses("\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9);
}

Test(varint, a_longer_form_than_necessary_is_refused)
{
	refuses("\x80\x00", 2);
	refuses("\xff\x80\x00", 3);
	refuses("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 10);
}

Test(varint, more_than_64_bits_are_refused)
{
	refuses("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10);
	refuses("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x00", 11);
	refuses("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11);
}

Test(varint, a_32_bit_field_refuses_more_than_32_bits)
{
	struct snap__cursor fits = cursor("\xff\xff\xff\xff\x0f", 5);
	struct snap__cursor exceeds = cursor("\x80\x80\x80\x80\x10", 5);

	cr_assert_eq(snap__get32(&fits), UINT32_MAX);
	cr_assert_eq(snap__get32(&exceeds), 0);
	cr_assert(exceeds.bad);
}

Test(varint, bytes_beyond_the_end_are_refused)
{
	struct snap__cursor in = cursor("abc", 3);

	cr_assert_not_null(snap__get_bytes(&in, 3));
	cr_assert_null(snap__get_bytes(&in, 1));
	in = cursor("abc", 3);
	cr_assert_null(snap__get_bytes(&in, SIZE_MAX));
	cr_assert(in.bad);
}

Test(varint, zigzag_alternates_signs)
{
	static const int64_t values[] = {0, -1, 1, -2, 2, INT64_MAX, INT64_MIN};
	static const uint64_t codes[] = {0, 1, 2, 3, 4, UINT64_MAX - 1, UINT64_MAX};

	for (size_t i = 0; i < 7; i++) {
		cr_assert_eq(snap__zigzag(values[i]), codes[i]);
		cr_assert_eq(snap__unzigzag(codes[i]), values[i]);
	}
}

Test(varint, a_delta_wraps_around)
{
	cr_assert_eq(snap__delta(UINT64_MAX, 1), 4);
	cr_assert_eq(snap__undelta(UINT64_MAX, 4), 1);
	cr_assert_eq(snap__undelta(1, snap__delta(1, UINT64_MAX)), UINT64_MAX);
}

/* ---- XXH64 ---- */

Test(checksum, equals_published_values)
{
	/* Computed with libxxhash 0.8.1. */
	cr_assert_eq(snap__xxh64(NULL, 0, 0), 0xef46db3751d8e999u);
	cr_assert_eq(snap__xxh64("", 0, 0x9e3779b1), 0xac75fda2929b17efu);
	cr_assert_eq(snap__xxh64("a", 1, 0), 0xd24ec4f1a98c6e5bu);
	cr_assert_eq(snap__xxh64("abc", 3, 0), 0x44bc2cf5ad770999u);
	cr_assert_eq(snap__xxh64("abc", 3, 0x9e3779b1), 0x1318df30094a85fdu);
	cr_assert_eq(snap__xxh64("Nobody inspects the spammish repetition", 39, 0),
		     0xfbcea83c8a378bf1u);
}

Test(checksum, every_length_up_to_300_equals_libxxhash)
{
	/* hash = XXH64(first n of the bytes i * 7 + 3, seed = hash) for n = 0 .. 300; libxxhash
	 * 0.8.1 arrives at the same value. */
	uint8_t bytes[300];
	uint64_t hash = 0;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + 3);
	for (size_t size = 0; size <= sizeof(bytes); size++)
		hash = snap__xxh64(bytes, size, hash);
	cr_assert_eq(hash, 0xe5bddb50e77f54b7u);
}

/* ---- header, chunk header, footer ---- */

Test(frame, the_header_survives_and_starts_with_the_magic)
{
	const struct snap__file_header header = {.major = 1, .minor = 0x203, .flags = 4};
	static const uint8_t expected[16] = {0x89, 'S', 'N', 'A', 'P', '\r', '\n', 0x1a,
					     1,    0,   3,   2,   4,   0,    0,    0};
	uint8_t bytes[SNAP_FORMAT_HEADER_SIZE];
	struct snap__file_header back;

	snap__file_header_put(bytes, &header);
	cr_assert_arr_eq(bytes, expected, sizeof(expected));
	cr_assert(snap__file_header_get(bytes, &back));
	cr_assert(back.major == 1 && back.minor == 0x203 && back.flags == 4);
	cr_assert(snap__magic_matches(bytes, 8) && !snap__magic_matches(bytes, 7));
}

Test(frame, a_header_with_any_changed_byte_is_refused)
{
	uint8_t bytes[SNAP_FORMAT_HEADER_SIZE];
	struct snap__file_header back;

	snap__file_header_put(bytes, &(struct snap__file_header){.major = 1});
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] ^= 0x10;
		cr_assert(!snap__file_header_get(bytes, &back), "byte %zu", i);
		bytes[i] ^= 0x10;
	}
}

Test(frame, a_chunk_header_is_little_endian)
{
	const struct snap__chunk chunk = {SNAP_SECTION_NODE,  0x04030201,        0x14131211,
					  0x24232221,         0x34333231,        0x44434241,
					  0x5857565554535251, 0x6867666564636261};
	uint8_t bytes[SNAP_FORMAT_CHUNK_HEADER_SIZE];
	struct snap__chunk back;

	snap__chunk_put(bytes, &chunk);
	cr_assert_arr_eq(bytes,
			 "NODE\x01\x02\x03\x04\x11\x12\x13\x14\x21\x22\x23\x24\x31\x32\x33\x34"
			 "ABCDQRSTUVWXabcdefgh",
			 sizeof(bytes));
	snap__chunk_get(bytes, &back);
	cr_assert_arr_eq(&back, &chunk, sizeof(chunk));
}

Test(frame, a_footer_with_any_changed_byte_is_refused)
{
	uint8_t bytes[SNAP_FORMAT_FOOTER_SIZE];
	struct snap__footer back;

	snap__footer_put(bytes, &(struct snap__footer){.toc_offset = 99, .digest = 5});
	cr_assert(snap__footer_get(bytes, &back));
	cr_assert(back.toc_offset == 99 && back.digest == 5);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] ^= 1;
		cr_assert(!snap__footer_get(bytes, &back), "byte %zu", i);
		bytes[i] ^= 1;
	}
}

Test(frame, the_digest_depends_on_rows_and_not_on_how_they_are_stored)
{
	struct snap__chunk chunk = {.section = 1, .raw_size = 9, .raw_hash = 77, .rows = 3};
	uint64_t digest = snap__digest_add(0, &chunk);

	chunk.stored_size = 5;
	chunk.flags = SNAP_CHUNK_STORED;
	chunk.file_hash = 1;
	cr_assert_eq(snap__digest_add(0, &chunk), digest);
	cr_assert_neq(snap__digest_add(digest, &chunk), digest);
	chunk.raw_hash++;
	cr_assert_neq(snap__digest_add(0, &chunk), digest);
}

/* ---- statuses ---- */

Test(status, every_status_has_a_name_of_its_own)
{
	for (int a = SNAP_OK; a <= SNAP_ESYSTEM; a++) {
		for (int b = a + 1; b <= SNAP_ESYSTEM + 1; b++)
			cr_assert_str_neq(snap_status_name((enum snap_status)a),
					  snap_status_name((enum snap_status)b));
	}
	cr_assert_str_eq(snap_status_name((enum snap_status)999), "unknown status");
}
