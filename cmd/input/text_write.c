/*
 * text_write.c - model -> the text form of a snapshot (see text_read.c for the form itself).
 *
 * A location's frames are formatted once; a row then only joins these texts.
 */
#include "input/input.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/fail.h"

enum { FLUSH_AT = 1 << 18 };

/** Bytes being collected. */
struct spelling {
	char *data;
	size_t size, room;
};

/** Where a location's text lies among the texts of all; size 0: not formatted yet. */
struct spelled {
	size_t at, size;
};

struct text_writer {
	const struct model *model;
	FILE *out;
	struct spelling text;   /* of what is not yet written */
	struct spelling frames; /* of the locations that were needed so far */
	struct spelled *locations;
	bool errors; /* write the errors of live_bytes */
	bool failed; /* memory or the output; sticks */
	int error;   /* errno of a failed write, 0 for memory */
};

static bool spelling_reserve(struct spelling *spelling, size_t more)
{
	return more <= SIZE_MAX - spelling->size &&
	       array_room(&spelling->data, &spelling->room, spelling->size + more, 1);
}

static void put(struct text_writer *w, struct spelling *to, const char *data, size_t size)
{
	if (!size || w->failed)
		return;
	if (!spelling_reserve(to, size)) {
		w->failed = true;
		return;
	}
	memcpy(to->data + to->size, data, size);
	to->size += size;
}

static void put_char(struct text_writer *w, struct spelling *to, char c)
{
	put(w, to, &c, 1);
}

/** The letter that follows the backslash, or 0 for a byte that stands for itself. */
static char escape_of(char c)
{
	switch (c) {
	case '\t':
		return 't';
	case '\n':
		return 'n';
	case '\\':
	case '|':
		return c;
	default:
		return 0;
	}
}

static void put_escaped(struct text_writer *w, struct spelling *to, uint32_t string)
{
	const struct snap_text *text = &w->model->strings[string];
	size_t plain = 0;

	for (size_t i = 0; i < text->size; i++) {
		char letter = escape_of(text->data[i]);

		if (!letter)
			continue;
		put(w, to, text->data + plain, i - plain);
		put_char(w, to, '\\');
		put_char(w, to, letter);
		plain = i + 1;
	}
	put(w, to, text->data + plain, text->size - plain);
}

static void put_number(struct text_writer *w, struct spelling *to, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + value % 10);
	while (value /= 10);
	put(w, to, digits + at, sizeof(digits) - at);
}

static void put_figure(struct text_writer *w, uint64_t value)
{
	if (value == SNAP_UNKNOWN)
		put_char(w, &w->text, '-');
	else
		put_number(w, &w->text, value);
	put_char(w, &w->text, '\t');
}

static void put_frame(struct text_writer *w, const struct snap_frame *frame, uint32_t module)
{
	put_char(w, &w->frames, '\t');
	put_escaped(w, &w->frames, frame->function);
	put_char(w, &w->frames, '|');
	put_escaped(w, &w->frames, frame->file);
	put_char(w, &w->frames, '|');
	if (frame->line)
		put_number(w, &w->frames, frame->line);
	put_char(w, &w->frames, '|');
	if (module != SNAP_NONE)
		put_escaped(w, &w->frames, w->model->modules[module].path);
}

/** The columns of a location's frames; a location that was never symbolised is one empty frame. */
static void spell_location(struct text_writer *w, uint32_t id)
{
	const struct model_location *location = &w->model->locations[id];
	static const struct snap_frame nothing;
	size_t at = w->frames.size;

	for (uint32_t i = 0; i < location->frame_count; i++)
		put_frame(w, &w->model->frames[location->first_frame + i], location->module);
	if (!location->frame_count)
		put_frame(w, &nothing, location->module);
	w->locations[id] = (struct spelled){at, w->frames.size - at};
}

static void put_stack(struct text_writer *w, uint32_t node)
{
	for (; node != SNAP_NONE && !w->failed; node = w->model->nodes[node].parent) {
		uint32_t location = w->model->nodes[node].location;
		const struct spelled *spelled = &w->locations[location];

		if (!spelled->size)
			spell_location(w, location);
		if (!w->failed)
			put(w, &w->text, w->frames.data + spelled->at, spelled->size);
	}
}

