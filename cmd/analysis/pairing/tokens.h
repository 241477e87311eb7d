/*
 * analysis/pairing/tokens.h - names by which frames are recognised in another build, with weights.
 *
 * A token is a function's bare name (no parameters, no template arguments, no clone suffix), or its
 * file where it has no name.  A rare token weighs more: a function that is in every stack says
 * nothing (inverse document frequency; Sparck Jones 1972).
 */
#ifndef ANALYSIS_TOKENS_H
#define ANALYSIS_TOKENS_H

#include "dataset/dataset.h"

enum token_side { TOKEN_OLD = 1, TOKEN_NEW = 2 };

struct token {
	uint32_t name;  /* string id of the token set's own names */
	uint32_t file;  /* base name, likewise; 0 unknown: of the first frame seen */
	unsigned sides; /* enum token_side, of stacks that are there in either snapshot */
	double weight;
	uint32_t first_line[2], last_line[2]; /* seen in old and in new stacks; 0 none */
};

struct tokens {
	const struct dataset *dataset;
	uint32_t *of_frame; /* token of each frame of the dataset */
	struct token *items;
	size_t count;
	struct dataset *names; /* interned names and files */
};

/** Tokens of all frames; sides and weights from the stacks that have a cell in `old` or `new`.
 *  False when memory is out.  Release with tokens_release(), also after a failure. */
bool tokens_compute(struct tokens *tokens, const struct dataset *dataset,
		    const struct dataset_cell *const *old, const struct dataset_cell *const *new);
void tokens_release(struct tokens *tokens);

const char *token_name(const struct tokens *tokens, uint32_t token);

/** True when the token is there on one side only: a function that was renamed, inlined away, or is
 * new. */
bool token_is_one_sided(const struct tokens *tokens, uint32_t token);

/** The tokens of a site's stack, newest first; `out` has room for its depth. */
void tokens_of_site(const struct tokens *tokens, uint32_t site, uint32_t *out);

/** Do frames of two functions, which may have other names, call from the same place, counted from
 * the first or to the last line that was seen of either? */
bool token_same_line(const struct tokens *tokens, uint32_t old, uint32_t new);

#endif
