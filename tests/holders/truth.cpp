/*
 * truth.cpp - blocks of which it is known whether anything holds them.
 *
 * Each case allocates in a function of its own; its name says what is true: held_X, lost_X, or
 * hidden_X for what the program can still reach though no plain pointer says so.  Cases run in
 * threads that end, so that no stale word of theirs stays on a stack.  At the end a snapshot says
 * who holds what; run.py compares.
 */
#include <any>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <forward_list>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <pthread.h>
#include <csignal>
#include <ctime>
#include <string>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <thread>
#include <ucontext.h>
#include <unistd.h>
#include <unordered_map>
#include <vector>

#include "truth.h"

extern "C" int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

/* ---- held by containers in variables ---- */

std::map<int, std::string> map;
CASE held_map()
{
	for (int i = 0; i < 1000; i++)
		map[i] = std::string(100, 'x');
}

std::unordered_map<std::string, std::vector<int>> unordered;
CASE held_unordered_map()
{
	for (int i = 0; i < 500; i++)
		unordered["a key that does not fit " + std::to_string(i)] = std::vector<int>(20, i);
}

struct Shared {
	std::shared_ptr<Shared> next;
	std::weak_ptr<Shared> previous;
	char fill[40];
};
std::shared_ptr<Shared> shared;
CASE held_shared()
{
	for (int i = 0; i < 200; i++) {
		auto node = std::make_shared<Shared>();

		node->next = shared;
		if (shared)
			shared->previous = node;
		shared = node;
	}
}

struct Unique {
	std::unique_ptr<Unique> next;
	char fill[24];
};
static std::unique_ptr<Unique> unique;
CASE held_unique()
{
	for (int i = 0; i < 300; i++) {
		auto node = std::make_unique<Unique>();

		node->next = std::move(unique);
		unique = std::move(node);
	}
}

std::list<std::string> list;
std::forward_list<int> forward;
CASE held_lists()
{
	for (int i = 0; i < 100; i++) {
		list.push_back(std::string(60, 'y'));
		forward.push_front(i);
	}
}

struct Link {
	Link *next;
	char fill[24];
};
Link *chain;
CASE held_chain()
{
	for (int i = 0; i < 10000; i++) {
		Link *link = reinterpret_cast<Link *>(block(sizeof(Link)));

		link->next = chain;
		chain = link;
	}
}

std::vector<int> reserved;
CASE held_reserved()
{
	reserved.reserve(10000);
}

std::function<int()> function;
std::any any;
CASE held_function_any()
{
	std::array<long, 20> big{};

	function = [big] { return static_cast<int>(big[3]); };
	any = std::string(200, 'z');
}

/* ---- held by pointers that are not those that malloc returned ---- */

char *end_pointer;
CASE held_end_pointer()
{
	end_pointer = block(4104) + 4104;
}

char *inner;
CASE held_inner()
{
	inner = block(600) + 100;
}

char *far_inner;
CASE held_far_inner()
{
	far_inner = block(3u << 20) + (2u << 20);
}

struct First {
	virtual ~First() = default;
	long a[4];
};
struct Second {
	virtual ~Second() = default;
	long b[4];
};
struct Both : First, Second {
	long c[4];
};
Second *second;
CASE held_second_base()
{
	second = new Both;
}

uintptr_t tagged[64];
CASE held_low_tags()
{
	for (int i = 0; i < 500; i++) {
		Link *link = reinterpret_cast<Link *>(block(sizeof(Link)));

		link->next = reinterpret_cast<Link *>(tagged[i % 64]);
		tagged[i % 64] = reinterpret_cast<uintptr_t>(link) | (i & 7 ? 1 : 3);
	}
}

/* ---- held from places that libc keeps ---- */

CASE held_static_in_function()
{
	static char *kept;

	kept = block(333);
	__asm__ volatile("" : : "m"(kept) : "memory");
}

CASE held_environment()
{
	setenv("A_LONG_VARIABLE", std::string(300, 'e').c_str(), 1);
}

CASE held_stdio()
{
	FILE *file = fopen("/dev/null", "w");

	fputs("x", file);
}

void *aligned;
CASE held_aligned()
{
	if (posix_memalign(&aligned, 4096, 10000) != 0)
		abort();
	memset(aligned, 1, 10000);
}

