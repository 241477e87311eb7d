// t15: stacks of every shape.
// Stands for: unwinders that crash or loop on deep recursion, alloca, exceptions, longjmp,
// coroutines, realigned frames, signal frames and code without frame pointers.
#include <alloca.h>
#include <csetjmp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <sys/resource.h>
#include <ucontext.h>
#include <unistd.h>

#define FAR __attribute__((noinline))

static void *volatile sink;

FAR static void touch()
{
	sink = malloc(10);
	free(sink);
}

FAR static int recurse(int depth)
{
	if (depth % 1000 == 0)
		touch();
	int below = depth > 0 ? recurse(depth - 1) : 0;
	asm volatile("" : "+r"(below));
	return below + 1;
}

FAR static int with_alloca(int depth)
{
	volatile char *p =
		static_cast<volatile char *>(alloca(static_cast<size_t>(depth * 13 % 700 + 1)));
	p[0] = 1;
	touch();
	return depth > 0 ? with_alloca(depth - 1) + p[0] : 0;
}

FAR static void throws(int depth)
{
	touch();
	if (depth == 0)
		throw std::runtime_error("x");
	throws(depth - 1);
	touch();
}

static jmp_buf back;

FAR static void jumps(int depth)
{
	touch();
	if (depth == 0)
		longjmp(back, 1);
	jumps(depth - 1);
	touch();
}

FAR static void realigned(int depth)
{
	alignas(256) volatile char wide[256];
	wide[depth % 256] = 1;
	touch();
	if (depth > 0)
		realigned(depth - 1);
	wide[0] = 2;
}

static ucontext_t main_context, other_context;

static void coroutine()
{
	for (int i = 0; i < 1000; i++) {
		recurse(50);
		swapcontext(&other_context, &main_context);
	}
}

static void on_signal(int)
{
	with_alloca(10); // raised by ourselves: nothing was interrupted
}

static int by_size(const void *a, const void *b)
{
	touch();
	return *static_cast<const int *>(a) - *static_cast<const int *>(b);
}

int main()
{
	rlimit limit{};
	getrlimit(RLIMIT_STACK, &limit);
	if (recurse(100000) != 100001)
		return 1;
	with_alloca(500);
	for (int i = 0; i < 300; i++) {
		try {
			throws(i);
		} catch (const std::exception &) {
			touch();
		}
		if (setjmp(back) == 0)
			jumps(i);
		realigned(i % 40);
	}
	static char stack[256 * 1024];
	getcontext(&other_context);
	other_context.uc_stack.ss_sp = stack;
	other_context.uc_stack.ss_size = sizeof(stack);
	other_context.uc_link = &main_context;
	makecontext(&other_context, coroutine, 0);
	for (int i = 0; i < 1000; i++) {
		touch();
		swapcontext(&main_context, &other_context);
	}
	static char alternative[64 * 1024];
	stack_t signal_stack{};
	signal_stack.ss_sp = alternative;
	signal_stack.ss_size = sizeof(alternative);
	sigaltstack(&signal_stack, nullptr);
	struct sigaction action {
	};
	action.sa_handler = on_signal;
	action.sa_flags = SA_ONSTACK;
	sigaction(SIGUSR1, &action, nullptr);
	for (int i = 0; i < 100; i++)
		raise(SIGUSR1);
	int numbers[200];
	for (int i = 0; i < 200; i++)
		numbers[i] = i * 7919 % 200;
	qsort(numbers, 200, sizeof(int), by_size);
	return numbers[199] == 199 ? 0 : 1;
}
