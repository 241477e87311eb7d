/*
 * runtime/record.c - the life of one allocation.
 *
 * Allocation: decide whether to record it (sampling), find its call stack (unwinding), fill a slot
 * of the heap map, and add to a counter of the thread.  Free: empty the slot.  These paths write no
 * memory that threads share, except the slot, whose block the thread owns at that moment.
 *
 * Live bytes, for the growth and peak triggers, are kept as a drift per thread that is added
 * to the process-wide sum each time it exceeds a quantum.
 */
#include "runtime/record.h"

#include <errno.h>
#include <string.h>

#include "runtime/alone.h"
#include "runtime/domains.h"
#include "runtime/finemap.h"
#include "runtime/os_linux.h"
#include "runtime/python/codes.h"
#include "runtime/python/mixed.h"
#include "runtime/python/python.h"
#include "runtime/sidetable.h"
#include "runtime/stacks.h"
#include "runtime/verify.h"

#define TIMED_ONE_IN 1024u
#define LARGE        (64u << 10) /* the watcher is told before such a block is freed */
#define TIMED_MAX_NS 20000u      /* longer times were interrupted, and do not measure our cost */

atomic_uchar snap__record_mode;

atomic_uint snap__record_epoch_now = 1;
static _Atomic int64_t live_bytes, peak_bytes;
static _Atomic uint64_t watched_bytes = UINT64_MAX, watched_low;
static _Atomic int64_t report_quantum = 64 * 1024;
static void (*_Atomic watcher)(bool falls);
static void (*_Atomic on_tick)(void);

/* State while recording is on. */
static unsigned char usual_mode(void)
{
	return snap__sample_period() == 0 ? SNAP__RECORD_ALL : SNAP__RECORD_SOME;
}

static void apply_mode(unsigned char mode)
{
	snap__heapmap_suspect_all(mode == SNAP__RECORD_ALL || mode == SNAP__RECORD_ATTEND);
}

void snap__record_switch(bool on)
{
	unsigned char mode = on ? usual_mode() : SNAP__RECORD_OFF;

	atomic_store(&snap__record_mode, mode);
	apply_mode(mode);
}

void snap__record_attend(bool on)
{
	unsigned char mode = on ? SNAP__RECORD_ATTEND : usual_mode();
	unsigned char before = on ? usual_mode() : SNAP__RECORD_ATTEND;

	/* True unless recording is off, or is being switched off. */
	if (atomic_compare_exchange_strong(&snap__record_mode, &before, mode))
		apply_mode(mode);
}

uint32_t snap__record_close_epoch(void)
{
	return atomic_fetch_add(&snap__record_epoch_now, 1);
}

void snap__record_add_drift(struct snap__thread *thread)
{
	int64_t before = atomic_fetch_add(&live_bytes, thread->drift);
	int64_t now = before + thread->drift, highest = before + thread->drift_highest;
	int64_t low = (int64_t)atomic_load_explicit(&watched_low, memory_order_relaxed);
	int64_t peak = atomic_load_explicit(&peak_bytes, memory_order_relaxed);
	void (*fn)(bool falls) = atomic_load(&watcher);

	thread->drift = 0;
	thread->drift_highest = 0;
	while (highest > peak && !atomic_compare_exchange_weak(&peak_bytes, &peak, highest))
		;
	if (fn && ((highest > 0 && (uint64_t)highest >= atomic_load(&watched_bytes)) ||
		   (low > 0 && now <= low)))
		fn(false);
}

static inline void drift_up(struct snap__thread *thread, int64_t bytes)
{
	int64_t now = thread->drift + bytes;

	thread->drift = now;
	if (now > thread->drift_highest)
		thread->drift_highest = now;
	if (__builtin_expect(now >= atomic_load_explicit(&report_quantum, memory_order_relaxed), 0))
		snap__record_add_drift(thread);
}

static inline void drift_down(struct snap__thread *thread, int64_t bytes)
{
	int64_t now = thread->drift - bytes;

	thread->drift = now;
	if (__builtin_expect(now <= -atomic_load_explicit(&report_quantum, memory_order_relaxed),
			     0))
		snap__record_add_drift(thread);
}

