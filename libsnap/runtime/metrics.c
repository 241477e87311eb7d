/*
 * runtime/metrics.c - /proc, cgroup and allocator figures.
 */
#include "runtime/metrics.h"

#include "runtime/arena.h"
#include "runtime/heapmap.h"
#include "runtime/thread.h"

#include <malloc.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "runtime/os_linux.h"
#include "runtime/text.h"
#include "write/sys.h"

static int process; /* 0: the caller */

void snap__metrics_of(int pid)
{
	process = pid;
}

/* Read /proc/PID/`name`. */
static long read_proc(const char *name, char *text, size_t size)
{
	char path[64];
	struct snap__text full = SNAP__TEXT(path);

	snap__text_add(&full, "/proc/");
	if (process && process != snap__sys_getpid())
		snap__text_add_u64(&full, (uint64_t)process);
	else
		snap__text_add(&full, "self");
	snap__text_add(&full, name);
	return snap__os_read_file(path, text, size);
}

/* The number after `name` at the start of a line of `text`; false if there is none. */
static bool number_after(const char *text, const char *name, uint64_t *value)
{
	size_t n = snap__length(name);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		if (*line == '\n')
			line++;
		if (*line == *name && strncmp(line, name, n) == 0) {
			*value = snap__parse_u64(line + n, NULL);
			return true;
		}
	}
	return false;
}

struct wanted {
	const char *name; /* as the file names it */
	const char *key;  /* as the snapshot names it */
};

static uint64_t resident_bytes; /* when it was last read: one snapshot is written at a time */
static uint64_t threads_seen;   /* in our own status, when it was last read; else 0 */

/* Lines of a /proc file that give kB. */
static void report_kilobytes(const char *path, const struct wanted *wanted, snap__metric_fn *fn,
			     void *user)
{
	char text[2500];
	uint64_t value;

	if (snap__os_read_record(path, text, sizeof(text)) < 0)
		return;
	if (number_after(text, "Threads:", &value))
		threads_seen = process == snap__sys_getpid() ? value : 0;
	for (; wanted->name; wanted++)
		if (number_after(text, wanted->name, &value)) {
			if (snap__equal(wanted->key, "rss"))
				resident_bytes = value * 1024;
			fn(user, wanted->key, value * 1024);
		}
}

/* The same from /proc/PID/statm, in pages: size, resident, and what of that belongs to files. */
static void report_pages(snap__metric_fn *fn, void *user)
{
	uint64_t page = getauxval(AT_PAGESZ), pages[3];
	char text[256];
	const char *at = text;

	if (read_proc("/statm", text, sizeof(text)) <= 0)
		return;
	for (unsigned i = 0; i < 3; i++)
		pages[i] = snap__parse_u64(at, &at);
	resident_bytes = pages[1] * page;
	fn(user, "rss", resident_bytes);
	fn(user, "anonymous", (pages[1] - pages[2]) * page);
	fn(user, "vm_size", pages[0] * page);
}

/* The path of our cgroup in `groups`, the text of /proc/PID/cgroup; v2 has no controllers. */
static bool cgroup_path(const char *groups, const char *controller, struct snap__text *out)
{
	const char *line = groups;

	while (line && *line) {
		const char *names = strchr(line, ':');
		const char *path = names ? strchr(names + 1, ':') : NULL;
		size_t size;

		if (!path)
			return false;
		size = strcspn(path + 1, "\n");
		if (controller[0] == '\0' ? path == names + 1
					  : memmem(names, (size_t)(path - names), controller,
						   snap__length(controller)) != NULL) {
			snap__text_add_bytes(out, path + 1, size);
			return true;
		}
		line = path[1 + size] ? path + 2 + size : NULL;
	}
	return false;
}

struct cgroup_files {
	const char *root, *controller, *usage, *limit, *events, *oom;
};

static bool cgroup_read(const char *root, const char *path, const char *file, char *text,
			size_t size)
{
	char name[640];
	struct snap__text full = SNAP__TEXT(name);

	snap__text_add(&full, root);
	snap__text_add(&full, snap__equal(path, "/") ? "" : path);
	snap__text_add(&full, "/");
	snap__text_add(&full, file);
	return !full.cut && snap__os_read_file(name, text, size) > 0;
}

