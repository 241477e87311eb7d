/*
 * preload/exec.c - the program is about to become, or to start, another one.
 *
 * LD_PRELOAD is inherited by every program below.  Some of them must not load libsnap: those of
 * another C library, those built with a sanitizer, and others (image/image.h).  Each function of
 * the exec family looks at the file first.  For such a file it passes an environment without
 * libsnap; the rest of the environment stays as it is.  `snapdiff run` is told what is not
 * recorded.
 *
 * All of this may happen in a child of vfork(), in its parent's memory: only the stack is written.
 */
#include <alloca.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/image.h"
#include "preload/entry.h"
#include "preload/real.h"
#include "runtime/filter.h"
#include "runtime/hello.h"
#include "runtime/lifecycle.h"
#include "runtime/os_linux.h"
#include "runtime/process.h"
#include "runtime/trigger.h"
#include "runtime/text.h"
#include "write/sys.h"

#define PRELOAD "LD_PRELOAD="

#define PAGE_BYTES 4096u

enum { STACK_ENTRIES = 2048, CANDIDATE_ROOM = 1024 };

/* What an exec is going to do about one file. */
struct plan {
	const char *name;    /* the file's name in messages */
	const char *preload; /* the entry of the environment that names libsnap, or NULL */
	size_t entries;      /* of the environment, with the NULL at its end */
	enum snap__image image;
	bool strips;
};

static const char *preload_entry(char *const *environment)
{
	for (; environment && *environment; environment++)
		if (strncmp(*environment, PRELOAD, sizeof(PRELOAD) - 1) == 0)
			return *environment;
	return NULL;
}

/* With the NULL at the end. */
static size_t count_entries(char *const *environment)
{
	size_t count = 1;

	while (environment && environment[count - 1])
		count++;
	return count;
}

static bool is_readable(const void *at)
{
	return snap__os_is_readable((const void *)((uintptr_t)at & ~(uintptr_t)7));
}

static bool is_on_page_of(const void *at, const void *other)
{
	return ((uintptr_t)at ^ (uintptr_t)other) < PAGE_BYTES;
}

/* The kernel refuses an address that nobody can read (EFAULT); we must not die of it. */
static bool can_be_read(const char *path, char *const *environment)
{
	const void *nowhere = (const void *)UINTPTR_MAX, *seen = nowhere, *array = nowhere;

	if (path && !is_readable(path))
		return false;
	if (environment == environ)
		return true;
	for (; environment; environment++) {
		if (!is_on_page_of(environment, array) && !is_readable(environment))
			return false;
		array = environment;
		if (!*environment)
			break;
		if (!is_on_page_of(*environment, seen) && !is_readable(*environment))
			return false;
		seen = *environment;
	}
	return true;
}

static struct plan plan_exec(int directory, const char *path, const char *name,
			     char *const *environment)
{
	struct plan plan = {.name = name};

	if (!snap__trigger_is_silent() && !can_be_read(path, environment))
		return plan;
	plan.preload = preload_entry(environment);
	if (plan.preload && !strstr(plan.preload, "libsnap.so"))
		plan.preload = NULL;
	if (snap__trigger_is_silent()) { /* the filter might kill the process for looking at the
					    file */
		if (snap__filter_ends_us()) {
			plan.image = SNAP__IMAGE_FILTERED;
			plan.strips = plan.preload != NULL;
			plan.entries = count_entries(environment);
		}
		return plan;
	}
	if (!path || (!plan.preload && !snap__hello_is_wanted()))
		return plan;
	if (plan.preload && snap__image_has_rival(plan.preload + sizeof(PRELOAD) - 1))
		plan.image = SNAP__IMAGE_RECORDER;
	else
		plan.image = snap__image_look(directory, path);
	if (plan.image == SNAP__IMAGE_LOADS && plan.preload &&
	    !snap__image_reaches_libsnap(plan.preload + sizeof(PRELOAD) - 1))
		plan.image = SNAP__IMAGE_OUT_OF_REACH;
	if (plan.image == SNAP__IMAGE_LOADS && plan.preload && !snap__image_has_room())
		plan.image = SNAP__IMAGE_CRAMPED;
	plan.strips = plan.preload && snap__image_must_not_load(plan.image);
	plan.entries = count_entries(environment);
	return plan;
}

