/*
 * text_holders.c - the lines of the text form that begin with %: the graph of holders.
 *
 *   %group  kind blocks bytes direct_blocks direct_bytes indirect_blocks indirect_bytes ring_blocks
 *           retained_bytes label frames...
 *   %root   kind thread address size offset retained_bytes label symbol module
 *   %edge   from to references blocks bytes dominated_blocks dominated_bytes
 *   %path   group root offset skipped steps...
 *
 * g3 is the fourth group, r0 the first root.  A line refers to groups and roots before it only.
 */
#include "input/text_reading.h"

#include <string.h>

#include "snap/format.h"

enum { GROUP_FRAMES = 11, ROOT_COLUMNS = 10, EDGE_COLUMNS = 8, PATH_STEPS = 5 };

/** Column `i` as a known number of at most `max`. */
static enum snap_status column(struct text_reader *t, size_t i, uint64_t max, uint64_t *value)
{
	const char *at = t->columns[i].data;
	const char *end = at + t->columns[i].size;
	enum snap_status st = text_number(t, &at, end, max, value);

	return st == SNAP_OK && at != end ? text_fail(t, at, "a decimal number is expected here")
					  : st;
}

static enum snap_status column32(struct text_reader *t, size_t i, uint32_t *value)
{
	uint64_t wide = 0;
	enum snap_status st = column(t, i, UINT32_MAX, &wide);

	*value = (uint32_t)wide;
	return st;
}

/** `g` or `r` and a number below `count`, at *at. */
static enum snap_status id_at(struct text_reader *t, const char **at, const char *end, char kind,
			      uint32_t count, uint32_t *id)
{
	const char *begin = *at;
	uint64_t value = 0;
	enum snap_status st;

	if (begin == end || *begin != kind)
		return text_fail(t, begin,
				 kind == 'g' ? "a group is written g and its number"
					     : "a root is written r and its number");
	(*at)++;
	st = text_number(t, at, end, UINT32_MAX, &value);
	if (st == SNAP_OK && value >= count)
		st = text_fail(t, begin,
			       kind == 'g' ? "there is no such %group line before this one"
					   : "there is no such %root line before this one");
	*id = (uint32_t)value;
	return st;
}