uint64_t snap__record_live_bytes(void)
{
	int64_t sum = atomic_load(&live_bytes);

	for (struct snap__thread *t = snap__threads_first(); t; t = t->next)
		sum += t->drift;
	return sum > 0 ? (uint64_t)sum : 0;
}

uint64_t snap__record_peak_bytes(void)
{
	int64_t peak = atomic_load(&peak_bytes), live = (int64_t)snap__record_live_bytes();
	int64_t sum = atomic_load(&live_bytes);

	for (struct snap__thread *t = snap__threads_first(); t; t = t->next)
		if (sum + t->drift_highest > peak)
			peak = sum + t->drift_highest;
	return (uint64_t)(peak > live ? peak : live);
}

void snap__record_reset(void)
{
	snap__heapmap_clear();
	for (struct snap__thread *t = snap__threads_first(); t; t = t->next)
		t->drift = t->drift_highest = 0;
	atomic_store(&live_bytes, 0);
	atomic_store(&peak_bytes, 0);
}

/*
 * The levels are compared with the process-wide sum.  It differs from the live heap by the bytes
 * that resting threads have not reported.  If the sum is past a level that the heap has not
 * reached, each report calls the watcher for nothing.  The levels must not be moved to avoid these
 * calls: when the resting threads report, the sum moves back, and the heap would pass the level
 * without a call.
 */
void snap__record_watch(uint64_t bytes, uint64_t low, uint64_t quantum, void (*fn)(bool falls))
{
	atomic_store(&report_quantum, quantum > 0 ? (int64_t)quantum : 1);
	atomic_store(&watcher, fn);
	atomic_store(&watched_low, low);
	atomic_store(&watched_bytes, bytes);
}

void snap__record_on_tick(void (*fn)(void))
{
	atomic_store(&on_tick, fn);
}

/* Live bytes that a taken block stands for: an estimate in sampled mode. */
static int64_t live_weight(uint64_t size)
{
	return snap__sample_period() == 0 ? (int64_t)size : snap__sample_bytes(size);
}

__attribute__((noinline)) static void count_incomplete(struct snap__thread *thread,
						       struct snap__capture found)
{
	if (found.truncated)
		snap__thread_count(thread, SNAP__COUNT_TRUNCATED);
	if (found.stack == 0)
		snap__thread_count(thread, SNAP__COUNT_OVERFLOWS);
	if (found.shortened)
		snap__thread_count(thread, SNAP__COUNT_SHORTENED);
}

static inline uint32_t capture(struct snap__thread *thread, const void *frame, bool *walked)
{
	struct snap__regs regs = snap__regs_of_caller(frame);
	struct snap__capture found = snap__unwind_capture(thread->unwind, &regs);

	*walked = found.walked;
	if (__builtin_expect(found.truncated || found.shortened || found.stack == 0, 0))
		count_incomplete(thread, found);
	if (__builtin_expect(snap__verify_every != 0, 0))
		snap__verify(thread, &regs, &found);
	if (__builtin_expect(atomic_load_explicit(&snap__python_is_on, memory_order_relaxed), 0))
		return snap__python_mixed(thread, found.stack);
	return found.stack;
}

static void credit(struct snap__thread *thread, uint32_t stack, uint64_t size)
{
	if (snap__sample_period() == 0)
		snap__thread_credit(thread, stack, size);
	else
		snap__sample_credit(stack, size);
}

/* Slow path: a new page of the map, a large block, a sampled program ... */
__attribute__((noinline)) static void put(struct snap__thread *thread, const void *ptr,
					  uint64_t size, uint32_t stack, uint32_t born)
{
	struct snap__block block = {.stack = stack, .epoch = born, .size = size};
	bool stale = false;

	if (!snap__heapmap_put((uintptr_t)ptr, &block, &stale))
		snap__thread_count(thread, SNAP__COUNT_OVERFLOWS);
	if (stale)
		snap__thread_count(thread, SNAP__COUNT_UNSEEN_FREES);
}

/*
 * Put the block of `size` bytes at `ptr`, born in epoch `born`, with the stack that `frame` has;
 * `n` blocks were before it.  The place is looked up first, so that its slot is fetched while the
 * stack is unwound.  `exact`: nothing is sampled.
 */
