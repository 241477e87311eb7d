/*
 * runtime/other_unwinder.c - libunwind by dlopen(), used as if the calling thread belonged to
 * another process.
 */
#include "runtime/other_unwinder.h"

#include <dlfcn.h>
#include <link.h>
#include <stddef.h>
#include <string.h>

#include "arch/arch.h"
#include "runtime/hidden.h"
#include "runtime/unwind/reach.h"

#if defined(__has_include) && defined(DLFO_STRUCT_HAS_EH_DBASE) && !defined(SNAP__NO_LIBUNWIND)
#if __has_include(<libunwind.h>)
#define HAS_LIBUNWIND
#endif
#endif

#ifdef HAS_LIBUNWIND
#include <libunwind.h>

#pragma weak _dl_find_object

#define PAGE_BYTES      ((uintptr_t)4096)
#define PAGES           256u /* remembered as readable for the length of one unwinding */
#define MOST_OWN_FRAMES 32u  /* between here and the host's code */
#define TEXT_OF(name)   TEXT(name)
#define TEXT(name)      #name
#define TARGET          TEXT_OF(UNW_TARGET)
/* A search table of .eh_frame_hdr that can be searched: pairs of 4-byte offsets. */
#define ENCODED_SDATA4         0x0bu
#define ENCODED_UDATA4         0x03u
#define ENCODED_PCREL_SDATA4   0x1bu
#define ENCODED_DATAREL_SDATA4 0x3bu

static struct {
	unw_addr_space_t (*create_addr_space)(unw_accessors_t *, int);
	int (*init_remote)(unw_cursor_t *, unw_addr_space_t, void *);
	int (*step)(unw_cursor_t *);
	int (*get_reg)(unw_cursor_t *, int, unw_word_t *);
	int (*is_signal_frame)(unw_cursor_t *);
	int (*search_unwind_table)(unw_addr_space_t, unw_word_t, unw_dyn_info_t *,
				   unw_proc_info_t *, int, void *);
} lib;

/* The unwinding under way: there is one at a time, and it may be on a small signal stack. */
static struct {
	unw_cursor_t cursor;
	uintptr_t registers[SNAP__REG_COUNT];
	uintptr_t readable[PAGES]; /* page addresses; 0: none */
	bool lacks_rules;          /* from here on it would have to guess */
	bool put_by_hand;          /* it would guess because no call leads to the frame's address */
} now SNAP__PAGES;

static unw_addr_space_t space;

static bool is_readable(uintptr_t address)
{
	uintptr_t page = address & ~(PAGE_BYTES - 1);
	uintptr_t *known = &now.readable[page / PAGE_BYTES % PAGES];

	if (page == 0 || (*known != page && !snap__reach_is_readable(page)))
		return false;
	*known = page;
	return true;
}

/* libunwind asks for aligned words only.  Some are in other functions' frames, which sanitizers
   must not judge. */
__attribute__((no_sanitize("address", "thread"))) static int
access_mem(unw_addr_space_t as, unw_word_t address, unw_word_t *value, int write, void *unused)
{
	(void)as;
	(void)unused;
	if (write || address % sizeof(*value) || !is_readable((uintptr_t)address))
		return -UNW_EINVAL;
	*value = *(const unw_word_t *)(uintptr_t)address;
	return 0;
}

static int access_reg(unw_addr_space_t as, unw_regnum_t number, unw_word_t *value, int write,
		      void *unused)
{
	unsigned index = number == SNAP__ARCH_UNW_FIRST_IP ? SNAP__REG_RA : (unsigned)number;

	(void)as;
	(void)unused;
	if (write || index >= SNAP__REG_COUNT || !(SNAP__ARCH_KEPT >> index & 1))
		return -UNW_EBADREG;
	*value = now.registers[index];
	return 0;
}

