/*
 * reach.c - finds the limits of a stack by asking the kernel, page by page, once.
 */
#include <errno.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/os_linux.h"
#include "runtime/unwind/reach.h"

#define PAGE_BYTES ((uintptr_t)4096)
/* A stack pointer may be this far below the known part of the home stack and still be probed;
 * each page costs one system call.  Further away it counts as another stack, which is slower,
 * but correct. */
#define FARTHEST_BYTES ((uintptr_t)64 << 20)

static uintptr_t page_of(uintptr_t address)
{
	return address & ~(PAGE_BYTES - 1);
}

/*
 * rt_sigprocmask() reads the set before it checks `how`: with a `how` that does not exist it
 * changes nothing and fails with EFAULT exactly if the 8 bytes cannot be read.  Every sandbox lets
 * it through, because threads and signals need it.
 */
bool snap__reach_is_readable(uintptr_t address)
{
	int saved_errno = errno;
	bool readable;

	if (snap__os_is_sealed())
		return false;
	readable =
		syscall(SYS_rt_sigprocmask, ~0L, address, NULL, (size_t)8) == 0 || errno != EFAULT;
	errno = saved_errno;
	return readable;
}

/* Whether every page from that of `low` up to `high` is readable.  If not, what lies below the gap
   is remembered: a coroutine would otherwise ask for all of it at each of its allocations. */
static bool is_one_piece(struct snap__reach *reach, uintptr_t low, uintptr_t high)
{
	uintptr_t page = page_of(low);

	for (; page < high; page += PAGE_BYTES) {
		bool foreign = page >= reach->foreign_low && page < reach->foreign_high;

		if (!foreign && snap__reach_is_readable(page))
			continue;
		reach->foreign_high = foreign ? reach->foreign_high : page;
		reach->foreign_low = page_of(low);
		return false;
	}
	return true;
}

/* Extend the home stack down to `sp` if all memory up to `above` is readable. */
static bool extend(struct snap__reach *reach, uintptr_t sp, uintptr_t above, uintptr_t high)
{
	if (sp >= above || above - sp > FARTHEST_BYTES || !is_one_piece(reach, sp, above))
		return false;
	reach->home_low = page_of(sp);
	reach->home_high = high;
	return true;
}

bool snap__reach_is_home_slow(struct snap__reach *reach, uintptr_t sp)
{
	/* Both addresses lie at the upper end of a stack.  On a thread's own stack it is the
	   thread's control block; on the main thread's stack, the kernel's random bytes for the
	   program. */
	uintptr_t control_block = (uintptr_t)__builtin_thread_pointer();
	uintptr_t random_bytes = getauxval(AT_RANDOM);

	if (reach->home_high)
		return extend(reach, sp, reach->home_low, reach->home_high);
	return extend(reach, sp, control_block, page_of(control_block) + PAGE_BYTES) ||
	       extend(reach, sp, random_bytes, page_of(random_bytes) + PAGE_BYTES);
}

static bool probe_away(struct snap__reach *reach, uintptr_t address)
{
	uintptr_t page = page_of(address);

	if (!snap__reach_is_readable(page))
		return false;
	if (page == reach->away_high) {
		reach->away_high += PAGE_BYTES;
	} else {
		reach->away_low = page;
		reach->away_high = page + PAGE_BYTES;
	}
	return true;
}

bool snap__reach_read(struct snap__reach *reach, uintptr_t address, uintptr_t *value)
{
	if (address & (sizeof(uintptr_t) - 1))
		return false;
	if (!snap__reach_has(reach, address) &&
	    !(address >= reach->away_low && address < reach->away_high) &&
	    !probe_away(reach, address))
		return false;
	*value = *(const uintptr_t *)address;
	return true;
}