__attribute__((always_inline)) static inline void enter(struct snap__thread *thread, bool exact,
							uint64_t n, const void *ptr, uint64_t size,
							uint32_t born, const void *frame)
{
	struct snap__place place = snap__heapmap_place((uintptr_t)ptr);
	bool walked;
	uint32_t stack = capture(thread, frame, &walked);
	const struct snap__block block = {.stack = stack, .epoch = born, .size = size};

	if (__builtin_expect(!snap__heapmap_put_at(place, (uintptr_t)ptr, &block), 0))
		put(thread, ptr, size, stack, born);
	atomic_store_explicit(&thread->counts[SNAP__COUNT_ALLOCATED], n + 1, memory_order_relaxed);
	if (!exact)
		credit(thread, stack, size);
	else if (walked)
		snap__thread_credit_late(thread, stack, size);
	else
		snap__thread_credit(thread, stack, size);
	drift_up(thread, exact ? (int64_t)size : live_weight(size));
}

static void note_time(struct snap__thread *thread, uint64_t start)
{
	uint64_t spent = snap__os_mono_ns() - start;

	if (spent < TIMED_MAX_NS)
		atomic_fetch_add_explicit(&thread->counts[SNAP__COUNT_TIMED], spent,
					  memory_order_relaxed);
	if (atomic_load_explicit(&on_tick, memory_order_relaxed))
		atomic_load (&on_tick)();
}

/* One event in many is timed; after it, regular tasks of the process are done. */
__attribute__((noinline)) static void enter_timed(struct snap__thread *thread, uint64_t n,
						  const void *ptr, uint64_t size, uint32_t born,
						  const void *frame)
{
	uint64_t start = snap__os_mono_ns();

	enter(thread, false, n, ptr, size, born, frame);
	note_time(thread, start);
}

__attribute__((always_inline)) static inline void enter_any(struct snap__thread *thread, bool exact,
							    const void *ptr, uint64_t size,
							    uint32_t born, const void *frame)
{
	uint64_t n =
		atomic_load_explicit(&thread->counts[SNAP__COUNT_ALLOCATED], memory_order_relaxed);

	if (__builtin_expect(n % TIMED_ONE_IN == TIMED_ONE_IN / 32, 0))
		enter_timed(thread, n, ptr, size, born, frame);
	else
		enter(thread, exact, n, ptr, size, born, frame);
}

/* Mark the thread as recording; false if it is already recording: this event is not recorded. */
static inline bool begin(struct snap__thread *thread)
{
	if (__builtin_expect(thread->busy != SNAP__IDLE, 0)) {
		if (thread->busy == SNAP__RECORDING)
			snap__thread_count(thread, SNAP__COUNT_REENTRANT);
		return false;
	}
	thread->busy = SNAP__RECORDING;
	atomic_signal_fence(memory_order_seq_cst);
	return true;
}

static inline void end(struct snap__thread *thread)
{
	atomic_signal_fence(memory_order_seq_cst);
	thread->busy = SNAP__IDLE;
	snap__thread_done(thread);
}

static inline unsigned record_mode(void)
{
	return atomic_load_explicit(&snap__record_mode, memory_order_relaxed);
}

/* Whether a malloc inside another allocator is recorded is known only when that allocator
 * returns. */
static void note_nested(struct snap__thread *thread, const void *ptr, uint64_t size)
{
	if (thread->nested_count < SNAP__NESTED_MAX)
		thread->nested[thread->nested_count++] = (struct snap__nested){ptr, size};
}

static void drop_nested(struct snap__thread *thread, const void *ptr)
{
	for (unsigned i = 0; i < thread->nested_count; i++)
		if (thread->nested[i].ptr == ptr)
			thread->nested[i] = thread->nested[--thread->nested_count];
}

/* Slow path: the first event of a thread, an event that interrupts another, a sampled program
 * ... */
__attribute__((noinline)) static void record_slowly(const void *ptr, uint64_t size, uint32_t born,
						    const void *frame)
{
	struct snap__thread *thread = snap__recording() ? snap__thread_get() : NULL;

	if (thread && thread->busy == SNAP__INNER)
		note_nested(thread, ptr, size);
	if (!thread || !begin(thread))
		return;
	if (record_mode() == SNAP__RECORD_ATTEND)
		snap__alone_here();
	if (snap__sample_period() == 0 || snap__sample_takes(&thread->sampler, size))
		enter_any(thread, false, ptr, size, born, frame);
	end(thread);
}

