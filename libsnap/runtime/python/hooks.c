/*
 * runtime/python/hooks.c - our functions in front of CPython's allocators.
 *
 * If malloc is recorded, the raw domain needs no hook, because its blocks come from malloc.  Larger
 * blocks of the other two domains also come from malloc, inside our hooks: those calls are not
 * counted again.
 *
 * A hook keeps the context pointer of the function that it wraps, so that a caller which mixes our
 * functions with the original ones still works.  PYTHONMALLOC, -X dev and programs may install
 * other functions.  Two signs show this: the interpreter takes an arena while none of our functions
 * runs, or many mallocs come from below Python code without a call of our functions.  Then a second
 * set of functions is installed in front of the current ones.  It may be in front of our first set
 * (for example after tracemalloc), which then does not record the same block again.
 */
#include "runtime/python/hooks.h"

#include "runtime/finemap.h"
#include "runtime/heapmap.h"
#include "runtime/python/arenas.h"
#include "runtime/python/codes.h"
#include "runtime/python/find.h"
#include "runtime/python/python.h"

#define INLINE static inline __attribute__((always_inline))
#define FRAME  __builtin_frame_address(0)

/* Most sets of functions.  A program that keeps removing hooks ends with native recording. */
#define SETS 4u

/* Arenas have 256 KiB, or 1 MiB from 3.10 on; pieces of frame stacks, which come from the same
   functions, begin with 16 KiB. */
#define ARENA_SIZE_MIN (256u * 1024)

typedef struct snap__python_allocator allocator;

static allocator originals[SETS][SNAP__PYTHON_OBJECT + 1];
static unsigned sets; /* in use */
static struct snap__python_arenas original_arenas;
static uint64_t calls;                                 /* of malloc hooks; written with the GIL */
static snap__record_stack_fn *stack_of, *raw_stack_of; /* the second NULL: raw is left alone */

INLINE void *hook_malloc(const allocator *real, void *context, size_t size,
			 snap__record_stack_fn *stack, const void *frame)
{
	struct snap__thread *thread;
	void *ptr;

	thread = snap__record_inner_begin(size);
	ptr = real->malloc(context, size);
	if (!thread)
		return ptr;
	if (ptr)
		snap__record_inner_came(thread, ptr, size, snap__record_epoch(), stack, frame);
	snap__record_inner_end(thread, ptr, frame);
	return ptr;
}

INLINE void *hook_calloc(const allocator *real, void *context, size_t count, size_t size,
			 snap__record_stack_fn *stack, const void *frame)
{
	struct snap__thread *thread;
	size_t total;
	void *ptr;

	if (__builtin_mul_overflow(count, size, &total))
		return real->calloc(context, count, size);
	thread = snap__record_inner_begin(total);
	ptr = real->calloc(context, count, size);
	if (!thread)
		return ptr;
	if (ptr)
		snap__record_inner_came(thread, ptr, total, snap__record_epoch(), stack, frame);
	snap__record_inner_end(thread, ptr, frame);
	return ptr;
}

INLINE void *hook_realloc(const allocator *real, void *context, void *old, size_t size,
			  snap__record_stack_fn *stack, const void *frame)
{
	struct snap__thread *thread;
	struct snap__block block;
	bool known;
	void *ptr;

	thread = snap__record_inner_begin_now();
	if (!thread && !(snap__record_ignores(old) && snap__record_skips(size)))
		thread = snap__record_inner_begin_slowly();
	if (!thread)
		return real->realloc(context, old, size);
	known = old && snap__record_inner_moves(thread, old, &block);
	ptr = real->realloc(context, old, size);
	if (ptr && known)
		snap__record_inner_moved(thread, &block);
	if (ptr)
		snap__record_inner_came(thread, ptr, size,
					known ? block.epoch : snap__record_epoch(), stack, frame);
	else if (known)
		snap__record_inner_stays(thread, old, &block);
	snap__record_inner_end(thread, ptr, frame);
	return ptr;
}

INLINE void hook_free(const allocator *real, void *context, void *ptr, const void *frame)
{
	struct snap__thread *thread;
	struct snap__block block;

	snap__python_look_for_end();
	thread = snap__record_inner_begin_free(ptr);
	if (!thread) {
		real->free(context, ptr);
		return;
	}
	snap__record_inner_goes(thread, ptr, &block);
	real->free(context, ptr);
	snap__record_inner_end(thread, NULL, frame);
}

