/*
 * packed.c - numbers of variable length, in memory or in a temporary file.
 */
#include "store/sqlite/packed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LONGEST = 10 }; /* bytes of a number: seven bits in each */

/* ---- the pile ---- */

/* The directory that SQLite takes for its own temporary files. */
static const char *temporary_directory(void)
{
	const char *named = getenv("SQLITE_TMPDIR");

	if (!named || !*named)
		named = getenv("TMPDIR");
	return named && *named ? named : "/tmp";
}

static bool make_file(struct pile *pile)
{
	char path[4096];
	int size = snprintf(path, sizeof(path), "%s/snapdiff-XXXXXX", temporary_directory());

	if (size < 0 || (size_t)size >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return false;
	}
	pile->file = mkostemp(path, O_CLOEXEC);
	if (pile->file < 0)
		return false;
	unlink(path);
	pile->has_file = true;
	return true;
}

static bool write_all(struct pile *pile, const unsigned char *data, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t more = pwrite(pile->file, data + done, size - done,
				      (off_t)(pile->file_size + done));

		if (more < 0 && errno != EINTR)
			return false;
		done += more > 0 ? (size_t)more : 0;
	}
	return true;
}

static bool read_all(const struct pile *pile, unsigned char *data, const struct packed *packed)
{
	size_t done = 0;

	while (done < packed->size) {
		ssize_t more = pread(pile->file, data + done, packed->size - done,
				     (off_t)(packed->offset + done));

		if (more == 0)
			errno = EIO;
		if (more == 0 || (more < 0 && errno != EINTR))
			return false;
		done += more > 0 ? (size_t)more : 0;
	}
	return true;
}

void pile_release(struct pile *pile)
{
	if (pile->has_file)
		close(pile->file);
	*pile = (struct pile){0};
}

/* ---- writing ---- */

bool packing_reserve(struct packing *packing, size_t count)
{
	packing->capacity = count * LONGEST + 1;
	packing->at = packing->data = malloc(packing->capacity);
	return packing->data != NULL;
}

void packing_put(struct packing *packing, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		*packing->at++ = (unsigned char)(value | 0x80);
	*packing->at++ = (unsigned char)value;
}

/* Small numbers of either sign become small ones without. */
void packing_put_signed(struct packing *packing, int64_t value)
{
	packing_put(packing, (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0));
}

static bool keep_in_memory(struct packing *packing, struct pile *pile, struct packed *out)
{
	unsigned char *data = realloc(packing->data, out->size + 1);

	out->data = data ? data : packing->data;
	packing->data = NULL;
	pile->in_memory += out->size;
	return true;
}

bool packing_keep(struct packing *packing, struct pile *pile, struct packed *out)
{
	bool kept;

	*out = (struct packed){.size = (size_t)(packing->at - packing->data)};
	if (pile->in_memory + out->size <= PILE_MEMORY)
		return keep_in_memory(packing, pile, out);
	out->offset = pile->file_size;
	kept = (pile->has_file || make_file(pile)) && write_all(pile, packing->data, out->size);
	if (kept)
		pile->file_size += out->size;
	packing_release(packing);
	return kept;
}

void packing_release(struct packing *packing)
{
	free(packing->data);
	*packing = (struct packing){0};
}

/* ---- reading ---- */

bool unpacking_begin(struct packing *packing, const struct pile *pile, const struct packed *packed)
{
	*packing = (struct packing){.data = packed->data};
	if (!packed->data) {
		packing->data = malloc(packed->size + 1);
		if (!packing->data)
			return false;
		if (!read_all(pile, packing->data, packed)) {
			packing_release(packing);
			return false;
		}
	}
	packing->at = packing->data;
	packing->end = packing->data + packed->size;
	return true;
}

uint64_t packing_get(struct packing *packing)
{
	uint64_t value = 0;

	for (unsigned shift = 0; packing->at < packing->end && shift < 64; shift += 7) {
		unsigned char byte = *packing->at++;

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			break;
	}
	return value;
}

int64_t packing_get_signed(struct packing *packing)
{
	uint64_t value = packing_get(packing);

	return (int64_t)(value >> 1 ^ (value & 1 ? UINT64_MAX : 0));
}

void unpacking_end(struct packing *packing, const struct packed *packed)
{
	if (!packed->data)
		free(packing->data);
	*packing = (struct packing){0};
}

void packed_release(struct packed *packed, struct pile *pile)
{
	if (packed->data)
		pile->in_memory -= packed->size;
	free(packed->data);
	*packed = (struct packed){0};
}
