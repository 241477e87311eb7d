/*
 * image/elf_file.c - ELF headers and tables, read through a window of the file.
 *
 * No larger buffer: the caller may be a child of vfork() on a small stack.
 */
#include "image/elf_file.h"

#include <string.h>

#include "arch/arch.h"
#include "write/sys.h"

enum { SEGMENTS_MAX = 512, TAGS_MAX = 1024, CHAIN_MAX = 4096, NAME_ROOM = 64 };

static void fill_window(struct snap__elf *elf, uint64_t offset)
{
	ssize_t got = snap__sys_pread(elf->fd, elf->window, sizeof(elf->window), (off_t)offset);

	elf->window_at = offset;
	elf->window_size = got > 0 ? (size_t)got : 0;
}

/* How many of the `size` bytes at `offset` there are. */
static size_t read_some(struct snap__elf *elf, uint64_t offset, void *into, size_t size)
{
	size_t left, start;

	if (offset > INT64_MAX || size > sizeof(elf->window))
		return 0;
	if (offset < elf->window_at || offset - elf->window_at > elf->window_size ||
	    elf->window_size - (offset - elf->window_at) < size)
		fill_window(elf, offset);
	start = (size_t)(offset - elf->window_at);
	left = elf->window_size - start;
	memcpy(into, elf->window + start, left < size ? left : size);
	return left < size ? left : size;
}

static bool read_at(struct snap__elf *elf, uint64_t offset, void *into, size_t size)
{
	return read_some(elf, offset, into, size) == size;
}

/* The string at `offset`, cut to fit. */
static bool read_name(struct snap__elf *elf, uint64_t offset, char name[NAME_ROOM])
{
	size_t got;

	if (!elf->strings || offset > UINT32_MAX)
		return false;
	got = read_some(elf, elf->strings + offset, name, NAME_ROOM - 1);
	name[got] = '\0';
	return got > 0;
}

static bool name_is(struct snap__elf *elf, uint64_t offset, const char *wanted)
{
	char name[NAME_ROOM];

	return read_name(elf, offset, name) && strcmp(name, wanted) == 0;
}

/* ---- headers ---------------------------------------------------------------------------------- */

static void read_loader(struct snap__elf *elf, const Elf64_Phdr *segment)
{
	size_t size = sizeof(elf->loader) - 1;

	if (segment->p_filesz < size)
		size = segment->p_filesz;
	elf->loader[read_some(elf, segment->p_offset, elf->loader, size)] = '\0';
}

/* Does not read the headers again: they are in another part of the file. */
static uint64_t offset_in_loads(const struct snap__elf *elf, uint64_t address)
{
	for (unsigned i = 0; i < elf->load_count; i++)
		if (address >= elf->loads[i].address &&
		    address - elf->loads[i].address < elf->loads[i].size)
			return elf->loads[i].offset + (address - elf->loads[i].address);
	return 0;
}

/* Where the byte at `address` of the loaded program is in the file; 0 if in no segment. */
static uint64_t offset_of(struct snap__elf *elf, const Elf64_Ehdr *header, uint64_t address)
{
	Elf64_Phdr segment;

	if (elf->load_count <= SNAP__ELF_LOADS)
		return offset_in_loads(elf, address);

	for (unsigned i = 0; i < header->e_phnum && i < SEGMENTS_MAX; i++) {
		if (!read_at(elf, header->e_phoff + i * sizeof(segment), &segment, sizeof(segment)))
			return 0;
		if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
		    address - segment.p_vaddr < segment.p_filesz)
			return segment.p_offset + (address - segment.p_vaddr);
	}
	return 0;
}

