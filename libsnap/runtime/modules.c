/*
 * modules.c - a list that only grows: newest first, pushed by compare-and-swap.
 *
 * Modules are added in two ways. snap__modules_refresh() asks the loader for all of them (under its
 * lock).  If recording meets code of a newer module, it asks _dl_find_object(), which takes no
 * lock, and adds that one.  Where the C library has no such function (musl), code is unknown until
 * the next refresh.
 */
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "runtime/arena.h"
#include "runtime/modules.h"
#include "runtime/process.h"
#include "runtime/hidden.h"
#include "write/sys.h"

#define PAGE_BYTES            4096u
#define ENTRY_BYTES           256u /* more bytes than the start code needs before its first call */
#define CURRENT_DIRECTORY_MAX 1024 /* on the stack of the thread that met the module */

struct entry {
	struct snap__module module;
	struct entry *older;
	uint32_t index;
	_Atomic uint64_t seen; /* the last pass over the loader's list that met it */
	atomic_bool mapped;
};

#ifdef DLFO_STRUCT_HAS_EH_DBASE
#pragma weak _dl_find_object
#endif

static _Atomic(struct entry *) newest;
static _Atomic(const struct entry *) last_located;
static _Atomic uint64_t passes, retirements;
static _Atomic uint64_t known_adds, known_subs;
static void (*on_new)(const struct snap__module *module); /* set before there are threads */

static struct entry *first_entry(void)
{
	return atomic_load_explicit(&newest, memory_order_acquire);
}

static bool is_mapped(const struct entry *entry)
{
	return atomic_load_explicit(&entry->mapped, memory_order_acquire);
}

static bool contains(const struct entry *entry, uintptr_t pc)
{
	return pc >= entry->module.start && pc < entry->module.end;
}

static bool overlap(const struct snap__module *a, const struct snap__module *b)
{
	return a->start < b->end && b->start < a->end;
}

static bool same_module(const struct snap__module *a, const struct snap__module *b)
{
	return a->bias == b->bias && a->start == b->start && a->end == b->end &&
	       a->build_id_size == b->build_id_size &&
	       memcmp(a->build_id, b->build_id, a->build_id_size) == 0 &&
	       strcmp(a->path, b->path) == 0;
}

static const char *program_path(void)
{
	static char path[SNAP__PATH_MAX] SNAP__PAGES;
	static const char deleted[] = " (deleted)";
	const char *exe = snap__process_exe(), *started_as = (const char *)getauxval(AT_EXECFN);
	size_t size = strlen(exe), suffix = sizeof(deleted) - 1;

	if (size == 0)
		return started_as ? started_as : "";
	if (size <= suffix || memcmp(exe + size - suffix, deleted, suffix) != 0)
		return exe;
	memcpy(path, exe, size - suffix);
	return path; /* what follows is 0 */
}

/* How reports name an object; the loader gives the program itself an empty name. */
static const char *display_path(const struct snap__module *module)
{
	uintptr_t vdso = getauxval(AT_SYSINFO_EHDR);

	if (vdso >= module->start && vdso < module->end)
		return "[vdso]";
	return module->name && *module->name ? module->name : program_path();
}

static size_t align4(size_t size)
{
	return (size + 3) & ~(size_t)3;
}

/* Notes are (name size, descriptor size, type, name, descriptor), each padded to 4 bytes. */
static void find_build_id(struct snap__module *module, uintptr_t notes, size_t size)
{
	while (size >= sizeof(ElfW(Nhdr))) {
		const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)notes;
		const char *name = (const char *)(note + 1);
		size_t name_size = align4(note->n_namesz);
		size_t whole = sizeof(*note) + name_size + align4(note->n_descsz);

		if (name_size > size || whole > size)
			return;
		if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 &&
		    memcmp(name, "GNU", 4) == 0 && note->n_descsz <= SNAP__BUILD_ID_MAX) {
			module->build_id_size = (uint8_t)note->n_descsz;
			memcpy(module->build_id, name + name_size, note->n_descsz);
			return;
		}
		notes += whole;
		size -= whole;
	}
}

