/*
 * truth_system.cpp - blocks of which it is known whether anything holds them; see truth.cpp.
 *
 * What the processor, the kernel, the loader and the C library keep for a program, memory that was a
 * stack before, and a few things of C++ that hide their pointers well.
 */
#include <aio.h>
#include <asm/prctl.h>
#include <atomic>
#include <coroutine>
#include <csetjmp>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <dlfcn.h>
#include <fcntl.h>
#include <functional>
#include <future>
#include <locale.h>
#include <malloc.h>
#include <memory>
#include <obstack.h>
#include <pthread.h>
#include <regex.h>
#include <search.h>
#include <string>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "truth.h"

extern "C" int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

#define MADE(name) __attribute__((noinline, noclone)) char *name

static const size_t page = 4096;

/* ---- the processor --------------------------------------------------------------------------- */

static std::atomic<int> ready, expected;
static std::atomic<bool> ended; /* never */

static void stay()
{
	ready++;
	while (!ended)
		pause();
}

static void start(void *(*run)(void *))
{
	pthread_t thread;

	expected++;
	if (pthread_create(&thread, nullptr, run, nullptr) != 0)
		abort();
}

#if defined(__x86_64__)
MADE(held_by_segment)()
{
	return block(701);
}
static void *with_segment(void *)
{
	syscall(SYS_arch_prctl, ARCH_SET_GS, held_by_segment());
	wipe_stack();
	stay();
	return nullptr;
}

/* These spin: only then is it sure that no word of memory has a copy. */
#define SPIN_WITH(pointer, load)                                                                   \
	__asm__ volatile(load "\n"                                                                 \
			      "xor %0, %0\n"                                                       \
			      "lock incl %1\n"                                                     \
			      "1: pause\n"                                                         \
			      "jmp 1b\n"                                                           \
			 : "+r"(pointer)                                                           \
			 : "m"(ready)                                                              \
			 : "memory", "xmm5", "mm3", "cc")

MADE(held_in_upper_half)()
{
	return block(711);
}
__attribute__((target("avx"))) static void *in_upper_half(void *)
{
	char *kept = held_in_upper_half();

	SPIN_WITH(kept, "vpxor %%xmm5, %%xmm5, %%xmm5\n"
			"vmovq %0, %%xmm5\n"
			"vinsertf128 $1, %%xmm5, %%ymm5, %%ymm5\n"
			"vpermilpd $0, %%ymm5, %%ymm5\n"
			"vxorpd %%xmm6, %%xmm6, %%xmm6\n"
			"vinsertf128 $0, %%xmm6, %%ymm5, %%ymm5");
	return nullptr;
}

MADE(held_in_last_vector)()
{
	return block(721);
}
__attribute__((target("avx512f"))) static void *in_last_vector(void *)
{
	char *kept = held_in_last_vector();

	SPIN_WITH(kept, "vpbroadcastq %0, %%zmm31");
	return nullptr;
}

MADE(held_in_float_register)()
{
	return block(731);
}
static void *in_float_register(void *)
{
	char *kept = held_in_float_register();

	SPIN_WITH(kept, "movq %0, %%mm3");
	return nullptr;
}

/* The C library disguises three of the registers that it saves, and not these. */
jmp_buf jump;
CASE held_in_jump_buffer()
{
	char *kept = block(741);

	__asm__ volatile("mov %%rsp, %%r15\n"
			 "sub $256, %%rsp\n"
			 "and $-16, %%rsp\n"
			 "mov %0, %%rbx\n"
			 "mov %1, %%rdi\n"
			 "call _setjmp@PLT\n"
			 "mov %%r15, %%rsp\n"
			 "xor %%ebx, %%ebx\n"
			 : "+r"(kept)
			 : "r"(&jump)
			 : "memory", "cc", "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9",
			   "r10", "r11", "r15");
}

static void start_with_registers()
{
	start(with_segment);
	start(in_float_register);
	if (__builtin_cpu_supports("avx"))
		start(in_upper_half);
	if (__builtin_cpu_supports("avx512f"))
		start(in_last_vector);
}
#else
static void start_with_registers()
{
}
#endif

/* ---- the kernel ------------------------------------------------------------------------------ */

/* It writes there when the next signal comes. */
CASE held_by_signal_stack()
{
	stack_t stack{};

	stack.ss_size = 64 << 10;
	stack.ss_sp = block(stack.ss_size);
	if (sigaltstack(&stack, nullptr) != 0)
		abort();
}

static void *with_signal_stack(void *)
{
	held_by_signal_stack();
	wipe_stack();
	stay();
	return nullptr;
}

