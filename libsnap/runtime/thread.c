/*
 * runtime/thread.c - per-thread states: handing them out, and taking them back.
 */
#include "arch/arch.h"
#include "runtime/thread.h"

#include <errno.h>
#include <pthread.h>
#include <sys/auxv.h>

#include "runtime/arena.h"
#include "runtime/record.h"
#include "runtime/stacks.h"

#define FIRST_CREDITS   16u
#define LARGEST_CREDITS 16384u
#define LIBC_BYTES      2304u /* libc's data of a thread, at the end of its stack */
#define KEY_WANTED      31u   /* the C library keeps the values of 0 to 31 in the thread itself */

_Thread_local struct snap__thread *snap__thread_self;

/* The state of a thread's life. */
enum stage { BEFORE, ENTERING, LIVING, ENDING };
static _Thread_local unsigned char stage;
static _Thread_local unsigned char internal; /* asked for before there was a state */

static struct snap__thread *_Atomic all;
static pthread_key_t key;
static bool has_key;

static struct snap__credits *make_credits(uint32_t entries)
{
	struct snap__credits *credits =
		snap__arena_alloc(sizeof(*credits) + (size_t)entries * sizeof(struct snap__credit));

	if (credits)
		credits->mask = entries - 1;
	return credits;
}

static void flush_credit(struct snap__credit *e)
{
	uint32_t blocks = atomic_load_explicit(&e->blocks, memory_order_relaxed);

	if (blocks == 0)
		return;
	snap__stacks_credit(e->stack, blocks, e->bytes);
	atomic_store_explicit(&e->blocks, 0, memory_order_relaxed);
	atomic_store_explicit(&e->bytes, 0, memory_order_relaxed);
}

static void flush_table(struct snap__credits *credits)
{
	for (uint32_t i = 0; i <= credits->mask; i++)
		flush_credit(&credits->entries[i]);
}

static void flush_credits(struct snap__thread *thread)
{
	flush_table(atomic_load(&thread->credits));
	flush_credit(&thread->late);
}

/* Runs among the destructors of the host's own keys; later destructors may still free and
 * allocate.
 */
static void thread_ends(void *unused)
{
	struct snap__thread *thread = snap__thread_self;

	(void)unused; /* a program may use a key that it has not made, and this one with it */
	stage = ENDING;
	snap__thread_self = NULL;
	if (thread)
		snap__thread_leave(thread);
}

/*
 * Programs exist that use key 0 before they have made one.  This fails, as long as nobody has made it, and
 * the first key that they make is 0.  So a higher one is ours: the last of those that take no more memory
 * in each thread.
 */
static bool make_key(void)
{
	pthread_key_t lower[KEY_WANTED];
	unsigned count = 0;
	bool made;

	while ((made = pthread_key_create(&key, thread_ends) == 0) && key < KEY_WANTED)
		lower[count++] = key;
	while (count > 0)
		pthread_key_delete(lower[--count]);
	return made;
}

bool snap__threads_init(void)
{
	if (!has_key)
		has_key = make_key();
	return has_key;
}

static struct snap__thread *take_free(void)
{
	for (struct snap__thread *t = atomic_load(&all); t; t = t->next) {
		unsigned nobody = 0;

		if (atomic_load_explicit(&t->owned, memory_order_relaxed) == 0 &&
		    atomic_compare_exchange_strong(&t->owned, &nobody, 1)) {
			snap__unwind_thread_reset(t->unwind);
			return t;
		}
	}
	return NULL;
}

static struct snap__thread *make(void)
{
	struct snap__thread *t = snap__arena_alloc(sizeof(*t));

	if (!t)
		return NULL;
	t->unwind = snap__arena_alloc(snap__unwind_thread_size());
	atomic_store(&t->credits, make_credits(FIRST_CREDITS));
	if (!t->unwind || !atomic_load(&t->credits))
		return NULL;
	t->owned = 1;
	t->next = atomic_load(&all);
	while (!atomic_compare_exchange_weak(&all, &t->next, t))
		;
	return t;
}

/*
 * The first thread's stack ends with the program's name, those of others with libc's data.  The
 * kernel maps nothing within 128 MiB below the name, so an address in this range is on the first
 * thread's stack.  A system call could tell, but a filter might kill for it.
 */
static void note_stack(struct snap__thread *thread)
{
	static const uintptr_t gap = (uintptr_t)128 << 20;
	uintptr_t inside = (uintptr_t)__builtin_frame_address(0);
	uintptr_t top = (uintptr_t)snap__arch_thread_pointer() + LIBC_BYTES;
	uintptr_t name = getauxval(AT_EXECFN);

	if (inside < name && name - inside < gap)
		top = name;
	atomic_store(&thread->stack_top, top);
	atomic_store(&thread->stack_inside, inside);
}

struct snap__thread *snap__thread_slow(void)
{
	struct snap__thread *t;
	int saved = errno;

	if (stage == ENTERING || internal)
		return NULL;
	if (stage == ENDING) {
		t = take_free();
		if (!t)
			t = make();
		if (t) {
			t->id = (uintptr_t)pthread_self();
			t->transient = true;
		}
		return t;
	}
	stage = ENTERING;
	t = take_free();
	if (!t)
		t = make();
	if (t && has_key) {
		note_stack(t);
		t->id = (uintptr_t)pthread_self();
		t->transient = false;
		t->busy = SNAP__INTERNAL;
		snap__thread_self = t;
		pthread_setspecific(key, t); /* may allocate */
		t->busy = SNAP__IDLE;
	}
	stage = t ? LIVING : BEFORE;
	errno = saved;
	return t;
}

