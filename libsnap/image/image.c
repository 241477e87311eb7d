/*
 * image/image.c - may libsnap be preloaded into this program file?
 */
#include "image/image.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arch/arch.h"
#include "image/elf_file.h"
#include "write/sys.h"

enum { SCRIPT_LEVELS = 4, LINE_ROOM = 256 };

static bool starts_with_any(const char *name, const char *const *prefixes)
{
	for (; *prefixes; prefixes++)
		if (strncmp(name, *prefixes, strlen(*prefixes)) == 0)
			return true;
	return false;
}

/* Runtimes of sanitizers replace malloc themselves, and must be the first to do so. */
static bool is_sanitizer_library(const char *name)
{
	static const char *const names[] = {"libasan.",
					    "libtsan.",
					    "liblsan.",
					    "libhwasan.",
					    "libmsan.",
					    "libclang_rt.asan",
					    "libclang_rt.tsan",
					    "libclang_rt.lsan",
					    "libclang_rt.hwasan",
					    "libclang_rt.msan",
					    "libclang_rt.memprof",
					    NULL};

	return starts_with_any(name, names);
}

static bool is_recorder_library(const char *name)
{
	static const char *const names[] = {"libheaptrack_",
					    "libmemusage.",
					    "libbytehound",
					    "libmemory_profiler",
					    "vgpreload_",
					    "libefence.",
					    "libduma.",
					    "libDUMA.",
					    "libleaktracer",
					    "libmtrace",
					    NULL};

	return starts_with_any(name, names);
}

/* The end of the entry of LD_PRELOAD's value that begins at `entry`. */
static size_t entry_length(const char *entry)
{
	return strcspn(entry, ": ");
}

static const char *base_name(const char *entry, size_t length)
{
	const char *slash = memrchr(entry, '/', length);

	return slash ? slash + 1 : entry;
}

bool snap__image_has_rival(const char *preload)
{
	while (*preload) {
		size_t length = entry_length(preload);
		const char *name = base_name(preload, length);

		if (is_sanitizer_library(name) || is_recorder_library(name))
			return true;
		preload += length;
		preload += strspn(preload, ": ");
	}
	return false;
}

static bool is_libsnap(const char *entry, size_t length)
{
	return length > 0 && strncmp(base_name(entry, length), "libsnap.so", 10) == 0;
}

/* A relative name, or one with words that the loader replaces, is left to the loader. */
static bool can_be_opened(const char *entry, size_t length)
{
	char path[LINE_ROOM];
	int saved = errno;
	bool can;

	if (entry[0] != '/' || length >= sizeof(path) || memchr(entry, '$', length))
		return true;
	memcpy(path, entry, length);
	path[length] = '\0';
	can = snap__sys_access(path, R_OK) == 0 ||
	      (errno != ENOENT && errno != ENOTDIR && errno != EACCES);
	errno = saved;
	return can;
}

bool snap__image_reaches_libsnap(const char *preload)
{
	while (*preload) {
		size_t length = entry_length(preload);

		if (is_libsnap(preload, length))
			return can_be_opened(preload, length);
		preload += length;
		preload += strspn(preload, ": ");
	}
	return true;
}

bool snap__image_strip_preload(const char *from, char *into)
{
	char *out = into;

	while (*from) {
		size_t length = entry_length(from);

		if (length > 0 && !is_libsnap(from, length)) {
			if (out != into)
				*out++ = ':';
			memmove(out, from, length);
			out += length;
		}
		from += length;
		from += strspn(from, ": ");
	}
	*out = '\0';
	return out != into;
}

/* ---- one file --------------------------------------------------------------------------------- */

/* Only regular files are opened: opening others may have effects. */
static bool find_program(int directory, const char *path, struct stat *info)
{
	return snap__sys_stat(directory, path, info) == 0 && S_ISREG(info->st_mode);
}