/* The value of a tag; addresses are those of the loaded program. */
static void read_tag(struct snap__elf *elf, const Elf64_Dyn *tag)
{
	switch (tag->d_tag) {
	case DT_STRTAB:
		elf->strings = tag->d_un.d_ptr;
		break;
	case DT_SYMTAB:
		elf->symbols = tag->d_un.d_ptr;
		break;
	case DT_GNU_HASH:
		elf->gnu_hash = tag->d_un.d_ptr;
		break;
	case DT_HASH:
		elf->sysv_hash = tag->d_un.d_ptr;
		break;
	case DT_VERDEF:
		elf->versions = tag->d_un.d_ptr;
		break;
	case DT_VERDEFNUM:
		elf->version_count = tag->d_un.d_val;
		break;
	default:
		break;
	}
}

static void read_dynamic(struct snap__elf *elf, const Elf64_Ehdr *header)
{
	uint64_t *const addresses[] = {&elf->strings, &elf->symbols, &elf->gnu_hash,
				       &elf->sysv_hash, &elf->versions};
	Elf64_Dyn tag;

	for (unsigned i = 0; i < TAGS_MAX && (i + 1) * sizeof(tag) <= elf->dynamic_size; i++) {
		if (!read_at(elf, elf->dynamic + i * sizeof(tag), &tag, sizeof(tag)) ||
		    tag.d_tag == DT_NULL)
			break;
		read_tag(elf, &tag);
	}
	/* After the tags, because the segments are elsewhere in the file. */
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		if (*addresses[i])
			*addresses[i] = offset_of(elf, header, *addresses[i]);
}

static void note_load(struct snap__elf *elf, const Elf64_Phdr *segment)
{
	unsigned i = elf->load_count++;

	if (i >= SNAP__ELF_LOADS)
		return;
	elf->loads[i].address = segment->p_vaddr;
	elf->loads[i].size = segment->p_filesz;
	elf->loads[i].offset = segment->p_offset;
}

static void read_segments(struct snap__elf *elf, const Elf64_Ehdr *header)
{
	Elf64_Phdr segment;

	for (unsigned i = 0; i < header->e_phnum && i < SEGMENTS_MAX; i++) {
		if (!read_at(elf, header->e_phoff + i * sizeof(segment), &segment, sizeof(segment)))
			return;
		if (segment.p_type == PT_LOAD)
			note_load(elf, &segment);
		if (segment.p_type == PT_INTERP)
			read_loader(elf, &segment);
		if (segment.p_type == PT_DYNAMIC) {
			elf->dynamic = segment.p_offset;
			elf->dynamic_size = segment.p_filesz;
		}
	}
	if (elf->dynamic)
		read_dynamic(elf, header);
}

bool snap__elf_open(struct snap__elf *elf, int fd)
{
	Elf64_Ehdr header;

	memset(elf, 0, sizeof(*elf));
	elf->fd = fd;
	if (!read_at(elf, 0, &header, sizeof(header))) {
		memset(&header, 0, sizeof(header));
		/* A 32-bit header is shorter. */
		if (!read_at(elf, 0, header.e_ident, sizeof(header.e_ident)))
			return false;
	}
	if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
		return false;
	elf->is_own_machine = header.e_ident[EI_CLASS] == ELFCLASS64 &&
			      header.e_machine == SNAP__ARCH_ELF_MACHINE;
	elf->is_executable = header.e_type == ET_EXEC || header.e_type == ET_DYN;
	if (elf->is_own_machine && header.e_phentsize == sizeof(Elf64_Phdr))
		read_segments(elf, &header);
	return true;
}

/* ---- symbols ---------------------------------------------------------------------------------- */

static bool symbol_is(struct snap__elf *elf, uint64_t index, const char *name)
{
	Elf64_Sym symbol;

	return elf->symbols && index <= UINT32_MAX &&
	       read_at(elf, elf->symbols + index * sizeof(symbol), &symbol, sizeof(symbol)) &&
	       symbol.st_shndx != SHN_UNDEF && name_is(elf, symbol.st_name, name);
}