/* A page in the middle of a block must not be read. */
char *guarded;
CASE held_behind_guard()
{
	void *made = nullptr;

	if (posix_memalign(&made, 4096, 16384) != 0)
		abort();
	guarded = static_cast<char *>(made);
	memset(guarded, 0, 16384);
	*reinterpret_cast<void **>(guarded + 12288) = block(77);
	mprotect(guarded + 4096, 4096, PROT_NONE);
}

/* A destructor makes new[] put the count in front: the pointer is to the second word of the block. */
struct Counted {
	~Counted()
	{
		free(owned);
	}
	char *owned = block(43);
};
Counted *counted;
CASE held_array_new()
{
	counted = new Counted[20];
}

struct Left {
	long left[3] = {};
};
struct Virtual : virtual Left {
	long own[3] = {};
	virtual ~Virtual() = default;
};
Left *virtual_base;
CASE held_virtual_base()
{
	virtual_base = new Virtual;
}

/* A pool is one block for the recorder; what its parts refer to is held by it. */
struct Pool {
	char *parts[3000];
	size_t used;
};
Pool *pool;
CASE held_pool()
{
	pool = static_cast<Pool *>(calloc(1, 1 << 20));
	for (int i = 0; i < 50; i++)
		pool->parts[pool->used++ * 50] = block(59);
}

/* ---- held by the kernel ---- */

CASE held_epoll()
{
	int set = epoll_create1(EPOLL_CLOEXEC), ends[2];

	for (int i = 0; i < 30; i++) {
		epoll_event event{};

		if (pipe(ends) != 0)
			abort();
		event.events = EPOLLIN;
		event.data.ptr = block(231);
		if (epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event) != 0)
			abort();
	}
}

CASE held_timer()
{
	struct sigevent event {
	};
	timer_t timer;

	event.sigev_notify = SIGEV_SIGNAL;
	event.sigev_signo = SIGUSR1;
	event.sigev_value.sival_ptr = block(241);
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0)
		abort();
}

/* ---- held, but not by a plain aligned pointer ---- */

CASE hidden_pipe()
{
	char *pointer = block(251);
	int ends[2];

	if (pipe(ends) != 0 || write(ends[1], &pointer, sizeof(pointer)) != sizeof(pointer))
		abort();
}

struct Step {
	uintptr_t both;
	char fill[40];
};
uintptr_t first_step;
CASE hidden_xor_list()
{
	Step *before = nullptr, *last = nullptr;

	for (int i = 0; i < 20; i++) {
		Step *step = reinterpret_cast<Step *>(block(sizeof(Step)));

		step->both = reinterpret_cast<uintptr_t>(last);
		if (last)
			last->both = reinterpret_cast<uintptr_t>(before) ^
				     reinterpret_cast<uintptr_t>(step);
		before = last;
		last = step;
	}
	/* The first of three is found by its neighbours' difference only. */
	first_step = ~reinterpret_cast<uintptr_t>(last);
}

uintptr_t high_tagged[10];
CASE hidden_high_tags()
{
	for (auto &word : high_tagged)
		word = reinterpret_cast<uintptr_t>(block(50)) | 0xabcdull << 48;
}

uintptr_t exclusive[10];
CASE hidden_xor()
{
	for (auto &word : exclusive)
		word = ~reinterpret_cast<uintptr_t>(block(51));
}

struct __attribute__((packed)) Packed {
	char before;
	char *pointer;
};
Packed packed;
CASE hidden_unaligned()
{
	packed.pointer = block(88);
}

/* ---- lost ---- */

CASE lost_direct()
{
	for (int i = 0; i < 100; i++)
		USE(block(64));
}

CASE lost_list()
{
	Link *head = nullptr;

	for (int i = 0; i < 1000; i++) {
		Link *link = reinterpret_cast<Link *>(block(40));

		link->next = head;
		head = link;
	}
	USE(head);
}

CASE lost_shared_ring()
{
	for (int i = 0; i < 50; i++) {
		auto one = std::make_shared<Shared>(), two = std::make_shared<Shared>();

		one->next = two;
		two->next = one;
	}
}

