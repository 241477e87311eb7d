/*
 * t19_frames: call trees of frames of every kind, each with allocations.
 * Stands for: unwinders that believe in rbp, that take callers of one frame size for each other, or
 * that keep a part of the last stack because what they looked at did not change.
 */
#include "../torture.h"

#include <alloca.h>
#include <stdint.h>

#define ROOM 64

static uint64_t seed = 0x9e3779b97f4a7c15u;
static volatile uint64_t sink;
static int budget;

static uint64_t random_number(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static void use(volatile void *p)
{
	__asm__ volatile("" : : "r"(p) : "memory");
}

FAR static uint64_t leaf(uint64_t n)
{
	void *volatile p = malloc(n % 100 + 1);

	free(p);
	return n + 1;
}

static uint64_t go_on(int depth, uint64_t n);

/* Six values live across the call: rbx, rbp and r12-r15 hold numbers that differ each time. */
#define REGISTERS(name, bytes)                                                                     \
	FAR static uint64_t name(int depth, uint64_t n)                                            \
	{                                                                                          \
		char room[bytes];                                                                  \
		uint64_t a = n * 3, b = n ^ 0x5555, c = n << 7, d = n + 99, e = ~n, f = n >> 3;    \
		__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f));       \
		use(room);                                                                         \
		n = go_on(depth, n);                                                               \
		__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f));       \
		n += go_on(depth, n + a);                                                          \
		__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f));       \
		return n + a + b + c + d + e + f;                                                  \
	}
REGISTERS(registers_one, 16)
REGISTERS(registers_two, 16)
REGISTERS(registers_three, 240)

/* Frames of one size, from which only the return address tells which it is. */
#define TWIN(name)                                                                                 \
	FAR static uint64_t name(int depth, uint64_t n)                                            \
	{                                                                                          \
		n = go_on(depth, n * 5) + 1;                                                       \
		n += go_on(depth, n * 7);                                                          \
		return n ^ 1;                                                                      \
	}
TWIN(twin_one)
TWIN(twin_two)
TWIN(twin_three)

/* Frames that are found by rbp alone. */
FAR static uint64_t with_alloca(int depth, uint64_t n)
{
	char *room = alloca(16 + n % 300);

	use(room);
	n = go_on(depth, n);
	use(room);
	return n + 1;
}

/* ... and two whose sum is always the same: the same sp below them, another rbp in between. */
FAR static uint64_t inner_share(int depth, uint64_t n, size_t share)
{
	char *room = alloca(1024 - share);

	use(room);
	n = go_on(depth, n);
	use(room);
	return n;
}

FAR static uint64_t outer_share(int depth, uint64_t n)
{
	size_t share = (n % 32 + 1) * 16;
	char *room = alloca(share);

	use(room);
	n = inner_share(depth, n, share);
	use(room);
	return n + 1;
}

/*
 * The same below, but for rbp, and other frames outside: the frame of moved() lies lower or higher,
 * as much as the frame of end_of_share() is smaller or larger.  Nothing is written to the memory in
 * between, so that what was there the last time still is.
 */
FAR static uint64_t end_of_share(uint64_t n, size_t share)
{
	char *room = alloca(1024 - share);

	use(&room);
	n = leaf(n);
	use(&room);
	return n;
}

FAR static uint64_t moved(uint64_t n, size_t share)
{
	n = end_of_share(n, share);
	__asm__ volatile("" : "+r"(n));
	return n + 1;
}

FAR static uint64_t move(uint64_t n, size_t share)
{
	char *room = alloca(share);

	use(&room);
	if (share % 128 == 0)
		n = moved(n, share) + 1;
	else
		n = moved(n + 1, share) * 3;
	use(&room);
	return n;
}

FAR static void move_about(int rounds)
{
	for (int i = 0; i < rounds; i++)
		sink += move((uint64_t)i, 16 + (size_t)(i * 7 % 32) * 16);
}

FAR static uint64_t variable_array(int depth, uint64_t n)
{
	volatile char room[1 + n % 200];

	room[0] = (char)n;
	return go_on(depth, n) + (unsigned char)room[0];
}

