/*
 * preload/foreign.c - operator new and delete, and malloc by other names.
 *
 * Operator new may throw: the exception passes through our frame, which holds nothing.
 */
#include "preload/foreign.h"

#include <dlfcn.h>
#include <stdint.h>
#include <string.h>

#include "preload/entry.h"
#include "preload/nested.h"
#include "preload/loaded.h"
#include "preload/relink.h"
#include "runtime/domains.h"
#include "runtime/hidden.h"
#include "runtime/record.h"
#include "runtime/sample.h"
#include "runtime/symbols.h"
#include "runtime/thread.h"

#define FRAME __builtin_frame_address(0)

/* Called by the host: the frame must be there, and be the caller's neighbour. */
#define SUBSTITUTE __attribute__((noinline)) static

enum { NEW_COUNT = 8, DELETE_COUNT = 12, NAMED_COUNT = 3 * 8 };

/* Found functions, called by the substitutes below; object pointers, as dlsym() gives them. */
static void *new_theirs[NEW_COUNT], *delete_theirs[DELETE_COUNT], *named_theirs[NAMED_COUNT];

/* ISO C has no conversion between object and function pointers; POSIX promises that this works. */
#define CALL(type, pointer) ((type *)(uintptr_t)(pointer))

/* ---- C++ -------------------------------------------------------------------------------------- */

/* The thread's count of recorded calls.  It changes if `theirs` itself calls a function of the
   malloc family, as some do, and that call is recorded. */
struct progress {
	uint64_t recorded, ahead;
};

static struct progress progress(void)
{
	const struct snap__thread *thread = snap__thread_self;

	return (struct progress){
		.recorded = thread ? atomic_load_explicit(&thread->counts[SNAP__COUNT_ALLOCATED],
							  memory_order_relaxed)
				   : 0,
		.ahead = snap__sample_ahead,
	};
}

static void came(const void *ptr, size_t size, struct progress before, const void *frame)
{
	struct progress now = progress();

	if (now.recorded != before.recorded || now.ahead != before.ahead)
		return;
	if (snap__recording() && ptr && !snap__record_skips(size))
		snap__record_alloc(ptr, size, frame);
}

static void goes(const void *ptr)
{
	if (snap__recording() && ptr && !snap__record_ignores(ptr))
		snap__record_free(ptr);
}

typedef void *plain_new(size_t);
typedef void *new_with_one(size_t, uintptr_t);
typedef void *new_with_two(size_t, uintptr_t, uintptr_t);
typedef void plain_delete(void *);
typedef void delete_with_one(void *, uintptr_t);
typedef void delete_with_two(void *, uintptr_t, uintptr_t);

/* std::nothrow_t comes as a reference, std::align_val_t and sizes as a number: one word each. */
#define NEW(number, type, parameters, arguments)                                                   \
	SUBSTITUTE void *new_##number parameters                                                   \
	{                                                                                          \
		struct progress before = progress();                                               \
		void *ptr = CALL(type, new_theirs[number]) arguments;                              \
                                                                                                   \
		came(ptr, size, before, FRAME);                                                    \
		return ptr;                                                                        \
	}
#define DELETE(number, type, parameters, arguments)                                                \
	SUBSTITUTE void delete_##number parameters                                                 \
	{                                                                                          \
		struct snap__outside outside;                                                      \
                                                                                                   \
		goes(ptr);                                                                         \
		outside = snap__nested_enter();                                                    \
		CALL(type, delete_theirs[number]) arguments;                                       \
		snap__nested_leave(outside);                                                       \
	}

NEW(0, plain_new, (size_t size), (size))
NEW(1, plain_new, (size_t size), (size))
NEW(2, new_with_one, (size_t size, uintptr_t a), (size, a))
NEW(3, new_with_one, (size_t size, uintptr_t a), (size, a))
NEW(4, new_with_one, (size_t size, uintptr_t a), (size, a))
NEW(5, new_with_one, (size_t size, uintptr_t a), (size, a))
NEW(6, new_with_two, (size_t size, uintptr_t a, uintptr_t b), (size, a, b))
NEW(7, new_with_two, (size_t size, uintptr_t a, uintptr_t b), (size, a, b))
DELETE(0, plain_delete, (void *ptr), (ptr))
DELETE(1, plain_delete, (void *ptr), (ptr))
DELETE(2, delete_with_one, (void *ptr, uintptr_t a), (ptr, a))
DELETE(3, delete_with_one, (void *ptr, uintptr_t a), (ptr, a))
DELETE(4, delete_with_one, (void *ptr, uintptr_t a), (ptr, a))
DELETE(5, delete_with_one, (void *ptr, uintptr_t a), (ptr, a))
DELETE(6, delete_with_one, (void *ptr, uintptr_t a), (ptr, a))
DELETE(7, delete_with_one, (void *ptr, uintptr_t a), (ptr, a))
DELETE(8, delete_with_two, (void *ptr, uintptr_t a, uintptr_t b), (ptr, a, b))
DELETE(9, delete_with_two, (void *ptr, uintptr_t a, uintptr_t b), (ptr, a, b))
DELETE(10, delete_with_two, (void *ptr, uintptr_t a, uintptr_t b), (ptr, a, b))
DELETE(11, delete_with_two, (void *ptr, uintptr_t a, uintptr_t b), (ptr, a, b))

