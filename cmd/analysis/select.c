/*
 * select.c - filters and groupings, evaluated once per distinct name, frame and stack.
 */
#include "analysis/select.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/fail.h"
#include "base/memory.h"
#include "base/pattern.h"

/* The fields of a frame or a row's key, as string ids; a field that the grouping does not use is
   0. */
struct label {
	uint32_t function, file, module, line;
	uint64_t address; /* only of frames without any name */
};

struct frame_facts {
	uint32_t label;
	bool focused, ignored, visible;
};

struct row {
	struct select_row text;
	char *key; /* owned; NULL: it is a stack whose key nobody has asked for */
};

/* A site's rows are rows[first .. first + count) of selection->credits. */
struct credit {
	size_t first;
	uint32_t count;
	uint32_t named_row; /* the row that names it, credited or not */
};

#define LONGEST_PERIOD 8u /* functions that call each other in turn */

/* A frame of a stack whose recursion is folded. */
struct step {
	uint32_t label : 31;
	uint32_t again : 1; /* this frame, or a cycle of frames from it back to itself, repeats */
};

struct folded {
	size_t first; /* its steps are steps[first .. first + count) */
	size_t count;
};

struct selection {
	const struct dataset *dataset;
	struct select_options options;
	struct frame_facts *frames;
	struct label *labels;
	size_t label_count, label_capacity;
	struct hash_table label_index;
	uint32_t *row_of_label; /* for groupings by frame */
	char **label_texts;     /* for groupings by stack: NULL where nobody has asked */
	struct row *rows;
	size_t row_count, row_capacity;
	struct hash_table row_index;  /* for groupings by stack: rows by their sequence of labels */
	struct hash_table text_index; /* rows that are only a text */
	struct folded *row_stack;     /* of a row that is a stack */
	size_t row_stack_capacity;
	struct step *steps; /* of such stacks, one after the other; then of the current stack */
	size_t step_count, step_capacity;
	struct credit *credits;
	uint32_t *credited;
	size_t credited_count, credited_capacity;
};

/* ---- names against expressions --------------------------------------------------------------- */

/* For each string of the dataset: does `pattern` match it? */
static enum snap_status match_strings(const struct dataset *dataset, const char *option,
				      const char *pattern, bool **out, struct snap_error *err)
{
	regex_t regex;
	char why[PATTERN_WHY];
	enum snap_status st;
	bool *matches;

	*out = NULL;
	if (!pattern)
		return SNAP_OK;
	st = pattern_compile(&regex, pattern, why);
	if (st != SNAP_OK)
		return fail(err, st, "--%s '%s' is not a regular expression: %s", option, pattern,
			    why);
	matches = calloc(dataset->string_count, sizeof(*matches));
	for (size_t i = 1; matches && i < dataset->string_count; i++)
		matches[i] = pattern_matches(&regex, dataset->strings[i]);
	regfree(&regex);
	*out = matches;
	return matches ? SNAP_OK : fail_memory(err, "matching names");
}

/* An empty one asks for frames without a module. */
static enum snap_status check_module(const char *glob, struct snap_error *err)
{
	const char *problem = glob && *glob ? glob_problem(glob) : NULL;

	return problem ? fail(err, SNAP_EUSAGE, "--module '%s' is not a pattern: %s", glob, problem)
		       : SNAP_OK;
}

static bool frame_matches(const struct dataset_frame *frame, const bool *matches)
{
	return matches[frame->function] || matches[frame->file];
}

static enum snap_status judge_frames(struct selection *selection, struct snap_error *err)
{
	const struct select_options *options = &selection->options;
	const struct dataset *dataset = selection->dataset;
	bool *focus = NULL, *ignore = NULL, *show = NULL, *hide = NULL;
	enum snap_status st = match_strings(dataset, "focus", options->focus, &focus, err);

