/*
 * frame.c - header, chunk headers and footer to bytes and back.
 */
#include <string.h>

#include "format/bytes.h"
#include "format/checksum.h"
#include "format/frame.h"

#define MAGIC_SIZE 8

static const uint8_t magic[] = SNAP_FORMAT_MAGIC;
static const uint8_t end_magic[] = SNAP_FORMAT_END_MAGIC;

bool snap__magic_matches(const uint8_t *bytes, size_t size)
{
	return size >= MAGIC_SIZE && memcmp(bytes, magic, MAGIC_SIZE) == 0;
}

int snap__section_rank(uint32_t section)
{
	switch (section) {
	case SNAP_SECTION_META:
		return 1;
	case SNAP_SECTION_STRS:
		return 2;
	case SNAP_SECTION_MODS:
		return 3;
	case SNAP_SECTION_LOCS:
		return 4;
	case SNAP_SECTION_NODE:
		return 5;
	case SNAP_SECTION_VARI:
	case SNAP_SECTION_SITE:
		return 6;
	case SNAP_SECTION_HGRP:
		return 7;
	case SNAP_SECTION_HROT:
		return 8;
	case SNAP_SECTION_HEDG:
		return 9;
	case SNAP_SECTION_HPTH:
		return 10;
	default:
		return 0;
	}
}

void snap__file_header_put(uint8_t *out, const struct snap__file_header *header)
{
	snap__store64(out, snap__load64(magic));
	snap__store16(out + 8, header->major);
	snap__store16(out + 10, header->minor);
	snap__store32(out + 12, header->flags);
	snap__store64(out + 16, snap__xxh64(out, 16, 0));
}

bool snap__file_header_get(const uint8_t *in, struct snap__file_header *header)
{
	header->major = snap__load16(in + 8);
	header->minor = snap__load16(in + 10);
	header->flags = snap__load32(in + 12);
	return snap__magic_matches(in, MAGIC_SIZE) &&
	       snap__load64(in + 16) == snap__xxh64(in, 16, 0);
}

void snap__chunk_put(uint8_t *out, const struct snap__chunk *chunk)
{
	snap__store32(out, chunk->section);
	snap__store32(out + 4, chunk->flags);
	snap__store32(out + 8, chunk->stored_size);
	snap__store32(out + 12, chunk->raw_size);
	snap__store32(out + 16, chunk->rows);
	snap__store32(out + 20, chunk->items);
	snap__store64(out + 24, chunk->raw_hash);
	snap__store64(out + 32, chunk->file_hash);
}

void snap__chunk_get(const uint8_t *in, struct snap__chunk *chunk)
{
	chunk->section = snap__load32(in);
	chunk->flags = snap__load32(in + 4);
	chunk->stored_size = snap__load32(in + 8);
	chunk->raw_size = snap__load32(in + 12);
	chunk->rows = snap__load32(in + 16);
	chunk->items = snap__load32(in + 20);
	chunk->raw_hash = snap__load64(in + 24);
	chunk->file_hash = snap__load64(in + 32);
}

uint64_t snap__chunk_file_hash(const struct snap__chunk *chunk, const void *payload)
{
	uint8_t header[SNAP_FORMAT_CHUNK_HEADER_SIZE];

	snap__chunk_put(header, chunk);
	return snap__xxh64(payload, chunk->stored_size, snap__xxh64(header, 32, 0));
}

void snap__footer_put(uint8_t *out, const struct snap__footer *footer)
{
	snap__store64(out, footer->toc_offset);
	snap__store64(out + 8, footer->digest);
	snap__store64(out + 16, snap__xxh64(out, 16, 0));
	snap__store64(out + 24, snap__load64(end_magic));
}

bool snap__footer_get(const uint8_t *in, struct snap__footer *footer)
{
	footer->toc_offset = snap__load64(in);
	footer->digest = snap__load64(in + 8);
	return snap__load64(in + 16) == snap__xxh64(in, 16, 0) &&
	       memcmp(in + 24, end_magic, MAGIC_SIZE) == 0;
}

uint64_t snap__digest_add(uint64_t digest, const struct snap__chunk *chunk)
{
	uint8_t record[24];

	snap__store32(record, chunk->section);
	snap__store32(record + 4, chunk->raw_size);
	snap__store32(record + 8, chunk->rows);
	snap__store32(record + 12, chunk->items);
	snap__store64(record + 16, chunk->raw_hash);
	return snap__xxh64(record, sizeof(record), digest);
}
