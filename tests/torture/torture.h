/*
 * torture.h - what the torture programs share: die with a sentence, keep the optimiser away.
 */
#ifndef TORTURE_H
#define TORTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NEED(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			dprintf(STDERR_FILENO, "%s:%d: not so: %s\n", __FILE__, __LINE__,          \
				#condition);                                                       \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

#define FAR __attribute__((noinline))

/* Allocate, touch and free a few blocks. */
FAR static __attribute__((unused)) void churn(int rounds)
{
	for (int i = 0; i < rounds; i++) {
		size_t n = (size_t)(i * 37 % 2000);
		char *volatile p = malloc(n + 1);

		NEED(p);
		p[n] = 1;
		p = realloc(p, n + 100);
		NEED(p && (n == 0 || p[n] == 1));
		free(p);
	}
}

#endif