	if (st == SNAP_OK)
		st = match_strings(dataset, "ignore", options->ignore, &ignore, err);
	if (st == SNAP_OK)
		st = match_strings(dataset, "show", options->show, &show, err);
	if (st == SNAP_OK)
		st = match_strings(dataset, "hide", options->hide, &hide, err);
	for (size_t i = 0; st == SNAP_OK && i < dataset->frame_count; i++) {
		const struct dataset_frame *frame = &dataset->frames[i];
		struct frame_facts *facts = &selection->frames[i];

		facts->focused = !focus || frame_matches(frame, focus);
		facts->ignored = ignore && frame_matches(frame, ignore);
		facts->visible = (!show || frame_matches(frame, show)) &&
				 !(hide && frame_matches(frame, hide));
	}
	free(focus);
	free(ignore);
	free(show);
	free(hide);
	return st;
}

/* ---- labels: what makes two frames one row --------------------------------------------------- */

static struct label frame_label(const struct dataset_frame *frame, enum group_key group)
{
	struct label label = {0};

	switch (group) {
	case GROUP_FUNCTION:
		label.function = frame->function;
		label.file = frame->function ? 0 : frame->file; /* as in tracemalloc's dumps */
		label.module = frame->module;
		break;
	case GROUP_FILE:
		label.file = frame->file;
		break;
	case GROUP_MODULE:
		label.module = frame->module;
		break;
	case GROUP_LINE:
	case GROUP_STACK:
	case GROUP_DOMAIN:
	case GROUP_TYPE: /* never asked for */
		label.function = frame->function;
		label.file = frame->file;
		label.line = frame->line;
		label.module = frame->file ? 0 : frame->module;
		if (!frame->function && !frame->file)
			label.address = frame->address;
		break;
	}
	return label;
}

static bool label_equals(const void *selection, const void *wanted, uint32_t id)
{
	const struct label *a = wanted, *b = &((const struct selection *)selection)->labels[id];

	return a->function == b->function && a->file == b->file && a->module == b->module &&
	       a->line == b->line && a->address == b->address;
}

static uint32_t intern_label(struct selection *selection, const struct label *label)
{
	uint64_t hash = hash_fold(hash_fold(label->function, label->file), label->module);
	uint32_t id;

	hash = hash_fold(hash_fold(hash, label->line), label->address);
	id = hash_table_find(&selection->label_index, hash, label_equals, selection, label);
	if (id != SNAP_NONE)
		return id;
	id = (uint32_t)selection->label_count;
	if (!array_reserve(&selection->labels, &selection->label_capacity, selection->label_count,
			   sizeof(*label)) ||
	    !hash_table_add(&selection->label_index, hash, id))
		return SNAP_NONE;
	selection->labels[selection->label_count++] = *label;
	return id;
}

static bool label_frames(struct selection *selection)
{
	for (size_t i = 0; i < selection->dataset->frame_count; i++) {
		struct label label =
			frame_label(&selection->dataset->frames[i], selection->options.group);

		selection->frames[i].label = intern_label(selection, &label);
		if (selection->frames[i].label == SNAP_NONE)
			return false;
	}
	selection->row_of_label = malloc((selection->label_count + 1) * sizeof(uint32_t));
	if (!selection->row_of_label)
		return false;
	memset(selection->row_of_label, 0xff, (selection->label_count + 1) * sizeof(uint32_t));
	selection->label_texts =
		calloc(selection->label_count + 1, sizeof(*selection->label_texts));
	return selection->label_texts != NULL;
}

/* ---- rows ------------------------------------------------------------------------------------ */

