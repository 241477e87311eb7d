/*
 * wrapper.c - another preloaded library: it stands before the C library's file functions, and
 * learns the real ones only in its constructor.
 *
 * Class of bug: a guest that talks through interposable functions before the others of its kind are
 * ready calls a NULL pointer (redis under two preloaded libraries died that way).
 */
#include <dlfcn.h>
#include <stdarg.h>
#include <sys/types.h>
#include <unistd.h>

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_read)(int, void *, size_t);
static int (*real_close)(int);

__attribute__((constructor)) static void find_real_functions(void)
{
	*(void **)&real_write = dlsym(RTLD_NEXT, "write");
	*(void **)&real_read = dlsym(RTLD_NEXT, "read");
	*(void **)&real_close = dlsym(RTLD_NEXT, "close");
}

ssize_t write(int fd, const void *data, size_t size)
{
	return real_write(fd, data, size);
}

ssize_t read(int fd, void *data, size_t size)
{
	return real_read(fd, data, size);
}

int close(int fd)
{
	return real_close(fd);
}
