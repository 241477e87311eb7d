/*
 * runtime/process.c - who we are: the process's identity, its beginning, forks and end.
 */
#include "runtime/process.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "runtime/alone.h"
#include "runtime/arena.h"
#include "runtime/lock.h"
#include "runtime/mappings.h"
#include "runtime/message.h"
#include "runtime/metrics.h"
#include "runtime/os_linux.h"
#include "runtime/record.h"
#include "runtime/sidetable.h"
#include "runtime/snapshot.h"
#include "runtime/text.h"
#include "runtime/trigger.h"
#include "runtime/verify.h"
#include "write/sys.h"

#define EXIT_WAIT_NS        100000000ull
#define UNSEEN_WORTH_SAYING (64ull << 20)

/* Life of a process's recording. */
enum state { PASSIVE, STARTING, RECORDING, STOPPED };
enum exit_state { NOT_EXITING, TAKING, TAKEN };

static struct snap__config config;
static struct snap__identity identity;
static struct snap__host host;
static atomic_uint state;
static atomic_uint exit_state; /* also what other exiting threads sleep on */
static atomic_uint *witness;   /* 1 here and in vfork children, 0 in copies */
static struct snap__lock labels_lock;
static bool is_prepared;   /* what is set up once and survives a stop */
static bool wants_threads; /* main() is near, or has begun: the helper may be started */

const struct snap__config *snap__process_config(void)
{
	return &config;
}

const struct snap__identity *snap__process_identity(void)
{
	return &identity;
}

const struct snap__host *snap__process_host(void)
{
	return &host;
}

/* ---- identity -------------------------------------------------------------------------------- */

static bool is_same_file(const char *a, const char *b)
{
	struct stat first, second;

	return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
	       first.st_ino == second.st_ino;
}

/* The program is called what it was started as (one executable may have several names), unless
   that was a script, which says nothing of the executable. */
static void find_program(void)
{
	struct snap__text name = SNAP__TEXT(identity.program);
	struct snap__text exe = SNAP__TEXT(identity.exe);
	const char *started_as = (const char *)(uintptr_t)getauxval(AT_EXECFN);
	ssize_t n = readlink("/proc/self/exe", identity.exe, sizeof(identity.exe) - 1);
	const char *path = identity.exe, *slash;

	if (n >= 0)
		identity.exe[n] = '\0';
	else
		snap__text_add(&exe, started_as ? started_as : "unknown");
	if (started_as && is_same_file(started_as, identity.exe))
		path = started_as;
	slash = strrchr(path, '/');
	snap__text_add(&name, slash && slash[1] ? slash + 1 : path);
	for (char *c = identity.program; *c; c++)
		if ((unsigned char)*c < ' ' || *c == '/')
			*c = '_';
}

/* The arguments, separated by blanks, quoted where a shell would need it. */
static void find_command(void)
{
	static char raw[sizeof(identity.command) / 2];
	long size = snap__os_read_file("/proc/self/cmdline", raw, sizeof(raw));
	struct snap__text out = SNAP__TEXT(identity.command);

	for (const char *at = raw; size > 0 && at < raw + size; at += snap__length(at) + 1) {
		bool plain = *at && !at[strcspn(at, " \t\n\"'\\$`;&|<>()*?[]#~!{}")];

		if (at > raw)
			snap__text_add(&out, " ");
		snap__text_add(&out, plain ? "" : "'");
		for (const char *c = at; *c; c++)
			snap__text_add_bytes(&out, *c == '\'' ? "'\\''" : c, *c == '\'' ? 4 : 1);
		snap__text_add(&out, plain ? "" : "'");
	}
	if (size <= 0)
		snap__text_add(&out, identity.program);
}

static void identify_process(void)
{
	identity.pid = getpid();
	identity.parent = getppid();
	identity.start_ticks = snap__metrics_start_ticks();
	identity.start_time_ns = snap__os_wall_ns();
	if (witness)
		atomic_store(witness, 1);
}

static void identify(void)
{
	struct utsname names;
	struct snap__text name = SNAP__TEXT(identity.host);

	find_program();
	find_command();
	if (uname(&names) == 0)
		snap__text_add(&name, names.nodename);
	identify_process();
}

enum snap__relation snap__process_relation(void)
{
	if (getpid() == identity.pid)
		return SNAP__OURS;
	return witness && atomic_load(witness) == 0 ? SNAP__COPY : SNAP__BORROWED;
}

