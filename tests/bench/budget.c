/*
 * budget.c - a fixed number of malloc/free pairs, whose instructions are counted.
 *
 *   budget same DEPTH   from one place, so many calls below main()
 *   budget tree         from the leaves of a random call tree some 35 frames deep
 *
 * measured() holds the pairs that count; it is run once before, so that stacks and tables are
 * known.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NOT_INLINED __attribute__((noinline))

enum { PAIRS = 4000, TREE_DEPTH = 14 };

static uint64_t shape;
static int leaves_left;

static uint64_t next_random(void)
{
	shape ^= shape << 13;
	shape ^= shape >> 7;
	shape ^= shape << 17;
	return shape;
}

NOT_INLINED static void pair(void)
{
	void *block = malloc(100);

	__asm__ volatile("" : : "r"(block) : "memory");
	free(block);
}

/* The empty assembly keeps the frame, and calls from becoming jumps. */
NOT_INLINED static void same(int depth)
{
	if (depth > 0) {
		same(depth - 1);
		__asm__ volatile("" : : : "memory");
		return;
	}
	for (int i = 0; i < PAIRS; i++)
		pair();
}

static void go_on(int depth);

#define TREE(n, bytes)                                                                             \
	NOT_INLINED static void tree_##n(int depth)                                                \
	{                                                                                          \
		char room[bytes];                                                                  \
                                                                                                   \
		__asm__ volatile("" : : "r"(room) : "memory");                                     \
		go_on(depth - 1);                                                                  \
		if ((next_random() & 3) == 0)                                                      \
			go_on(depth - 1);                                                          \
		__asm__ volatile("" : : "r"(room) : "memory");                                     \
	}
TREE(0, 8)
TREE(1, 24)
TREE(2, 56)
TREE(3, 120)

static void (*const trees[])(int) = {tree_0, tree_1, tree_2, tree_3};

NOT_INLINED static void go_on(int depth)
{
	if (leaves_left <= 0)
		return;
	if (depth <= 0) {
		leaves_left--;
		pair();
	} else {
		trees[next_random() & 3](depth);
	}
	__asm__ volatile("" : : : "memory");
}

static void tree(void)
{
	shape = UINT64_C(88172645463325252);
	leaves_left = PAIRS;
	while (leaves_left > 0)
		go_on(TREE_DEPTH);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 1;
	int depth = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 1;

	if (argc < 3)
		return 2;
	for (int round = 0; round < rounds; round++)
		if (strcmp(argv[2], "tree") == 0)
			tree();
		else
			same(depth);
	return 0;
}
