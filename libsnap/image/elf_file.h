/*
 * image/elf_file.h - the few facts of an ELF file that decide what its loader would do with
 * libsnap.
 *
 * The file is untrusted.  Each read is bounded by a buffer on the stack, and each loop by a
 * constant or by the hash table's own limits.
 */
#ifndef SNAP_IMAGE_ELF_FILE_H
#define SNAP_IMAGE_ELF_FILE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SNAP__ELF_PATH  512 /* room for the loader's path; longer ones are cut */
#define SNAP__ELF_LOADS 6

struct snap__elf {
	int fd;
	bool is_own_machine; /* word size and processor are ours; otherwise the rest is not known */
	bool is_executable;  /* ET_EXEC or ET_DYN */
	char loader[SNAP__ELF_PATH]; /* PT_INTERP, "" if there is none */
	struct {
		uint64_t address, size, offset;
	} loads[SNAP__ELF_LOADS]; /* the segments that are loaded, if there is room */
	unsigned load_count;      /* of all */
	/* Of the dynamic section, as offsets in the file; 0: not there. */
	uint64_t dynamic, dynamic_size;
	uint64_t strings, symbols, gnu_hash, sysv_hash, versions, version_count;
	/* The bytes that were read last: most reads are close together. */
	uint64_t window_at;
	size_t window_size;
	char window[1024];
};

/** Read the headers of the file that `fd` is open on.  False if it is not an ELF file. */
bool snap__elf_open(struct snap__elf *elf, int fd);

/** Does the file define the dynamic symbol `name`? */
bool snap__elf_defines(struct snap__elf *elf, const char *name);

/** Does the file define the symbol version `name`?  With NULL: any that begins with GLIBC_. */
bool snap__elf_has_version(struct snap__elf *elf, const char *name);

/** Call `fn` with the name of each library that the file needs (cut after 63 bytes), until it
 *  returns true; the result is whether one did. */
bool snap__elf_any_needed(struct snap__elf *elf, bool (*fn)(const char *name));

#endif
