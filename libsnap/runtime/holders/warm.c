/*
 * holders/warm.c - by /proc/self/pagemap.
 */
#include "runtime/holders/warm.h"

#include <fcntl.h>

#include "write/sys.h"

#define PAGE         ((uintptr_t)4096)
#define PAGES_ASKED  ((size_t)512)     /* at once: those of one page table */
#define PAGES_WARMED ((size_t)1 << 16) /* the cache does not hold data about more */

/* A fork shares the page tables of other areas, or makes them anew. */
static bool is_copied(const struct snap__area *area)
{
	return area->memory && area->writable && !area->shared;
}

static bool warm_area(int pagemap, const struct snap__area *area)
{
	uint64_t entries[PAGES_ASKED];

	for (uintptr_t at = area->low; at < area->high; at += PAGES_ASKED * PAGE)
		if (snap__sys_pread(pagemap, entries, sizeof(entries),
				    (off_t)(at / PAGE * sizeof(entries[0]))) <= 0)
			return false;
	return true;
}

void snap__warm_pages(const struct snap__space *space)
{
	int pagemap = snap__sys_open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	size_t left = PAGES_WARMED;

	if (pagemap < 0)
		return;
	for (size_t i = 0; i < space->count; i++) {
		const struct snap__area *area = &space->areas[i];
		size_t pages = (area->high - area->low) / PAGE;

		if (!is_copied(area) || pages > left)
			continue;
		if (!warm_area(pagemap, area))
			break;
		left -= pages;
	}
	snap__sys_close(pagemap);
}
