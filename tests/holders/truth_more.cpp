/*
 * truth_more.cpp - more blocks of which it is known whether anything holds them; see truth.cpp.
 *
 * What newer C++ keeps, what the C library keeps, threads on stacks of their own, and memory that a
 * copy of the process does not have, or may not read.
 */
#include <atomic>
#include <coroutine>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <dirent.h>
#include <dlfcn.h>
#include <exception>
#include <fcntl.h>
#include <functional>
#include <future>
#include <memory>
#include <memory_resource>
#include <mutex>
#include <optional>
#include <pthread.h>
#include <sched.h>
#include <search.h>
#include <set>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <thread>
#include <ucontext.h>
#include <unistd.h>
#include <variant>
#include <vector>

#include "truth.h"

#define MADE(name) __attribute__((noinline, noclone)) char *name

static const size_t page = 4096;

/* ---- C++ ---- */

std::deque<std::string> queue;
CASE held_deque()
{
	for (int i = 0; i < 300; i++)
		queue.push_back(std::string(50, 'd'));
}

std::multiset<std::pair<int, std::string>> ordered;
CASE held_multiset()
{
	for (int i = 0; i < 100; i++)
		ordered.emplace(i % 7, std::string(40, 's'));
}

std::variant<int, std::vector<std::string>> either;
std::optional<std::unique_ptr<std::string>> perhaps;
CASE held_variant_optional()
{
	either = std::vector<std::string>(20, std::string(30, 'v'));
	perhaps = std::make_unique<std::string>(80, 'o');
}

struct Aliased {
	char before[200];
	long member;
	~Aliased()
	{
		USE(before);
	}
};
std::shared_ptr<long> alias;
CASE held_aliased_member()
{
	auto whole = std::make_shared<Aliased>();

	alias = std::shared_ptr<long>(whole, &whole->member);
}

/* The object has ended; its memory stays until the last weak pointer goes. */
std::weak_ptr<Aliased> expired;
CASE held_by_weak_only()
{
	auto whole = std::make_shared<Aliased>();

	expired = whole;
}

struct Own : std::enable_shared_from_this<Own> {
	std::shared_ptr<Own> self;
	char fill[80];
};
CASE lost_holds_itself()
{
	for (int i = 0; i < 10; i++) {
		auto own = std::make_shared<Own>();

		own->self = own->shared_from_this();
	}
}

std::future<std::string> later;
CASE held_future()
{
	std::promise<std::string> promise;

	later = promise.get_future();
	promise.set_value(std::string(90, 'f'));
}

std::exception_ptr stored;
CASE held_exception_ptr()
{
	try {
		throw std::runtime_error(std::string(100, 'e'));
	} catch (...) {
		stored = std::current_exception();
	}
}

std::string_view view;
CASE held_view()
{
	view = std::string_view(block(500) + 33, 20);
}

/* Bound to a member of an object that nothing else holds. */
std::function<void()> bound;
struct Bound {
	char fill[100];
	void act()
	{
		USE(fill);
	}
};
CASE held_bound()
{
	auto object = std::make_shared<Bound>();

	bound = std::bind(&Bound::act, object);
}

std::pmr::monotonic_buffer_resource *arena;
std::pmr::vector<std::pmr::string> *in_arena;
CASE held_arena()
{
	arena = new std::pmr::monotonic_buffer_resource;
	in_arena = new std::pmr::vector<std::pmr::string>(arena);
	for (int i = 0; i < 200; i++)
		in_arena->push_back(std::pmr::string(60, 'a', arena));
}

/* A list whose links point to the links inside, not to the objects; see the list_head of Linux. */
struct Hook {
	Hook *next, *previous;
};
struct Hooked {
	char before[56];
	Hook hook;
};
Hook hooks = {&hooks, &hooks};
CASE held_intrusive_list()
{
	for (int i = 0; i < 100; i++) {
		Hook *hook = &reinterpret_cast<Hooked *>(block(sizeof(Hooked)))->hook;

		*hook = {hooks.next, &hooks};
		hook->next->previous = hook;
		hooks.next = hook;
	}
}

/* Distances, as boost::interprocess::offset_ptr has them. */
intptr_t distance;
CASE hidden_offset_pointer()
{
	distance = block(71) - reinterpret_cast<char *>(&distance);
}

/* Arrays that begin with 1: the pointer is to the element before the first. */
char *before_first;
CASE hidden_before_first()
{
	before_first = block(4000) - 400;
}

