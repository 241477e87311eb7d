/*
 * cfi.c - finds a function's entry in .eh_frame, runs its program, applies the row.
 *
 * The tables are in a mapped object of the host, which may be damaged.  They are read in place, and every
 * read is checked against the length of its record, which lies in the object.
 */
#include <stddef.h>
#include <string.h>

#include "runtime/unwind/cfi.h"

/* DW_EH_PE_*: how pointers in these tables are written. */
enum {
	PE_ABSPTR = 0x00,
	PE_ULEB = 0x01,
	PE_UDATA2 = 0x02,
	PE_UDATA4 = 0x03,
	PE_UDATA8 = 0x04,
	PE_SLEB = 0x09,
	PE_SDATA2 = 0x0a,
	PE_SDATA4 = 0x0b,
	PE_SDATA8 = 0x0c,
	PE_FORMAT = 0x0f,
	PE_PCREL = 0x10,
	PE_DATAREL = 0x30,
	PE_BASE = 0x70,
	PE_INDIRECT = 0x80,
	PE_OMIT = 0xff,
};

/* DW_CFA_*. */
enum {
	CFA_ADVANCE_LOC = 0x40, /* the upper two bits of an opcode */
	CFA_OFFSET = 0x80,
	CFA_RESTORE = 0xc0,
	CFA_NOP = 0x00,
	CFA_SET_LOC = 0x01,
	CFA_ADVANCE_LOC1 = 0x02,
	CFA_ADVANCE_LOC2 = 0x03,
	CFA_ADVANCE_LOC4 = 0x04,
	CFA_OFFSET_EXTENDED = 0x05,
	CFA_RESTORE_EXTENDED = 0x06,
	CFA_UNDEFINED = 0x07,
	CFA_SAME_VALUE = 0x08,
	CFA_REGISTER = 0x09,
	CFA_REMEMBER_STATE = 0x0a,
	CFA_RESTORE_STATE = 0x0b,
	CFA_DEF_CFA = 0x0c,
	CFA_DEF_CFA_REGISTER = 0x0d,
	CFA_DEF_CFA_OFFSET = 0x0e,
	CFA_DEF_CFA_EXPRESSION = 0x0f,
	CFA_EXPRESSION = 0x10,
	CFA_OFFSET_EXTENDED_SF = 0x11,
	CFA_DEF_CFA_SF = 0x12,
	CFA_DEF_CFA_OFFSET_SF = 0x13,
	CFA_VAL_OFFSET = 0x14,
	CFA_VAL_OFFSET_SF = 0x15,
	CFA_VAL_EXPRESSION = 0x16,
	CFA_AARCH64_NEGATE_RA_STATE = 0x2d, /* on SPARC, where this number is from: window save */
	CFA_GNU_ARGS_SIZE = 0x2e,
	CFA_GNU_NEGATIVE_OFFSET_EXTENDED = 0x2f,
};

enum { REMEMBERED_STATES = 8 };

/* A range of bytes that is being read.  After a read past its end it is bad, and all reads give
   0. */
struct bytes {
	const uint8_t *at;
	const uint8_t *end;
	bool bad;
};

static uint64_t take(struct bytes *b, size_t size)
{
	uint64_t value = 0;

	if ((size_t)(b->end - b->at) < size) {
		b->bad = true;
		b->at = b->end;
		return 0;
	}
	memcpy(&value, b->at, size); /* little-endian, as both processors are */
	b->at += size;
	return value;
}

static int64_t take_signed(struct bytes *b, size_t size)
{
	unsigned unused_bits = 64 - 8 * (unsigned)size;

	return (int64_t)(take(b, size) << unused_bits) >> unused_bits;
}

static uint64_t take_uleb(struct bytes *b)
{
	uint64_t value = 0;

	for (unsigned shift = 0; !b->bad; shift += 7) {
		uint64_t byte = take(b, 1);

		if (shift < 64)
			value |= (byte & 0x7f) << shift;
		if (!(byte & 0x80))
			break;
	}
	return value;
}

