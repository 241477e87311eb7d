/*
 * test_verify.c - a wrong stack is reported, and a right one is not.
 */
/* links: snapruntime */
#include <criterion/criterion.h>

#include "runtime/modules.h"
#include "runtime/stacks.h"
#include "runtime/thread.h"
#include "runtime/verify.h"

#define MOST 64

/* A capture of our own callers, as a list of pcs with their tags, newest first. */
struct list {
	uintptr_t pcs[MOST];
	unsigned count;
};

static struct list list_of(uint32_t stack)
{
	struct list list = {.count = 0};

	for (; stack && list.count < MOST; stack = snap__stacks_parent(stack))
		list.pcs[list.count++] = snap__stacks_pc(stack);
	return list;
}

static uint32_t stack_of(const struct list *list)
{
	uint32_t stack = 0;

	for (unsigned i = list->count; i-- > 0;)
		stack = snap__stacks_child(stack, list->pcs[i]);
	return stack;
}

typedef void spoil_fn(struct list *list);

/* Capture a stack, change it, and have it verified. */
__attribute__((noinline)) static void verify_spoilt(spoil_fn *spoil)
{
	struct snap__regs regs = snap__regs_of_caller(__builtin_frame_address(0));
	struct snap__thread *thread = snap__thread_get();
	struct snap__capture found = snap__unwind_capture(thread->unwind, &regs);
	struct list list = list_of(found.stack);

	cr_assert_gt(list.count, 3);
	if (spoil)
		spoil(&list);
	found.stack = stack_of(&list);
	snap__verify(thread, &regs, &found);
	__asm__ volatile("");
}

/* False where libunwind is not installed. */
static bool start(void)
{
	snap__unwind_init(MOST);
	cr_assert(snap__threads_init());
	snap__verify_init(1, MOST);
	if (!snap__verify_every)
		cr_log_warn("skipped: no libunwind");
	return snap__verify_every != 0;
}

static void expect(spoil_fn *spoil, uint64_t agreed, uint64_t mismatches)
{
	if (!start())
		return;
	verify_spoilt(spoil);
	cr_assert_eq(snap__verify_agreed(), agreed);
	cr_assert_eq(snap__verify_mismatches(), mismatches);
}

Test(verify, a_true_stack_agrees)
{
	expect(NULL, 1, 0);
}

static void change_one_byte(struct list *list)
{
	list->pcs[2]++;
}

Test(verify, another_return_address_is_noticed)
{
	expect(change_one_byte, 0, 1);
}

static void drop_outermost(struct list *list)
{
	list->count--;
}

Test(verify, a_stack_that_claims_to_end_too_early_is_noticed)
{
	expect(drop_outermost, 0, 1);
}

static void drop_and_say_so(struct list *list)
{
	list->pcs[list->count - 1] = SNAP__PC_TRUNCATED;
}

Test(verify, a_stack_that_is_said_to_be_truncated_is_believed)
{
	expect(drop_and_say_so, 1, 0);
}

static void add_outermost(struct list *list)
{
	list->pcs[list->count] = list->pcs[list->count - 1] + 64;
	list->count++;
}

Test(verify, a_frame_too_many_is_noticed)
{
	expect(add_outermost, 0, 1);
}

static void change_tag(struct list *list)
{
	list->pcs[1] ^= (uintptr_t)5 << SNAP__PC_TAG_SHIFT;
}

Test(verify, a_frame_attributed_to_another_module_is_noticed)
{
	expect(change_tag, 0, 1);
}

Test(verify, only_every_nth_stack_is_verified)
{
	if (!start())
		return;
	snap__verify_every = 3;
	for (int i = 0; i < 9; i++)
		verify_spoilt(NULL);
	cr_assert_eq(snap__verify_agreed(), 3);
}