const char *select_frame_text(const struct dataset *dataset, const struct dataset_frame *frame,
			      char *buffer, size_t size)
{
	const char *function = dataset_text(dataset, frame->function);
	const char *file = dataset_text(dataset, frame->file),
		   *module = dataset_text(dataset, frame->module);
	const char *gap = *function ? " " : "";

	if (*file && frame->line)
		snprintf(buffer, size, "%s%s%s:%u", function, gap, file, frame->line);
	else if (*file)
		snprintf(buffer, size, "%s%s%s", function, gap, file);
	else if (*function && *module)
		snprintf(buffer, size, "%s (%s)", function, module);
	else if (*function)
		snprintf(buffer, size, "%s", function);
	else if (frame->address && *module)
		snprintf(buffer, size, "0x%" PRIx64 " (%s)", frame->address, module);
	else if (frame->address)
		snprintf(buffer, size, "0x%" PRIx64, frame->address);
	else
		snprintf(buffer, size, "%s", *module ? module : "(unknown)");
	return buffer;
}

/* Like select_frame_text(), of any length, malloc'ed. */
static char *frame_text(const struct dataset *dataset, const struct dataset_frame *frame)
{
	size_t size = strlen(dataset_text(dataset, frame->function)) +
		      strlen(dataset_text(dataset, frame->file)) +
		      strlen(dataset_text(dataset, frame->module)) + 64;
	char *text = malloc(size);

	if (text)
		select_frame_text(dataset, frame, text, size);
	return text;
}

/* A label has the fields of a frame, so that it is put into words as one. */
static struct dataset_frame label_as_frame(const struct label *label)
{
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): every frame has a label */
	return (struct dataset_frame){.function = label->function,
				      .file = label->file,
				      .module = label->module,
				      .line = label->line,
				      .address = label->address};
}

static const char *known(const struct dataset *dataset, uint32_t string)
{
	return string ? dataset_text(dataset, string) : NULL;
}

/* Append a row; takes `key`, which only a stack may lack.  SNAP_NONE when memory is out. */
static uint32_t add_row(struct selection *selection, char *key, const struct select_row *text,
			struct folded stack)
{
	size_t row = selection->row_count;

	if ((!key && !stack.count) || row >= SNAP_NONE ||
	    !array_reserve(&selection->rows, &selection->row_capacity, row,
			   sizeof(*selection->rows)) ||
	    !array_reserve(&selection->row_stack, &selection->row_stack_capacity, row,
			   sizeof(*selection->row_stack))) {
		free(key);
		return SNAP_NONE;
	}
	selection->rows[row] = (struct row){.text = *text, .key = key};
	selection->rows[row].text.key = key;
	selection->row_stack[row] = stack;
	selection->row_count++;
	return (uint32_t)row;
}

/* The row of all frames that have the label of `frame`.  What the label does not say is taken from
 * `frame`. */
static uint32_t row_of_frame(struct selection *selection, uint32_t frame)
{
	const struct dataset *dataset = selection->dataset;
	uint32_t label_id = selection->frames[frame].label,
		 *row = &selection->row_of_label[label_id];
	const struct label *label = &selection->labels[label_id];
	const struct dataset_frame words = label_as_frame(label);
	struct select_row text = {.function = known(dataset, label->function),
				  .file = known(dataset, label->file),
				  .module = known(dataset, label->module),
				  .line = label->line};

	if (*row != SNAP_NONE)
		return *row;
	if (selection->options.group == GROUP_LINE)
		text.module = known(dataset, dataset->frames[frame].module);
	*row = add_row(selection, frame_text(dataset, &words), &text, (struct folded){0, 0});
	return *row;
}

size_t selection_visible(const struct selection *selection, uint32_t site, uint32_t *positions)
{
	const struct dataset_site *row = &selection->dataset->sites[site];
	size_t count = 0;

	for (uint32_t i = 0; i < row->depth; i++)
		if (selection->frames[selection->dataset->stack[row->first + i]].visible)
			positions[count++] = i;
	return count;
}

/*
 * Index into `visible` of the frame that names the site: the newest of own code.  Modules are
 * credited by the frame that asked for memory; otherwise nearly everything would belong to the
 * program.
 */