CASE lost_with_freed_holder()
{
	for (int i = 0; i < 20; i++) {
		char **holder = reinterpret_cast<char **>(block(1000));

		holder[60] = block(200);
		free(holder);
	}
}

CASE lost_dropped_map()
{
	auto *dropped = new std::map<int, std::string>;

	for (int i = 0; i < 100; i++)
		(*dropped)[i] = std::string(80, 'q');
	USE(dropped);
}

/* It points into itself: its characters are in it. */
CASE lost_short_string()
{
	for (int i = 0; i < 30; i++)
		USE(new std::string("short"));
}

CASE lost_on_dead_stack()
{
	char *volatile words[40];

	for (int i = 0; i < 40; i++)
		words[i] = block(72);
	USE(&words);
}

/* ---- held by threads ---- */

static std::atomic<int> ready;
thread_local std::vector<std::string> of_thread;
__thread char *of_thread_plain;
CASE held_thread_local()
{
	for (int i = 0; i < 50; i++)
		of_thread.push_back(std::string(70, 't'));
	of_thread_plain = block(111);
}

static pthread_key_t low_key, high_key;
CASE held_specific()
{
	pthread_setspecific(low_key, block(121));
	pthread_setspecific(high_key, block(131));
}

__attribute__((noinline)) char *held_stack()
{
	return block(141);
}

__attribute__((noinline)) char *held_under_handler()
{
	return block(261);
}

__attribute__((noinline)) char *held_in_handler()
{
	return block(271);
}

static void on_alternate_stack(int)
{
	char *volatile words[4];

	words[1] = held_in_handler();
	ready++;
	for (;;)
		pause();
	USE(&words);
}

/* Interrupted: what the frames below the handler hold is alive, too. */
static void *interrupted(void *)
{
	char *volatile words[4];
	struct sigaction action {
	};
	stack_t stack{};

	stack.ss_size = 1 << 16;
	stack.ss_sp = malloc(stack.ss_size);
	action.sa_handler = on_alternate_stack;
	action.sa_flags = SA_ONSTACK;
	sigaltstack(&stack, nullptr);
	sigaction(SIGUSR2, &action, nullptr);
	words[2] = held_under_handler();
	raise(SIGUSR2);
	USE(&words);
	return nullptr;
}

static void *on_stack(void *)
{
	char *volatile words[4];

	held_thread_local();
	held_specific();
	words[2] = held_stack();
	ready++;
	for (;;)
		pause();
	USE(&words);
}

#if defined(__x86_64__)
__attribute__((noinline)) char *held_register()
{
	return block(151);
}

__attribute__((noinline)) char *held_vector_register()
{
	return block(161);
}

/* Spin with the only pointers in r12 and xmm7; the second was inverted in between. */
static void *in_registers(void *)
{
	char *plain = held_register();
	uintptr_t inverted = ~reinterpret_cast<uintptr_t>(held_vector_register());

	__asm__ volatile("mov %0, %%r12\n"
			 "mov %1, %%r13\n"
			 "not %%r13\n"
			 "movq %%r13, %%xmm7\n"
			 "xor %%r13d, %%r13d\n"
			 "xor %0, %0\n"
			 "lock incl %2\n"
			 "1: pause\n"
			 "jmp 1b\n"
			 : "+r"(plain), "+r"(inverted)
			 : "m"(ready)
			 : "r12", "r13", "xmm7", "memory");
	return nullptr;
}

__attribute__((noinline)) char *held_in_system_call()
{
	return block(171);
}

/* Wait in pause() with the only pointer in rbx. */
static void *in_system_call(void *)
{
	char *plain = held_in_system_call();

	__asm__ volatile("mov %0, %%rbx\n"
			 "xor %0, %0\n"
			 "lock incl %1\n"
			 "1: mov $34, %%eax\n"
			 "syscall\n"
			 "jmp 1b\n"
			 : "+r"(plain)
			 : "m"(ready)
			 : "rbx", "rax", "rcx", "r11", "memory");
	return nullptr;
}
#endif

/* ---- held by mappings ---- */

static char **map_region(size_t size, int flags, int fd)
{
	/* Past the C library's mmap(), too. */
	return reinterpret_cast<char **>(
		syscall(SYS_mmap, nullptr, size, PROT_READ | PROT_WRITE, flags, fd, off_t{0}));
}

