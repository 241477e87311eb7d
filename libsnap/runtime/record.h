/*
 * runtime/record.h - the life of one allocation.
 *
 * The entry points (preload/) call these around the real malloc.  `frame` is always
 * __builtin_frame_address(0) of a function that the host called directly and that was compiled
 * with a frame pointer: the recorded stack begins at its caller.
 */
#ifndef SNAP_RUNTIME_RECORD_H
#define SNAP_RUNTIME_RECORD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/hidden.h"
#include "runtime/heapmap.h"
#include "runtime/thread.h"

/** Which events are recorded. */
enum snap__record_mode {
	SNAP__RECORD_OFF,
	SNAP__RECORD_SOME, /* those that snap__sample_takes() picks */
	SNAP__RECORD_ALL,
	SNAP__RECORD_ATTEND, /* as before, but the next event calls snap__alone_here() */
};
extern SNAP__HIDDEN atomic_uchar snap__record_mode;

/** Start or stop recording: all events, or a sample if there is a sampling period. */
void snap__record_switch(bool on);

/** Make the next allocating thread call snap__alone_here() (alone.h), or stop doing so. */
void snap__record_attend(bool on);

static inline bool snap__recording(void)
{
	return atomic_load_explicit(&snap__record_mode, memory_order_relaxed) != SNAP__RECORD_OFF;
}

/**
 * The first thing that every call of malloc asks.  True: an allocation of `size` bytes is not to be
 * recorded, and snap__record_alloc() not called.  Where there is no sampling it is never true, also
 * while recording is off.
 */
static inline bool snap__record_skips(size_t size)
{
	return snap__sample_passes(size);
}

/** The same for free.  True: the block at `ptr` is not recorded, and snap__record_free() not
 * called. */
static inline bool snap__record_ignores(const void *ptr)
{
	return !snap__heapmap_may_hold((uintptr_t)ptr);
}

/** A block that was taken out of the heap map around a resize. */
struct snap__held {
	struct snap__block block;
	bool known;
};

/** `ptr` was handed out for `size` requested bytes.  Nothing happens while recording is off. */
void snap__record_alloc(const void *ptr, size_t size, const void *frame);

/** `ptr` is about to be freed. */
void snap__record_free(const void *ptr);

/** `ptr` is about to be resized; then exactly one of the three follows. */
void snap__record_forget(const void *ptr, struct snap__held *held);
/** Call it before the resize: it keeps the words that the allocator may overwrite.  All of the
 * block must be readable. */
void snap__record_keep_words(const void *ptr);
/** The block is now at `ptr` with `size` bytes. */
void snap__record_resized(const struct snap__held *held, const void *ptr, size_t size,
			  const void *frame);
/** The resize failed, and the block at `ptr` is as it was. */
void snap__record_restore(const struct snap__held *held, const void *ptr);
/** The block is gone: realloc(ptr, 0) freed it. */
void snap__record_gone(const struct snap__held *held);

/**
 * Blocks of an allocator inside the host (CPython's), whose calls are wrapped.  Such an allocator
 * may take a block from malloc and return it to its caller, which must not count twice.  So mallocs
 * between begin and end wait; at the end all of them are recorded except that of the block `ptr`
 * that was returned (NULL: none). Begin returns NULL if nothing is to be recorded now; then none of
 * the others is called.
 */
struct snap__thread *snap__record_inner_begin_slowly(void);
void snap__record_nested(struct snap__thread *thread, const void *ptr, const void *frame);

/* The usual case; NULL in all others. */
static inline struct snap__thread *snap__record_inner_begin_now(void)
{
	struct snap__thread *thread = snap__thread_self;

	if (__builtin_expect(!thread || thread->busy != SNAP__IDLE ||
				     atomic_load_explicit(&snap__record_mode,
							  memory_order_relaxed) != SNAP__RECORD_ALL,
			     0))
		return NULL;
	thread->busy = SNAP__INNER;
	atomic_signal_fence(memory_order_seq_cst);
	return thread;
}

/** Begin an allocation of `size` bytes. */
static inline struct snap__thread *snap__record_inner_begin(size_t size)
{
	struct snap__thread *thread = snap__record_inner_begin_now();

	if (__builtin_expect(thread != NULL, 1))
		return thread;
	return snap__record_skips(size) ? NULL : snap__record_inner_begin_slowly();
}

