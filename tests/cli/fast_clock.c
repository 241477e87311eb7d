/*
 * fast_clock.c - a library to preload: each call that reads the monotonic clock moves it on by 50
 * ms, so that work of many steps seems to take long.
 */
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t which, struct timespec *time)
{
	static long calls;
	int result = (int)syscall(SYS_clock_gettime, which, time);

	if (which == CLOCK_MONOTONIC) {
		long late = __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);

		time->tv_sec += late / 20;
		time->tv_nsec += late % 20 * 50000000;
		if (time->tv_nsec >= 1000000000) {
			time->tv_nsec -= 1000000000;
			time->tv_sec++;
		}
	}
	return result;
}