__attribute__((always_inline)) static inline void record(const void *ptr, uint64_t size,
							 uint32_t born, const void *frame)
{
	struct snap__thread *thread = snap__thread_self;

	if (__builtin_expect(!thread || thread->busy != SNAP__IDLE ||
				     record_mode() != SNAP__RECORD_ALL,
			     0)) {
		record_slowly(ptr, size, born, frame);
		return;
	}
	thread->busy = SNAP__RECORDING;
	atomic_signal_fence(memory_order_seq_cst);
	enter_any(thread, true, ptr, size, born, frame);
	atomic_signal_fence(memory_order_seq_cst);
	thread->busy = SNAP__IDLE;
}

void snap__record_alloc(const void *ptr, size_t size, const void *frame)
{
	record(ptr, size, snap__record_epoch(), frame);
}

/* A copy of the process that is made meanwhile finds the block here.  So holders are right even if
   a thread is inside realloc(). */
static void note_moving(const void *ptr, const struct snap__held *held, uint64_t size)
{
	struct snap__thread *thread = held->known ? snap__thread_self : NULL;

	if (!thread)
		return;
	thread->moving.kept = false;
	thread->moving.block = held->block;
	thread->moving.block.size = size;
	atomic_signal_fence(memory_order_seq_cst);
	thread->moving.ptr = ptr;
}

void snap__record_keep_words(const void *ptr)
{
	struct snap__thread *thread = snap__thread_self;
	struct snap__moving *moving = thread ? &thread->moving : NULL;
	uint64_t size = moving ? moving->block.size : 0;

	/* There are no holders in sampled mode. */
	if (!moving || moving->ptr != ptr || size < sizeof(moving->last) ||
	    snap__sample_period() != 0)
		return;
	memcpy(moving->first, ptr, size < sizeof(moving->first) ? size : sizeof(moving->first));
	memcpy(&moving->last, (const char *)ptr + snap__moving_last(size), sizeof(moving->last));
	atomic_signal_fence(memory_order_seq_cst);
	moving->kept = true;
}

static void end_moving(void)
{
	struct snap__thread *thread = snap__thread_self;

	atomic_signal_fence(memory_order_seq_cst);
	if (thread)
		thread->moving.ptr = NULL;
}

/* A block that is being resized counts as live until the result is known.  Otherwise each realloc()
 * of a large block would look as if the heap fell from its peak. */
static void leave_live(const struct snap__held *held)
{
	struct snap__thread *thread = held->known ? snap__thread_get() : NULL;

	if (thread) {
		thread->drift -= live_weight(held->block.size);
		snap__thread_done(thread);
	} else if (held->known) {
		atomic_fetch_sub(&live_bytes, live_weight(held->block.size));
	}
}

/* Report it if the block became much smaller, or is gone. */
static void report_fall(void)
{
	struct snap__thread *thread = snap__thread_self;

	if (thread)
		drift_down(thread, 0);
}

void snap__record_resized(const struct snap__held *held, const void *ptr, size_t size,
			  const void *frame)
{
	note_moving(ptr, held, size);
	leave_live(held);
	record(ptr, size, held->known ? held->block.epoch : snap__record_epoch(), frame);
	end_moving();
	report_fall();
}

/* A large block was taken out of the map and is about to be freed.  If a snapshot of the peak is
   due, put it back while that is written. */
__attribute__((noinline)) static void before_large_goes(const struct snap__thread *thread,
							const void *ptr, struct snap__block *block)
{
	int64_t low = (int64_t)atomic_load_explicit(&watched_low, memory_order_relaxed);
	int64_t now = atomic_load(&live_bytes) + thread->drift;
	void (*fn)(bool falls) = atomic_load(&watcher);
	struct snap__block same = *block;
	bool stale;

	if (!fn || low <= 0 || now <= low || now - live_weight(block->size) > low ||
	    !snap__heapmap_put((uintptr_t)ptr, block, &stale))
		return;
	fn(true);
	(void)snap__heapmap_take((uintptr_t)ptr, &same);
}

