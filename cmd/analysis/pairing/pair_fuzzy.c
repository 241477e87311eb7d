/*
 * pair_fuzzy.c - pair call stacks by likeness.
 *
 * 1. Stacks that no key paired are gathered in families: the same functions in the same modules.
 *    Families are compared, not stacks, so that a function with a thousand call sites is compared
 *    once.
 * 2.  Each old family gets a few candidates; only those are aligned, so that the work grows with
 *    the number of families and not with its square.  Candidates are the new families that differ
 *    only in functions that one snapshot lacks (analysis/skeleton.h).  If no candidate is certain,
 *    an inverted index finds others by the rarest tokens.
 * 3.  Likeness is a weighted Dice coefficient over the aligned frames (analysis/tokens.h says what
 *    a frame weighs).  A token that the other snapshot does not have at all (renamed, inlined away,
 *    new wrapper) says little against a pair; a token that it has, but not in this stack, says a
 *    lot.
 * 4. The stacks of like families pair by likeness, lines (counted from the start of their function)
 * and size, best first.  A pair with a rival that is about as good is ambiguous and stays unpaired,
 * unless the rival is the same call and holds as much.
 */
#include "analysis/pairing/pair_fuzzy.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/pairing/align.h"
#include "analysis/pairing/skeleton.h"
#include "analysis/pairing/stack_index.h"
#include "base/array.h"
#include "base/hash_table.h"
#include "base/seed.h"

/* Chosen on the corpus of tests/compare; each has its reason beside it. */
static const double least_likeness = 0.5;    /* below, stacks differ in more than they share */
static const double slight_likeness = 0.25;  /* enough if function and size are unique */
static const double sure_likeness = 0.75;    /* with the same skeleton: no need to look further */
static const double ambiguity = 0.01;        /* rivals this close cannot be told apart */
static const double one_sided_weight = 0.25; /* weight of a frame that the other snapshot lacks */
static const double size_share = 0.1;        /* weight of equal sizes: enough to decide between
					        equals */
static const double same_size_bonus = 0.1;   /* weight of an equal number of blocks of one size that
					      no other stack has */
static const double line_share = 0.3;   /* weight of lines: they tell which call in a function it
					      was */
static const double order_share = 0.05; /* weight of the same place in the families */

static const double like_names = 0.7;   /* likeness of two names that counts as a rename */
static const double like_blocks = 0.75; /* likeness of average block sizes that counts as the same
					   struct, or nearly the same */

/* What speaks for two functions being one, and how much their sizes must agree then. */
enum evidence {
	EVIDENCE_NONE, /* as many blocks of as many bytes */
	EVIDENCE_FILE, /* both in one file: blocks of about one size */
	EVIDENCE_NAME, /* the name, or one calls the other: any size */
};

enum {
	FEWEST_CANDIDATES = 3, /* aligned per old family, however many there are ... */
	MOST_CANDIDATES = 64,  /* ... and however few */
	ALIGNMENTS = 100000,   /* aimed at for all families together: some seconds */
	MOST_SAME_SKELETON =
		32, /* of a family, that are aligned: above, the skeleton is too common */
	MOST_CROSS =
		8, /* per stack of two families, how many of the other are weighed against it */
	REMEMBERED = 1 << 18, /* pairs of names whose likeness is kept; a power of 2 */
};

/* Unpaired stacks of one side with equal function keys: members[first .. first + count), in line
 * order. */
struct family {
	uint32_t first, count;
	uint32_t site; /* one of them: they have the same functions */
};

struct fuzzy_side {
	uint32_t *members;
	size_t member_count;
	struct family *families;
	struct indexed_stack *stacks; /* one per family */
	size_t family_count;
	uint32_t *tokens;    /* of all stacks */
	uint32_t *family_of; /* per member */
	uint32_t *alike;     /* per member: how many members hold as many blocks of as many bytes,
			    itself included */
};

/* Two stacks that may be one. */
struct candidate {
	uint32_t old, new; /* members of their sides */
	double likeness;   /* of the frames: what is reported */
	double score;      /* with sizes: what decides */
	uint32_t distance; /* of their places in their families: line order breaks ties */
};

/* Cached scores of pairs of different tokens: the same pairs occur in many stacks, and comparing
 * names is the most expensive step.  A slot keeps the last pair with its hash. */
struct remembered {
	uint32_t old, new;
	double score; /* 0: the slot is free */
};