static size_t naming_index(const struct selection *selection, uint32_t site,
			   const uint32_t *visible, size_t count)
{
	const struct dataset *dataset = selection->dataset;
	const struct dataset_site *row = &dataset->sites[site];
	/* --native may have chosen a library's code instead. */
	bool names_own = selection->options.group != GROUP_MODULE &&
			 (!own_rules()->native || row->identity.named != row->asked);

	if (selection->options.no_skip)
		return 0;
	for (size_t i = 0; names_own && i < count; i++)
		if (dataset_frame_at(dataset, site, visible[i])->kind == OWN_CODE)
			return i;
	for (size_t i = 0; i < count; i++)
		if (visible[i] >= dataset->sites[site].asked)
			return i;
	return 0;
}

struct visible_stack {
	uint32_t site;
	const uint32_t *positions;
	size_t count;
};

static uint32_t label_at(const struct selection *selection, uint32_t site, uint32_t position)
{
	const struct dataset *dataset = selection->dataset;

	return selection->frames[dataset->stack[dataset->sites[site].first + position]].label;
}

static bool stack_equals(const void *context, const void *wanted, uint32_t id)
{
	const struct selection *selection = context;
	const struct folded *a = wanted, *b = &selection->row_stack[id];

	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		const struct step *left = &selection->steps[a->first + i],
				  *right = &selection->steps[b->first + i];

		if (left->label != right->label || left->again != right->again)
			return false;
	}
	return true;
}

/* Do the last `period` steps repeat those before them? */
static bool repeats(const struct step *end, size_t count, size_t period)
{
	if (count < 2 * period)
		return false;
	for (size_t i = 1; i <= period; i++)
		if (end[-(ptrdiff_t)i].label != end[-(ptrdiff_t)(i + period)].label)
			return false;
	return true;
}

/*
 * A function that calls itself, by itself or through some others, is on the stack once.  So stacks
 * that differ only in the depth of their recursion are one.  The newest frames stay.
 */
static bool fold(struct selection *selection, const struct visible_stack *stack, struct folded *out)
{
	*out = (struct folded){.first = selection->step_count};
	for (size_t i = 0; i < stack->count; i++) {
		struct step *step;

		if (!array_reserve(&selection->steps, &selection->step_capacity,
				   out->first + out->count, sizeof(*selection->steps)))
			return false;
		step = &selection->steps[out->first + out->count++];
		*step = (struct step){
			.label = label_at(selection, stack->site, stack->positions[i]) & INT32_MAX};
		for (size_t period = 1; period <= LONGEST_PERIOD; period++)
			if (repeats(step + 1, out->count, period)) {
				out->count -= period;
				step[-(ptrdiff_t)period].again = true;
				break;
			}
	}
	return true;
}

/* What a frame is called in the keys of stacks. */
static const char *label_text(const struct selection *selection, uint32_t id)
{
	char **text = &selection->label_texts[id];
	const struct dataset_frame words = label_as_frame(&selection->labels[id]);

	if (!*text)
		*text = memory_need(frame_text(selection->dataset, &words), "naming call stacks");
	return *text;
}

/* The key of a row, piece by piece. */
struct reading {
	const struct selection *selection;
	const struct folded *stack; /* of a row that has no key yet */
	size_t piece;               /* three for each step */
	const char *rest;           /* of the piece at hand */
};

static struct reading read_key(const struct selection *selection, uint32_t row)
{
	const char *key = selection->rows[row].key;

	return (struct reading){selection, key ? NULL : &selection->row_stack[row], 0,
				key ? key : ""};
}

static const char *piece_text(const struct reading *reading)
{
	size_t i = reading->piece / 3;
	const struct step *step = &reading->selection->steps[reading->stack->first + i];

	switch (reading->piece % 3) {
	case 0:
		return i ? " < " : "";
	case 1:
		return label_text(reading->selection, step->label);
	default:
		return step->again ? " [recursive]" : "";
	}
}

