/*
 * runtime/verify.c - compare our stacks with those of libunwind.
 *
 * One thread at a time, with signals blocked: libunwind has locks of its own, and an allocation of
 * a handler must not be mistaken for the recorder's.
 */
#include "runtime/verify.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "runtime/arena.h"
#include "runtime/lock.h"
#include "runtime/message.h"
#include "runtime/modules.h"
#include "runtime/other_unwinder.h"
#include "runtime/process.h"
#include "runtime/stacks.h"
#include "runtime/text.h"

#define ADDRESS_MASK (((uintptr_t)1 << SNAP__PC_TAG_SHIFT) - 1)
#define SHOWN        3u  /* mismatches that are shown in full */
#define SHOWN_FRAMES 64u /* ... up to so many frames */
#define PATIENCE     20000u

/* Results.  Each verified stack counts as one of these. */
enum outcome {
	AGREED,        /* both are complete, and equal */
	MISMATCH,      /* a frame differs, or one that claims to be complete is shorter */
	DEPTH_LIMITED, /* ours was cut at the depth limit, and is equal so far; likewise: */
	OURS_TRUNCATED,
	THEIRS_TRUNCATED,
	NOT_REACHED, /* libunwind did not get through the recorder's own frames */
	SKIPPED,     /* another thread was being verified, or the stack has no id */
	OUTCOMES
};

/* Our stack, newest first. */
struct ours {
	uintptr_t *pcs; /* with their tags */
	unsigned count;
	enum outcome end; /* AGREED, DEPTH_LIMITED or OURS_TRUNCATED */
};

struct theirs {
	uintptr_t *pcs;
	unsigned count;
	enum snap__other_end end;
};

unsigned snap__verify_every;

static atomic_uint_fast64_t captures;
static atomic_uint_fast64_t outcomes[OUTCOMES];
static struct snap__lock lock; /* guards the following data, and libunwind */
static struct ours ours;
static struct theirs theirs;
static unsigned room;

void snap__verify_init(unsigned every, unsigned depth)
{
	const char *problem;
	uintptr_t *pcs;

	if (!every || snap__verify_every)
		return;
	problem = snap__other_load();
	room = depth + 64;
	pcs = problem ? NULL : snap__map(2 * room * sizeof(*pcs));
	if (!problem && !pcs)
		problem = "not enough memory";
	if (problem) {
		snap__message("SNAP_VERIFY: no stack is verified:", problem, 0);
		return;
	}
	ours.pcs = pcs;
	theirs.pcs = pcs + room;
	snap__verify_every = every;
}

static void list_ours(uint32_t stack)
{
	ours.count = 0;
	ours.end = AGREED;
	for (; stack && ours.count < room; stack = snap__stacks_parent(stack)) {
		uintptr_t pc = snap__stacks_pc(stack);

		if (pc == SNAP__PC_DEPTH || pc == SNAP__PC_MEMORY)
			ours.end = DEPTH_LIMITED;
		else if (pc == SNAP__PC_TRUNCATED)
			ours.end = OURS_TRUNCATED;
		else
			ours.pcs[ours.count++] = pc;
	}
}

/* Whether the tree's `pc` is attributed to the object that the loader has at `address`. */
static bool same_module(uintptr_t pc, uintptr_t address)
{
	const struct snap__module *module;
	const char *name = NULL;
	uintptr_t bias = 0;
	uint32_t index;
	uint64_t elf_address;
	bool ours_knows = snap__modules_locate(pc, &index, &elf_address);
	bool theirs_knows = snap__other_module(address, &bias, &name);

	if (!ours_knows || !theirs_knows)
		return ours_knows == theirs_knows;
	module = snap__modules_get(index);
	/* The program itself and the vdso have other names in our list. */
	return module->bias == bias && module->bias + elf_address == address &&
	       (!strchr(name, '/') || strcmp(name, module->path) == 0);
}

/* How many frames, counted from the newest, are equal. */
static unsigned equal_frames(void)
{
	unsigned i = 0;

	while (i < ours.count && i < theirs.count &&
	       (ours.pcs[i] & ADDRESS_MASK) == theirs.pcs[i] &&
	       same_module(ours.pcs[i], theirs.pcs[i]))
		i++;
	return i;
}

static enum outcome judge(void)
{
	unsigned equal = equal_frames();

	if (theirs.end == SNAP__OTHER_NOT_REACHED)
		return NOT_REACHED;
	if ((equal < ours.count && equal < theirs.count) ||
	    (ours.end == AGREED && theirs.count > ours.count) ||
	    (theirs.end == SNAP__OTHER_WHOLE && ours.count > theirs.count))
		return MISMATCH;
	if (ours.end != AGREED)
		return ours.end;
	return theirs.end == SNAP__OTHER_WHOLE ? AGREED : THEIRS_TRUNCATED;
}

/* ---- telling --------------------------------------------------------------------------------- */

static void add_address(struct snap__text *line, uintptr_t address)
{
	static const char digits[] = "0123456789abcdef";
	char text[18] = "0x";

	for (unsigned i = 0; i < 12; i++)
		text[2 + i] = digits[address >> (44 - 4 * i) & 15];
	snap__text_add_bytes(line, text, 14);
}

