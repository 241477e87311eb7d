/*
 * truth_api.c - snap.h from a program that links with -lsnap: starts, takes, labels, own domains,
 * stops and starts again.  The directory is the first argument.
 */
#include "truth.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "snap/snap.h"

static void check(int condition, int line)
{
	if (condition)
		return;
	dprintf(STDERR_FILENO, "truth_api.c:%d is not so\n", line);
	_exit(1);
}
#define CHECK(condition) check(condition, __LINE__)

static void *volatile sink;

SITE static void *site_before(size_t n)
{
	return malloc(n);
}

SITE static void *site_after(size_t n)
{
	sink = malloc(n);
	return came(truth_of("site_after"), sink, n);
}

SITE static void site_gpu(uintptr_t address, size_t n)
{
	CHECK(snap_record_alloc("gpu", (void *)address, n) == SNAP_OK);
	came(truth_of("site_gpu"), (void *)address, n);
}

SITE static void site_gpu_grow(uintptr_t from, uintptr_t to, size_t old, size_t n)
{
	CHECK(snap_record_realloc("gpu", (void *)from, (void *)to, n) == SNAP_OK);
	went(truth_of("site_gpu"), old);
	came(truth_of("site_gpu_grow"), (void *)to, n);
}

SITE static void site_two_domains(uintptr_t address, size_t n)
{
	static const char *const names[] = {"arena", "pool"};

	for (int i = 0; i < 2; i++) {
		CHECK(snap_record_alloc(names[i], (void *)address, n) == SNAP_OK);
		came(truth_of("site_two_domains"), (void *)address, n);
	}
}

SITE static void *site_again(size_t n)
{
	return sink = malloc(n);
}

int main(int argc, char **argv)
{
	struct snap_config config = {.size = sizeof(config),
				     .directory = argc > 1 ? argv[1] : NULL};
	void *before = site_before(100), *p;

	CHECK(snap_set_label("set", "before") == SNAP_OK);
	CHECK(snap_take("too early") == SNAP_ESTATE);
	CHECK(snap_record_alloc("gpu", &config, 1) == SNAP_OK); /* off: nothing is recorded */
	errno = 42;
	CHECK(snap_start(&config) == SNAP_OK);
	CHECK(errno == 42);
	CHECK(snap_start(&config) == SNAP_OK);
	free(before); /* unknown to the recorder: counted, harmless */
	p = site_after(1000);
	site_after(500);
	CHECK(snap_set_label("phase", "one") == SNAP_OK);
	CHECK(snap_set_label("", "x") == SNAP_EINVAL);
	CHECK(snap_set_label("a=b", "x") == SNAP_EINVAL);
	CHECK(snap_take("first") == SNAP_OK);
	went(truth_of("site_after"), 1000);
	free(p);
	for (uintptr_t i = 1; i <= 100; i++)
		site_gpu(i * 7, i); /* any value is an address; odd ones too */
	site_gpu_grow(7, 9999, 1, 400);
	site_two_domains(0x1000, 10);
	CHECK(snap_record_free("gpu", (void *)14) == SNAP_OK);
	went(truth_of("site_gpu"), 2);
	CHECK(snap_record_free("gpu", (void *)14) == SNAP_ENOTFOUND);
	CHECK(snap_record_alloc(NULL, p, 1) == SNAP_EINVAL);
	CHECK(snap_set_label("phase", "two") == SNAP_OK);
	truth_print();
	CHECK(snap_take("second") == SNAP_OK);
	CHECK(snap_flush() == SNAP_OK);
	CHECK(snap_stop() == SNAP_OK);
	CHECK(snap_stop() == SNAP_ESTATE);
	CHECK(snap_take("stopped") == SNAP_ESTATE);
	site_after(7); /* between the recordings */
	CHECK(snap_start(&config) == SNAP_OK);
	site_again(4321);
	CHECK(snap_take("again") == SNAP_OK);
	CHECK(snap_stop() == SNAP_OK);
	return 0;
}
