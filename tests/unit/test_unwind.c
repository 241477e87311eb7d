/*
 * Captured stacks equal those of an independent unwinder, whatever the program does with its stack.
 */
/* links: snapruntime */
#include <alloca.h>
#include <criterion/criterion.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "runtime/unwind/walk.h"
#include "test_unwind_oracle.h"

static uint64_t seed = 0x2545f4914f6cdd1dull;

static uint64_t random_number(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static volatile char sink;
static unsigned long enough_checks = 20000;

/* Random call trees of functions whose frames differ in size and in the registers they save. */
static int branch(int depth);

#define TREE_FUNCTION(name, bytes)                                                                 \
	NOT_INLINED static int name(int depth)                                                     \
	{                                                                                          \
		char room[bytes];                                                                  \
		int sum = 0;                                                                       \
		room[depth & 7] = (char)depth;                                                     \
		__asm__ volatile("" : : "r"(room) : "memory");                                     \
		for (int i = 0; i < 2; i++)                                                        \
			sum ^= branch(depth - 1) + depth;                                          \
		sink = room[depth & 7];                                                            \
		return sum;                                                                        \
	}
TREE_FUNCTION(tree_small, 8)
TREE_FUNCTION(tree_small_too, 8)
TREE_FUNCTION(tree_medium, 120)
TREE_FUNCTION(tree_large, 3000)

NOT_INLINED static int tree_alloca(int depth)
{
	char *room = alloca(16 + (random_number() & 255));
	int sum;

	room[0] = (char)depth;
	__asm__ volatile("" : : "r"(room) : "memory");
	sum = branch(depth - 1) + branch(depth - 1);
	sink = room[0];
	return sum;
}

/* Over-aligned locals make the compiler realign the stack: rules with expressions. */
NOT_INLINED static int tree_realigned(int depth)
{
	_Alignas(64) char room[64];
	int sum;

	room[depth & 63] = (char)depth;
	__asm__ volatile("" : : "r"(room) : "memory");
	sum = branch(depth - 1) + depth;
	sink = room[depth & 63];
	return sum;
}

/* Realigned and of varying size: the CFA cannot even be had from the frame pointer alone. */
NOT_INLINED static int tree_realigned_alloca(int depth)
{
	_Alignas(64) char room[64];
	char *more = alloca(16 + (random_number() & 127));
	int sum;

	room[depth & 63] = more[0] = (char)depth;
	__asm__ volatile("" : : "r"(room), "r"(more) : "memory");
	sum = branch(depth - 1) + depth;
	sink = (char)(room[depth & 63] + more[0]);
	return sum;
}

static int compare_and_branch(const void *a, const void *b)
{
	if ((random_number() & 7) == 0)
		branch(2);
	return *(const char *)a - *(const char *)b;
}

NOT_INLINED static int tree_callback(int depth)
{
	char letters[] = "unwinding";

	qsort(letters, sizeof(letters) - 1, 1, compare_and_branch);
	return branch(depth - 2) + letters[0];
}

static int branch(int depth)
{
	static int (*const functions[])(int) = {tree_small,    tree_small_too,       tree_medium,
						tree_large,    tree_alloca,          tree_realigned,
						tree_callback, tree_realigned_alloca};

	if (random_number() % 3 == 0)
		oracle_check();
	if (depth <= 0 || oracle_checked >= enough_checks || random_number() % 8 == 0)
		return 1;
	return functions[random_number() & 7](depth) + 1;
}

Test(unwind, random_call_trees_match_the_oracle)
{
	oracle_start();
	while (oracle_checked < enough_checks)
		branch((int)(random_number() % 60));
	cr_assert_eq(oracle_wrong, 0, "%lu of %lu stacks differ", oracle_wrong, oracle_checked);
}

/* Ways down that part near the outermost frame, one of 256 at a time. */
static int go_down(unsigned way, int depth);

NOT_INLINED static int step_left(unsigned way, int depth)
{
	char room[40];

	room[depth & 7] = (char)depth;
	__asm__ volatile("" : : "r"(room) : "memory");
	return go_down(way, depth - 1) + room[depth & 7];
}

NOT_INLINED static int step_right(unsigned way, int depth)
{
	return go_down(way, depth - 1) + depth;
}

static int go_down(unsigned way, int depth)
{
	if (depth == 0) {
		oracle_check();
		return 1;
	}
	if (way >> depth / 4 & 1)
		return step_left(way, depth) + 1;
	return step_right(way, depth) + 2;
}

Test(unwind, ways_that_have_little_in_common_match_the_oracle)
{
	oracle_start();
	for (int i = 0; i < 6000; i++) {
		go_down((unsigned)(random_number() & 0xff), 31);
		if (i % 1000 == 0) /* new ways, while most walks keep nothing */
			go_down((unsigned)(random_number() & 0xff), 30 - i / 1000);
	}
	cr_assert_eq(oracle_wrong, 0, "%lu of %lu stacks differ", oracle_wrong, oracle_checked);
}

/* 4,096 calls of one function, which the compiler must not merge. */
static bool is_unchecked;

NOT_INLINED static int called(void)
{
	if (is_unchecked) {
		struct snap__regs regs = snap__regs_of_caller(__builtin_frame_address(0));

		snap__unwind_capture(oracle_thread, &regs);
		return 1;
	}
	oracle_check();
	return 1;
}

enum { CALLS = 4096 };

#define CALL(n)                                                                                    \
	case n:                                                                                    \
		__asm__ volatile("" : : "i"(n));                                                   \
		sum += called();                                                                   \
		__asm__ volatile("" : : "i"(n));                                                   \
		break;
#define CALLS_4(n)    CALL(n) CALL((n) + 1) CALL((n) + 2) CALL((n) + 3)
#define CALLS_16(n)   CALLS_4(n) CALLS_4((n) + 4) CALLS_4((n) + 8) CALLS_4((n) + 12)
#define CALLS_64(n)   CALLS_16(n) CALLS_16((n) + 16) CALLS_16((n) + 32) CALLS_16((n) + 48)
#define CALLS_256(n)  CALLS_64(n) CALLS_64((n) + 64) CALLS_64((n) + 128) CALLS_64((n) + 192)
#define CALLS_1024(n) CALLS_256(n) CALLS_256((n) + 256) CALLS_256((n) + 512) CALLS_256((n) + 768)

NOT_INLINED static int call(unsigned which)
{
	int sum = 0;

	switch (which) {
		CALLS_1024(0)
		CALLS_1024(1024)
		CALLS_1024(2048)
		CALLS_1024(3072)
	default:
		break;
	}
	return sum;
}

/* As many of the calls, each once, in an order that the table of ways does not keep. */
static void make_calls(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		call(i * 1237 % CALLS);
}

Test(unwind, a_program_that_allocates_through_many_calls_gets_room_for_their_rules)
{
	oracle_start();
	for (int round = 0; round < 6; round++)
		make_calls(CALLS);
	oracle_thread->steps_filled = 0;
	make_calls(CALLS / 4);
	cr_assert_eq(oracle_wrong, 0, "%lu of %lu stacks differ", oracle_wrong, oracle_checked);
	cr_assert_lt(oracle_thread->steps_filled, CALLS / 8);
}

/* 16 MiB, as the README says. */
Test(unwind, many_threads_together_get_little_room_for_such_rules)
{
	const size_t first = 1024 * sizeof(struct snap__step), most = (size_t)16 << 20;
	size_t all = 0, table = 0;

	for (int thread = 0; thread < 150; thread++) {
		oracle_start();
		is_unchecked = true;
		for (int round = 0; round < 4; round++)
			make_calls(CALLS);
		is_unchecked = false;
		make_calls(CALLS / 64);
		table = oracle_thread->steps_mask + 2 * sizeof(struct snap__step);
		all += table > first ? table : 0;
	}
	cr_assert_gt(all, most / 4);
	cr_assert_leq(all, most);
	cr_assert_eq(table, first, "the last thread has %zu bytes", table);
	cr_assert_eq(oracle_wrong, 0, "%lu of %lu stacks differ", oracle_wrong, oracle_checked);
}

NOT_INLINED static int recurse(int depth)
{
	int result = 0;

	if (depth > 0)
		result = recurse(depth - 1) + 1;
	if (depth % 3 == 0)
		oracle_check();
	return result;
}

Test(unwind, recursion_within_the_limit_is_complete_on_the_way_back)
{
	oracle_start();
	recurse(400);
	cr_assert_gt(oracle_checked, 100);
	cr_assert_eq(oracle_wrong, 0, "%lu of %lu stacks differ", oracle_wrong, oracle_checked);
}

static struct snap__capture deepest;

NOT_INLINED static struct snap__capture capture_only(void)
{
	struct snap__regs regs = snap__regs_of_caller(__builtin_frame_address(0));

	return snap__unwind_capture(oracle_thread, &regs);
}

NOT_INLINED static int recurse_far(int depth)
{
	struct snap__capture capture = capture_only();
	int result = 0;

	if (capture.frames > ORACLE_DEPTH || (depth > 1000 && capture.truncated))
		sink = 1;
	if (depth > 0)
		result = recurse_far(depth - 1) + 1;
	else
		deepest = capture;
	sink = (char)result;
	capture_only();
	return result;
}

static uint32_t root_of(uint32_t id)
{
	while (id && snap__stacks_parent(id))
		id = snap__stacks_parent(id);
	return id;
}

static void *recurse_on_large_stack(void *unused)
{
	uintptr_t pcs[ORACLE_FRAMES];

	(void)unused;
	oracle_start();
	recurse_far(100000);
	cr_assert(deepest.truncated);
	cr_assert_geq(deepest.frames, ORACLE_DEPTH / 2);
	cr_assert_leq(deepest.frames, ORACLE_DEPTH);
	cr_assert_eq(snap__stacks_pc(root_of(deepest.stack)), SNAP__PC_DEPTH);
	cr_assert_eq(oracle_list(deepest.stack, pcs, ORACLE_FRAMES), deepest.frames + 1u);
	/* A few nodes for each depth within a window, not a whole stack for each call. */
	cr_assert_lt(snap__stacks_count(), 20000, "%u nodes", snap__stacks_count());
	return NULL;
}

static void run_thread(void *(*function)(void *), size_t stack_bytes)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, stack_bytes);
	cr_assert_eq(pthread_create(&thread, &attributes, function, NULL), 0);
	pthread_join(thread, NULL);
	pthread_attr_destroy(&attributes);
}

