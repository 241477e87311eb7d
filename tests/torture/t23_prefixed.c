/*
 * t23: memory from an allocator that is not called malloc.
 * Stands for: programs with mimalloc or jemalloc under a prefix, of which nothing was recorded.
 */
#include "torture.h"

void *mi_malloc(size_t size);
void *mi_zalloc(size_t size);
void *mi_realloc(void *ptr, size_t size);
void mi_free(void *ptr);

int main(void)
{
	void *(*volatile by_pointer)(size_t) = mi_malloc;

	for (int i = 0; i < 100; i++) {
		void *block = mi_malloc(700);

		NEED(block);
		if (i % 4 == 0)
			mi_free(block);
	}
	NEED(mi_zalloc(4000));
	NEED(mi_realloc(mi_malloc(16), 6000));
	NEED(by_pointer(9000));
	return 0;
}
