/*
 * runtime/heaps.c - the heaps of glibc's malloc, and the recorded blocks in them.
 */
#include "runtime/heaps.h"

#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/arena.h"
#include "runtime/hidden.h"
#include "runtime/os_linux.h"
#include "runtime/resident.h"
#include "runtime/text.h"
#include "write/sys.h"

#define PAGE        4096u
#define WINDOW_BITS 26u /* 64 MiB: a heap is at most this large, and begins at a multiple of it */
#define WINDOW      ((uintptr_t)1 << WINDOW_BITS)
#define WINDOWS     1024u /* must be a power of two */
#define HEADER      16u   /* of a block that has pages of its own */

/* The recorded blocks in 64 MiB of addresses.  If these are no heap, then only blocks that have
 * pages of their own are known to be malloc's. */
struct window {
	uintptr_t number; /* of the window; 0: unused */
	uint64_t in_use, recorded;
	uint64_t pages, recorded_in_pages;
};

static struct {
	uintptr_t low, high; /* the main heap */
	struct window main;
	struct window windows[WINDOWS];
	uint32_t count;
	bool is_full;
} state SNAP__PAGES;

/* Field 47 of /proc/self/stat; 0 if it is not told. */
static uintptr_t start_of_break(void)
{
	char text[1024];
	const char *at;

	if (snap__os_read_file("/proc/self/stat", text, sizeof(text)) <= 0)
		return 0;
	/* The name, field 2, may hold blanks and parentheses: count from its last ')'. */
	at = strrchr(text, ')');
	for (int field = 2; at && field < 47; field++)
		at = strchr(at + 1, ' ');
	return at ? snap__parse_u64(at, NULL) : 0;
}

void snap__heaps_begin(void)
{
	memset(&state, 0, sizeof(state));
	state.low = start_of_break();
	state.high = (uintptr_t)syscall(SYS_brk, 0L);
}

static struct window *window_of(uintptr_t address)
{
	uintptr_t number = address >> WINDOW_BITS;
	uint32_t i = number & (WINDOWS - 1);

	while (state.windows[i].number && state.windows[i].number != number)
		i = (i + 1) & (WINDOWS - 1);
	if (state.windows[i].number)
		return &state.windows[i];
	if (number == 0 || state.count >= WINDOWS / 2) {
		state.is_full = true;
		return NULL;
	}
	state.count++;
	state.windows[i].number = number;
	return &state.windows[i];
}

/* A chunk has a header of 8 bytes, is a multiple of 16, and has 32 at least. */
static uint64_t chunk_of(uint64_t size)
{
	uint64_t chunk = (size + 8 + 15) & ~(uint64_t)15;

	return chunk < 32 ? 32 : chunk;
}

void snap__heaps_add(uintptr_t address, uint64_t size, uint64_t absent)
{
	struct window *window =
		address >= state.low && address < state.high ? &state.main : window_of(address);

	if (!window || absent > size || size > INT64_MAX)
		return;
	window->in_use += chunk_of(size) - absent;
	window->recorded += size - absent;
	if (address % PAGE != HEADER)
		return;
	window->pages += ((size + HEADER + PAGE - 1) & ~(uint64_t)(PAGE - 1)) - absent;
	window->recorded_in_pages += size - absent;
}

/* What a heap begins with (struct heap_info of malloc/arena.c): the address of its arena, which is
 * in this or an earlier heap behind such a header, of the heap before it, and its size.  0: it is no
 * heap. */
static uint64_t heap_size(int memory, uintptr_t base)
{
	uintptr_t header[3], place;

	if (snap__resident_in(base, base + PAGE) == 0 ||
	    snap__sys_pread(memory, header, sizeof(header), (off_t)base) != sizeof(header))
		return 0;
	place = header[0] % WINDOW;
	if (place < sizeof(header) || place > PAGE || header[1] % WINDOW != 0)
		return 0;
	return header[2] % PAGE == 0 && header[2] <= WINDOW ? header[2] : 0;
}

static void add_main(struct snap__heaps_sum *sum)
{
	sum->resident = snap__resident_in(state.low, state.high);
	sum->in_use = state.main.in_use;
	sum->recorded = state.main.recorded;
}

static void add_window(struct snap__heaps_sum *sum, int memory, const struct window *window)
{
	uintptr_t base = window->number << WINDOW_BITS;
	uint64_t size = heap_size(memory, base);

	if (size > 0) {
		sum->resident += snap__resident_in(base, base + size);
		sum->in_use += window->in_use;
		sum->recorded += window->recorded;
	} else {
		sum->resident += window->pages;
		sum->in_use += window->pages;
		sum->recorded += window->recorded_in_pages;
	}
}

bool snap__heaps_end(struct snap__heaps_sum *sum)
{
	int memory = snap__sys_open("/proc/self/mem", O_RDONLY | O_CLOEXEC);

	*sum = (struct snap__heaps_sum){0};
	if (memory < 0)
		return false;
	add_main(sum);
	for (uint32_t i = 0; i < WINDOWS; i++)
		if (state.windows[i].number)
			add_window(sum, memory, &state.windows[i]);
	snap__sys_close(memory);
	return state.low > 0 && state.low < state.high && !state.is_full;
}