static inline void leave(struct snap__thread *thread, const void *ptr, struct snap__block *block,
			 int64_t weight)
{
	if (__builtin_expect(block->size >= LARGE, 0))
		before_large_goes(thread, ptr, block);
	drift_down(thread, weight);
}

/* Slow path: a thread without a state, a large block, an unknown block, a sampled program ... */
__attribute__((noinline)) static bool forget_slowly(const void *ptr, struct snap__block *block,
						    bool is_free)
{
	struct snap__thread *thread = snap__thread_get();
	bool known;

	if (!thread || thread->busy == SNAP__INTERNAL)
		return false;
	if (record_mode() == SNAP__RECORD_ATTEND)
		snap__alone_here();
	known = snap__heapmap_take((uintptr_t)ptr, block);
	if (known) {
		snap__thread_count(thread, SNAP__COUNT_FREED);
		if (is_free)
			leave(thread, ptr, block, live_weight(block->size));
	} else if (thread->busy == SNAP__INNER) {
		drop_nested(thread, ptr); /* or the other allocator had it, and its free was not
					     seen */
	} else if (snap__sample_period() == 0) {
		snap__thread_count(thread, SNAP__COUNT_UNKNOWN_FREES);
	}
	snap__thread_done(thread);
	return known;
}

/* The thread need not be marked: a signal handler that interrupts this uses other blocks and other
 * slots.  A dense map means exact mode, where each block counts with its own size.  `is_free`: the
 * block is not live any more. */
__attribute__((always_inline)) static inline bool forget(const void *ptr, struct snap__block *block,
							 bool is_free)
{
	struct snap__place place = snap__heapmap_place((uintptr_t)ptr);
	struct snap__thread *thread = snap__thread_self;

	if (__builtin_expect(!thread || thread->busy == SNAP__INTERNAL ||
				     (!snap__heapmap_take_at(place, (uintptr_t)ptr, block) &&
				      !snap__heapmap_take_large((uintptr_t)ptr, block)),
			     0))
		return forget_slowly(ptr, block, is_free);
	snap__thread_count(thread, SNAP__COUNT_FREED);
	if (is_free)
		leave(thread, ptr, block, (int64_t)block->size);
	return true;
}

void snap__record_forget(const void *ptr, struct snap__held *held)
{
	held->known = forget(ptr, &held->block, false);
	note_moving(ptr, held, held->block.size);
}

void snap__record_free(const void *ptr)
{
	struct snap__block block;

	forget(ptr, &block, true);
}

void snap__record_gone(const struct snap__held *held)
{
	end_moving();
	leave_live(held);
	report_fall();
}

void snap__record_restore(const struct snap__held *held, const void *ptr)
{
	struct snap__thread *thread = held->known ? snap__thread_get() : NULL;
	bool stale;

	if (!thread)
		return;
	snap__heapmap_put((uintptr_t)ptr, &held->block, &stale);
	end_moving();
	snap__thread_done(thread);
}

/* ---- blocks of an allocator inside the host -------------------------------------------------- */

struct snap__thread *snap__record_inner_begin_slowly(void)
{
	struct snap__thread *thread = snap__recording() ? snap__thread_get() : NULL;

	if (!thread || !begin(thread))
		return NULL;
	if (record_mode() == SNAP__RECORD_ATTEND)
		snap__alone_here();
	thread->busy = SNAP__INNER;
	return thread;
}

/* A debugging layer returns a part of a larger block. */
static bool has_inside(const struct snap__nested *nested, const void *ptr)
{
	return nested->ptr == ptr || (uintptr_t)ptr - (uintptr_t)nested->ptr < nested->size;
}

void snap__record_nested(struct snap__thread *thread, const void *ptr, const void *frame)
{
	unsigned count = thread->nested_count;

	thread->nested_count = 0;
	for (unsigned i = 0; i < count; i++)
		if (!has_inside(&thread->nested[i], ptr))
			snap__record_alloc(thread->nested[i].ptr, thread->nested[i].size, frame);
}

