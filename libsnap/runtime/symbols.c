/*
 * runtime/symbols.c - the hash tables of loaded objects (DT_GNU_HASH).
 */
#include "runtime/symbols.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>

#define MOST_OBJECTS 64u     /* of programs with more the loader is asked */
#define HIDDEN_BIT   0x8000u /* of a symbol's version: not the default one */

/* What DT_GNU_HASH leads to: a Bloom filter, buckets, and for each symbol from `first` on its hash
 * value, with bit 0 set in the last one of a bucket. */
struct object {
	uintptr_t bias;
	const ElfW(Sym) * symbols;
	const char *strings;
	const ElfW(Half) * versions; /* NULL: it has none */
	const ElfW(Addr) * bloom;
	const uint32_t *buckets, *chain;
	uint32_t bloom_mask, bloom_shift, bucket_count, first;
};

static struct object objects[MOST_OBJECTS];
static unsigned count, behind_us; /* of the objects; the first that comes behind libsnap */
static bool is_open;

/* ---- the list of objects --------------------------------------------------------------------- */

#ifdef __GLIBC__
static bool is_in(const struct dl_phdr_info *info, uintptr_t address)
{
	for (unsigned i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD &&
		    address - (info->dlpi_addr + info->dlpi_phdr[i].p_vaddr) <
			    info->dlpi_phdr[i].p_memsz)
			return true;
	return false;
}

/* glibc adds the bias when it loads an object, but not for all of them.  The bias may be negative. */
static const void *pointer_in(const struct dl_phdr_info *info, const ElfW(Dyn) * tag)
{
	uintptr_t value = tag->d_un.d_ptr;

	return (const void *)(is_in(info, value) ? value : value + info->dlpi_addr);
}

static void read_hash(struct object *object, const uint32_t *table)
{
	object->bucket_count = table[0];
	object->first = table[1];
	object->bloom_mask = table[2] - 1;
	object->bloom_shift = table[3];
	object->bloom = (const ElfW(Addr) *)(const void *)(table + 4);
	object->buckets = (const uint32_t *)(object->bloom + table[2]);
	object->chain = object->buckets + object->bucket_count;
}

/* False: only the loader can search it, or its neighbours. */
static bool read_dynamic(struct object *object, const struct dl_phdr_info *info,
			 const ElfW(Dyn) * tag)
{
	const uint32_t *hash = NULL;

	for (; tag->d_tag != DT_NULL; tag++) {
		if (tag->d_tag == DT_SYMTAB)
			object->symbols = pointer_in(info, tag);
		else if (tag->d_tag == DT_STRTAB)
			object->strings = pointer_in(info, tag);
		else if (tag->d_tag == DT_VERSYM)
			object->versions = pointer_in(info, tag);
		else if (tag->d_tag == DT_GNU_HASH)
			hash = pointer_in(info, tag);
		else if (tag->d_tag == DT_AUXILIARY || tag->d_tag == DT_FILTER ||
			 (tag->d_tag == DT_FLAGS_1 && (tag->d_un.d_val & DF_1_INTERPOSE)))
			return false;
	}
	if (!hash || !object->symbols || !object->strings)
		return false;
	read_hash(object, hash);
	return true;
}

/* Not 0, which would end the list: there is an object that only the loader can read. */
static int add_object(struct dl_phdr_info *info, size_t size, void *unused)
{
	struct object *object = &objects[count];
	const ElfW(Dyn) *dynamic = NULL;

	(void)size;
	(void)unused;
	for (unsigned i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
			dynamic = (const ElfW(Dyn) *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
	/* The loader never searches the kernel's object. */
	if (!dynamic || is_in(info, getauxval(AT_SYSINFO_EHDR)))
		return 0;
	if (count == MOST_OBJECTS)
		return 1;
	*object = (struct object){.bias = info->dlpi_addr};
	if (!read_dynamic(object, info, dynamic))
		return 1;
	count++;
	if (is_in(info, (uintptr_t)objects))
		behind_us = count;
	else if (!behind_us && is_in(info, (uintptr_t)strlen))
		return 1; /* libsnap comes after libc in the list, so it was loaded later than the
			     program */
	return 0;
}

void snap__symbols_open(void)
{
	count = behind_us = 0;
	is_open = dl_iterate_phdr(add_object, NULL) == 0 && behind_us > 0;
}
#else
void snap__symbols_open(void)
{
	is_open = false;
}
#endif

void snap__symbols_close(void)
{
	is_open = false;
}

/* ---- looking up ------------------------------------------------------------------------------ */

static uint32_t hash_of(const char *name)
{
	uint32_t hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (unsigned char)*name;
	return hash;
}

enum answer { ABSENT, FOUND, LOADER_KNOWS };

static enum answer judge(const struct object *object, uint32_t index, void **address)
{
	const ElfW(Sym) *symbol = &object->symbols[index];
	unsigned type = ELF64_ST_TYPE(symbol->st_info), binding = ELF64_ST_BIND(symbol->st_info);

	if (symbol->st_shndx == SHN_UNDEF ||
	    (object->versions && object->versions[index] & HIDDEN_BIT))
		return ABSENT;
	if (symbol->st_value == 0 || symbol->st_shndx >= SHN_LORESERVE ||
	    (type != STT_NOTYPE && type != STT_OBJECT && type != STT_FUNC) ||
	    (binding != STB_GLOBAL && binding != STB_WEAK))
		return LOADER_KNOWS;
	*address = (void *)(object->bias + symbol->st_value);
	return FOUND;
}

static enum answer look_in(const struct object *object, const char *name, uint32_t hash,
			   void **address)
{
	const unsigned bits = 8 * sizeof(ElfW(Addr));
	ElfW(Addr) word = object->bloom[(hash / bits) & object->bloom_mask];
	uint32_t index;

	if (!(word >> (hash % bits) & word >> ((hash >> object->bloom_shift) % bits) & 1) ||
	    object->bucket_count == 0)
		return ABSENT;
	index = object->buckets[hash % object->bucket_count];
	for (; index >= object->first; index++) {
		uint32_t found = object->chain[index - object->first];

		if ((found | 1) == (hash | 1) &&
		    strcmp(object->strings + object->symbols[index].st_name, name) == 0) {
			enum answer answer = judge(object, index, address);

			if (answer != ABSENT)
				return answer;
		}
		if (found & 1)
			break;
	}
	return ABSENT;
}

static enum answer search(unsigned first, const char *name, void **address)
{
	uint32_t hash = hash_of(name);
	enum answer answer = is_open ? ABSENT : LOADER_KNOWS;

	for (unsigned i = first; i < count && answer == ABSENT; i++)
		answer = look_in(&objects[i], name, hash, address);
	return answer;
}

static void *look_from(unsigned first, void *handle, const char *name)
{
	void *address = NULL;

	return search(first, name, &address) == LOADER_KNOWS ? dlsym(handle, name) : address;
}

void *snap__symbols_any(const char *name)
{
	return look_from(0, RTLD_DEFAULT, name);
}

void *snap__symbols_next(const char *name)
{
	return look_from(behind_us, RTLD_NEXT, name);
}

bool snap__symbols_lack(const char *name)
{
	void *address;

	return search(0, name, &address) == ABSENT;
}
