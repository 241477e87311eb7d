/*
 * change_text.c - what differs between two paired stacks, in a few words.
 *
 * The naming frame comes first: that is what the reader looks at.  Only when it is unchanged do its
 * callers matter, newest first, and one difference is said, not all.
 */
#include "analysis/change.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/names.h"

static char *say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *say(const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	return text;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The difference between two frames that stand for each other; `caller` is "" for the naming frame.
 */
static char *frame_change(const struct dataset *dataset, const struct dataset_frame *old,
			  const struct dataset_frame *new, bool names_site)
{
	const char *function = dataset_text(dataset, new->function);
	const char *old_file = dataset_text(dataset, old->file),
		   *new_file = dataset_text(dataset, new->file);
	const char *gap = names_site || !*function ? "" : " ";

	if (names_site)
		function = "";
	if (old->function != new->function && old->function &&new->function)
		return say("renamed: %s -> %s", dataset_text(dataset, old->function),
			   dataset_text(dataset, new->function));
	if (old->file != new->file && old->file &&new->file) {
		bool same_base = strcmp(base_name(old_file), base_name(new_file)) == 0;

		return say("%s%smoved: %s -> %s", function, gap,
			   same_base ? old_file : base_name(old_file),
			   same_base ? new_file : base_name(new_file));
	}
	if (old->line != new->line && old->line &&new->line)
		return say("%s%sline %u -> %u", function, gap, old->line, new->line);
	if (old->module != new->module && old->module &&new->module)
		return say("%s%slibrary: %s -> %s", function, gap,
			   dataset_text(dataset, old->module), dataset_text(dataset, new->module));
	return NULL;
}

static char *aligned_change(const struct dataset *dataset, const struct pair *pair)
{
	const struct dataset_site *old = &dataset->sites[pair->old],
				  *new = &dataset->sites[pair->new];
	uint32_t named = new->identity.named;
	char *text = NULL;

	for (uint32_t i = named; !text && i < new->depth; i++)
		text = frame_change(dataset, dataset_frame_at(dataset, pair->old, i),
				    dataset_frame_at(dataset, pair->new, i), i == named);
	for (uint32_t i = 0; !text && i < named && i < old->depth; i++)
		text = frame_change(dataset, dataset_frame_at(dataset, pair->old, i),
				    dataset_frame_at(dataset, pair->new, i), false);
	return text;
}

char *change_text(const struct dataset *dataset, const struct pair *pair)
{
	if (pair->level == PAIR_NONE || pair->old == pair->new)
		return NULL;
	if (pair->level != PAIR_FUZZY &&
	    dataset->sites[pair->old].depth == dataset->sites[pair->new].depth)
		return aligned_change(dataset, pair);
	return NULL;
}
