/*
 * change_text.c - what differs between two paired stacks, in a few words.
 *
 * The frame that names the site comes first, because the reader looks at it; then its callers,
 * newest first; frames that only pass a request on to malloc (names.h) come last.  At most
 * MOST_PHRASES differences are written: the row's stack has the rest.
 */
#include "analysis/change.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/pairing/align.h"
#include "model/names.h"

enum { MOST_PHRASES = 2, SUBJECT_SIZE = 120 };

struct text {
	const struct dataset *dataset;
	const struct pair *pair;
	FILE *out;
	unsigned phrases;
};

static void say(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct text *text, const char *format, ...)
{
	va_list args;

	if (text->phrases++ >= MOST_PHRASES)
		return;
	if (text->phrases > 1)
		fputs(", ", text->out);
	va_start(args, format);
	vfprintf(text->out, format, args);
	va_end(args);
}

static const struct dataset_frame *old_frame(const struct text *text, uint32_t position)
{
	return dataset_frame_at(text->dataset, text->pair->old, position);
}

static const struct dataset_frame *new_frame(const struct text *text, uint32_t position)
{
	return dataset_frame_at(text->dataset, text->pair->new, position);
}

static const char *function_of(const struct text *text, const struct dataset_frame *frame)
{
	const char *function = dataset_text(text->dataset, frame->function);

	return *function ? function : "(unknown)";
}

/* ---- two frames that match ------------------------------------------------------------------- */

static bool known_to_differ(uint32_t old, uint32_t new)
{
	return old != 0 && new != 0 && old != new;
}

static void say_file(struct text *text, const char *subject, const struct dataset_frame *old,
		     const struct dataset_frame *new)
{
	const char *from = dataset_text(text->dataset, old->file),
		   *to = dataset_text(text->dataset, new->file);
	bool same_base = strcmp(name_base(from), name_base(to)) == 0;

	say(text, "%smoved: %s -> %s", subject, same_base ? from : name_base(from),
	    same_base ? to : name_base(to));
}

/* `names_site`: the frame is in the row's own name, so that a line without a function is
 * understood. */
static void say_frame_change(struct text *text, const struct dataset_frame *old,
			     const struct dataset_frame *new, bool names_site)
{
	const char *function = dataset_text(text->dataset, new->function);
	char subject[SUBJECT_SIZE + 2] = "";

	if (!names_site && *function) {
		name_bare(function, subject, SUBJECT_SIZE);
		memcpy(subject + strlen(subject), " ", sizeof(" "));
	}
	if (known_to_differ(old->function, new->function))
		say(text, "signature: %s -> %s", function_of(text, old), function_of(text, new));
	else if (known_to_differ(old->file, new->file))
		say_file(text, subject, old, new);
	else if (known_to_differ(old->line, new->line))
		say(text, "%sline %u -> %u", subject, old->line, new->line);
	else if (names_site && known_to_differ(old->module, new->module))
		say(text, "module: %s -> %s", dataset_text(text->dataset, old->module),
		    dataset_text(text->dataset, new->module));
}

/* ---- frames that only one of the stacks has -------------------------------------------------- */

/* A run of steps without a match, and the step after it. */
struct gap {
	uint32_t first_old, first_new; /* positions; SNAP_NONE without */
	size_t old_count, new_count;
	const struct align_step *caller; /* NULL at the outermost end */
};

static void say_gap(struct text *text, const struct gap *gap)
{
	const char *old =
		gap->old_count ? function_of(text, old_frame(text, gap->first_old)) : NULL;
	const char *new =
		gap->new_count ? function_of(text, new_frame(text, gap->first_new)) : NULL;

	if (old && new)
		say(text, "renamed: %s -> %s", old, new);
	else if (old && gap->caller)
		say(text, "%s inlined into %s", old,
		    function_of(text, new_frame(text, gap->caller->b)));
	else if (old)
		say(text, "no longer under %s", old);
	else if (gap->caller)
		say(text, "now through %s", new);
	else
		say(text, "now under %s", new);
}

