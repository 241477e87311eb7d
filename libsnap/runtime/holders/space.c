/*
 * holders/space.c - /proc/self/maps, parsed in place.
 */
#include "runtime/holders/space.h"

#include <fcntl.h>
#include <string.h>

#include "runtime/arena.h"
#include "runtime/os_linux.h"
#include "runtime/text.h"
#include "write/sys.h"

/* Room for as many mappings as a process may have (vm.max_map_count) four times over; memory is
   taken only for those that there are. */
#define MOST_AREAS ((size_t)262144)
#define MOST_TEXT  ((size_t)64 << 20)

bool snap__space_prepare(struct snap__space *space)
{
	space->areas = snap__map(MOST_AREAS * sizeof(*space->areas));
	space->text = snap__map(MOST_TEXT);
	space->capacity = MOST_AREAS;
	space->text_capacity = MOST_TEXT;
	return space->areas && space->text;
}

void snap__space_release(struct snap__space *space)
{
	snap__unmap(space->areas, MOST_AREAS * sizeof(*space->areas));
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
	area->shared = at[3] == 's';
	at = skip_field(skip_field(skip_field(at)));
	inode = snap__parse_u64(at, NULL);
	area->name = skip_field(at);
	area->anonymous = inode == 0;
	area->readable = area->readable && is_memory(area->name);
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

const struct snap__area *snap__space_at(struct snap__space *space, uintptr_t address)
{
	size_t low = 0, high = space->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (space->areas[middle].high <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == space->count || space->areas[low].low > address)
		return NULL;
	space->last = &space->areas[low];
	return space->last;
}

bool snap__space_word(void *space, uintptr_t address, uintptr_t *value)
{
	if (address % sizeof(*value) != 0 ||
	    !snap__space_is_readable(space, address, address + sizeof(*value)))
		return false;
	*value = *(const uintptr_t *)address;
	return true;
}