/* The word that says why the file is not recorded; NULL if it is recorded. */
static const char *word_of(const struct plan *plan)
{
	if (plan->image != SNAP__IMAGE_LOADS)
		return snap__image_word(plan->image);
	if (plan->preload || !plan->entries || !snap__process_config()->follow)
		return NULL;
	return SNAP__HELLO_CLEAN;
}

static void announce(const struct plan *plan, int pid)
{
	const char *word = word_of(plan);

	if (word)
		snap__hello_skips(pid, word, plan->name, false);
}

/* The exec failed: take back what `run` was told of the file. */
static void take_back(const struct plan *plan, int pid)
{
	const char *word = word_of(plan);

	if (word)
		snap__hello_skips(pid, word, plan->name, true);
}

/* ---- the environment without libsnap --------------------------------------------------------- */

static size_t array_size(const struct plan *plan)
{
	return plan->entries * sizeof(char *);
}

static bool is_on_stack(const struct plan *plan)
{
	return plan->entries <= STACK_ENTRIES;
}

/* Memory for an environment that is too large for the stack; NULL: there is none. */
static void *map_array(const struct plan *plan)
{
	void *base = snap__os_mmap(NULL, array_size(plan), PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return base == MAP_FAILED ? NULL : base;
}

/* Write `environment` without libsnap to `array`; `value` gets what is left of LD_PRELOAD. */
static char **stripped(const struct plan *plan, char *const *environment, char **array, char *value)
{
	const size_t prefix = sizeof(PRELOAD) - 1;
	char **out = array;

	if (!array)
		return NULL;
	for (; *environment; environment++) {
		if (*environment != plan->preload) {
			*out++ = *environment;
		} else if (snap__image_strip_preload(plan->preload + prefix, value + prefix)) {
			memcpy(value, PRELOAD, prefix);
			*out++ = value;
		}
	}
	*out = NULL;
	return array;
}

/* In the caller's frame, where alloca() must be: the environment that the plan asks for. */
#define STRIPPED(plan, environment)                                                                \
	stripped(&(plan), environment,                                                             \
		 is_on_stack(&(plan)) ? alloca(array_size(&(plan))) : map_array(&(plan)),          \
		 alloca(strlen((plan).preload) + 1))

static void release(const struct plan *plan, char **array)
{
	int saved = errno;

	if (array && !is_on_stack(plan))
		snap__os_munmap(array, array_size(plan));
	errno = saved;
}

/* ---- execve() and those that are like it -------------------------------------------------------
 */

/* Not asked for under a filter.  In a child of vfork() it is not known. */
static int own_pid(void)
{
	if (snap__trigger_is_silent())
		return snap__trigger_is_filtered() ? snap__process_self()->pid : 0;
	return (int)syscall(SYS_getpid);
}

/* `real` is called with `own`, which has the environment that the plan asks for. */
#define EXEC(directory, path, name, environment, plainly, with)                                    \
	struct plan plan;                                                                          \
	char **own = NULL;                                                                         \
	bool made_way;                                                                             \
	int result;                                                                                \
                                                                                                   \
	snap__real_find();                                                                         \
	plan = plan_exec(directory, path, name, environment);                                      \
	announce(&plan, own_pid());                                                                \
	if (plan.strips)                                                                           \
		own = STRIPPED(plan, environment);                                                 \
	made_way = snap__process_exec_begins();                                                    \
	result = own ? (with) : (plainly);                                                         \
	snap__process_exec_failed(made_way);                                                       \
	take_back(&plan, own_pid());                                                               \
	release(&plan, own);                                                                       \
	return result

ENTRY int execve(const char *path, char *const arguments[], char *const environment[])
{
	EXEC(AT_FDCWD, path, path, environment, snap__real.execve(path, arguments, environment),
	     snap__real.execve(path, arguments, own));
}

ENTRY int execv(const char *path, char *const arguments[])
{
	EXEC(AT_FDCWD, path, path, environ, snap__real.execv(path, arguments),
	     snap__real.execve(path, arguments, own));
}

/* A file that is named by a descriptor: the path to look at, and the file's name. */
struct opened {
	char link[32];
	char name[CANDIDATE_ROOM];
};

static const char *name_opened(int fd, struct opened *opened)
{
	struct snap__text link = SNAP__TEXT(opened->link);
	int saved = errno;
	long size;

	snap__text_add(&link, "/proc/self/fd/");
	snap__text_add_u64(&link, (uint64_t)(unsigned)fd);
	if (snap__trigger_is_silent())
		return opened->link;
	size = syscall(SYS_readlinkat, AT_FDCWD, opened->link, opened->name,
		       sizeof(opened->name) - 1);
	opened->name[size > 0 ? size : 0] = '\0';
	errno = saved;
	return opened->name;
}

#define EXEC_OPENED(fd, environment, plainly, with)                                                \
	struct opened opened;                                                                      \
                                                                                                   \
	name_opened(fd, &opened);                                                                  \
	EXEC(AT_FDCWD, opened.link, opened.name, environment, plainly, with)

static int execute_opened(int fd, char *const arguments[], char *const environment[], int flags)
{
	EXEC_OPENED(fd, environment, snap__real.execveat(fd, "", arguments, environment, flags),
		    snap__real.execveat(fd, "", arguments, own, flags));
}

static bool is_descriptor_only(const char *path, int flags)
{
	return (flags & AT_EMPTY_PATH) && path && path[0] == '\0';
}

ENTRY int execveat(int directory, const char *path, char *const arguments[],
		   char *const environment[], int flags)
{
	if (is_descriptor_only(path, flags))
		return execute_opened(directory, arguments, environment, flags);
	EXEC(directory, path, path, environment,
	     snap__real.execveat(directory, path, arguments, environment, flags),
	     snap__real.execveat(directory, path, arguments, own, flags));
}

ENTRY int fexecve(int fd, char *const arguments[], char *const environment[])
{
	EXEC_OPENED(fd, environment, snap__real.fexecve(fd, arguments, environment),
		    snap__real.fexecve(fd, arguments, own));
}

/* ---- those that search PATH ------------------------------------------------------------------ */

static bool is_executable(const char *path)
{
	struct stat info;

	return snap__sys_stat(AT_FDCWD, path, &info) == 0 && S_ISREG(info.st_mode) &&
	       syscall(SYS_faccessat, AT_FDCWD, path, X_OK) == 0;
}

static const char *search_directories(void)
{
	for (char **entry = environ; entry && *entry; entry++)
		if (strncmp(*entry, "PATH=", 5) == 0)
			return *entry + 5;
	return "/bin:/usr/bin";
}

/* The path of the file that libc will find, built in `room`; `file` itself if there is none, or if
   a filter might kill the process for looking. */
static const char *found_in_path(const char *file, char room[CANDIDATE_ROOM])
{
	const char *directories = search_directories();
	int saved = errno;

	if (!file || !*file || strchr(file, '/') || snap__trigger_is_silent())
		return file;
	while (true) {
		size_t length = strcspn(directories, ":"), size = strlen(file);

		if (length + size + 2 < CANDIDATE_ROOM) {
			memcpy(room, directories, length);
			room[length] = '/';
			memcpy(room + length + (length > 0), file, size + 1);
			if (is_executable(room)) {
				errno = saved;
				return room;
			}
		}
		if (directories[length] == '\0')
			break;
		directories += length + 1;
	}
	errno = saved;
	return file;
}

ENTRY int execvp(const char *file, char *const arguments[])
{
	char room[CANDIDATE_ROOM];

	const char *path = found_in_path(file, room);

	EXEC(AT_FDCWD, path, path, environ, snap__real.execvp(file, arguments),
	     snap__real.execvpe(file, arguments, own));
}

ENTRY int execvpe(const char *file, char *const arguments[], char *const environment[])
{
	char room[CANDIDATE_ROOM];

	const char *path = found_in_path(file, room);

	EXEC(AT_FDCWD, path, path, environment, snap__real.execvpe(file, arguments, environment),
	     snap__real.execvpe(file, arguments, own));
}

/* ---- those that take a list ------------------------------------------------------------------ */

/* How many arguments there are from `first` on, without the NULL. */
static size_t count_arguments(const char *first, va_list rest)
{
	size_t count = 0;

	for (const char *argument = first; argument; argument = va_arg(rest, const char *))
		count++;
	return count;
}

static char **collect(const char *first, va_list rest, char **into)
{
	size_t count = 0;

	for (const char *argument = first; argument; argument = va_arg(rest, const char *))
		into[count++] = (char *)(uintptr_t)argument;
	into[count] = NULL;
	return into;
}

/* Declares `arguments`; afterwards `rest` is past the NULL. */
#define ARGUMENTS(first)                                                                           \
	char **arguments;                                                                          \
	size_t count;                                                                              \
	va_list rest;                                                                              \
                                                                                                   \
	va_start(rest, first);                                                                     \
	count = count_arguments(first, rest);                                                      \
	va_end(rest);                                                                              \
	arguments = alloca((count + 1) * sizeof(char *));                                          \
	va_start(rest, first);                                                                     \
	collect(first, rest, arguments)

ENTRY int execl(const char *path, const char *first, ...)
{
	ARGUMENTS(first);
	va_end(rest);
	return execv(path, arguments);
}

ENTRY int execlp(const char *file, const char *first, ...)
{
	ARGUMENTS(first);
	va_end(rest);
	return execvp(file, arguments);
}

ENTRY int execle(const char *path, const char *first, ...)
{
	char *const *environment;

	ARGUMENTS(first);
	environment = va_arg(rest, char *const *);
	va_end(rest);
	return execve(path, arguments, environment);
}

/* ---- posix_spawn() --------------------------------------------------------------------------- */

/* The new process has another pid than this one: 0 stands for it. */
#define SPAWN(path, environment, plainly, with)                                                    \
	struct plan plan;                                                                          \
	char **own = NULL;                                                                         \
	int result;                                                                                \
                                                                                                   \
	snap__real_find();                                                                         \
	plan = plan_exec(AT_FDCWD, path, path, environment);                                       \
	announce(&plan, 0);                                                                        \
	if (plan.strips)                                                                           \
		own = STRIPPED(plan, environment);                                                 \
	result = own ? (with) : (plainly);                                                         \
	if (result != 0)                                                                           \
		take_back(&plan, 0);                                                               \
	release(&plan, own);                                                                       \
	return result

ENTRY int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
		      const posix_spawnattr_t *attributes, char *const arguments[],
		      char *const environment[])
{
	SPAWN(path, environment,
	      snap__real.posix_spawn(pid, path, actions, attributes, arguments, environment),
	      snap__real.posix_spawn(pid, path, actions, attributes, arguments, own));
}

ENTRY int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
		       const posix_spawnattr_t *attributes, char *const arguments[],
		       char *const environment[])
{
	char room[CANDIDATE_ROOM];

	const char *path = found_in_path(file, room);

	SPAWN(path, environment,
	      snap__real.posix_spawnp(pid, file, actions, attributes, arguments, environment),
	      snap__real.posix_spawnp(pid, file, actions, attributes, arguments, own));
}