/* False at the end of the key. */
static bool has_more(struct reading *reading)
{
	while (!*reading->rest && reading->stack && reading->piece < 3 * reading->stack->count) {
		reading->rest = piece_text(reading);
		reading->piece++;
	}
	return *reading->rest != 0;
}

static char *stack_text(const struct selection *selection, uint32_t row)
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream = memory_need(open_memstream(&text, &size), "naming call stacks");

	for (struct reading reading = read_key(selection, row); has_more(&reading);
	     reading.rest = "")
		fputs(reading.rest, stream);
	return fclose(stream) == 0 ? text : memory_need(NULL, "naming call stacks");
}

/* Both begin with these: their frames have one text.  What follows may be one, too. */
static void skip_common(struct reading *a, struct reading *b)
{
	const struct step *left = a->selection->steps, *right = left;
	size_t i = 0;

	if (!a->stack || !b->stack)
		return;
	left += a->stack->first;
	right += b->stack->first;
	while (i < a->stack->count && i < b->stack->count && left[i].label == right[i].label &&
	       left[i].again == right[i].again)
		i++;
	a->piece = b->piece = 3 * i;
}

int selection_compare_keys(const struct selection *selection, uint32_t left, uint32_t right)
{
	struct reading a = read_key(selection, left), b = read_key(selection, right);

	skip_common(&a, &b);
	for (;;) {
		bool more_a = has_more(&a), more_b = has_more(&b);

		if (!more_a || !more_b)
			return more_a != more_b ? (int)more_a - (int)more_b
						: (left > right) - (left < right);
		if (*a.rest != *b.rest)
			return (unsigned char)*a.rest < (unsigned char)*b.rest ? -1 : 1;
		a.rest++;
		b.rest++;
	}
}

static uint32_t row_of_stack(struct selection *selection, const struct visible_stack *stack,
			     size_t named)
{
	const struct dataset *dataset = selection->dataset;
	struct select_row text = {0};
	struct folded folded;
	uint64_t hash;
	uint32_t row;

	if (!fold(selection, stack, &folded))
		return SNAP_NONE;
	hash = folded.count;
	for (size_t i = 0; i < folded.count; i++)
		hash = hash_fold(hash, selection->steps[folded.first + i].label);
	row = hash_table_find(&selection->row_index, hash, stack_equals, selection, &folded);
	if (row != SNAP_NONE)
		return row;
	if (stack->count) {
		const struct dataset_frame *frame =
			dataset_frame_at(dataset, stack->site, stack->positions[named]);

		text = (struct select_row){.function = known(dataset, frame->function),
					   .file = known(dataset, frame->file),
					   .module = known(dataset, frame->module),
					   .line = frame->line};
	}
	selection->step_count += folded.count;
	row = add_row(selection, NULL, &text, folded);
	return row != SNAP_NONE && hash_table_add(&selection->row_index, hash, row) ? row
										    : SNAP_NONE;
}

static bool domain_equals(const void *context, const void *wanted, uint32_t id)
{
	const struct selection *selection = context;

	return strcmp(selection->rows[id].key, wanted) == 0;
}

/* Rows that have a name and nothing else: domains, and stacks without frames. */
static uint32_t row_of_text(struct selection *selection, const char *key)
{
	static const struct select_row nothing = {0};
	uint64_t hash = hash_of_bytes(key, strlen(key));
	uint32_t row = hash_table_find(&selection->text_index, hash, domain_equals, selection, key);

	if (row != SNAP_NONE)
		return row;
	row = add_row(selection, strdup(key), &nothing, (struct folded){0, 0});
	return row != SNAP_NONE && hash_table_add(&selection->text_index, hash, row) ? row
										     : SNAP_NONE;
}

/* ---- sites ----------------------------------------------------------------------------------- */

