// t19_leaps: stacks that are left and entered otherwise than by return and call.
// Stands for: stacks kept from before an exception, a longjmp or a switch of stacks; handlers that
// interrupt code anywhere, in prologues and in stubs of the procedure linkage table as well.
#include <alloca.h>
#include <csetjmp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <memory>
#include <pthread.h>
#include <stdexcept>
#include <string>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define FAR __attribute__((noinline))

namespace
{

thread_local unsigned seed = 12345;
volatile unsigned sink;

unsigned random_number()
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

void use(volatile void *p)
{
	asm volatile("" : : "r"(p) : "memory");
}

FAR void touch()
{
	void *volatile p = malloc(random_number() % 200 + 1);
	free(p);
}

// ---- exceptions -------------------------------------------------------------------------------

struct Allocates {
	~Allocates()
	{
		touch(); // while the stack is being unwound
	}
};

FAR void throws(int depth)
{
	Allocates guard;
	char *room = static_cast<char *>(alloca(depth * 8 + 8));
	use(room);
	touch();
	if (depth == 0)
		throw std::runtime_error(std::string(40, 'x'));
	throws(depth - 1);
	use(room);
}

FAR void rethrows(int depth)
{
	try {
		throws(depth);
	} catch (const std::exception &) {
		touch();
		if (depth % 3 == 0)
			throw;
		try {
			throws(depth / 2);
		} catch (const std::runtime_error &) {
			touch();
		}
	}
}

struct Shape {
	virtual ~Shape() = default;
	virtual void draw(int depth) = 0;
};

struct Leaf final : Shape {
	FAR void draw(int) override
	{
		touch();
	}
};

struct Group final : Shape {
	std::unique_ptr<Shape> left, right;
	FAR void draw(int depth) override
	{
		std::function<void(int)> again = [this](int d) { left->draw(d); };
		again(depth - 1);
		right->draw(depth - 1);
	}
};

std::unique_ptr<Shape> shape(int depth)
{
	if (depth == 0)
		return std::make_unique<Leaf>();
	auto group = std::make_unique<Group>();
	group->left = shape(depth - 1);
	group->right = shape(depth > 1 ? depth - 2 : 0);
	return group;
}

// ---- longjmp ----------------------------------------------------------------------------------

thread_local jmp_buf back;

FAR void jumps(int depth, int from)
{
	touch();
	if (depth == 0)
		longjmp(back, 1);
	if (depth % 2)
		jumps(depth - 1, from + 1);
	jumps(depth - 1, from);
	touch();
}

FAR void after_jump(int rounds)
{
	for (int i = 0; i < rounds; i++) {
		if (setjmp(back) == 0)
			jumps(i % 20, 0);
		touch();
	}
}

// ---- coroutines -------------------------------------------------------------------------------

constexpr int coroutines = 4;
constexpr size_t stack_size = 64 * 1024;
ucontext_t main_context, contexts[coroutines];

FAR void climb(int number, int depth)
{
	touch();
	if (depth > 0)
		climb(number, depth - 1);
	else
		swapcontext(&contexts[number], &main_context);
	touch();
}

void coroutine(int number)
{
	for (int i = 0; i < 50; i++)
		climb(number, static_cast<int>(random_number() % 12));
}

FAR void switch_stacks()
{
	for (int i = 0; i < coroutines; i++) {
		char *stack = static_cast<char *>(mmap(nullptr, stack_size, PROT_READ | PROT_WRITE,
						       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
		getcontext(&contexts[i]);
		contexts[i].uc_stack.ss_sp = stack;
		contexts[i].uc_stack.ss_size = stack_size;
		contexts[i].uc_link = &main_context;
		makecontext(&contexts[i], reinterpret_cast<void (*)()>(coroutine), 1, i);
	}
	for (int i = 0; i < 40 * coroutines; i++) {
		touch();
		swapcontext(&main_context, &contexts[i % coroutines]);
	}
	for (auto &context : contexts)
		munmap(context.uc_stack.ss_sp, stack_size);
}

// A coroutine on memory of its creator's own stack.
FAR void coroutine_on_own_stack()
{
	char *stack = static_cast<char *>(alloca(stack_size));
	getcontext(&contexts[0]);
	contexts[0].uc_stack.ss_sp = stack;
	contexts[0].uc_stack.ss_size = stack_size;
	contexts[0].uc_link = &main_context;
	makecontext(&contexts[0], reinterpret_cast<void (*)()>(coroutine), 1, 0);
	for (int i = 0; i < 30; i++) {
		touch();
		swapcontext(&main_context, &contexts[0]);
	}
}

// ---- signals ----------------------------------------------------------------------------------

volatile sig_atomic_t handled;

FAR void in_handler(int depth)
{
	touch();
	if (depth > 0)
		in_handler(depth - 1);
	touch();
}

void on_signal(int)
{
	handled = handled + 1;
	in_handler(3);
}

// Calls through the procedure linkage table, prologues and epilogues; allocates nothing, so that
// the handler may.
FAR unsigned busy(int depth, unsigned n)
{
	char room[32];
	snprintf(room, sizeof(room), "%u", n);
	n += static_cast<unsigned>(strlen(room));
	if (depth > 0)
		n += busy(depth - 1, n) + busy(depth - 2, n + 1);
	return n + static_cast<unsigned>(memchr(room, '7', sizeof(room)) != nullptr);
}

// The timer fires once: a handler that takes longer than the timer's interval must not keep the
// program from going on.
FAR void await_signal(timer_t timer, int before)
{
	itimerspec once{{0, 0}, {0, static_cast<long>(50000 + random_number() % 400000)}};

	timer_settime(timer, 0, &once, nullptr);
	while (handled == before)
		sink = busy(static_cast<int>(random_number() % 9), handled);
}

FAR void take_signals(int flags, int count)
{
	struct sigaction action {
	};
	action.sa_handler = on_signal;
	action.sa_flags = flags;
	sigaction(SIGALRM, &action, nullptr);
	sigevent event{};
	event.sigev_notify = SIGEV_THREAD_ID;
	event.sigev_signo = SIGALRM;
	event._sigev_un._tid = gettid();
	timer_t timer;
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0)
		exit(1);
	handled = 0;
	while (handled < count) {
		await_signal(timer, handled);
		touch();
	}
	timer_delete(timer);
	signal(SIGALRM, SIG_IGN);
	for (int i = 0; i < 20; i++) {
		action.sa_handler = on_signal;
		sigaction(SIGUSR1, &action, nullptr);
		raise(SIGUSR1);
		touch();
	}
}

// A handler that does not return.
void on_jump(int)
{
	touch();
	siglongjmp(back, 1);
}

FAR void leave_handlers()
{
	signal(SIGUSR2, on_jump);
	for (int i = 0; i < 50; i++) {
		if (sigsetjmp(back, 1) == 0)
			raise(SIGUSR2);
		touch();
	}
}

FAR int recurse(int depth)
{
	if (depth % 1000 == 0)
		touch();
	int below = depth > 0 ? recurse(depth - 1) : 0;
	asm volatile("" : "+r"(below));
	if (depth % 10000 == 7)
		touch();
	return below + 1;
}

void all(int signals)
{
	for (int i = 0; i < 40; i++) {
		try {
			rethrows(i);
		} catch (const std::exception &) {
			touch();
		}
	}
	shape(7)->draw(7);
	after_jump(40);
	take_signals(0, signals);
	static thread_local char alternative[64 * 1024];
	stack_t stack{};
	stack.ss_sp = alternative;
	stack.ss_size = sizeof(alternative);
	sigaltstack(&stack, nullptr);
	take_signals(SA_ONSTACK, signals);
	leave_handlers();
}

void *in_thread(void *number)
{
	seed += static_cast<unsigned>(reinterpret_cast<uintptr_t>(number));
	for (int i = 0; i < 30; i++) {
		try {
			rethrows(i);
		} catch (const std::exception &) {
			touch();
		}
		after_jump(5);
	}
	return nullptr;
}

} // namespace

int main(int argc, char **argv)
{
	int signals = argc > 1 ? atoi(argv[1]) : 150;
	pthread_t threads[3];

	all(signals);
	switch_stacks();
	coroutine_on_own_stack();
	for (uintptr_t i = 0; i < 3; i++)
		pthread_create(&threads[i], nullptr, in_thread, reinterpret_cast<void *>(i));
	for (pthread_t thread : threads)
		pthread_join(thread, nullptr);
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 64 << 20);
	pthread_create(
		&threads[0], &attributes,
		[](void *) -> void * {
			sink = recurse(100000);
			return nullptr;
		},
		nullptr);
	pthread_join(threads[0], nullptr);
	return 0;
}
