/*
 * arena.c - a lock-free bump arena over slabs of its own.
 *
 * A slab's first bytes are its header; allocation is one fetch_add on the slab's fill mark.  A
 * thread that finds the slab full maps the next one and tries to install it; a thread that loses
 * this race unmaps its own slab.  No thread ever waits, so a signal handler may allocate at any
 * point.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arch/arch.h"
#include "runtime/arena.h"
#include "runtime/os_linux.h"
#include "runtime/hidden.h"
#include "write/sys.h"

#define ALIGNMENT     64u
#define SLAB_BYTES    ((size_t)256 << 10)
#define LARGE_BYTES   (SLAB_BYTES / 4) /* from here on, a mapping of its own wastes less */
#define PAGE_ROUNDUP  4095u
#define RESERVE_BYTES ((size_t)12 << 20)
#define RESERVE_LEAST ((size_t)5 << 20) /* what a small snapshot and a helper take */
#define RESERVE_MOST  ((size_t)128 << 20)
#define POOL_MOST     ((size_t)64 << 20)
#define POOL_LEAST    ((size_t)1 << 20)
#define PIECES_MOST   32u
#define FILLED_MOST   ((size_t)1 << 20) /* the host's threads may wait for what is filled */
/* enough for 128 GiB of heap; further ones count as the host's memory */
#define MOST_OWN 65536u

struct slab {
	_Atomic size_t used;
};

static _Atomic(struct slab *) current_slab;
static atomic_uint_fast64_t mapped_bytes;

/*
 * Our own mappings.  The search for holders of the host's blocks skips them.  An entry is free
 * while its base is 0.  Free entries form a list; its head carries a count of changes above the
 * index, so that a late compare-and-swap fails.
 */
struct own_mapping {
	_Atomic uintptr_t base;
	_Atomic size_t size;
	_Atomic uint32_t next_free; /* index + 1 */
};

static struct own_mapping own[MOST_OWN] SNAP__PAGES;
static _Atomic uint32_t own_count;
static _Atomic uint64_t own_free;

static struct own_mapping *free_entry(void)
{
	uint64_t head = atomic_load(&own_free), next;
	uint32_t index;

	while ((uint32_t)head != 0) {
		next = atomic_load(&own[(uint32_t)head - 1].next_free) | ((head >> 32) + 1) << 32;
		if (atomic_compare_exchange_weak(&own_free, &head, next))
			return &own[(uint32_t)head - 1];
	}
	index = atomic_fetch_add(&own_count, 1);
	if (index < MOST_OWN)
		return &own[index];
	atomic_fetch_sub(&own_count, 1);
	return NULL;
}

static void note_own(void *base, size_t size)
{
	struct own_mapping *entry = free_entry();

	if (!entry)
		return;
	atomic_store_explicit(&entry->size, size, memory_order_relaxed);
	atomic_store_explicit(&entry->base, (uintptr_t)base, memory_order_release);
}

static void forget_own(const void *base)
{
	uint32_t count = atomic_load(&own_count), index = 0;
	uint64_t head = atomic_load(&own_free), next;

	while (index < count && atomic_load(&own[index].base) != (uintptr_t)base)
		index++;
	if (index == count)
		return;
	atomic_store(&own[index].base, 0);
	do {
		atomic_store(&own[index].next_free, (uint32_t)head);
		next = (index + 1) | ((head >> 32) + 1) << 32;
	} while (!atomic_compare_exchange_weak(&own_free, &head, next));
}

size_t snap__own_mappings(uint32_t index, uintptr_t *base)
{
	if (index >= atomic_load(&own_count) || index >= MOST_OWN)
		return SNAP__OWN_END;
	*base = atomic_load_explicit(&own[index].base, memory_order_acquire);
	return *base ? atomic_load_explicit(&own[index].size, memory_order_relaxed) : 0;
}

/* ---- the reserve ----------------------------------------------------------------------------- */

enum piece_state { PIECE_FREE, PIECE_LASTS, PIECE_PASSES };

/*
 * Address space for a snapshot of a host that has used up its own.  It is never given back, because
 * the host would take it at once.  Only one thread at a time takes pieces of it, and only that
 * thread changes their number, places and sizes.  Any thread may give one back, because memory that
 * a snapshot mapped may now be used by all threads.
 */
static struct {
	char *base;
	size_t size;
	bool is_writable;
	void *_Atomic
		user; /* the thread pointer of the thread that may take pieces; NULL: nobody */
	atomic_bool is_taking; /* a handler of signals that interrupts the user gets none */
	atomic_uint count;
	struct {
		_Atomic size_t at, size;
		atomic_uint state;
	} pieces[PIECES_MOST]; /* in the order of their places */
} reserve;