/* The search table of the .eh_frame_hdr at `header`. */
static bool find_table(uintptr_t header, unw_dyn_info_t *info)
{
	uint8_t encodings[4]; /* version, of .eh_frame, count, table */
	uint32_t entries;

	if (!is_readable(header) || !is_readable(header + 11))
		return false;
	memcpy(encodings, (const void *)header, sizeof(encodings));
	memcpy(&entries, (const void *)(header + 8), sizeof(entries));
	if (encodings[0] != 1 || encodings[1] != ENCODED_PCREL_SDATA4 ||
	    (encodings[2] != ENCODED_UDATA4 && encodings[2] != ENCODED_SDATA4) ||
	    encodings[3] != ENCODED_DATAREL_SDATA4)
		return false;
	info->format = UNW_INFO_FORMAT_REMOTE_TABLE;
	info->u.rti.segbase = header;
	info->u.rti.table_data = header + 12;
	info->u.rti.table_len = entries * (unw_word_t)8 / sizeof(unw_word_t);
	return true;
}

/* The rules of the function that `ip` is in. */
static int search(unw_word_t ip, unw_proc_info_t *found, int need_unwind_info)
{
	struct dl_find_object object;
	unw_dyn_info_t info;

	memset(&info, 0, sizeof(info));
	if (_dl_find_object((void *)(uintptr_t)ip, &object) != 0 || !object.dlfo_eh_frame)
		return -UNW_ENOINFO;
	info.start_ip = (uintptr_t)object.dlfo_map_start;
	info.end_ip = (uintptr_t)object.dlfo_map_end;
	if (!find_table((uintptr_t)object.dlfo_eh_frame, &info))
		return -UNW_ENOINFO;
	return lib.search_unwind_table(space, ip, &info, found, need_unwind_info, NULL);
}

/* makecontext() pushes the address of a function's first byte, as if the byte before it were a
   call: there a stack ends. */
static bool function_starts_after(unw_word_t ip)
{
	unw_proc_info_t next;

	return search(ip + 1, &next, 0) == 0 && next.start_ip == ip + 1;
}

static int find_proc_info(unw_addr_space_t as, unw_word_t ip, unw_proc_info_t *found,
			  int need_unwind_info, void *unused)
{
	int result = search(ip, found, need_unwind_info);

	(void)as;
	(void)unused;
	if (result < 0) {
		now.lacks_rules = true;
		now.put_by_hand = function_starts_after(ip);
	}
	return result;
}

static void put_unwind_info(unw_addr_space_t as, unw_proc_info_t *info, void *unused)
{
	(void)as;
	(void)info;
	(void)unused;
}

static int no_dynamic_info(unw_addr_space_t as, unw_word_t *address, void *unused)
{
	(void)as;
	(void)address;
	(void)unused;
	return -UNW_ENOINFO;
}

static int no_fp_registers(unw_addr_space_t as, unw_regnum_t number, unw_fpreg_t *value, int write,
			   void *unused)
{
	(void)as;
	(void)number;
	(void)value;
	(void)write;
	(void)unused;
	return -UNW_EBADREG;
}

static int no_resume(unw_addr_space_t as, unw_cursor_t *cursor, void *unused)
{
	(void)as;
	(void)cursor;
	(void)unused;
	return -UNW_EINVAL;
}

static int no_names(unw_addr_space_t as, unw_word_t ip, char *name, size_t size, unw_word_t *offset,
		    void *unused)
{
	(void)as;
	(void)ip;
	(void)name;
	(void)size;
	(void)offset;
	(void)unused;
	return -UNW_ENOINFO;
}

/* ISO C has no conversion from object to function pointers; POSIX promises that this works. */
static bool look_up(void *library, const char *name, void *slot)
{
	void *address = dlsym(library, name);

	memcpy(slot, &address, sizeof(address));
	return address != NULL;
}

#define LOOK_UP(name) look_up(library, "_U" TARGET "_" #name, &lib.name)