static void put_cohorts(struct text_writer *w, const struct model_site *site)
{
	if (!site->row.cohort_count)
		put_char(w, &w->text, '-');
	for (uint32_t i = 0; i < site->row.cohort_count; i++) {
		const struct snap_cohort *cohort = &w->model->cohorts[site->first_cohort + i];

		if (i)
			put_char(w, &w->text, ',');
		put_number(w, &w->text, cohort->birth_seq);
		put_char(w, &w->text, ':');
		put_number(w, &w->text, cohort->blocks);
		put_char(w, &w->text, ':');
		put_number(w, &w->text, cohort->bytes);
	}
}

/** By how much a site's bytes may be off: nothing for an exact one. */
static uint64_t error_of(const struct text_writer *w, const struct model_site *site)
{
	const struct model *model = w->model;

	if (!w->errors || !model->variances || site->row.live_bytes == SNAP_UNKNOWN)
		return 0;
	return (uint64_t)ceil(sqrt(model->variances[site - model->sites].live_bytes));
}

static void put_row(struct text_writer *w, const struct model_site *site)
{
	uint64_t error = error_of(w, site);

	if (error) {
		put_number(w, &w->text, site->row.live_bytes);
		put_char(w, &w->text, '~');
		put_figure(w, error);
	} else {
		put_figure(w, site->row.live_bytes);
	}
	put_figure(w, site->row.live_blocks);
	put_figure(w, site->row.allocated_bytes);
	put_figure(w, site->row.allocated_blocks);
	put_escaped(w, &w->text, site->row.domain);
	put_char(w, &w->text, '\t');
	put_cohorts(w, site);
	put_stack(w, site->row.node);
	put_char(w, &w->text, '\n');
}

/* ---- Holders ---- */

static void put_column(struct text_writer *w, uint64_t value)
{
	put_char(w, &w->text, '\t');
	put_number(w, &w->text, value);
}

/** The same where - means unknown. */
static void put_figure_column(struct text_writer *w, uint64_t value)
{
	if (value == SNAP_UNKNOWN)
		put(w, &w->text, "\t-", 2);
	else
		put_column(w, value);
}

static void put_id(struct text_writer *w, char before, char kind, uint32_t id)
{
	put_char(w, &w->text, before);
	put_char(w, &w->text, kind);
	put_number(w, &w->text, id);
}

static void put_string_column(struct text_writer *w, uint32_t string)
{
	put_char(w, &w->text, '\t');
	put_escaped(w, &w->text, string);
}

static void put_address(struct text_writer *w, uint64_t address)
{
	static const char digits[] = "0123456789abcdef";
	char text[18];
	size_t at = sizeof(text);

	do
		text[--at] = digits[address & 15];
	while (address >>= 4);
	text[--at] = 'x';
	text[--at] = '0';
	put(w, &w->text, text + at, sizeof(text) - at);
}

static void put_word(struct text_writer *w, const char *word)
{
	put(w, &w->text, word, strlen(word));
}

static void put_group(struct text_writer *w, const struct snap_group *group)
{
	put_word(w, "%group");
	put_column(w, group->kind);
	for (const uint64_t *at = &group->blocks; at < &group->retained_bytes; at++)
		put_column(w, *at);
	put_figure_column(w, group->retained_bytes);
	put_string_column(w, group->label);
	put_stack(w, group->node);
	put_char(w, &w->text, '\n');
}

static void put_root(struct text_writer *w, const struct snap_root *root)
{
	put_word(w, "%root");
	put_column(w, root->kind);
	put_column(w, root->thread);
	put_char(w, &w->text, '\t');
	put_address(w, root->address);
	put_column(w, root->size);
	put_column(w, root->offset);
	put_figure_column(w, root->retained_bytes);
	put_string_column(w, root->label);
	put_string_column(w, root->symbol);
	put_string_column(w, root->module == SNAP_NONE ? 0 : w->model->modules[root->module].path);
	put_char(w, &w->text, '\n');
}

