/*
 * t18: daemons that give up root but keep a capability.
 * Stands for: agents whose own thread lacks what the host's thread kept, so that libc, which
 * changes user and group in every thread, finds that not all may and aborts the process.
 */
#include "torture.h"

#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define NOBODY 65534

static void raise_kept(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct sets[2] = {{0}};

	sets[0].effective = sets[0].permitted = 1u << CAP_SETGID | 1u << CAP_SETUID;
	NEED(syscall(SYS_capset, &header, sets) == 0);
}

int main(void)
{
	if (geteuid() != 0)
		return 0;
	churn(50);
	NEED(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0);
	NEED(setresuid(NOBODY, NOBODY, NOBODY) == 0);
	raise_kept();
	NEED(setgroups(0, NULL) == 0);
	NEED(setresgid(NOBODY, NOBODY, NOBODY) == 0);
	churn(50);
	NEED(setuid(0) == 0 && seteuid(NOBODY) == 0 && setegid(NOBODY) == 0);
	printf("%d %d\n", (int)getuid(), (int)getegid());
	return 0;
}