static int open_program(int directory, const char *path)
{
	return snap__sys_openat(directory, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
}

/* The kernel starts such a program in secure mode, where the loader ignores LD_PRELOAD. */
static bool runs_privileged(int fd)
{
	struct stat info;

	if (snap__sys_stat(fd, "", &info) != 0)
		return false;
	if ((info.st_mode & S_ISUID) && info.st_uid != (uid_t)syscall(SYS_geteuid))
		return true;
	if ((info.st_mode & S_ISGID) && (info.st_mode & S_IXGRP) &&
	    info.st_gid != (gid_t)syscall(SYS_getegid))
		return true;
	return syscall(SYS_geteuid) != 0 &&
	       syscall(SYS_fgetxattr, fd, "security.capability", NULL, 0) > 0;
}

static bool is_sanitized(struct snap__elf *elf)
{
	static const char *const entries[] = {"__asan_init", "__tsan_init",   "__msan_init",
					      "__lsan_init", "__hwasan_init", "__memprof_init"};

	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
		if (snap__elf_defines(elf, entries[i]))
			return true;
	return snap__elf_any_needed(elf, is_sanitizer_library);
}

/* What the loader of a program makes of libsnap.so. */
static enum snap__image judge_loader(struct snap__elf *loader)
{
	if (!loader->is_own_machine)
		return SNAP__IMAGE_OTHER_MACHINE;
	if (!snap__elf_has_version(loader, NULL))
		return SNAP__IMAGE_OTHER_LIBC;
	if (!snap__elf_has_version(loader, SNAP__IMAGE_GLIBC_MIN))
		return SNAP__IMAGE_OLD_LIBC;
	return SNAP__IMAGE_LOADS;
}

/* Identifies the file as it is now: a replaced or changed file is another one. */
static uint64_t identity_of(const struct stat *info)
{
	const uint64_t facts[] = {info->st_dev, info->st_ino, (uint64_t)info->st_size,
				  (uint64_t)info->st_ctim.tv_sec, (uint64_t)info->st_ctim.tv_nsec};
	uint64_t hash = 1;

	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		hash = (hash ^ facts[i]) * 0x9e3779b97f4a7c15ull ^ hash >> 29;
	return hash;
}

/* Nearly all programs have the same loader.  A child of vfork() leaves this word to its parent, which
 * finds the same. */
static _Atomic uint64_t loader_that_loads;

__attribute__((noinline)) static enum snap__image look_at_loader(const char *path)
{
	struct snap__elf loader;
	struct stat info;
	enum snap__image found = SNAP__IMAGE_LOADS;
	int fd;

	if (!find_program(AT_FDCWD, path, &info))
		return found; /* then the kernel cannot start the program either */
	if (identity_of(&info) == atomic_load(&loader_that_loads))
		return found;
	fd = open_program(AT_FDCWD, path);
	if (fd < 0)
		return found;
	if (snap__elf_open(&loader, fd))
		found = judge_loader(&loader);
	snap__sys_close(fd);
	if (found == SNAP__IMAGE_LOADS)
		atomic_store(&loader_that_loads, identity_of(&info));
	return found;
}

/*
 * Shells start the same few programs again and again.  A program that loads libsnap is known by its
 * identity and the user, who decides what its capabilities mean; its loader, which may be another one
 * by now, is looked at each time.
 */
static _Atomic uint64_t programs_that_load[64];

static _Atomic uint64_t *place_of(uint64_t identity)
{
	return &programs_that_load[identity >> 58];
}

static uint64_t identity_for_user(const struct stat *info)
{
	return identity_of(info) + (uint64_t)syscall(SYS_geteuid);
}

static bool is_known_to_load(const struct stat *info)
{
	uint64_t identity = identity_for_user(info);

	return atomic_load(place_of(identity)) == identity &&
	       look_at_loader(SNAP__ARCH_LOADER) == SNAP__IMAGE_LOADS;
}

static void note_that_it_loads(const struct snap__elf *elf, const struct stat *info)
{
	uint64_t identity;

	if (strcmp(elf->loader, SNAP__ARCH_LOADER) != 0 || (info->st_mode & (S_ISUID | S_ISGID)))
		return;
	identity = identity_for_user(info);
	atomic_store(place_of(identity), identity);
}

static enum snap__image judge_program(struct snap__elf *elf)
{
	enum snap__image found;

	if (!elf->is_own_machine)
		return SNAP__IMAGE_OTHER_MACHINE;
	/* Without a loader it is static, unless it is a loader: `ld.so PROGRAM` preloads, too. */
	if (!elf->loader[0])
		return snap__elf_has_version(elf, NULL) ? judge_loader(elf) : SNAP__IMAGE_STATIC;
	found = look_at_loader(elf->loader);
	if (found == SNAP__IMAGE_LOADS && is_sanitized(elf))
		found = SNAP__IMAGE_SANITIZER;
	if (!snap__image_must_not_load(found) && runs_privileged(elf->fd))
		found = SNAP__IMAGE_PRIVILEGED;
	return found;
}

/* "#!/bin/sh -e" -> "/bin/sh"; false if it is no script. */
static bool interpreter_of(int fd, char out[LINE_ROOM])
{
	char head[LINE_ROOM];
	ssize_t size = snap__sys_pread(fd, head, sizeof(head) - 1, 0);
	size_t start, length;

	if (size < 3 || memcmp(head, "#!", 2) != 0)
		return false;
	head[size] = '\0';
	start = 2 + strspn(head + 2, " \t");
	length = strcspn(head + start, " \t\r\n");
	if (length == 0)
		return false;
	memcpy(out, head + start, length);
	out[length] = '\0';
	return true;
}

/* The tools of valgrind are static programs that preload into the program that they run. */
static bool is_recorder_program(const char *path)
{
	return strstr(path, "/valgrind/") != NULL;
}

/* Looks at `fd`; `*script` says that `interpreter` is to be looked at instead. */
static enum snap__image look_at_file(int fd, const struct stat *info, char interpreter[LINE_ROOM],
				     bool *script)
{
	enum snap__image found = SNAP__IMAGE_LOADS;
	struct snap__elf elf;

	*script = false;
	if (!snap__elf_open(&elf, fd)) {
		*script = interpreter_of(fd, interpreter);
	} else if (elf.is_executable || !elf.is_own_machine) {
		found = judge_program(&elf);
		if (found == SNAP__IMAGE_LOADS)
			note_that_it_loads(&elf, info);
	}
	return found;
}

enum snap__image snap__image_look(int directory, const char *path)
{
	char interpreter[LINE_ROOM];
	enum snap__image found = SNAP__IMAGE_LOADS;
	int saved = errno;
	bool script = true;

	if (is_recorder_program(path))
		return SNAP__IMAGE_RECORDER;
	for (unsigned level = 0; script && level < SCRIPT_LEVELS; level++) {
		struct stat info;
		int fd;

		if (!find_program(directory, path, &info) || is_known_to_load(&info))
			break;
		fd = open_program(directory, path);
		if (fd < 0)
			break;
		found = look_at_file(fd, &info, interpreter, &script);
		snap__sys_close(fd);
		directory = AT_FDCWD;
		path = interpreter;
	}
	errno = saved;
	return found;
}

/* ---- room ------------------------------------------------------------------------------------- */

static bool is_at_least(int what, rlim_t bytes)
{
	struct rlimit limit;
	int saved = errno;
	bool is = syscall(SYS_prlimit64, 0, what, NULL, &limit) != 0 || limit.rlim_cur >= bytes;

	errno = saved;
	return is;
}

/* libsnap takes 25 MiB of addresses and 12 MiB of data.  With less than this, programs that start without it do
   not start with it. */
bool snap__image_has_room(void)
{
	return is_at_least(RLIMIT_AS, (rlim_t)40 << 20) &&
	       is_at_least(RLIMIT_DATA, (rlim_t)24 << 20);
}

/* ---- words ------------------------------------------------------------------------------------ */

static const struct {
	const char *word, *reason;
} words[SNAP__IMAGE_COUNT] = {
	[SNAP__IMAGE_LOADS] = {"loads", "nothing is in the way"},
	[SNAP__IMAGE_STATIC] = {"static", "statically linked"},
	[SNAP__IMAGE_PRIVILEGED] = {"setuid", "setuid, setgid or with capabilities"},
	[SNAP__IMAGE_OTHER_MACHINE] = {"other-machine", "for another processor or word size"},
	[SNAP__IMAGE_OTHER_LIBC] = {"other-libc", "with another C library than glibc"},
	[SNAP__IMAGE_OLD_LIBC] = {"old-libc", "with a glibc older than 2.34"},
	[SNAP__IMAGE_SANITIZER] = {"sanitizer", "built with a sanitizer"},
	[SNAP__IMAGE_RECORDER] = {"recorder", "another recorder is preloaded into it"},
	[SNAP__IMAGE_FILTERED] = {"filtered", "a filter of system calls would end it with libsnap"},
	[SNAP__IMAGE_CRAMPED] = {"cramped", "its limit of memory leaves no room for libsnap"},
	[SNAP__IMAGE_OUT_OF_REACH] = {"out-of-reach", "libsnap.so cannot be opened from there"},
};

const char *snap__image_word(enum snap__image image)
{
	return words[image].word;
}

const char *snap__image_reason(enum snap__image image)
{
	return words[image].reason;
}