Test(unwind, recursion_of_100000_frames_is_cut_at_the_limit, .timeout = 1200)
{
	run_thread(recurse_on_large_stack, (size_t)64 << 20);
}

static void *trees_in_a_thread(void *unused)
{
	(void)unused;
	enough_checks = 3000;
	oracle_start();
	while (oracle_checked < enough_checks)
		branch((int)(random_number() % 40));
	cr_assert_eq(oracle_wrong, 0);
	return NULL;
}

Test(unwind, other_threads_are_complete)
{
	run_thread(trees_in_a_thread, (size_t)1 << 20);
}

static jmp_buf escape;

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Winfinite-recursion" /* it ends by longjmp */
#endif
NOT_INLINED static void dive_and_jump(int depth)
{
	char room[64];

	memset(room, depth, sizeof(room));
	__asm__ volatile("" : : "r"(room) : "memory");
	oracle_check();
	if (depth > 0)
		dive_and_jump(depth - 1);
	else
		longjmp(escape, 1);
	sink = room[3];
}

Test(unwind, longjmp_leaves_no_old_frames_behind)
{
	oracle_start();
	for (int i = 0; i < 200; i++) {
		if (setjmp(escape) == 0)
			dive_and_jump((int)(random_number() % 30));
		branch(3);
	}
	cr_assert_eq(oracle_wrong, 0, "%lu of %lu stacks differ", oracle_wrong, oracle_checked);
}

