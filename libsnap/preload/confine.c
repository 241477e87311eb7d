/*
 * preload/confine.c - calls by which a program gives up rights that libsnap needs later.
 *
 * A filter of system calls may kill the process for opening a file, and nobody can ask in advance.
 * So these wrappers tell the recorder before a filter is installed by prctl(), or by syscall(),
 * which libseccomp uses.  They also tell it before chroot(), because file names mean other files
 * afterwards, and before Landlock takes rights on files away. A filter that comes without libc is found
 * out later (runtime/sandbox.h).
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "image/image.h"
#include "preload/entry.h"
#include "preload/real.h"
#include "preload/signals.h"
#include "runtime/filter.h"
#include "runtime/hidden.h"
#include "runtime/lifecycle.h"
#include "runtime/process.h"
#include "runtime/trigger.h"
#include "runtime/vdso.h"

#define RESTRICT_SELF 446 /* landlock_restrict_self, which older headers do not have */

#define PRELOAD "LD_PRELOAD="

/* libc also starts programs itself, by system() and others, and no wrapper sees that. */
static void leave_environment(void)
{
	for (char **entry = environ; entry && *entry; entry++)
		if (strncmp(*entry, PRELOAD, sizeof(PRELOAD) - 1) == 0 &&
		    snap__process_is_of_kernel(*entry))
			(void)snap__image_strip_preload(*entry + sizeof(PRELOAD) - 1,
							*entry + sizeof(PRELOAD) - 1);
}

/* A handler of ours would make system calls that the filter may kill for. */
static void before_confinement(void)
{
	snap__process_confine(true);
	snap__signals_leave();
	if (snap__trigger_is_filtered() && snap__filter_ends_us())
		leave_environment();
}

/* Only a process that gave up new privileges, or is privileged, may install a filter.  An earlier
   filter might kill the process for asking. */
static bool may_filter(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {{0}};
	int saved = errno;
	bool may;

	if (snap__trigger_is_silent())
		return true;
	may = syscall(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ||
	      syscall(SYS_capget, &header, sets) != 0 ||
	      (sets[0].effective & 1u << CAP_SYS_ADMIN) != 0;
	errno = saved;
	return may;
}

/* Under a filter, getpid() may end the process. */
static bool is_borrower(void)
{
	return !snap__trigger_is_silent() && snap__process_relation() == SNAP__BORROWED;
}

/* Some programs make a call that must fail, to find out whether the kernel has filters, and others
   go on without a filter. */
static void before_filter(const void *program)
{
	if (may_filter() && snap__filter_learn(program, is_borrower()))
		before_confinement();
}

static void before_strict_mode(void)
{
	snap__filter_learn_strict(is_borrower());
	before_confinement();
	snap__vdso_without_counter(); /* the kernel forbids to read it, too */
}

ENTRY int prctl(int option, ...)
{
	unsigned long a[4];
	va_list rest;

	va_start(rest, option);
	for (int i = 0; i < 4; i++)
		a[i] = va_arg(rest, unsigned long);
	va_end(rest);
	if (option == PR_SET_SECCOMP && a[0] == SECCOMP_MODE_FILTER)
		before_filter((const void *)a[1]);
	else if (option == PR_SET_SECCOMP && a[0] == SECCOMP_MODE_STRICT)
		before_strict_mode();
	else if (option == PR_SET_TSC && a[0] == PR_TSC_SIGSEGV)
		snap__vdso_without_counter();
	snap__real_find();
	if (snap__real.prctl)
		return snap__real.prctl(option, a[0], a[1], a[2], a[3]);
	return (int)syscall(SYS_prctl, option, a[0], a[1], a[2], a[3]);
}

ENTRY int chroot(const char *path)
{
	snap__real_find();
	snap__process_confine(false);
	if (snap__real.chroot)
		return snap__real.chroot(path);
	errno = ENOSYS;
	return -1;
}

/* ---- syscall() ------------------------------------------------------------------------------- */

SNAP__HIDDEN void snap__before_syscall(long number, long first, long second, long third);
SNAP__HIDDEN long snap__failed_syscall(long negative);

/* Called before the few system calls that matter. */
void snap__before_syscall(long number, long first, long second, long third)
{
	if (number == SYS_seccomp && first == SECCOMP_SET_MODE_FILTER)
		before_filter((const void *)third);
	else if (number == SYS_seccomp && first == SECCOMP_SET_MODE_STRICT && !second && !third)
		before_strict_mode();
	else if (number == SYS_exit_group)
		snap__process_exit();
	else if (number == SYS_chroot || number == RESTRICT_SELF)
		snap__process_confine(false);
}

/* Called with a negative errno value. */
long snap__failed_syscall(long negative)
{
	errno = (int)-negative;
	return -1;
}