const char *snap__other_load(void)
{
	/* A later libunwind may look for more functions than the headers know of. */
	static union {
		unw_accessors_t functions;
		void *room[32];
	} accessors = {.functions = {find_proc_info, put_unwind_info, no_dynamic_info, access_mem,
				     access_reg, no_fp_registers, no_resume, no_names}};
	void *library;

	if (space)
		return NULL;
	if (!_dl_find_object)
		return "the C library cannot tell where code is";
	library = dlopen("libunwind-" TARGET ".so.8", RTLD_LAZY | RTLD_LOCAL);
	if (!library)
		return "libunwind is not installed";
	if (!LOOK_UP(create_addr_space) || !LOOK_UP(init_remote) || !LOOK_UP(step) ||
	    !LOOK_UP(get_reg) || !LOOK_UP(is_signal_frame) ||
	    !look_up(library, "_U" TARGET "_dwarf_search_unwind_table", &lib.search_unwind_table))
		return "libunwind lacks a function";
	/* By default it caches nothing: it needs no lock, and nothing becomes stale. */
	space = lib.create_addr_space(&accessors.functions, 0);
	if (!space)
		return "libunwind refuses";
	/* Use it once now: its set-up makes system calls that a later sandbox might kill the
	 * host for. */
	(void)lib.init_remote(&now.cursor, space, NULL);
	return NULL;
}

/* The cursor's frame: its pc, and its sp. */
static bool where(uintptr_t *pc, uintptr_t *sp)
{
	unw_word_t ip_value, sp_value;

	if (lib.get_reg(&now.cursor, UNW_REG_IP, &ip_value) != 0 ||
	    lib.get_reg(&now.cursor, UNW_REG_SP, &sp_value) != 0)
		return false;
	*pc = (uintptr_t)ip_value;
	*sp = (uintptr_t)sp_value;
	return true;
}

/* Step one frame outwards.  Returns 1; 0 if there is none; negative if that is not known. */
static int step(void)
{
	int result;

	now.lacks_rules = now.put_by_hand = false;
	result = lib.step(&now.cursor);
	if (now.put_by_hand)
		return 0;
	return now.lacks_rules ? -UNW_ENOINFO : result;
}

/* Step from the recorder's own frames to the one that `at` describes. */
static bool reach(const struct snap__regs *at)
{
	uintptr_t pc, sp;

	for (unsigned i = 0; i < MOST_OWN_FRAMES; i++) {
		if (step() <= 0 || !where(&pc, &sp))
			return false;
		if (pc == at->pc && sp == at->sp)
			return true;
	}
	return false;
}

/* Whether a signal interrupted the frame that a step led to, given whether libunwind calls the
   cursor's a signal frame before and after it. */
static bool was_interrupted(bool before, bool after)
{
	return SNAP__ARCH_UNW_MARKS_RETURN ? before : after;
}

enum snap__other_end snap__other_unwind(const struct snap__regs *at, uintptr_t *pcs, unsigned room,
					unsigned *count)
{
	bool exact = false, before, after;
	uintptr_t pc, sp;
	int result;

	*count = 0;
	memset(&now, 0, sizeof(now));
	snap__arch_here(now.registers);
	if (lib.init_remote(&now.cursor, space, NULL) != 0 || !reach(at))
		return SNAP__OTHER_NOT_REACHED;
	for (;;) {
		if (!where(&pc, &sp))
			return SNAP__OTHER_TRUNCATED;
		if (*count == room)
			return SNAP__OTHER_NO_ROOM;
		pcs[(*count)++] = exact ? pc : pc - 1;
		before = lib.is_signal_frame(&now.cursor) > 0;
		result = step();
		if (result <= 0)
			return result == 0 ? SNAP__OTHER_WHOLE : SNAP__OTHER_TRUNCATED;
		after = lib.is_signal_frame(&now.cursor) > 0;
		exact = was_interrupted(before, after);
	}
}

bool snap__other_module(uintptr_t pc, uintptr_t *bias, const char **name)
{
	struct dl_find_object object;

	if (_dl_find_object((void *)pc, &object) != 0)
		return false;
	*bias = object.dlfo_link_map->l_addr;
	*name = object.dlfo_link_map->l_name;
	return true;
}

#else

const char *snap__other_load(void)
{
	return "libsnap was built without libunwind's headers";
}

enum snap__other_end snap__other_unwind(const struct snap__regs *at, uintptr_t *pcs, unsigned room,
					unsigned *count)
{
	(void)at;
	(void)pcs;
	(void)room;
	*count = 0;
	return SNAP__OTHER_NOT_REACHED;
}

bool snap__other_module(uintptr_t pc, uintptr_t *bias, const char **name)
{
	(void)pc;
	(void)bias;
	(void)name;
	return false;
}

#endif
