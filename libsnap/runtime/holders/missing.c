/*
 * holders/missing.c - each hole of the copy is mapped at its place, and filled from the host.
 */
#include "runtime/holders/missing.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "runtime/arena.h"
#include "runtime/holders/copy.h"
#include "runtime/os_linux.h"
#include "runtime/text.h"
#include "runtime/hidden.h"
#include "write/sys.h"

#define PAGE        ((uintptr_t)4096)
#define PAGES_ASKED 512u

struct fetching {
	int host, pagemap;
	uint64_t left, fetched; /* bytes */
	uint64_t unread;        /* pages */
};

static uint64_t entries[PAGES_ASKED] SNAP__PAGES; /* of pagemap; mapped, it could lie in a hole */

static int open_pagemap(int host)
{
	char path[64];
	struct snap__text text = SNAP__TEXT(path);

	snap__text_add(&text, "/proc/");
	snap__text_add_u64(&text, (uint64_t)host);
	snap__text_add(&text, "/pagemap");
	return snap__sys_open(path, O_RDONLY | O_CLOEXEC);
}

/* Read [low, high), which the host touched. */
static void fetch(struct fetching *f, uintptr_t low, uintptr_t high)
{
	size_t size = high - low < f->left ? high - low : (size_t)f->left;
	struct iovec here = {(void *)low, size}, there = here;
	long got = size ? syscall(SYS_process_vm_readv, f->host, &here, 1ul, &there, 1ul, 0ul) : 0;

	if (got < 0)
		got = 0;
	f->left -= (uint64_t)got;
	f->fetched += (uint64_t)got;
	f->unread += (high - low - (uintptr_t)got) / PAGE;
}

/* Touched pages that follow each other are read at once. */
static void fetch_touched(struct fetching *f, uintptr_t low, size_t pages)
{
	size_t from = 0;

	for (size_t i = 0; i <= pages; i++) {
		if (i < pages && entries[i] >> 62 != 0)
			continue;
		if (i > from)
			fetch(f, low + from * PAGE, low + i * PAGE);
		from = i + 1;
	}
}

static bool ask_pages(const struct fetching *f, uintptr_t low, size_t pages)
{
	size_t size = pages * sizeof(*entries);

	return snap__space_has_pages() &&
	       snap__sys_pread(f->pagemap, entries, size, (off_t)(low / PAGE * sizeof(*entries))) ==
		       (ssize_t)size;
}

static void fill_hole(struct fetching *f, uintptr_t low, uintptr_t high)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE;
	void *made = snap__os_mmap((void *)low, high - low, PROT_READ | PROT_WRITE, flags, -1, 0);

	bool is_mapped = made == (void *)low;

	for (size_t pages; low < high; low += pages * PAGE) {
		pages = (high - low) / PAGE;
		pages = pages < PAGES_ASKED ? pages : PAGES_ASKED;
		if (is_mapped && ask_pages(f, low, pages))
			fetch_touched(f, low, pages);
		else
			f->unread += pages;
		snap__copy_tick();
	}
}

static bool is_own(uintptr_t address)
{
	uintptr_t base = 0;
	size_t size;

	for (uint32_t i = 0; (size = snap__own_mappings(i, &base)) != SNAP__OWN_END; i++)
		if (address - base < size)
			return true;
	return false;
}

uint64_t snap__missing_fetch(const struct snap__space *now, const struct snap__space *before,
			     int host, uint64_t most, uint64_t *unread)
{
	struct fetching f = {.host = host, .pagemap = open_pagemap(host), .left = most};

	for (size_t i = 0; i < before->count; i++) {
		uintptr_t low = before->areas[i].low, high = before->areas[i].high, end;

		if (!snap__area_may_hold(&before->areas[i]))
			continue;
		for (; (end = snap__space_hole(now, &low, high)) > low; low = end)
			if (!is_own(low))
				fill_hole(&f, low, end);
	}
	if (f.pagemap >= 0)
		snap__sys_close(f.pagemap);
	*unread += f.unread;
	return f.fetched;
}
