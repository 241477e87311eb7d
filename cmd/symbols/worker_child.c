/*
 * worker_child.c - the child's side: read modules, within limits, and answer.
 */
#include "symbols/worker.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/array.h"
#include "base/memory.h"
#include "model/model.h"
#include "symbols/demangle.h"
#include "symbols/module.h"
#include "symbols/wire.h"

/*
 * Much more than sound files take: elfutils maps them, unpacks sections to a few times their size,
 * and keeps what it has parsed.
 */
#define MEMORY_LEAST    (UINT64_C(256) << 20)
#define MEMORY_PER_BYTE 32
#define CPU_LEAST_MS    15000
#define CPU_BYTES_MS    8192 /* bytes that a millisecond is allowed for */

enum { PATH_SIZE_MAX = SNAP_STRING_MAX };

struct opened {
	struct module *module;
	bool tried, offline;
};

static struct {
	struct wire wire;
	const char *debug_root;
	struct texts *texts;
	struct model *sent; /* its strings are the texts that were sent; their ids, the numbers */
	uint32_t sent_count;
	struct opened *modules; /* by the command's numbers */
	size_t module_room;
	uint64_t file_bytes, text_bytes, lookups;
	uint64_t memory_at_start;
	struct rlimit data, cpu; /* the command's own */
	char path[PATH_SIZE_MAX + 1], build_id[PATH_SIZE_MAX + 1];
	struct wire_lookup asked[WIRE_LOOKUPS_MAX];
	struct symbol_frame frames[LINES_FRAMES_MAX];
} child;

_Noreturn static void out_of_memory(const char *doing)
{
	(void)doing;
	_exit(WORKER_OUT_OF_MEMORY);
}

/* Limits. */

/** Writable memory of this process, which RLIMIT_DATA counts. */
static uint64_t data_memory(void)
{
	unsigned long long pages = 0;
	FILE *statm = fopen("/proc/self/statm", "re");

	if (statm && fscanf(statm, "%*u %*u %*u %*u %*u %llu", &pages) != 1)
		pages = 0;
	if (statm)
		fclose(statm);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/** A limit that cannot be read must not look like a limit of 0. */
static struct rlimit limit_of(int resource)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) != 0)
		limit = (struct rlimit){RLIM_INFINITY, RLIM_INFINITY};
	return limit;
}

static void set_limit(int resource, const struct rlimit *inherited, uint64_t most)
{
	struct rlimit ours = *inherited;

	if (most < ours.rlim_cur)
		ours.rlim_cur = most;
	setrlimit(resource, &ours);
}

static uint64_t memory_allowed(void)
{
	return MEMORY_LEAST + MEMORY_PER_BYTE * child.file_bytes;
}

/** The limits follow from what the child has read and was asked so far. */
static void set_limits(void)
{
	uint64_t cpu_ms = CPU_LEAST_MS + child.file_bytes / CPU_BYTES_MS + child.lookups;

	if (memory_can_be_limited())
		set_limit(RLIMIT_DATA, &child.data, child.memory_at_start + memory_allowed());
	set_limit(RLIMIT_CPU, &child.cpu, cpu_ms / 1000);
}

static void use_file(uint64_t bytes)
{
	child.file_bytes += bytes;
	set_limits();
}

/* The process. */

static void out_of_time(int number)
{
	(void)number;
	_exit(WORKER_OUT_OF_TIME);
}

/** No file of the command's stays open here, and nothing that elfutils prints is seen. */
static void drop_files(int fd)
{
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	/* A sanitizer's report must be visible. */
	int last = memory_can_be_limited() ? STDERR_FILENO : STDOUT_FILENO;

	for (int i = STDIN_FILENO; i <= last && nothing >= 0; i++)
		dup2(nothing, i);
	if (fd > STDERR_FILENO + 1)
		close_range(STDERR_FILENO + 1, (unsigned)fd - 1, 0);
	close_range((unsigned)fd + 1, ~0u, 0);
}

static void become_child(int fd)
{
	static const struct rlimit no_core = {0, 0};
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	drop_files(fd);
	setrlimit(RLIMIT_CORE, &no_core);
	child.data = limit_of(RLIMIT_DATA);
	child.cpu = limit_of(RLIMIT_CPU);
	memory_on_failure(out_of_memory);
	child.memory_at_start = data_memory();
	demangle_watch(out_of_time);
	set_limits();
}

/* Modules. */

static struct opened *module_slot(uint32_t number)
{
	size_t before = child.module_room;

	if (!array_room(&child.modules, &child.module_room, (size_t)number + 1,
			sizeof(*child.modules)))
		out_of_memory("reading modules");
	if (child.module_room > before)
		memset(child.modules + before, 0,
		       (child.module_room - before) * sizeof(*child.modules));
	return &child.modules[number];
}