static bool site_passes(const struct selection *selection, uint32_t site)
{
	const struct dataset_site *row = &selection->dataset->sites[site];
	const struct select_options *options = &selection->options;
	bool focused = !options->focus;

	if (options->domain &&
	    strcmp(dataset_text(selection->dataset, row->domain), options->domain) != 0)
		return false;
	for (uint32_t i = 0; i < row->depth; i++) {
		const struct frame_facts *facts =
			&selection->frames[selection->dataset->stack[row->first + i]];

		if (facts->ignored)
			return false;
		focused |= facts->focused;
	}
	return focused;
}

static bool module_passes(const struct selection *selection, const struct dataset_frame *frame)
{
	const char *glob = selection->options.module;

	return !glob || fnmatch(glob, dataset_text(selection->dataset, frame->module), 0) == 0 ||
	       fnmatch(glob, dataset_text(selection->dataset, frame->module_path), 0) == 0;
}

static bool credit_row(struct selection *selection, struct credit *credit, uint32_t row)
{
	if (row == SNAP_NONE || !array_reserve(&selection->credited, &selection->credited_capacity,
					       selection->credited_count, sizeof(uint32_t)))
		return false;
	for (uint32_t i = 0; i < credit->count; i++)
		if (selection->credited[credit->first + i] == row)
			return true; /* recursion: once per stack */
	selection->credited[selection->credited_count++] = row;
	credit->count++;
	return true;
}

static bool credit_frames(struct selection *selection, struct credit *credit,
			  const struct visible_stack *stack)
{
	const uint32_t *frames =
		selection->dataset->stack + selection->dataset->sites[stack->site].first;

	for (size_t i = 0; i < stack->count; i++)
		if (!credit_row(selection, credit,
				row_of_frame(selection, frames[stack->positions[i]])))
			return false;
	return true;
}

/* The row that a stack of frames is, by its naming frame. */
static uint32_t row_of_site(struct selection *selection, const struct visible_stack *stack,
			    size_t named)
{
	const struct dataset *dataset = selection->dataset;
	const struct dataset_site *site = &dataset->sites[stack->site];

	if (selection->options.group == GROUP_DOMAIN)
		return row_of_text(selection, dataset_text(dataset, site->domain));
	if (site->depth == 0)
		return row_of_text(selection, "(no stack)");
	if (stack->count == 0)
		return row_of_text(selection, "(no frame left)");
	if (selection->options.group == GROUP_STACK)
		return row_of_stack(selection, stack, named);
	return row_of_frame(selection, dataset->stack[site->first + stack->positions[named]]);
}

static bool is_left_out(const struct selection *selection, const struct visible_stack *stack,
			size_t named)
{
	const struct dataset *dataset = selection->dataset;
	const struct dataset_site *site = &dataset->sites[stack->site];
	const struct select_options *options = &selection->options;

	if (!site_passes(selection, stack->site))
		return true;
	if (stack->count == 0)
		return site->depth > 0 || options->show || options->module;
	return !module_passes(selection,
			      dataset_frame_at(dataset, stack->site, stack->positions[named])) &&
	       (options->no_skip ||
		!module_passes(selection, dataset_frame_at(dataset, stack->site, site->asked)));
}

/*
 * Stacks that filters leave out have a row too, but nothing is credited to it: so a report can say
 * how many rows it hides.  False when memory is out.
 */
static bool credit_site(struct selection *selection, uint32_t site, uint32_t *positions)
{
	struct credit *credit = &selection->credits[site];
	struct visible_stack stack = {site, positions,
				      selection_visible(selection, site, positions)};
	size_t named = naming_index(selection, site, positions, stack.count);
	bool by_frame = selection->options.group < GROUP_STACK && stack.count > 0;

	credit->first = selection->credited_count;
	credit->named_row = row_of_site(selection, &stack, named);
	if (credit->named_row == SNAP_NONE)
		return false;
	if (is_left_out(selection, &stack, named))
		return true;
	if (selection->options.cumulative && by_frame)
		return credit_frames(selection, credit, &stack);
	return credit_row(selection, credit, credit->named_row);
}

