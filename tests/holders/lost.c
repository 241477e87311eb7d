/*
 * lost.c - programs that lose memory, each in a way of its own: lost SCENARIO.
 *
 * Built plainly it takes a snapshot, built with LeakSanitizer it has that look: run.py compares what they find.
 * Whoever is lost is allocated by a function of its own, in a thread that ends: no stale word refers to it.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

extern int snap_take_holders(const char *label, int retained) __attribute__((weak));
extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

#define NOINLINE   __attribute__((noinline, noclone))
#define USE(value) __asm__ volatile("" : : "r"(value) : "memory")

struct node {
	struct node *left, *right;
	char fill[40];
};

struct node *g_root, *g_list;
__thread struct node *t_kept;

NOINLINE static struct node *list_node(void)
{
	return calloc(1, sizeof(struct node));
}

NOINLINE static struct node *tree_node(void)
{
	return calloc(1, sizeof(struct node) + 16);
}

NOINLINE static struct node *kept_node(void)
{
	return calloc(1, sizeof(struct node) + 32);
}

/* ---- scenarios ---- */

/* The head is lost directly, the others by way of it. */
NOINLINE static void lose_list(void)
{
	struct node *list = NULL;

	for (volatile int i = 0; i < 100; i++) {
		struct node *node = list_node();

		node->left = list;
		list = node;
	}
	USE(list);
}

static struct node *grow_tree(int depth)
{
	struct node *node = tree_node();

	if (depth > 0) {
		node->left = grow_tree(depth - 1);
		node->right = grow_tree(depth - 1);
	}
	return node;
}

/* Half of a tree is cut off, the other half stays. */
NOINLINE static void lose_tree(void)
{
	g_root = grow_tree(6);
	g_root->left = NULL;
}

/* Two lost nodes refer to a third. */
NOINLINE static void lose_shared(void)
{
	struct node *one = list_node(), *two = list_node();

	one->left = two->left = tree_node();
	USE(one);
	USE(two);
}

/* Only pointers into the middle of blocks are left. */
NOINLINE static void keep_inner(void)
{
	for (volatile int i = 0; i < 50; i++) {
		struct node *node = kept_node();

		node->left = g_list;
		g_list = (struct node *)(void *)&node->fill[8];
		g_list->left = node->left; /* the chain goes by the middles */
	}
	lose_list();
}

/* A block that was freed had the only pointer. */
NOINLINE static void lose_by_free(void)
{
	for (volatile int i = 0; i < 20; i++) {
		struct node *holder = list_node();

		holder->right = tree_node();
		free(holder);
	}
}

/* Only memory that the program mapped refers to them. */
NOINLINE static void keep_in_mapping(void)
{
	struct node **words =
		mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (int i = 0; i < 30; i++)
		words[i * 10] = kept_node();
	lose_list();
}

/* ---- coroutines: only a frame on a stack of the program's own refers to a node ---- */

enum { STACK_SIZE = 65536 };

static ucontext_t g_caller;
static ucontext_t *g_context;
static struct node *g_passed;

/* It allocates nothing: not everybody can walk such a stack, and what was called leaves stale words. */
NOINLINE static void hold_on_stack(void)
{
	struct node *volatile held = g_passed;

	g_passed = NULL;
	swapcontext(g_context, &g_caller);
	USE(held);
}

NOINLINE static ucontext_t *context_node(void)
{
	return calloc(1, sizeof(ucontext_t));
}

NOINLINE static void *stack_node(void)
{
	return calloc(1, STACK_SIZE);
}

/* Run a coroutine on `stack` until it gives control back. */
NOINLINE static void begin_coroutine(void *stack)
{
	g_passed = kept_node();
	g_context = context_node();
	getcontext(g_context);
	g_context->uc_stack.ss_sp = stack;
	g_context->uc_stack.ss_size = STACK_SIZE;
	g_context->uc_link = &g_caller;
	makecontext(g_context, hold_on_stack, 0);
	swapcontext(&g_caller, g_context);
}

/* What is left in registers of the caller is stale. */
static void forget_caller(void)
{
	memset(&g_caller, 0, sizeof(g_caller));
}

static void keep_coroutine(void)
{
	begin_coroutine(stack_node());
	forget_caller();
	lose_list();
}

/* The context refers to the stack, and its frame to the node. */
static void lose_coroutine(void)
{
	begin_coroutine(stack_node());
	forget_caller();
	g_context = NULL;
}

static void keep_on_mapped_stack(void)
{
	begin_coroutine(
		mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	forget_caller();
	lose_list();
}

/* A filter of system calls for all threads, which permits everything.  Where none can be set, this is
 * lose_list(). */
static void lose_behind_filter(void)
{
	struct sock_filter permit = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = {1, &permit};

	lose_list();
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
}

static void keep_by_thread(void)
{
	t_kept = kept_node();
	t_kept->left = kept_node();
}

static const struct {
	const char *name;
	void (*run)(void);
} scenarios[] = {
	{"list", lose_list},
	{"tree", lose_tree},
	{"shared", lose_shared},
	{"inner", keep_inner},
	{"freed", lose_by_free},
	{"mapping", keep_in_mapping},
	{"coroutine", keep_coroutine},
	{"lost_coroutine", lose_coroutine},
	{"mapped_stack", keep_on_mapped_stack},
	{"filtered", lose_behind_filter},
};

NOINLINE static void wipe(void)
{
	volatile char fill[32768];

	for (size_t i = 0; i < sizeof(fill); i++)
		fill[i] = 0;
}

static void *run(void *name)
{
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(*scenarios); i++)
		if (strcmp(scenarios[i].name, name) == 0)
			scenarios[i].run();
	wipe();
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc < 2 || pthread_create(&thread, NULL, run, argv[1]) != 0)
		return 2;
	pthread_join(thread, NULL);
	keep_by_thread();
	wipe();
	if (snap_take_holders)
		snap_take_holders(NULL, 0);
	if (__lsan_do_recoverable_leak_check)
		__lsan_do_recoverable_leak_check();
	fflush(stdout);
	_exit(0);
}