/* Where the last piece that is not free ends. */
static size_t end_of_pieces(void)
{
	unsigned n = atomic_load(&reserve.count);

	while (n > 0 && atomic_load(&reserve.pieces[n - 1].state) == PIECE_FREE)
		n--;
	atomic_store(&reserve.count, n);
	return n == 0 ? 0
		      : (reserve.pieces[n - 1].at + reserve.pieces[n - 1].size + PAGE_ROUNDUP) &
				~(size_t)PAGE_ROUNDUP;
}

static void *take_last_piece(size_t size, enum piece_state state)
{
	size_t at = end_of_pieces();
	unsigned n = atomic_load(&reserve.count);

	if (n == PIECES_MOST || size > reserve.size - at)
		return MAP_FAILED;
	atomic_store(&reserve.pieces[n].at, at);
	atomic_store(&reserve.pieces[n].size, size);
	atomic_store(&reserve.pieces[n].state, state);
	atomic_store(&reserve.count, n + 1);
	return reserve.base + at;
}

static void *take_piece(size_t size, enum piece_state state)
{
	void *user = atomic_load(&reserve.user), *base;

	if (!user || user != snap__arch_thread_pointer() ||
	    atomic_exchange(&reserve.is_taking, true))
		return MAP_FAILED;
	base = take_last_piece(size, state);
	atomic_store(&reserve.is_taking, false);
	return base;
}

bool snap__reserve_has(const void *base)
{
	return reserve.base && (uintptr_t)base - (uintptr_t)reserve.base < reserve.size;
}

/* False if `base` is no piece. */
static bool give_piece_back(const void *base)
{
	uintptr_t at = (uintptr_t)base - (uintptr_t)reserve.base;
	unsigned i = 0, count = atomic_load(&reserve.count);

	if (!snap__reserve_has(base))
		return false;
	while (i < count && (atomic_load(&reserve.pieces[i].state) == PIECE_FREE ||
			     atomic_load(&reserve.pieces[i].at) != at))
		i++;
	if (i == count)
		return true;
	/* The next user of this piece must find zeros. */
	(void)snap__sys_madvise(reserve.base + at, reserve.pieces[i].size, MADV_DONTNEED);
	atomic_store(&reserve.pieces[i].state, PIECE_FREE);
	return true;
}

/* RLIM_INFINITY if there is none. */
static rlim_t limit_of(int what)
{
	struct rlimit limit;

	return syscall(SYS_prlimit64, 0, what, NULL, &limit) == 0 ? limit.rlim_cur : RLIM_INFINITY;
}

/* A sixteenth of the host's limit.  If the limit is small, up to an eighth, because less would not
   suffice.  The host may also get a limit later. */
static size_t reserve_size(rlim_t data)
{
	rlim_t addresses = limit_of(RLIMIT_AS), least = data < addresses ? data : addresses;
	rlim_t size = least / 16, small = least / 8;

	if (least == RLIM_INFINITY)
		return RESERVE_BYTES;
	if (size < RESERVE_LEAST)
		size = small < RESERVE_LEAST ? small : RESERVE_LEAST;
	if (size > RESERVE_MOST)
		return RESERVE_MOST;
	return (size_t)size & ~(size_t)PAGE_ROUNDUP;
}

static void make_reserve(void)
{
	rlim_t data = limit_of(RLIMIT_DATA);
	size_t size = reserve_size(data);
	/* Only writable memory counts as data. */
	bool is_writable = data != RLIM_INFINITY;
	void *base = MAP_FAILED;

	if (size > 0)
		base = snap__os_mmap(NULL, size, is_writable ? PROT_READ | PROT_WRITE : PROT_NONE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED)
		return;
	/* With this flag the kernel does not make one mapping of it and a neighbour of the host's: when no more
	 * mappings can be made, part of one cannot be made writable. */
	(void)snap__sys_madvise(base, size, MADV_DONTDUMP);
	reserve.base = base;
	reserve.size = size;
	reserve.is_writable = is_writable;
}

void snap__reserve_keep(void)
{
	int saved_errno = errno;

	atomic_store(&reserve.user, NULL);
	if (!reserve.base)
		make_reserve();
	errno = saved_errno;
}

bool snap__reserve_use(void)
{
	int saved_errno = errno;
	void *nobody = NULL;
	bool done = reserve.base &&
		    (reserve.is_writable || syscall(SYS_mprotect, reserve.base, reserve.size,
						    PROT_READ | PROT_WRITE) == 0);

	errno = saved_errno;
	if (done)
		reserve.is_writable = true;
	return done && snap__arch_thread_pointer() &&
	       atomic_compare_exchange_strong(&reserve.user, &nobody, snap__arch_thread_pointer());
}

void snap__reserve_forget(const void *thread_pointer)
{
	if (thread_pointer && atomic_load(&reserve.user) != thread_pointer)
		return;
	for (unsigned i = 0; i < atomic_load(&reserve.count); i++)
		if (atomic_load(&reserve.pieces[i].state) == PIECE_PASSES)
			snap__unmap(reserve.base + reserve.pieces[i].at, reserve.pieces[i].size);
	atomic_store(&reserve.is_taking, false);
	atomic_store(&reserve.user, NULL);
}

