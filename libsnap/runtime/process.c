/*
 * runtime/process.c - who the process is, how it is to be recorded, and its labels.
 */
#include "runtime/process.h"

#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "runtime/command.h"
#include "runtime/lock.h"
#include "runtime/metrics.h"
#include "runtime/os_linux.h"
#include "runtime/text.h"
#include "runtime/hidden.h"
#include "write/sys.h"

#define WARM_MOST ((uintptr_t)64 << 10)

struct snap__config snap__settings SNAP__PAGES;

static struct snap__process self SNAP__PAGES;
static char first_small SNAP__FIRST_SMALL;
static struct snap__host host;
static atomic_uint *witness; /* 1 in this process and in vfork children, 0 in forked copies */
static struct snap__lock labels_lock;

const struct snap__config *snap__process_config(void)
{
	return &snap__settings;
}

const struct snap__process *snap__process_self(void)
{
	return &self;
}

uint64_t snap__process_age_ns(void)
{
	return snap__os_mono_ns() - self.start_mono_ns;
}

const struct snap__host *snap__process_host(void)
{
	return &host;
}

bool snap__process_is_of_kernel(const char *text)
{
	return (uintptr_t)text > getauxval(AT_RANDOM) && (uintptr_t)text < getauxval(AT_EXECFN);
}

void snap__process_set_host(const struct snap__host *the_host)
{
	host = *the_host;
}

void snap__process_make_witness(void)
{
	if (!witness)
		witness = snap__os_fork_witness();
}

static bool is_same_file(const char *a, const char *b)
{
	struct stat first, second;

	return snap__sys_stat(AT_FDCWD, a, &first) == 0 &&
	       snap__sys_stat(AT_FDCWD, b, &second) == 0 && first.st_dev == second.st_dev &&
	       first.st_ino == second.st_ino;
}

/* "/proc/self/exe" and "/dev/fd/5" lead to a program, but are not its name. */
static bool is_way(const char *path)
{
	return strncmp(path, "/proc/", 6) == 0 || strncmp(path, "/dev/fd/", 8) == 0;
}

/* A name that was cut may end in a part of a character. */
static void drop_part_of_character(struct snap__text *name)
{
	size_t start = name->size;

	while (start > 0 && ((unsigned char)name->data[start - 1] & 0xc0) == 0x80)
		start--;
	if (start > 0 && ((unsigned char)name->data[start - 1] & 0xc0) == 0xc0)
		name->data[name->size = start - 1] = '\0';
}

uint64_t snap__process_start_ticks(bool asks)
{
	if (asks && self.start_ticks == 0)
		self.start_ticks = snap__metrics_start_ticks();
	return self.start_ticks;
}

const char *snap__process_exe(void)
{
	static bool was_asked; /* reading the text first would take a page fault more */
	int saved = errno;
	ssize_t n;

	if (!was_asked) {
		n = snap__sys_readlink("/proc/self/exe", self.exe, sizeof(self.exe) - 1);
		self.exe[n > 0 ? n : 0] = '\0';
		was_asked = true;
	}
	errno = saved;
	return self.exe;
}

/* The program is called what it was started as (one executable may have several names), unless
   that was a script, which says nothing of the executable. */
static void find_program(void)
{
	struct snap__text name = SNAP__TEXT(self.program);
	const char *started_as = (const char *)(uintptr_t)getauxval(AT_EXECFN);
	const char *path = snap__process_exe(), *slash;
	struct snap__text exe;

	if (*path == '\0') {
		exe = SNAP__TEXT(self.exe);
		snap__text_add(&exe, started_as ? started_as : "unknown");
	}
	/* For `ld.so PROGRAM` the kernel names only ld.so; ld.so's own list names the program. */
	if (started_as && !is_way(started_as) &&
	    (snap__equal(started_as, self.exe) || is_same_file(started_as, self.exe) ||
	     getauxval(AT_BASE) == 0))
		path = started_as;
	slash = strrchr(path, '/');
	snap__text_add(&name, slash && slash[1] ? slash + 1 : path);
	if (name.cut)
		drop_part_of_character(&name);
	for (char *c = self.program; *c; c++)
		if ((unsigned char)*c < ' ' || *c == '/')
			*c = '_';
}

