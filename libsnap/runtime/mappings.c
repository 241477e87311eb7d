/*
 * runtime/mappings.c - anonymous mappings as a domain of their own.
 *
 * The blocks are in the side table.  This file keeps a sorted list of where they begin and end,
 * because munmap() may remove any part of one or several.  Programs map rarely, so one lock is
 * enough.  It is not held while a stack is unwound.
 */
#include "runtime/mappings.h"

#include <stdatomic.h>
#include <string.h>

#include "runtime/arena.h"
#include "runtime/domains.h"
#include "runtime/lock.h"
#include "runtime/modules.h"
#include "runtime/record.h"

#define FIRST_CAPACITY 512u
#define PAGE           4096u

struct range {
	uintptr_t start, end;
};

static atomic_bool is_on;
static uint32_t domain;
static struct snap__lock lock;
static struct range *ranges;
static size_t count, capacity;
static uintptr_t ignored_start, ignored_end;

static struct range range_of(uintptr_t address, size_t size)
{
	return (struct range){address, address + (size + PAGE - 1) / PAGE * PAGE};
}

static bool have_room(void)
{
	size_t wanted = capacity ? capacity * 2 : FIRST_CAPACITY;
	struct range *larger;

	if (count < capacity)
		return true;
	larger = snap__map(wanted * sizeof(*larger));
	if (!larger)
		return false;
	if (ranges) {
		memcpy(larger, ranges, count * sizeof(*larger));
		snap__unmap(ranges, capacity * sizeof(*ranges));
	}
	ranges = larger;
	capacity = wanted;
	return true;
}

bool snap__mappings_init(const void *allocator)
{
	const struct snap__module *module;

	snap__modules_refresh();
	module = snap__modules_at((uintptr_t)allocator);
	if (module) {
		ignored_start = module->start;
		ignored_end = module->end;
	}
	domain = snap__domain_number("mmap");
	if (domain == 0 || !have_room())
		return false;
	atomic_store(&is_on, true);
	return true;
}

void snap__mappings_clear(void)
{
	if (!snap__lock_take(&lock))
		return;
	count = 0;
	snap__lock_release(&lock);
}

bool snap__mappings_wanted(const void *caller)
{
	uintptr_t pc = (uintptr_t)caller;

	return atomic_load_explicit(&is_on, memory_order_relaxed) && snap__recording() &&
	       (pc < ignored_start || pc >= ignored_end);
}

/* The first range that ends after `address`. */
static size_t first_after(uintptr_t address)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ranges[middle].end > address)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static void insert(size_t at, struct range range)
{
	memmove(&ranges[at + 1], &ranges[at], (count - at) * sizeof(*ranges));
	ranges[at] = range;
	count++;
}

static void delete (size_t at)
{
	memmove(&ranges[at], &ranges[at + 1], (count - at - 1) * sizeof(*ranges));
	count--;
}

/* Take `gone` out of the range at index `at`, which it meets; the index of the next one. */
static size_t cut(size_t at, struct range gone, uint32_t *born)
{
	struct range old = ranges[at];
	bool low = old.start<gone.start, high = old.end> gone.end;

	if (low && high && !have_room())
		high = false; /* forgotten rather than never freed */
	snap__record_domain_cut(domain, old.start, low ? gone.start - old.start : 0, gone.end,
				high ? old.end - gone.end : 0, born);
	if (!low && !high) {
		delete (at);
		return at;
	}
	ranges[at] =
		low ? (struct range){old.start, gone.start} : (struct range){gone.end, old.end};
	if (low && high)
		insert(at + 1, (struct range){gone.end, old.end});
	return at + 1;
}

/* Call with the lock held. Returns the birth epoch of the last mapping there; 0 if there was
 * none. */
static uint32_t forget(struct range gone)
{
	uint32_t born = 0;

	for (size_t i = first_after(gone.start); i < count && ranges[i].start < gone.end;)
		i = cut(i, gone, &born);
	return born;
}

static void enter(struct range range, uint32_t born, const void *frame)
{
	size_t at;

	if (!snap__record_domain_enter(domain, range.start, range.end - range.start, born, frame))
		return;
	if (snap__lock_take(&lock)) {
		at = first_after(range.start);
		if (have_room()) {
			insert(at, range);
			snap__lock_release(&lock);
			return;
		}
		snap__lock_release(&lock);
	}
	snap__record_domain_free(domain, range.start);
}

void snap__mappings_added(uintptr_t address, size_t size, bool is_anonymous, const void *frame)
{
	struct range range = range_of(address, size);

	if (!snap__lock_take(&lock))
		return;
	forget(range); /* MAP_FIXED replaces what was there */
	snap__lock_release(&lock);
	if (is_anonymous)
		enter(range, snap__record_epoch(), frame);
}

void snap__mappings_removed(uintptr_t address, size_t size)
{
	if (address % PAGE != 0 || size == 0 || size > UINTPTR_MAX - PAGE - address)
		return; /* the kernel refuses it */
	if (!snap__lock_take(&lock))
		return;
	forget(range_of(address, size));
	snap__lock_release(&lock);
}

bool snap__mappings_move_begin(void)
{
	return snap__lock_take(&lock);
}

void snap__mappings_move_end(uintptr_t address, size_t size, uintptr_t moved_to, size_t new_size,
			     const void *frame)
{
	struct range range = range_of(moved_to, new_size);
	uint32_t born = 0;

	if (moved_to) {
		born = forget(range_of(address, size));
		forget(range);
	}
	snap__lock_release(&lock);
	if (born)
		enter(range, born, frame);
}

uint64_t snap__mappings_bytes(void)
{
	uint64_t bytes = 0;

	if (!atomic_load(&is_on) || !snap__lock_take(&lock))
		return 0;
	for (size_t i = 0; i < count; i++)
		bytes += ranges[i].end - ranges[i].start;
	snap__lock_release(&lock);
	return bytes;
}

void snap__mappings_before_fork(void)
{
	snap__lock_take(&lock);
}

void snap__mappings_after_fork(void)
{
	snap__lock_reset(&lock);
}