struct scorer {
	struct tokens tokens; /* of the caller's */
	struct remembered *remembered;
};

struct fuzzy {
	const struct dataset *dataset;
	const struct pair_sides *sides;
	struct scorer scorer;
	const uint32_t *line_map;
	struct fuzzy_side old, new;
	struct skeletons skeletons; /* of the new families, as is the index */
	struct stack_index index;
	struct aligner aligner;
	struct candidate *candidates;
	size_t candidate_count, candidate_capacity;
};

/* ---- families -------------------------------------------------------------------------------- */

static bool same_family(const struct dataset *dataset, uint32_t a, uint32_t b)
{
	return dataset->sites[a].identity.function == dataset->sites[b].identity.function;
}

/* The tokens of each family, one after the other. */
static bool read_stacks(const struct fuzzy *fuzzy, struct fuzzy_side *side)
{
	size_t total = 0;

	for (size_t i = 0; i < side->family_count; i++)
		total += fuzzy->dataset->sites[side->families[i].site].depth;
	side->tokens = malloc((total + 1) * sizeof(*side->tokens));
	side->stacks = calloc(side->family_count + 1, sizeof(*side->stacks));
	if (!side->tokens || !side->stacks)
		return false;
	total = 0;
	for (size_t i = 0; i < side->family_count; i++) {
		uint32_t site = side->families[i].site, depth = fuzzy->dataset->sites[site].depth;

		tokens_of_site(&fuzzy->scorer.tokens, site, side->tokens + total);
		side->stacks[i] = (struct indexed_stack){side->tokens + total, depth, 0};
		for (uint32_t t = 0; t < depth; t++)
			side->stacks[i].weight +=
				fuzzy->scorer.tokens.items[side->tokens[total + t]].weight;
		total += depth;
	}
	return true;
}

/* `sites` come grouped by function key and in line order within. */
static bool gather_families(struct fuzzy *fuzzy, struct fuzzy_side *side, const uint32_t *sites,
			    size_t count)
{
	side->members = malloc((count + 1) * sizeof(*side->members));
	side->family_of = malloc((count + 1) * sizeof(*side->family_of));
	side->families = calloc(count + 1, sizeof(*side->families));
	if (!side->members || !side->family_of || !side->families)
		return false;
	side->member_count = count;
	for (uint32_t i = 0; i < count; i++) {
		side->members[i] = sites[i];
		if (i == 0 || !same_family(fuzzy->dataset, sites[i - 1], sites[i]))
			side->families[side->family_count++] =
				(struct family){.first = i, .site = sites[i]};
		side->families[side->family_count - 1].count++;
		side->family_of[i] = (uint32_t)side->family_count - 1;
	}
	return read_stacks(fuzzy, side);
}

/* ---- likeness -------------------------------------------------------------------------------- */

/*
 * 1 for equal names, down to 0: the share of characters that need no edit (Levenshtein 1966), by
 * the bit vectors of Myers 1999 in Hyyro's form: a column of the table is one word of
 * vertical differences, and a character of `b` costs a few operations.
 */
static double name_likeness(const char *a, const char *b)
{
	enum { LONGEST = 64 };
	size_t n = strnlen(a, LONGEST), m = strnlen(b, LONGEST), distance = n;
	uint64_t where[256] = {0}, up = UINT64_MAX,
		 down = 0; /* bit i: of the i-th character of a */
	uint64_t last = n ? UINT64_C(1) << (n - 1) : 0;

	if (n == 0 || m == 0)
		return n == m ? 1 : 0;
	for (size_t i = 0; i < n; i++)
		where[(unsigned char)a[i]] |= UINT64_C(1) << i;
	for (size_t j = 0; j < m; j++) {
		uint64_t equal = where[(unsigned char)b[j]];
		uint64_t diagonal = (((equal & up) + up) ^ up) | equal | down;
		uint64_t right_up = down | ~(diagonal | up), right_down = up & diagonal;

		distance += (right_up & last) != 0;
		distance -= (right_down & last) != 0;
		right_up = right_up << 1 | 1;
		right_down <<= 1;
		up = right_down | ~(diagonal | right_up);
		down = right_up & diagonal;
	}
	return 1.0 - (double)distance / (double)(n > m ? n : m);
}

