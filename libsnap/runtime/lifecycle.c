/*
 * runtime/lifecycle.c - a process's recording: its start, forks and end.
 */
#include "runtime/lifecycle.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arch/arch.h"
#include "runtime/alone.h"
#include "runtime/arena.h"
#include "runtime/doorbell.h"
#include "runtime/hello.h"
#include "runtime/helper.h"
#include "runtime/holders/owned.h"
#include "runtime/mappings.h"
#include "runtime/message.h"
#include "runtime/metrics.h"
#include "runtime/os_linux.h"
#include "runtime/python/python.h"
#include "runtime/record.h"
#include "runtime/sandbox.h"
#include "runtime/sidetable.h"
#include "runtime/snapshot.h"
#include "runtime/stacks.h"
#include "runtime/text.h"
#include "runtime/trigger.h"
#include "runtime/verify.h"
#include "runtime/hidden.h"
#include "write/sys.h"

#define EXIT_WAIT_NS        100000000ull
#define MEMORY_LEAST        (64ull << 20)
#define MEMORY_MOST         (256ull << 20)
#define UNSEEN_WORTH_SAYING (64ull << 20)
/* The least that a forked child must have done to leave a snapshot when it becomes another
   program, or ends because it could not. */
#define FORKED_BLOCKS 4096u
#define FORKED_NS     1000000000ull

/* States of a process's recording. */
enum state { PASSIVE, STARTING, RECORDING, STOPPED };
/* State of the exit snapshot. While it is taken: TAKING, and the id of the thread that takes it. */
enum exit_state { NOT_EXITING, TAKEN, TAKING = 1 << 30 };

static atomic_uint state;
static atomic_uint exit_state;    /* other exiting threads sleep on this word */
static _Atomic uintptr_t exiting; /* the thread that called exit() first; 0: none */
static bool was_forked;
static uint64_t allocated_at_fork;
static atomic_bool could_not_become; /* an exec of this process failed */
static bool is_prepared;             /* what is set up once and survives a stop */
static bool wants_threads;           /* main() is near, or has begun: the helper may be started */

/* ---- start and stop -------------------------------------------------------------------------- */

static bool make_absolute(void)
{
	char *out = snap__settings.out;
	size_t length = snap__length(out), used;
	static char here[SNAP__PATH_MAX / 2] SNAP__PAGES;

	if (out[0] == '/')
		return true;
	if (!snap__sys_getcwd(here, sizeof(here)))
		return false;
	used = snap__length(here);
	if (used == 1)
		used = 0; /* the root */
	memmove(out + used + 1, out, length + 1);
	memcpy(out, here, used);
	out[used] = '/';
	return true;
}

/* Is the directory there, and may we write to it?  "DIR/." names no other kind of file. */
static bool has_directory(void)
{
	char *out = snap__settings.out;
	size_t length = snap__length(out);
	bool has;

	if (length + sizeof("/.") > sizeof(snap__settings.out))
		return false;
	memcpy(out + length, "/.", sizeof("/."));
	has = snap__sys_access(out, W_OK | X_OK) == 0;
	out[length] = '\0';
	return has;
}

/* NULL, or a sentence; `*error` is its errno value or 0. */
static const char *prepare_directory(int *error)
{
	bool made;

	*error = 0;
	if (!make_absolute()) {
		*error = errno;
		return "cannot find the current directory";
	}
	if (has_directory())
		return NULL;
	made = snap__os_make_directory(snap__settings.out);
	/* If the path exists and could not be made, it is not a directory. */
	if (snap__sys_access(snap__settings.out, made ? W_OK | X_OK : F_OK) != 0)
		*error = errno;
	else if (!made)
		*error = ENOTDIR;
	if (*error)
		return "cannot write to";
	return NULL;
}