static int64_t take_sleb(struct bytes *b)
{
	uint64_t value = 0;

	for (unsigned shift = 0; !b->bad;) {
		uint64_t byte = take(b, 1);

		if (shift < 64)
			value |= (byte & 0x7f) << shift;
		shift += 7;
		if (byte & 0x80)
			continue;
		if ((byte & 0x40) && shift < 64)
			value |= ~(uint64_t)0 << shift;
		break;
	}
	return (int64_t)value;
}

static void skip(struct bytes *b, uint64_t size)
{
	if (size > (uint64_t)(b->end - b->at)) {
		b->bad = true;
		size = (uint64_t)(b->end - b->at);
	}
	b->at += size;
}

/* `data` is what data-relative pointers are relative to (the start of .eh_frame_hdr). */
static uintptr_t take_pointer(struct bytes *b, uint8_t encoding, uintptr_t data)
{
	uintptr_t here = (uintptr_t)b->at;
	uintptr_t value;

	switch (encoding & PE_FORMAT) {
	case PE_ABSPTR:
	case PE_UDATA8:
	case PE_SDATA8:
		value = take(b, 8);
		break;
	case PE_ULEB:
		value = take_uleb(b);
		break;
	case PE_SLEB:
		value = (uintptr_t)take_sleb(b);
		break;
	case PE_UDATA2:
		value = take(b, 2);
		break;
	case PE_SDATA2:
		value = (uintptr_t)take_signed(b, 2);
		break;
	case PE_UDATA4:
		value = take(b, 4);
		break;
	case PE_SDATA4:
		value = (uintptr_t)take_signed(b, 4);
		break;
	default:
		b->bad = true;
		return 0;
	}
	if ((encoding & PE_BASE) == PE_PCREL)
		value += here;
	else if ((encoding & PE_BASE) == PE_DATAREL)
		value += data;
	else if ((encoding & PE_BASE) != 0)
		b->bad = true;
	/* Indirect pointers are used for personality routines, whose value is not needed here. */
	return value;
}

/* `size` bytes of the module at `address`, or those up to its end. */
static struct bytes part_of(const struct snap__module *module, uintptr_t address, size_t size)
{
	size_t left = address >= module->start && address < module->end ? module->end - address : 0;

	size = size < left ? size : left;
	return (struct bytes){(const uint8_t *)address, (const uint8_t *)address + size, false};
}

/* One record of .eh_frame: what follows its length field, up to its end. */
static bool record_at(const struct snap__module *module, uintptr_t address, struct bytes *record)
{
	struct bytes b = part_of(module, address, 12);
	uint64_t size = take(&b, 4);

	if (size == 0xffffffffu)
		size = take(&b, 8);
	*record = part_of(module, (uintptr_t)b.at, size);
	return size > 4 && size < ((uint64_t)1 << 31) &&
	       (uint64_t)(record->end - record->at) == size;
}

/* A common information entry: what the functions of one object file share. */
struct cie {
	struct bytes program;
	uint64_t code_align;
	int64_t data_align;
	uint64_t ra;
	uint8_t pointer_encoding;
	bool augmented; /* function entries carry augmentation data */
	bool signal_frame;
};

static bool parse_augmentation(struct cie *cie, struct bytes *b, const char *letters)
{
	struct bytes data;
	uint64_t size;

	cie->pointer_encoding = PE_ABSPTR;
	cie->augmented = *letters == 'z';
	cie->signal_frame = false;
	if (!cie->augmented)
		return *letters == '\0';
	size = take_uleb(b);
	data = *b;
	skip(b, size);
	data.end = b->at;
	for (letters++; *letters && !data.bad; letters++) {
		uint8_t encoding;

		switch (*letters) {
		case 'R':
			cie->pointer_encoding = (uint8_t)take(&data, 1);
			break;
		case 'P':
			encoding = (uint8_t)take(&data, 1);
			(void)take_pointer(&data, encoding & (PE_FORMAT | PE_BASE), 0);
			break;
		case 'L':
			(void)take(&data, 1);
			break;
		case 'S':
			cie->signal_frame = true;
			break;
		default: /* 'B' (aarch64: signed with the B key), and future letters: no data */
			break;
		}
	}
	return !data.bad;
}