/* ---- malloc by other names --------------------------------------------------------------------- */

/* These heaps are not malloc's: their blocks are a domain of their own, called as the prefix. */
static const char *const domains[] = {"jemalloc", "mimalloc", "tcmalloc"};
static uint32_t numbers[3];

static void named_came(unsigned heap, const void *ptr, size_t size, const void *frame)
{
	if (snap__recording() && ptr && numbers[heap])
		snap__record_domain_alloc(numbers[heap], (uintptr_t)ptr, size, frame);
}

static void named_goes(unsigned heap, const void *ptr)
{
	if (snap__recording() && ptr && numbers[heap])
		snap__record_domain_free(numbers[heap], (uintptr_t)ptr);
}

static void named_moved(unsigned heap, void *ptr, void *fresh, size_t size, const void *frame)
{
	if (!fresh || !snap__recording() || !numbers[heap])
		return;
	if (ptr)
		snap__record_domain_resize(numbers[heap], (uintptr_t)ptr, (uintptr_t)fresh, size,
					   frame);
	else
		snap__record_domain_alloc(numbers[heap], (uintptr_t)fresh, size, frame);
}

typedef void *calloc_fn(size_t, size_t);
typedef void *realloc_fn(void *, size_t);
typedef int posix_memalign_fn(void **, size_t, size_t);

enum named { N_MALLOC, N_CALLOC, N_REALLOC, N_FREE, N_ALIGNED, N_MEMALIGN, N_POSIX, N_ZALLOC };

/* A thin allocator may call malloc itself: its blocks must not count twice. */
#define THEIRS(result, type, heap, which, arguments)                                               \
	do {                                                                                       \
		struct snap__outside outside = snap__nested_enter();                               \
                                                                                                   \
		result CALL(type, named_theirs[(heap)*8 + (which)]) arguments;                     \
		snap__nested_leave(outside);                                                       \
	} while (0)

#define NAMED(heap)                                                                                \
	SUBSTITUTE void *malloc_##heap(size_t size)                                                \
	{                                                                                          \
		void *ptr;                                                                         \
                                                                                                   \
		THEIRS(ptr =, plain_new, heap, N_MALLOC, (size));                                  \
		named_came(heap, ptr, size, FRAME);                                                \
		return ptr;                                                                        \
	}                                                                                          \
	SUBSTITUTE void *zalloc_##heap(size_t size)                                                \
	{                                                                                          \
		void *ptr;                                                                         \
                                                                                                   \
		THEIRS(ptr =, plain_new, heap, N_ZALLOC, (size));                                  \
		named_came(heap, ptr, size, FRAME);                                                \
		return ptr;                                                                        \
	}                                                                                          \
	SUBSTITUTE void *calloc_##heap(size_t count, size_t size)                                  \
	{                                                                                          \
		void *ptr;                                                                         \
                                                                                                   \
		THEIRS(ptr =, calloc_fn, heap, N_CALLOC, (count, size));                           \
		named_came(heap, ptr, count *size, FRAME);                                         \
		return ptr;                                                                        \
	}                                                                                          \
	SUBSTITUTE void *realloc_##heap(void *ptr, size_t size)                                    \
	{                                                                                          \
		void *fresh;                                                                       \
                                                                                                   \
		THEIRS(fresh =, realloc_fn, heap, N_REALLOC, (ptr, size));                         \
		named_moved(heap, ptr, fresh, size, FRAME);                                        \
		return fresh;                                                                      \
	}                                                                                          \
	SUBSTITUTE void free_##heap(void *ptr)                                                     \
	{                                                                                          \
		named_goes(heap, ptr);                                                             \
		THEIRS(, plain_delete, heap, N_FREE, (ptr));                                       \
	}                                                                                          \
	SUBSTITUTE void *aligned_##heap(size_t alignment, size_t size)                             \
	{                                                                                          \
		void *ptr;                                                                         \
                                                                                                   \
		THEIRS(ptr =, calloc_fn, heap, N_ALIGNED, (alignment, size));                      \
		named_came(heap, ptr, size, FRAME);                                                \
		return ptr;                                                                        \
	}                                                                                          \
	SUBSTITUTE void *memalign_##heap(size_t alignment, size_t size)                            \
	{                                                                                          \
		void *ptr;                                                                         \
                                                                                                   \
		THEIRS(ptr =, calloc_fn, heap, N_MEMALIGN, (alignment, size));                     \
		named_came(heap, ptr, size, FRAME);                                                \
		return ptr;                                                                        \
	}                                                                                          \
	SUBSTITUTE int posix_##heap(void **out, size_t alignment, size_t size)                     \
	{                                                                                          \
		int error;                                                                         \
                                                                                                   \
		THEIRS(error =, posix_memalign_fn, heap, N_POSIX, (out, alignment, size));         \
		if (error == 0)                                                                    \
			named_came(heap, *out, size, FRAME);                                       \
		return error;                                                                      \
	}

