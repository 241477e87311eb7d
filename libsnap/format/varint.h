/*
 * format/varint.h - unsigned LEB128, in its one canonical form.
 *
 * Seven bits a byte, least significant first; the top bit says that more follow.  A value has
 * exactly one encoding: the last byte of a longer one is never 0, and nothing exceeds 64 bits.
 * Signed differences go through zigzag (0, -1, 1, -2, ... become 0, 1, 2, 3, ...).
 */
#ifndef SNAP_FORMAT_VARINT_H
#define SNAP_FORMAT_VARINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Most bytes of an encoded 64-bit and 32-bit value. */
#define SNAP__VARINT_MAX   ((size_t)10)
#define SNAP__VARINT32_MAX ((size_t)5)

/** Encode `value` at `out`, which has room for it; returns the end of what was written. */
static inline uint8_t *snap__varint_put(uint8_t *out, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		*out++ = (uint8_t)(value | 0x80);
	*out++ = (uint8_t)value;
	return out;
}

static inline uint64_t snap__zigzag(int64_t value)
{
	return ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);
}

static inline int64_t snap__unzigzag(uint64_t value)
{
	return (int64_t)((value >> 1) ^ (0 - (value & 1)));
}

/** The zigzag code of `to - from`, both taken modulo 2^64; and back. */
static inline uint64_t snap__delta(uint64_t from, uint64_t to)
{
	return snap__zigzag((int64_t)(to - from));
}

static inline uint64_t snap__undelta(uint64_t from, uint64_t code)
{
	return from + (uint64_t)snap__unzigzag(code);
}

/**
 * Bytes being read.  The first thing that cannot be read sets `bad` and leaves `at` where it
 * began; every later read gives 0, so that a caller may check once per row.
 */
struct snap__cursor {
	const uint8_t *at;
	const uint8_t *end;
	bool bad;
};

/** The general case of snap__get(). */
uint64_t snap__get_long(struct snap__cursor *in);

/** The next value, of which nearly all are short; 0 and `bad` when it is cut off, too large or
 * not canonical. */
static inline uint64_t snap__get(struct snap__cursor *in)
{
	const uint8_t *at = in->at;

	if (in->end - at < 3 || in->bad)
		return snap__get_long(in);
	if (at[0] < 0x80) {
		in->at += 1;
		return at[0];
	}
	if (at[1] < 0x80 && at[1]) {
		in->at += 2;
		return (uint64_t)(at[0] & 0x7f) | (uint64_t)at[1] << 7;
	}
	if (at[1] >= 0x80 && at[2] < 0x80 && at[2]) {
		in->at += 3;
		return (uint64_t)(at[0] & 0x7f) | (uint64_t)(at[1] & 0x7f) << 7 |
		       (uint64_t)at[2] << 14;
	}
	return snap__get_long(in);
}

/** The same for a value that must fit 32 bits. */
static inline uint32_t snap__get32(struct snap__cursor *in)
{
	const uint8_t *start = in->at;
	uint64_t value = snap__get(in);

	if (value <= UINT32_MAX)
		return (uint32_t)value;
	in->at = start;
	in->bad = true;
	return 0;
}

/** The next `size` bytes in place; NULL and `bad` when fewer are left. */
static inline const uint8_t *snap__get_bytes(struct snap__cursor *in, size_t size)
{
	const uint8_t *start = in->at;

	if (in->bad || (size_t)(in->end - in->at) < size) {
		in->bad = true;
		return NULL;
	}
	in->at += size;
	return start;
}

#endif
