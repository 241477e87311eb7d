/*
 * huge.c - a block of 5 GiB that only a pointer far behind its begin keeps alive, and that holds another block 4.5 GiB
 * behind its begin; a third one is lost.  Prints "ready" and waits.  Ends with 77 if there is no such memory.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define GIB ((size_t)1 << 30)

char *volatile g_inside;

static void *make_small(size_t size)
{
	return malloc(size);
}

static void *make_huge(void)
{
	return malloc(5 * GIB);
}

static int fill(void)
{
	char *block = make_huge();

	if (!block)
		return 77;
	*(void **)(void *)(block + 9 * (GIB / 2)) = make_small(33);
	g_inside = block + 5 * GIB - 8;
	return 0;
}

static void lose(void)
{
	void *volatile lost = make_small(44);

	(void)lost;
}

int main(void)
{
	int status = fill();

	if (status)
		return status;
	lose();
	puts("ready");
	fflush(stdout);
	return getchar() == EOF ? 0 : 1;
}