static bool parse_cie(const struct snap__module *module, uintptr_t address, struct cie *cie)
{
	struct bytes b;
	const char *letters;
	uint64_t version;

	if (!record_at(module, address, &b) || take(&b, 4) != 0)
		return false;
	version = take(&b, 1);
	letters = (const char *)b.at;
	while (take(&b, 1) && !b.bad)
		;
	if (b.bad || (version != 1 && version != 3))
		return false;
	cie->code_align = take_uleb(&b);
	cie->data_align = take_sleb(&b);
	cie->ra = version == 1 ? take(&b, 1) : take_uleb(&b);
	if (cie->ra >= SNAP__REG_COUNT || !parse_augmentation(cie, &b, letters))
		return false;
	cie->program = b;
	return !b.bad;
}

/* A function's entry: its addresses and its program. */
struct fde {
	struct cie cie;
	uintptr_t start;
	uintptr_t size;
	struct bytes program;
};

static bool parse_fde(const struct snap__module *module, uintptr_t address, struct fde *fde)
{
	struct bytes b;
	uintptr_t cie_field;
	uint64_t cie_distance;

	if (!record_at(module, address, &b))
		return false;
	cie_field = (uintptr_t)b.at;
	cie_distance = take(&b, 4);
	if (cie_distance == 0 || !parse_cie(module, cie_field - cie_distance, &fde->cie))
		return false;
	fde->start = take_pointer(&b, fde->cie.pointer_encoding, 0);
	fde->size = take_pointer(&b, fde->cie.pointer_encoding & PE_FORMAT, 0);
	if (fde->cie.augmented)
		skip(&b, take_uleb(&b));
	fde->program = b;
	return !b.bad;
}

/* .eh_frame_hdr's table: pairs of 32-bit offsets from its own start, sorted by function. */
struct search_entry {
	int32_t function;
	int32_t fde;
};