/* ---- start and stop -------------------------------------------------------------------------- */

static bool make_absolute(void)
{
	char *out = config.out;
	size_t length = snap__length(out), used;
	static char here[SNAP__PATH_MAX / 2];

	if (out[0] == '/')
		return true;
	if (!getcwd(here, sizeof(here)))
		return false;
	used = snap__length(here);
	if (used == 1)
		used = 0; /* the root */
	memmove(out + used + 1, out, length + 1);
	memcpy(out, here, used);
	out[used] = '/';
	return true;
}

/* NULL, or a sentence; `*error` is its errno value or 0. */
static const char *prepare_directory(int *error)
{
	*error = 0;
	if (!make_absolute()) {
		*error = errno;
		return "cannot find the current directory";
	}
	errno = 0;
	if (!snap__os_make_directory(config.out) ||
	    faccessat(AT_FDCWD, config.out, W_OK | X_OK, AT_EACCESS) != 0) {
		*error = errno ? errno : ENOTDIR;
		return "cannot write to";
	}
	return NULL;
}

static bool prepare_tables(void)
{
	if (!is_prepared) {
		if (!witness)
			witness = snap__os_fork_witness();
		if (!snap__threads_init() ||
		    !snap__heapmap_init(host.granule_shift, config.sample_bytes > 0))
			return false;
		snap__sample_init(config.sample_bytes, config.seed);
		snap__unwind_init(config.depth);
		if (config.mmap && !snap__mappings_init(host.malloc_address))
			return false;
		is_prepared = true;
	} else {
		snap__record_reset();
		snap__mappings_clear();
	}
	identify();
	return true;
}

/* "PID PROGRAM", as every line for `snapdiff run` begins. */
static void hello_begin(struct snap__text *line)
{
	snap__text_add_u64(line, (uint64_t)identity.pid);
	snap__text_add(line, " ");
	snap__text_add(line, identity.program);
}