FAR static uint64_t realigned(int depth, uint64_t n)
{
	_Alignas(128) volatile char room[128];

	room[n % 128] = 1;
	use(room);
	return go_on(depth, n) + (unsigned char)room[n % 128];
}

FAR static uint64_t realigned_alloca(int depth, uint64_t n)
{
	_Alignas(64) volatile char room[64];
	char *more = alloca(16 + n % 100);

	use(room);
	use(more);
	n = go_on(depth, n);
	use(more);
	return n + (uintptr_t)room % 64;
}

FAR static uint64_t huge_frame(int depth, uint64_t n)
{
	volatile char room[40000];

	room[0] = room[n % 40000] = 1;
	n = go_on(depth, n);
	return n + (unsigned char)room[0] % 2;
}

/* Many arguments on the stack, pushed and popped around the call. */
FAR static uint64_t many_arguments(int depth, uint64_t n, uint64_t a, uint64_t b, uint64_t c,
				   uint64_t d, uint64_t e, uint64_t f, uint64_t g, uint64_t h)
{
	n = go_on(depth, n + a + b + c + d + e + f + g + h);
	return n + h;
}

FAR static uint64_t pushes(int depth, uint64_t n)
{
	n = many_arguments(depth, n, n, n + 1, n + 2, n + 3, n + 4, n + 5, n + 6, n + 7);
	return n + 1;
}

/* A tail call, where the compiler makes one: its own frame is not there any more. */
FAR static uint64_t tail(int depth, uint64_t n)
{
	return go_on(depth, n * 3 + 1);
}

static int by_random(const void *a, const void *b)
{
	sink += leaf(*(const unsigned char *)a);
	return *(const unsigned char *)a - *(const unsigned char *)b;
}

/* Out through libc, which calls back; both calls are bound when they are first made. */
FAR static uint64_t through_libc(int depth, uint64_t n)
{
	unsigned char letters[12], key = 3;

	for (size_t i = 0; i < sizeof(letters); i++)
		letters[i] = (unsigned char)(n >> i);
	qsort(letters, sizeof(letters), 1, by_random);
	sink += (uintptr_t)bsearch(&key, letters, sizeof(letters), 1, by_random);
	return go_on(depth - 1, n) + letters[0];
}

FAR static uint64_t recursive(int depth, uint64_t n)
{
	return depth > 0 && n % 8 ? recursive(depth - 1, n / 2 + 1) + 1 : go_on(depth, n);
}

static uint64_t (*const volatile functions[])(int, uint64_t) = {
	registers_one, registers_two, registers_three, twin_one,  twin_two,         twin_three,
	with_alloca,   outer_share,   variable_array,  realigned, realigned_alloca, huge_frame,
	pushes,        tail,          through_libc,    recursive};

#define FUNCTIONS (sizeof(functions) / sizeof(functions[0]))

static uint64_t go_on(int depth, uint64_t n)
{
	if (random_number() % 2)
		n = leaf(n);
	if (depth <= 0 || --budget < 0)
		return leaf(n + 1);
	return functions[random_number() % FUNCTIONS](depth - 1, n + random_number() % 1000);
}

/* Only the outermost call site differs; every slot and register further in is the same. */
FAR static uint64_t same_below(uint64_t n)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < 3; i++)
		sum += twin_one(0, 1) + n;
	return sum;
}

FAR static uint64_t site_one(void)
{
	uint64_t sum = same_below(1);

	return sum + same_below(1);
}

FAR static uint64_t site_two(void)
{
	uint64_t sum = same_below(1);

	return sum + same_below(1) + 1;
}

FAR static void change_outside(int rounds)
{
	budget = 0;
	for (int i = 0; i < rounds; i++) {
		sink += site_one();
		sink += i % 3 ? site_two() : site_one();
		sink += site_two();
	}
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 400;

	for (int i = 0; i < rounds; i++) {
		budget = 200;
		sink += go_on((int)(random_number() % 40), (uint64_t)i);
		if (i % 10 == 0)
			change_outside(5);
		move_about(10);
	}
	return 0;
}