static bool report_cgroup(const char *groups, const struct cgroup_files *files, snap__metric_fn *fn,
			  void *user)
{
	char buffer[512], text[768];
	struct snap__text path = SNAP__TEXT(buffer);
	uint64_t value;

	if (!cgroup_path(groups, files->controller, &path))
		return false;
	/* Inside a container the path may be the host's; the mount's root is then ours. */
	if (!cgroup_read(files->root, buffer, files->usage, text, sizeof(text))) {
		path = snap__text_in(buffer, sizeof(buffer));
		if (!cgroup_read(files->root, buffer, files->usage, text, sizeof(text)))
			return false;
	}
	fn(user, "cgroup.current", snap__parse_u64(text, NULL));
	if (cgroup_read(files->root, buffer, files->limit, text, sizeof(text)) &&
	    !snap__starts_with(text, "max")) {
		value = snap__parse_u64(text, NULL);
		if (value < (uint64_t)INT64_MAX / 2) /* v1 says "no limit" with a huge number */
			fn(user, "cgroup.limit", value);
	}
	if (cgroup_read(files->root, buffer, files->events, text, sizeof(text)) &&
	    number_after(text, files->oom, &value))
		fn(user, "cgroup.oom_events", value);
	return true;
}

/*
 * Metrics whose calls hold locks that the host needs.  The cost is predicted from the last call, in
 * proportion to the amount of data.  It is measured in CPU time, which a busy machine does not
 * change.  Only one snapshot is written at a time, so no lock is needed.
 */
#define UNSEEN_LEAST   ((uint64_t)16 << 20) /* less resident memory holds nothing worth a question */
#define LEAST_LIMIT_NS 500000u              /* shorter than this is never noticed, */
#define MOST_LIMIT_NS  5000000u             /* longer than this is never asked */

struct question {
	uint64_t first_size; /* up to this amount of data it is asked without a prediction */
	uint64_t last_size;  /* looked at last time; 0: never asked */
	uint64_t last_ns;    /* CPU time that it took */
	uint64_t asked_ns;   /* when, on the monotonic clock */
};

/*
 * mallinfo2() looks at every free chunk of an arena, with the arena locked.  Their number is at
 * most that of the freed blocks, and at most that of the smallest chunks for which the largest heap
 * had room.
 */
enum { LEAST_CHUNK = 32 };
static struct question ask_allocator = {.first_size = (4 << 20) / LEAST_CHUNK};
/* smaps_rollup looks at every page of a mapping, and no thread can map memory meanwhile. */
static struct question ask_rollup = {.first_size = 32 << 20};

static uint64_t most_chunks(const struct snap__metrics_leave *leave)
{
	uint64_t room = leave->heap_bytes / LEAST_CHUNK;

	return leave->frees < room ? leave->frees : room;
}

/* A hundredth of the time since the last answer, within limits. */
static uint64_t limit_ns(const struct question *question)
{
	uint64_t share = (snap__os_mono_ns() - question->asked_ns) / 100;

	if (share < LEAST_LIMIT_NS)
		return LEAST_LIMIT_NS;
	return share < MOST_LIMIT_NS ? share : MOST_LIMIT_NS;
}

static bool is_quick(const struct question *question, uint64_t size)
{
	double growth;

	if (question->last_size == 0)
		return size <= question->first_size;
	growth = (double)size / (double)question->last_size;
	return (double)question->last_ns * (growth > 1 ? growth : 1) <= (double)limit_ns(question);
}

static void was_asked(struct question *question, uint64_t size, uint64_t began_ns)
{
	question->last_ns = snap__os_thread_cpu_ns() - began_ns;
	question->last_size = size ? size : 1;
	question->asked_ns = snap__os_mono_ns();
}

#if defined(__GLIBC__) && (__GLIBC__ > 2 || (__GLIBC__ == 2 && __GLIBC_MINOR__ >= 33))
#define HAS_MALLINFO2 1
static void ask_mallinfo(void *info)
{
	*(struct mallinfo2 *)info = mallinfo2();
}
#else
#define HAS_MALLINFO2 0
#endif

/* False if the host ended before there was an answer. */
static bool report_allocator(const struct snap__metrics_leave *leave, snap__metric_fn *fn,
			     void *user)
{
#if HAS_MALLINFO2
	struct mallinfo2 info;

	if (!leave->call)
		ask_mallinfo(&info);
	else if (!leave->call(ask_mallinfo, &info))
		return false;
	fn(user, "allocator.arena", info.arena);
	fn(user, "allocator.mapped", info.hblkhd);
	fn(user, "allocator.mapped_blocks", info.hblks);
	fn(user, "allocator.in_use", info.uordblks);
	fn(user, "allocator.free", info.fordblks);
	fn(user, "allocator.releasable", info.keepcost);
#else
	(void)leave;
	(void)fn;
	(void)user;
#endif
	return true;
}