static double renamed_score(const struct tokens *tokens, uint32_t a, uint32_t b)
{
	const struct token *x = &tokens->items[a], *y = &tokens->items[b];
	double score = 0.2 + 0.5 * name_likeness(token_name(tokens, a), token_name(tokens, b)) +
		       (x->file && x->file == y->file ? 0.3 : 0);

	return score * (x->weight + y->weight) / 2;
}

/*
 * May token `a` match `b`?  Equal tokens may.  Different tokens may only if one of them does not
 * exist in the other snapshot, as after a rename: two functions that exist in both snapshots are
 * different functions.
 */
static double token_score(const void *context, uint32_t a, uint32_t b)
{
	const struct scorer *scorer = context;
	const struct token *x = &scorer->tokens.items[a], *y = &scorer->tokens.items[b];
	struct remembered *slot;

	if (a == b)
		return x->weight + 1e-3; /* even frames that say nothing are better aligned than
					    not */
	if (x->sides != TOKEN_OLD || y->sides != TOKEN_NEW)
		return 0;
	slot = &scorer->remembered[hash_fold(a, b) & (REMEMBERED - 1)];
	if (slot->score <= 0 || slot->old != a || slot->new != b)
		*slot = (struct remembered){a, b, renamed_score(&scorer->tokens, a, b)};
	return slot->score;
}

/* See token_score(). */
static bool may_be_renamed(const void *context, uint32_t token, bool is_new)
{
	const struct scorer *scorer = context;

	return scorer->tokens.items[token].sides == (is_new ? TOKEN_NEW : TOKEN_OLD);
}

static double gap_weight(const struct tokens *tokens, uint32_t token)
{
	return tokens->items[token].weight *
	       (token_is_one_sided(tokens, token) ? one_sided_weight : 1);
}

/* The weighted Dice coefficient over the aligned frames; negative when memory is out. */
static double stack_likeness(struct fuzzy *fuzzy, const struct indexed_stack *old,
			     const struct indexed_stack *new)
{
	const uint32_t *a = old->tokens, *b = new->tokens;
	double alike = 0, all = 0;

	if (!align(&fuzzy->aligner, a, old->depth, b, new->depth))
		return -1;
	for (size_t i = 0; i < fuzzy->aligner.step_count; i++) {
		struct align_step step = fuzzy->aligner.steps[i];

		if (step.a == SNAP_NONE) {
			all += gap_weight(&fuzzy->scorer.tokens, b[step.b]);
		} else if (step.b == SNAP_NONE) {
			all += gap_weight(&fuzzy->scorer.tokens, a[step.a]);
		} else {
			alike += 2 * token_score(&fuzzy->scorer, a[step.a], b[step.b]);
			all += fuzzy->scorer.tokens.items[a[step.a]].weight +
			       fuzzy->scorer.tokens.items[b[step.b]].weight + 2e-3;
		}
	}
	return all > 0 ? alike / all : 0;
}

static double ratio(double a, double b)
{
	return a == b ? 1 : a < b ? a / b : b / a;
}

static bool is_known(const struct figures *figures, enum figure bytes)
{
	return figures->value[bytes] != SNAP_UNKNOWN && figures->value[bytes + 1] != SNAP_UNKNOWN &&
	       figures->value[bytes + 1] > 0;
}

/* Cumulative figures say more than live ones, because a leak changes the latter. */
static enum figure telling_bytes(const struct figures *a, const struct figures *b)
{
	return is_known(a, FIGURE_ALLOCATED_BYTES) && is_known(b, FIGURE_ALLOCATED_BYTES)
		       ? FIGURE_ALLOCATED_BYTES
		       : FIGURE_LIVE_BYTES;
}

/* How much alike the average blocks are; nothing is known: half. */
static double block_likeness(const struct figures *a, const struct figures *b)
{
	enum figure bytes = telling_bytes(a, b);

	if (!is_known(a, bytes) || !is_known(b, bytes))
		return 0.5;
	return ratio((double)a->value[bytes] / (double)a->value[bytes + 1],
		     (double)b->value[bytes] / (double)b->value[bytes + 1]);
}

/* Blocks of one size, in like number, are likely the same blocks. */
static double size_likeness(const struct figures *a, const struct figures *b)
{
	enum figure bytes = telling_bytes(a, b);

	if (!is_known(a, bytes) || !is_known(b, bytes))
		return 0.5;
	return 0.7 * block_likeness(a, b) +
	       0.3 * ratio((double)a->value[bytes + 1], (double)b->value[bytes + 1]);
}

