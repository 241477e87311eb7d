/*
 * read/directory.h - the list of a file's chunks, and whether they are consistent.
 *
 * The directory is filled chunk by chunk, from the table of contents of a whole file or by
 * walking a torn one from its front.  Nothing is inflated here.
 */
#ifndef SNAP_READ_DIRECTORY_H
#define SNAP_READ_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/frame.h"
#include "snap/reader.h"

/** A chunk and where its header begins. */
struct snap__placed {
	struct snap__chunk chunk;
	uint64_t offset;
};

struct snap__directory {
	const char *name; /* of the file, for messages */
	uint64_t file_size;

	struct snap__placed *chunks; /* in file order */
	size_t count;
	size_t capacity;
	uint64_t end; /* of the last chunk: where the next one begins */

	struct snap_counts counts;
	uint64_t variances; /* rows of VARI */
	uint64_t inflated;  /* bytes, all chunks together */
	int last_rank;      /* of the last chunk of a known section */
};

/** An empty directory; chunks begin after the file header.  Release with snap__directory_free(). */
void snap__directory_init(struct snap__directory *directory, const char *name, uint64_t file_size);
void snap__directory_free(struct snap__directory *directory);

/**
 * Check the chunk that begins at `directory->end` against the format and the ceilings, and add
 * it.  SNAP_ECORRUPT, SNAP_EVERSION, SNAP_ENOMEM; the directory is then as it was.
 */
enum snap_status snap__directory_add(struct snap__directory *directory,
				     const struct snap__chunk *chunk, struct snap_error *err);

/** True if the last chunk is a VARI chunk whose sites are missing. */
bool snap__directory_is_half(const struct snap__directory *directory);

/** Forget such a chunk. */
void snap__directory_drop_half(struct snap__directory *directory);

/** The digest of all chunks. */
uint64_t snap__directory_digest(const struct snap__directory *directory);

/** `section` as four characters and NUL; what is not printable becomes '?'. */
void snap__section_name(uint32_t section, char name[5]);

#endif