void snap__thread_leave(struct snap__thread *thread)
{
	flush_credits(thread);
	snap__record_add_drift(thread);
	thread->transient = false;
	thread->busy = SNAP__IDLE;
	atomic_store(&thread->signal_stack, 0);
	atomic_store(&thread->owned, 0);
}

void snap__thread_internal(bool on)
{
	struct snap__thread *t = snap__thread_self;

	internal = on;
	if (t)
		t->busy = on ? SNAP__INTERNAL : SNAP__IDLE;
}

struct snap__thread *snap__threads_first(void)
{
	return atomic_load(&all);
}

uint64_t snap__threads_total(enum snap__count what)
{
	uint64_t sum = 0;

	for (struct snap__thread *t = atomic_load(&all); t; t = t->next)
		sum += atomic_load_explicit(&t->counts[what], memory_order_relaxed);
	return sum;
}

uint64_t snap__threads_untouched(void)
{
	uint64_t sum = 0;

	for (struct snap__thread *t = atomic_load(&all); t; t = t->next)
		sum += snap__unwind_untouched(t->unwind);
	return sum;
}

/* The table evicts too many entries: take a larger one.  The old one is emptied but stays in place,
   because a snapshot may be reading it. */
static void enlarge(struct snap__thread *thread, struct snap__credits *old)
{
	struct snap__credits *larger;

	thread->evictions = 0;
	if (old->mask + 1 >= LARGEST_CREDITS)
		return;
	larger = make_credits((old->mask + 1) * 4);
	if (!larger)
		return;
	flush_table(old);
	atomic_store_explicit(&thread->credits, larger, memory_order_release);
}

static uint32_t blocks_of(struct snap__credit *e)
{
	return atomic_load_explicit(&e->blocks, memory_order_relaxed);
}

static bool is_for(struct snap__credit *e, uint32_t stack)
{
	return atomic_load_explicit(&e->stack, memory_order_relaxed) == stack &&
	       blocks_of(e) != UINT32_MAX;
}

/* Empty `e`, and assign it to `stack`. */
static void assign_credit(struct snap__thread *thread, struct snap__credit *e, uint32_t stack)
{
	if (blocks_of(e) > 0) {
		snap__stacks_credit(e->stack, e->blocks, e->bytes);
		thread->evictions++;
	}
	atomic_store_explicit(&e->blocks, 0, memory_order_relaxed);
	atomic_store_explicit(&e->bytes, 0, memory_order_relaxed);
	atomic_store_explicit(&e->stack, stack, memory_order_relaxed);
}

/* The entry for `stack`: its own, a free one of the same line, or the one at its place. */
static struct snap__credit *choose_credit(struct snap__credits *credits, uint32_t stack)
{
	struct snap__credit *own = snap__credit_own(credits, stack);
	struct snap__credit *line = snap__credit_line(credits, stack);
	struct snap__credit *chosen = own;

	for (unsigned i = 0; i < SNAP__CREDITS_A_LINE; i++) {
		if (is_for(&line[i], stack))
			return &line[i];
		if (blocks_of(chosen) > 0 && blocks_of(&line[i]) == 0)
			chosen = &line[i];
	}
	return chosen;
}

void snap__thread_credit_slow(struct snap__thread *thread, uint32_t stack, uint64_t bytes)
{
	struct snap__credits *credits =
		atomic_load_explicit(&thread->credits, memory_order_relaxed);
	struct snap__credit *e = choose_credit(credits, stack);

	if (!is_for(e, stack))
		assign_credit(thread, e, stack);
	atomic_store_explicit(&e->bytes, e->bytes + bytes, memory_order_relaxed);
	atomic_store_explicit(&e->blocks, blocks_of(e) + 1, memory_order_relaxed);
	if (thread->evictions > 4 * (credits->mask + 1))
		enlarge(thread, credits);
}

void snap__thread_credit_late(struct snap__thread *thread, uint32_t stack, uint64_t bytes)
{
	struct snap__credit *late = &thread->late;
	struct snap__credits *credits =
		atomic_load_explicit(&thread->credits, memory_order_relaxed);

	__builtin_prefetch(snap__credit_line(credits, stack), 1);
	/* As in assign_credit(), a snapshot or a forked child may read it.  So it is emptied before
	   it is counted elsewhere, and is never counted twice. */
	if (blocks_of(late) > 0) {
		uint64_t late_bytes = late->bytes;

		atomic_store_explicit(&late->blocks, 0, memory_order_relaxed);
		atomic_store_explicit(&late->bytes, 0, memory_order_relaxed);
		atomic_signal_fence(memory_order_seq_cst);
		snap__thread_credit(thread, late->stack, late_bytes);
	}
	atomic_store_explicit(&late->stack, stack, memory_order_relaxed);
	atomic_store_explicit(&late->bytes, bytes, memory_order_relaxed);
	atomic_store_explicit(&late->blocks, 1, memory_order_relaxed);
}

void snap__threads_after_fork(void)
{
	for (struct snap__thread *t = atomic_load(&all); t; t = t->next) {
		if (t == snap__thread_self)
			continue;
		flush_credits(t);
		t->busy = SNAP__IDLE;
		t->transient = false;
		t->moving.ptr = NULL;
		atomic_store(&t->owned, 0);
	}
}