CASE held_mapping()
{
	char **words = static_cast<char **>(
		mmap(nullptr, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	for (int i = 0; i < 10; i++)
		words[i * 1000] = block(181);
}

CASE held_shared_mapping()
{
	map_region(1 << 16, MAP_SHARED | MAP_ANONYMOUS, -1)[7] = block(191);
}

CASE held_raw_mapping()
{
	map_region(1 << 16, MAP_PRIVATE | MAP_ANONYMOUS, -1)[7] = block(201);
}

CASE held_memfd()
{
	int fd = memfd_create("memory", 0);

	if (ftruncate(fd, 65536) != 0)
		abort();
	map_region(65536, MAP_SHARED, fd)[9] = block(211);
}

/* ---- held by the stack of a coroutine, which is itself a block ---- */

static ucontext_t *coroutine, resumed;
static char *coroutine_stack;
__attribute__((noinline)) char *held_coroutine()
{
	return block(221);
}

static void run_coroutine()
{
	char *volatile words[2];

	words[1] = held_coroutine();
	swapcontext(coroutine, &resumed);
	USE(&words);
}

static void start_coroutine()
{
	coroutine = static_cast<ucontext_t *>(calloc(1, sizeof(*coroutine)));
	coroutine_stack = static_cast<char *>(malloc(65536));
	getcontext(coroutine);
	coroutine->uc_stack.ss_sp = coroutine_stack;
	coroutine->uc_stack.ss_size = 65536;
	coroutine->uc_link = &resumed;
	makecontext(coroutine, run_coroutine, 0);
	swapcontext(&resumed, coroutine);
}

/* ---- held by a module that was loaded later ---- */

static void *plugin;
static void call(const char *name)
{
	reinterpret_cast<void (*)()>(dlsym(plugin, name))();
}

static void *in_plugin(void *)
{
	call("held_plugin_tls");
	ready++;
	for (;;)
		pause();
}

/* ---- running them ---- */

static void run_cases()
{
	in_thread([] {
		held_map();
		held_unordered_map();
		held_shared();
		held_unique();
		held_lists();
		held_chain();
		held_reserved();
		held_function_any();
		held_end_pointer();
		held_inner();
		held_far_inner();
		held_second_base();
		held_low_tags();
		held_static_in_function();
		held_environment();
		held_stdio();
		held_aligned();
		held_behind_guard();
		held_array_new();
		held_virtual_base();
		held_pool();
		held_epoll();
		held_timer();
	});
	in_thread([] {
		hidden_high_tags();
		hidden_xor();
		hidden_unaligned();
		hidden_pipe();
		hidden_xor_list();
	});
	in_thread([] {
		lost_direct();
		lost_list();
		lost_shared_ring();
		lost_with_freed_holder();
		lost_dropped_map();
		lost_short_string();
	});
	in_thread([] {
		held_mapping();
		held_shared_mapping();
		held_raw_mapping();
		held_memfd();
	});
}

static int start_threads()
{
	pthread_t thread;
	int count = 2;

	pthread_create(&thread, nullptr, on_stack, nullptr);
	pthread_create(&thread, nullptr, interrupted, nullptr);
#if defined(__x86_64__)
	pthread_create(&thread, nullptr, in_registers, nullptr);
	pthread_create(&thread, nullptr, in_system_call, nullptr);
	count = 4;
#endif
	return count;
}

int main(int argc, char **argv)
{
	int threads;

	pthread_key_create(&low_key, nullptr);
	for (int i = 0; i < 60; i++)
		pthread_key_create(&high_key, nullptr);
	run_cases();
	threads = start_threads();
	plugin = argc > 1 ? dlopen(argv[1], RTLD_NOW) : nullptr;
	if (plugin) {
		pthread_t thread;

		in_thread([] { call("held_plugin_global"); });
		pthread_create(&thread, nullptr, in_plugin, nullptr);
		threads++;
	}
	start_coroutine();
	lost_on_dead_stack();
	while (ready < threads)
		usleep(1000);
	wipe_stack();
	if (snap_take_holders)
		printf("%d\n", snap_take_holders("truth", 1));
	if (__lsan_do_recoverable_leak_check)
		__lsan_do_recoverable_leak_check();
	fflush(stdout);
	_exit(0);
}