/* Waits for a thread that does not block it. */
CASE hidden_queued_signal()
{
	sigval value{};

	value.sival_ptr = block(751);
	if (sigqueue(getpid(), SIGRTMIN + 5, value) != 0)
		abort();
}

CASE hidden_in_socket()
{
	char *pointer = block(761);
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 ||
	    send(ends[0], &pointer, sizeof(pointer), 0) != sizeof(pointer))
		abort();
}

/* Memory that the program takes where malloc takes its own. */
CASE held_behind_break()
{
	char **words = nullptr;

	for (int step = 0; step < 300; step++) {
		words = static_cast<char **>(sbrk(page));
		if (words == reinterpret_cast<char **>(-1))
			abort();
	}
	words[70] = block(771); /* in the last page */
}

CASE held_in_segment()
{
	int id = shmget(IPC_PRIVATE, 16 * page, 0600);
	void *made = id < 0 ? nullptr : shmat(id, nullptr, 0);

	if (id < 0 || made == reinterpret_cast<void *>(-1))
		abort();
	shmctl(id, IPC_RMID, nullptr);
	static_cast<char **>(made)[700] = block(781);
}

CASE held_in_shared_object()
{
	std::string name = "/holders-truth-" + std::to_string(getpid());
	int fd = shm_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600);
	void *made;

	if (fd < 0 || shm_unlink(name.c_str()) != 0 || ftruncate(fd, 16 * page) != 0)
		abort();
	made = mmap(nullptr, 16 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (made == MAP_FAILED)
		abort();
	static_cast<char **>(made)[700] = block(791);
}

static bool kernel_lists_pages()
{
	int version = 0, part = 0;
	utsname kernel;

	return uname(&kernel) == 0 && sscanf(kernel.release, "%d.%d", &version, &part) == 2 &&
	       (version > 6 || (version == 6 && part >= 7));
}

