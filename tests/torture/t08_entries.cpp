// t08: every entry point keeps its promises.
// Stands for: interposers that lose the alignment, change malloc_usable_size(), or miss a member of
// the family, so that a block reaches the wrong free.
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <malloc.h>
#include <new>
#include <unistd.h>

#define NEED(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			dprintf(2, "%d: not so: %s\n", __LINE__, #condition);                      \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

static int replaced;

// A program that replaces operator new, as many do.
void *operator new(std::size_t size)
{
	replaced++;
	void *p = std::malloc(size);
	if (!p)
		throw std::bad_alloc();
	return p;
}
void operator delete(void *p) noexcept
{
	replaced--;
	std::free(p);
}
void operator delete(void *p, std::size_t) noexcept
{
	replaced--;
	std::free(p);
}

static bool aligned(const void *p, std::uintptr_t to)
{
	return reinterpret_cast<std::uintptr_t>(p) % to == 0;
}

int main()
{
	for (std::size_t a = 8; a <= 1 << 21; a *= 2)
		for (std::size_t n = 0; n < 5000; n = n * 3 + 1) {
			void *p = memalign(a, n), *q = aligned_alloc(a, n), *r = nullptr;
			NEED(aligned(p, a) && aligned(q, a));
			NEED(posix_memalign(&r, a, n) == 0 && aligned(r, a));
			NEED(malloc_usable_size(p) >= n && malloc_usable_size(r) >= n);
			free(p);
			free(q);
			free(r);
		}
	void *p = nullptr;
	NEED(posix_memalign(&p, 3, 10) == EINVAL && p == nullptr);
	NEED(aligned(valloc(10), 4096) && aligned(pvalloc(10), 4096));
	NEED(malloc_usable_size(nullptr) == 0);
	void *zero = malloc(0), *zeros = calloc(0, 8);
	NEED(zero && zeros && zero != zeros);
	char *clean = static_cast<char *>(calloc(1000, 10));
	for (int i = 0; i < 10000; i++)
		NEED(clean[i] == 0);
	int *one = new int(5);
	NEED(replaced == 1);
	delete one;
	NEED(replaced == 0);
	char *many = new char[1000];
	delete[] many;
	int *quiet = new (std::nothrow) int;
	delete quiet;
	struct alignas(64) Wide {
		char c[64];
	} *wide = new Wide;
	NEED(aligned(wide, 64));
	delete wide;
	volatile std::size_t too_much = SIZE_MAX / 4;
	try {
		char *huge = new char[too_much];
		delete[] huge;
		NEED(false);
	} catch (const std::bad_alloc &) {
	}
	return 0;
}