/* The entry of the last function that starts at or before `pc`, or NULL. */
static const struct search_entry *search(const struct search_entry *table, uint64_t count,
					 int64_t pc_offset)
{
	uint64_t low = 0, high = count;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (table[middle].function <= pc_offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &table[low - 1] : NULL;
}

/* The same without a table: read all of .eh_frame up to its terminator. */
static bool scan_for_fde(const struct snap__module *module, uintptr_t eh_frame, uintptr_t pc,
			 struct fde *fde)
{
	struct bytes record;

	for (uintptr_t at = eh_frame; record_at(module, at, &record); at = (uintptr_t)record.end)
		if (parse_fde(module, at, fde) && pc - fde->start < fde->size)
			return true;
	return false;
}

static bool find_fde(const struct snap__module *module, uintptr_t pc, struct fde *fde)
{
	const uintptr_t header = module->eh_frame_hdr;
	struct bytes b = part_of(module, header, 64);
	uint64_t version = take(&b, 1);
	uint8_t frame_encoding = (uint8_t)take(&b, 1);
	uint8_t count_encoding = (uint8_t)take(&b, 1);
	uint8_t table_encoding = (uint8_t)take(&b, 1);
	const struct search_entry *entry;
	uintptr_t eh_frame;
	uint64_t count;

	if (version != 1 || frame_encoding == PE_OMIT)
		return false;
	eh_frame = take_pointer(&b, frame_encoding, header);
	if (count_encoding == PE_OMIT || table_encoding != (PE_DATAREL | PE_SDATA4))
		return scan_for_fde(module, eh_frame, pc, fde);
	count = take_pointer(&b, count_encoding, header);
	if (b.bad || count > (module->end - (uintptr_t)b.at) / sizeof(*entry))
		return false;
	entry = search((const struct search_entry *)(const void *)b.at, count,
		       (int64_t)(pc - header));
	return entry && parse_fde(module, header + (uintptr_t)(intptr_t)entry->fde, fde) &&
	       pc - fde->start < fde->size;
}

/* A run of a call frame program, up to the instruction at `pc`. */
struct machine {
	struct snap__cfi_row *row;
	struct snap__cfi_row initial; /* the row that the CIE's program left */
	struct snap__cfi_row remembered[REMEMBERED_STATES];
	const struct cie *cie;
	uintptr_t location;
	unsigned depth;
};

static void set_rule(struct machine *m, uint64_t reg, enum snap__cfi_how how, int64_t value)
{
	if (reg >= SNAP__REG_COUNT)
		return; /* for example a vector register: not needed to find callers */
	m->row->how[reg] = (uint8_t)how;
	m->row->value[reg] = value;
}

static void restore_rule(struct machine *m, uint64_t reg)
{
	if (reg < SNAP__REG_COUNT)
		set_rule(m, reg, m->initial.how[reg], m->initial.value[reg]);
}

/* The address of an expression block, which is then skipped. */
static int64_t take_block(struct bytes *b)
{
	int64_t address = (int64_t)(uintptr_t)b->at;

	skip(b, take_uleb(b));
	return address;
}

static int64_t factored(const struct machine *m, int64_t offset)
{
	return offset * m->cie->data_align;
}

/* Instructions about where the CFA is. False: not one of them. */
static bool run_cfa_rule(struct machine *m, struct bytes *b, uint64_t op)
{
	struct snap__cfi_row *row = m->row;

	switch (op) {
	case CFA_DEF_CFA:
		row->cfa_reg = (uint32_t)take_uleb(b);
		row->cfa_value = (int64_t)take_uleb(b);
		break;
	case CFA_DEF_CFA_SF:
		row->cfa_reg = (uint32_t)take_uleb(b);
		row->cfa_value = factored(m, take_sleb(b));
		break;
	case CFA_DEF_CFA_REGISTER:
		row->cfa_reg = (uint32_t)take_uleb(b);
		break;
	case CFA_DEF_CFA_OFFSET:
		row->cfa_value = (int64_t)take_uleb(b);
		break;
	case CFA_DEF_CFA_OFFSET_SF:
		row->cfa_value = factored(m, take_sleb(b));
		break;
	case CFA_DEF_CFA_EXPRESSION:
		row->cfa_value = take_block(b);
		row->cfa_is_expr = true;
		return true;
	default:
		return false;
	}
	row->cfa_is_expr = false;
	return true;
}

/* Instructions about one register.  False: not one of them. */
static bool run_register_rule(struct machine *m, struct bytes *b, uint64_t op)
{
	uint64_t reg;

	if (op < CFA_OFFSET_EXTENDED ||
	    (op > CFA_REGISTER && op != CFA_EXPRESSION && op != CFA_OFFSET_EXTENDED_SF &&
	     op != CFA_VAL_OFFSET && op != CFA_VAL_OFFSET_SF && op != CFA_VAL_EXPRESSION &&
	     op != CFA_GNU_NEGATIVE_OFFSET_EXTENDED))
		return false;
	reg = take_uleb(b);
	switch (op) {
	case CFA_OFFSET_EXTENDED:
		set_rule(m, reg, SNAP__CFI_AT_CFA, factored(m, (int64_t)take_uleb(b)));
		break;
	case CFA_OFFSET_EXTENDED_SF:
		set_rule(m, reg, SNAP__CFI_AT_CFA, factored(m, take_sleb(b)));
		break;
	case CFA_GNU_NEGATIVE_OFFSET_EXTENDED:
		set_rule(m, reg, SNAP__CFI_AT_CFA, -factored(m, (int64_t)take_uleb(b)));
		break;
	case CFA_VAL_OFFSET:
		set_rule(m, reg, SNAP__CFI_CFA_PLUS, factored(m, (int64_t)take_uleb(b)));
		break;
	case CFA_VAL_OFFSET_SF:
		set_rule(m, reg, SNAP__CFI_CFA_PLUS, factored(m, take_sleb(b)));
		break;
	case CFA_RESTORE_EXTENDED:
		restore_rule(m, reg);
		break;
	case CFA_UNDEFINED:
		set_rule(m, reg, SNAP__CFI_UNDEFINED, 0);
		break;
	case CFA_SAME_VALUE:
		set_rule(m, reg, SNAP__CFI_SAME, 0);
		break;
	case CFA_REGISTER:
		set_rule(m, reg, SNAP__CFI_REGISTER, (int64_t)take_uleb(b));
		break;
	case CFA_EXPRESSION:
		set_rule(m, reg, SNAP__CFI_AT_EXPR, take_block(b));
		break;
	default:
		set_rule(m, reg, SNAP__CFI_EXPR, take_block(b));
		break;
	}
	return true;
}

/* By how much the location moves; 0 for instructions that do not move it. */
static uint64_t take_advance(struct bytes *b, uint64_t op)
{
	switch (op) {
	case CFA_ADVANCE_LOC1:
		return take(b, 1);
	case CFA_ADVANCE_LOC2:
		return take(b, 2);
	case CFA_ADVANCE_LOC4:
		return take(b, 4);
	default:
		return (op & 0xc0) == CFA_ADVANCE_LOC ? op & 0x3f : 0;
	}
}

/* The remaining instructions.  False: unknown, so the row of this pc is unknown. */
static bool run_other(struct machine *m, struct bytes *b, uint64_t op)
{
	switch (op) {
	case CFA_SET_LOC:
		m->location = take_pointer(b, m->cie->pointer_encoding, 0);
		return true;
	case CFA_REMEMBER_STATE:
		if (m->depth == REMEMBERED_STATES)
			return false;
		m->remembered[m->depth++] = *m->row;
		return true;
	case CFA_RESTORE_STATE:
		if (m->depth == 0)
			return false;
		*m->row = m->remembered[--m->depth];
		return true;
	case CFA_GNU_ARGS_SIZE:
		(void)take_uleb(b);
		return true;
	case CFA_AARCH64_NEGATE_RA_STATE: /* signatures are removed wherever an address is read */
	case CFA_NOP:
		return true;
	default:
		return false;
	}
}

/* Run `program` until it passes `pc`. */
static bool run(struct machine *m, struct bytes program, uintptr_t pc)
{
	struct bytes *b = &program;

	while (b->at < b->end && !b->bad) {
		uint64_t op = take(b, 1);
		uint64_t advance = take_advance(b, op);
		bool known = true;

		if (advance) {
			m->location += advance * m->cie->code_align;
		} else if ((op & 0xc0) == CFA_OFFSET) {
			set_rule(m, op & 0x3f, SNAP__CFI_AT_CFA,
				 factored(m, (int64_t)take_uleb(b)));
		} else if ((op & 0xc0) == CFA_RESTORE) {
			restore_rule(m, op & 0x3f);
		} else if ((op & 0xc0) == 0 &&
			   !(op >= CFA_ADVANCE_LOC1 && op <= CFA_ADVANCE_LOC4)) {
			known = run_cfa_rule(m, b, op) || run_register_rule(m, b, op) ||
				run_other(m, b, op);
		}
		if (!known)
			return false;
		if (m->location > pc)
			break;
	}
	return !b->bad;
}

bool snap__cfi_function_starts_at(const struct snap__module *module, uintptr_t pc)
{
	struct fde fde;

	return module->eh_frame_hdr && find_fde(module, pc, &fde) && fde.start == pc;
}

bool snap__cfi_row_at(const struct snap__module *module, uintptr_t pc, struct snap__cfi_row *row)
{
	struct fde fde;
	struct machine m;

	if (!module->eh_frame_hdr || !find_fde(module, pc, &fde))
		return false;
	memset(row, 0, sizeof(*row));
	row->ra = (uint8_t)fde.cie.ra;
	row->signal_frame = fde.cie.signal_frame;
	m.row = row;
	m.cie = &fde.cie;
	m.depth = 0;
	m.location = 0;
	memset(&m.initial, 0, sizeof(m.initial));
	if (!run(&m, fde.cie.program, UINTPTR_MAX))
		return false;
	m.initial = *row;
	m.location = fde.start;
	return run(&m, fde.program, pc) && (row->cfa_is_expr || row->cfa_reg < SNAP__REG_COUNT);
}
