#include "analysis/pair_fuzzy.h"

bool pair_fuzzy(const struct dataset *dataset, const struct pair_sides *sides, const uint32_t *old,
		size_t old_count, const uint32_t *new, size_t new_count, struct pair *pairs,
		size_t *pair_count)
{
	(void)dataset, (void)sides, (void)old, (void)old_count, (void)new, (void)new_count,
		(void)pairs, (void)pair_count;
	return true;
}