static bool same_size(const struct figures *a, const struct figures *b)
{
	enum figure bytes = telling_bytes(a, b);

	return is_known(a, bytes) && a->value[bytes] == b->value[bytes] &&
	       a->value[bytes + 1] == b->value[bytes + 1];
}

static bool is_alike(const void *context, const void *wanted, uint32_t id)
{
	const struct figures *a = wanted;
	const struct figures *b = &((const struct dataset_cell *const *)context)[id]->figures;
	enum figure of_a = telling_bytes(a, a), of_b = telling_bytes(b, b);

	return a->value[of_a] == b->value[of_b] && a->value[of_a + 1] == b->value[of_b + 1];
}

/* How many stacks of a side have each size: a common size tells nothing.  `counts` is by site, and
 * zero; the first site of each size counts them all. */
static bool count_sizes(struct fuzzy_side *side, const struct dataset_cell *const *cells,
			uint32_t *counts)
{
	struct hash_table sizes = {0};
	bool ok = true;

	for (size_t i = 0; ok && i < side->member_count; i++) {
		const struct figures *figures = &cells[side->members[i]]->figures;
		enum figure bytes = telling_bytes(figures, figures);
		uint64_t hash = hash_fold(hash_fold(hash_seed(), figures->value[bytes]),
					  figures->value[bytes + 1]);
		uint32_t first = hash_table_find(&sizes, hash, is_alike, cells, figures);

		if (first == SNAP_NONE) {
			first = side->members[i];
			ok = hash_table_add(&sizes, hash, first);
		}
		side->alike[i] = first;
		counts[first]++;
	}
	hash_table_release(&sizes);
	return ok;
}

static bool count_alike(struct fuzzy_side *side, const struct dataset_cell *const *cells,
			size_t site_count)
{
	uint32_t *counts = calloc(site_count + 1, sizeof(*counts));
	bool ok;

	side->alike = malloc((side->member_count + 1) * sizeof(*side->alike));
	ok = counts && side->alike && count_sizes(side, cells, counts);
	for (size_t i = 0; ok && i < side->member_count; i++)
		side->alike[i] = counts[side->alike[i]];
	free(counts);
	return ok;
}

/* Lines of one function are mapped; those of a renamed one are counted from what was seen of it. */
static bool same_line(const struct fuzzy *fuzzy, uint32_t old, uint32_t new)
{
	if (fuzzy->scorer.tokens.of_frame[old] == fuzzy->scorer.tokens.of_frame[new])
		return fuzzy->line_map[old] == fuzzy->dataset->frames[new].line;
	return token_same_line(&fuzzy->scorer.tokens, old, new);
}

/*
 * How alike are the lines of frames that the last alignment paired?  1 if all frames call from the
 * same lines of their functions, and less for each that does not: another line is another call.
 * 0.5 if no line is known.
 */
static double line_likeness(const struct fuzzy *fuzzy, uint32_t old, uint32_t new)
{
	const struct dataset *dataset = fuzzy->dataset;
	const uint32_t *a = dataset->stack + dataset->sites[old].first;
	const uint32_t *b = dataset->stack + dataset->sites[new].first;
	size_t known = 0, different = 0;

	for (size_t i = 0; i < fuzzy->aligner.step_count; i++) {
		struct align_step step = fuzzy->aligner.steps[i];

		if (step.a == SNAP_NONE || step.b == SNAP_NONE)
			continue;
		if (dataset->frames[a[step.a]].line == 0 || dataset->frames[b[step.b]].line == 0)
			continue;
		known++;
		different += !same_line(fuzzy, a[step.a], b[step.b]);
	}
	return known ? 1 / (1 + (double)different) : 0.5;
}

/* ---- candidates ------------------------------------------------------------------------------ */

/* How many stacks of either side, at most, have the size that both of these have; 0: theirs differ.
 */
static uint32_t count_of_size(const struct fuzzy *fuzzy, uint32_t old, uint32_t new)
{
	uint32_t a = fuzzy->old.members[old], b = fuzzy->new.members[new];

	if (!same_size(&fuzzy->sides->old[a]->figures, &fuzzy->sides->new[b]->figures))
		return 0;
	return fuzzy->old.alike[old] > fuzzy->new.alike[new] ? fuzzy->old.alike[old]
							     : fuzzy->new.alike[new];
}

