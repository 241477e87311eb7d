/*
 * The recorder's own memory: zeroed, aligned, never handed out twice.
 */
/* links: snapruntime -Wl,--wrap=snap__os_mmap */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arch/arch.h"
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

/* ---- the reserve ----------------------------------------------------------------------------- */

enum { MIB = 1 << 20, RESERVE = 12 * MIB }; /* what a host without limits is given */

static pthread_barrier_t steps;

static atomic_bool is_used_up;

void *__real_snap__os_mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset);
void *__wrap_snap__os_mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset);
void *__wrap_snap__os_mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset)
{
	if (atomic_load(&is_used_up))
		return MAP_FAILED;
	return __real_snap__os_mmap(addr, length, prot, flags, fd, offset);
}

/* From here on the system refuses us all. */
static void use_up_addresses(void)
{
	atomic_store(&is_used_up, true);
	cr_assert_null(snap__map(MIB));
}

struct gone {
	void *thread_pointer;
	unsigned char *lasting, *passing;
};

/* Stands for a helper that is killed in the middle of a snapshot. */
static void *use_and_vanish(void *data)
{
	struct gone *gone = data;

	pthread_barrier_wait(&steps);
	gone->thread_pointer = snap__arch_thread_pointer();
	cr_assert(snap__reserve_use());
	gone->lasting = snap__map(MIB);
	gone->passing = snap__map_passing(8 * MIB);
	cr_assert_not_null(gone->lasting);
	cr_assert_not_null(gone->passing);
	memset(gone->lasting, 0x11, MIB);
	memset(gone->passing, 0x22, 8 * MIB);
	pthread_barrier_wait(&steps);
	return NULL;
}

static void have_a_user_vanish(struct gone *gone)
{
	pthread_t thread;

	snap__reserve_keep();
	cr_assert_eq(pthread_barrier_init(&steps, NULL, 2), 0);
	cr_assert_eq(pthread_create(&thread, NULL, use_and_vanish, gone), 0);
	use_up_addresses();
	pthread_barrier_wait(&steps);
	pthread_barrier_wait(&steps);
	cr_assert_eq(pthread_join(thread, NULL), 0);
}

/* All but the lasting piece of the thread that is gone. */
static bool can_have_the_rest(const struct gone *gone)
{
	unsigned char *rest = snap__reserve_use() ? snap__map_passing(RESERVE - MIB) : NULL;
	bool is_right = rest && is_zeroed(rest, RESERVE - MIB);

	if (rest)
		memset(rest, 0x33, RESERVE - MIB);
	for (size_t i = 0; i < MIB; i++)
		is_right = is_right && gone->lasting[i] == 0x11;
	snap__unmap(rest, RESERVE - MIB);
	snap__reserve_keep();
	return is_right;
}

Test(arena, the_reserve_of_a_user_that_was_killed_is_free_again_but_for_what_lasts)
{
	uint64_t before = snap__memory_mapped();
	struct gone gone = {0};

	have_a_user_vanish(&gone);
	cr_expect_not(snap__reserve_use());
	snap__reserve_forget(&gone); /* somebody else */
	cr_expect_not(snap__reserve_use());
	snap__reserve_forget(gone.thread_pointer);
	cr_expect_eq(snap__memory_mapped(), before + MIB);
	cr_expect(can_have_the_rest(&gone));
	cr_expect_eq(snap__memory_mapped(), before + MIB);
}

Test(arena, a_forked_child_has_the_reserve_that_a_thread_of_the_parent_used)
{
	struct gone gone = {0};
	int status;
	pid_t child;

	have_a_user_vanish(&gone);
	child = fork();
	if (child == 0) {
		snap__reserve_forget(NULL);
		_exit(can_have_the_rest(&gone) ? 0 : 1);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_expect_eq(status, 0);
	cr_expect_eq(gone.passing[8 * MIB - 1], 0x22);
}

Test(arena, a_piece_of_the_reserve_is_never_given_to_the_host)
{
	char *piece;

	snap__reserve_keep();
	use_up_addresses();
	cr_assert(snap__reserve_use());
	piece = snap__map(MIB);
	cr_assert_not_null(piece);
	snap__unmap(piece, MIB);
	snap__unmap(piece, MIB);
	cr_expect_eq(msync(piece, MIB, MS_ASYNC), 0, "its pages are no longer mapped");
	cr_expect_eq(snap__map(MIB), (void *)piece);
}

enum { HANDED = 150000, HANDED_BYTES = 4096, GIVERS = 3 };

static int *_Atomic handed[GIVERS];
static atomic_bool all_handed;

/* Gives back what the user of the reserve has taken. */
static void *give_back(void *slot)
{
	int *_Atomic *mine = slot;

	while (!atomic_load(&all_handed) || atomic_load(mine)) {
		int *piece = atomic_load(mine);

		if (!piece) {
			sched_yield();
			continue;
		}
		snap__unmap(piece, HANDED_BYTES);
		atomic_store(mine, NULL);
	}
	return NULL;
}

/* Waits until one of them has given its piece back. */
static int *_Atomic *slot_of_idle(void)
{
	for (;; sched_yield())
		for (int i = 0; i < GIVERS; i++)
			if (!atomic_load(&handed[i]))
				return &handed[i];
}

Test(arena, others_give_pieces_back_while_the_user_takes_some)
{
	pthread_t givers[GIVERS];

	snap__reserve_keep();
	for (int i = 0; i < GIVERS; i++)
		cr_assert_eq(pthread_create(&givers[i], NULL, give_back, &handed[i]), 0);
	use_up_addresses();
	cr_assert(snap__reserve_use());
	for (int i = 0; i < HANDED; i++) {
		int *_Atomic *slot = slot_of_idle();
		int *piece;

		while (!(piece = snap__map_passing(HANDED_BYTES)))
			sched_yield(); /* until the last of the others is back */
		cr_assert_eq(*piece, 0, "piece %d is another's, too", i);
		*piece = 1;
		atomic_store(slot, piece);
	}
	atomic_store(&all_handed, true);
	for (int i = 0; i < GIVERS; i++)
		cr_assert_eq(pthread_join(givers[i], NULL), 0);
	cr_expect_not_null(snap__map_passing(RESERVE), "pieces are lost");
}