/* Without `snapdiff run`, which knows the cgroup: a twentieth of the machine's memory. */
static uint64_t default_memory(void)
{
	uint64_t share = snap__os_machine_memory() / 20;

	return share < MEMORY_LEAST ? MEMORY_LEAST : share > MEMORY_MOST ? MEMORY_MOST : share;
}

static bool prepare_tables(void)
{
	if (!is_prepared) {
		snap__process_make_witness();
		snap__sandbox_begin();
		if (!snap__sandbox_is_filtered())
			snap__process_note_thread_word();
		if (!snap__threads_init() ||
		    !snap__heapmap_init(snap__process_host()->granule_shift,
					snap__settings.sample_bytes > 0))
			return false;
		snap__sample_init(snap__settings.sample_bytes, snap__settings.seed);
		snap__stacks_limit(snap__settings.memory_bytes ? snap__settings.memory_bytes
							       : default_memory());
		snap__unwind_init(snap__settings.depth);
		snap__owned_init(snap__equal(snap__process_host()->allocator, "glibc")
					 ? NULL
					 : snap__process_host()->malloc_address);
		if (snap__settings.mmap && !snap__process_host()->in_front &&
		    !snap__mappings_init(snap__process_host()->malloc_address))
			return false;
		snap__reserve_keep();
		is_prepared = true;
	} else {
		snap__record_reset();
		snap__mappings_clear();
	}
	snap__process_find();
	return true;
}

/* Less than half of the memory was recorded. */
static void say_unseen(void)
{
	struct snap__unseen unseen = snap__snapshot_unseen();

	if (unseen.bytes >= UNSEEN_WORTH_SAYING && unseen.bytes > unseen.live_bytes)
		snap__hello_unseen(unseen.bytes, unseen.live_bytes);
}

static enum snap_status refuse(enum snap_status st, const char *problem, const char *detail,
			       int error)
{
	snap__process_find();
	/* Under `snapdiff run` the host's standard error stays as it would be. */
	if (snap__hello_is_wanted())
		snap__hello_refused(problem, detail, error);
	else
		snap__message(problem, detail, error);
	atomic_store(&state, PASSIVE);
	return st;
}

/* After a filter no caller has anything to do here, and the question to the kernel might end the
   process. */
static bool is_ours(void)
{
	return !snap__trigger_is_silent() && snap__process_relation() == SNAP__OURS;
}

/*
 * Called regularly from the record path: start a helper that should be running.  No system call is
 * made unless there is something to do, and none but prctl() after a filter.
 */
static void tick(void)
{
	if (!wants_threads || atomic_load(&state) != RECORDING ||
	    atomic_load(&exit_state) != NOT_EXITING || snap__trigger_is_filtered() ||
	    (!snap__trigger_tick_is_due() && !snap__message_is_kept()))
		return;
	if (is_ours()) {
		snap__trigger_tick();
		snap__message_flush();
	}
}

/* Said only once, because such snapshots become due again and again. */
static void say_no_helper(void)
{
	static const char *const sentence =
		"under valgrind no snapshots are taken by a timer, a signal or a request";

	if (!snap__helper_is_forbidden() || (!snap__settings.every_ns && !snap__settings.signal))
		return;
	if (snap__hello_is_wanted())
		snap__hello_refused(sentence, NULL, 0);
	else
		snap__message(sentence, NULL, 0);
}

/* Steps that must wait until libc's constructors have run: starting a helper, and loading
   libraries. */
static void begin_late(void)
{
	snap__thread_internal(true);
	snap__verify_init(snap__settings.verify, snap__settings.depth);
	snap__thread_internal(false);
	snap__record_on_tick(tick);
	say_no_helper();
	if (!snap__helper_is_forbidden())
		snap__doorbell_hang();
	snap__trigger_begin();
}

static enum snap_status begin_recording(void)
{
	const char *problem;
	int error;

