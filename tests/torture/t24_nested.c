/*
 * t24: blocks of malloc, and blocks of an allocator that takes each of them from malloc.
 * Stands for: wrappers whose calls were counted twice, once by each name.
 *
 * 40,000 blocks of 100 bytes are freed again, 1,000 of 2,000 bytes stay, and 1,000 of 50 bytes are
 * resized to 3,000 and stay; then the same from the thin allocator.
 */
#include "torture.h"

#include <unistd.h>

void *je_malloc(size_t size);
void *je_calloc(size_t count, size_t size);
void *je_realloc(void *ptr, size_t size);
void je_free(void *ptr);

struct family {
	void *(*malloc)(size_t);
	void *(*calloc)(size_t, size_t);
	void *(*realloc)(void *, size_t);
	void (*free)(void *);
};

static void *kept[4][1000];

__attribute__((noinline)) static void use(const struct family *family, void **zeroed, void **moved)
{
	for (int i = 0; i < 40000; i++)
		family->free(family->malloc(100));
	for (int i = 0; i < 1000; i++) {
		zeroed[i] = family->calloc(20, 100);
		moved[i] = family->realloc(family->malloc(50), 3000);
		NEED(zeroed[i] && moved[i]);
	}
}

__attribute__((noinline)) static void use_malloc(void)
{
	static const struct family family = {malloc, calloc, realloc, free};

	use(&family, kept[0], kept[1]);
}

__attribute__((noinline)) static void use_thin(void)
{
	static const struct family family = {je_malloc, je_calloc, je_realloc, je_free};

	use(&family, kept[2], kept[3]);
}

int main(void)
{
	use_malloc();
	use_thin();
	return 0;
}