static bool credit_sites(struct selection *selection)
{
	const struct dataset *dataset = selection->dataset;
	uint32_t deepest = 0, *positions;
	bool ok;

	for (size_t i = 0; i < dataset->site_count; i++)
		if (dataset->sites[i].depth > deepest)
			deepest = dataset->sites[i].depth;
	positions = malloc((deepest + 1) * sizeof(*positions));
	ok = positions != NULL;
	for (uint32_t i = 0; ok && i < dataset->site_count; i++)
		ok = credit_site(selection, i, positions);
	free(positions);
	return ok;
}

enum snap_status selection_new(struct selection **out, const struct dataset *dataset,
			       const struct select_options *options, struct snap_error *err)
{
	struct selection *selection = calloc(1, sizeof(*selection));
	enum snap_status st = SNAP_OK;

	*out = NULL;
	if (!selection)
		return fail_memory(err, "choosing stacks");
	selection->dataset = dataset;
	selection->options = *options;
	selection->frames = calloc(dataset->frame_count + 1, sizeof(*selection->frames));
	selection->credits = calloc(dataset->site_count + 1, sizeof(*selection->credits));
	if (!selection->frames || !selection->credits)
		st = fail_memory(err, "choosing stacks");
	if (st == SNAP_OK)
		st = check_module(options->module, err);
	if (st == SNAP_OK)
		st = judge_frames(selection, err);
	if (st == SNAP_OK && (!label_frames(selection) || !credit_sites(selection)))
		st = fail_memory(err, "grouping stacks");
	if (st == SNAP_OK)
		*out = selection;
	else
		selection_free(selection);
	return st;
}

void selection_free(struct selection *selection)
{
	if (!selection)
		return;
	for (size_t i = 0; i < selection->row_count; i++)
		free(selection->rows[i].key);
	free(selection->frames);
	free(selection->labels);
	hash_table_release(&selection->label_index);
	free(selection->row_of_label);
	for (size_t i = 0; selection->label_texts && i < selection->label_count; i++)
		free(selection->label_texts[i]);
	free(selection->label_texts);
	free(selection->rows);
	hash_table_release(&selection->row_index);
	hash_table_release(&selection->text_index);
	free(selection->row_stack);
	free(selection->steps);
	free(selection->credits);
	free(selection->credited);
	free(selection);
}

size_t selection_rows_of(const struct selection *selection, uint32_t site, const uint32_t **rows)
{
	*rows = selection->credited ? selection->credited + selection->credits[site].first : NULL;
	return selection->credits[site].count;
}

bool selection_credits(const struct selection *selection, struct credits *credits)
{
	for (uint32_t site = 0; site < selection->dataset->site_count; site++) {
		const uint32_t *rows;
		size_t count = selection_rows_of(selection, site, &rows);

		for (size_t r = 0; rows && r < count; r++)
			if (!credits_add(credits, selection->dataset, rows[r], site))
				return false;
	}
	return true;
}

uint32_t selection_row_at(const struct selection *selection, uint32_t site, uint32_t position)
{
	return selection->row_of_label[label_at(selection, site, position)];
}

bool selection_credits_any(const struct selection *selection, uint32_t site, const bool *marked)
{
	const struct credit *credit = &selection->credits[site];

	for (uint32_t i = 0; i < credit->count; i++)
		if (marked[selection->credited[credit->first + i]])
			return true;
	return false;
}

uint32_t selection_named_row(const struct selection *selection, uint32_t site)
{
	return selection->credits[site].named_row;
}

size_t selection_row_count(const struct selection *selection)
{
	return selection->row_count;
}

const struct select_row *selection_row(const struct selection *selection, uint32_t row)
{
	struct row *found = &selection->rows[row];

	if (!found->key)
		found->text.key = found->key = stack_text(selection, row);
	return &found->text;
}