static void add_data(struct snap__module *module, uintptr_t start, uintptr_t end)
{
	if (!module->data_start || start < module->data_start)
		module->data_start = start;
	if (end > module->data_end)
		module->data_end = end;
}

/* Is it in one readable segment?  The loader needs neither notes nor frames, so that a program whose headers
 * are damaged there runs all the same. */
static bool is_mapped_part(const ElfW(Phdr) * headers, size_t count, const ElfW(Phdr) * part)
{
	for (const ElfW(Phdr) *h = headers; h < headers + count; h++) {
		uintptr_t at = part->p_vaddr - h->p_vaddr;

		if (h->p_type == PT_LOAD && (h->p_flags & PF_R) && at < h->p_memsz &&
		    part->p_memsz <= h->p_memsz - at)
			return true;
	}
	return false;
}

/* Everything that the program headers say, given that the object is mapped at `bias`. */
static void read_segments(struct snap__module *module, const ElfW(Phdr) * headers, size_t count)
{
	module->start = UINTPTR_MAX;
	module->end = 0;
	module->eh_frame_hdr = 0;
	module->data_start = module->data_end = 0;
	module->tls_size = 0;
	module->build_id_size = 0;
	for (size_t i = 0; i < count; i++) {
		uintptr_t start = module->bias + headers[i].p_vaddr;
		uintptr_t end = start + headers[i].p_memsz;

		if (headers[i].p_type == PT_LOAD) {
			start &= ~(uintptr_t)(PAGE_BYTES - 1);
			end = (end + PAGE_BYTES - 1) & ~(uintptr_t)(PAGE_BYTES - 1);
			module->start = start < module->start ? start : module->start;
			module->end = end > module->end ? end : module->end;
			if (headers[i].p_flags & PF_W)
				add_data(module, start, end);
		} else if (headers[i].p_type == PT_TLS) {
			module->tls_size = headers[i].p_memsz;
		} else if (headers[i].p_type == PT_GNU_EH_FRAME &&
			   is_mapped_part(headers, count, &headers[i])) {
			module->eh_frame_hdr = start;
		}
	}
	for (size_t i = 0; i < count && !module->build_id_size; i++)
		if (headers[i].p_type == PT_NOTE && is_mapped_part(headers, count, &headers[i]))
			find_build_id(module, module->bias + headers[i].p_vaddr,
				      headers[i].p_memsz);
}

/* Each object that ever shared an address with `module` has another tag. */
static uint16_t free_tag(const struct snap__module *module, const struct entry *others)
{
	uint16_t tag = 0;

	for (; others; others = others->older)
		if (overlap(module, &others->module) && others->module.tag >= tag &&
		    tag < SNAP__PC_TAG_NONE - 1)
			tag = (uint16_t)(others->module.tag + 1);
	return tag;
}

/*
 * Make the loader's `path` absolute.  The loader keeps the text given to dlopen() or
 * LD_LIBRARY_PATH, which may be relative to a current directory that is another one when the
 * snapshot is read.
 */
static const char *absolute_path(const char *path)
{
	char here[CURRENT_DIRECTORY_MAX];
	int saved_errno = errno;
	size_t here_size, path_size;
	char *absolute;

	if (*path == '/' || !strchr(path, '/'))
		return path;
	if (!snap__sys_getcwd(here, sizeof(here))) {
		errno = saved_errno;
		return path;
	}
	while (path[0] == '.' && path[1] == '/')
		path += 2;
	here_size = strcmp(here, "/") == 0 ? 0 : strlen(here);
	path_size = strlen(path) + 1;
	absolute = snap__arena_alloc(here_size + 1 + path_size);
	if (!absolute)
		return NULL;
	memcpy(absolute, here, here_size);
	absolute[here_size] = '/';
	memcpy(absolute + here_size + 1, path, path_size);
	return absolute;
}

/* A private copy of `module` that outlives the loader's; NULL when memory ran out. */
static struct entry *entry_create(const struct snap__module *module)
{
	struct entry *entry = snap__arena_alloc(sizeof(*entry));
	size_t path_size = strlen(module->path) + 1;
	char *path = entry ? snap__arena_alloc(path_size) : NULL;