/** Open what is not yet open, or what only debuginfod may have; a malloc'ed complaint, or NULL. */
static char *open_module(struct opened *opened, bool offline)
{
	const struct module_request request = {
		.path = child.path,
		.build_id = child.build_id,
		.debug_root = child.debug_root,
		.offline = offline,
		.on_use = use_file,
	};
	char *complaint = NULL;

	if (opened->tried && (opened->module || !opened->offline || offline))
		return NULL;
	*opened = (struct opened){.tried = true, .offline = offline};
	opened->module = module_open(&request, child.texts, &complaint);
	return complaint;
}

/* Answers. */

static void put(const void *data, size_t size)
{
	if (!wire_put(&child.wire, data, size))
		_exit(0); /* the command is gone */
}

/** The number of a text.  One that was not sent before is added to `fresh`. */
static uint32_t number_of(const char *text, const char **fresh, uint32_t *count)
{
	uint32_t number = model_string(child.sent, text, strnlen(text, WIRE_TEXT_MAX));

	if (number == SNAP_NONE)
		out_of_memory("sending names");
	if (number > child.sent_count) {
		child.sent_count = number;
		fresh[(*count)++] = text;
	}
	return number;
}

/** A symbol table may give each address a long name of its own. */
static void put_text(const char *text)
{
	uint32_t size = (uint32_t)strnlen(text, WIRE_TEXT_MAX);

	child.text_bytes += size;
	if (child.text_bytes > memory_allowed())
		out_of_memory("sending names");
	put(&size, sizeof(size));
	put(text, size);
}

static void put_answer(size_t count)
{
	struct wire_frame frames[LINES_FRAMES_MAX];
	const char *fresh[2 * LINES_FRAMES_MAX];
	struct wire_answer answer = {.frames = (uint32_t)count};

	for (size_t i = 0; i < count; i++) {
		const struct symbol_frame *frame = &child.frames[i];

		frames[i] = (struct wire_frame){
			.offset = frame->offset,
			.function = number_of(frame->function, fresh, &answer.texts),
			.file = number_of(frame->file, fresh, &answer.texts),
			.line = frame->line,
			.inlined = frame->inlined,
		};
	}
	put(&answer, sizeof(answer));
	for (uint32_t i = 0; i < answer.texts; i++)
		put_text(fresh[i]);
	put(frames, count * sizeof(*frames));
}

static size_t look_up(struct module *module, const struct wire_lookup *lookup)
{
	struct module_variable variable;

	if (lookup->kind == LOOKUP_CODE)
		return module_find(module, lookup->address, child.frames);
	if (!module_find_variable(module, lookup->address, lookup->kind == LOOKUP_TLS, &variable))
		return 0;
	child.frames[0] = (struct symbol_frame){
		.function = variable.name, .file = "", .offset = variable.offset};
	return 1;
}

static void put_module(const struct module *module, const char *complaint)
{
	const struct wire_module sent = {
		.found = module != NULL,
		.complete = module && module_is_complete(module),
		.complaint_size = complaint ? (uint32_t)strnlen(complaint, WIRE_TEXT_MAX) : 0,
	};

	put(&sent, sizeof(sent));
	put(complaint, sent.complaint_size);
}

static void get(void *data, size_t size)
{
	if (!wire_get(&child.wire, data, size))
		_exit(0); /* the command has what it wants */
}

static void get_text(char text[PATH_SIZE_MAX + 1], uint32_t size)
{
	if (size > PATH_SIZE_MAX)
		_exit(0);
	get(text, size);
	text[size] = '\0';
}

static void answer_request(void)
{
	struct wire_request request;
	struct opened *opened;
	char *complaint;

	get(&request, sizeof(request));
	get_text(child.path, request.path_size);
	get_text(child.build_id, request.build_id_size);
	if (request.lookups > WIRE_LOOKUPS_MAX)
		_exit(0);
	get(child.asked, request.lookups * sizeof(*child.asked));
	child.lookups += request.lookups;
	set_limits();
	opened = module_slot(request.module);
	complaint = open_module(opened, request.offline);
	put_module(opened->module, complaint);
	free(complaint);
	for (uint32_t i = 0; i < request.lookups; i++)
		put_answer(opened->module ? look_up(opened->module, &child.asked[i]) : 0);
	if (!wire_flush(&child.wire))
		_exit(0);
}

_Noreturn void worker_serve(int fd, const char *debug_root, bool plain)
{
	become_child(fd);
	if (plain)
		demangle_plain();
	wire_init(&child.wire, fd);
	child.debug_root = debug_root;
	child.texts = texts_new();
	child.sent = model_new();
	if (!child.texts || !child.sent)
		out_of_memory("reading modules");
	for (;;)
		answer_request();
}
