/*
 * t19_bare: code of which nobody knows how to get out.
 * Stands for: stacks that end too early or go astray where call frame information is missing, and
 * are shown as if they were complete.
 *
 * Built with BARE for the part without call frame information (-fno-asynchronous-unwind-tables)
 * and frame pointers, without for the rest.
 */
#include <stdint.h>
#include <stdlib.h>

void bare_relay(void (*function)(int), int n, uintptr_t value);

#ifdef BARE

/* rbp holds `value` here, like every other register: neither rules nor frame pointers lead out. */
void bare_relay(void (*function)(int), int n, uintptr_t value)
{
	uintptr_t a = value, b = value, c = value, d = value, e = value, f = value;

	__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f));
	function(n);
	__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f));
	if (n > 0)
		bare_relay(function, n - 1, value);
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
	/* What might be taken for the frame of a caller: on the stack, with an address of code. */
	volatile uintptr_t data[] = {0, 0x7777777777, 0, (uintptr_t)allocate};

	for (int i = 0; i < 50; i++) {
		bare_relay(allocate, i % 10, (uintptr_t)i * 12345);
		bare_relay(allocate, i % 10, 0);
		bare_relay(allocate, i % 10, (uintptr_t)data);
		bare_relay(allocate, i % 10, (uintptr_t)(data + 2));
	}
	return 0;
}

#endif