static size_t read_gap(const struct aligner *aligner, size_t at, struct gap *gap)
{
	*gap = (struct gap){SNAP_NONE, SNAP_NONE, 0, 0, NULL};
	for (; at < aligner->step_count; at++) {
		const struct align_step *step = &aligner->steps[at];

		if (step->a != SNAP_NONE && step->b != SNAP_NONE) {
			gap->caller = step;
			break;
		}
		if (step->a != SNAP_NONE && gap->old_count++ == 0)
			gap->first_old = step->a;
		if (step->b != SNAP_NONE && gap->new_count++ == 0)
			gap->first_new = step->b;
	}
	return at;
}

static void say_steps(struct text *text, const struct aligner *aligner)
{
	uint32_t old_named = text->dataset->sites[text->pair->old].asked;
	uint32_t new_named = text->dataset->sites[text->pair->new].asked;
	size_t at = 0;

	while (at < aligner->step_count) {
		const struct align_step *step = &aligner->steps[at];
		struct gap gap;

		if (step->a != SNAP_NONE && step->b != SNAP_NONE) {
			if (step->a >= old_named && step->b >= new_named)
				say_frame_change(text, old_frame(text, step->a),
						 new_frame(text, step->b), step->b == new_named);
			at++;
			continue;
		}
		if ((step->a != SNAP_NONE && step->a < old_named) ||
		    (step->b != SNAP_NONE && step->b < new_named)) {
			at++; /* a frame that only passes a request on to malloc */
			continue;
		}
		at = read_gap(aligner, at, &gap);
		say_gap(text, &gap);
	}
}

/* ---- alignment by bare names ----------------------------------------------------------------- */

static double equal_names(const void *context, uint32_t a, uint32_t b)
{
	(void)context;
	return a == b ? 1 : 0;
}

static bool name_stack(struct dataset *names, const struct dataset *dataset, uint32_t site,
		       uint32_t *out)
{
	for (uint32_t i = 0; i < dataset->sites[site].depth; i++) {
		char bare[512];

		name_bare(dataset_text(dataset, dataset_frame_at(dataset, site, i)->function), bare,
			  sizeof(bare));
		out[i] = dataset_string(names, bare);
		if (out[i] == SNAP_NONE)
			return false;
	}
	return true;
}

static bool align_pair(struct aligner *aligner, const struct dataset *dataset,
		       const struct pair *pair)
{
	uint32_t old_depth = dataset->sites[pair->old].depth,
		 new_depth = dataset->sites[pair->new].depth;
	uint32_t *names = malloc(((size_t)old_depth + new_depth + 1) * sizeof(*names));
	struct dataset *interned = dataset_new(0);
	bool ok = names && interned && name_stack(interned, dataset, pair->old, names) &&
		  name_stack(interned, dataset, pair->new, names + old_depth) &&
		  align(aligner, names, old_depth, names + old_depth, new_depth);

	free(names);
	dataset_free(interned);
	return ok;
}

static bool write_steps(struct text *text, struct aligner *aligner, char **words)
{
	size_t size = 0;
	bool ok;

	text->out = open_memstream(words, &size);
	if (!text->out)
		return false;
	ok = align_pair(aligner, text->dataset, text->pair);
	if (ok)
		say_steps(text, aligner);
	return fclose(text->out) == 0 && *words && ok;
}

bool change_text(const struct dataset *dataset, const struct pair *pair, char **words)
{
	struct text text = {.dataset = dataset, .pair = pair};
	struct aligner aligner = {.score = equal_names};
	bool ok;

	*words = NULL;
	if (pair->level == PAIR_NONE || pair->old == pair->new)
		return true;
	ok = write_steps(&text, &aligner, words);
	aligner_release(&aligner);
	if (!ok || text.phrases == 0) {
		free(*words);
		*words = NULL;
	}
	return ok;
}
