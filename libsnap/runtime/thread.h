/*
 * runtime/thread.h - what the recorder keeps for each thread.
 *
 * States come from the arena and are never given back: a thread that ends leaves its state, with
 * its counters, to a later one, so that sums over the list are sums over the process.  Only the
 * owner writes a state's counters; others may read them at any time.
 */
#ifndef SNAP_RUNTIME_THREAD_H
#define SNAP_RUNTIME_THREAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "runtime/hidden.h"
#include "runtime/sample.h"
#include "runtime/slot.h"
#include "runtime/unwind/unwind.h"

/** Cumulative counts of one stack that have not been credited to the stack tree yet. */
struct snap__credit {
	_Atomic uint32_t stack; /* 0: free */
	_Atomic uint32_t blocks;
	_Atomic uint64_t bytes;
};

/** A stack's entry is at the place that its id gives, or elsewhere in the same cache line.  A table
 * that evicts many entries is replaced by a larger one. */
struct snap__credits {
	uint32_t mask;
	_Alignas(64) struct snap__credit entries[];
};
#define SNAP__CREDITS_A_LINE 4u

static inline struct snap__credit *snap__credit_own(struct snap__credits *credits, uint32_t stack)
{
	return &credits->entries[stack & credits->mask];
}

/** The first of the entries that may be that of `stack`. */
static inline struct snap__credit *snap__credit_line(struct snap__credits *credits, uint32_t stack)
{
	return &credits->entries[stack & credits->mask & ~(SNAP__CREDITS_A_LINE - 1)];
}

/** Things counted per thread. */
enum snap__count {
	SNAP__COUNT_ALLOCATED,     /* blocks recorded, resized ones included */
	SNAP__COUNT_FREED,         /* recorded blocks that were freed or resized */
	SNAP__COUNT_REENTRANT,     /* allocations not recorded: a signal came while we recorded */
	SNAP__COUNT_UNKNOWN_FREES, /* frees of blocks that we never saw */
	SNAP__COUNT_UNSEEN_FREES,  /* blocks whose address was handed out again before we saw a free
				    */
	SNAP__COUNT_TRUNCATED,     /* stacks that could not be unwound to their end */
	SNAP__COUNT_SHORTENED, /* stacks for which the tree had room only for the newest frames */
	SNAP__COUNT_OVERFLOWS, /* blocks or stacks for which a table had no room */
	SNAP__COUNT_TIMED,     /* nanoseconds spent recording, in one allocation of 1,024 */
	SNAP__COUNTS
};

/** Why a thread's events are not recorded now. */
enum snap__busy {
	SNAP__IDLE = 0,
	SNAP__RECORDING = 1, /* an event now interrupted the recorder: it is lost, and counted */
	SNAP__INTERNAL = 2,  /* an event now is our own, not the host's */
	SNAP__INNER = 3,     /* an allocator inside the host is running: see record.h */
};

/** Blocks that an allocator inside the host takes from malloc in one call; further ones are lost. */
#define SNAP__NESTED_MAX 4u

struct snap__nested {
	const void *ptr;
	uint64_t size;
};

/** A block that realloc() is moving: it is in no map.  When realloc() gives the old place back, the
 * allocator may overwrite the first words there, and the last one. */
struct snap__moving {
	const void *volatile ptr; /* NULL: there is none */
	volatile bool kept;       /* the words are */
	struct snap__block block;
	uintptr_t first[4], last;
};

/** The offset of the last whole word of a block of `size` bytes. */
static inline uint64_t snap__moving_last(uint64_t size)
{
	return (size / sizeof(uintptr_t) - 1) * sizeof(uintptr_t);
}