	if (!path)
		return NULL;
	memcpy(path, module->path, path_size);
	entry->module = *module;
	entry->module.path = path;
	entry->module.file = absolute_path(path);
	if (!entry->module.file)
		return NULL;
	atomic_init(&entry->mapped, true);
	return entry;
}

static void note_seen(struct entry *entry, uint64_t pass)
{
	uint64_t seen = atomic_load_explicit(&entry->seen, memory_order_relaxed);

	while (seen < pass && !atomic_compare_exchange_weak(&entry->seen, &seen, pass))
		;
}

/* The entry for `module`, marked as mapped and as met by `pass`; NULL when memory ran out. */
static struct entry *module_note(struct snap__module *module, uint64_t pass)
{
	struct entry *fresh = NULL;
	struct entry *head = first_entry();

	if (module->start >= module->end)
		return NULL;
	module->path = display_path(module);
	for (;;) {
		for (struct entry *e = head; e; e = e->older) {
			if (!same_module(&e->module, module))
				continue;
			note_seen(e, pass);
			atomic_store_explicit(&e->mapped, true, memory_order_release);
			return e;
		}
		if (!fresh)
			fresh = entry_create(module);
		if (!fresh)
			return NULL;
		fresh->module.tag = free_tag(module, head);
		fresh->older = head;
		fresh->index = head ? head->index + 1 : 0;
		atomic_store_explicit(&fresh->seen, pass, memory_order_relaxed);
		if (!atomic_compare_exchange_strong(&newest, &head, fresh))
			continue;
		if (on_new)
			on_new(&fresh->module);
		return fresh;
	}
}

void snap__modules_on_new(void (*fn)(const struct snap__module *module))
{
	on_new = fn;
}

struct pass {
	uint64_t number; /* 0 until the first object was visited */
	bool unchanged;
};

static int visit_object(struct dl_phdr_info *info, size_t size, void *data)
{
	struct pass *pass = data;
	struct snap__module module = {.bias = info->dlpi_addr, .name = info->dlpi_name};
	struct entry *entry;

	if (pass->number == 0) {
		uint64_t adds = 0, subs = 0;

		if (size >= offsetof(struct dl_phdr_info, dlpi_subs) + sizeof(info->dlpi_subs)) {
			adds = info->dlpi_adds;
			subs = info->dlpi_subs;
		}
		/* Passes are numbered under the loader's lock: a higher number saw a newer list. */
		pass->number = atomic_fetch_add(&passes, 1) + 1;
		pass->unchanged = atomic_exchange(&known_adds, adds) == adds &&
				  atomic_exchange(&known_subs, subs) == subs && adds;
		atomic_store(&known_subs, subs);
		if (pass->unchanged)
			return 1;
	}
	read_segments(&module, info->dlpi_phdr, info->dlpi_phnum);
	entry = module_note(&module, pass->number);
	/* The module may have been added without this value; it stays the same while the module
	 * is mapped. */
	if (entry &&
	    size >= offsetof(struct dl_phdr_info, dlpi_tls_modid) + sizeof(info->dlpi_tls_modid))
		entry->module.tls_id = module.tls_size ? info->dlpi_tls_modid : 0;
	return 0;
}

void snap__modules_refresh(void)
{
	struct pass pass = {0};
	bool gone = false;

	(void)dl_iterate_phdr(visit_object, &pass);
	if (pass.unchanged)
		return;
	for (struct entry *e = first_entry(); e; e = e->older)
		if (is_mapped(e) &&
		    atomic_load_explicit(&e->seen, memory_order_relaxed) < pass.number) {
			atomic_store_explicit(&e->mapped, false, memory_order_release);
			gone = true;
		}
	if (gone)
		atomic_fetch_add(&retirements, 1);
}

uint64_t snap__modules_retirements(void)
{
	return atomic_load(&retirements);
}