static bool size_agrees(const struct fuzzy *fuzzy, uint32_t old, uint32_t new,
			enum evidence evidence)
{
	const struct figures *a = &fuzzy->sides->old[fuzzy->old.members[old]]->figures;
	const struct figures *b = &fuzzy->sides->new[fuzzy->new.members[new]]->figures;

	if (evidence == EVIDENCE_FILE)
		return block_likeness(a, b) >= like_blocks;
	return evidence == EVIDENCE_NAME || same_size(a, b);
}

static bool add_candidate(struct fuzzy *fuzzy, uint32_t old, uint32_t new, double likeness,
			  uint32_t distance)
{
	uint32_t a = fuzzy->old.members[old], b = fuzzy->new.members[new];
	uint32_t of_size = count_of_size(fuzzy, old, new);
	double size = size_likeness(&fuzzy->sides->old[a]->figures, &fuzzy->sides->new[b]->figures);
	double score = (1 - size_share - line_share - order_share) * likeness + size_share * size +
		       line_share * line_likeness(fuzzy, a, b) + (distance == 0 ? order_share : 0);

	if (likeness < least_likeness && of_size != 1)
		return true;
	if (of_size)
		score += same_size_bonus / of_size;
	if (!array_reserve(&fuzzy->candidates, &fuzzy->candidate_capacity, fuzzy->candidate_count,
			   sizeof(*fuzzy->candidates)))
		return false;
	fuzzy->candidates[fuzzy->candidate_count++] =
		(struct candidate){old, new, likeness, score, distance};
	return true;
}

/* All stacks of one against all of the other where they are few, else in line order.  The families
 * were aligned last. */
static bool add_family_pair(struct fuzzy *fuzzy, const struct family *old, const struct family *new,
			    double likeness, enum evidence evidence)
{
	uint64_t both = (uint64_t)old->count + new->count;
	bool every = (uint64_t)old->count * new->count <= MOST_CROSS *both;

	for (uint32_t i = 0; i < old->count; i++) {
		uint32_t from = every ? 0 : i, to = every ? new->count : i + 1;

		for (uint32_t j = from; j < to && j < new->count; j++)
			if (size_agrees(fuzzy, old->first + i, new->first + j, evidence) &&
			    !add_candidate(fuzzy, old->first + i, new->first + j, likeness,
					   i > j ? i - j : j - i))
				return false;
	}
	return true;
}

static bool same_domain(const struct fuzzy *fuzzy, const struct family *old,
			const struct family *new)
{
	return fuzzy->dataset->sites[old->site].domain == fuzzy->dataset->sites[new->site].domain;
}

/* The search among new families; what it has found out so far. */
struct search {
	bool *unsure;    /* per old family: none was surely its own */
	bool *unclaimed; /* per new family: none was surely its own */
	size_t unsure_count;
};

/* The token that names a family's site: its newest frame that is not an allocator function. */
static uint32_t naming_token(const struct fuzzy *fuzzy, const struct fuzzy_side *side,
			     size_t family)
{
	const struct indexed_stack *stack = &side->stacks[family];
	uint32_t named = fuzzy->dataset->sites[side->families[family].site].asked;

	return named < stack->depth ? stack->tokens[named] : SNAP_NONE;
}

static bool has_token(const struct indexed_stack *stack, uint32_t token)
{
	for (uint32_t i = 0; i < stack->depth; i++)
		if (stack->tokens[i] == token)
			return true;
	return false;
}

/* Two functions that live on in both snapshots allocate, and neither was inlined into the other. */
static bool are_strangers(const struct fuzzy *fuzzy, size_t f, uint32_t found)
{
	uint32_t old = naming_token(fuzzy, &fuzzy->old, f);
	uint32_t new = naming_token(fuzzy, &fuzzy->new, found);

	return old != new &&old != SNAP_NONE &&new != SNAP_NONE &&
	       !token_is_one_sided(&fuzzy->scorer.tokens, old) &&
	       !token_is_one_sided(&fuzzy->scorer.tokens, new) &&
	       !has_token(&fuzzy->new.stacks[found], old) && !has_token(&fuzzy->old.stacks[f], new);
}

/*
 * Is there evidence that the allocating function of one family became that of the other?  One is
 * gone and another is new, but that alone proves nothing: something may have been removed, and
 * something else may leak.
 */
static enum evidence evidence_of(const struct fuzzy *fuzzy, size_t f, uint32_t found)
{
	const struct tokens *tokens = &fuzzy->scorer.tokens;
	uint32_t old = naming_token(fuzzy, &fuzzy->old, f);
	uint32_t new = naming_token(fuzzy, &fuzzy->new, found);

