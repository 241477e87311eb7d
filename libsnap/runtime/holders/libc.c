/*
 * holders/libc.c - data layouts of glibc, unchanged since 2.26.  Each is checked against the actual
 * memory before it is used.
 */
#include "runtime/holders/libc.h"

#include "arch/arch.h"
#include "runtime/holders/blocks.h"
#include "runtime/holders/owned.h"
#include "runtime/process.h"
#include "runtime/modules.h"
#include "runtime/text.h"

#define WORD        ((uintptr_t)sizeof(uintptr_t))
#define PAGE        ((uintptr_t)4096)
#define ARENA_BYTES ((uintptr_t)64 << 20) /* other arenas than the main one: at multiples of this */

/* A chunk's header stands in the two words before its block: the size before it, and its own size
   with three flags. */
#define CHUNK_MAPPED   2u
#define CHUNK_NOT_MAIN 4u
#define MOST_BEFORE    ((uintptr_t)1 << 30)

/* struct malloc_state: an empty bin is linked to itself. */
#define BINS           127u
#define BINS_AT        ((uintptr_t)112)
#define STATE_SIZE     ((uintptr_t)2200)
#define EMPTY_AT_LEAST 40u
#define BINS_IN_A_ROW  20u

/* struct pthread around the thread pointer. */
#define THREAD_DATA  ((uintptr_t)0x900)
#define MOST_MODULES ((uintptr_t)100000)
#define MOST_STACK   ((uintptr_t)1 << 36)
#define MOST_THREADS 100000u

static uintptr_t page_down(uintptr_t address)
{
	return address & ~(PAGE - 1);
}

static uintptr_t page_up(uintptr_t address)
{
	return (address + PAGE - 1) & ~(PAGE - 1);
}

/* ---- the allocator --------------------------------------------------------------------------- */

/* What malloc owns around the block that begins at `address`, in an area that is not the heap. */
static struct snap__range chunk_range(const struct snap__area *area, uintptr_t address,
				      uint64_t size)
{
	uintptr_t head = *(const uintptr_t *)(address - WORD);
	uintptr_t before = *(const uintptr_t *)(address - 2 * WORD);
	uintptr_t arena = address & ~(ARENA_BYTES - 1);

	if (head & CHUNK_MAPPED) /* an aligned block begins later in its mapping */
		return (struct snap__range){
			page_down(address - 2 * WORD - (before < MOST_BEFORE ? before : 0)),
			page_up(address + size)};
	if (head & CHUNK_NOT_MAIN)
		return (struct snap__range){arena, arena + ARENA_BYTES};
	return (struct snap__range){area->low, area->high};
}

static bool has_header(const struct snap__area *area, uintptr_t address)
{
	return address % (2 * WORD) == 0 && address - area->low >= 2 * WORD;
}

void snap__libc_allocator(struct snap__ranges *owned, struct snap__space *space)
{
	bool glibc = snap__equal(snap__process_host()->allocator, "glibc");
	struct snap__range last = {0, 0};

	snap__owned_ranges(owned);
	for (size_t i = 0; i < space->count; i++)
		if (snap__equal(space->areas[i].name, "[heap]"))
			snap__owned_heap(owned, space->areas[i].low, space->areas[i].high);
	for (uint32_t b = 0; b < snap__blocks.count; b++) {
		uintptr_t address = snap__blocks.address[b];
		const struct snap__area *area;

		if (address >= last.low && address < last.high)
			continue;
		area = snap__space_at(space, address);
		if (!area)
			continue;
		last = (struct snap__range){area->low, area->high};
		if (snap__equal(area->name, "[heap]"))
			continue;
		if (glibc && area->readable && has_header(area, address))
			last = chunk_range(area, address, snap__blocks_size(b));
		snap__ranges_add(owned, last.low, last.high);
	}
}

/* The block's real size by its chunk's header; 0 if the header cannot be right. */
static uint64_t chunk_rest(const struct snap__area *area, uintptr_t address, uint64_t size)
{
	uintptr_t head, room;

	if (!area || !area->readable || !has_header(area, address))
		return 0;
	head = *(const uintptr_t *)(address - WORD);
	room = (head & ~(uintptr_t)7) - (head & CHUNK_MAPPED ? 2 * WORD : WORD);
	return room > size && room - size < 2 * PAGE ? room - size : 0;
}

