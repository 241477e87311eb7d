/*
 * directory.c - the checks that a list of chunks must pass before any of them is read.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "read/directory.h"
#include "read/error.h"
#include "read/limits.h"

/* Constants of a section: the fewest bytes of a row and of an item (0: it has no items), and
 * whether its rows have ids. */
struct section_rule {
	uint32_t section;
	unsigned row_size;
	unsigned item_size;
	bool has_ids;
};

static const struct section_rule section_rules[] = {
	{SNAP_SECTION_META, 2, 0, false}, {SNAP_SECTION_STRS, 1, 0, true},
	{SNAP_SECTION_MODS, 4, 0, true},  {SNAP_SECTION_LOCS, 3, 4, true},
	{SNAP_SECTION_NODE, 2, 0, true},  {SNAP_SECTION_VARI, 32, 0, true},
	{SNAP_SECTION_SITE, 7, 3, true},  {SNAP_SECTION_HGRP, 11, 0, true},
	{SNAP_SECTION_HROT, 9, 0, true},  {SNAP_SECTION_HEDG, 7, 0, true},
	{SNAP_SECTION_HPTH, 5, 4, true},
};

static const struct section_rule *find_rule(uint32_t section)
{
	for (size_t i = 0; i < sizeof(section_rules) / sizeof(*section_rules); i++) {
		if (section_rules[i].section == section)
			return &section_rules[i];
	}
	return NULL;
}

void snap__section_name(uint32_t section, char name[5])
{
	for (int i = 0; i < 4; i++) {
		uint32_t c = section >> 8 * i & 0xff;

		name[i] = '?';
		if (c > 0x20 && c < 0x7f)
			name[i] = (char)c;
	}
	name[4] = '\0';
}

void snap__directory_init(struct snap__directory *directory, const char *name, uint64_t file_size)
{
	*directory = (struct snap__directory){
		.name = name,
		.file_size = file_size,
		.end = SNAP_FORMAT_HEADER_SIZE,
	};
}

void snap__directory_free(struct snap__directory *directory)
{
	free(directory->chunks);
	snap__directory_init(directory, directory->name, directory->file_size);
}

/* Where rows of a section with ids are counted. */
static uint64_t *row_count(struct snap__directory *directory, uint32_t section)
{
	switch (section) {
	case SNAP_SECTION_STRS:
		return &directory->counts.strings;
	case SNAP_SECTION_MODS:
		return &directory->counts.modules;
	case SNAP_SECTION_LOCS:
		return &directory->counts.locations;
	case SNAP_SECTION_NODE:
		return &directory->counts.nodes;
	case SNAP_SECTION_VARI:
		return &directory->variances;
	case SNAP_SECTION_HGRP:
		return &directory->counts.groups;
	case SNAP_SECTION_HROT:
		return &directory->counts.roots;
	case SNAP_SECTION_HEDG:
		return &directory->counts.edges;
	case SNAP_SECTION_HPTH:
		return &directory->counts.paths;
	default:
		return &directory->counts.sites;
	}
}

/* ---- Checks of one chunk; each returns NULL or what is wrong --------------------------------- */

static const char *check_sizes(const struct snap__directory *directory,
			       const struct snap__chunk *chunk)
{
	uint64_t room = directory->file_size - directory->end;

	if (chunk->raw_size == 0 || chunk->rows == 0)
		return "it is empty";
	if (chunk->raw_size > SNAP_CHUNK_RAW_MAX)
		return "it announces more than 1 MiB";
	if (chunk->stored_size > chunk->raw_size)
		return "it is larger than its rows";
	if ((chunk->flags & SNAP_CHUNK_STORED) && chunk->stored_size != chunk->raw_size)
		return "its two sizes differ though it is not compressed";
	if (room < SNAP_FORMAT_CHUNK_HEADER_SIZE ||
	    chunk->stored_size > room - SNAP_FORMAT_CHUNK_HEADER_SIZE)
		return "it reaches beyond the end of the file";
	return NULL;
}

static const char *check_total(const struct snap__directory *directory,
			       const struct snap__chunk *chunk)
{
	uint64_t most =
		SNAP__LIMIT_INFLATED_FREE + SNAP__LIMIT_INFLATED_RATIO * directory->file_size;

	if (directory->count == SNAP_CHUNK_COUNT_MAX)
		return "there are too many chunks";
	if (directory->inflated + chunk->raw_size > most)
		return "the file would inflate beyond all proportion";
	return NULL;
}

static const char *check_rows(const struct snap__chunk *chunk, const struct section_rule *rule)
{
	uint64_t least =
		(uint64_t)chunk->rows * rule->row_size + (uint64_t)chunk->items * rule->item_size;

	if (least > chunk->raw_size)
		return "it announces more rows than it has bytes for";
	if (rule->item_size == 0 && chunk->items != 0)
		return "its item count is not 0";
	return NULL;
}

