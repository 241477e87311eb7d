/*
 * runtime/python/lines.c - the three kinds of line tables.
 *
 * lnotab and linetable are pairs of bytes: how far to the next instruction, and how many lines.
 * The location table (PEP 657) is a run of entries; the first byte of each has bit 7 set, a code in
 * bits 3 to 6 and the number of code units, less one, in bits 0 to 2.
 */
#include "runtime/python/lines.h"

#include "runtime/python/codes.h"
#include "runtime/python/find.h"
#include "runtime/python/frames.h"

#define UNIT_BYTES   2
#define NO_LINE_MARK (-128)

/* Codes of the location table's entries; those below 10 are short forms without a line. */
enum location { ONE_LINE_0 = 10, ONE_LINE_2 = 12, NO_COLUMNS = 13, LONG = 14, NONE = 15 };

struct cursor {
	const unsigned char *at, *end;
};

/* Each pair stands for the code up to the next one; the line changes before it. */
static int64_t line_by_lnotab(struct cursor c, int64_t line, int64_t offset)
{
	int64_t address = 0;

	for (; c.end - c.at >= 2; c.at += 2) {
		address += c.at[0];
		if (address > offset)
			break;
		line += (signed char)c.at[1];
	}
	return line;
}

static int64_t line_by_linetable(struct cursor c, int64_t line, int64_t offset)
{
	int64_t end = 0;

	for (; c.end - c.at >= 2; c.at += 2) {
		signed char change = (signed char)c.at[1];

		end += c.at[0];
		if (change != NO_LINE_MARK)
			line += change;
		if (offset < end)
			return change == NO_LINE_MARK ? 0 : line;
	}
	return 0;
}

/* Six bits a byte, least significant first; bit 6 says that more follow. */
static uint32_t read_varint(struct cursor *c)
{
	uint32_t value = 0;
	unsigned shift = 0;
	unsigned char byte = 64;

	for (; (byte & 64) && c->at < c->end; shift += 6) {
		byte = *c->at++;
		if (shift < 32)
			value |= (uint32_t)(byte & 63) << shift;
	}
	return value;
}

static int64_t read_signed(struct cursor *c)
{
	uint32_t value = read_varint(c);

	return value & 1 ? -(int64_t)(value >> 1) : (int64_t)(value >> 1);
}

static void skip(struct cursor *c, ptrdiff_t bytes)
{
	c->at = c->end - c->at < bytes ? c->end : c->at + bytes;
}

/* How many lines the entry with `code` goes on; its columns are skipped. */
static int64_t read_change(struct cursor *c, unsigned code)
{
	int64_t change = 0;

	if (code == NONE)
		return 0;
	if (code == LONG || code == NO_COLUMNS) {
		change = read_signed(c);
		for (unsigned i = 0; code == LONG && i < 3; i++)
			read_varint(c);
		return change;
	}
	skip(c, code >= ONE_LINE_0 ? 2 : 1);
	return code >= ONE_LINE_0 && code <= ONE_LINE_2 ? (int64_t)code - ONE_LINE_0 : 0;
}

static int64_t line_by_locations(struct cursor c, int64_t line, int64_t offset)
{
	int64_t end = 0;

	while (c.at < c.end) {
		unsigned char head = *c.at++;
		unsigned code = head >> 3 & 15;

		end += ((head & 7) + 1) * UNIT_BYTES;
		line += read_change(&c, code);
		if (offset < end)
			return code == NONE ? 0 : line;
	}
	return 0;
}

uint32_t snap__python_line_in(enum snap__python_lines kind, const unsigned char *table, size_t size,
			      uint32_t first_line, int64_t offset)
{
	struct cursor cursor = {table, table + size};
	int64_t line = first_line;

	if (offset < 0)
		return first_line;
	if (kind == SNAP__PYTHON_LNOTAB)
		line = line_by_lnotab(cursor, line, offset);
	else if (kind == SNAP__PYTHON_LINETABLE)
		line = line_by_linetable(cursor, line, offset);
	else
		line = line_by_locations(cursor, line, offset);
	return line < 0 || line > UINT32_MAX ? 0 : (uint32_t)line;
}

uint32_t snap__python_line(uintptr_t pc)
{
	const struct snap__python_layout *v = snap__python.layout;
	const struct snap__python_code *code = snap__python_code(snap__python_pc_code(pc));
	uint32_t instruction = snap__python_pc_instruction(pc);
	int64_t offset = instruction;

	if (instruction == SNAP__PYTHON_INSTRUCTION_MAX)
		offset = -1;
	else if (v->minor >= 10)
		offset *= UNIT_BYTES;
	return snap__python_line_in(v->lines, code->line_table, code->line_table_size,
				    code->first_line, offset);
}
