/*
 * holders/touched.c - by /proc/self/pagemap; of shared memory, by mincore().
 */
#include "runtime/holders/touched.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/holders/copy.h"
#include "runtime/holders/ranges.h"
#include "runtime/holders/vacant.h"
#include "runtime/process.h"
#include "runtime/text.h"
#include "write/sys.h"

#define PAGE         ((uintptr_t)4096)
#define PAGES_ASKED  ((size_t)4096)      /* at once */
#define PRESENT      ((uint64_t)3 << 62) /* in an entry of pagemap: in memory, or swapped out */
#define PAGE_OF_FILE ((uint64_t)1 << 61)

/* PAGEMAP_SCAN, which the headers of older systems do not have. */
struct region {
	uint64_t start, end, categories;
};
struct region_request {
	uint64_t size, flags, start, end, walked_to, regions, count, most_pages, inverted, all_of,
		any_of, returned;
};
#define SCAN_PAGEMAP  _IOWR('f', 16, struct region_request)
#define IN_MEMORY     8u
#define SWAPPED_OUT   16u
#define REGIONS_ASKED 64

static struct {
	int pagemap;
	uint64_t *entries;
	unsigned char *residence;
	struct snap__ranges vacant;
} asking;

void snap__touched_begin(struct snap__space *space)
{
	asking.pagemap = snap__sys_open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	asking.entries = snap__copy_need(PAGES_ASKED * sizeof(*asking.entries));
	asking.residence = snap__copy_need(PAGES_ASKED);
	snap__vacant_find(space, &asking.vacant);
}

/* Which of the `pages` at `low` were touched?  False if the kernel does not say. */
static bool ask_pages(const struct snap__area *area, uintptr_t low, size_t pages)
{
	size_t size = pages * sizeof(*asking.entries);

	if (!snap__space_has_pages())
		return false;
	if (area->shared)
		return syscall(SYS_mincore, low, pages * PAGE, asking.residence) == 0;
	return asking.pagemap >= 0 &&
	       snap__sys_pread(asking.pagemap, asking.entries, size,
			       (off_t)(low / PAGE * sizeof(*asking.entries))) == (ssize_t)size;
}

/* A private page of a file is a page of its own only once it was written to. */
static bool was_touched(const struct snap__area *area, size_t page)
{
	uint64_t entry = asking.entries[page];

	if (area->shared)
		return asking.residence[page] & 1;
	return (entry & PRESENT) && (area->anonymous || !(entry & PAGE_OF_FILE));
}

/* For when the kernel does not say. */
static bool was_written(const struct snap__area *area)
{
	return area->readable && (area->anonymous || area->writable);
}

static bool each_touched(const struct snap__area *area, uintptr_t low, uintptr_t high,
			 snap__touched_fn *fn, void *user)
{
	for (uintptr_t at = low & ~(PAGE - 1); at < high;) {
		size_t pages = (high - at + PAGE - 1) / PAGE, run = 0;
		bool known;

		pages = pages > PAGES_ASKED ? PAGES_ASKED : pages;
		known = ask_pages(area, at, pages);
		for (size_t i = 0; i < pages; i += run + 1) {
			uintptr_t from = at + i * PAGE, to;

			for (run = 0; i + run < pages; run++)
				if (known ? !was_touched(area, i + run) : !was_written(area))
					break;
			to = from + run * PAGE;
			if (run && !fn(user, from < low ? low : from, to > high ? high : to))
				return false;
		}
		at += pages * PAGE;
		snap__copy_tick();
	}
	return true;
}

bool snap__touched_each(const struct snap__area *area, uintptr_t low, uintptr_t high,
			snap__touched_fn *fn, void *user)
{
	uintptr_t end;

	for (; snap__ranges_gap(&asking.vacant, &low, high, &end); low = end)
		if (!each_touched(area, low, end, fn, user))
			return false;
	return true;
}

static int open_pagemap_of_host(void)
{
	char path[64];
	struct snap__text text = SNAP__TEXT(path);

	snap__text_add(&text, "/proc/");
	snap__text_add_u64(&text, (uint64_t)snap__process_self()->pid);
	snap__text_add(&text, "/pagemap");
	return snap__sys_open(path, O_RDONLY | O_CLOEXEC);
}

uint64_t snap__touched_by_host(uintptr_t low, uintptr_t high, snap__touched_fn *fn, void *user)
{
	struct region regions[REGIONS_ASKED];
	struct region_request request = {
		.size = sizeof(request),
		.start = low & ~(PAGE - 1),
		.end = (high + PAGE - 1) & ~(PAGE - 1),
		.regions = (uintptr_t)regions,
		.count = REGIONS_ASKED,
		.any_of = IN_MEMORY | SWAPPED_OUT,
		.returned = IN_MEMORY | SWAPPED_OUT,
	};
	int fd = open_pagemap_of_host();
	uint64_t pages = 0;
	long found;

	while (fd >= 0 && (found = syscall(SYS_ioctl, fd, SCAN_PAGEMAP, &request)) > 0) {
		for (long i = 0; i < found; i++) {
			/* cppcheck-suppress uninitvar; the kernel has written them */
			uintptr_t from = (uintptr_t)regions[i].start,
				  to = (uintptr_t)regions[i].end;

			pages += (to - from) / PAGE;
			fn(user, from < low ? low : from, to > high ? high : to);
		}
		request.start = request.walked_to;
		snap__copy_tick();
	}
	if (fd >= 0)
		snap__sys_close(fd);
	return pages;
}