/* So large that it takes minutes to ask for each page. */
char *kept_instead;
CASE held_in_vast_shared()
{
	const size_t size = static_cast<size_t>(4) << 40;
	void *made = mmap(nullptr, size, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (made == MAP_FAILED || !kernel_lists_pages()) {
		kept_instead = block(797);
		return;
	}
	*static_cast<char **>(made) = block(797);
	*reinterpret_cast<char **>(static_cast<char *>(made) + size / 3 / page * page) = block(797);
	*reinterpret_cast<char **>(static_cast<char *>(made) + size - sizeof(char *)) = block(797);
}

/* The words of the program's arguments lie above all frames. */
static char **arguments;
CASE held_in_arguments()
{
	arguments[0] = block(801);
}

/* Where keys guard memory, a thread may not read what it has no right to. */
CASE held_behind_key()
{
	int key = pkey_alloc(0, 0);
	char **words = static_cast<char **>(mmap(nullptr, 16 * page, PROT_READ | PROT_WRITE,
						 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	words[700] = block(811);
	if (key >= 0 && pkey_mprotect(words, 16 * page, PROT_READ | PROT_WRITE, key) != 0)
		abort();
	if (key >= 0)
		pkey_set(key, PKEY_DISABLE_ACCESS);
}

/* ---- memory that was a stack ----------------------------------------------------------------- */

static void *nothing(void *)
{
	return nullptr;
}

/* What the C library kept of the thread is still at its end. */
CASE held_in_former_stack()
{
	const size_t size = 64 * page;
	void *stack =
		mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	if (pthread_attr_setstack(&attributes, stack, size) != 0 ||
	    pthread_create(&thread, &attributes, nothing, nullptr) != 0)
		abort();
	pthread_join(thread, nullptr);
	memset(stack, 0, size / 2);
	static_cast<char **>(stack)[700] = block(821);
}

/* A thread leaves a word on its stack, which the C library keeps for the next one.  The mapping above
   it is of the same kind: to the kernel both are one. */
MADE(lost_on_kept_stack)()
{
	return block(831);
}
static void *leaves_word(void *)
{
	char *volatile words[800];

	words[400] = lost_on_kept_stack();
	USE(&words);
	return nullptr;
}
static void leave_word()
{
	const size_t size = static_cast<size_t>(16) << 20;
	pthread_t thread;
	pthread_attr_t attributes;

	mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, size); /* no other is of this size */
	if (pthread_create(&thread, &attributes, leaves_word, nullptr) != 0)
		abort();
	pthread_join(thread, nullptr);
}

/* ---- the loader ------------------------------------------------------------------------------ */

/* A module of another namespace has a C library of its own. */
static void *apart;
CASE held_by_namespace()
{
	*static_cast<char **>(dlsym(apart, "of_module")) = block(841);
}

CASE held_by_thread_of_namespace()
{
	reinterpret_cast<void (*)(char *)>(dlsym(apart, "keep_for_thread"))(block(851));
}

static void *in_namespace(void *)
{
	held_by_thread_of_namespace();
	wipe_stack();
	stay();
	return nullptr;
}

/* ---- the C library --------------------------------------------------------------------------- */

/* The words behind what was asked for are the program's as well, once it has asked how many. */
char **with_rest;
CASE held_in_rest()
{
	for (size_t size = 100; size < 4000; size += 300) {
		char **made = reinterpret_cast<char **>(block(size));
		size_t words = malloc_usable_size(made) / sizeof(*made);

		memset(made, 0, words * sizeof(*made));
		made[0] = reinterpret_cast<char *>(with_rest);
		made[words - 1] = block(861);
		with_rest = made;
	}
}

static void at_end(void *)
{
}
static void at_end_with(int, void *)
{
}
extern "C" int __cxa_thread_atexit_impl(void (*)(void *), void *, void *);
extern "C" void *__dso_handle;
CASE held_at_thread_exit()
{
	for (int i = 0; i < 20; i++)
		__cxa_thread_atexit_impl(at_end, block(871), &__dso_handle);
}

CASE held_on_exit()
{
	on_exit(at_end_with, block(881));
}

CASE held_locale()
{
	uselocale(newlocale(LC_ALL_MASK, "C.UTF-8", nullptr));
}

static void *with_belongings(void *)
{
	held_at_thread_exit();
	held_locale();
	wipe_stack();
	stay();
	return nullptr;
}

static void on_timer(sigval)
{
}
CASE held_timer_thread()
{
	sigevent event{};
	timer_t timer;

	event.sigev_notify = SIGEV_THREAD;
	event.sigev_notify_function = on_timer;
	event.sigev_value.sival_ptr = block(891);
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0)
		abort();
}

/* A pipe from which nothing comes. */
CASE held_by_request()
{
	aiocb *request = reinterpret_cast<aiocb *>(block(sizeof(aiocb)));
	int ends[2];

	if (pipe(ends) != 0)
		abort();
	memset(request, 0, sizeof(*request));
	request->aio_fildes = ends[0];
	request->aio_buf = block(901);
	request->aio_nbytes = 1;
	request->aio_sigevent.sigev_notify = SIGEV_NONE;
	if (aio_read(request) != 0)
		abort();
}

#define obstack_chunk_alloc block
#define obstack_chunk_free  free
struct obstack pile;
CASE held_pile()
{
	obstack_init(&pile);
	for (int i = 0; i < 500; i++) {
		char **made = static_cast<char **>(obstack_alloc(&pile, 40));

		*made = block(37);
	}
}

regex_t expression;
CASE held_expression()
{
	if (regcomp(&expression, "(a|b)*c[d-f]+(g{2,5}|h)\\1", REG_EXTENDED) != 0 ||
	    regexec(&expression, "abcdddggb", 0, nullptr, 0) != 0)
		abort();
}

hsearch_data table;
CASE held_search_table()
{
	if (!hcreate_r(100, &table))
		abort();
	for (int i = 0; i < 60; i++) {
		ENTRY entry = {block(30), block(31)}, *found;

		snprintf(entry.key, 30, "%d", i);
		if (!hsearch_r(entry, ENTER, &found, &table))
			abort();
	}
}

static ssize_t take(void *, const char *, size_t size)
{
	return static_cast<ssize_t>(size);
}
CASE held_cookie()
{
	FILE *file = fopencookie(block(911), "w", {nullptr, take, nullptr, nullptr});

	fputs("x", file);
}

/* ---- C++ ------------------------------------------------------------------------------------- */

/* A tree as Linux has it: the colour is in the lowest bit of the pointer to the parent, and objects
   hold their places in the tree, not its beginning.  Only the lowest of each way is in a variable. */
struct Place {
	uintptr_t parent_and_colour;
	Place *left, *right;
};
struct Placed {
	char before[72];
	Place place;
};
Place *lowest;
CASE held_coloured_tree()
{
	for (int i = 0; i < 50; i++) {
		Place *place = &reinterpret_cast<Placed *>(block(sizeof(Placed)))->place;

		place->parent_and_colour = reinterpret_cast<uintptr_t>(lowest) | (i & 1);
		lowest = place;
	}
}

std::packaged_task<size_t()> task;
std::future<size_t> deferred;
CASE held_deferred()
{
	std::string text(300, 'd');

	task = std::packaged_task<size_t()>([text] { return text.size(); });
	deferred = std::async(std::launch::deferred, [text] { return text.size(); });
}

std::atomic<std::shared_ptr<std::string>> exchanged;
CASE held_atomic_shared()
{
	exchanged = std::make_shared<std::string>(200, 'a');
}

CASE held_by_closure()
{
	std::string text(250, 'c');

	expected++;
	std::thread([text] {
		wipe_stack();
		stay();
		USE(text.data());
	}).detach();
}

/* One waits for the next, and only the innermost is in a variable. */
std::coroutine_handle<> innermost;
struct Step {
	struct promise_type {
		std::coroutine_handle<> waiter;
		std::unique_ptr<std::string> result;
		Step get_return_object()
		{
			return {std::coroutine_handle<promise_type>::from_promise(*this)};
		}
		std::suspend_always initial_suspend()
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
	bool await_ready()
	{
		return false;
	}
	std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiter)
	{
		handle.promise().waiter = waiter;
		handle.promise().result = std::make_unique<std::string>(90, 'r');
		return handle;
	}
	void await_resume()
	{
	}
};
struct Park {
	bool await_ready()
	{
		return false;
	}
	void await_suspend(std::coroutine_handle<> handle)
	{
		innermost = handle;
	}
	void await_resume()
	{
	}
};
__attribute__((noinline)) static Step step(int depth)
{
	auto kept = std::make_unique<std::string>(static_cast<size_t>(100 + depth), 'k');

	if (depth == 0)
		co_await Park();
	else
		co_await step(depth - 1);
	USE(kept.get());
}
CASE held_by_awaited()
{
	step(10).handle.resume();
}

/* ---- hidden, and lost ------------------------------------------------------------------------ */

struct Halves {
	uint32_t low, other, high;
} halves;
CASE hidden_halves()
{
	uintptr_t word = reinterpret_cast<uintptr_t>(block(921));

	halves = {static_cast<uint32_t>(word), 0, static_cast<uint32_t>(word >> 32)};
}

uintptr_t swapped;
CASE hidden_swapped()
{
	swapped = __builtin_bswap64(reinterpret_cast<uintptr_t>(block(931)));
}

/* Taken out of a list that goes on: what refers to live blocks is lost all the same. */
struct Link {
	Link *next, *previous;
	char fill[40];
};
Link *kept_link;
MADE(held_neighbour)()
{
	return block(sizeof(Link));
}
CASE lost_taken_out()
{
	kept_link = reinterpret_cast<Link *>(held_neighbour());
	for (int i = 0; i < 10; i++)
		reinterpret_cast<Link *>(block(sizeof(Link)))->next = kept_link;
}

struct Node {
	std::shared_ptr<Node> left, right;
	std::weak_ptr<Node> parent;
	std::function<void()> act;
};
CASE lost_captured_ring()
{
	for (int i = 0; i < 10; i++) {
		auto node = std::make_shared<Node>();

		node->act = [node] { USE(node.get()); };
	}
}

/* The last block that the pointer to one past its end could be of, and the pointer was to its
   begin. */
CASE lost_shrunk()
{
	for (size_t i = 0; i < 10; i++)
		USE(realloc(block(5000 + i), 40));
}

/* ---- running them ---------------------------------------------------------------------------- */

static void run_held()
{
#if defined(__x86_64__)
	held_in_jump_buffer();
#endif
	held_behind_break();
	held_in_segment();
	held_in_shared_object();
	held_in_vast_shared();
	held_in_arguments();
	held_in_rest();
	held_on_exit();
	held_timer_thread();
	held_by_request();
	held_pile();
	held_expression();
	held_search_table();
	held_cookie();
	held_coloured_tree();
	held_deferred();
	held_atomic_shared();
	held_by_closure();
	held_by_awaited();
}

static void run_lost()
{
	hidden_queued_signal();
	hidden_in_socket();
	hidden_halves();
	hidden_swapped();
	lost_taken_out();
	lost_captured_ring();
	lost_shrunk();
}

static void start_threads(const char *plugin)
{
	start_with_registers();
	start(with_signal_stack);
	start(with_belongings);
	apart = dlmopen(LM_ID_NEWLM, plugin, RTLD_NOW);
	if (!apart)
		return;
	in_thread(held_by_namespace);
	start(in_namespace);
}

int main(int, char **argv)
{
	sigset_t blocked;

	arguments = argv;
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGRTMIN + 5);
	sigprocmask(SIG_BLOCK, &blocked, nullptr);
	in_thread(run_held);
	in_thread(held_behind_key);
	in_thread(run_lost);
	in_thread(held_in_former_stack); /* it has stale words, to blocks before it */
	start_threads(argv[1]);
	leave_word();
	while (ready < expected)
		usleep(1000);
	wipe_stack();
	if (snap_take_holders)
		printf("%d\n", snap_take_holders("truth", 1));
	if (__lsan_do_recoverable_leak_check)
		__lsan_do_recoverable_leak_check();
	fflush(stdout);
	_exit(0);
}