/* Slow path: a new page of the map, a large block, a sampled program ... */
__attribute__((noinline)) static void put_inner_slowly(struct snap__thread *thread, const void *ptr,
						       const struct snap__block *block)
{
	bool stale = false, done;

	if (block->size <= SNAP__SMALL_MAX)
		done = snap__heapmap_put_fine((uintptr_t)ptr, block, &stale);
	else
		done = snap__heapmap_put((uintptr_t)ptr, block, &stale);
	if (!done)
		snap__thread_count(thread, SNAP__COUNT_OVERFLOWS);
	if (stale) {
		snap__thread_count(thread, SNAP__COUNT_UNSEEN_FREES);
		snap__python_code_goes(ptr);
	}
}

/* As enter(), for the map of finemap.h. */
__attribute__((always_inline)) static inline void
enter_inner(struct snap__thread *thread, bool exact, uint64_t n, const void *ptr, uint64_t size,
	    uint32_t born, snap__record_stack_fn *stack, const void *frame)
{
	snap__slot *slot = snap__finemap_slot((uintptr_t)ptr);
	const struct snap__block block = {
		.stack = stack(thread, frame), .epoch = born, .size = size};

	if (__builtin_expect(!slot || !snap__slot_fill(slot, (uintptr_t)ptr, &block), 0))
		put_inner_slowly(thread, ptr, &block);
	atomic_store_explicit(&thread->counts[SNAP__COUNT_ALLOCATED], n + 1, memory_order_relaxed);
	if (exact)
		snap__thread_credit(thread, block.stack, size);
	else
		credit(thread, block.stack, size);
	drift_up(thread, exact ? (int64_t)size : live_weight(size));
	if (__builtin_expect(block.stack == 0, 0))
		snap__thread_count(thread, SNAP__COUNT_OVERFLOWS);
}

__attribute__((noinline)) static void
enter_inner_slowly(struct snap__thread *thread, uint64_t n, const void *ptr, uint64_t size,
		   uint32_t born, snap__record_stack_fn *stack, const void *frame)
{
	uint64_t start = snap__os_mono_ns();

	enter_inner(thread, false, n, ptr, size, born, stack, frame);
	if (n % TIMED_ONE_IN == TIMED_ONE_IN / 32)
		note_time(thread, start);
}

void snap__record_inner_came(struct snap__thread *thread, const void *ptr, uint64_t size,
			     uint32_t born, snap__record_stack_fn *stack, const void *frame)
{
	uint64_t n =
		atomic_load_explicit(&thread->counts[SNAP__COUNT_ALLOCATED], memory_order_relaxed);
	uint64_t period = snap__sample_period();

	if (__builtin_expect(period == 0 && n % TIMED_ONE_IN != TIMED_ONE_IN / 32, 1))
		enter_inner(thread, true, n, ptr, size, born, stack, frame);
	else if (period == 0 || snap__sample_takes(&thread->sampler, size))
		enter_inner_slowly(thread, n, ptr, size, born, stack, frame);
}

/* Slow path: a marked block, a block of malloc, an unknown block ... */
__attribute__((noinline)) static bool take_inner_slowly(const void *ptr, struct snap__block *block)
{
	bool is_fine = snap__heapmap_take_fine((uintptr_t)ptr, block);

	/* What is in the side table has no mark, but the filter knows it. */
	if ((is_fine && block->marked) || snap__python_may_be_code(ptr))
		snap__python_code_goes(ptr);
	return is_fine || snap__heapmap_take((uintptr_t)ptr, block);
}

__attribute__((noinline)) static bool goes_slowly(struct snap__thread *thread, const void *ptr,
						  struct snap__block *block, bool is_free)
{
	if (!take_inner_slowly(ptr, block)) {
		if (snap__sample_period() == 0)
			snap__thread_count(thread, SNAP__COUNT_UNKNOWN_FREES);
		return false;
	}
	snap__thread_count(thread, SNAP__COUNT_FREED);
	if (is_free)
		leave(thread, ptr, block, live_weight(block->size));
	return true;
}

/* A block in a slot of a dense map: exact mode. */
__attribute__((always_inline)) static inline bool
inner_goes(struct snap__thread *thread, const void *ptr, struct snap__block *block, bool is_free)
{
	snap__slot *slot = snap__finemap_slot((uintptr_t)ptr);

	if (__builtin_expect(!slot || !snap__slot_empty(slot, (uintptr_t)ptr, block), 0))
		return goes_slowly(thread, ptr, block, is_free);
	snap__thread_count(thread, SNAP__COUNT_FREED);
	if (is_free)
		drift_down(thread, (int64_t)block->size);
	return true;
}