uint64_t snap__libc_rest(struct snap__space *space, uint32_t block)
{
	uintptr_t address = snap__blocks.address[block];
	uint64_t size = snap__blocks_size(block);
	uint64_t rest = size / 4 + 2 * WORD; /* other allocators round up by less */
	uintptr_t end = address + size;

	if (snap__equal(snap__process_host()->allocator, "glibc"))
		rest = chunk_rest(snap__space_at(space, address), address, size);
	if (block + 1 < snap__blocks.count && snap__blocks.address[block + 1] - end < rest)
		rest = snap__blocks.address[block + 1] - end;
	return rest;
}

static bool is_empty_bin(uintptr_t bin)
{
	const uintptr_t *links = (const uintptr_t *)bin;

	return links[0] == bin - 2 * WORD && links[1] == bin - 2 * WORD;
}

static bool is_main_arena(uintptr_t at)
{
	unsigned empty = 0;

	for (unsigned i = 0; i < BINS; i++) {
		empty += is_empty_bin(at + BINS_AT + 2 * WORD * i);
		if (i == BINS_IN_A_ROW && empty == 0)
			return false;
	}
	return empty >= EMPTY_AT_LEAST;
}

struct snap__range snap__libc_main_arena(uintptr_t low, uintptr_t high)
{
	const uintptr_t step = 2 * WORD;

	for (uintptr_t at = (low + step - 1) & ~(step - 1); at + STATE_SIZE <= high; at += step)
		if (is_main_arena(at))
			return (struct snap__range){at, at + STATE_SIZE};
	return (struct snap__range){0, 0};
}

/* ---- threads --------------------------------------------------------------------------------- */

/* libc's data of a thread contain address and size of its stack's mapping, one after the other. */
static struct snap__range stack_in_thread_data(struct snap__space *space, struct snap__range data,
					       uintptr_t sp, uintptr_t thread_pointer)
{
	for (uintptr_t at = data.low; at + 2 * WORD <= data.high; at += WORD) {
		uintptr_t low = 0, size = 0;

		if (snap__space_word(space, at, &low) &&
		    snap__space_word(space, at + WORD, &size) && low % PAGE == 0 && low != 0 &&
		    low <= sp && size % PAGE == 0 && size < MOST_STACK &&
		    low + size > thread_pointer &&
		    low + size <= page_up(thread_pointer + THREAD_DATA))
			return (struct snap__range){low, low + size};
	}
	return (struct snap__range){0, 0};
}

struct snap__range snap__libc_thread_data(struct snap__space *space, uintptr_t thread_pointer)
{
	const struct snap__area *area = snap__space_at(space, thread_pointer);
	struct snap__range range = {thread_pointer, thread_pointer + THREAD_DATA};

	if (!area)
		return (struct snap__range){0, 0};
	if (!SNAP__ARCH_POINTS_TO_THREAD)
		range = (struct snap__range){thread_pointer - THREAD_DATA,
					     thread_pointer + 2 * WORD};
	if (range.low < area->low)
		range.low = area->low;
	if (range.high > area->high)
		range.high = area->high;
	return range;
}

struct snap__range snap__libc_stack(struct snap__space *space, uintptr_t sp,
				    uintptr_t thread_pointer)
{
	const struct snap__area *area = snap__space_at(space, sp);
	struct snap__range data = snap__libc_thread_data(space, thread_pointer);
	struct snap__range stack = {0, 0};

	if (!area)
		return stack;
	if (thread_pointer > sp && thread_pointer < area->high)
		stack = stack_in_thread_data(space, data, sp, thread_pointer);
	if (stack.high == 0)
		return (struct snap__range){area->low, area->high};
	if (stack.low < area->low)
		stack.low = area->low; /* below lies its guard */
	if (stack.high > area->high)
		stack.high = area->high;
	return stack;
}

uintptr_t snap__libc_thread_in(struct snap__space *space, const struct snap__area *area)
{
	const uintptr_t step = 16;
	uintptr_t low = area->high - area->low > THREAD_DATA + PAGE
				? area->high - THREAD_DATA - PAGE
				: area->low;

	if (!SNAP__ARCH_POINTS_TO_THREAD)
		return 0;
	/* The first and the third word are the thread pointer itself. */
	for (uintptr_t at = low; area->readable && at + 3 * WORD <= area->high; at += step) {
		const uintptr_t *words = (const uintptr_t *)at;

		if (words[0] == at && words[2] == at &&
		    stack_in_thread_data(space, snap__libc_thread_data(space, at), at, at).high)
			return at;
	}
	return 0;
}