/** Begin a free or a resize of the block at `ptr`, which may be NULL. */
static inline struct snap__thread *snap__record_inner_begin_free(const void *ptr)
{
	struct snap__thread *thread = ptr ? snap__record_inner_begin_now() : NULL;

	if (__builtin_expect(thread != NULL, 1))
		return thread;
	return !ptr || snap__record_ignores(ptr) ? NULL : snap__record_inner_begin_slowly();
}

static inline void snap__record_inner_end(struct snap__thread *thread, const void *ptr,
					  const void *frame)
{
	atomic_signal_fence(memory_order_seq_cst);
	thread->busy = SNAP__IDLE;
	if (__builtin_expect(thread->nested_count != 0, 0))
		snap__record_nested(thread, ptr, frame);
	snap__thread_done(thread);
}

/** Returns the call stack of the next block; 0 counts as a loss. */
typedef uint32_t snap__record_stack_fn(struct snap__thread *thread, const void *frame);

/** A block was allocated in epoch `born`; `stack` is called with `frame` unless sampling skips
 * the block.
 */
void snap__record_inner_came(struct snap__thread *thread, const void *ptr, uint64_t size,
			     uint32_t born, snap__record_stack_fn *stack, const void *frame);
/** A block is freed; false if it is unknown.  Otherwise `*block` says what it was. */
bool snap__record_inner_goes(struct snap__thread *thread, const void *ptr,
			     struct snap__block *block);
/** A block is being resized, and counts as live until one of the next two is called. */
bool snap__record_inner_moves(struct snap__thread *thread, const void *ptr,
			      struct snap__block *block);
/** The block was moved; snap__record_inner_came() is called next with the new place. */
void snap__record_inner_moved(struct snap__thread *thread, const struct snap__block *block);
/** The resize failed: the block stays. */
void snap__record_inner_stays(struct snap__thread *thread, const void *ptr,
			      const struct snap__block *block);

/** The native stack of `frame` (as above), with a leaf that says which domain its blocks are in. */
uint32_t snap__record_domain_stack(struct snap__thread *thread, uint32_t domain, const void *frame);

/** The same for blocks of other domains (domains.h); `domain` > 0. False: lost, or no such block.
 */
bool snap__record_domain_alloc(uint32_t domain, uintptr_t address, uint64_t size,
			       const void *frame);
bool snap__record_domain_resize(uint32_t domain, uintptr_t old_address, uintptr_t address,
				uint64_t size, const void *frame);
bool snap__record_domain_free(uint32_t domain, uintptr_t address);

/** The same for a block that was born in epoch `born`. */
bool snap__record_domain_enter(uint32_t domain, uintptr_t address, uint64_t size, uint32_t born,
			       const void *frame);
/**
 * A part of the block at `address` is freed: `low_size` bytes remain there, and `high_size` bytes
 * at `high_address`; either may be 0.  They keep the block's stack and epoch; `*born` gets the
 * epoch.
 */
void snap__record_domain_cut(uint32_t domain, uintptr_t address, uint64_t low_size,
			     uintptr_t high_address, uint64_t high_size, uint32_t *born);

/** Epoch that blocks are born into now; closing it returns the old one. */
extern SNAP__HIDDEN atomic_uint snap__record_epoch_now;
static inline uint32_t snap__record_epoch(void)
{
	return atomic_load_explicit(&snap__record_epoch_now, memory_order_relaxed);
}
uint32_t snap__record_close_epoch(void);

/** Live bytes, except what threads have not reported yet (exact while no thread allocates). */
uint64_t snap__record_live_bytes(void);
/** The largest value that it had. */
uint64_t snap__record_peak_bytes(void);

/** Forget every block and its weight; recording must be off. */
void snap__record_reset(void);

/**
 * Have `fn` called (from an allocating or freeing thread; it must be quick and async-signal-safe)
 * when the live heap reaches `bytes` (UINT64_MAX: never), and when it has fallen to `low` (0:
 * never).  Threads report every `quantum` bytes.  With `falls` true a large block is still live, and
 * the heap falls to `low` as soon as `fn` returns.
 */
void snap__record_watch(uint64_t bytes, uint64_t low, uint64_t quantum, void (*fn)(bool falls));

/** Have `fn` called now and then, from an allocating thread (one allocation in 1,024). */
void snap__record_on_tick(void (*fn)(void));

/** Add a thread's unreported bytes to the process-wide sum. */
void snap__record_add_drift(struct snap__thread *thread);

#endif