/* Append the line at once, where `snapdiff run` reads it. */
static void hello_send(struct snap__text *line)
{
	int fd, ignored;

	if (!config.hello[0])
		return;
	snap__text_add(line, "\n");
	fd = snap__sys_open(config.hello, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return;
	snap__os_write_all(fd, line->data, line->size, &ignored);
	snap__sys_close(fd);
}

/* Tell `snapdiff run` that recording has started. */
static void say_started(void)
{
	char buffer[sizeof(identity.program) + 64];
	struct snap__text line = SNAP__TEXT(buffer);

	hello_begin(&line);
	snap__text_add(&line, " ok");
	hello_send(&line);
}

/* ... or why not. */
static void say_refused(const char *problem, const char *detail, int error)
{
	char buffer[SNAP__PATH_MAX / 2];
	struct snap__text line = SNAP__TEXT(buffer);

	hello_begin(&line);
	snap__text_add(&line, " error ");
	snap__text_add(&line, problem);
	snap__text_add(&line, detail ? " " : "");
	snap__text_add(&line, detail ? detail : "");
	if (error && snap__error_text(error)) {
		snap__text_add(&line, ": ");
		snap__text_add(&line, snap__error_text(error));
	}
	hello_send(&line);
}

/* ... or, at the end, that what was recorded is the lesser part of the memory. */
static void say_unseen(void)
{
	char buffer[sizeof(identity.program) + 128];
	struct snap__text line = SNAP__TEXT(buffer);
	struct snap__unseen unseen = snap__snapshot_unseen();

	if (unseen.bytes < UNSEEN_WORTH_SAYING || unseen.bytes <= unseen.live_bytes)
		return;
	hello_begin(&line);
	snap__text_add(&line, " unseen ");
	snap__text_add_u64(&line, unseen.bytes);
	snap__text_add(&line, " ");
	snap__text_add_u64(&line, unseen.live_bytes);
	hello_send(&line);
}

static enum snap_status refuse(enum snap_status st, const char *problem, const char *detail,
			       int error)
{
	identify();
	/* Under `snapdiff run` the host's standard error stays as it would be. */
	if (config.hello[0])
		say_refused(problem, detail, error);
	else
		snap__message(problem, detail, error);
	atomic_store(&state, PASSIVE);
	return st;
}

/* What must wait until constructors of libc's have run: threads, and loading libraries. */
static void begin_late(void)
{
	snap__thread_internal(true);
	snap__verify_init(config.verify, config.depth);
	snap__thread_internal(false);
	snap__trigger_start();
}

static enum snap_status begin_recording(void)
{
	const char *problem;
	int error;

	if (host.in_front)
		return refuse(SNAP_EUNSUPPORTED,
			      "cannot record: malloc is answered in front of libsnap by",
			      host.in_front, 0);
	problem = prepare_directory(&error);
	if (problem)
		return refuse(SNAP_EIO, problem, config.out, error);
	if (!prepare_tables())
		return refuse(SNAP_ENOMEM, "cannot record: not enough memory for the recorder",
			      NULL, 0);
	atomic_store(&exit_state, NOT_EXITING);
	atomic_store(&state, RECORDING);
	snap__record_switch(true);
	if (wants_threads)
		begin_late();
	snap__trigger_arm();
	say_started();
	return SNAP_OK;
}

enum snap_status snap__process_start(const struct snap_config *wanted)
{
	static char labels[sizeof(config.labels)]; /* those of the environment, and any set since */
	unsigned was = atomic_load(&state);
	const char *complaint;

	do {
		if (was == RECORDING || was == STARTING)
			return SNAP_OK;
	} while (!atomic_compare_exchange_weak(&state, &was, STARTING));
	memcpy(labels, config.labels, sizeof(labels));
	complaint = snap__config_from_environment(
		&config, getauxval(AT_SECURE) ? NULL : (const char *const *)environ);
	memcpy(config.labels, labels, sizeof(labels));
	if (!complaint && wanted)
		complaint = snap__config_apply(&config, wanted);
	wants_threads = true;
	if (complaint)
		return refuse(SNAP_EINVAL, complaint, NULL, 0);
	return begin_recording();
}

enum snap_status snap__process_stop(void)
{
	unsigned recording = RECORDING;

	if (!atomic_compare_exchange_strong(&state, &recording, STOPPED))
		return SNAP_ESTATE;
	snap__record_switch(false);
	snap__trigger_disarm();
	return SNAP_OK;
}

void snap__process_main(void)
{
	wants_threads = true;
	if (atomic_load(&state) == RECORDING)
		begin_late();
}

void snap__process_tick(void)
{
	if (wants_threads && !snap__trigger_is_running() && atomic_load(&state) == RECORDING &&
	    atomic_load(&exit_state) == NOT_EXITING && snap__process_relation() == SNAP__OURS)
		snap__trigger_start();
}

/* ---- calls that are refused to processes with several threads ----------------------------------
 */

int snap__process_alone(int (*call)(int, int), int first, int second)
{
	int result = call(first, second);
	bool had_helper = snap__trigger_is_running();

	if (result == 0 || errno != EINVAL || !had_helper || !snap__trigger_stop())
		return result;
	result = call(first, second);
	snap__trigger_start();
	return result;
}

bool snap__process_before_identity(void)
{
	if (snap__process_relation() == SNAP__OURS)
		snap__alone_tell();
	return snap__trigger_is_running() && snap__process_relation() == SNAP__OURS &&
	       !snap__trigger_is_alike() && snap__trigger_stop();
}

void snap__process_after_identity(bool made_way)
{
	if (made_way)
		snap__trigger_start();
}

/* ---- fork ------------------------------------------------------------------------------------ */

static void before_fork(void)
{
	snap__mappings_before_fork();
	snap__side_before_fork();
	snap__verify_before_fork();
}

static void after_fork_in_parent(void)
{
	snap__verify_after_fork_in_parent();
	snap__side_after_fork();
	snap__mappings_after_fork();
}

static void after_fork_in_child(void)
{
	struct snap__thread *self = snap__thread_self;

	snap__verify_after_fork_in_child();
	snap__side_after_fork();
	snap__mappings_after_fork();
	if (atomic_load(&state) == PASSIVE)
		return;
	snap__threads_after_fork();
	if (self) {
		snap__unwind_after_fork(self->unwind);
		snap__sample_after_fork(&self->sampler, (uint64_t)getpid());
	}
	snap__lock_reset(&labels_lock);
	snap__snapshot_after_fork();
	identify_process();
	snap__alone_after_fork();
	snap__trigger_after_fork();
	atomic_store(&exit_state, NOT_EXITING);
	if (!config.follow) {
		snap__record_switch(false);
		atomic_store(&state, STOPPED);
	} else if (atomic_load(&state) == RECORDING) {
		say_started(); /* its snapshots count as those of the run */
	}
}

void snap__process_forked(void)
{
	snap__process_tick();
}

/* ---- exit ------------------------------------------------------------------------------------ */

/* Another thread takes the exit snapshot: the process must not end before it is done. */
static void wait_for_exit_snapshot(void)
{
	uint64_t seen = snap__snapshot_progress();

	for (unsigned idle = 0; idle < 40 && atomic_load(&exit_state) == TAKING; idle++) {
		snap__os_wait(&exit_state, TAKING, EXIT_WAIT_NS);
		if (snap__snapshot_progress() != seen) {
			seen = snap__snapshot_progress();
			idle = 0;
		}
	}
}

static void take_exit_snapshot(void)
{
	unsigned not_yet = NOT_EXITING;

	if (atomic_load(&state) != RECORDING)
		return;
	switch (snap__process_relation()) {
	case SNAP__BORROWED:
		return;
	case SNAP__COPY:
		after_fork_in_child();
		break;
	case SNAP__OURS:
		break;
	}
	if (!atomic_compare_exchange_strong(&exit_state, &not_yet, TAKING)) {
		wait_for_exit_snapshot();
		return;
	}
	snap__trigger_disarm();
	if (config.exit != SNAP_EXIT_NONE)
		snap__trigger_take(SNAP__AT_EXIT, "", NULL, 0);
	say_unseen();
	snap__verify_report();
	atomic_store(&exit_state, TAKEN);
	snap__os_wake(&exit_state);
}

void snap__process_exit_begins(void)
{
	if (config.exit == SNAP_EXIT_EARLY)
		take_exit_snapshot();
}

void snap__process_exit(void)
{
	take_exit_snapshot();
}

/*
 * The main thread called pthread_exit().  A process ends, with exit(0), when its last thread does;
 * the helper's threads must not keep it alive, nor be that last one: their file descriptors are not
 * the host's, whose buffers exit() will flush.  So another thread waits for that moment.
 */
static void *wait_for_last_thread(void *unused)
{
	snap__thread_internal(true);
	for (;;) {
		uint64_t ours = 1 + snap__trigger_thread_count(); /* this one, and the helper's */
		uint64_t all = snap__metrics_threads();

		/* The main thread counts until the process ends. */
		if (all ? all <= ours + 1 : !snap__threads_in_use())
			break;
		snap__os_sleep(5000000);
	}
	snap__thread_internal(false);
	exit(0);
	return unused;
}

void snap__process_thread_ends(void)
{
	if (getpid() != snap__os_thread_id() || !snap__trigger_is_running())
		return;
	snap__thread_internal(true);
	snap__trigger_spawn(wait_for_last_thread);
	snap__thread_internal(false);
}

static void at_exit(void *unused)
{
	(void)unused;
	take_exit_snapshot();
}

static void at_quick(void)
{
	take_exit_snapshot();
}

extern int __cxa_atexit(void (*fn)(void *), void *argument, void *dso);

void snap__process_load(char **environment, const struct snap__host *the_host)
{
	const char *complaint;
	bool is_secure = getauxval(AT_SECURE) != 0;

	host = *the_host;
	snap__alone_init(host.alone[0], host.alone[1]);
	complaint = snap__config_from_environment(
		&config, is_secure ? NULL : (const char *const *)environment);
	pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
	/* The first to be registered runs last: after every static and library destructor. */
	__cxa_atexit(at_exit, NULL, NULL);
	(void)at_quick_exit(at_quick); /* fails only for want of memory: no snapshot there, then */
	if (!config.active)
		return;
	if (!config.follow)
		snap__config_unfollow(environment);
	atomic_store(&state, STARTING);
	if (complaint)
		refuse(SNAP_EINVAL, complaint, NULL, 0);
	else
		begin_recording();
}

/* ---- labels ---------------------------------------------------------------------------------- */

/* The line of `key` in config.labels, or NULL. */
static char *label_line(const char *key)
{
	size_t n = snap__length(key);

	for (char *line = config.labels; *line;) {
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
	size_t used = snap__length(config.labels);
	struct snap__text text = snap__text_in(config.labels + used, sizeof(config.labels) - used);

	if (used > 0 && config.labels[used - 1] != '\n')
		snap__text_add(&text, "\n");
	snap__text_add(&text, key);
	snap__text_add(&text, "=");
	snap__text_add(&text, value);
	if (text.cut)
		config.labels[used] = '\0';
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
	static char copy[sizeof(config.labels)];

	if (!snap__lock_take(&labels_lock))
		return;
	memcpy(copy, config.labels, sizeof(copy));
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