const char *snap__process_name(void)
{
	find_program();
	return self.program;
}

/* The arguments as /proc/self/cmdline shows them, one behind the other, without asking the kernel.
 * Their size; 0 if they are not known, if the program has moved one, or if they are longer than
 * `most`. If a program has moved an argument, it may have freed it since. */
static size_t find_arguments(const char **text, size_t most)
{
	char *const *at = host.arguments;
	const char *next = at ? at[0] : NULL;

	*text = next;
	if (!snap__process_is_of_kernel(next))
		return 0;
	for (; *at; at++) {
		if (*at != next || (size_t)(next - *text) > most)
			return 0;
		next += snap__length(next) + 1;
	}
	return (size_t)(next - *text) <= most ? (size_t)(next - *text) : 0;
}

/* The same, from the kernel if necessary.  Their size; 0 or less: they are not known. */
static long read_arguments(const char **text)
{
	static char raw[sizeof(self.command) / 2 + 1] SNAP__PAGES;
	size_t size = find_arguments(text, sizeof(raw) - 1);

	if (size > 0)
		return (long)size;
	*text = raw;
	return snap__os_read_file("/proc/self/cmdline", raw, sizeof(raw) - 1);
}

static void find_command(void)
{
	struct snap__text out = SNAP__TEXT(self.command);
	enum snap__command_wish wish = snap__settings.command;
	const char *text = NULL;
	long size = 0;

	if (wish == SNAP__COMMAND_NONE)
		return;
	if (wish != SNAP__COMMAND_NAME)
		size = read_arguments(&text);
	if (size > 0)
		snap__command_add(&out, text, (size_t)size, wish);
	else
		snap__text_add(&out, self.program);
}

/* Several texts: the program has moved its arguments, and this is a command line.  One: without the
   quotes that a shell would need. */
static void make_title(struct snap__text *out, const char *raw, size_t size)
{
	snap__command_add(out, raw, size, snap__settings.command);
	if (snap__length(raw) + 1 < size || out->size < 2 || out->data[0] != '\'' ||
	    out->data[out->size - 1] != '\'')
		return;
	out->data[--out->size] = '\0';
	memmove(out->data, out->data + 1, out->size--);
}

const char *snap__process_title(void)
{
	static char raw[sizeof(self.command) / 2 + 1] SNAP__PAGES;
	static char title[sizeof(self.command)] SNAP__PAGES;
	struct snap__text out = SNAP__TEXT(title);
	enum snap__command_wish wish = snap__settings.command;
	long size;

	if (wish == SNAP__COMMAND_NONE || wish == SNAP__COMMAND_NAME)
		return NULL;
	size = snap__os_read_file("/proc/self/cmdline", raw, sizeof(raw) - 1);
	if (size <= 0)
		return NULL;
	snap__command_add(&out, raw, (size_t)size, wish);
	if (snap__equal(title, self.command))
		return NULL;
	/* What is left of the arguments is filled up. */
	while (size > 0 && (raw[size - 1] == '\0' || raw[size - 1] == ' '))
		raw[--size] = '\0';
	out = SNAP__TEXT(title);
	if (size > 0)
		make_title(&out, raw, (size_t)size + 1);
	return title[0] ? title : NULL;
}

void snap__process_renew(void)
{
	self.pid = snap__sys_getpid();
	self.parent = snap__sys_getppid();
	snap__metrics_of(self.pid);
	self.start_ticks = 0;
	self.start_time_ns = snap__os_wall_ns();
	self.start_mono_ns = snap__os_mono_ns();
	if (witness)
		atomic_store(witness, 1);
}

