/*
 * runtime/os_linux.h - all calls of Linux that the runtime makes.
 *
 * Every function preserves errno, retries on EINTR, never allocates and takes no lock.
 */
#ifndef SNAP_RUNTIME_OS_LINUX_H
#define SNAP_RUNTIME_OS_LINUX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** Wait until `*word` is no longer `value`, a wake-up, or `timeout_ns` (UINT64_MAX: for ever). */
void snap__os_wait(atomic_uint *word, unsigned value, uint64_t timeout_ns);
/** Wake all who wait for `word`.  Async-signal-safe. */
void snap__os_wake(atomic_uint *word);

/** Nanoseconds of CLOCK_REALTIME, CLOCK_MONOTONIC and the calling thread's CPU time. */
uint64_t snap__os_wall_ns(void);
uint64_t snap__os_mono_ns(void);
uint64_t snap__os_thread_cpu_ns(void);
/** The CPU time of the process `pid`. */
uint64_t snap__os_process_cpu_ns(int pid);

/** Let another thread run (a sealed thread goes on at once); sleep. */
void snap__os_yield(void);
void snap__os_sleep(uint64_t ns);

/**
 * From here on all threads but the one with `thread_pointer` (NULL: none) are sealed: the process has a
 * filter that ends them for mmap() and others.  Memory comes from a pool then (arena.h), stacks are
 * walked only where they were walked before, and the clock is the one that needs nothing.
 */
void snap__os_seal(const void *thread_pointer);
/** Is the calling thread sealed? */
bool snap__os_is_sealed(void);

/** The kernel's id of the calling thread; the main thread's is the process's. */
int snap__os_thread_id(void);

/** mmap(), munmap(), mremap() as system calls, because preload/ replaces libc's functions. */
void *snap__os_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset);
int snap__os_munmap(void *base, size_t size);
void *snap__os_mremap(void *base, size_t size, size_t new_size, int flags, void *wanted);

/** Bytes of main memory; 0: not known. */
uint64_t snap__os_machine_memory(void);

/** The start of the file `path`, NUL-terminated; its size, or -1.  For small files of /proc. */
long snap__os_read_file(const char *path, char *buffer, size_t size);
/** The same for a file of /proc that gives all that it has in one read, such as status. */
long snap__os_read_record(const char *path, char *buffer, size_t size);

/** An entry of a directory, as getdents64() gives it. */
struct snap__entry {
	uint64_t inode;
	int64_t offset;
	unsigned short length;
	unsigned char type;
	char name[];
};

/** Can the eight bytes at `address`, which is a multiple of 8, be read? */
bool snap__os_is_readable(const void *address);

/** Write everything; false after an error (the error number is then in `*error`). */
bool snap__os_write_all(int fd, const void *data, size_t size, int *error);

/**
 * Around our own writes in a thread of the host: a pipe without a reader, or a limit on file sizes,
 * raises a signal that would end the host.  They are blocked during the write, and pending ones
 * that our write raised are removed.
 */
struct snap__quiet {
	uint64_t mask, pending;
};
void snap__quiet_begin(struct snap__quiet *quiet);
void snap__quiet_end(const struct snap__quiet *quiet);

/**
 * Give the calling thread its own, empty table of file descriptors: the host can close, duplicate
 * or run out of descriptors without affecting us, and we keep none of the host's open.  False where
 * the kernel has no such call or a sandbox refuses it.
 */
bool snap__os_private_files(void);

/** Make directory `path` and its parents; permissions are those of the umask.  True if it exists
 * afterwards.
 */
bool snap__os_make_directory(const char *path);

/**
 * A page that is zeroed in a forked copy of the process, but not in a vfork child: it tells the two
 * apart.  NULL if the kernel does not support it.
 */
atomic_uint *snap__os_fork_witness(void);

#endif