struct snap__thread {
	struct snap__thread *next; /* constant once published */
	atomic_uint owned;
	uintptr_t id;                /* pthread_self() of the owner */
	volatile unsigned char busy; /* enum snap__busy */
	unsigned char nested_count;
	bool transient; /* borrowed for one event by a thread that is about to end */
	struct snap__unwind_thread *unwind;
	struct snap__python_kept *python; /* see python/frames.h; NULL: none yet */
	struct snap__credits *_Atomic credits;
	struct snap__credit late;      /* see snap__thread_credit_late(): one block, or empty */
	uint32_t mallocs_below_python; /* counts down to the next check */
	uint32_t evictions;            /* since `credits` was last enlarged */
	int64_t drift;                 /* live bytes that the process-wide sum does not know of */
	int64_t drift_highest; /* largest value of `drift` since it was last added to the sum */
	struct snap__sampler sampler;
	struct snap__nested nested[SNAP__NESTED_MAX];
	struct snap__moving moving;
	_Atomic uintptr_t signal_stack; /* the stack for signal handlers; 0: none, or not known */
	_Atomic uintptr_t stack_inside,
		stack_top; /* an address in its stack, and the stack's end */
	_Atomic uint64_t counts[SNAP__COUNTS];
};

/** Call it once, before the first event. */
bool snap__threads_init(void);

/**
 * The calling thread's state; NULL if there is none, or if the caller interrupted this function.
 * Pair with snap__thread_done().
 */
struct snap__thread *snap__thread_slow(void);
void snap__thread_leave(struct snap__thread *thread);

extern SNAP__HIDDEN _Thread_local struct snap__thread *snap__thread_self;

static inline struct snap__thread *snap__thread_get(void)
{
	struct snap__thread *self = snap__thread_self;

	return __builtin_expect(self != NULL, 1) ? self : snap__thread_slow();
}

/** The end of an event: return a state that was borrowed for it. */
static inline void snap__thread_done(struct snap__thread *thread)
{
	if (__builtin_expect(thread->transient, 0))
		snap__thread_leave(thread);
}

static inline void snap__thread_count(struct snap__thread *thread, enum snap__count what)
{
	atomic_store_explicit(&thread->counts[what],
			      atomic_load_explicit(&thread->counts[what], memory_order_relaxed) + 1,
			      memory_order_relaxed);
}

/** With true: events of the calling thread are our own from here, until it is called with false. */
void snap__thread_internal(bool on);

/** The first state of the list; follow `next`. */
struct snap__thread *snap__threads_first(void);

/** Bytes of the states that were never written, and so take no memory. */
uint64_t snap__threads_untouched(void);

/** Sum of a counter over all states. */
uint64_t snap__threads_total(enum snap__count what);

/** Credit `bytes` and a block to `stack`, if its entry in the thread's table belongs to another
 * stack or is full.
 */
void snap__thread_credit_slow(struct snap__thread *thread, uint32_t stack, uint64_t bytes);

/** Credit `bytes` and a block to `stack`. */
static inline void snap__thread_credit(struct snap__thread *thread, uint32_t stack, uint64_t bytes)
{
	struct snap__credits *credits =
		atomic_load_explicit(&thread->credits, memory_order_relaxed);
	struct snap__credit *e = snap__credit_own(credits, stack);
	uint32_t blocks = atomic_load_explicit(&e->blocks, memory_order_relaxed);
	uint64_t sum = atomic_load_explicit(&e->bytes, memory_order_relaxed);

	if (__builtin_expect(atomic_load_explicit(&e->stack, memory_order_relaxed) != stack ||
				     blocks == UINT32_MAX,
			     0)) {
		snap__thread_credit_slow(thread, stack, bytes);
		return;
	}
	atomic_store_explicit(&e->bytes, sum + bytes, memory_order_relaxed);
	atomic_store_explicit(&e->blocks, blocks + 1, memory_order_relaxed);
}

/**
 * The same, a little later: with the next call, when the stack's entry is in the cache.  For stacks
 * that took long to find: their entries are mostly not in the cache.
 */
void snap__thread_credit_late(struct snap__thread *thread, uint32_t stack, uint64_t bytes);

/** In a forked child: free the states of the threads that do not exist here. */
void snap__threads_after_fork(void);

#endif
