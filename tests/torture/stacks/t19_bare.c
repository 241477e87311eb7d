/*
 * t19_bare: code of which nobody knows how to get out.
 * Stands for: stacks that end too early or go astray where call frame information is missing, and
 * are shown as if they were complete.
 *
 * Built with BARE for the part without call frame information (-fno-asynchronous-unwind-tables)
 * and frame pointers, without for the rest.
 */
#include <stdlib.h>

void bare_relay(void (*function)(int), int n);

#ifdef BARE

/* rbp holds a number here: neither rules nor frame pointers lead out. */
void bare_relay(void (*function)(int), int n)
{
	long a = n * 3, b = n + 1, c = n ^ 77, d = n - 5, e = ~n, f = n << 2;

	__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f));
	function(n);
	__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f));
	if (n > 0)
		bare_relay(function, n - 1);
	__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f));
}

#else

__attribute__((noinline)) static void allocate(int n)
{
	void *volatile p = malloc((size_t)n + 1);

	if (n % 2)
		free(p);
}

int main(void)
{
	for (int i = 0; i < 50; i++)
		bare_relay(allocate, i % 10);
	return 0;
}

#endif