void snap__process_find(void)
{
	struct utsname names;
	struct snap__text name = SNAP__TEXT(self.host);

	find_program();
	find_command();
	if (syscall(SYS_uname, &names) == 0)
		snap__text_add(&name, names.nodename);
	snap__process_renew();
}

enum snap__relation snap__process_relation(void)
{
	if (snap__sys_getpid() == self.pid)
		return SNAP__OURS;
	return witness && atomic_load(witness) == 0 ? SNAP__COPY : SNAP__BORROWED;
}

bool snap__process_has_thread_word(void)
{
	void *word = NULL;
	int saved = errno;
	bool found = syscall(SYS_prctl, PR_GET_TID_ADDRESS, &word, 0, 0, 0) == 0 && word;

	errno = saved;
	return found;
}

static bool words_are_told;

void snap__process_note_thread_word(void)
{
	words_are_told = snap__process_has_thread_word();
}

bool snap__process_is_no_thread(void)
{
	return words_are_told && !snap__process_has_thread_word();
}

/* ---- pages ------------------------------------------------------------------------------------ */

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

extern SNAP__HIDDEN char _end[]; /* the linker's */

void snap__warm(void)
{
	uintptr_t from = (uintptr_t)&first_small & ~(uintptr_t)4095;
	uintptr_t to = (uintptr_t)_end;

	if (to <= from || to - from > WARM_MOST) /* another linker may order variables otherwise */
		return;
	(void)snap__sys_madvise((void *)from, to - from, MADV_POPULATE_WRITE);
}

/* ---- labels ---------------------------------------------------------------------------------- */

/* The line of `key` in snap__settings.labels, or NULL. */
static char *label_line(const char *key)
{
	size_t n = snap__length(key);

	for (char *line = snap__settings.labels; *line;) {
		size_t length = strcspn(line, "\n");

		if (length > n && strncmp(line, key, n) == 0 && line[n] == '=')
			return line;
		line += length + (line[length] == '\n');
	}
	return NULL;
}

static void remove_line(char *line)
{
	size_t length = strcspn(line, "\n");

	length += line[length] == '\n';
	memmove(line, line + length, snap__length(line + length) + 1);
}

static bool append_label(const char *key, const char *value)
{
	size_t used = snap__length(snap__settings.labels);
	struct snap__text text =
		snap__text_in(snap__settings.labels + used, sizeof(snap__settings.labels) - used);

	if (used > 0 && snap__settings.labels[used - 1] != '\n')
		snap__text_add(&text, "\n");
	snap__text_add(&text, key);
	snap__text_add(&text, "=");
	snap__text_add(&text, value);
	if (text.cut)
		snap__settings.labels[used] = '\0';
	return !text.cut;
}

bool snap__process_set_label(const char *key, const char *value)
{
	char *line;
	bool done = true;

	if (!snap__lock_take(&labels_lock))
		return false;
	line = label_line(key);
	if (line)
		remove_line(line);
	if (value)
		done = append_label(key, value);
	snap__lock_release(&labels_lock);
	return done;
}

void snap__process_each_label(snap__label_fn *fn, void *user)
{
	static char copy[sizeof(snap__settings.labels)] SNAP__PAGES;

	if (snap__settings.labels[0] == '\0' || !snap__lock_take(&labels_lock))
		return;
	memcpy(copy, snap__settings.labels, snap__length(snap__settings.labels) + 1);
	snap__lock_release(&labels_lock);
	for (char *line = copy; *line;) {
		size_t length = strcspn(line, "\n");
		bool is_last = line[length] == '\0';
		char *equals = memchr(line, '=', length);

		line[length] = '\0';
		if (equals && equals > line) {
			*equals = '\0';
			fn(user, line, equals + 1);
		}
		line += length + !is_last;
	}
}

void snap__process_after_fork(void)
{
	snap__lock_reset(&labels_lock);
	snap__process_renew();
}