#ifdef DLFO_STRUCT_HAS_EH_DBASE
/* Recording met an object before a refresh did: its ELF header, mapped with it, has the rest. */
static const struct snap__module *adopt(const struct dl_find_object *object)
{
	uintptr_t start = (uintptr_t)object->dlfo_map_start;
	size_t size = (uintptr_t)object->dlfo_map_end - start;
	const ElfW(Ehdr) *elf = object->dlfo_map_start;
	struct snap__module module = {.bias = object->dlfo_link_map->l_addr,
				      .name = object->dlfo_link_map->l_name};
	struct entry *entry;

	if (size < PAGE_BYTES || memcmp(elf->e_ident, ELFMAG, SELFMAG) != 0 ||
	    elf->e_phentsize != sizeof(ElfW(Phdr)) ||
	    elf->e_phoff + elf->e_phnum * sizeof(ElfW(Phdr)) > PAGE_BYTES)
		return NULL;
	read_segments(&module, (const ElfW(Phdr) *)(start + elf->e_phoff), elf->e_phnum);
	/* Treat it as met by the latest pass, which may still be running and have passed its
	 * position. */
	entry = module_note(&module, atomic_load(&passes));
	return entry ? &entry->module : NULL;
}

/* Whether the loader's `map` is still the module of `entry`. */
static bool is_link_map(const struct entry *entry, const struct link_map *map)
{
	const char *name = entry->module.name;

	return entry->module.bias == map->l_addr &&
	       (name == map->l_name || strcmp(entry->module.path, map->l_name) == 0);
}

/* Ask the loader, which takes no lock for this. */
static const struct snap__module *ask_loader(uintptr_t pc)
{
	struct dl_find_object object;

	if (_dl_find_object((void *)pc, &object) != 0)
		return NULL;
	for (const struct entry *e = first_entry(); e; e = e->older)
		if (contains(e, pc) && is_mapped(e) && is_link_map(e, object.dlfo_link_map))
			return &e->module;
	return adopt(&object);
}
#endif

const struct snap__module *snap__modules_at(uintptr_t pc)
{
#ifdef DLFO_STRUCT_HAS_EH_DBASE
	if (_dl_find_object)
		return ask_loader(pc);
#endif
	for (const struct entry *e = first_entry(); e; e = e->older)
		if (contains(e, pc) && is_mapped(e))
			return &e->module;
	return NULL;
}

bool snap__modules_is_entry(uintptr_t pc)
{
	uintptr_t loader = getauxval(AT_BASE); /* 0 without one */
	uintptr_t of_program = getauxval(AT_ENTRY);
	uintptr_t of_loader = loader ? loader + ((const ElfW(Ehdr) *)loader)->e_entry : 0;

	return pc - of_program < ENTRY_BYTES || (loader && pc - of_loader < ENTRY_BYTES);
}

bool snap__modules_retired(uintptr_t pc)
{
	for (const struct entry *e = first_entry(); e; e = e->older)
		if (contains(e, pc) && !is_mapped(e))
			return true;
	return false;
}

uint32_t snap__modules_count(void)
{
	const struct entry *e = first_entry();

	return e ? e->index + 1 : 0;
}

const struct snap__module *snap__modules_get(uint32_t index)
{
	const struct entry *e = first_entry();

	while (e && e->index != index)
		e = e->older;
	return e ? &e->module : NULL;
}

static const struct entry *entry_of(uintptr_t pc, uint16_t tag)
{
	const struct entry *e = atomic_load_explicit(&last_located, memory_order_acquire);

	if (e && contains(e, pc) && e->module.tag == tag)
		return e;
	for (e = first_entry(); e; e = e->older)
		if (contains(e, pc) && e->module.tag == tag) {
			atomic_store_explicit(&last_located, e, memory_order_release);
			return e;
		}
	return NULL;
}

bool snap__modules_locate(uintptr_t tagged_pc, uint32_t *module, uint64_t *elf_vaddr)
{
	uint16_t tag = (uint16_t)(tagged_pc >> SNAP__PC_TAG_SHIFT);
	uintptr_t pc = tagged_pc & (((uintptr_t)1 << SNAP__PC_TAG_SHIFT) - 1);
	const struct entry *entry = tag == SNAP__PC_TAG_NONE ? NULL : entry_of(pc, tag);

	*elf_vaddr = entry ? pc - entry->module.bias : pc;
	if (!entry)
		return false;
	*module = entry->index;
	return true;
}