/* A place in a doubly linked list: the next one, the one before. */
static bool is_linked(struct snap__space *space, uintptr_t place)
{
	uintptr_t next, before, back, forth;

	return snap__space_word(space, place, &next) &&
	       snap__space_word(space, place + WORD, &before) && next % WORD == 0 &&
	       before % WORD == 0 && snap__space_word(space, next + WORD, &back) &&
	       snap__space_word(space, before, &forth) && back == place && forth == place;
}

/* The place in the list that lies in a module: the head of the list. */
static uintptr_t list_head(struct snap__space *space, uintptr_t place)
{
	for (unsigned i = 0; i < MOST_THREADS && !snap__modules_at(place); i++)
		if (!snap__space_word(space, place, &place))
			return 0;
	return snap__modules_at(place) ? place : 0;
}

/*
 * The loader has three lists of threads (glibc 2.34 and later), one after the other: those with a
 * stack from libc, those with one from elsewhere, among them the main thread, and cached stacks.
 */
bool snap__libc_threads_begin(struct snap__space *space, uintptr_t main_thread,
			      struct snap__libc_threads *threads)
{
	if (!SNAP__ARCH_POINTS_TO_THREAD)
		return false;
	for (uintptr_t at = 2 * WORD; at < THREAD_DATA; at += WORD) {
		uintptr_t head =
			is_linked(space, main_thread + at) ? list_head(space, main_thread + at) : 0;

		if (!head || !is_linked(space, head - 2 * WORD) ||
		    !is_linked(space, head + 2 * WORD))
			continue;
		*threads = (struct snap__libc_threads){head - 2 * WORD, head - 2 * WORD, at};
		return true;
	}
	return false;
}

void snap__libc_threads_kept(struct snap__libc_threads *threads)
{
	threads->head += 4 * WORD;
	threads->at = threads->head;
}

struct snap__range snap__libc_thread_stack(struct snap__space *space, uintptr_t thread_pointer)
{
	return stack_in_thread_data(space, snap__libc_thread_data(space, thread_pointer),
				    thread_pointer, thread_pointer);
}

uintptr_t snap__libc_threads_next(struct snap__space *space, struct snap__libc_threads *threads)
{
	if (!snap__space_word(space, threads->at, &threads->at) || threads->at == threads->head)
		return 0;
	return threads->at - threads->offset;
}

/* The table of a thread's blocks, by tls_id; two words each.  The entry before the first has the
   number of entries. */
static uintptr_t tls_table(struct snap__space *space, uintptr_t thread_pointer, uintptr_t *count)
{
	uintptr_t at = thread_pointer + SNAP__ARCH_TLS_TABLE_WORD * WORD, table = 0;

	if (!snap__space_word(space, at, &table) ||
	    !snap__space_word(space, table - 2 * WORD, count) || *count > MOST_MODULES)
		return 0;
	return table;
}

uintptr_t snap__libc_tls_block(struct snap__space *space, uintptr_t thread_pointer, size_t tls_id)
{
	uintptr_t count = 0, block = 0;
	uintptr_t table = tls_table(space, thread_pointer, &count);

	if (!table || tls_id > count ||
	    !snap__space_word(space, table + 2 * WORD * tls_id, &block) || block == UINTPTR_MAX)
		return 0;
	return snap__space_at(space, block) ? block : 0;
}

uintptr_t snap__libc_tls_low(struct snap__space *space, uintptr_t thread_pointer, uintptr_t sp)
{
	uintptr_t low = snap__libc_thread_data(space, thread_pointer).low;
	uint32_t count = snap__modules_count();

	for (uint32_t i = 0; i < count; i++) {
		const struct snap__module *module = snap__modules_get(i);
		uintptr_t block =
			module->tls_id ? snap__libc_tls_block(space, thread_pointer, module->tls_id)
				       : 0;

		if (block > sp && block < low)
			low = block;
	}
	return low;
}
