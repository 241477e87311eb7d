/*
 * cpu_limit.h - a bound on the CPU time of a test.  Unlike a time-out it does not depend on how busy
 * the machine is: the test ends with SIGXCPU when it has computed for so long.
 */
#ifndef CPU_LIMIT_H
#define CPU_LIMIT_H

#include <sys/resource.h>

static inline void limit_cpu_seconds(rlim_t seconds)
{
	struct rlimit limit = {seconds, seconds};

	setrlimit(RLIMIT_CPU, &limit);
}

#endif
