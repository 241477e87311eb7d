/*
 * packed.h - rows of numbers in few bytes: most figures are small.
 *
 * The first PILE_MEMORY bytes of a pile are in memory; the rest goes to a temporary file, which is
 * unlinked when it is made.
 */
#ifndef STORE_PACKED_H
#define STORE_PACKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PILE_MEMORY ((size_t)128 << 20)

struct pile {
	size_t in_memory;   /* bytes */
	uint64_t file_size; /* bytes */
	int file;           /* of the temporary file, if has_file */
	bool has_file;
};

/** Some bytes of a pile. */
struct packed {
	unsigned char *data; /* NULL: they are in the file */
	size_t size;
	uint64_t offset;
};

void pile_release(struct pile *pile);

/** Numbers on their way into a pile, or out of it. */
struct packing {
	unsigned char *data, *at;
	const unsigned char *end; /* while reading */
	size_t capacity;
};

/** Make room for `count` numbers.  False when memory is out. */
bool packing_reserve(struct packing *packing, size_t count);
/** Append what there is room for. */
void packing_put(struct packing *packing, uint64_t value);
void packing_put_signed(struct packing *packing, int64_t value);
/** Keep the numbers and end the packing.  False with errno set. */
bool packing_keep(struct packing *packing, struct pile *pile, struct packed *out);
void packing_release(struct packing *packing);

/** Begin to read what was kept.  False with errno set.  End with unpacking_end(). */
bool unpacking_begin(struct packing *packing, const struct pile *pile, const struct packed *packed);
uint64_t packing_get(struct packing *packing);
int64_t packing_get_signed(struct packing *packing);
void unpacking_end(struct packing *packing, const struct packed *packed);

/** Forget what was kept. */
void packed_release(struct packed *packed, struct pile *pile);

#endif
