/*
 * varint.c - the checks behind format/varint.h.
 */
#include "format/varint.h"

uint64_t snap__get_long(struct snap__cursor *in)
{
	const uint8_t *at = in->at;
	uint64_t value = 0;

	if (in->bad)
		return 0;
	for (unsigned shift = 0; at < in->end && shift < 64; shift += 7) {
		uint8_t byte = *at++;

		if (shift == 63 && byte > 1)
			break; /* more than 64 bits */
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte >= 0x80)
			continue;
		if (byte == 0 && shift > 0)
			break; /* a shorter form exists */
		in->at = at;
		return value;
	}
	in->bad = true;
	return 0;
}
