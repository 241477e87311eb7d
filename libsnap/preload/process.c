/*
 * preload/process.c - the beginning, the copies and the end of the host process.
 *
 * The constructor runs before any other (-z initfirst).  A handler of __cxa_atexit() notices
 * exit(), so exit() needs a function here only for early exit snapshots.  _exit() runs no handlers
 * and has a function here.
 */
#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "preload/entry.h"
#include "preload/foreign.h"
#include "preload/loaded.h"
#include "preload/real.h"
#include "preload/signals.h"
#include "runtime/lifecycle.h"
#include "runtime/unwind/unwind.h"
#include "runtime/modules.h"
#include "runtime/symbols.h"

extern char **environ;

__attribute__((constructor)) static void loaded(int argc, char **argv, char **environment)
{
	struct snap__host host;

	(void)argc;
#ifndef __GLIBC__
	environment = environ; /* only glibc passes arguments to constructors */
	argv = NULL;
#endif
	snap__process_warm(environment);
	snap__real_find();
	snap__symbols_open();
	snap__real_describe(&host);
	if (!host.in_front) /* otherwise malloc is not recorded, and other allocators are not
			       recorded either */
		snap__foreign_find(host.malloc_address);
	/* `ld.so PROGRAM` removes its own. */
	host.arguments = getauxval(AT_BASE) ? argv : NULL;
	snap__loaded_forget_errors();
	snap__process_load(environment, &host);
	snap__symbols_close();
}

ENTRY void exit(int status)
{
	snap__real_find();
	snap__process_exit_begins();
	snap__real.exit(status);
	__builtin_unreachable();
}

/* While the real functions are looked up, an allocator in front of libsnap may give up. */
__attribute__((noreturn)) static void end_at_once(int status)
{
	if (snap__real.exit_at_once)
		snap__real.exit_at_once(status);
	for (;;)
		syscall(SYS_exit_group, status);
}

ENTRY void _exit(int status)
{
	snap__real_find();
	snap__process_exit();
	end_at_once(status);
}

ENTRY void _Exit(int status)
{
	snap__real_find();
	snap__process_exit();
	end_at_once(status);
}

ENTRY pid_t fork(void)
{
	pid_t pid;

	snap__real_find();
	pid = snap__real.fork();
	if (pid == 0)
		snap__process_forked();
	return pid;
}

/* Runs no handlers, by definition: the child counts as a copy until it ends. */
ENTRY pid_t _Fork(void)
{
	snap__real_find();
	return snap__real.fork_bare ? snap__real.fork_bare() : -1;
}

/* The kernel refuses some of these calls if others share the process's memory: the helper must end
   first. */
static int real_unshare(int flags, int unused)
{
	(void)unused;
	return snap__real.unshare(flags);
}

/*
 * A later mount, which libsnap does not see, may hide the output directory.  A helper would be in
 * the way of a new user namespace, and cannot be made after a new pid namespace.
 */
ENTRY int unshare(int flags)
{
	bool mounts = flags & CLONE_NEWNS, late = flags & CLONE_NEWUSER;
	int result, saved;

	snap__real_find();
	if (mounts && !late)
		snap__process_confine(false);
	result = snap__process_alone(real_unshare, flags, 0);
	saved = errno;
	if (mounts && late && result == 0)
		snap__process_confine(false);
	errno = saved;
	return result;
}

ENTRY int setns(int fd, int kind)
{
	snap__real_find();
	if (kind == 0 || (kind & CLONE_NEWNS))
		snap__process_confine(false);
	return snap__process_alone(snap__real.setns, fd, kind);
}

/* Before code is unmapped, its names must be known; afterwards its rules are no longer valid. */
ENTRY int dlclose(void *handle)
{
	int result;

	snap__real_find();
	snap__modules_refresh();
	result = snap__real.dlclose(handle);
	snap__unwind_modules_changed();
	return result;
}

#ifdef __GLIBC__
typedef int main_fn(int, char **, char **);
typedef int start_main_fn(main_fn *, int, char **, void (*)(void), void (*)(void), void (*)(void),
			  void *);

static main_fn *host_main;

static int main_of_libsnap(int argc, char **argv, char **environment)
{
	int status = host_main(argc, argv, environment);

	snap__process_exit_begins();
	return status;
}

int __libc_start_main(main_fn *host_entry, int argc, char **argv, void (*init)(void),
		      void (*fini)(void), void (*rtld_fini)(void), void *stack_end);

ENTRY int __libc_start_main(main_fn *host_entry, int argc, char **argv, void (*init)(void),
			    void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
	start_main_fn *real = NULL;

	snap__real_find();
	__builtin_memcpy(&real, &snap__real.start_main, sizeof(real));
	snap__process_main();
	snap__signals_watch();
	/* This puts a frame of ours into every stack, so do it only for an early exit snapshot. */
	if (snap__process_config()->exit != SNAP_EXIT_EARLY)
		return real(host_entry, argc, argv, init, fini, rtld_fini, stack_end);
	host_main = host_entry;
	return real(main_of_libsnap, argc, argv, init, fini, rtld_fini, stack_end);
}
#endif
