/*
 * text_write.c - model -> the text form of a snapshot (see text_read.c for the form itself).
 *
 * A location's frames are spelled once; a row then only joins spellings.
 */
#include "input/input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"

enum { FLUSH_AT = 1 << 18 };

/** Bytes being collected. */
struct spelling {
	char *data;
	size_t size, room;
};

/** Where a location's spelling lies in the spellings of all; size 0: not spelled yet. */
struct spelled {
	size_t at, size;
};

struct text_writer {
	const struct model *model;
	FILE *out;
	struct spelling text;   /* of what is not yet written */
	struct spelling frames; /* of the locations that were needed so far */
	struct spelled *locations;
	bool failed; /* memory or the output; sticks */
	int error;   /* errno of a failed write, 0 for memory */
};

static bool spelling_reserve(struct spelling *spelling, size_t more)
{
	size_t room = spelling->room ? spelling->room : 4096;
	char *moved;

	if (more <= spelling->room - spelling->size)
		return true;
	if (more > SIZE_MAX / 4 - spelling->size)
		return false;
	while (room < spelling->size + more)
		room *= 2;
	moved = realloc(spelling->data, room);
	if (!moved)
		return false;
	spelling->data = moved;
	spelling->room = room;
	return true;
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

static void put_row(struct text_writer *w, const struct model_site *site)
{
	put_figure(w, site->row.live_bytes);
	put_figure(w, site->row.live_blocks);
	put_figure(w, site->row.allocated_bytes);
	put_figure(w, site->row.allocated_blocks);
	put_escaped(w, &w->text, site->row.domain);
	put_char(w, &w->text, '\t');
	put_cohorts(w, site);
	put_stack(w, site->row.node);
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

enum snap_status input_write_text(const struct model *model, FILE *out, struct snap_error *err)
{
	struct text_writer w = {.model = model, .out = out};

	w.locations =
		calloc(model->location_count ? model->location_count : 1, sizeof(*w.locations));
	w.failed = !w.locations;
	put_head(&w);
	for (uint32_t i = 0; i < model->site_count && !w.failed; i++) {
		put_row(&w, &model->sites[i]);
		if (w.text.size >= FLUSH_AT)
			flush(&w);
	}
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
