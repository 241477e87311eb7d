/*
 * early_calls.c - a library that interposes ordinary functions and reads its settings at the first call.
 *
 * Called before libc is ready it would find no environment, and say so.
 */
#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static void find_settings(void)
{
	static const char complaint[] = "tracer: called before there is an environment\n";

	if (!getenv("TRACER"))
		syscall(SYS_write, 2, complaint, sizeof(complaint) - 1);
}

#define INTERPOSE(type, name, parameters, arguments)                                               \
	type name parameters                                                                       \
	{                                                                                          \
		static type(*real) parameters;                                                     \
                                                                                                   \
		if (!real)                                                                         \
			*(void **)&real = dlsym(RTLD_NEXT, #name);                                 \
		find_settings();                                                                   \
		return real arguments;                                                             \
	}

INTERPOSE(int, clock_gettime, (clockid_t clock, struct timespec *now), (clock, now))
INTERPOSE(int, access, (const char *path, int mode), (path, mode))
INTERPOSE(int, faccessat, (int at, const char *path, int mode, int flags), (at, path, mode, flags))
INTERPOSE(int, mkdir, (const char *path, mode_t mode), (path, mode))
INTERPOSE(int, stat, (const char *path, struct stat *st), (path, st))
INTERPOSE(int, fstat, (int fd, struct stat *st), (fd, st))
INTERPOSE(int, open, (const char *path, int flags, int mode), (path, flags, mode))
INTERPOSE(int, openat, (int at, const char *path, int flags, int mode), (at, path, flags, mode))
INTERPOSE(int, close, (int fd), (fd))
INTERPOSE(ssize_t, read, (int fd, void *into, size_t size), (fd, into, size))
INTERPOSE(ssize_t, write, (int fd, const void *from, size_t size), (fd, from, size))
INTERPOSE(ssize_t, readlink, (const char *path, char *into, size_t size), (path, into, size))
INTERPOSE(char *, getcwd, (char *into, size_t size), (into, size))
INTERPOSE(int, uname, (struct utsname * names), (names))
INTERPOSE(pid_t, getpid, (void), ())
INTERPOSE(pid_t, getppid, (void), ())
INTERPOSE(uid_t, geteuid, (void), ())
INTERPOSE(long, sysconf, (int name), (name))
INTERPOSE(int, madvise, (void *base, size_t size, int advice), (base, size, advice))
