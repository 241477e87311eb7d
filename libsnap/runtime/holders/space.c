/*
 * holders/space.c - /proc/self/maps, parsed in place.
 */
#include "runtime/holders/space.h"

#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/arena.h"
#include "runtime/os_linux.h"
#include "runtime/text.h"
#include "write/sys.h"

/* Room for as many mappings as a process may have (vm.max_map_count) four times over; memory is
   taken only for those that there are. */
#define MOST_AREAS ((size_t)262144)
#define MOST_TEXT  ((size_t)64 << 20)
#define PAGE       4096u
#ifndef MADV_GUARD_REMOVE
#define MADV_GUARD_REMOVE 103
#endif

bool snap__space_prepare(struct snap__space *space)
{
	space->areas = snap__map_passing(MOST_AREAS * sizeof(*space->areas));
	space->text = snap__map_passing(MOST_TEXT);
	space->capacity = MOST_AREAS;
	space->text_capacity = MOST_TEXT;
	return space->areas && space->text;
}

bool snap__space_prepare_second(struct snap__space *space, const struct snap__space *other)
{
	space->areas = snap__map_passing(MOST_AREAS * sizeof(*space->areas));
	space->capacity = MOST_AREAS;
	space->text = other->text;
	space->text_capacity = other->text_capacity;
	space->is_second = true;
	return space->areas && space->text;
}

void snap__space_release(struct snap__space *space)
{
	snap__unmap(space->areas, MOST_AREAS * sizeof(*space->areas));
	if (!space->is_second)
		snap__unmap(space->text, MOST_TEXT);
}

static const char *skip_field(const char *at)
{
	while (*at && *at != ' ')
		at++;
	while (*at == ' ')
		at++;
	return at;
}

/* Kernel pages and devices answer reads in ways of their own. */
static bool is_memory(const char *name)
{
	if (snap__starts_with(name, "[v"))
		return false;
	return !snap__starts_with(name, "/dev/") || snap__starts_with(name, "/dev/zero") ||
	       snap__starts_with(name, "/dev/shm");
}

static bool is_of_memory(const char *name)
{
	return snap__starts_with(name, "/memfd:") || snap__starts_with(name, "/SYSV") ||
	       snap__starts_with(name, "/dev/zero") || snap__starts_with(name, "/dev/shm/");
}

/* low-high rwxp offset device inode name */
static void parse_line(struct snap__area *area, const char *line)
{
	const char *at = line;
	uint64_t inode;

	area->low = (uintptr_t)snap__parse_hex(at, &at);
	at++;
	area->high = (uintptr_t)snap__parse_hex(at, &at);
	at++;
	area->readable = at[0] == 'r';
	area->writable = at[1] == 'w';
	area->executable = at[2] == 'x';
	area->shared = at[3] == 's';
	at = skip_field(skip_field(skip_field(at)));
	inode = snap__parse_u64(at, NULL);
	area->name = skip_field(at);
	area->anonymous = inode == 0;
	area->of_memory = area->shared && is_of_memory(area->name);
	area->memory = is_memory(area->name);
	area->readable = area->readable && area->memory;
}

static bool read_text(struct snap__space *space)
{
	long size = snap__os_read_file("/proc/self/maps", space->text, space->text_capacity);

	return size > 0 && (size_t)size + 1 < space->text_capacity;
}

bool snap__space_read(struct snap__space *space)
{
	char *line = space->text, *end;

	space->count = 0;
	space->last = NULL;
	if (!read_text(space))
		return false;
	for (; (end = strchr(line, '\n')); line = end + 1) {
		if (space->count == space->capacity)
			return false;
		*end = '\0';
		parse_line(&space->areas[space->count++], line);
	}
	return true;
}

bool snap__area_open(struct snap__area *area)
{
	long rights =
		PROT_READ | (area->writable ? PROT_WRITE : 0) | (area->executable ? PROT_EXEC : 0);

	if (!area->readable && area->memory)
		area->readable =
			syscall(SYS_mprotect, area->low, area->high - area->low, rights) == 0;
	return area->readable;
}

bool snap__space_has_pages(void)
{
	return getauxval(AT_PAGESZ) == PAGE;
}

void snap__space_lift_guards(const struct snap__space *space)
{
	if (snap__sys_madvise(space->areas, getauxval(AT_PAGESZ), MADV_GUARD_REMOVE) != 0)
		return; /* before Linux 6.13 there are none */
	for (size_t i = 0; i < space->count; i++)
		if (space->areas[i].memory)
			snap__sys_madvise((void *)space->areas[i].low,
					  space->areas[i].high - space->areas[i].low,
					  MADV_GUARD_REMOVE);
}

/* The index of the first area that ends behind `address`. */
static size_t first_behind(const struct snap__space *space, uintptr_t address)
{
	size_t low = 0, high = space->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (space->areas[middle].high <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct snap__area *snap__space_at(struct snap__space *space, uintptr_t address)
{
	size_t at = first_behind(space, address);

	if (at == space->count || space->areas[at].low > address)
		return NULL;
	space->last = &space->areas[at];
	return &space->areas[at];
}

uintptr_t snap__space_hole(const struct snap__space *space, uintptr_t *low, uintptr_t high)
{
	size_t at = first_behind(space, *low);

	for (; at < space->count && space->areas[at].low <= *low && *low < high; at++)
		*low = space->areas[at].high < high ? space->areas[at].high : high;
	return at < space->count && space->areas[at].low < high ? space->areas[at].low : high;
}

bool snap__space_word(void *space, uintptr_t address, uintptr_t *value)
{
	if (address % sizeof(*value) != 0 ||
	    !snap__space_is_readable(space, address, address + sizeof(*value)))
		return false;
	*value = *(const uintptr_t *)address;
	return true;
}
