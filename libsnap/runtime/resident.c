/*
 * runtime/resident.c - reading /proc/self/pagemap.
 */
#include "runtime/resident.h"

#include <stddef.h>

#include "runtime/arena.h"
#include "runtime/modules.h"
#include "runtime/os_linux.h"
#include "runtime/thread.h"
#include "runtime/hidden.h"
#include "write/sys.h"

#define PAGE   4096u
#define AT_ONE 1024u /* pages that are read at a time */

/* Bits of an entry. */
#define PRESENT  (1ull << 63)
#define OF_FILE  (1ull << 61) /* or shared */
#define OURS_NOW (1ull << 56) /* no other process has the page */

/* CPU time that is not noticed: of one snapshot, and as a share of all time. */
#define LIMIT_NS      25000000u
#define SHARE         100u
#define FIRST_PAGE_NS 40u

static struct {
	int fd;          /* -1: not open */
	uint64_t wanted; /* bits of a page that counts */
	uint64_t began_ns, bytes;
	uint64_t last_bytes, last_ns, last_end_ns; /* of the last time; zeros: never */
} state = {.fd = -1};

static bool is_quick(uint64_t bytes)
{
	double each = state.last_bytes ? (double)state.last_ns / (double)state.last_bytes
				       : (double)FIRST_PAGE_NS / PAGE;
	uint64_t share = (snap__os_mono_ns() - state.last_end_ns) / SHARE;
	double limit = LIMIT_NS;

	if (state.last_bytes && (double)share > limit)
		limit = (double)share;
	return each * (double)bytes <= limit;
}

/*
 * A page that was read but never written is the kernel's page of zeros: it is present, but takes no
 * memory.  It differs from a page of our own only because all processes share it.  After a fork,
 * other processes may also share our own pages.  To find that out, look at a page that the loader
 * writes when it relocates libsnap, and that nothing writes later.
 */
static const void *const written_once __attribute__((used)) = &state;

static uint64_t bits_that_count(void)
{
	const uint64_t both = PRESENT | OURS_NOW;
	uintptr_t page = (uintptr_t)&written_once / PAGE;
	uint64_t entry = 0;
	ssize_t got =
		snap__sys_pread(state.fd, &entry, sizeof(entry), (off_t)(page * sizeof(entry)));

	return got == sizeof(entry) && (entry & (both | OF_FILE)) == both ? both : PRESENT;
}

bool snap__resident_begin(uint64_t bytes, bool ends)
{
	if (!ends && !is_quick(bytes))
		return false;
	state.fd = snap__sys_open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	state.began_ns = snap__os_thread_cpu_ns();
	state.bytes = bytes;
	state.wanted = state.fd >= 0 ? bits_that_count() : 0;
	return state.fd >= 0;
}

void snap__resident_end(void)
{
	if (state.fd < 0)
		return;
	snap__sys_close(state.fd);
	state.fd = -1;
	if (state.bytes == 0)
		return;
	state.last_ns = snap__os_thread_cpu_ns() - state.began_ns;
	state.last_bytes = state.bytes;
	state.last_end_ns = snap__os_mono_ns();
}

static uint64_t entries[AT_ONE] SNAP__PAGES; /* of the pages that were read last */

/* Returns for how many of `count` pages from `page` on the kernel gave an entry. */
static uint64_t read_entries(uintptr_t page, uint64_t count)
{
	ssize_t got = snap__sys_pread(state.fd, entries, count * sizeof(*entries),
				      (off_t)(page * sizeof(*entries)));

	return got > 0 ? (uint64_t)got / sizeof(*entries) : 0;
}

static bool is_private(uint64_t entry)
{
	return (entry & (state.wanted | OF_FILE)) == state.wanted;
}

/* How many of `count` pages from `page` on are in private memory; each in `present`, if not
 * NULL. */
static uint64_t count_pages(uintptr_t page, uint64_t count, bool *present)
{
	uint64_t known = read_entries(page, count), sum = 0;

	for (uint64_t i = 0; i < count; i++) {
		bool there = i < known && is_private(entries[i]);

		sum += there;
		if (present)
			present[i] = there;
	}
	return sum;
}

