/*
 * t33: a block becomes smaller by a call that no guest sees, and is resized by realloc() afterwards.
 * Stands for: allocators with calls of their own (xallocx()), and a guest that reads a block up to
 * the size that it knows.
 */
#include "torture.h"

extern void *__libc_realloc(void *block, size_t size) __attribute__((weak));

int main(void)
{
	char *block = malloc((size_t)64 << 20);

	NEED(block);
	block[0] = 'w';
	if (__libc_realloc)
		block = __libc_realloc(block, 200000);
	NEED(block);
	block = realloc(block, 300000);
	NEED(block && block[0] == 'w');
	free(block);
	puts("resized");
	return 0;
}
