/*
 * runtime/doorbell.c - how a process without a helper is asked to start one.
 *
 * libc's sigaction() refuses this signal, so the system call is made directly.
 */
#include "runtime/doorbell.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arch/arch.h"
#include "runtime/process.h"
#include "runtime/kernel_signal.h"
#include "runtime/listener.h"
#include "runtime/record.h"
#include "runtime/trigger.h"
#include "snap/control.h"

static void on_ring(int number, siginfo_t *info, void *context)
{
	int saved = errno;
	uint64_t secret = 0;

	(void)number;
	(void)context;
	if (info->si_code == SI_QUEUE)
		memcpy(&secret, &info->si_value, sizeof(secret));
	if (snap__recording() && snap__process_relation() == SNAP__OURS) {
		snap__listener_rename(secret);
		snap__trigger_open_door();
	}
	errno = saved;
}

void snap__doorbell_hang(void)
{
	const struct snap__kernel_action ours = {
		on_ring, SA_SIGINFO | SA_RESTART | SA_ONSTACK | SNAP__ARCH_RESTORE_FLAG,
		SNAP__ARCH_RESTORE_CODE, 0};
	struct snap__kernel_action before = {0};
	int saved = errno, number = SNAP_CONTROL_DOORBELL;

	if (syscall(SYS_rt_sigaction, number, NULL, &before, sizeof(before.mask)) == 0 &&
	    (void (*)(int))(uintptr_t)before.handler == SIG_DFL)
		syscall(SYS_rt_sigaction, number, &ours, NULL, sizeof(ours.mask));
	errno = saved;
}