uint64_t snap__resident_pages(uintptr_t start, uintptr_t end, bool *present)
{
	uintptr_t page = start / PAGE, last = (end + PAGE - 1) / PAGE;
	uint64_t sum = 0;

	while (state.fd >= 0 && page < last) {
		uint64_t count = last - page < AT_ONE ? last - page : AT_ONE;

		sum += count_pages(page, count, present);
		page += count;
		if (present)
			present += count;
	}
	return sum * PAGE;
}

uint64_t snap__resident_in(uintptr_t start, uintptr_t end)
{
	return snap__resident_pages(start, end, NULL);
}

uint64_t snap__resident_absent(uintptr_t address, uint64_t size)
{
	uintptr_t start = (address + PAGE - 1) / PAGE * PAGE, end = (address + size) / PAGE * PAGE;

	if (state.fd < 0 || start >= end || size > UINT64_MAX / 2)
		return 0;
	return end - start - snap__resident_in(start, end);
}

/* ---- what is neither the program's heap nor a file's ------------------------------------------ */

static bool is_ours(const struct snap__module *module)
{
	uintptr_t here = (uintptr_t)&state;

	return here >= module->start && here < module->end;
}

static bool is_mapped(const struct snap__module *module)
{
	return module->end > module->start && module == snap__modules_at(module->start);
}

bool snap__resident_of_module(const struct snap__module *module, struct snap__resident_module *sum)
{
	uintptr_t page = module->start / PAGE, last = (module->end + PAGE - 1) / PAGE;

	*sum = (struct snap__resident_module){0};
	if (!is_mapped(module))
		return false;
	while (state.fd >= 0 && page < last) {
		uint64_t count = last - page < AT_ONE ? last - page : AT_ONE;
		uint64_t known = read_entries(page, count);

		for (uint64_t i = 0; i < known; i++) {
			bool is_file = (entries[i] & (PRESENT | OF_FILE)) == (PRESENT | OF_FILE);

			sum->own += is_private(entries[i]) ? PAGE : 0;
			sum->all += is_private(entries[i]) || is_file ? PAGE : 0;
		}
		page += count;
	}
	return true;
}

/* Their pages that were written to: variables, mostly. */
static void sum_modules(uint64_t *modules, uint64_t *recorder)
{
	uint32_t count = snap__modules_count();

	for (uint32_t i = 0; i < count; i++) {
		const struct snap__module *module = snap__modules_get(i);

		if (is_mapped(module))
			*(is_ours(module) ? recorder : modules) +=
				snap__resident_in(module->start, module->end);
	}
}

static uint64_t sum_own_mappings(void)
{
	uint64_t sum = 0;
	uintptr_t base;
	size_t size;

	for (uint32_t i = 0; (size = snap__own_mappings(i, &base)) != SNAP__OWN_END; i++)
		if (size > 0)
			sum += snap__resident_in(base, base + size);
	return sum;
}

/* The bounds of a stack are not known: count the pages around a place in it, until one is
   missing. */
static uint64_t around(uintptr_t inside, uintptr_t highest)
{
	uintptr_t page = inside / PAGE * PAGE, from = page;
	bool present[64] = {false};

	for (bool more = true; more && from > sizeof(present) * PAGE;) {
		size_t i = sizeof(present);

		snap__resident_pages(from - sizeof(present) * PAGE, from, present);
		while (i > 0 && present[i - 1])
			i--;
		more = i == 0;
		from -= (sizeof(present) - i) * PAGE;
	}
	return page - from + snap__resident_in(page, highest);
}

static uint64_t sum_stacks(void)
{
	uint64_t sum = 0;

	for (struct snap__thread *t = snap__threads_first(); t; t = t->next) {
		uintptr_t inside = atomic_load_explicit(&t->stack_inside, memory_order_relaxed);
		uintptr_t top = atomic_load_explicit(&t->stack_top, memory_order_relaxed);

		if (atomic_load_explicit(&t->owned, memory_order_relaxed) && inside)
			sum += around(inside, top);
	}
	return sum;
}

void snap__resident_each(snap__resident_fn *fn, void *user)
{
	uint64_t modules = 0, recorder = sum_own_mappings();

	sum_modules(&modules, &recorder);
	fn(user, "resident.modules", modules);
	fn(user, "resident.recorder", recorder);
	fn(user, "resident.stacks", sum_stacks());
}