	if (old == new || old == SNAP_NONE || new == SNAP_NONE ||
	    has_token(&fuzzy->new.stacks[found], old) || has_token(&fuzzy->old.stacks[f], new))
		return EVIDENCE_NAME;
	if (!token_is_one_sided(tokens, old) || !token_is_one_sided(tokens, new))
		return EVIDENCE_NONE;
	if (name_likeness(token_name(tokens, old), token_name(tokens, new)) >= like_names)
		return EVIDENCE_NAME;
	return tokens->items[old].file && tokens->items[old].file == tokens->items[new].file
		       ? EVIDENCE_FILE
		       : EVIDENCE_NONE;
}

/* Are the stacks of old family `f` those of new family `found`?  Negative when memory is out. */
static double try_candidate(struct fuzzy *fuzzy, size_t f, uint32_t found)
{
	const struct family *old = &fuzzy->old.families[f], *new = &fuzzy->new.families[found];
	double likeness, least = least_likeness;

	if (!same_domain(fuzzy, old, new) || are_strangers(fuzzy, f, found))
		return 0;
	if (naming_token(fuzzy, &fuzzy->old, f) == naming_token(fuzzy, &fuzzy->new, found))
		least = slight_likeness;
	likeness = stack_likeness(fuzzy, &fuzzy->old.stacks[f], &fuzzy->new.stacks[found]);
	if (likeness >= least &&
	    !add_family_pair(fuzzy, old, new, likeness, evidence_of(fuzzy, f, found)))
		return -1;
	return likeness;
}

/* New families of the same skeleton: *first on. */
static size_t same_skeleton(const struct fuzzy *fuzzy, size_t f, const struct keyed_row **first)
{
	size_t count = skeletons_find(&fuzzy->skeletons, &fuzzy->old.stacks[f], first);

	return count <= MOST_SAME_SKELETON ? count : 0;
}

static bool try_same_skeleton(struct fuzzy *fuzzy, struct search *search, size_t f)
{
	const struct keyed_row *same;
	size_t count = same_skeleton(fuzzy, f, &same);

	search->unsure[f] = true;
	for (size_t i = 0; i < count; i++) {
		double likeness = try_candidate(fuzzy, f, same[i].row);

		if (likeness < 0)
			return false;
		if (likeness < sure_likeness)
			continue;
		search->unsure[f] = false;
		search->unclaimed[same[i].row] = false;
	}
	search->unsure_count += search->unsure[f];
	return true;
}

static bool try_found(struct fuzzy *fuzzy, size_t f, size_t most)
{
	const struct keyed_row *same;
	size_t same_count = same_skeleton(fuzzy, f, &same);
	size_t count = stack_index_query(&fuzzy->index, &fuzzy->old.stacks[f], most);

	for (size_t i = 0; i < count; i++) {
		uint32_t found = fuzzy->index.tally[i].stack;
		size_t s = 0;

		while (s < same_count && same[s].row != found)
			s++;
		if (s == same_count && try_candidate(fuzzy, f, found) < 0)
			return false;
	}
	return true;
}

/* The fewer families, the closer the search comes to trying all. */
static size_t candidates_per_family(size_t families)
{
	size_t share = families ? ALIGNMENTS / families : 0;

	return share < FEWEST_CANDIDATES ? FEWEST_CANDIDATES
	       : share > MOST_CANDIDATES ? MOST_CANDIDATES
					 : share;
}

static bool search_skeletons(struct fuzzy *fuzzy, struct search *search)
{
	memset(search->unclaimed, true, fuzzy->new.family_count);
	for (size_t f = 0; f < fuzzy->old.family_count; f++)
		if (!try_same_skeleton(fuzzy, search, f))
			return false;
	return true;
}

/* If few families are left, certain ones are checked once more: it costs little. */
static bool search_index(struct fuzzy *fuzzy, struct search *search)
{
	bool every = candidates_per_family(fuzzy->old.family_count) == MOST_CANDIDATES;
	size_t most = candidates_per_family(every ? fuzzy->old.family_count : search->unsure_count);

	if (!every && search->unsure_count == 0)
		return true;
	if (!stack_index_build(&fuzzy->index, &fuzzy->scorer.tokens, fuzzy->new.stacks,
			       fuzzy->new.family_count, every ? NULL : search->unclaimed))
		return false;
	for (size_t f = 0; f < fuzzy->old.family_count; f++)
		if ((every || search->unsure[f]) && !try_found(fuzzy, f, most))
			return false;
	return true;
}