/* Objects in a pool that is a mapping. */
struct Pooled {
	char *owned;
	virtual ~Pooled() = default;
};
CASE held_in_mapped_pool()
{
	char *pool = static_cast<char *>(
		mmap(nullptr, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	for (int i = 0; i < 40; i++)
		(new (pool + i * 1000) Pooled)->owned = block(47);
}

struct Task {
	struct promise_type {
		Task get_return_object()
		{
			return {std::coroutine_handle<promise_type>::from_promise(*this)};
		}
		std::suspend_never initial_suspend()
		{
			return {};
		}
		std::suspend_always final_suspend() noexcept
		{
			return {};
		}
		void return_void()
		{
		}
		void unhandled_exception()
		{
		}
	};
	std::coroutine_handle<promise_type> handle;
};
__attribute__((noinline)) static Task suspended(size_t size)
{
	char *kept = block(size);

	co_await std::suspend_always();
	USE(kept);
}
std::coroutine_handle<> waiting;
CASE held_coroutine_frame()
{
	waiting = suspended(301).handle;
}
CASE lost_coroutine_frame()
{
	auto dropped = suspended(303);

	USE(&dropped);
}

/* ---- the C library ---- */

static void at_exit(void *)
{
}
extern "C" int __cxa_atexit(void (*)(void *), void *, void *);
CASE held_at_exit()
{
	for (int i = 0; i < 100; i++)
		__cxa_atexit(at_exit, block(61), nullptr);
}

static int by_value(const void *a, const void *b)
{
	return strcmp(static_cast<const char *>(a), static_cast<const char *>(b));
}
void *tree;
CASE held_search_tree()
{
	for (int i = 0; i < 50; i++) {
		char *key = block(40);

		snprintf(key, 40, "%d", i * 7919 % 50);
		tsearch(key, &tree, by_value);
	}
}

DIR *opened;
FILE *in_memory;
char *its_buffer;
size_t its_size;
CASE held_streams()
{
	opened = opendir("/");
	if (!readdir(opened))
		abort();
	in_memory = open_memstream(&its_buffer, &its_size);
	for (int i = 0; i < 1000; i++)
		fputs("words ", in_memory);
	fflush(in_memory);
}

CASE held_put_variable()
{
	char *variable = block(300);

	strcpy(variable, "PUT_VARIABLE=");
	putenv(variable);
}

CASE held_stream_buffer()
{
	FILE *file = fopen("/dev/null", "w");

	setvbuf(file, block(8000), _IOFBF, 8000);
	fputs("x", file);
}

/* ---- threads ---- */

static std::atomic<int> ready, expected;
static std::atomic<bool> ended; /* never */

static void stay()
{
	ready++;
	while (!ended)
		pause();
}

static void start(void *(*run)(void *), void *argument, void *stack = nullptr, size_t size = 0)
{
	pthread_attr_t attributes;
	pthread_t thread;

	expected++;
	pthread_attr_init(&attributes);
	if (stack && pthread_attr_setstack(&attributes, stack, size) != 0)
		abort();
	if (pthread_create(&thread, &attributes, run, argument) != 0)
		abort();
	pthread_attr_destroy(&attributes);
}

static const size_t stack_size = 256 << 10;
static char static_stack[stack_size] __attribute__((aligned(4096)));

MADE(held_on_own_stack)()
{
	return block(311);
}
static __thread char *of_own_stack;
MADE(held_tls_of_own_stack)()
{
	return block(321);
}
static void *on_own_stack(void *)
{
	char *volatile words[3];

	words[1] = held_on_own_stack();
	of_own_stack = held_tls_of_own_stack();
	__asm__ volatile("" : : "m"(of_own_stack) : "memory"); /* or it is never written */
	/* Where the stack is a variable or a block, its unused part counts too: an allocator leaves addresses
	 * there, of its pages, which are also those of the first blocks in them. */
	wipe_stack();
	stay();
	USE(&words);
	return nullptr;
}
/* The stack itself: nothing but the thread on it has a pointer to it. */
MADE(held_own_stack)()
{
	void *made = nullptr;

	if (posix_memalign(&made, 65536, stack_size) != 0)
		abort();
	return static_cast<char *>(made);
}

/* Runs on a stack that is a block, and on another that is a mapping; what its first stack holds is alive. */
MADE(held_on_first_stack)()
{
	return block(331);
}
MADE(held_on_second_stack)()
{
	return block(341);
}
static ucontext_t *second_context(void *stack)
{
	ucontext_t *made = static_cast<ucontext_t *>(calloc(1, sizeof(ucontext_t)));

	getcontext(made);
	made->uc_stack.ss_sp = stack;
	made->uc_stack.ss_size = stack_size;
	return made;
}
static void on_second_stack()
{
	char *volatile words[3];

	words[1] = held_on_second_stack();
	wipe_stack();
	stay();
	USE(&words);
}
__attribute__((noinline)) static void change_stack(void *stack)
{
	char *volatile words[3];
	ucontext_t *first = static_cast<ucontext_t *>(calloc(1, sizeof(ucontext_t)));
	ucontext_t *second = second_context(stack);

	words[1] = held_on_first_stack();
	makecontext(second, on_second_stack, 0);
	swapcontext(first, second);
	USE(&words);
}
static void *change_to_block(void *)
{
	change_stack(malloc(stack_size));
	return nullptr;
}
static void *change_to_mapping(void *)
{
	change_stack(mmap(nullptr, stack_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0));
	return nullptr;
}

MADE(held_by_argument)()
{
	return block(351);
}
static void *with_argument(void *)
{
	stay();
	return nullptr;
}

/* In the middle of unwinding: the exception is in flight, and a destructor waits. */
struct Waits {
	~Waits()
	{
		stay();
	}
};
struct Thrown {
	std::string why;
};
CASE held_in_flight()
{
	Waits waits;

	throw Thrown{std::string(120, 'i')};
}
static void *unwinding(void *)
{
	try {
		held_in_flight();
	} catch (Thrown &) {
	}
	return nullptr;
}

/* What a thread returned is alive until another thread has joined it. */
MADE(held_by_unjoined)()
{
	return block(601);
}
/* The first block of its size begins where the allocator's page begins, which the allocator remembers. */
MADE(lost_by_joined)()
{
	char *first = block(9001);
	char *lost = block(9001);

	free(first);
	return lost;
}
static std::atomic<int> of_unjoined;
static void *returns_one(void *)
{
	of_unjoined = gettid();
	return held_by_unjoined();
}
static void *returns_another(void *)
{
	return lost_by_joined();
}
static void end_threads()
{
	pthread_t thread;

	pthread_create(&thread, nullptr, returns_another, nullptr);
	pthread_join(thread, nullptr);
	pthread_create(&thread, nullptr, returns_one, nullptr);
	while (of_unjoined == 0 || syscall(SYS_tgkill, getpid(), of_unjoined.load(), 0) == 0)
		usleep(1000);
}

static std::mutex locked;
MADE(held_waiting_for_lock)()
{
	return block(361);
}
static void *waits_for_lock(void *)
{
	char *volatile words[3];

	words[1] = held_waiting_for_lock();
	ready++;
	locked.lock();
	USE(&words);
	return nullptr;
}

#if defined(__x86_64__)
MADE(held_in_red_zone)()
{
	return block(371);
}
static void *in_red_zone(void *)
{
	char *kept = held_in_red_zone();

	__asm__ volatile("mov %0, -120(%%rsp)\n"
			 "xor %0, %0\n"
			 "lock incl %1\n"
			 "1: pause\n"
			 "jmp 1b\n"
			 : "+r"(kept)
			 : "m"(ready)
			 : "memory");
	return nullptr;
}

MADE(held_under_signal_frame)()
{
	return block(381);
}
static void handler(int)
{
	stay();
}
/* The only pointer is in r14 while a handler runs: the kernel saved it on the stack. */
static void *interrupted_in_register(void *)
{
	char *kept = held_under_signal_frame();

	signal(SIGUSR2, handler);
	__asm__ volatile("mov %0, %%r14\n"
			 "xor %0, %0\n"
			 "mov $200, %%eax\n" /* tkill */
			 "mov %1, %%edi\n"
			 "mov %2, %%esi\n"
			 "syscall\n"
			 "xor %%r14, %%r14\n"
			 : "+r"(kept)
			 : "r"(gettid()), "i"(SIGUSR2)
			 : "r14", "rax", "rdi", "rsi", "rcx", "r11", "memory");
	return nullptr;
}
#endif

/* A thread that the C library does not know. */
MADE(held_by_raw_thread)()
{
	return block(391);
}
static int raw_thread(void *words)
{
	char *volatile kept[3];

	kept[1] = *static_cast<char **>(words);
	*static_cast<char **>(words) = nullptr;
	ready++;
	for (;;)
		syscall(SYS_pause);
	USE(&kept);
}
static char *handed_over;
static void start_raw_thread()
{
	char *stack = static_cast<char *>(mmap(nullptr, stack_size, PROT_READ | PROT_WRITE,
					       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	expected++;
	handed_over = held_by_raw_thread();
	if (clone(raw_thread, stack + stack_size,
		  CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
		  &handed_over) < 0)
		abort();
}

/* ---- mappings ---- */

static char **map_words(int flags, int fd = -1, size_t size = 16 * page)
{
	void *made = mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, fd, 0);

	return made == MAP_FAILED ? nullptr : static_cast<char **>(made);
}

static int temporary_file()
{
	char name[] = "/tmp/holders-truth-XXXXXX";
	int fd = mkstemp(name);

	if (fd < 0 || unlink(name) != 0 || ftruncate(fd, 16 * page) != 0)
		abort();
	return fd;
}

CASE held_shared_file()
{
	map_words(MAP_SHARED, temporary_file())[700] = block(401);
}

CASE held_private_file()
{
	map_words(MAP_PRIVATE, temporary_file())[700] = block(411);
}

CASE held_private_file_read_only()
{
	char **words = map_words(MAP_PRIVATE, temporary_file());

	words[700] = block(421);
	mprotect(words, 16 * page, PROT_READ);
}

CASE held_read_only()
{
	char **words = map_words(MAP_PRIVATE | MAP_ANONYMOUS);

	words[700] = block(431);
	mprotect(words, 16 * page, PROT_READ);
}

CASE held_not_readable()
{
	char **words = map_words(MAP_PRIVATE | MAP_ANONYMOUS);

	words[700] = block(441);
	mprotect(words, 16 * page, PROT_NONE);
}

CASE held_not_readable_shared()
{
	char **words = map_words(MAP_SHARED | MAP_ANONYMOUS);

	words[700] = block(451);
	mprotect(words, 16 * page, PROT_NONE);
}

char *in_block;
CASE held_not_readable_block()
{
	void *made = nullptr;

	if (posix_memalign(&made, page, 4 * page) != 0)
		abort();
	in_block = static_cast<char *>(made);
	memset(in_block, 0, 4 * page);
	reinterpret_cast<char **>(in_block)[700] = block(461);
	mprotect(in_block + page, page, PROT_NONE);
}

char *of_page[2 * 512] __attribute__((aligned(4096)));
CASE held_not_readable_variable()
{
	of_page[700] = block(471);
	mprotect(of_page + 512, page, PROT_NONE);
}

CASE held_read_only_shared()
{
	int fd = memfd_create("memory", 0);
	char **words = ftruncate(fd, 16 * page) == 0 ? map_words(MAP_SHARED, fd) : nullptr;

	words[700] = block(455);
	mprotect(words, 16 * page, PROT_READ);
}

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
CASE held_behind_installed_guard()
{
	char **words = map_words(MAP_PRIVATE | MAP_ANONYMOUS);

	words[700] = block(456);
	madvise(words, page, MADV_GUARD_INSTALL);
	madvise(words + 3 * 512, 5 * page, MADV_GUARD_INSTALL);
}

char *with_guard;
CASE held_block_with_guard()
{
	void *made = nullptr;

	if (posix_memalign(&made, page, 4 * page) != 0)
		abort();
	with_guard = static_cast<char *>(made);
	memset(with_guard, 0, 4 * page);
	reinterpret_cast<char **>(with_guard)[700] = block(457);
	madvise(with_guard + 2 * page, page, MADV_GUARD_INSTALL);
}

char *large_variable[8 << 20];
CASE held_large_variable()
{
	large_variable[(7 << 20) + 3] = block(473);
}

CASE held_not_in_children()
{
	char **words = map_words(MAP_PRIVATE | MAP_ANONYMOUS);

	words[700] = block(481);
	madvise(words, 16 * page, MADV_DONTFORK);
}

CASE held_not_in_children_shared()
{
	char **words = map_words(MAP_SHARED | MAP_ANONYMOUS);

	words[700] = block(491);
	madvise(words, 16 * page, MADV_DONTFORK);
}

char *block_not_in_children;
CASE held_block_not_in_children()
{
	void *made = nullptr;

	if (posix_memalign(&made, page, 4 * page) != 0)
		abort();
	block_not_in_children = static_cast<char *>(made);
	memset(block_not_in_children, 0, 4 * page);
	reinterpret_cast<char **>(block_not_in_children)[700] = block(501);
	madvise(block_not_in_children, 4 * page, MADV_DONTFORK);
}

/* Its pages are empty in a copy: only the process itself can read them. */
CASE hidden_wiped_in_children()
{
	char **words = map_words(MAP_PRIVATE | MAP_ANONYMOUS);

	words[700] = block(9101);
	madvise(words, 16 * page, MADV_WIPEONFORK);
}

CASE lost_with_dropped_pages()
{
	char **words = map_words(MAP_PRIVATE | MAP_ANONYMOUS);

	words[700] = block(521);
	madvise(words, 16 * page, MADV_DONTNEED);
}

CASE held_huge_page()
{
	const size_t huge = 2 << 20;
	char *words = static_cast<char *>(mmap(nullptr, 2 * huge, PROT_READ | PROT_WRITE,
					       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	char *at = reinterpret_cast<char *>((reinterpret_cast<uintptr_t>(words) + huge - 1) &
					    ~(huge - 1));

	madvise(at, huge, MADV_HUGEPAGE);
	*reinterpret_cast<char **>(at + 1000 * page) = nullptr;
	*reinterpret_cast<char **>(at + 400 * page) = block(531);
}

char *kept_instead;

/* 16 TiB, of which three pages are used: asking for each page takes a minute. */
CASE held_in_vast_mapping()
{
	const size_t size = static_cast<size_t>(16) << 40, part = size / 7 & ~(page - 1);
	void *made = mmap(nullptr, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char *at = static_cast<char *>(made);

	if (made == MAP_FAILED) {
		kept_instead = block(557);
		return;
	}
	*reinterpret_cast<char **>(at) = block(557);
	*reinterpret_cast<char **>(at + 3 * part) = block(557);
	*reinterpret_cast<char **>(at + size - sizeof(char *)) = block(557);
}

CASE lost_with_mapping()
{
	char **words = map_words(MAP_PRIVATE | MAP_ANONYMOUS);

	words[700] = block(541);
	munmap(words, 16 * page);
}

CASE lost_with_module(void *module)
{
	*static_cast<char **>(dlsym(module, "of_module")) = block(551);
	dlclose(module);
}

/* ---- running them ---- */

static void run_cxx()
{
	held_deque();
	held_multiset();
	held_variant_optional();
	held_aliased_member();
	held_by_weak_only();
	held_future();
	held_exception_ptr();
	held_view();
	held_bound();
	held_arena();
	held_intrusive_list();
	held_in_mapped_pool();
	held_coroutine_frame();
	held_at_exit();
	held_search_tree();
	held_streams();
	held_put_variable();
	held_stream_buffer();
}

/* Addresses that only keep others away, as a sandbox has them, cost a copy no time. */
static void reserve_addresses()
{
	const size_t size = static_cast<size_t>(32) << 40;
	void *made =
		mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (made != MAP_FAILED)
		madvise(made, size, MADV_DONTFORK);
}

static void run_mappings()
{
	reserve_addresses();
	held_shared_file();
	held_private_file();
	held_private_file_read_only();
	held_read_only();
	held_not_readable();
	held_not_readable_shared();
	held_not_readable_block();
	held_not_readable_variable();
	held_large_variable();
	held_read_only_shared();
	held_behind_installed_guard();
	held_block_with_guard();
	held_not_in_children();
	held_not_in_children_shared();
	held_block_not_in_children();
	held_huge_page();
	held_in_vast_mapping();
}

static void run_lost()
{
	lost_holds_itself();
	lost_coroutine_frame();
	lost_with_dropped_pages();
	lost_with_mapping();
	hidden_offset_pointer();
	hidden_before_first();
	hidden_wiped_in_children();
}

static void start_threads()
{
	locked.lock();
	start(on_own_stack, nullptr, held_own_stack(), stack_size);
	start(on_own_stack, nullptr, static_stack, stack_size);
	start(on_own_stack, nullptr,
	      mmap(nullptr, stack_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
	      stack_size);
	start(change_to_block, nullptr);
	start(change_to_mapping, nullptr);
	start(with_argument, held_by_argument());
	start(unwinding, nullptr);
	start(waits_for_lock, nullptr);
#if defined(__x86_64__)
	start(in_red_zone, nullptr);
	start(interrupted_in_register, nullptr);
#endif
	start_raw_thread();
}

int main(int, char **argv)
{
	in_thread(run_cxx);
	in_thread(run_mappings);
	in_thread(run_lost);
	in_thread([argv] { lost_with_module(dlopen(argv[1], RTLD_NOW)); });
	in_thread(end_threads); /* first: stacks that are variables may get stale words */
	start_threads();
	while (ready < expected)
		usleep(1000);
	wipe_stack();
	if (snap_take_holders)
		printf("%d\n", snap_take_holders("truth", 1));
	fflush(stdout);
	_exit(0);
}
