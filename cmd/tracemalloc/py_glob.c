/*
 * py_glob.c - file name patterns with the meaning that Python's fnmatch gives them.
 */
#include "tracemalloc/py_glob.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A pattern is a row of items; a set's ranges lie in a common array. */
enum item_kind { ITEM_CHARACTER, ITEM_ANY, ITEM_STAR, ITEM_SET };

struct range {
	uint32_t first, last;
};

struct item {
	enum item_kind kind;
	uint32_t character;
	bool negated;
	size_t first_range, range_count;
};

struct py_glob {
	struct item *items;
	size_t item_count;
	struct range *ranges;
	size_t range_count;
};

/* The character at `at`, which moves on.  Text is well-formed; a stray byte stands for itself. */
static uint32_t next_character(const char **at, const char *end)
{
	const unsigned char *s = (const unsigned char *)*at;
	size_t left = (size_t)(end - *at), length = 1;
	uint32_t character = s[0];

	if (s[0] >= 0xf0 && left >= 4) {
		length = 4;
		character =
			(s[0] & 7u) << 18 | (s[1] & 63u) << 12 | (s[2] & 63u) << 6 | (s[3] & 63u);
	} else if (s[0] >= 0xe0 && left >= 3) {
		length = 3;
		character = (s[0] & 15u) << 12 | (s[1] & 63u) << 6 | (s[2] & 63u);
	} else if (s[0] >= 0xc0 && left >= 2) {
		length = 2;
		character = (s[0] & 31u) << 6 | (s[1] & 63u);
	}
	*at += length;
	return character;
}

/* ---- sets ------------------------------------------------------------------------------------ */

/* One stretch of a set between two hyphens that make ranges. */
struct chunk {
	size_t first, size; /* characters of the set */
};

static size_t find_hyphen(const uint32_t *set, size_t from, size_t size)
{
	while (from < size && set[from] != '-')
		from++;
	return from;
}

/* Cut the set at its range hyphens, as translate() does: a stretch in the middle has two characters
 * at least. */
static size_t cut_chunks(const uint32_t *set, size_t size, struct chunk *chunks)
{
	size_t count = 0, start = 0, at = set[0] == '!' ? 2 : 1;

	while ((at = find_hyphen(set, at, size)) < size) {
		chunks[count++] = (struct chunk){start, at - start};
		start = at + 1;
		at += 3;
	}
	if (start < size)
		chunks[count++] = (struct chunk){start, size - start};
	else
		chunks[count - 1].size++; /* a hyphen at the end is itself */
	return count;
}

/* What is left of a set: characters, and which of them begin a range to the next one. */
struct spelled {
	uint32_t *characters;
	bool *range;
	size_t count;
};

/* Join chunks. A reversed range is removed, together with both of its ends. */
static void spell(const uint32_t *set, const struct chunk *chunks, size_t count,
		  struct spelled *out)
{
	out->count = 0;
	for (size_t c = 0; c < count; c++) {
		size_t first = chunks[c].first, size = chunks[c].size;

		if (c > 0 && out->count > 0) {
			uint32_t before = out->characters[out->count - 1];

			if (before > set[first]) {
				out->count--;
				first++;
				size--;
			} else {
				out->range[out->count - 1] = true;
			}
		}
		for (size_t i = 0; i < size; i++) {
			out->characters[out->count] = set[first + i];
			out->range[out->count++] = false;
		}
	}
}

static void add_range(struct py_glob *glob, uint32_t first, uint32_t last)
{
	glob->ranges[glob->range_count++] = (struct range){first, last};
}

static void compile_spelled(struct py_glob *glob, struct item *item, const struct spelled *set)
{
	size_t at = 0;

	item->kind = ITEM_SET;
	item->first_range = glob->range_count;
	if (set->count > 0 && set->characters[0] == '!') {
		item->negated = true;
		at = 1;
	}
	while (at < set->count) {
		bool range = set->range[at] && at + 1 < set->count;

		add_range(glob, set->characters[at], set->characters[at + range]);
		at += 1u + range;
	}
	item->range_count = glob->range_count - item->first_range;
}