/** Column `i` is an id and nothing else. */
static enum snap_status id_column(struct text_reader *t, size_t i, char kind, uint32_t count,
				  uint32_t *id)
{
	const char *at = t->columns[i].data;
	const char *end = at + t->columns[i].size;
	enum snap_status st = id_at(t, &at, end, kind, count, id);

	return st == SNAP_OK && at != end ? text_fail(t, at, "only a number belongs here") : st;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/** 0x and hexadecimal digits at *at. */
static enum snap_status address_at(struct text_reader *t, const char **at, const char *end,
				   uint64_t *address)
{
	const char *in = *at;

	*address = 0;
	if (end - in < 3 || in[0] != '0' || in[1] != 'x' || hex_digit(in[2]) < 0)
		return text_fail(t, in, "an address is written 0x and hexadecimal digits");
	for (in += 2; in < end && hex_digit(*in) >= 0; in++) {
		if (*address >> 60)
			return text_fail(t, *at, "this address is too large");
		*address = *address << 4 | (uint64_t)hex_digit(*in);
	}
	*at = in;
	return SNAP_OK;
}

static bool parts_are_sound(const struct snap_group *g)
{
	return g->direct_blocks <= g->blocks &&
	       g->indirect_blocks <= g->blocks - g->direct_blocks && g->direct_bytes <= g->bytes &&
	       g->indirect_bytes <= g->bytes - g->direct_bytes &&
	       g->ring_blocks <= g->indirect_blocks;
}

static enum snap_status group_line(struct text_reader *t)
{
	struct snap_group group = {0};
	uint64_t *const figures[] = {&group.blocks,          &group.bytes,
				     &group.direct_blocks,   &group.direct_bytes,
				     &group.indirect_blocks, &group.indirect_bytes,
				     &group.ring_blocks};
	enum snap_status st = text_split(t, GROUP_FRAMES, "a %group line has at least 11 columns");

	if (st == SNAP_OK)
		st = column32(t, 1, &group.kind);
	for (size_t i = 0; st == SNAP_OK && i < 7; i++)
		st = column(t, 2 + i, UINT64_MAX, figures[i]);
	if (st == SNAP_OK)
		st = text_figure(t, t->columns[9], &group.retained_bytes);
	if (st == SNAP_OK)
		st = text_string(t, t->columns[10], &group.label);
	if (st == SNAP_OK)
		st = text_stack(t, GROUP_FRAMES, &group.node);
	if (st == SNAP_OK && !parts_are_sound(&group))
		st = text_fail(t, t->line.data, "more is unreachable than the group has");
	if (st == SNAP_OK && !holders_add_group(&t->model->holders, &group))
		st = text_memory(t);
	return st;
}

static enum snap_status root_names(struct text_reader *t, struct snap_root *root)
{
	enum snap_status st = text_string(t, t->columns[7], &root->label);

	if (st == SNAP_OK)
		st = text_string(t, t->columns[8], &root->symbol);
	if (st == SNAP_OK)
		st = text_module(t, t->columns[9], &root->module);
	return st;
}

static enum snap_status root_line(struct text_reader *t)
{
	struct snap_root root = {0};
	enum snap_status st = text_split(t, ROOT_COLUMNS, "a %root line has 10 columns");
	const char *at, *end;

	if (st != SNAP_OK)
		return st;
	at = t->columns[3].data;
	end = at + t->columns[3].size;
	st = column32(t, 1, &root.kind);
	if (st == SNAP_OK)
		st = column32(t, 2, &root.thread);
	if (st == SNAP_OK)
		st = address_at(t, &at, end, &root.address);
	if (st == SNAP_OK && at != end)
		st = text_fail(t, at, "an address is written 0x and hexadecimal digits");
	if (st == SNAP_OK)
		st = column(t, 4, UINT64_MAX, &root.size);
	if (st == SNAP_OK)
		st = column(t, 5, UINT64_MAX, &root.offset);
	if (st == SNAP_OK)
		st = text_figure(t, t->columns[6], &root.retained_bytes);
	if (st == SNAP_OK)
		st = root_names(t, &root);
	if (st == SNAP_OK && !holders_add_root(&t->model->holders, &root))
		st = text_memory(t);
	return st;
}

static enum snap_status edge_line(struct text_reader *t)
{
	struct model_holders *holders = &t->model->holders;
	struct snap_edge edge = {0};
	enum snap_status st = text_split(t, EDGE_COLUMNS, "an %edge line has 8 columns");

	if (st != SNAP_OK)
		return st;
	edge.from_root = t->columns[1].size > 0 && t->columns[1].data[0] == 'r';
	if (edge.from_root)
		st = id_column(t, 1, 'r', holders->root_count, &edge.from);
	else
		st = id_column(t, 1, 'g', holders->group_count, &edge.from);
	if (st == SNAP_OK)
		st = id_column(t, 2, 'g', holders->group_count, &edge.to);
	if (st == SNAP_OK)
		st = column(t, 3, UINT64_MAX, &edge.references);
	if (st == SNAP_OK)
		st = column(t, 4, UINT64_MAX, &edge.blocks);
	if (st == SNAP_OK)
		st = column(t, 5, UINT64_MAX, &edge.bytes);
	if (st == SNAP_OK)
		st = text_figure(t, t->columns[6], &edge.dominated_blocks);
	if (st == SNAP_OK)
		st = text_figure(t, t->columns[7], &edge.dominated_bytes);
	if (st == SNAP_OK && !holders_add_edge(holders, &edge))
		st = text_memory(t);
	return st;
}

/** A colon, then a number. */
static enum snap_status part_at(struct text_reader *t, const char **at, const char *end,
				uint64_t *value)
{
	if (*at == end || **at != ':')
		return text_fail(t, *at, "a step is written group:address:size:offset");
	(*at)++;
	return text_number(t, at, end, UINT64_MAX, value);
}

static enum snap_status step_column(struct text_reader *t, size_t i, struct snap_step *step)
{
	const char *at = t->columns[i].data;
	const char *end = at + t->columns[i].size;
	enum snap_status st = id_at(t, &at, end, 'g', t->model->holders.group_count, &step->group);

	if (st == SNAP_OK && (at == end || *at != ':'))
		st = text_fail(t, at, "a step is written group:address:size:offset");
	at++;
	if (st == SNAP_OK)
		st = address_at(t, &at, end, &step->address);
	if (st == SNAP_OK)
		st = part_at(t, &at, end, &step->size);
	if (st == SNAP_OK)
		st = part_at(t, &at, end, &step->offset);
	if (st == SNAP_OK && at != end)
		st = text_fail(t, at, "a step is written group:address:size:offset");
	return st;
}

static enum snap_status path_head(struct text_reader *t, struct snap_path *path)
{
	struct model_holders *holders = &t->model->holders;
	struct field root = t->columns[2];
	enum snap_status st = id_column(t, 1, 'g', holders->group_count, &path->group);

	path->root = SNAP_NONE;
	if (st == SNAP_OK && !(root.size == 1 && root.data[0] == '-'))
		st = id_column(t, 2, 'r', holders->root_count, &path->root);
	if (st == SNAP_OK)
		st = column(t, 3, UINT64_MAX, &path->offset);
	if (st == SNAP_OK)
		st = column(t, 4, UINT64_MAX, &path->skipped);
	return st;
}

static enum snap_status path_line(struct text_reader *t)
{
	struct snap_step steps[SNAP_PATH_STEPS_MAX];
	struct snap_path path = {0};
	enum snap_status st = text_split(t, PATH_STEPS, "a %path line has at least 5 columns");

	if (st != SNAP_OK)
		return st;
	if (t->column_count - PATH_STEPS > SNAP_PATH_STEPS_MAX)
		return text_fail(t, t->columns[PATH_STEPS].data, "more than 64 steps");
	path.step_count = (uint32_t)(t->column_count - PATH_STEPS);
	st = path_head(t, &path);
	for (uint32_t i = 0; st == SNAP_OK && i < path.step_count; i++)
		st = step_column(t, PATH_STEPS + i, &steps[i]);
	if (st == SNAP_OK && !holders_add_path(&t->model->holders, &path, steps))
		st = text_memory(t);
	return st;
}

enum snap_status text_holders_line(struct text_reader *t)
{
	static const struct {
		const char *name;
		enum snap_status (*parse)(struct text_reader *t);
	} kinds[] = {{"%group\t", group_line},
		     {"%root\t", root_line},
		     {"%edge\t", edge_line},
		     {"%path\t", path_line}};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		size_t size = strlen(kinds[i].name);

		if (t->line.size >= size && memcmp(t->line.data, kinds[i].name, size) == 0)
			return kinds[i].parse(t);
	}
	return text_fail(t, t->line.data, "such a line is a %group, %root, %edge or %path");
}
