/*
 * shared_lines.c - two threads that allocate in turns, from call stacks that are known.
 *
 * shared_lines.py runs this under a simulator that lists every store, and checks whether recording
 * stores to the same cache line for both threads. `phase` tells it which part runs. The addresses
 * that it needs are printed first.
 */
#include <link.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOT_INLINED __attribute__((noinline))

enum { KNOWN = 300, PAIRS = 1100, HANDED_OVER = 300 };

static _Alignas(64) volatile int phase, known; /* the latter is for the round that does not count */
static void *blocks[HANDED_OVER];
static pthread_barrier_t turn;

/* Four call stacks: no two allocations in a row have the same one. */
NOT_INLINED static void *leaf(int i)
{
	void *block = malloc(40 + 16 * (size_t)(i & 7));

	__asm__ volatile("" : : "r"(block) : "memory");
	return block;
}

#define PLACE(n)                                                                                   \
	NOT_INLINED static void *place_##n(int i)                                                  \
	{                                                                                          \
		void *block = leaf(i);                                                             \
                                                                                                   \
		__asm__ volatile("" : : "r"(block) : "memory");                                    \
		return block;                                                                      \
	}
PLACE(0)
PLACE(1)
PLACE(2)
PLACE(3)

static void *(*const places[])(int) = {place_0, place_1, place_2, place_3};

NOT_INLINED static void pairs(int count)
{
	for (int i = 0; i < count; i++)
		free(places[i & 3](i));
}

NOT_INLINED static void hand_over(void)
{
	for (int i = 0; i < HANDED_OVER; i++)
		blocks[i] = places[i & 3](i);
}

NOT_INLINED static void free_all(void)
{
	for (int i = 0; i < HANDED_OVER; i++)
		free(blocks[i]);
}

/* Only the second of the two rounds counts. */
static volatile int *const marks[] = {&known, &phase};
static volatile int counts[] = {KNOWN, PAIRS};

/* What a thread does in its turns: pairs, then `other`.  The first round makes its call stacks,
   and memory for them and their blocks, known; so both rounds must go by the same calls, and
   the compiler not know of a difference. */
NOT_INLINED static void take_turns(bool is_first, void (*other)(void))
{
	for (int round = 0; round < 2; round++)
		for (int turns = 0; turns < 4; turns++) {
			if ((turns % 2 == 0) == is_first) {
				*marks[round] = turns + 1;
				if (turns < 2)
					pairs(counts[round]);
				else
					other();
				*marks[round] = 0;
			}
			pthread_barrier_wait(&turn);
		}
}

static void *second(void *unused)
{
	(void)unused;
	take_turns(false, free_all);
	return NULL;
}

static int print_libsnap(struct dl_phdr_info *info, size_t size, void *unused)
{
	(void)size;
	(void)unused;
	if (strstr(info->dlpi_name, "libsnap"))
		for (int i = 0; i < info->dlpi_phnum; i++)
			if (info->dlpi_phdr[i].p_type == PT_LOAD &&
			    info->dlpi_phdr[i].p_flags & PF_X)
				printf("code %lx %lx\n",
				       (unsigned long)(info->dlpi_addr +
						       info->dlpi_phdr[i].p_vaddr),
				       (unsigned long)info->dlpi_phdr[i].p_memsz);
	return 0;
}

int main(void)
{
	pthread_t thread;

	printf("phase %lx\n", (unsigned long)(uintptr_t)&phase);
	dl_iterate_phdr(print_libsnap, NULL);
	fflush(stdout);
	if (pthread_barrier_init(&turn, NULL, 2) || pthread_create(&thread, NULL, second, NULL))
		return 1;
	take_turns(true, hand_over);
	return pthread_join(thread, NULL);
}
