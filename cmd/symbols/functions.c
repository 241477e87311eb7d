/*
 * functions.c - symbol tables, sorted once.
 *
 * libdwfl can look an address up by itself, but reads every symbol each time.
 */
#include "symbols/functions.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/search.h"

/** A symbol on its way into the table. */
struct candidate {
	uint64_t begin, size;
	uint64_t section_end; /* where a symbol without size may reach */
	const char *name;
	int rank; /* among symbols at one address, the lowest wins */
};

static int binding_rank(const GElf_Sym *symbol)
{
	switch (GELF_ST_BIND(symbol->st_info)) {
	case STB_GLOBAL:
		return 0;
	case STB_WEAK:
		return 1;
	default:
		return 2;
	}
}

/* A variable without a size is a marker of the linker: `_end`, `__bss_start`. */
static bool is_wanted(const GElf_Sym *symbol, const char *name, enum functions_kind wanted)
{
	int kind = GELF_ST_TYPE(symbol->st_info);

	if (!name || !*name || symbol->st_shndx == SHN_UNDEF)
		return false;
	if (wanted == FUNCTIONS_TLS)
		return kind == STT_TLS && symbol->st_size;
	if (wanted == FUNCTIONS_DATA)
		return kind == STT_OBJECT && symbol->st_size;
	return kind == STT_FUNC || kind == STT_GNU_IFUNC || kind == STT_NOTYPE;
}

/** End of the section that holds the ELF address, if it is of the right kind; otherwise 0. */
static uint64_t section_end(Elf *elf, GElf_Word index, enum functions_kind wanted)
{
	Elf_Scn *section = elf ? elf_getscn(elf, index) : NULL;
	GElf_Shdr header;

	if (!section || !gelf_getshdr(section, &header) ||
	    !(header.sh_flags & SHF_EXECINSTR) != (wanted != FUNCTIONS_CODE))
		return 0;
	return header.sh_addr + header.sh_size;
}

static int compare_text(const char *a, const char *b)
{
	size_t a_lead = strspn(a, "_"), b_lead = strspn(b, "_");

	if (a_lead != b_lead)
		return a_lead < b_lead ? -1 : 1;
	return strcmp(a, b);
}

static int compare_candidates(const void *left, const void *right)
{
	const struct candidate *a = left, *b = right;

	if (a->begin != b->begin)
		return a->begin < b->begin ? -1 : 1;
	if (!a->size != !b->size)
		return a->size ? -1 : 1;
	if (a->rank != b->rank)
		return a->rank - b->rank;
	return compare_text(a->name, b->name);
}

/** All wanted symbols of the module, in no order. */
static size_t collect(Dwfl_Module *module, uint64_t bias, enum functions_kind wanted,
		      struct candidate *found, int count)
{
	size_t used = 0;

	for (int i = 0; i < count; i++) {
		GElf_Sym symbol;
		GElf_Addr address;
		GElf_Word index;
		Elf *elf;
		Dwarf_Addr elf_bias;
		const char *name = dwfl_module_getsym_info(module, i, &symbol, &address, &index,
							   &elf, &elf_bias);
		uint64_t end;

		if (!is_wanted(&symbol, name, wanted))
			continue;
		end = section_end(elf, index, wanted);
		if (!end)
			continue;
		found[used++] = (struct candidate){
			.begin = wanted == FUNCTIONS_TLS ? symbol.st_value : address - bias,
			.size = symbol.st_size,
			.section_end = end + elf_bias - bias,
			.name = name,
			.rank = binding_rank(&symbol) +
				(GELF_ST_TYPE(symbol.st_info) == STT_NOTYPE ? 4 : 0),
		};
	}
	return used;
}

/** One function per address; each ends where the next begins at the latest. */
static size_t without_overlaps(struct function *out, const struct candidate *found, size_t count)
{
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		const struct candidate *c = &found[i];
		uint64_t end = c->size ? c->begin + c->size : c->section_end;

		if (end <= c->begin)
			continue;
		if (used && out[used - 1].begin == c->begin)
			continue;
		if (used && out[used - 1].end > c->begin) {
			if (!c->size)
				continue; /* a label inside a function */
			out[used - 1].end = c->begin;
		}
		out[used++] = (struct function){c->begin, end, c->name};
	}
	return used;
}

struct functions functions_read(Dwfl_Module *module, uint64_t bias, enum functions_kind kind)
{
	struct functions functions = {0};
	int count = dwfl_module_getsymtab(module);
	struct candidate *found;
	size_t used;

	if (count <= 0)
		return functions;
	found = memory_need(calloc((size_t)count, sizeof(*found)), "reading symbols");
	functions.items =
		memory_need(calloc((size_t)count, sizeof(*functions.items)), "reading symbols");
	used = collect(module, bias, kind, found, count);
	qsort(found, used, sizeof(*found), compare_candidates);
	functions.count = without_overlaps(functions.items, found, used);
	free(found);
	return functions;
}

void functions_free(struct functions *functions)
{
	free(functions->items);
	*functions = (struct functions){0};
}

const struct function *functions_find(const struct functions *functions, uint64_t address)
{
	size_t after;

	SEARCH(after, 0, functions->count, functions->items[after].begin <= address);
	if (!after || address >= functions->items[after - 1].end)
		return NULL;
	return &functions->items[after - 1];
}
