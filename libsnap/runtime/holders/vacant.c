/*
 * holders/vacant.c - vast mappings are cut into pieces, and /proc/self/smaps says which are empty.
 *
 * A piece becomes a mapping of its own because its advice differs from that of its neighbours.  The
 * advice means nothing for memory that is not of a file.
 */
#include "runtime/holders/vacant.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/holders/copy.h"
#include "runtime/text.h"
#include "write/sys.h"

#define MOST_PIECES 2048u /* of one mapping */
#define ALL_PIECES  16384u
/* mappings in all, pieces included: half of what the kernel permits by default */
#define MOST_AREAS ((size_t)16384)
#define HUGE_PAGE  ((uintptr_t)2 << 20)
#define ROOM       ((size_t)64 << 10)

/* Facts of the mapping that is being read. */
struct reading {
	struct snap__space *space;
	struct snap__ranges *vacant;
	uintptr_t low, high;
	bool measured, has_pages;
};

static bool is_vast(const struct snap__area *area)
{
	return snap__area_may_hold(area) && !area->shared && area->high - area->low > SNAP__VAST;
}

/* Boundaries lie between huge pages, so that no huge page is split. */
static void cut(const struct snap__area *area, uint32_t pieces)
{
	uintptr_t step = ((area->high - area->low) / pieces + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
	uintptr_t low = area->low & ~(HUGE_PAGE - 1);

	for (low += step; low < area->high; low += 2 * step) {
		uintptr_t size = area->high - low < step ? area->high - low : step;

		snap__sys_madvise((void *)low, size, MADV_RANDOM);
	}
}

static void join(const struct snap__area *area, uint32_t pieces)
{
	(void)pieces;
	snap__sys_madvise((void *)area->low, area->high - area->low, MADV_NORMAL);
}

static void each_vast(const struct snap__space *space, uint32_t pieces,
		      void (*fn)(const struct snap__area *, uint32_t))
{
	for (size_t i = 0; i < space->count; i++)
		if (is_vast(&space->areas[i]))
			fn(&space->areas[i], pieces);
}

static uint32_t count_vast(const struct snap__space *space)
{
	uint32_t count = 0;

	for (size_t i = 0; i < space->count; i++)
		count += is_vast(&space->areas[i]);
	return count;
}

static void end_mapping(struct reading *r)
{
	const struct snap__area *area = r->high ? snap__space_at(r->space, r->low) : NULL;

	if (area && is_vast(area) && r->high <= area->high && r->measured && !r->has_pages)
		snap__ranges_add(r->vacant, r->low, r->high);
}

static void begin_mapping(struct reading *r, const char *line)
{
	const char *at = line;

	r->low = (uintptr_t)snap__parse_hex(line, &at);
	r->high = (uintptr_t)snap__parse_hex(at + 1, NULL);
	r->measured = r->has_pages = false;
}

/* Names of fields begin with a capital letter, mappings with an address. */
static void take_line(struct reading *r, const char *line)
{
	static const char *const pages[] = {"Rss:", "Swap:", "Shared_Hugetlb:", "Private_Hugetlb:"};

	if (line[0] < 'A' || line[0] > 'Z') {
		end_mapping(r);
		begin_mapping(r, line);
		return;
	}
	for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++)
		if (snap__starts_with(line, pages[i]) &&
		    snap__parse_u64(line + snap__length(pages[i]), NULL) > 0)
			r->has_pages = true;
	r->measured |= snap__starts_with(line, "Swap:"); /* it comes after Rss */
}

/* Returns how many bytes at the end are a line that is not complete. */
static size_t take_lines(struct reading *r, char *text, size_t size)
{
	char *line = text, *end;

	while ((end = memchr(line, '\n', size - (size_t)(line - text)))) {
		*end = '\0';
		take_line(r, line);
		line = end + 1;
	}
	return size - (size_t)(line - text);
}

static void read_smaps(struct reading *r)
{
	int fd = snap__sys_open("/proc/self/smaps", O_RDONLY | O_CLOEXEC);
	char *text = snap__copy_need(ROOM);
	size_t left = 0;
	ssize_t got = 0;

	while (fd >= 0 && left < ROOM && (got = snap__sys_read(fd, text + left, ROOM - left)) > 0) {
		size_t size = left + (size_t)got;

		left = take_lines(r, text, size);
		memmove(text, text + size - left, left);
		snap__copy_tick();
	}
	if (got == 0)
		end_mapping(r);
	if (fd >= 0)
		snap__sys_close(fd);
	snap__copy_give_back(text, ROOM);
}

void snap__vacant_find(struct snap__space *space, struct snap__ranges *vacant)
{
	struct reading r = {.space = space, .vacant = vacant};
	uint32_t count = count_vast(space), pieces;

	if (count == 0 || space->count > MOST_AREAS)
		return;
	pieces = ALL_PIECES / count < MOST_PIECES ? ALL_PIECES / count : MOST_PIECES;
	each_vast(space, pieces, cut);
	read_smaps(&r);
	each_vast(space, pieces, join);
	snap__ranges_join(vacant);
}
