/*
 * t29 HOW: calls of the malloc family that fail, or that use memory in unusual ways.
 * Stands for: a wrapper that changes errno, a result or a size that the program relies on, or that is
 * confused by mappings which it did not see come and go.
 */
#include "torture.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>

static char **arguments;
static volatile size_t too_much = SIZE_MAX / 2 + 2, half = SIZE_MAX / 2, zero, one = 1;

static void say(const char *what, const void *result)
{
	printf("%s: %s, errno %d\n", what, result ? "memory" : "none", errno);
	errno = 0;
}

static void sizes(void)
{
	void *block = malloc(10), *out = (void *)&zero;

	errno = 0;
	say("malloc, more than half", malloc(too_much));
	say("calloc, too many", calloc(half, 3));
	say("realloc, more than half", realloc(block, too_much));
	say("reallocarray, too many", reallocarray(block, half, 4));
	say("reallocarray, none", reallocarray(block, zero, 4));
	block = malloc(10);
	say("realloc, none", realloc(block, zero));
	say("aligned_alloc, more than half", aligned_alloc(64, too_much));
	say("memalign, more than half", memalign(64, too_much));
	say("valloc, more than half", valloc(too_much));
	say("pvalloc, more than half", pvalloc(too_much));
	say("pvalloc, all", pvalloc(SIZE_MAX - zero));
	printf("posix_memalign: %d", posix_memalign(&out, 3 * one, 10));
	printf(" %d", posix_memalign(&out, 4 * one, 10));
	printf(" %d", posix_memalign(&out, 64, too_much));
	printf(" and the result is %s, errno %d\n", out == (void *)&zero ? "untouched" : "changed",
	       errno);
	free(NULL);
}

/* The whole block is the program's, and realloc keeps all of it. */
static void usable(void)
{
	for (size_t wanted = 1; wanted < 200000; wanted = wanted * 3 + 1) {
		unsigned char *block = malloc(wanted);
		size_t size = malloc_usable_size(block);

		NEED(size >= wanted);
		memset(block, 0x5a, size);
		block = realloc(block, size * 2);
		NEED(block && block[0] == 0x5a && block[size - 1] == 0x5a);
		block = realloc(block, wanted);
		NEED(block && block[wanted - 1] == 0x5a);
		free(block);
	}
	printf("none: %zu\n", malloc_usable_size(NULL));
}

static void alignments(void)
{
	for (size_t alignment = 16; alignment <= (size_t)1 << 22; alignment *= 4) {
		char *a = aligned_alloc(alignment, alignment), *b = memalign(alignment, 100);
		void *c = NULL;

		NEED(posix_memalign(&c, alignment, 5) == 0);
		NEED(a && b && ((uintptr_t)a | (uintptr_t)b | (uintptr_t)c) % alignment == 0);
		a = realloc(a, alignment + 100);
		NEED(a);
		free(a);
		free(b);
		free(c);
	}
}

/* The program moves the break itself, between malloc's moves. */
static void own_break(void)
{
	char *mine[20];

	for (int i = 0; i < 20; i++) {
		mine[i] = sbrk(8192);
		NEED(mine[i] != (void *)-1);
		memset(mine[i], i, 8192);
		churn(500);
		free(malloc(100000));
	}
	for (int i = 0; i < 20; i++)
		NEED(mine[i][0] == i && mine[i][8191] == i);
}

/* Mappings over the holes that large blocks leave, and blocks where mappings were. */
static void holes(void)
{
	const size_t size = 1 << 20;

	for (int i = 0; i < 50; i++) {
		char *block = malloc(size), *page, *moved;

		NEED(block);
		memset(block, 1, size);
		free(block);
		page = mmap((void *)((uintptr_t)block & ~(uintptr_t)4095), size,
			    PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		if (page == MAP_FAILED)
			continue; /* the allocator has kept it */
		page[0] = 7;
		moved = mremap(page, size, 4 * size, MREMAP_MAYMOVE);
		NEED(moved != MAP_FAILED && moved[0] == 7);
		block = malloc(size);
		block = realloc(block, 8 * size);
		NEED(block);
		block[8 * size - 1] = 1;
		block = realloc(block, 100);
		free(block);
		NEED(mmap(moved + size, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
			  -1, 0) == moved + size);
		munmap(moved, 4 * size);
	}
}

static void huge_pages(void)
{
	const size_t size = 8 << 20;
	char *block = aligned_alloc(2 << 20, size);

	NEED(block);
	madvise(block, size, MADV_HUGEPAGE);
	memset(block, 1, size);
	madvise(block, size, MADV_DONTNEED);
	NEED(block[4096] == 0);
	madvise(block, size, MADV_DONTFORK); /* a copy of the process does not have it */
	for (int i = 0; i < 20; i++)
		churn(200);
	free(block);
	mallopt(M_MMAP_THRESHOLD, 4096);
	mallopt(M_TRIM_THRESHOLD, 0);
	churn(2000);
	malloc_trim(0);
}

static void *frees(void *block)
{
	free(block);
	return malloc(77);
}

/* Blocks of a library that is gone, freed by a thread that starts after that. */
static void of_closed_library(void)
{
	for (int i = 0; i < 20; i++) {
		void *library = dlopen(arguments[2], RTLD_NOW), *block, *other;
		void *(*allocate)(int);
		pthread_t thread;

		NEED(library);
		*(void **)&allocate = dlsym(library, "plugin_allocate");
		NEED(allocate && (block = allocate(3)));
		NEED(dlclose(library) == 0);
		NEED(pthread_create(&thread, NULL, frees, block) == 0);
		NEED(pthread_join(thread, &other) == 0);
		free(other);
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} ways[] = {
		{"sizes", sizes},
		{"usable", usable},
		{"alignments", alignments},
		{"own_break", own_break},
		{"holes", holes},
		{"huge_pages", huge_pages},
		{"closed", of_closed_library},
	};

	arguments = argv;
	for (size_t i = 0; argc > 1 && i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(argv[1], ways[i].name) == 0)
			ways[i].run();
	puts("done");
	return 0;
}