static ucontext_t main_context, coroutines[3];

NOT_INLINED static void coroutine_work(int number, int depth)
{
	oracle_check();
	if (depth > 0)
		coroutine_work(number, depth - 1);
	swapcontext(&coroutines[number], &main_context);
	oracle_check();
}

static void coroutine(int number)
{
	for (;;)
		coroutine_work(number, 5 + number);
}

Test(unwind, coroutines_on_their_own_stacks_are_complete)
{
	const size_t size = 256 << 10;

	oracle_start();
	for (int i = 0; i < 3; i++) {
		getcontext(&coroutines[i]);
		coroutines[i].uc_stack.ss_sp = mmap(NULL, size, PROT_READ | PROT_WRITE,
						    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		coroutines[i].uc_stack.ss_size = size;
		coroutines[i].uc_link = &main_context;
		makecontext(&coroutines[i], (void (*)(void))coroutine, 1, i);
	}
	for (int round = 0; round < 300; round++) {
		swapcontext(&main_context, &coroutines[random_number() % 3]);
		branch(4);
	}
	cr_assert_eq(oracle_wrong, 0, "%lu of %lu stacks differ", oracle_wrong, oracle_checked);
}

static volatile sig_atomic_t handled;

static void handler(int signal)
{
	(void)signal;
	handled = handled + 1;
	branch(5);
}

static timer_t timer;

/*
 * The signal comes where nothing is called, so that only an exact pc in the caller finds the right
 * row.  The timer fires once: a slow handler must not keep the test from going on.
 */
NOT_INLINED static void spin_until_handled(int depth)
{
	struct itimerspec once = {.it_value = {0, 700000}};
	int before = handled;

	if (depth > 0) {
		spin_until_handled(depth - 1);
	} else {
		cr_assert_eq(timer_settime(timer, 0, &once, NULL), 0);
		while (handled == before)
			;
	}
	sink = (char)depth;
}

static void take_signals(int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};

	oracle_start();
	sigaction(SIGALRM, &action, NULL);
	cr_assert_eq(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
	for (int i = 0; i < 100; i++)
		spin_until_handled(i % 20);
	timer_delete(timer);
	cr_assert_gt(oracle_checked, 100);
	cr_assert_eq(oracle_wrong, 0, "%lu of %lu stacks differ", oracle_wrong, oracle_checked);
}

Test(unwind, signal_handlers_see_the_interrupted_frames, .timeout = 1200)
{
	take_signals(0);
}

Test(unwind, signal_handlers_on_their_own_stack_see_the_interrupted_frames, .timeout = 1200)
{
	stack_t stack = {.ss_size = 256 << 10};

	stack.ss_sp = malloc(stack.ss_size);
	sigaltstack(&stack, NULL);
	take_signals(SA_ONSTACK);
}

/* Code without any rules, as a just-in-time compiler makes it: push %rbp; mov %rsp, %rbp;
   call *%rdi; pop %rbp; ret. */
Test(unwind, generated_code_is_crossed_by_its_frame_pointer)
{
	static const unsigned char code[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3};
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct snap__capture (*generated)(struct snap__capture(*)(void));
	struct snap__capture capture;
	uintptr_t pcs[ORACLE_FRAMES];

	cr_assert_neq(page, MAP_FAILED);
	memcpy(page, code, sizeof(code));
	memcpy(&generated, &page, sizeof(page));
	oracle_start();
	capture = generated(capture_only);
	cr_assert_not(capture.truncated);
	cr_assert_gt(oracle_list(capture.stack, pcs, ORACLE_FRAMES), 3);
	cr_assert_eq(pcs[0], (uintptr_t)page + 5, "the last byte of the call");
	cr_assert_eq(snap__stacks_pc(capture.stack) >> SNAP__PC_TAG_SHIFT, SNAP__PC_TAG_NONE);
}

#ifdef __x86_64__
uintptr_t call_on_stack_returns_to;

/* Calls its argument on another stack, without rules, as Go calls C: the frame pointer stays. */
struct snap__capture call_on_stack(struct snap__capture (*function)(void), void *top);
__asm__(".pushsection .text\n"
	".type call_on_stack,@function\n"
	"call_on_stack:\n"
	"	mov (%rsp), %rax\n"
	"	mov call_on_stack_returns_to@GOTPCREL(%rip), %rdx\n"
	"	mov %rax, (%rdx)\n"
	"	push %rbp\n"
	"	mov %rsp, %rbp\n"
	"	push %rbx\n"
	"	mov %rsp, %rbx\n"
	"	mov %rsi, %rsp\n"
	"	call *%rdi\n"
	"	mov %rbx, %rsp\n"
	"	pop %rbx\n"
	"	pop %rbp\n"
	"	ret\n"
	".size call_on_stack, .-call_on_stack\n"
	".popsection\n");

static char other_stack[64 << 10] __attribute__((aligned(64)));

NOT_INLINED static struct snap__capture call_out(void)
{
	struct snap__capture capture =
		call_on_stack(capture_only, other_stack + sizeof(other_stack));

	sink = 0;
	return capture;
}

Test(unwind, a_switch_of_stacks_without_rules_is_crossed_by_the_frame_pointer)
{
	uintptr_t pcs[ORACLE_FRAMES];
	struct snap__capture capture;

	oracle_start();
	capture = call_out();
	cr_assert_not(capture.truncated);
	cr_assert_gt(oracle_list(capture.stack, pcs, ORACLE_FRAMES), 3);
	cr_assert_lt(pcs[0] - (uintptr_t)call_on_stack, 48);
	cr_assert_eq(pcs[1], call_on_stack_returns_to - 1, "its frame is on the first stack");
}

/* Calls its argument on another stack with this frame pointer, without rules. */
struct snap__capture call_with_frame(struct snap__capture (*function)(void), void *top,
				     const uintptr_t *frame);
__asm__(".pushsection .text\n"
	".type call_with_frame,@function\n"
	"call_with_frame:\n"
	"	push %rbp\n"
	"	push %rbx\n"
	"	mov %rsp, %rbx\n"
	"	mov %rsi, %rsp\n"
	"	mov %rdx, %rbp\n"
	"	call *%rdi\n"
	"	mov %rbx, %rsp\n"
	"	pop %rbx\n"
	"	pop %rbp\n"
	"	ret\n"
	".size call_with_frame, .-call_with_frame\n"
	".popsection\n");

static char closed_page[4096] __attribute__((aligned(4096)));

Test(unwind, a_frame_pointer_may_lead_to_a_page_of_the_module_that_cannot_be_read)
{
	uintptr_t pcs[ORACLE_FRAMES], *frame = (void *)other_stack; /* below the stack pointer */
	struct snap__capture capture;

	oracle_start();
	frame[0] = 0;
	frame[1] = (uintptr_t)closed_page + 64;
	cr_assert_eq(mprotect(closed_page, sizeof(closed_page), PROT_NONE), 0);
	capture = call_with_frame(capture_only, other_stack + sizeof(other_stack), frame);
	cr_assert_eq(mprotect(closed_page, sizeof(closed_page), PROT_READ | PROT_WRITE), 0);
	cr_assert_eq(oracle_list(capture.stack, pcs, ORACLE_FRAMES), 2,
		     "the caller, and the mark of a part");
	cr_assert_lt(pcs[0] - (uintptr_t)call_with_frame, 32);
}
#endif

/* Calls `first` and `second`, if they are given, from two places of one frame.  The word at its
   bottom looks like the return address of the first call, and stays there. */
void call_from_two_places(struct snap__capture (*first)(void),
			  struct snap__capture (*second)(void));
__asm__(".pushsection .text\n"
	".type call_from_two_places,@function\n"
	"call_from_two_places:\n"
	"	.cfi_startproc\n"
	"	push %rbx\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	.cfi_rel_offset %rbx, 0\n"
	"	mov %rsi, %rbx\n"
	"	lea 1f(%rip), %rax\n"
	"	push %rax\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	push %rax\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	test %rdi, %rdi\n"
	"	jz 1f\n"
	"	call *%rdi\n"
	"1:	test %rbx, %rbx\n"
	"	jz 2f\n"
	"	call *%rbx\n"
	"2:	add $16, %rsp\n"
	"	.cfi_adjust_cfa_offset -16\n"
	"	pop %rbx\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size call_from_two_places, .-call_from_two_places\n"
	".popsection\n");

/* Calls its argument with the CFA known from rbx alone, as hand-written code and some over-aligned
   functions have it: no frame further in tells what rbx is, except through its own rules. */
void call_with_cfa_in_rbx(struct snap__capture (*function)(void));
__asm__(".pushsection .text\n"
	".type call_with_cfa_in_rbx,@function\n"
	"call_with_cfa_in_rbx:\n"
	"	.cfi_startproc\n"
	"	push %rbx\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	.cfi_rel_offset %rbx, 0\n"
	"	mov %rsp, %rbx\n"
	"	.cfi_def_cfa_register %rbx\n"
	"	and $-256, %rsp\n"
	"	call *%rdi\n"
	"	mov %rbx, %rsp\n"
	"	.cfi_def_cfa_register %rsp\n"
	"	pop %rbx\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size call_with_cfa_in_rbx, .-call_with_cfa_in_rbx\n"
	".popsection\n");

NOT_INLINED static struct snap__capture check_below(void)
{
	struct snap__capture capture = oracle_check();

	sink = 0;
	return capture;
}

/* The frame that was the newest is now further out: its own caller is looked up. */
Test(unwind, a_frame_that_allocated_itself_may_call_others_that_do)
{
	struct snap__capture (*const first[])(void) = {oracle_check, check_below, NULL,
						       check_below};
	struct snap__capture (*const second[])(void) = {NULL, NULL, check_below, check_below};

	oracle_start();
	for (int i = 0; i < 40; i++)
		call_from_two_places(first[i % 4], second[i % 4]);
	cr_assert_eq(oracle_checked, 50);
	cr_assert_eq(oracle_wrong, 0, "%lu of %lu stacks differ", oracle_wrong, oracle_checked);
}

NOT_INLINED static void nest_in_rbx(int depth)
{
	if (depth > 0)
		nest_in_rbx(depth - 1);
	else
		call_with_cfa_in_rbx(check_below);
	sink = (char)depth;
}

Test(unwind, a_cfa_in_another_register_is_followed)
{
	oracle_start();
	for (int depth = 0; depth < 20; depth++)
		nest_in_rbx(depth);
	cr_assert_eq(oracle_checked, 20);
	cr_assert_eq(oracle_wrong, 0, "%lu of %lu stacks differ", oracle_wrong, oracle_checked);
}

Test(unwind, a_stack_pointer_into_unmapped_memory_truncates_the_stack)
{
	struct snap__regs regs = {0};
	struct snap__capture capture;

	oracle_start();
	regs = snap__regs_of_caller(__builtin_frame_address(0));
	regs.sp = 0x10000; /* nothing is mapped there */
	regs.fp = 0x10008;
	capture = snap__unwind_capture(oracle_thread, &regs);
	cr_assert(capture.truncated);
	cr_assert_eq(capture.frames, 1);
	cr_assert_eq(snap__stacks_pc(snap__stacks_parent(capture.stack)), SNAP__PC_TRUNCATED);
}

Test(unwind, a_fork_keeps_working_stacks)
{
	int status = -1;
	pid_t child;

	oracle_start();
	branch(10);
	child = fork();
	if (child == 0) {
		snap__unwind_after_fork(oracle_thread);
		branch(10);
		_exit(oracle_wrong != 0);
	}
	waitpid(child, &status, 0);
	cr_assert_eq(status, 0);
}

Test(unwind, the_same_stack_gets_the_same_id)
{
	uint32_t first = 0;

	oracle_start();
	for (int i = 0; i < 3; i++) {
		struct snap__capture capture = capture_only();

		cr_assert_neq(capture.stack, 0);
		first = first ? first : capture.stack;
		cr_assert_eq(capture.stack, first);
	}
}
