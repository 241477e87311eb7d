/*
 * runtime/domains.c - the register of domain names.
 *
 * Entries are only ever added, each by one compare and exchange of a pointer, so that looking
 * a name up needs no lock.
 */
#include "runtime/domains.h"

#include <stdatomic.h>
#include <string.h>

#include "runtime/arena.h"
#include "runtime/text.h"

static const char *_Atomic names[SNAP__DOMAIN_MAX + 1] = {"malloc"};

static const char *copy(const char *name)
{
	size_t size = snap__length(name) + 1;
	char *text = snap__arena_alloc(size);

	if (text)
		memcpy(text, name, size);
	return text;
}

uint32_t snap__domain_number(const char *name)
{
	const char *mine = NULL;

	for (uint32_t i = 1; i <= SNAP__DOMAIN_MAX; i++) {
		const char *there = atomic_load_explicit(&names[i], memory_order_acquire);

		if (!there) {
			if (!mine && !(mine = copy(name)))
				return 0;
			if (atomic_compare_exchange_strong(&names[i], &there, mine))
				return i;
		}
		if (snap__equal(there, name))
			return i;
	}
	return 0;
}

uint32_t snap__domain_count(void)
{
	uint32_t n = 1;

	while (n <= SNAP__DOMAIN_MAX && atomic_load(&names[n]))
		n++;
	return n;
}

const char *snap__domain_name(uint32_t number)
{
	return atomic_load(&names[number]);
}