/* ---- the pool -------------------------------------------------------------------------------- */

/* Memory of a process whose threads may map none any more; nothing is given back. */
static struct {
	char *base;
	size_t size;
	_Atomic size_t used;
} pool;

void snap__pool_keep(void)
{
	size_t size = POOL_MOST;

	if (pool.base)
		return;
	while (!pool.base && size >= POOL_LEAST) {
		pool.base = snap__map(size);
		pool.size = pool.base ? size : 0;
		size /= 2;
	}
	if (pool.base) /* it counts when it is used */
		atomic_fetch_sub_explicit(&mapped_bytes, pool.size, memory_order_relaxed);
}

static void *map_from_pool(size_t size)
{
	size_t at, end;

	size = (size + PAGE_ROUNDUP) & ~(size_t)PAGE_ROUNDUP;
	at = atomic_load(&pool.used);
	do {
		if (size > pool.size - at)
			return NULL;
		end = at + size;
	} while (!atomic_compare_exchange_weak(&pool.used, &at, end));
	atomic_fetch_add_explicit(&mapped_bytes, size, memory_order_relaxed);
	return pool.base + at;
}

/* ---- mappings -------------------------------------------------------------------------------- */

static void *map(size_t size, int flags, enum piece_state state)
{
	int saved_errno = errno;
	void *base;

	if (snap__os_is_sealed())
		return map_from_pool(size);
	base = snap__os_mmap(NULL, size, PROT_READ | PROT_WRITE,
			     MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);

	if (base == MAP_FAILED && (flags & MAP_PRIVATE))
		base = take_piece(size, state);
	if (base == MAP_FAILED) {
		base = NULL;
	} else {
		(void)snap__sys_madvise(base, size, MADV_DONTDUMP);
		note_own(base, size);
		atomic_fetch_add_explicit(&mapped_bytes, size, memory_order_relaxed);
	}
	errno = saved_errno;
	return base;
}

void *snap__map(size_t size)
{
	return map(size, MAP_PRIVATE, PIECE_LASTS);
}

void *snap__map_passing(size_t size)
{
	return map(size, MAP_PRIVATE, PIECE_PASSES);
}

void *snap__map_filled(size_t size)
{
	return map(size, size <= FILLED_MOST ? MAP_PRIVATE | MAP_POPULATE : MAP_PRIVATE,
		   PIECE_PASSES);
}

void *snap__map_shared(size_t size)
{
	return map(size, MAP_SHARED, PIECE_LASTS);
}

void snap__unmap(void *base, size_t size)
{
	int saved_errno = errno;

	if (snap__os_is_sealed())
		return;
	if (base)
		forget_own(base); /* before unmapping: another thread may then be given the same
				     addresses */
	if (base && (give_piece_back(base) || snap__os_munmap(base, size) == 0))
		atomic_fetch_sub_explicit(&mapped_bytes, size, memory_order_relaxed);
	errno = saved_errno;
}

void snap__discard(void *base, size_t size)
{
	int saved_errno = errno;

	if (snap__os_is_sealed()) {
		memset(base, 0, size);
		return;
	}
	if (snap__sys_madvise(base, size, MADV_DONTNEED) == 0)
		atomic_fetch_sub_explicit(&mapped_bytes, size, memory_order_relaxed);
	errno = saved_errno;
}

uint64_t snap__memory_mapped(void)
{
	return atomic_load_explicit(&mapped_bytes, memory_order_relaxed);
}

/* `size` bytes of `slab`, or NULL when it is full. */
static void *slab_take(struct slab *slab, size_t size)
{
	size_t offset = atomic_fetch_add_explicit(&slab->used, size, memory_order_relaxed);

	return offset <= SLAB_BYTES - size ? (char *)slab + offset : NULL;
}

/* Replace the slab `full` (NULL at first) as the current one; false when memory ran out. */
static bool slab_replace(struct slab *full)
{
	struct slab *fresh = snap__map(SLAB_BYTES);

	if (!fresh)
		return false;
	atomic_init(&fresh->used, ALIGNMENT);
	if (!atomic_compare_exchange_strong(&current_slab, &full, fresh))
		snap__unmap(fresh, SLAB_BYTES);
	return true;
}

void *snap__arena_alloc(size_t size)
{
	if (size > SIZE_MAX - PAGE_ROUNDUP)
		return NULL;
	if (size >= LARGE_BYTES)
		return snap__map((size + PAGE_ROUNDUP) & ~(size_t)PAGE_ROUNDUP);
	size = size ? (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1) : ALIGNMENT;
	for (;;) {
		struct slab *slab = atomic_load_explicit(&current_slab, memory_order_acquire);
		void *taken = slab ? slab_take(slab, size) : NULL;

		if (taken)
			return taken;
		if (!slab_replace(slab))
			return NULL;
	}
}