	/* An interpreter's own hook functions can still be used. */
	if (snap__process_host()->in_front && !snap__python_can_start())
		return refuse(SNAP_EUNSUPPORTED,
			      "cannot record: malloc is answered in front of libsnap by",
			      snap__process_host()->in_front, 0);
	problem = prepare_directory(&error);
	if (problem)
		return refuse(SNAP_EIO, problem, snap__settings.out, error);
	if (!prepare_tables())
		return refuse(SNAP_ENOMEM, "cannot record: not enough memory for the recorder",
			      NULL, 0);
	/* A program that has a filter may have become this one. */
	if (snap__process_self()->pid <= 0)
		return refuse(SNAP_EUNSUPPORTED,
			      "cannot record: a filter of system calls refuses getpid()", NULL, 0);
	atomic_store(&exit_state, NOT_EXITING);
	atomic_store(&state, RECORDING);
	snap__record_switch(true);
	snap__python_start();
	if (wants_threads)
		begin_late();
	snap__trigger_arm();
	snap__hello_started();
	return SNAP_OK;
}

enum snap_status snap__process_start(const struct snap_config *wanted)
{
	/* The labels of the environment, and those set since. */
	static char labels[sizeof(snap__settings.labels)] SNAP__PAGES;
	unsigned was = atomic_load(&state);
	const char *complaint;

