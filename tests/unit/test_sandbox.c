/*
 * test_sandbox.c - a process that would wait for a lock without end is ended.
 */
/* links: snapruntime */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <linux/futex.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/sandbox.h"

/* How a child ends that calls futex() with `operation` on a word that holds 1. */
static int status_after(int operation, uint32_t expected)
{
	static uint32_t word = 1;
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		alarm(60);
		snap__sandbox_end_at_waits();
		syscall(SYS_futex, &word, operation, expected, NULL, NULL, ~0u);
		_exit(7);
	}
	waitpid(child, &status, 0);
	return status;
}

Test(sandbox, a_wait_ends_the_process)
{
	static const int waits[] = {FUTEX_WAIT, FUTEX_WAIT | FUTEX_PRIVATE_FLAG,
				    FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME};

	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		int status = status_after(waits[i], 1);
		int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

		cr_expect(eq(int, signal, SIGSYS));
	}
}

Test(sandbox, to_wake_others_is_no_wait)
{
	int status = status_after(FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1);
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;

	cr_expect(eq(int, code, 7));
}
