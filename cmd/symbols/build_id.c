/*
 * build_id.c - the build-id of an ELF file, read before anything else of it is looked at.
 */
#include "symbols/build_id.h"

#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	NOTES_MAX = 64 * 1024, /* bytes of one group of notes; the build-id is among the first */
	SEGMENTS_MAX = 512,
	SECTIONS_MAX = 65536,
	OWN_ORDER = __BYTE_ORDER == __LITTLE_ENDIAN ? ELFDATA2LSB : ELFDATA2MSB,
};

struct file {
	int fd;
	int error; /* errno of the last read that failed: then a note that was not found may still
		      be there */
};

static ssize_t read_up_to(struct file *file, uint64_t offset, void *into, size_t size)
{
	ssize_t got;

	if (offset > INT64_MAX)
		return 0;
	do
		got = pread(file->fd, into, size, (off_t)offset);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		file->error = errno;
	return got;
}

static bool read_at(struct file *file, uint64_t offset, void *into, size_t size)
{
	return read_up_to(file, offset, into, size) == (ssize_t)size;
}

void build_id_print(const unsigned char *bytes, size_t size, char hex[BUILD_ID_HEX])
{
	hex[0] = '\0';
	for (size_t i = 0; i < size && i < BUILD_ID_MAX; i++)
		sprintf(hex + 2 * i, "%02x", bytes[i]);
}

static size_t padded(size_t size, size_t unit)
{
	return (size + unit - 1) / unit * unit;
}

/** Look for the build-id among notes whose descriptions are aligned to `unit`. */
static bool search_notes(const unsigned char *notes, size_t size, size_t unit,
			 char hex[BUILD_ID_HEX])
{
	Elf64_Nhdr note;

	while (size >= sizeof(note)) {
		size_t name, whole;

		memcpy(&note, notes, sizeof(note));
		name = padded(sizeof(note) + (size_t)note.n_namesz, unit);
		whole = padded(name + note.n_descsz, unit);
		if (name > size || note.n_descsz > size - name)
			return false;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && note.n_descsz &&
		    memcmp(notes + sizeof(note), "GNU", 4) == 0) {
			build_id_print(notes + name, note.n_descsz, hex);
			return true;
		}
		if (whole >= size)
			return false;
		notes += whole;
		size -= whole;
	}
	return false;
}

static bool search_at(struct file *file, uint64_t offset, uint64_t size, uint64_t align,
		      char hex[BUILD_ID_HEX])
{
	unsigned char notes[NOTES_MAX];
	ssize_t got;

	got = read_up_to(file, offset, notes, size < NOTES_MAX ? (size_t)size : NOTES_MAX);
	return got > 0 && search_notes(notes, (size_t)got, align == 8 ? 8 : 4, hex);
}

static bool search_segments(struct file *file, const Elf64_Ehdr *header, char hex[BUILD_ID_HEX])
{
	Elf64_Phdr segment;

	for (unsigned i = 0; i < header->e_phnum && i < SEGMENTS_MAX; i++) {
		if (!read_at(file, header->e_phoff + i * sizeof(segment), &segment,
			     sizeof(segment)))
			return false;
		if (segment.p_type == PT_NOTE &&
		    search_at(file, segment.p_offset, segment.p_filesz, segment.p_align, hex))
			return true;
	}
	return false;
}

/** The segments of a separate debug file may lead nowhere; its sections do not. */
static bool search_sections(struct file *file, const Elf64_Ehdr *header, char hex[BUILD_ID_HEX])
{
	uint64_t count = header->e_shnum;
	Elf64_Shdr section;

	if (!header->e_shoff)
		return false;
	if (!count && read_at(file, header->e_shoff, &section, sizeof(section)))
		count = section.sh_size; /* more than fit into the header */
	for (uint64_t i = 0; i < count && i < SECTIONS_MAX; i++) {
		if (!read_at(file, header->e_shoff + i * sizeof(section), &section,
			     sizeof(section)))
			return false;
		if (section.sh_type == SHT_NOTE &&
		    search_at(file, section.sh_offset, section.sh_size, section.sh_addralign, hex))
			return true;
	}
	return false;
}

int build_id_read(int fd, char hex[BUILD_ID_HEX])
{
	struct file file = {.fd = fd};
	Elf64_Ehdr header;

	hex[0] = '\0';
	if (!read_at(&file, 0, &header, sizeof(header)) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
	    header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != OWN_ORDER)
		return file.error ? file.error : ENOEXEC;
	if (header.e_phentsize == sizeof(Elf64_Phdr) && search_segments(&file, &header, hex))
		return 0;
	if (header.e_shentsize == sizeof(Elf64_Shdr) && search_sections(&file, &header, hex))
		return 0;
	return file.error;
}