static bool gnu_defines(struct snap__elf *elf, const char *name)
{
	struct {
		uint32_t buckets, first, bloom_words, bloom_shift;
	} table;
	uint32_t hash = 5381, index, value;
	uint64_t bloom, at = elf->gnu_hash + sizeof(table);

	for (const char *c = name; *c; c++)
		hash = hash * 33 + (unsigned char)*c;
	if (!read_at(elf, elf->gnu_hash, &table, sizeof(table)) || table.buckets == 0 ||
	    table.bloom_words == 0 || table.bloom_shift > 31)
		return false;
	if (!read_at(elf, at + (hash / 64 % table.bloom_words) * sizeof(bloom), &bloom,
		     sizeof(bloom)) ||
	    !(bloom >> hash % 64 & 1) || !(bloom >> (hash >> table.bloom_shift) % 64 & 1))
		return false;
	at += (uint64_t)table.bloom_words * sizeof(bloom);
	if (!read_at(elf, at + hash % table.buckets * sizeof(index), &index, sizeof(index)))
		return false;
	at += (uint64_t)table.buckets * sizeof(index);
	for (unsigned i = 0; index >= table.first && i < CHAIN_MAX; i++, index++) {
		if (!read_at(elf, at + (uint64_t)(index - table.first) * sizeof(value), &value,
			     sizeof(value)))
			return false;
		if ((value | 1) == (hash | 1) && symbol_is(elf, index, name))
			return true;
		if (value & 1)
			return false;
	}
	return false;
}

static bool sysv_defines(struct snap__elf *elf, const char *name)
{
	uint32_t sizes[2], hash = 0, index = 0;

	for (const char *c = name; *c; c++) {
		hash = (hash << 4) + (unsigned char)*c;
		hash = (hash ^ (hash >> 24 & 0xf0)) & 0x0fffffff;
	}
	if (!read_at(elf, elf->sysv_hash, sizes, sizeof(sizes)) || sizes[0] == 0)
		return false;
	if (!read_at(elf, elf->sysv_hash + sizeof(sizes) + hash % sizes[0] * sizeof(index), &index,
		     sizeof(index)))
		return false;
	for (unsigned i = 0; index != 0 && index < sizes[1] && i < CHAIN_MAX; i++) {
		if (symbol_is(elf, index, name))
			return true;
		if (!read_at(elf,
			     elf->sysv_hash + sizeof(sizes) +
				     ((uint64_t)sizes[0] + index) * sizeof(index),
			     &index, sizeof(index)))
			return false;
	}
	return false;
}

bool snap__elf_defines(struct snap__elf *elf, const char *name)
{
	if (elf->gnu_hash)
		return gnu_defines(elf, name);
	return elf->sysv_hash && sysv_defines(elf, name);
}

bool snap__elf_has_version(struct snap__elf *elf, const char *name)
{
	uint64_t at = elf->versions;
	char text[NAME_ROOM];
	Elf64_Verdef version;
	Elf64_Verdaux first;

	for (unsigned i = 0; at && i < elf->version_count && i < TAGS_MAX; i++) {
		if (!read_at(elf, at, &version, sizeof(version)) ||
		    !read_at(elf, at + version.vd_aux, &first, sizeof(first)))
			return false;
		if (read_name(elf, first.vda_name, text) &&
		    (name ? strcmp(text, name) == 0 : strncmp(text, "GLIBC_", 6) == 0))
			return true;
		if (version.vd_next == 0)
			return false;
		at += version.vd_next;
	}
	return false;
}

bool snap__elf_any_needed(struct snap__elf *elf, bool (*fn)(const char *name))
{
	char name[NAME_ROOM];
	Elf64_Dyn tag;

	for (unsigned i = 0; i < TAGS_MAX && (i + 1) * sizeof(tag) <= elf->dynamic_size; i++) {
		if (!read_at(elf, elf->dynamic + i * sizeof(tag), &tag, sizeof(tag)) ||
		    tag.d_tag == DT_NULL)
			return false;
		if (tag.d_tag == DT_NEEDED && read_name(elf, tag.d_un.d_val, name) && fn(name))
			return true;
	}
	return false;
}
