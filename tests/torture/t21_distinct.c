/*
 * t21: nearly every allocation has a call stack of its own, and nothing is held.
 * Stands for: interpreters and recursive descents, in which the recorder's tables grow without end.
 */
#include "torture.h"

#include <stdint.h>

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

	if (depth == 0)
		free(malloc(40));
	else
		ways[next_bits() % 4](depth);
	__asm__ volatile("");
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 100000;

	for (int i = 0; i < count; i++)
		descend(16);
	puts("done");
	return 0;
}
