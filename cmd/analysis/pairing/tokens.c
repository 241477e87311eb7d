/*
 * tokens.c - one token per bare name, counted over the stacks of both snapshots.
 */
#include "analysis/pairing/tokens.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/names.h"

const char *token_name(const struct tokens *tokens, uint32_t token)
{
	return dataset_text(tokens->names, tokens->items[token].name);
}

bool token_is_one_sided(const struct tokens *tokens, uint32_t token)
{
	return tokens->items[token].sides == TOKEN_OLD || tokens->items[token].sides == TOKEN_NEW;
}

void tokens_of_site(const struct tokens *tokens, uint32_t site, uint32_t *out)
{
	const struct dataset_site *row = &tokens->dataset->sites[site];

	for (uint32_t i = 0; i < row->depth; i++)
		out[i] = tokens->of_frame[tokens->dataset->stack[row->first + i]];
}

static uint32_t intern_bare(struct dataset *names, const char *function)
{
	char buffer[512], *text = buffer;
	size_t size = name_bare(function, buffer, sizeof(buffer));
	uint32_t id;

	if (size >= sizeof(buffer)) {
		text = malloc(size + 1);
		if (!text)
			return SNAP_NONE;
		name_bare(function, text, size + 1);
	}
	id = dataset_string(names, text);
	if (text != buffer)
		free(text);
	return id;
}

/* Names of all frames: functions are many frames, so each function string is made bare once. */
static bool name_frames(struct tokens *tokens, uint32_t *names, uint32_t *files)
{
	const struct dataset *dataset = tokens->dataset;
	uint32_t *bare = malloc(dataset->string_count * sizeof(*bare));
	bool ok = bare != NULL;

	if (ok)
		memset(bare, 0xff, dataset->string_count * sizeof(*bare));
	for (size_t i = 0; ok && i < dataset->frame_count; i++) {
		const struct dataset_frame *frame = &dataset->frames[i];

		files[i] = dataset_string(tokens->names,
					  name_base(dataset_text(dataset, frame->file)));
		if (bare[frame->function] == SNAP_NONE)
			bare[frame->function] =
				intern_bare(tokens->names, dataset_text(dataset, frame->function));
		names[i] = frame->function ? bare[frame->function] : files[i];
		ok = names[i] != SNAP_NONE && files[i] != SNAP_NONE;
	}
	free(bare);
	return ok;
}

/* Tokens are numbered in the order of their names' ids. */
static bool number_tokens(struct tokens *tokens, const uint32_t *names, const uint32_t *files)
{
	size_t name_count = tokens->names->string_count;
	uint32_t *by_name = malloc(name_count * sizeof(*by_name));

	tokens->items = calloc(name_count, sizeof(*tokens->items));
	if (!by_name || !tokens->items) {
		free(by_name);
		return false;
	}
	memset(by_name, 0xff, name_count * sizeof(*by_name));
	for (size_t i = 0; i < tokens->dataset->frame_count; i++) {
		if (by_name[names[i]] == SNAP_NONE) {
			by_name[names[i]] = (uint32_t)tokens->count;
			tokens->items[tokens->count++] =
				(struct token){.name = names[i], .file = files[i]};
		}
		tokens->of_frame[i] = by_name[names[i]];
	}
	free(by_name);
	return true;
}

struct token_count {
	uint32_t stacks;
	uint32_t last; /* site + 1 that counted it last */
};

static unsigned sides_of(const struct dataset_cell *old, const struct dataset_cell *new)
{
	return (old ? TOKEN_OLD : 0) | (new ? TOKEN_NEW : 0);
}

static void note_line(struct token *token, uint32_t line, unsigned sides)
{
	for (unsigned side = 0; line && side < 2; side++) {
		if (!(sides & (side ? TOKEN_NEW : TOKEN_OLD)))
			continue;
		if (token->first_line[side] == 0 || line < token->first_line[side])
			token->first_line[side] = line;
		if (line > token->last_line[side])
			token->last_line[side] = line;
	}
}

bool token_same_line(const struct tokens *tokens, uint32_t old, uint32_t new)
{
	const struct dataset_frame *frames = tokens->dataset->frames;
	const struct token *a = &tokens->items[tokens->of_frame[old]];
	const struct token *b = &tokens->items[tokens->of_frame[new]];

	return frames[old].line - a->first_line[0] == frames[new].line - b->first_line[1] ||
	       a->last_line[0] - frames[old].line == b->last_line[1] - frames[new].line;
}

/* How many stacks each token is in; a stack of both snapshots counts once.  In `frame_sides`: which
 * snapshots have a frame. */
static size_t count_stacks(const struct tokens *tokens, const struct dataset_cell *const *old,
			   const struct dataset_cell *const *new, struct token_count *counts,
			   uint8_t *frame_sides)
{
	const struct dataset *dataset = tokens->dataset;
	size_t total = 0;

	for (uint32_t i = 0; i < dataset->site_count; i++) {
		const uint32_t *stack = dataset->stack + dataset->sites[i].first;
		uint32_t depth = dataset->sites[i].depth;
		unsigned sides = sides_of(old[i], new[i]);

		total += sides != 0;
		for (uint32_t f = 0; sides && f < depth; f++) {
			struct token_count *count = &counts[tokens->of_frame[stack[f]]];

			frame_sides[stack[f]] |= (uint8_t)sides;
			count->stacks += count->last != i + 1;
			count->last = i + 1;
		}
	}
	return total;
}

static bool weigh(struct tokens *tokens, const struct dataset_cell *const *old,
		  const struct dataset_cell *const *new)
{
	const struct dataset *dataset = tokens->dataset;
	struct token_count *counts = calloc(tokens->count + 1, sizeof(*counts));
	uint8_t *sides = calloc(dataset->frame_count + 1, sizeof(*sides));
	bool fine = counts && sides;
	size_t total = fine ? count_stacks(tokens, old, new, counts, sides) : 0;

	for (size_t i = 0; fine && i < dataset->frame_count; i++) {
		/* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.ArraySubscript): each frame has one */
		struct token *token = &tokens->items[tokens->of_frame[i]];

		token->sides |= sides[i];
		note_line(token, dataset->frames[i].line, sides[i]);
	}
	for (size_t i = 0; fine && i < tokens->count; i++)
		tokens->items[i].weight =
			counts[i].stacks ? log((double)(total + 1) / counts[i].stacks) : 0;
	free(counts);
	free(sides);
	return fine;
}

bool tokens_compute(struct tokens *tokens, const struct dataset *dataset,
		    const struct dataset_cell *const *old, const struct dataset_cell *const *new)
{
	uint32_t *names = calloc(dataset->frame_count + 1, sizeof(*names));
	uint32_t *files = calloc(dataset->frame_count + 1, sizeof(*files));
	bool ok;

	*tokens = (struct tokens){.dataset = dataset, .names = dataset_new(0)};
	tokens->of_frame = malloc((dataset->frame_count + 1) * sizeof(*tokens->of_frame));
	ok = names && files && tokens->names && tokens->of_frame &&
	     name_frames(tokens, names, files) && number_tokens(tokens, names, files) &&
	     weigh(tokens, old, new);
	free(names);
	free(files);
	return ok;
}

void tokens_release(struct tokens *tokens)
{
	dataset_free(tokens->names);
	free(tokens->of_frame);
	free(tokens->items);
	*tokens = (struct tokens){0};
}
