/*
 * t06: signal handlers that allocate.
 * Stands for: agents that deadlock on their own lock, or corrupt their tables, when a handler runs
 * while they record.  (The main program records blocks of its own domain: a handler that
 * interrupted malloc itself may not allocate, with or without us.)
 */
#include "torture.h"

#include <errno.h>
#include <signal.h>
#include <sys/time.h>

#include "snap/snap.h"

extern enum snap_status snap_record_alloc(const char *, const void *, size_t) __attribute__((weak));
extern enum snap_status snap_record_free(const char *, const void *) __attribute__((weak));

static volatile sig_atomic_t arrived;

static void on_alarm(int number)
{
	int saved = errno;

	(void)number;
	churn(5);
	arrived++;
	errno = saved;
}

int main(void)
{
	struct itimerval once = {.it_value = {0, 200}};
	sig_atomic_t seen = -1;
	static char alternative[65536];
	stack_t stack = {.ss_sp = alternative, .ss_size = sizeof(alternative)};
	struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART | SA_ONSTACK};

	NEED(sigaltstack(&stack, NULL) == 0);
	NEED(sigaction(SIGALRM, &action, NULL) == 0);
	for (size_t i = 1; arrived < 2000; i++) {
		if (arrived != seen) { /* the next only when this one is dealt with */
			seen = arrived;
			NEED(setitimer(ITIMER_REAL, &once, NULL) == 0);
		}
		if (!snap_record_alloc)
			continue;
		snap_record_alloc("torture", (void *)(i % 1000 + 1), i);
		snap_record_free("torture", (void *)(i % 1000 + 1));
	}
	return 0;
}
