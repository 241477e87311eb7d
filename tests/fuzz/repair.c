/*
 * repair.c - make the checksums of a mutated snapshot true again.
 */
#include "fuzz/repair.h"

#include "format/bytes.h"
#include "format/checksum.h"
#include "format/frame.h"

/* Make the chunk at `at` believable; returns where the next one begins, 0 if it is cut off. */
static size_t repair_chunk(uint8_t *data, size_t size, size_t at)
{
	struct snap__chunk chunk;
	size_t payload = at + SNAP_FORMAT_CHUNK_HEADER_SIZE;

	if (payload > size)
		return 0;
	snap__chunk_get(data + at, &chunk);
	if (chunk.stored_size > size - payload)
		return 0;
	if (chunk.flags & SNAP_CHUNK_STORED)
		chunk.raw_hash = snap__xxh64(data + payload, chunk.stored_size, 0);
	chunk.file_hash = snap__chunk_file_hash(&chunk, data + payload);
	snap__chunk_put(data + at, &chunk);
	return payload + chunk.stored_size;
}

void repair(uint8_t *data, size_t size)
{
	size_t at = SNAP_FORMAT_HEADER_SIZE;

	if (size < at)
		return;
	snap__file_header_put(data, &(struct snap__file_header){.major = SNAP_FORMAT_MAJOR});
	while (at > 0 && at < size)
		at = repair_chunk(data, size, at);
}