static bool find_all_candidates(struct fuzzy *fuzzy)
{
	struct search search = {
		.unsure = malloc(fuzzy->old.family_count + 1),
		.unclaimed = malloc(fuzzy->new.family_count + 1),
	};
	bool ok = search.unsure && search.unclaimed &&
		  skeletons_build(&fuzzy->skeletons, &fuzzy->scorer.tokens, fuzzy->new.stacks,
				  fuzzy->new.family_count) &&
		  search_skeletons(fuzzy, &search) && search_index(fuzzy, &search);

	free(search.unsure);
	free(search.unclaimed);
	return ok;
}

/* ---- the choice ------------------------------------------------------------------------------ */

static int compare_candidates(const void *left, const void *right)
{
	const struct candidate *a = left, *b = right;

	if (a->score != b->score)
		return a->score < b->score ? 1 : -1;
	if (a->distance != b->distance)
		return a->distance < b->distance ? -1 : 1;
	if (a->old != b->old)
		return a->old < b->old ? -1 : 1;
	return (a->new > b->new) - (a->new < b->new);
}

/* One side of the choice: of each member, its candidates by falling score, and whether it is
 * paired. */
struct choices {
	uint32_t *start, *list; /* list[start[m] .. start[m + 1]): positions in fuzzy->candidates */
	bool *taken;
};

static uint32_t member_of(const struct candidate *candidate, bool new)
{
	return new ? candidate->new : candidate->old;
}

static bool list_choices(const struct fuzzy *fuzzy, struct choices *choices, bool new)
{
	size_t members = new ? fuzzy->new.member_count : fuzzy->old.member_count;

	choices->start = calloc(members + 2, sizeof(*choices->start));
	choices->list = malloc((fuzzy->candidate_count + 1) * sizeof(*choices->list));
	choices->taken = calloc(members + 1, sizeof(*choices->taken));
	if (!choices->start || !choices->list || !choices->taken)
		return false;
	for (size_t i = 0; i < fuzzy->candidate_count; i++)
		choices->start[member_of(&fuzzy->candidates[i], new) + 2]++;
	for (size_t i = 2; i < members + 2; i++)
		choices->start[i] += choices->start[i - 1];
	for (uint32_t i = 0; i < fuzzy->candidate_count; i++)
		choices->list[choices->start[member_of(&fuzzy->candidates[i], new) + 1]++] = i;
	return true;
}

static void choices_release(struct choices *choices)
{
	free(choices->start);
	free(choices->list);
	free(choices->taken);
}

static bool same_call(const struct fuzzy *fuzzy, uint32_t a, uint32_t b)
{
	return fuzzy->scorer.tokens.of_frame[a] == fuzzy->scorer.tokens.of_frame[b] &&
	       fuzzy->dataset->frames[a].line == fuzzy->dataset->frames[b].line;
}

/* Are two stacks of one side the same call with the same figures?  Then it makes no difference to
 * any row's figures which of them is paired. */
static bool are_interchangeable(const struct fuzzy *fuzzy, uint32_t a, uint32_t b, bool new)
{
	const struct fuzzy_side *side = new ? &fuzzy->new : &fuzzy->old;
	const struct dataset_cell *const *cells = new ? fuzzy->sides->new : fuzzy->sides->old;
	const struct dataset_site *x = &fuzzy->dataset->sites[side->members[a]];
	const struct dataset_site *y = &fuzzy->dataset->sites[side->members[b]];
	const uint32_t *stack = fuzzy->dataset->stack;

	for (enum figure i = 0; i < FIGURES; i++)
		if (cells[side->members[a]]->figures.value[i] !=
		    cells[side->members[b]]->figures.value[i])
			return false;
	return x->identity.named < x->depth && y->identity.named < y->depth &&
	       same_call(fuzzy, stack[x->first], stack[y->first]) &&
	       same_call(fuzzy, stack[x->first + x->identity.named],
			 stack[y->first + y->identity.named]);
}

/*
 * Is there a rival for this end of the candidate: another unpaired stack that is about as good?
 * Stacks of the same family are no rivals: size and line order have chosen among them.
 */
