/*
 * t21 [COUNT [hold]]: nearly every allocation has a call stack of its own, and nothing is held.
 * Stands for: interpreters and recursive descents, in which the recorder's tables grow without end.
 * With "hold" every block is kept, and then memory is taken until there is none: the tables that a
 * snapshot needs are at their largest when the address space is used up.
 */
#include "torture.h"

#include <stdint.h>

static int holds;
static uint64_t state = 0x9e3779b97f4a7c15u;

static unsigned next_bits(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state >> 40);
}

FAR static void descend(int depth);

#define WAY(name)                                                                                  \
	FAR static void name(int depth)                                                            \
	{                                                                                          \
		descend(depth - 1);                                                                \
		__asm__ volatile("");                                                              \
	}
WAY(north)
WAY(east)
WAY(south)
WAY(west)

FAR static void descend(int depth)
{
	static void (*const ways[])(int) = {north, east, south, west};

	if (depth == 0) {
		char *volatile block = malloc(40);

		if (!holds)
			free(block);
	} else
		ways[next_bits() % 4](depth);
	__asm__ volatile("");
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 100000;

	holds = argc > 2;
	for (int i = 0; i < count; i++)
		descend(holds ? 9 : 16);
	for (void *volatile more = main; holds && more;)
		more = malloc(100000);
	puts("done");
	return 0;
}