/* " 0x7f0123456789 libc.so.6+0x12345" */
static void add_frame(struct snap__text *line, const uintptr_t *pcs, unsigned i, unsigned count)
{
	const char *name = "", *slash;
	uintptr_t bias = 0, pc = i < count ? pcs[i] & ADDRESS_MASK : 0;

	snap__text_add(line, "  ");
	if (i >= count) {
		snap__text_add(line, "-");
		return;
	}
	add_address(line, pc);
	if (!snap__other_module(pc, &bias, &name))
		return;
	slash = strrchr(name, '/');
	snap__text_add(line, " ");
	snap__text_add(line, *name ? (slash ? slash + 1 : name) : "program");
	snap__text_add(line, "+");
	add_address(line, pc - bias);
}

static void show(void)
{
	unsigned most = ours.count > theirs.count ? ours.count : theirs.count;
	unsigned equal = equal_frames();
	char buffer[256];
	struct snap__text line;

	snap__message("SNAP_VERIFY: a stack differs; ours, and libunwind's:", NULL, 0);
	for (unsigned i = 0; i < most && i < SHOWN_FRAMES; i++) {
		line = SNAP__TEXT(buffer);
		snap__text_add_padded(&line, i, 2);
		snap__text_add(&line, i < equal ? "  " : "! ");
		add_frame(&line, ours.pcs, i, ours.count);
		add_frame(&line, theirs.pcs, i, theirs.count);
		snap__message(buffer, NULL, 0);
	}
	snap__message(ours.end == AGREED ? "  ours claims to be complete"
					 : "  ours is said to be truncated",
		      theirs.end == SNAP__OTHER_WHOLE ? "and so does libunwind's"
						      : "and libunwind's does not claim to be",
		      0);
}

static uint64_t count_of(enum outcome outcome)
{
	return atomic_load_explicit(&outcomes[outcome], memory_order_relaxed);
}

uint64_t snap__verify_mismatches(void)
{
	return count_of(MISMATCH);
}

uint64_t snap__verify_agreed(void)
{
	return count_of(AGREED) + count_of(DEPTH_LIMITED) + count_of(OURS_TRUNCATED) +
	       count_of(THEIRS_TRUNCATED);
}

void snap__verify_report(void)
{
	static const char *const names[OUTCOMES] = {
		[AGREED] = " equal and complete, ",
		[MISMATCH] = " mismatches, ",
		[DEPTH_LIMITED] = " cut at the depth limit, ",
		[OURS_TRUNCATED] = " truncated by us, ",
		[THEIRS_TRUNCATED] = " truncated by libunwind, ",
		[NOT_REACHED] = " not reached by libunwind, ",
		[SKIPPED] = " skipped",
	};
	const struct snap__process *who = snap__process_self();
	char buffer[sizeof(who->program) + 512];
	struct snap__text line = SNAP__TEXT(buffer);

	if (!snap__verify_every)
		return;
	snap__text_add(&line, "SNAP_VERIFY: ");
	snap__text_add(&line, who->program);
	snap__text_add(&line, " (");
	snap__text_add_u64(&line, (uint64_t)who->pid);
	snap__text_add(&line, "): ");
	for (unsigned i = 0; i < OUTCOMES; i++) {
		snap__text_add_u64(&line, count_of(i));
		snap__text_add(&line, names[i]);
	}
	snap__message(buffer, NULL, 0);
}

/* ---- verifying ------------------------------------------------------------------------------- */

static bool lock_patiently(void)
{
	for (unsigned i = 0; i < PATIENCE; i++) {
		if (snap__lock_try(&lock))
			return true;
		snap__os_yield();
	}
	return false;
}

/* Never inlined, so that libunwind's walk starts in its caller's frame. */
static enum outcome verify(const struct snap__regs *at, const struct snap__capture *found)
{
	enum outcome outcome;
	unsigned enough;

	if (!found->stack || !lock_patiently())
		return SKIPPED;
	list_ours(found->stack);
	/* One frame more than ours shows that ours ends too early; a few more show how. */
	enough = ours.end == AGREED ? ours.count + 16 : ours.count;
	theirs.end =
		snap__other_unwind(at, theirs.pcs, enough < room ? enough : room, &theirs.count);
	outcome = judge();
	if (outcome == MISMATCH && count_of(MISMATCH) < SHOWN)
		show();
	snap__lock_release(&lock);
	return outcome;
}

__attribute__((noinline)) void snap__verify(struct snap__thread *thread,
					    const struct snap__regs *at,
					    const struct snap__capture *found)
{
	uint64_t number = atomic_fetch_add_explicit(&captures, 1, memory_order_relaxed);
	unsigned char was_busy = thread->busy;
	int saved_errno = errno;
	sigset_t all, before;
	enum outcome outcome;

	if (number % snap__verify_every != 0)
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	thread->busy = SNAP__INTERNAL;
	outcome = verify(at, found);
	thread->busy = was_busy;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	atomic_fetch_add_explicit(&outcomes[outcome], 1, memory_order_relaxed);
	errno = saved_errno;
}

/* ---- fork ------------------------------------------------------------------------------------ */

static _Thread_local bool holds_lock;

void snap__verify_before_fork(void)
{
	holds_lock = snap__verify_every && lock_patiently();
}

void snap__verify_after_fork_in_parent(void)
{
	if (holds_lock)
		snap__lock_release(&lock);
	holds_lock = false;
}

void snap__verify_after_fork_in_child(void)
{
	snap__verify_after_fork_in_parent();
	for (unsigned i = 0; i < OUTCOMES; i++)
		atomic_store_explicit(&outcomes[i], 0, memory_order_relaxed);
}