static bool has_rival(const struct fuzzy *fuzzy, const struct candidate *candidate, bool new,
		      const struct choices *mine, const struct choices *others)
{
	const uint32_t *family_of = new ? fuzzy->old.family_of : fuzzy->new.family_of;
	uint32_t member = member_of(candidate, new), other = member_of(candidate, !new);

	for (uint32_t i = mine->start[member]; i < mine->start[member + 1]; i++) {
		const struct candidate *rival = &fuzzy->candidates[mine->list[i]];
		uint32_t with = member_of(rival, !new);

		if (rival->score < candidate->score - ambiguity)
			break;
		if (!others->taken[with] && family_of[with] != family_of[other] &&
		    !are_interchangeable(fuzzy, with, other, !new))
			return true;
	}
	return false;
}

/* One pass over the candidates, best first.  Returns true if any pair was taken, because this
 * may end the ambiguity of other candidates. */
static bool choose_once(const struct fuzzy *fuzzy, struct choices *old, struct choices *new,
			struct pair *pairs, size_t *pair_count)
{
	size_t before = *pair_count;

	for (size_t i = 0; i < fuzzy->candidate_count; i++) {
		const struct candidate *candidate = &fuzzy->candidates[i];

		if (old->taken[candidate->old] || new->taken[candidate->new] ||
		    has_rival(fuzzy, candidate, false, old, new) ||
		    has_rival(fuzzy, candidate, true, new, old))
			continue;
		old->taken[candidate->old] = new->taken[candidate->new] = true;
		pairs[(*pair_count)++] = (struct pair){.old = fuzzy->old.members[candidate->old],
						       .new = fuzzy->new.members[candidate->new],
						       .level = PAIR_FUZZY,
						       .similarity = candidate->likeness};
	}
	return *pair_count != before;
}

static bool choose(struct fuzzy *fuzzy, struct pair *pairs, size_t *pair_count)
{
	/* Each pass pairs at least one more link of a chain.  Longer chains are not worth the time. */
	enum { MOST_PASSES = 16 };
	struct choices old = {0}, new = {0};
	bool ok;

	if (fuzzy->candidate_count == 0)
		return true;
	qsort(fuzzy->candidates, fuzzy->candidate_count, sizeof(*fuzzy->candidates),
	      compare_candidates);
	ok = list_choices(fuzzy, &old, false) && list_choices(fuzzy, &new, true);
	for (int pass = 0; ok && pass < MOST_PASSES; pass++)
		if (!choose_once(fuzzy, &old, &new, pairs, pair_count))
			break;
	choices_release(&old);
	choices_release(&new);
	return ok;
}

/* ---- the whole search ------------------------------------------------------------------------ */

static void side_release(struct fuzzy_side *side)
{
	free(side->members);
	free(side->families);
	free(side->tokens);
	free(side->stacks);
	free(side->family_of);
	free(side->alike);
}

bool pair_fuzzy(const struct dataset *dataset, const struct pair_sides *sides,
		const struct tokens *tokens, const uint32_t *line_map, const uint32_t *old,
		size_t old_count, const uint32_t *new, size_t new_count, struct pair *pairs,
		size_t *pair_count)
{
	struct fuzzy fuzzy = {
		.dataset = dataset,
		.sides = sides,
		.scorer.tokens = *tokens,
		.line_map = line_map,
		.aligner = {.score = token_score, .stands_for_others = may_be_renamed}};
	bool ok;

	*pair_count = 0;
	if (old_count == 0 || new_count == 0)
		return true;
	fuzzy.aligner.context = &fuzzy.scorer;
	fuzzy.scorer.remembered = calloc(REMEMBERED, sizeof(*fuzzy.scorer.remembered));
	ok = fuzzy.scorer.remembered && gather_families(&fuzzy, &fuzzy.old, old, old_count) &&
	     gather_families(&fuzzy, &fuzzy.new, new, new_count) &&
	     count_alike(&fuzzy.old, sides->old, dataset->site_count) &&
	     count_alike(&fuzzy.new, sides->new, dataset->site_count) &&
	     find_all_candidates(&fuzzy) && choose(&fuzzy, pairs, pair_count);
	side_release(&fuzzy.old);
	side_release(&fuzzy.new);
	skeletons_release(&fuzzy.skeletons);
	stack_index_release(&fuzzy.index);
	free(fuzzy.candidates);
	aligner_release(&fuzzy.aligner);
	free(fuzzy.scorer.remembered);
	return ok;
}
