/*
 * The recorder's own memory: zeroed, aligned, never handed out twice.
 */
/* links: snapruntime */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>

#include "runtime/arena.h"

static bool is_zeroed(const unsigned char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i])
			return false;
	return true;
}

Test(arena, memory_is_zeroed_and_aligned_to_64)
{
	static const size_t sizes[] = {0, 1, 63, 64, 65, 4096, 65536, 300000, 5000000};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		unsigned char *p = snap__arena_alloc(sizes[i]);

		cr_assert_not_null(p);
		cr_assert_eq((uintptr_t)p % 64, 0, "%zu bytes", sizes[i]);
		cr_assert(is_zeroed(p, sizes[i]));
		memset(p, 0xff, sizes[i]);
	}
}

Test(arena, an_impossible_size_is_refused)
{
	cr_assert_null(snap__arena_alloc(SIZE_MAX));
	cr_assert_null(snap__arena_alloc(SIZE_MAX / 2));
}

Test(arena, failure_leaves_errno_alone)
{
	struct rlimit none = {0, 0};

	setrlimit(RLIMIT_AS, &none);
	errno = EDOM;
	cr_assert_null(snap__map(1 << 20));
	cr_assert_eq(errno, EDOM);
	snap__unmap(NULL, 0);
	cr_assert_eq(errno, EDOM);
}

Test(arena, mapped_memory_is_counted_until_it_is_returned)
{
	uint64_t before = snap__memory_mapped();
	void *p = snap__map(1 << 20);

	cr_assert_eq(snap__memory_mapped(), before + (1 << 20));
	snap__unmap(p, 1 << 20);
	cr_assert_eq(snap__memory_mapped(), before);
}

enum { THREADS = 4, PIECES = 20000, PIECE = 48 };

struct owner {
	pthread_t thread;
	unsigned char mark;
	unsigned char *pieces[PIECES];
};

static void *take_pieces(void *data)
{
	struct owner *owner = data;

	for (int i = 0; i < PIECES; i++) {
		owner->pieces[i] = snap__arena_alloc(PIECE);
		if (!owner->pieces[i] || !is_zeroed(owner->pieces[i], PIECE))
			return owner;
		memset(owner->pieces[i], owner->mark, PIECE);
	}
	return NULL;
}

Test(arena, threads_never_get_the_same_memory)
{
	static struct owner owners[THREADS];

	for (int i = 0; i < THREADS; i++) {
		owners[i].mark = (unsigned char)(i + 1);
		pthread_create(&owners[i].thread, NULL, take_pieces, &owners[i]);
	}
	for (int i = 0; i < THREADS; i++) {
		void *failed;

		pthread_join(owners[i].thread, &failed);
		cr_assert_null(failed);
	}
	for (int i = 0; i < THREADS; i++)
		for (int p = 0; p < PIECES; p++)
			for (int b = 0; b < PIECE; b++)
				cr_assert_eq(owners[i].pieces[p][b], owners[i].mark);
}
