/*
 * many_roots.c - a table of variables that is longer than the list of roots may be, and blocks that
 * are held from elsewhere.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ENTRIES 150000u /* two roots each: neighbours come from different sites */
#define OTHERS  10u

extern int snap_take_holders(const char *label, int retained) __attribute__((weak));

struct entry {
	char *key, *value;
};
extern struct entry table[ENTRIES];
struct entry table[ENTRIES];
static __thread char *volatile of_thread;

#define MADE(name)                                                                                 \
	__attribute__((noinline, noclone)) static char *name(void)                                 \
	{                                                                                          \
		char *made = malloc(24);                                                           \
                                                                                                   \
		if (!made)                                                                         \
			abort();                                                                   \
		memset(made, 1, 24);                                                               \
		return made;                                                                       \
	}

MADE(held_key)
MADE(held_value)
MADE(held_by_stack)
MADE(held_by_mapping)
MADE(held_by_thread)

static void hold_in_mapping(void)
{
	char **mapped =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mapped == MAP_FAILED)
		abort();
	for (unsigned i = 0; i < OTHERS; i++)
		mapped[i] = held_by_mapping();
}

int main(void)
{
	char *volatile here[OTHERS];

	for (unsigned i = 0; i < ENTRIES; i++)
		table[i] = (struct entry){held_key(), held_value()};
	hold_in_mapping();
	of_thread = held_by_thread();
	for (unsigned i = 0; i < OTHERS; i++)
		here[i] = held_by_stack();
	if (snap_take_holders)
		snap_take_holders(NULL, 1);
	return here[0] == NULL;
}
