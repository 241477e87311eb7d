/*
 * t22: C++ objects, kept and deleted, in every form of new and delete.
 * Stands for: allocators that define operator new themselves, and that call the family again.
 * Prints "blocks bytes" of what it holds and "blocks" of what it has allocated in this file.
 */
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <unistd.h>

struct object {
	char bytes[1000];
};
struct alignas(64) aligned_object {
	char bytes[1024];
};

template <typename T> static T *volatile kept[64];

/* Compilers may leave out a pair of new and delete that nobody sees. */
static void *volatile seen;

__attribute__((noinline)) static void keep_and_drop()
{
	for (int i = 0; i < 64; i++) {
		kept<object>[i] = new object;
		kept<aligned_object>[i] = new aligned_object;
		object *many = new object[3];
		object *maybe = new (std::nothrow) object;
		aligned_object *aligned_many = new (std::nothrow) aligned_object[2];

		seen = many;
		seen = maybe;
		seen = aligned_many;
		delete[] many;
		operator delete(maybe, std::nothrow);
		delete[] aligned_many;
		if (i % 2)
			delete kept<object>[i];
	}
}

int main()
{
	keep_and_drop();
	std::string text(3000, 'x');
	char *volatile plain = static_cast<char *>(std::malloc(500));

	plain[0] = text[5];
	bool thrown = false;
	try {
		(void)::operator new(static_cast<std::size_t>(-1) / 2);
	} catch (const std::bad_alloc &) {
		thrown = true;
	}
	std::printf("%d\n", thrown);
	std::fflush(stdout);
	_exit(0);
}
