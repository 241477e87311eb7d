/*
 * truth.h - what the programs of known truth share: blocks, and running a case so that no word of it
 * stays behind on a stack.
 */
#ifndef TESTS_HOLDERS_TRUTH_H
#define TESTS_HOLDERS_TRUTH_H

#include <cstdlib>
#include <cstring>
#include <thread>

extern "C" int snap_take_holders(const char *label, int retained) __attribute__((weak));

#define CASE       __attribute__((noinline, noclone)) void
#define USE(value) __asm__ volatile("" : : "r"(value) : "memory")

static char *block(size_t size)
{
	char *made = static_cast<char *>(malloc(size));

	memset(made, 0x5a, size);
	return made;
}

__attribute__((noinline)) static void wipe_stack()
{
	volatile char fill[65536];

	for (size_t i = 0; i < sizeof(fill); i++)
		fill[i] = 0;
}

template <class F> static void in_thread(F work)
{
	std::thread([work] {
		work();
		wipe_stack();
	}).join();
}

#endif