static bool compile_set(struct py_glob *glob, struct item *item, const uint32_t *set, size_t size)
{
	struct chunk *chunks = calloc(size + 1, sizeof(*chunks));
	struct spelled out = {calloc(size + 1, sizeof(uint32_t)), calloc(size + 1, sizeof(bool)),
			      0};
	bool fine = chunks && out.characters && out.range;

	if (fine) {
		spell(set, chunks, cut_chunks(set, size, chunks), &out);
		compile_spelled(glob, item, &out);
	}
	free(chunks);
	free(out.characters);
	free(out.range);
	return fine;
}

/* ---- patterns -------------------------------------------------------------------------------- */

/* Index of the `]` that closes the set which begins after `at`, or `size`. */
static size_t find_close(const uint32_t *pattern, size_t at, size_t size)
{
	if (at < size && pattern[at] == '!')
		at++;
	if (at < size && pattern[at] == ']')
		at++;
	while (at < size && pattern[at] != ']')
		at++;
	return at;
}

static bool compile(struct py_glob *glob, const uint32_t *pattern, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		struct item *item = &glob->items[glob->item_count];
		size_t close;

		*item = (struct item){.kind = ITEM_CHARACTER, .character = pattern[i]};
		if (pattern[i] == '*') {
			if (glob->item_count > 0 && item[-1].kind == ITEM_STAR)
				continue;
			item->kind = ITEM_STAR;
		} else if (pattern[i] == '?') {
			item->kind = ITEM_ANY;
		} else if (pattern[i] == '[' && (close = find_close(pattern, i + 1, size)) < size) {
			if (!compile_set(glob, item, pattern + i + 1, close - i - 1))
				return false;
			i = close;
		}
		glob->item_count++;
	}
	return true;
}

struct py_glob *py_glob_new(const char *pattern)
{
	size_t bytes = strlen(pattern), size = 0;
	const char *at = pattern, *end = pattern + bytes;
	struct py_glob *glob = calloc(1, sizeof(*glob));
	uint32_t *characters = calloc(bytes + 1, sizeof(*characters));
	bool fine = false;

	if (glob && characters) {
		while (at < end)
			characters[size++] = next_character(&at, end);
		glob->items = calloc(size + 1, sizeof(*glob->items));
		glob->ranges = calloc(size + 1, sizeof(*glob->ranges));
		fine = glob->items && glob->ranges && compile(glob, characters, size);
	}
	free(characters);
	if (fine)
		return glob;
	py_glob_free(glob);
	return NULL;
}

void py_glob_free(struct py_glob *glob)
{
	if (!glob)
		return;
	free(glob->items);
	free(glob->ranges);
	free(glob);
}

static bool item_matches(const struct py_glob *glob, const struct item *item, uint32_t character)
{
	bool inside = false;

	if (item->kind == ITEM_ANY)
		return true;
	if (item->kind == ITEM_CHARACTER)
		return item->character == character;
	for (size_t i = 0; i < item->range_count && !inside; i++) {
		const struct range *range = &glob->ranges[item->first_range + i];

		inside = character >= range->first && character <= range->last;
	}
	return inside != item->negated;
}

/* Greedy matching with one backtracking point: only the newest star ever needs another try.
 */
bool py_glob_matches(const struct py_glob *glob, const char *text, size_t size)
{
	const char *at = text, *end = text + size, *retry_text = NULL;
	size_t item = 0, retry_item = 0;

	while (at < end) {
		const char *next = at;

		if (item < glob->item_count && glob->items[item].kind == ITEM_STAR) {
			retry_item = ++item;
			retry_text = at;
			continue;
		}
		if (item < glob->item_count &&
		    item_matches(glob, &glob->items[item], next_character(&next, end))) {
			item++;
			at = next;
			continue;
		}
		if (!retry_text)
			return false;
		next_character(&retry_text, end);
		at = retry_text;
		item = retry_item;
	}
	while (item < glob->item_count && glob->items[item].kind == ITEM_STAR)
		item++;
	return item == glob->item_count;
}