/* VARI chunks stand directly before their SITE chunk, before each of them or before none. */
static const char *check_pairing(const struct snap__directory *directory,
				 const struct snap__chunk *chunk)
{
	bool half = snap__directory_is_half(directory);

	if (chunk->section != SNAP_SECTION_SITE)
		return half ? "the VARI chunk before it has no SITE chunk" : NULL;
	if (half && directory->chunks[directory->count - 1].chunk.rows != chunk->rows)
		return "it and its VARI chunk have different row counts";
	if (!half && directory->variances > 0)
		return "it has no VARI chunk, unlike those before it";
	return NULL;
}

static const char *check_order(const struct snap__directory *directory,
			       const struct snap__chunk *chunk)
{
	if (snap__section_rank(chunk->section) < directory->last_rank)
		return "its section is out of order or came before";
	if (chunk->section == SNAP_SECTION_VARI && directory->variances != directory->counts.sites)
		return "the SITE chunks before it have no VARI chunk";
	return NULL;
}

static const char *check_known(struct snap__directory *directory, const struct snap__chunk *chunk,
			       const struct section_rule *rule)
{
	const char *problem = check_order(directory, chunk);

	if (!problem)
		problem = check_rows(chunk, rule);
	if (!problem && rule->has_ids &&
	    *row_count(directory, chunk->section) + chunk->rows > SNAP_NONE)
		problem = "its section has more rows than ids";
	return problem;
}

/* ---- The directory --------------------------------------------------------------------------- */

static enum snap_status reserve(struct snap__directory *directory, struct snap_error *err)
{
	size_t capacity = directory->capacity ? directory->capacity * 2 : 16;
	struct snap__placed *chunks;

	if (directory->count < directory->capacity)
		return SNAP_OK;
	chunks = realloc(directory->chunks, capacity * sizeof(*chunks));
	if (!chunks)
		return snap__fail(err, SNAP_ENOMEM, directory->name, "out of memory");
	directory->chunks = chunks;
	directory->capacity = capacity;
	return SNAP_OK;
}

static void append(struct snap__directory *directory, const struct snap__chunk *chunk,
		   const struct section_rule *rule)
{
	directory->chunks[directory->count++] =
		(struct snap__placed){.chunk = *chunk, .offset = directory->end};
	directory->end += SNAP_FORMAT_CHUNK_HEADER_SIZE + chunk->stored_size;
	directory->inflated += chunk->raw_size;
	if (!rule)
		return;
	directory->last_rank = snap__section_rank(chunk->section);
	if (rule->has_ids)
		*row_count(directory, chunk->section) += chunk->rows;
	if (chunk->section == SNAP_SECTION_LOCS)
		directory->counts.frames += chunk->items;
	if (chunk->section == SNAP_SECTION_SITE)
		directory->counts.cohorts += chunk->items;
	if (chunk->section == SNAP_SECTION_HPTH)
		directory->counts.steps += chunk->items;
}

enum snap_status snap__directory_add(struct snap__directory *directory,
				     const struct snap__chunk *chunk, struct snap_error *err)
{
	const struct section_rule *rule = find_rule(chunk->section);
	const char *problem = check_sizes(directory, chunk);
	char name[5];

	snap__section_name(chunk->section, name);
	if (!problem)
		problem = check_total(directory, chunk);
	if (!problem)
		problem = check_pairing(directory, chunk);
	if (!problem && rule)
		problem = check_known(directory, chunk, rule);
	if (problem)
		return snap__fail_at(err, SNAP_ECORRUPT, directory->name, directory->end,
				     "damaged %s chunk: %s", name, problem);
	if (chunk->flags & ~(unsigned)(SNAP_CHUNK_REQUIRED | SNAP_CHUNK_STORED))
		return snap__fail_at(err, SNAP_EVERSION, directory->name, directory->end,
				     "%s chunk has flags of a newer version (%#" PRIx32 ")", name,
				     chunk->flags);
	if (!rule && (chunk->flags & SNAP_CHUNK_REQUIRED))
		return snap__fail_at(err, SNAP_EVERSION, directory->name, directory->end,
				     "section %s is of a newer version and cannot be left out",
				     name);
	if (reserve(directory, err) != SNAP_OK)
		return SNAP_ENOMEM;
	append(directory, chunk, rule);
	return SNAP_OK;
}

bool snap__directory_is_half(const struct snap__directory *directory)
{
	return directory->count > 0 &&
	       directory->chunks[directory->count - 1].chunk.section == SNAP_SECTION_VARI;
}

void snap__directory_drop_half(struct snap__directory *directory)
{
	const struct snap__placed *last = &directory->chunks[directory->count - 1];

	directory->end = last->offset;
	directory->variances -= last->chunk.rows;
	directory->inflated -= last->chunk.raw_size;
	directory->count--;
}

uint64_t snap__directory_digest(const struct snap__directory *directory)
{
	uint64_t digest = 0;

	for (size_t i = 0; i < directory->count; i++)
		digest = snap__digest_add(digest, &directory->chunks[i].chunk);
	return digest;
}
