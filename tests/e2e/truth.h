/*
 * truth.h - programs that know what they allocate.
 *
 * A function named site_*() allocates; the bookkeeping here, which shares nothing with the
 * recorder, says what must be found under its name.  truth_print() writes a line per site:
 *     <pid> <function> <live bytes> <live blocks> <allocated bytes> <allocated blocks>
 */
#ifndef TRUTH_H
#define TRUTH_H

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct truth {
	const char *site;
	_Atomic long live_bytes, live_blocks, allocated_bytes, allocated_blocks;
};

#define TRUTH_MAX 64
static struct truth truths[TRUTH_MAX];
static int truth_count;

#ifdef __clang__
#define SITE __attribute__((noinline, optnone))
#else
#define SITE __attribute__((noinline, noclone))
#endif

/* Register before threads start. */
static struct truth *truth_of(const char *site)
{
	for (int i = 0; i < truth_count; i++)
		if (strcmp(truths[i].site, site) == 0)
			return &truths[i];
	truths[truth_count].site = site;
	return &truths[truth_count++];
}

static void *came(struct truth *t, void *ptr, size_t size)
{
	if (!ptr)
		return ptr;
	t->live_bytes += (long)size;
	t->live_blocks += 1;
	t->allocated_bytes += (long)size;
	t->allocated_blocks += 1;
	return ptr;
}

static void went(struct truth *t, size_t size)
{
	t->live_bytes -= (long)size;
	t->live_blocks -= 1;
}

/* By write(2): nothing may be left in a buffer when the process ends its own way. */
static void truth_print(void)
{
	char line[256];

	for (int i = 0; i < truth_count; i++) {
		int n = snprintf(line, sizeof(line), "%d %s %ld %ld %ld %ld\n", (int)getpid(),
				 truths[i].site, truths[i].live_bytes, truths[i].live_blocks,
				 truths[i].allocated_bytes, truths[i].allocated_blocks);

		if (write(STDOUT_FILENO, line, (size_t)n) != n)
			_exit(99);
	}
}

#endif