/* `count` is called for a malloc, too. */
#define DOMAIN(set, name, number, stack, count)                                                    \
	static void *malloc_##name##_##set(void *context, size_t size)                             \
	{                                                                                          \
		count;                                                                             \
		return hook_malloc(&originals[set][number], context, size, stack, FRAME);          \
	}                                                                                          \
	static void *calloc_##name##_##set(void *context, size_t n, size_t size)                   \
	{                                                                                          \
		return hook_calloc(&originals[set][number], context, n, size, stack, FRAME);       \
	}                                                                                          \
	static void *realloc_##name##_##set(void *context, void *ptr, size_t size)                 \
	{                                                                                          \
		return hook_realloc(&originals[set][number], context, ptr, size, stack, FRAME);    \
	}                                                                                          \
	static void free_##name##_##set(void *context, void *ptr)                                  \
	{                                                                                          \
		hook_free(&originals[set][number], context, ptr, FRAME);                           \
	}
#define SET(set)                                                                                   \
	DOMAIN(set, raw, SNAP__PYTHON_RAW, raw_stack_of, (void)0)                                  \
	DOMAIN(set, mem, SNAP__PYTHON_MEM, stack_of, calls++)                                      \
	DOMAIN(set, object, SNAP__PYTHON_OBJECT, stack_of, calls++)

SET(0)
SET(1)
SET(2)
SET(3)

#define FUNCTIONS(name, set)                                                                       \
	{                                                                                          \
		NULL, malloc_##name##_##set, calloc_##name##_##set, realloc_##name##_##set,        \
			free_##name##_##set                                                        \
	}

static const allocator raw_hooks[SETS] = {FUNCTIONS(raw, 0), FUNCTIONS(raw, 1), FUNCTIONS(raw, 2),
					  FUNCTIONS(raw, 3)};
static const allocator mem_hooks[SETS] = {FUNCTIONS(mem, 0), FUNCTIONS(mem, 1), FUNCTIONS(mem, 2),
					  FUNCTIONS(mem, 3)};
static const allocator object_hooks[SETS] = {FUNCTIONS(object, 0), FUNCTIONS(object, 1),
					     FUNCTIONS(object, 2), FUNCTIONS(object, 3)};

/* Is one of our sets installed in front of `domain`? */
static bool is_in_place(int domain, const allocator *hooks)
{
	allocator now;

	snap__python.get_allocator(domain, &now);
	for (unsigned i = 0; i < sets; i++)
		if (now.malloc == hooks[i].malloc && now.free == hooks[i].free)
			return true;
	return false;
}

static void install_in(int domain, const allocator *hooks, unsigned set)
{
	allocator ours = hooks[set];

	if (is_in_place(domain, hooks))
		return;
	snap__python.get_allocator(domain, &originals[set][domain]);
	ours.context = originals[set][domain].context;
	snap__python.set_allocator(domain, &ours);
}

static void install_set(void)
{
	unsigned set = sets;

	if (raw_stack_of)
		install_in(SNAP__PYTHON_RAW, raw_hooks, set);
	install_in(SNAP__PYTHON_MEM, mem_hooks, set);
	install_in(SNAP__PYTHON_OBJECT, object_hooks, set);
	sets = set + 1;
}

/* With the GIL: put a further set in front if none of ours is. */
static void install_again(void)
{
	if (sets < SETS && snap__recording() &&
	    !(is_in_place(SNAP__PYTHON_MEM, mem_hooks) &&
	      is_in_place(SNAP__PYTHON_OBJECT, object_hooks)))
		install_set();
}

void snap__python_hooks_check(void)
{
	static uint64_t calls_then = UINT64_MAX;

	if (calls == calls_then)
		install_again();
	calls_then = calls;
}

/* Called with the GIL, when an arena is taken. */
static void *hook_arena_alloc(void *context, size_t size)
{
	struct snap__thread *thread = snap__thread_self;
	void *base;

	if (size >= ARENA_SIZE_MIN && (!thread || thread->busy == SNAP__IDLE))
		install_again();
	base = original_arenas.alloc(context, size);
	if (base)
		snap__python_arena_came(base, size);
	return base;
}

/* A block in an arena that is given back: its free was not seen. */
static void block_is_gone(void *user, uintptr_t address, const struct snap__block *block)
{
	(void)user;
	if (snap__thread_self)
		snap__thread_count(snap__thread_self, SNAP__COUNT_UNSEEN_FREES);
	if (block->marked)
		snap__python_code_goes((const void *)address);
}

static void hook_arena_free(void *context, void *base, size_t size)
{
	if (!snap__python_arena_goes(base, size))
		return;
	snap__finemap_forget((uintptr_t)base, size, block_is_gone, NULL);
	original_arenas.free(context, base, size);
}

void snap__python_hooks_install(snap__record_stack_fn *stack, snap__record_stack_fn *raw_stack)
{
	struct snap__python_arenas ours;

	stack_of = stack;
	raw_stack_of = raw_stack;
	if (sets > 0)
		return;
	install_set();
	snap__python.get_arenas(&original_arenas);
	ours = original_arenas;
	ours.alloc = hook_arena_alloc;
	ours.free = hook_arena_free;
	snap__python.set_arenas(&ours);
}

unsigned snap__python_hooks_lost(void)
{
	return sets > 0 ? sets - 1 : 0;
}
