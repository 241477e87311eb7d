// truth_cxx.cpp - operator new in all its forms, exceptions, and static destructors.
#include <cstdlib>
#include <cstring>
#include <map>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include <cstdio>
#include <unistd.h>

struct Truth {
	const char *site;
	long live_bytes, live_blocks, allocated_bytes, allocated_blocks;
};
static Truth truths[16];
static int count;

static void came(const char *site, long bytes, long kept)
{
	Truth *t = nullptr;
	for (int i = 0; i < count; i++)
		if (!strcmp(truths[i].site, site))
			t = &truths[i];
	if (!t) {
		t = &truths[count++];
		t->site = site;
	}
	t->allocated_bytes += bytes;
	t->allocated_blocks += 1;
	t->live_bytes += kept ? bytes : 0;
	t->live_blocks += kept;
}

#ifdef __clang__
#define SITE __attribute__((noinline)) static
#else
#define SITE __attribute__((noinline, noclone)) static
#endif

struct alignas(128) Wide {
	char data[256];
};

static void *volatile sink;

SITE void site_new(bool keep)
{
	int *p = new int[10];
	sink = p;
	came("site_new", 40, keep);
	if (!keep)
		delete[] p;
}

SITE void site_new_nothrow(bool keep)
{
	char *p = new (std::nothrow) char[33];
	sink = p;
	came("site_new_nothrow", 33, keep);
	if (!keep)
		delete[] p;
}

SITE void site_new_aligned(bool keep)
{
	Wide *p = new Wide;
	sink = p;
	came("site_new_aligned", 256, keep);
	if (!keep)
		delete p;
}

SITE void site_string(bool keep)
{
	std::string *s = new std::string(100, 'x');
	sink = s;
	came("site_string", sizeof(std::string), keep);
	came("site_string", 101, keep);
	if (!keep)
		delete s;
}

SITE void throw_it()
{
	throw std::runtime_error("unwound through recorded frames");
}

SITE void site_throw(int depth)
{
	void *p = malloc(64);
	sink = p;
	came("site_throw", 64, 1);
	if (depth > 0)
		site_throw(depth - 1);
	else
		throw_it();
}

// Freed by a static destructor: gone in a late exit snapshot, live in an early one.
struct Holder {
	std::vector<char> bytes;
};
static Holder holder;

SITE void site_static()
{
	holder.bytes.reserve(5000);
}

int main(int argc, char **argv)
{
	bool early = argc > 1 && !strcmp(argv[1], "early");
	char line[256];

	for (int i = 0; i < 100; i++) {
		site_new(i % 3 == 0);
		site_new_nothrow(i % 2 == 0);
		site_new_aligned(i % 5 == 0);
		site_string(i % 7 == 0);
		try {
			site_throw(i);
		} catch (const std::exception &) {
		}
	}
	site_static();
	came("site_static", 5000, early);
	for (int i = 0; i < count; i++) {
		int n = snprintf(line, sizeof(line), "%d %s %ld %ld %ld %ld\n", (int)getpid(),
				 truths[i].site, truths[i].live_bytes, truths[i].live_blocks,
				 truths[i].allocated_bytes, truths[i].allocated_blocks);
		if (write(1, line, (size_t)n) != n)
			return 99;
	}
	return 0;
}
