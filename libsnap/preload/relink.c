/*
 * preload/relink.c - relocations of loaded modules, read again.
 */
#include "preload/relink.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#include "arch/arch.h"
#include "runtime/modules.h"

#define PAGE_BYTES ((uintptr_t)4096)

static const struct snap__substitute *substitutes;
static size_t substitute_count;

/* What a module's dynamic section says. */
struct linkage {
	uintptr_t bias, start, end;
	uintptr_t relro_start, relro_end; /* pages that are read-only by now */
	const ElfW(Sym) * symbols;
	const char *strings;
	const ElfW(Rela) * tables[2];
	size_t sizes[2];
};

static const void *pointer_in(const struct linkage *linkage, uintptr_t value)
{
	/* glibc adds the bias when it loads a module, but not for all of them. */
	return (const void *)(value < linkage->bias ? value + linkage->bias : value);
}

static void read_dynamic(struct linkage *linkage, const ElfW(Dyn) * tag)
{
	for (; tag->d_tag != DT_NULL; tag++) {
		uintptr_t value = tag->d_un.d_ptr;

		if (tag->d_tag == DT_SYMTAB)
			linkage->symbols = pointer_in(linkage, value);
		else if (tag->d_tag == DT_STRTAB)
			linkage->strings = pointer_in(linkage, value);
		else if (tag->d_tag == DT_RELA)
			linkage->tables[0] = pointer_in(linkage, value);
		else if (tag->d_tag == DT_RELASZ)
			linkage->sizes[0] = value;
		else if (tag->d_tag == DT_JMPREL)
			linkage->tables[1] = pointer_in(linkage, value);
		else if (tag->d_tag == DT_PLTRELSZ)
			linkage->sizes[1] = value;
	}
}

static void read_segments(struct linkage *linkage, const ElfW(Phdr) * segments, size_t count)
{
	const ElfW(Dyn) *dynamic = NULL;

	for (const ElfW(Phdr) *s = segments; s < segments + count; s++) {
		uintptr_t start = linkage->bias + s->p_vaddr, end = start + s->p_memsz;

		if (s->p_type == PT_LOAD && (!linkage->end || start < linkage->start))
			linkage->start = start;
		if (s->p_type == PT_LOAD && end > linkage->end)
			linkage->end = end;
		if (s->p_type == PT_GNU_RELRO) {
			linkage->relro_start = start & ~(PAGE_BYTES - 1);
			linkage->relro_end = end & ~(PAGE_BYTES - 1);
		}
		if (s->p_type == PT_DYNAMIC)
			dynamic = (const ElfW(Dyn) *)start;
	}
	if (dynamic)
		read_dynamic(linkage, dynamic);
}

static bool contains(const struct linkage *linkage, const void *address)
{
	return (uintptr_t)address >= linkage->start && (uintptr_t)address < linkage->end;
}

static bool is_left_alone(const struct linkage *linkage)
{
	if (!linkage->symbols || !linkage->strings || contains(linkage, &substitute_count))
		return true;
	for (size_t i = 0; i < substitute_count; i++)
		if (substitutes[i].theirs && contains(linkage, substitutes[i].theirs))
			return true;
	return false;
}

static const struct snap__substitute *substitute_for(const char *name)
{
	for (size_t i = 0; i < substitute_count; i++)
		if (substitutes[i].theirs && strcmp(substitutes[i].name, name) == 0)
			return &substitutes[i];
	return NULL;
}

static void write_slot(const struct linkage *linkage, void **slot, void *value)
{
	uintptr_t page = (uintptr_t)slot & ~(PAGE_BYTES - 1);
	bool is_protected = page >= linkage->relro_start && page < linkage->relro_end;

	if (is_protected && mprotect((void *)page, PAGE_BYTES, PROT_READ | PROT_WRITE) != 0)
		return;
	__atomic_store_n(slot, value, __ATOMIC_RELEASE);
	if (is_protected)
		(void)mprotect((void *)page, PAGE_BYTES, PROT_READ);
}

/* The pointer of a call that was not made yet leads to code of the module itself, which would look
   the symbol up.  But it may also lead to a function that the module defines. */
static bool is_unbound(const struct linkage *linkage, unsigned type, const ElfW(Sym) * symbol,
		       const void *value)
{
	return type == SNAP__ARCH_RELOCATION_CALL && contains(linkage, value) &&
	       (symbol->st_shndx == SHN_UNDEF ||
		(uintptr_t)value != linkage->bias + symbol->st_value);
}

static void relink_one(const struct linkage *linkage, const ElfW(Rela) * relocation)
{
	unsigned type = (unsigned)ELF64_R_TYPE(relocation->r_info);
	const ElfW(Sym) *symbol = &linkage->symbols[ELF64_R_SYM(relocation->r_info)];
	const struct snap__substitute *substitute;
	void **slot = (void **)(linkage->bias + relocation->r_offset);

	if ((type != SNAP__ARCH_RELOCATION_CALL && type != SNAP__ARCH_RELOCATION_GOT &&
	     type != SNAP__ARCH_RELOCATION_PLAIN) ||
	    ELF64_R_SYM(relocation->r_info) == 0)
		return;
	substitute = substitute_for(linkage->strings + symbol->st_name);
	if (substitute && (*slot == substitute->theirs || is_unbound(linkage, type, symbol, *slot)))
		write_slot(linkage, slot, substitute->ours);
}

static void relink(struct linkage *linkage)
{
	if (is_left_alone(linkage))
		return;
	for (unsigned t = 0; t < 2; t++)
		for (size_t i = 0; linkage->tables[t] && i < linkage->sizes[t] / sizeof(ElfW(Rela));
		     i++)
			relink_one(linkage, &linkage->tables[t][i]);
}

static int visit(struct dl_phdr_info *info, size_t size, void *unused)
{
	struct linkage linkage = {.bias = info->dlpi_addr};

	(void)size;
	(void)unused;
	read_segments(&linkage, info->dlpi_phdr, info->dlpi_phnum);
	relink(&linkage);
	return 0;
}

/* A module that was loaded later; its ELF header, mapped with it, leads to the rest. */
static void on_new_module(const struct snap__module *module)
{
	const ElfW(Ehdr) *elf = (const ElfW(Ehdr) *)module->start;
	struct linkage linkage = {.bias = module->bias};
	int saved = errno;

	if (module->end - module->start < PAGE_BYTES ||
	    memcmp(elf->e_ident, ELFMAG, SELFMAG) != 0 || elf->e_phentsize != sizeof(ElfW(Phdr)) ||
	    elf->e_phoff + elf->e_phnum * sizeof(ElfW(Phdr)) > PAGE_BYTES)
		return;
	read_segments(&linkage, (const ElfW(Phdr) *)(module->start + elf->e_phoff), elf->e_phnum);
	relink(&linkage);
	errno = saved;
}

void snap__relink_all(const struct snap__substitute *wanted, size_t count)
{
	substitutes = wanted;
	substitute_count = count;
	(void)dl_iterate_phdr(visit, NULL);
	snap__modules_on_new(on_new_module);
}
