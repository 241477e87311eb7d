/*
 * test_process_age.c - the age of a process stays right while the wall clock is set.
 */
/* links: snapruntime m -Wl,--wrap=snap__os_wall_ns */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdint.h>

#include "runtime/process.h"

#define HOUR_NS   3600000000000u
#define MINUTE_NS 60000000000u

static uint64_t wall_ns = 500000 * (uint64_t)HOUR_NS;

uint64_t __wrap_snap__os_wall_ns(void);
uint64_t __wrap_snap__os_wall_ns(void)
{
	return wall_ns;
}

Test(process_age, a_clock_that_is_set_back_or_forth_does_not_change_it)
{
	snap__process_renew();
	cr_assert(eq(u64, snap__process_self()->start_time_ns, wall_ns));
	wall_ns -= HOUR_NS;
	cr_expect(lt(u64, snap__process_age_ns(), MINUTE_NS));
	wall_ns += 2 * (uint64_t)HOUR_NS;
	cr_expect(lt(u64, snap__process_age_ns(), MINUTE_NS));
}

Test(process_age, it_begins_again_in_a_forked_child)
{
	uint64_t before;

	snap__process_renew();
	before = snap__process_self()->start_mono_ns;
	wall_ns -= HOUR_NS;
	snap__process_after_fork();
	cr_expect(ge(u64, snap__process_self()->start_mono_ns, before));
	cr_expect(eq(u64, snap__process_self()->start_time_ns, wall_ns));
	cr_expect(lt(u64, snap__process_age_ns(), MINUTE_NS));
}