static void put_edge(struct text_writer *w, const struct snap_edge *edge)
{
	put_word(w, "%edge");
	put_id(w, '\t', edge->from_root ? 'r' : 'g', edge->from);
	put_id(w, '\t', 'g', edge->to);
	for (const uint64_t *at = &edge->references; at <= &edge->bytes; at++)
		put_column(w, *at);
	put_figure_column(w, edge->dominated_blocks);
	put_figure_column(w, edge->dominated_bytes);
	put_char(w, &w->text, '\n');
}

static void put_path(struct text_writer *w, const struct model_path *path)
{
	put_word(w, "%path");
	put_id(w, '\t', 'g', path->row.group);
	if (path->row.root == SNAP_NONE)
		put_word(w, "\t-");
	else
		put_id(w, '\t', 'r', path->row.root);
	put_column(w, path->row.offset);
	put_column(w, path->row.skipped);
	for (uint32_t i = 0; i < path->row.step_count; i++) {
		const struct snap_step *step = &w->model->holders.steps[path->first_step + i];

		put_id(w, '\t', 'g', step->group);
		put_char(w, &w->text, ':');
		put_address(w, step->address);
		put_char(w, &w->text, ':');
		put_number(w, &w->text, step->size);
		put_char(w, &w->text, ':');
		put_number(w, &w->text, step->offset);
	}
	put_char(w, &w->text, '\n');
}

static void put_head(struct text_writer *w)
{
	static const char magic[] = "#snaptext 1\n";
	static const char columns[] = "live_bytes\tlive_blocks\tallocated_bytes\tallocated_blocks\t"
				      "domain\tcohorts\tframes...\n";

	put(w, &w->text, magic, sizeof(magic) - 1);
	for (uint32_t i = 0; i < w->model->meta_count; i++) {
		put(w, &w->text, "@ ", 2);
		put_escaped(w, &w->text, w->model->meta[i].key);
		put_char(w, &w->text, '\t');
		put_escaped(w, &w->text, w->model->meta[i].value);
		put_char(w, &w->text, '\n');
	}
	put(w, &w->text, columns, sizeof(columns) - 1);
}

static void flush(struct text_writer *w)
{
	if (!w->failed && w->text.size &&
	    fwrite(w->text.data, 1, w->text.size, w->out) != w->text.size) {
		w->failed = true;
		w->error = errno;
	}
	w->text.size = 0;
}

static void flush_if_full(struct text_writer *w)
{
	if (w->text.size >= FLUSH_AT)
		flush(w);
}

static void put_holders(struct text_writer *w, const struct model_holders *holders)
{
	for (uint32_t i = 0; i < holders->group_count && !w->failed; i++, flush_if_full(w))
		put_group(w, &holders->groups[i]);
	for (uint32_t i = 0; i < holders->root_count && !w->failed; i++, flush_if_full(w))
		put_root(w, &holders->roots[i]);
	for (uint32_t i = 0; i < holders->edge_count && !w->failed; i++, flush_if_full(w))
		put_edge(w, &holders->edges[i]);
	for (uint32_t i = 0; i < holders->path_count && !w->failed; i++, flush_if_full(w))
		put_path(w, &holders->paths[i]);
}

static enum snap_status write_text(const struct model *model, bool errors, FILE *out,
				   struct snap_error *err)
{
	struct text_writer w = {.model = model, .errors = errors, .out = out};

	w.locations =
		calloc(model->location_count ? model->location_count : 1, sizeof(*w.locations));
	w.failed = !w.locations;
	put_head(&w);
	for (uint32_t i = 0; i < model->site_count && !w.failed; i++) {
		put_row(&w, &model->sites[i]);
		flush_if_full(&w);
	}
	put_holders(&w, &model->holders);
	flush(&w);
	if (!w.failed && fflush(out) != 0) {
		w.failed = true;
		w.error = errno;
	}
	free(w.locations);
	free(w.text.data);
	free(w.frames.data);
	if (!w.failed)
		return SNAP_OK;
	if (!w.error)
		return fail_memory(err, "writing text");
	return fail(err, SNAP_EIO, "cannot write: %s", strerror(w.error));
}

enum snap_status input_write_text(const struct model *model, FILE *out, struct snap_error *err)
{
	return write_text(model, false, out, err);
}

enum snap_status input_write_text_with_errors(const struct model *model, FILE *out,
					      struct snap_error *err)
{
	return write_text(model, true, out, err);
}