	do {
		if (was == RECORDING || was == STARTING)
			return SNAP_OK;
	} while (!atomic_compare_exchange_weak(&state, &was, STARTING));
	memcpy(labels, snap__settings.labels, sizeof(labels));
	memset(&snap__settings, 0, sizeof(snap__settings));
	complaint = snap__config_from_environment(
		&snap__settings, getauxval(AT_SECURE) ? NULL : (const char *const *)environ);
	memcpy(snap__settings.labels, labels, sizeof(labels));
	if (!complaint && wanted)
		complaint = snap__config_apply(&snap__settings, wanted);
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

/* ---- system calls that conflict with a helper ------------------------------------------------ */

int snap__process_alone(int (*call)(int, int), int first, int second)
{
	int result = call(first, second);
	bool has_helper = snap__trigger_is_running();

	if (result == 0 || (errno != EINVAL && errno != EUSERS) || !has_helper || !is_ours() ||
	    !snap__trigger_stop())
		return result;
	result = call(first, second);
	snap__trigger_start();
	return result;
}

struct snap__way snap__process_make_way(void)
{
	if (atomic_load(&state) == PASSIVE || !is_ours())
		return (struct snap__way){false, false};
	return snap__trigger_make_way();
}

void snap__process_after_credentials(struct snap__way way)
{
	int saved = errno;

	snap__trigger_free_way(way);
	if (way.was_made)
		snap__trigger_start();
	errno = saved;
}

void snap__process_confine(bool filtered)
{
	int saved = errno;

	if (atomic_load(&state) == RECORDING && is_ours())
		snap__trigger_confine(filtered);
	else if (atomic_load(&state) == RECORDING && filtered)
		snap__trigger_confine_more();
	errno = saved;
}

/* ---- becoming another program ---------------------------------------------------------------- */

/* A child that was forked only to execute another program leaves no snapshot. */
static bool is_worth_a_snapshot(void)
{
	return !was_forked ||
	       snap__threads_total(SNAP__COUNT_ALLOCATED) - allocated_at_fork >= FORKED_BLOCKS ||
	       snap__process_age_ns() >= FORKED_NS;
}

bool snap__process_exec_begins(void)
{
	int saved = errno;
	bool made_way = false;

	if (atomic_load(&state) == RECORDING && is_ours()) {
		if (snap__settings.exit != SNAP_EXIT_NONE && is_worth_a_snapshot())
			snap__trigger_take_last(0);
		made_way = snap__trigger_is_running() && snap__trigger_stop();
	}
	errno = saved;
	return made_way;
}

void snap__process_exec_failed(bool made_way)
{
	int saved = errno;

	if (made_way)
		snap__trigger_start();
	if (atomic_load(&state) == RECORDING && is_ours())
		atomic_store(&could_not_become, true);
	errno = saved;
}

/* ---- fork ------------------------------------------------------------------------------------ */

static void before_fork(void)
{
	snap__mappings_before_fork();
	snap__side_before_fork();
	snap__python_before_fork();
	snap__verify_before_fork();
}

static void after_fork_in_parent(void)
{
	snap__python_after_fork();
	if (snap__trigger_is_filtered()) /* the kernel is asked by the child */
		snap__trigger_child_unwritten();
	snap__verify_after_fork_in_parent();
	snap__side_after_fork();
	snap__mappings_after_fork();
}

static void after_any_fork_in_child(bool by_libc)
{
	struct snap__thread *self = snap__thread_self;

	snap__python_after_fork();
	snap__verify_after_fork_in_child();
	snap__side_after_fork();
	snap__mappings_after_fork();
	if (atomic_load(&state) == PASSIVE)
		return;
	if (snap__trigger_is_silent()) {
		/* The filter is the child's, too, and it has no helper: no system call is safe. */
		snap__record_switch(false);
		atomic_store(&state, STOPPED);
		return;
	}
	snap__reserve_forget(NULL); /* a thread that does not exist here may have used it */
	snap__threads_after_fork();
	if (self) {
		snap__unwind_after_fork(self->unwind);
		snap__sample_after_fork(&self->sampler, (uint64_t)snap__sys_getpid());
	}
	snap__snapshot_after_fork();
	snap__process_after_fork();
	snap__alone_after_fork();
	snap__trigger_after_fork(by_libc);
	atomic_store(&exit_state, NOT_EXITING);
	atomic_store(&exiting, 0);
	was_forked = true;
	atomic_store(&could_not_become, false);
	allocated_at_fork = snap__threads_total(SNAP__COUNT_ALLOCATED);
	if (!snap__settings.follow ||
	    !snap__config_follows(&snap__settings, snap__process_self()->program)) {
		snap__record_switch(false);
		atomic_store(&state, STOPPED);
	} else if (atomic_load(&state) == RECORDING) {
		snap__hello_started(); /* its snapshots count as those of the run */
	}
}

static void after_fork_in_child(void)
{
	after_any_fork_in_child(true);
}

void snap__process_forked(void)
{
	tick();
}

/* ---- exit ------------------------------------------------------------------------------------ */

/* Another thread takes the exit snapshot: the process must not end before it is done. */
static void wait_for_exit_snapshot(void)
{
	uint64_t seen = snap__snapshot_progress();
	unsigned now;

	for (unsigned idle = 0; idle < 40 && (now = atomic_load(&exit_state)) & TAKING; idle++) {
		snap__os_wait(&exit_state, now, EXIT_WAIT_NS);
		if (snap__snapshot_progress() != seen) {
			seen = snap__snapshot_progress();
			idle = 0;
		}
	}
}

/* The state while this thread takes it. */
static unsigned taken_here(void)
{
	return TAKING | (unsigned)snap__os_thread_id();
}

static atomic_int late_signal; /* a signal that arrived while the thread was taking it */

/* What the process leaves.  Of a program that could not be executed, its parent has the same heap. */
static void leave(int signal)
{
	if (signal != 0 || !atomic_load(&could_not_become) || is_worth_a_snapshot()) {
		snap__trigger_take_last(signal);
		return;
	}
	snap__trigger_omit_last();
	snap__hello_nothing();
}

static void take_exit_snapshot(int signal)
{
	unsigned not_yet = NOT_EXITING;
	int late;

	if (atomic_load(&state) != RECORDING || snap__trigger_is_silent())
		return; /* after a filter, the helper does this */
	switch (snap__process_relation()) {
	case SNAP__BORROWED:
		return;
	case SNAP__COPY:
		after_any_fork_in_child(false);
		break;
	case SNAP__OURS:
		break;
	}
	if (!atomic_compare_exchange_strong(&exit_state, &not_yet, taken_here())) {
		wait_for_exit_snapshot();
		return;
	}
	snap__trigger_disarm();
	if (snap__settings.exit != SNAP_EXIT_NONE)
		leave(signal);
	if (signal == 0) {
		say_unseen();
		if (snap__snapshot_merged())
			snap__hello_merged(snap__snapshot_merged());
		snap__verify_report();
		snap__message_flush();
	}
	snap__trigger_end();
	atomic_store(&exit_state, TAKEN);
	snap__os_wake(&exit_state);
	late = atomic_exchange(&late_signal, 0);
	if (late)
		syscall(SYS_tgkill, snap__sys_getpid(), snap__os_thread_id(), late);
}

/*
 * Is another thread in exit()?  It has taken the functions that exit() calls off their list, ours with them.
 * So the calling thread would find none, and end the process before the snapshot is written.
 */
static bool others_exit(void)
{
	uintptr_t self = (uintptr_t)snap__arch_thread_pointer(), nobody = 0;

	if (!atomic_compare_exchange_strong(&exiting, &nobody, self))
		return nobody != self;
	return atomic_load(&exit_state) & TAKING; /* main() has returned */
}

void snap__process_exit_begins(void)
{
	bool is_second = others_exit();

	if (is_second || snap__settings.exit == SNAP_EXIT_EARLY)
		take_exit_snapshot(0);
}

bool snap__process_dies(int signal)
{
	if (atomic_load(&exit_state) == taken_here()) {
		atomic_store(&late_signal, signal);
		return false;
	}
	take_exit_snapshot(signal);
	return true;
}

void snap__process_exit(void)
{
	take_exit_snapshot(0);
}

static void at_exit(void *unused)
{
	(void)unused;
	take_exit_snapshot(0);
}

static void at_quick(void)
{
	take_exit_snapshot(0);
}

extern int __cxa_atexit(void (*fn)(void *), void *argument, void *dso);

/* Valgrind preloads a library of its own into the program that it runs. */
static bool is_under_valgrind(char *const *environment)
{
	for (; environment && *environment; environment++)
		if (strncmp(*environment, "LD_PRELOAD=", 11) == 0)
			return strstr(*environment, "/vgpreload_core") != NULL;
	return false;
}

void snap__process_warm(char *const *environment)
{
	for (; environment && *environment; environment++)
		if (strcmp(*environment, "SNAP_ACTIVE=1") == 0) {
			snap__warm();
			return;
		}
}

/* What `run` starts itself is no descendant. */
static bool is_followed(void)
{
	if (!snap__settings.follow_only[0] && !snap__settings.follow_not[0])
		return true;
	return (snap__settings.run && snap__settings.run == (uint64_t)snap__sys_getppid()) ||
	       snap__config_follows(&snap__settings, snap__process_name());
}

static void begin_at_load(char **environment, const char *complaint)
{
	if (!complaint && !is_followed())
		return;
	if (!snap__settings.follow)
		snap__config_unfollow(environment);
	atomic_store(&state, STARTING);
	if (complaint)
		refuse(SNAP_EINVAL, complaint, NULL, 0);
	else
		begin_recording();
}

void snap__process_load(char **environment, const struct snap__host *the_host)
{
	const char *complaint;
	bool is_secure = getauxval(AT_SECURE) != 0;

	snap__process_set_host(the_host);
	snap__alone_init(the_host->alone[0], the_host->alone[1]);
	complaint = snap__config_from_environment(
		&snap__settings, is_secure ? NULL : (const char *const *)environment);
	pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
	/* The first to be registered runs last: after every static and library destructor. */
	__cxa_atexit(at_exit, NULL, NULL);
	(void)at_quick_exit(at_quick); /* fails only if there is no memory; then there is no
				          snapshot */
	/* Before anything else, because the program may start the recording itself. */
	if (is_under_valgrind(environment))
		snap__helper_forbid();
	if (snap__settings.active)
		begin_at_load(environment, complaint);
}
