/*
 * runtime/python/lines.c - the three kinds of line tables.
 *
 * lnotab and linetable are pairs of bytes: how far to the next instruction, and how many lines.
 * The location table (PEP 657) is a run of entries; the first byte of each has bit 7 set, a code in
 * bits 3 to 6 and the number of code units, less one, in bits 0 to 2.
 *
 * The instructions of one code object are mostly asked for in their order.  So an answer is looked
 * for from where the last one was found.
 */
#include "runtime/python/lines.h"

#include "runtime/python/codes.h"
#include "runtime/python/find.h"
#include "runtime/python/frames.h"

#define UNIT_BYTES   2
#define NO_LINE_MARK (-128)

/* Codes of the location table's entries; those below 10 are short forms without a line. */
enum location { ONE_LINE_0 = 10, ONE_LINE_2 = 12, NO_COLUMNS = 13, LONG = 14, NONE = 15 };

static ptrdiff_t left(const struct snap__python_lines_read *r)
{
	return r->table_end - r->at;
}

/* The entry that the reading began with has a line, unless the table is damaged. */
static void show_line(struct snap__python_lines_read *r)
{
	r->shown = r->line < 0 || r->line > UINT32_MAX ? 0 : (uint32_t)r->line;
}

/* Each pair stands for the code up to the next one; the line changes after it. */
static void next_of_lnotab(struct snap__python_lines_read *r)
{
	r->line += r->change;
	/* NOLINTNEXTLINE(bugprone-signed-char-misuse): the difference has a sign */
	r->change = (signed char)r->at[1];
	r->end += r->at[0];
	r->at += 2;
	show_line(r);
}

static void next_of_linetable(struct snap__python_lines_read *r)
{
	signed char change = (signed char)r->at[1];

	r->end += r->at[0];
	r->at += 2;
	if (change == NO_LINE_MARK) {
		r->shown = 0;
		return;
	}
	r->line += change;
	show_line(r);
}

/* Six bits a byte, least significant first; bit 6 says that more follow. */
static uint32_t read_varint(struct snap__python_lines_read *r)
{
	uint32_t value = 0;
	unsigned shift = 0;
	unsigned char byte = 64;

	for (; (byte & 64) && r->at < r->table_end; shift += 6) {
		byte = *r->at++;
		if (shift < 32)
			value |= (uint32_t)(byte & 63) << shift;
	}
	return value;
}

static int64_t read_signed(struct snap__python_lines_read *r)
{
	uint32_t value = read_varint(r);

	return value & 1 ? -(int64_t)(value >> 1) : (int64_t)(value >> 1);
}

static void skip(struct snap__python_lines_read *r, ptrdiff_t bytes)
{
	r->at = left(r) < bytes ? r->table_end : r->at + bytes;
}

/* How many lines the entry with `code` goes on; its columns are skipped. */
static int64_t read_change(struct snap__python_lines_read *r, unsigned code)
{
	int64_t change = 0;

	if (code == NONE)
		return 0;
	if (code == LONG || code == NO_COLUMNS) {
		change = read_signed(r);
		for (unsigned i = 0; code == LONG && i < 3; i++)
			read_varint(r);
		return change;
	}
	skip(r, code >= ONE_LINE_0 ? 2 : 1);
	return code >= ONE_LINE_0 && code <= ONE_LINE_2 ? (int64_t)code - ONE_LINE_0 : 0;
}

static void next_of_locations(struct snap__python_lines_read *r)
{
	unsigned char head = *r->at++;
	unsigned code = head >> 3 & 15;

	r->end += ((head & 7) + 1) * UNIT_BYTES;
	r->line += read_change(r, code);
	if (code == NONE)
		r->shown = 0;
	else
		show_line(r);
}

/* The last line of an lnotab extends to the end of the code.  In the other kinds, code that the
   table does not mention has no line. */
static void end_table(struct snap__python_lines_read *r)
{
	r->end = INT64_MAX;
	r->line += r->change;
	if (r->kind == SNAP__PYTHON_LNOTAB)
		show_line(r);
	else
		r->shown = 0;
}

static void next(struct snap__python_lines_read *r)
{
	r->start = r->end;
	if (left(r) < (r->kind == SNAP__PYTHON_LOCATIONS ? 1 : 2))
		end_table(r);
	else if (r->kind == SNAP__PYTHON_LNOTAB)
		next_of_lnotab(r);
	else if (r->kind == SNAP__PYTHON_LINETABLE)
		next_of_linetable(r);
	else
		next_of_locations(r);
}

void snap__python_lines_begin(struct snap__python_lines_read *read, enum snap__python_lines kind,
			      const unsigned char *table, size_t size, uint32_t first_line)
{
	*read = (struct snap__python_lines_read){
		.kind = kind,
		.first_line = first_line,
		.table = table,
		.table_end = table + size,
		.at = table,
		.line = first_line,
	};
}

uint32_t snap__python_lines_at(struct snap__python_lines_read *read, int64_t offset)
{
	if (offset < 0)
		return read->first_line;
	if (offset < read->start)
		snap__python_lines_begin(read, read->kind, read->table,
					 (size_t)(read->table_end - read->table), read->first_line);
	while (offset >= read->end && read->end < INT64_MAX)
		next(read);
	return read->shown;
}

/* The table of the code object with that number. */
static struct snap__python_lines_read *open_table(struct snap__python_lines_open *open, uint32_t id)
{
	const struct snap__python_code *code;
	size_t i = id % SNAP__PYTHON_LINES_OPEN;

	if (open->code[i] != id) {
		code = snap__python_code(id);
		open->code[i] = id;
		snap__python_lines_begin(&open->read[i], snap__python.layout->lines,
					 code->line_table, code->line_table_size, code->first_line);
	}
	return &open->read[i];
}

static uint32_t find_line(struct snap__python_lines_open *open, uintptr_t pc)
{
	uint32_t instruction = snap__python_pc_instruction(pc);
	int64_t offset = instruction;

	if (instruction == SNAP__PYTHON_INSTRUCTION_MAX)
		offset = -1;
	else if (snap__python.layout->minor >= 10)
		offset *= UNIT_BYTES;
	return snap__python_lines_at(open_table(open, snap__python_pc_code(pc)), offset);
}

uint32_t snap__python_line(struct snap__python_lines_open *open, uintptr_t pc)
{
	size_t i = (size_t)((pc * 0x9e3779b97f4a7c15ull) >> 40) % SNAP__PYTHON_LINES_FOUND;

	if (open->found[i].pc != pc) {
		open->found[i].pc = pc;
		open->found[i].line = find_line(open, pc);
	}
	return open->found[i].line;
}