bool snap__record_inner_goes(struct snap__thread *thread, const void *ptr,
			     struct snap__block *block)
{
	return inner_goes(thread, ptr, block, true);
}

bool snap__record_inner_moves(struct snap__thread *thread, const void *ptr,
			      struct snap__block *block)
{
	return inner_goes(thread, ptr, block, false);
}

void snap__record_inner_moved(struct snap__thread *thread, const struct snap__block *block)
{
	thread->drift -= live_weight(block->size);
}

void snap__record_inner_stays(struct snap__thread *thread, const void *ptr,
			      const struct snap__block *block)
{
	put_inner_slowly(thread, ptr, block);
}

/* ---- other domains --------------------------------------------------------------------------- */

uint32_t snap__record_domain_stack(struct snap__thread *thread, uint32_t domain, const void *frame)
{
	bool walked;
	uint32_t stack = snap__stacks_child_for(capture(thread, frame, &walked),
						SNAP__PC_DOMAIN + domain, SNAP__CLAIM_RESERVED);

	if (stack == 0)
		snap__thread_count(thread, SNAP__COUNT_OVERFLOWS);
	return stack;
}

bool snap__record_domain_enter(uint32_t domain, uintptr_t address, uint64_t size, uint32_t born,
			       const void *frame)
{
	struct snap__thread *thread = snap__thread_get();
	struct snap__block block = {.size = size, .epoch = born};
	bool done = true, stale = false;

	if (!thread || !begin(thread))
		return false;
	if (snap__sample_period() == 0 || snap__sample_takes(&thread->sampler, size)) {
		block.stack = snap__record_domain_stack(thread, domain, frame);
		done = block.stack != 0 && snap__side_put(domain, address, &block, &stale);
		snap__thread_count(thread, done ? SNAP__COUNT_ALLOCATED : SNAP__COUNT_OVERFLOWS);
		if (done)
			credit(thread, block.stack, size);
	}
	if (stale)
		snap__thread_count(thread, SNAP__COUNT_UNSEEN_FREES);
	end(thread);
	return done;
}

bool snap__record_domain_alloc(uint32_t domain, uintptr_t address, uint64_t size, const void *frame)
{
	return snap__record_domain_enter(domain, address, size, snap__record_epoch(), frame);
}

static void count_overflow(void)
{
	struct snap__thread *thread = snap__thread_get();

	if (!thread)
		return;
	snap__thread_count(thread, SNAP__COUNT_OVERFLOWS);
	snap__thread_done(thread);
}

static bool domain_leave(uint32_t domain, uintptr_t address, struct snap__block *old)
{
	struct snap__thread *thread = snap__thread_get();
	bool found;

	if (!thread || !begin(thread))
		return false;
	found = snap__side_take(domain, address, old);
	if (found)
		snap__thread_count(thread, SNAP__COUNT_FREED);
	else if (snap__sample_period() == 0)
		snap__thread_count(thread, SNAP__COUNT_UNKNOWN_FREES);
	end(thread);
	return found || snap__sample_period() != 0;
}

bool snap__record_domain_free(uint32_t domain, uintptr_t address)
{
	struct snap__block old;

	return domain_leave(domain, address, &old);
}

bool snap__record_domain_resize(uint32_t domain, uintptr_t old_address, uintptr_t address,
				uint64_t size, const void *frame)
{
	struct snap__block old = {.epoch = snap__record_epoch()};

	domain_leave(domain, old_address, &old);
	return snap__record_domain_enter(domain, address, size, old.epoch, frame);
}

void snap__record_domain_cut(uint32_t domain, uintptr_t address, uint64_t low_size,
			     uintptr_t high_address, uint64_t high_size, uint32_t *born)
{
	struct snap__block block;
	bool stale;

	if (!domain_leave(domain, address, &block))
		return;
	*born = block.epoch;
	block.size = low_size;
	if (low_size && !snap__side_put(domain, address, &block, &stale))
		count_overflow();
	block.size = high_size;
	if (high_size && !snap__side_put(domain, high_address, &block, &stale))
		count_overflow();
}