static void report_rollup(bool may_hold_up, snap__metric_fn *fn, void *user)
{
	static const struct wanted rollup[] = {{"Pss:", "pss"}, {NULL, NULL}};
	uint64_t bytes = resident_bytes, began = snap__os_thread_cpu_ns();

	if (!may_hold_up && !is_quick(&ask_rollup, bytes))
		return;
	report_kilobytes("/proc/self/smaps_rollup", rollup, fn, user);
	was_asked(&ask_rollup, bytes, began);
}

bool snap__metrics_each(const struct snap__metrics_leave *leave, snap__metric_fn *fn, void *user)
{
	static const struct wanted status[] = {
		{"VmRSS:", "rss"},
		{"RssAnon:", "anonymous"},
		{"VmSwap:", "swap"},
		{"VmHWM:", "vm_hwm"},
		{"VmSize:", "vm_size"},
		{"RssFile:", "resident.files"},
		{"RssShmem:", "resident.shared"},
		{NULL, NULL},
	};
	static const struct cgroup_files v2 = {
		"/sys/fs/cgroup", "", "memory.current", "memory.max", "memory.events", "oom_kill "};
	static const struct cgroup_files v1 = {"/sys/fs/cgroup/memory", "memory",
					       "memory.usage_in_bytes", "memory.limit_in_bytes",
					       "memory.oom_control",    "oom_kill "};
	char groups[1024];
	uint64_t began;
	bool answered;

	if (leave && leave->is_least)
		report_pages(fn, user);
	else
		report_kilobytes("/proc/self/status", status, fn, user);
	if (leave && !leave->is_brief)
		report_rollup(leave->may_hold_up, fn, user);
	if (!(leave && leave->is_brief) && read_proc("/cgroup", groups, sizeof(groups)) > 0 &&
	    !report_cgroup(groups, &v2, fn, user))
		report_cgroup(groups, &v1, fn, user);
	if (leave && leave->is_least && leave->heap_bytes == 0 && resident_bytes < UNSEEN_LEAST)
		return false; /* it never called malloc: the question would set malloc up */
	if (!leave || !leave->allocator ||
	    (!leave->may_hold_up && !is_quick(&ask_allocator, most_chunks(leave))))
		return false;
	if (leave->begin && !leave->begin())
		return false;
	/* Nobody asks again at the end of a brief process. */
	began = leave->is_least ? 0 : snap__os_thread_cpu_ns();
	answered = report_allocator(leave, fn, user);
	if (!leave->is_least)
		was_asked(&ask_allocator, most_chunks(leave), began);
	if (leave->end)
		leave->end();
	return answered;
}

uint64_t snap__metrics_recorder_bytes(void)
{
	uint64_t untouched = snap__heapmap_untouched() + snap__threads_untouched();
	uint64_t mapped = snap__memory_mapped();

	return mapped > untouched ? mapped - untouched : 0;
}

uint64_t snap__metrics_threads(void)
{
	char text[2500];
	uint64_t value = 0;

	if (read_proc("/status", text, sizeof(text)) > 0)
		number_after(text, "Threads:", &value);
	return value;
}

uint64_t snap__metrics_threads_seen(void)
{
	return threads_seen ? threads_seen : snap__metrics_threads();
}

bool snap__metrics_sleeps(uint64_t *switches)
{
	uint64_t before = *switches;
	char text[2500];
	const char *state;

	if (read_proc("/status", text, sizeof(text)) <= 0 ||
	    !number_after(text, "voluntary_ctxt_switches:", switches))
		return false;
	state = strstr(text, "\nState:\t");
	return state && state[8] == 'S' && before != 0 && *switches == before;
}

uint64_t snap__metrics_resident(void)
{
	char text[2500];
	uint64_t value = 0;

	if (read_proc("/status", text, sizeof(text)) > 0)
		number_after(text, "VmRSS:", &value);
	return value * 1024;
}

uint64_t snap__metrics_start_ticks(void)
{
	char text[1024];
	const char *at;

	if (read_proc("/stat", text, sizeof(text)) <= 0)
		return 0;
	/* The name, field 2, may hold blanks and parentheses: count from its last ')'. */
	at = strrchr(text, ')');
	for (int field = 2; at && field < 22; field++) {
		at = strchr(at + 1, ' ');
	}
	return at ? snap__parse_u64(at, NULL) : 0;
}