NAMED(0)
NAMED(1)
NAMED(2)

/* ---- finding them ------------------------------------------------------------------------------ */

#define ADDRESS(function) ((void *)(uintptr_t)(function))
#define NEW_ROW(number, name)                                                                      \
	{                                                                                          \
		name, NULL, ADDRESS(new_##number)                                                  \
	}
#define DELETE_ROW(number, name)                                                                   \
	{                                                                                          \
		name, NULL, ADDRESS(delete_##number)                                               \
	}
#define NAMED_ROWS(heap, prefix)                                                                   \
	{prefix "malloc", NULL, ADDRESS(malloc_##heap)},                                           \
		{prefix "calloc", NULL, ADDRESS(calloc_##heap)},                                   \
		{prefix "realloc", NULL, ADDRESS(realloc_##heap)},                                 \
		{prefix "free", NULL, ADDRESS(free_##heap)},                                       \
		{prefix "aligned_alloc", NULL, ADDRESS(aligned_##heap)},                           \
		{prefix "memalign", NULL, ADDRESS(memalign_##heap)},                               \
		{prefix "posix_memalign", NULL, ADDRESS(posix_##heap)},                            \
	{                                                                                          \
		prefix "zalloc", NULL, ADDRESS(zalloc_##heap)                                      \
	}

static struct snap__substitute rows[NEW_COUNT + DELETE_COUNT + NAMED_COUNT] SNAP__PAGES;

static const struct snap__substitute new_rows[NEW_COUNT] = {
	NEW_ROW(0, "_Znwm"),
	NEW_ROW(1, "_Znam"),
	NEW_ROW(2, "_ZnwmRKSt9nothrow_t"),
	NEW_ROW(3, "_ZnamRKSt9nothrow_t"),
	NEW_ROW(4, "_ZnwmSt11align_val_t"),
	NEW_ROW(5, "_ZnamSt11align_val_t"),
	NEW_ROW(6, "_ZnwmSt11align_val_tRKSt9nothrow_t"),
	NEW_ROW(7, "_ZnamSt11align_val_tRKSt9nothrow_t"),
};

static const struct snap__substitute delete_rows[DELETE_COUNT] = {
	DELETE_ROW(0, "_ZdlPv"),
	DELETE_ROW(1, "_ZdaPv"),
	DELETE_ROW(2, "_ZdlPvm"),
	DELETE_ROW(3, "_ZdaPvm"),
	DELETE_ROW(4, "_ZdlPvRKSt9nothrow_t"),
	DELETE_ROW(5, "_ZdaPvRKSt9nothrow_t"),
	DELETE_ROW(6, "_ZdlPvSt11align_val_t"),
	DELETE_ROW(7, "_ZdaPvSt11align_val_t"),
	DELETE_ROW(8, "_ZdlPvmSt11align_val_t"),
	DELETE_ROW(9, "_ZdaPvmSt11align_val_t"),
	DELETE_ROW(10, "_ZdlPvSt11align_val_tRKSt9nothrow_t"),
	DELETE_ROW(11, "_ZdaPvSt11align_val_tRKSt9nothrow_t"),
};

static const struct snap__substitute named_rows[NAMED_COUNT] = {
	NAMED_ROWS(0, "je_"), NAMED_ROWS(1, "mi_"), NAMED_ROWS(2, "tc_")};

static const void *object_of(const void *address)
{
	struct snap__loaded object;

	return snap__loaded_at(address, &object) ? object.base : NULL;
}

/* Those of malloc's own allocator: elsewhere operator new calls malloc, and is recorded there. */
static size_t find_operators(const struct snap__substitute *wanted, void **theirs, size_t count,
			     const void *object, size_t found)
{
	for (size_t i = 0; i < count; i++) {
		theirs[i] = snap__symbols_next(wanted[i].name);
		if (!theirs[i] || object_of(theirs[i]) != object)
			continue;
		rows[found] = wanted[i];
		rows[found++].theirs = theirs[i];
	}
	return found;
}

static size_t find_named(size_t found)
{
	for (size_t heap = 0; heap < 3; heap++) {
		size_t first = heap * 8;

		/* A prefix that is not there is looked up once only. */
		if (!snap__symbols_any(named_rows[first].name))
			continue;
		numbers[heap] = snap__domain_number(domains[heap]);
		for (size_t i = first; i < first + 8; i++) {
			named_theirs[i] = snap__symbols_any(named_rows[i].name);
			if (!named_theirs[i])
				continue;
			rows[found] = named_rows[i];
			rows[found++].theirs = named_theirs[i];
		}
	}
	return found;
}

void snap__foreign_find(const void *malloc_address)
{
	const void *object = object_of(malloc_address);
	size_t found = 0;

	if (object != object_of(ADDRESS(strlen)) && snap__symbols_next("_Znwm")) {
		found = find_operators(new_rows, new_theirs, NEW_COUNT, object, found);
		found = find_operators(delete_rows, delete_theirs, DELETE_COUNT, object, found);
	}
	found = find_named(found);
	if (found)
		snap__relink_all(rows, found);
}
