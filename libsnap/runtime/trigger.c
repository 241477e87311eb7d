/*
 * runtime/trigger.c - the worker, and those who wake it.
 */
#include "runtime/trigger.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "runtime/alone.h"
#include "runtime/lock.h"
#include "runtime/listener.h"
#include "runtime/message.h"
#include "runtime/os_linux.h"
#include "runtime/identity.h"
#include "runtime/record.h"
#include "runtime/text.h"
#include "write/sys.h"

#define STACK_SIZE      (512u * 1024)
#define START_WAIT_NS   1000000000ull
#define MAX_REQUESTS    16
#define STUCK_NS        2000000000ull /* without progress: the helper is taken to be stuck */
#define SLOT_WAITS      1000
#define GONE_WAITS      500
#define GONE_WAIT_NS    100000ull
#define LARGEST_QUANTUM (64u * 1024)

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum pending { PENDING_SIGNAL = 1, PENDING_LEVEL = 2 };
enum request_state { FREE, FILLING, ASKED, SERVING, DONE, ABANDONED };

/* A snapshot that a thread asked for and waits for. */
struct request {
	atomic_uint state; /* enum request_state; also what the asker sleeps on */
	enum snap__reason reason;
	char label[256];
	bool settled; /* see alone.h */
	char path[SNAP__PATH_MAX];
	enum snap_status status;
};

static struct request requests[MAX_REQUESTS];
static atomic_uint wake_count; /* what the worker sleeps on */
static atomic_uint pending;
static atomic_bool running, armed, stopping;
static atomic_uint threads; /* of ours, that have set themselves up */
static atomic_int thread_ids[2];
static struct snap__lock starting, taking;
static int directory = -1; /* in the worker's own table */
static uint64_t next_tick_ns, growth_base, peak_base;
static bool has_complained;

static void wake(void)
{
	atomic_fetch_add(&wake_count, 1);
	snap__os_wake(&wake_count);
}

static void post(unsigned what)
{
	if ((atomic_fetch_or(&pending, what) & what) == 0)
		wake();
}

static void on_signal(int number)
{
	(void)number;
	post(PENDING_SIGNAL);
}

static void on_level(void)
{
	post(PENDING_LEVEL);
}

/* ---- taking --------------------------------------------------------------------------------- */

static void complain(enum snap_status st, int error)
{
	if (has_complained)
		return;
	has_complained = true;
	snap__message("cannot write a snapshot to", snap__process_config()->out,
		      st == SNAP_ENOMEM ? ENOMEM : error);
}

/* The lock is against a helper that was taken to be stuck and is not. */
static enum snap_status take_here(const struct snap__order *order, char *path, size_t size)
{
	enum snap_status st;
	int error;

	if (!snap__lock_take(&taking))
		return SNAP_ESTATE;
	st = snap__snapshot_take(order, path, size, &error);
	snap__lock_release(&taking);
	if (st != SNAP_OK)
		complain(st, error);
	return st;
}

/* The directory may have been removed or moved since: then it is looked up, or made, again. */
static void open_directory(void)
{
	const char *path = snap__process_config()->out;

	if (directory >= 0)
		snap__sys_close(directory);
	snap__os_make_directory(path);
	directory = snap__sys_open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static enum snap_status worker_take(enum snap__reason reason, const char *label, bool settled,
				    char *path, size_t size)
{
	struct snap__order order = {reason, label, directory, settled, settled};
	enum snap_status st = take_here(&order, path, size);

	if (st == SNAP_EIO && access(snap__process_config()->out, F_OK) != 0) {
		open_directory();
		order.directory = directory;
		if (directory >= 0)
			st = take_here(&order, path, size);
	}
	return st;
}

/* One that nobody asked for. */
static void worker_takes(enum snap__reason reason)
{
	static char path[SNAP__PATH_MAX];

	worker_take(reason, "", snap__alone_settle(false), path, sizeof(path));
}

/* ---- the worker ------------------------------------------------------------------------------ */

static void serve_requests(void)
{
	for (struct request *r = requests; r < requests + MAX_REQUESTS; r++) {
		unsigned asked = ASKED, serving = SERVING;

		if (!atomic_compare_exchange_strong(&r->state, &asked, SERVING))
			continue;
		r->status = worker_take(r->reason, r->label, r->settled, r->path, sizeof(r->path));
		if (atomic_compare_exchange_strong(&r->state, &serving, DONE))
			snap__os_wake(&r->state);
		else
			atomic_store(&r->state, FREE); /* its asker has left */
	}
}

static uint64_t quantum_of(uint64_t step)
{
	return step / 16 < LARGEST_QUANTUM ? step / 16 : LARGEST_QUANTUM;
}

/* Tell the record path at which level of the live heap it shall wake us. */
static void watch_level(void)
{
	const struct snap__config *config = snap__process_config();
	uint64_t level = UINT64_MAX, quantum = LARGEST_QUANTUM;

	if (atomic_load(&armed) && config->growth_bytes) {
		level = growth_base + config->growth_bytes;
		quantum = quantum_of(config->growth_bytes);
	}
	if (atomic_load(&armed) && config->peak_bytes) {
		uint64_t peak_level = peak_base + config->peak_bytes;

		if (quantum_of(config->peak_bytes) < quantum)
			quantum = quantum_of(config->peak_bytes);
		level = peak_level < level ? peak_level : level;
	}
	snap__record_watch(level, quantum, level == UINT64_MAX ? NULL : on_level);
}

/* Timer, growth and peak count from here. */
static void begin_steps(void)
{
	growth_base = snap__record_live_bytes();
	peak_base = snap__record_peak_bytes();
	next_tick_ns = snap__os_mono_ns() + snap__process_config()->every_ns;
	watch_level();
}

static void check_level(void)
{
	const struct snap__config *config = snap__process_config();
	uint64_t live = snap__record_live_bytes(), peak = snap__record_peak_bytes();

	if (config->growth_bytes && live >= growth_base + config->growth_bytes) {
		growth_base = live;
		if (config->peak_bytes && peak >= peak_base + config->peak_bytes)
			peak_base = peak; /* one snapshot serves both */
		worker_takes(SNAP__AT_GROWTH);
	} else if (config->peak_bytes && peak >= peak_base + config->peak_bytes) {
		peak_base = peak;
		worker_takes(SNAP__AT_PEAK);
	}
	watch_level();
}

static void check_timer(void)
{
	uint64_t every = snap__process_config()->every_ns, now = snap__os_mono_ns();

	if (!every || now < next_tick_ns)
		return;
	worker_takes(SNAP__AT_TIMER);
	now = snap__os_mono_ns();
	while (next_tick_ns <= now)
		next_tick_ns += every;
}

static uint64_t time_to_sleep(void)
{
	uint64_t now = snap__os_mono_ns();

	if (!atomic_load(&armed) || !snap__process_config()->every_ns)
		return UINT64_MAX;
	return next_tick_ns > now ? next_tick_ns - now : 0;
}

static void work(void)
{
	unsigned what = atomic_exchange(&pending, 0);

	serve_requests();
	if (!atomic_load(&armed))
		return;
	if (what & PENDING_SIGNAL)
		worker_takes(SNAP__AT_SIGNAL);
	if (what & PENDING_LEVEL)
		check_level();
	check_timer();
}

static void *worker(void *unused)
{
	(void)unused;
	snap__thread_internal(true);
	prctl(PR_SET_NAME, "snapdiff");
	if (snap__os_private_files())
		snap__message_from_private_files();
	open_directory();
	snap__trigger_ready();
	while (!snap__trigger_shall_stop()) {
		unsigned seen = atomic_load(&wake_count);

		work();
		if (atomic_load(&pending) == 0 && !snap__trigger_shall_stop())
			snap__os_wait(&wake_count, seen, time_to_sleep());
	}
	snap__sys_close(directory);
	directory = -1;
	snap__trigger_gone();
	return NULL;
}

bool snap__trigger_spawn(void *(*main_function)(void *))
{
	sigset_t all, before;
	pthread_attr_t attributes;
	pthread_t thread;
	bool started;

	sigfillset(&all);
	if (pthread_attr_init(&attributes) != 0)
		return false;
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	started = pthread_create(&thread, &attributes, main_function, NULL) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return started;
}

void snap__trigger_ready(void)
{
	unsigned before = atomic_fetch_add(&threads, 1);

	if (before < COUNT(thread_ids))
		atomic_store(&thread_ids[before], snap__os_thread_id());
	snap__os_wake(&threads);
}

void snap__trigger_gone(void)
{
	atomic_fetch_sub(&threads, 1);
	snap__os_wake(&threads);
}

bool snap__trigger_shall_stop(void)
{
	return atomic_load(&stopping);
}

unsigned snap__trigger_thread_count(void)
{
	return atomic_load(&threads);
}

bool snap__trigger_is_running(void)
{
	return atomic_load(&running);
}

bool snap__trigger_is_alike(void)
{
	for (size_t i = 0; i < COUNT(thread_ids); i++) {
		int thread = atomic_load(&thread_ids[i]);

		if (thread && !snap__os_same_capabilities(thread))
			return false;
	}
	return true;
}

/* What the host does next, chroot() for instance, must not come between a thread and its set-up. */
static bool wait_until_ready(unsigned wanted)
{
	uint64_t end = snap__os_mono_ns() + START_WAIT_NS;
	unsigned seen;

	while ((seen = atomic_load(&threads)) < wanted && snap__os_mono_ns() < end)
		snap__os_wait(&threads, seen, START_WAIT_NS / 10);
	return seen >= wanted;
}

/* Does the helper take snapshots of its own accord? */
static bool has_own_accord(void)
{
	const struct snap__config *config = snap__process_config();

	return config->every_ns || config->growth_bytes || config->peak_bytes || config->signal;
}

/* Both threads are made here: one that the worker made would allocate in an arena of its own. */
static bool spawn_both(void)
{
	bool was_alone = snap__alone();
	unsigned count = 0;

	snap__thread_internal(true);
	if (snap__trigger_spawn(worker))
		count += 1 + snap__listener_start();
	snap__thread_internal(false);
	if (wait_until_ready(count) && was_alone && !has_own_accord())
		snap__alone_hide();
	return count > 0;
}

bool snap__trigger_start(void)
{
	int saved = errno;

	if (atomic_load(&running) || !snap__lock_try(&starting))
		return atomic_load(&running);
	if (!atomic_load(&running))
		atomic_store(&running, spawn_both());
	snap__lock_release(&starting);
	errno = saved;
	return atomic_load(&running);
}

/* A thread that has ended for us may not have for libc and the kernel yet. */
static void wait_until_gone(void)
{
	for (size_t i = 0; i < COUNT(thread_ids); i++) {
		int thread = atomic_exchange(&thread_ids[i], 0);

		for (unsigned n = 0; n < GONE_WAITS && thread && snap__os_has_thread(thread); n++)
			snap__os_sleep(GONE_WAIT_NS);
	}
}

bool snap__trigger_stop(void)
{
	uint64_t end = snap__os_mono_ns() + START_WAIT_NS;
	unsigned seen;

	if (!snap__lock_try(&starting))
		return false;
	snap__alone_tell(); /* threads that end use what libc guards */
	atomic_store(&stopping, true);
	wake();
	snap__listener_wake();
	while ((seen = atomic_load(&threads)) > 0 && snap__os_mono_ns() < end)
		snap__os_wait(&threads, seen, START_WAIT_NS / 10);
	if (seen == 0) {
		wait_until_gone();
		atomic_store(&running, false);
		atomic_store(&stopping, false);
	}
	snap__lock_release(&starting);
	return seen == 0;
}

void snap__trigger_arm(void)
{
	const struct snap__config *config = snap__process_config();

	has_complained = false;
	if (has_own_accord())
		snap__alone_settle(true);
	atomic_store(&armed, true);
	begin_steps();
	if (config->signal) {
		struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

		sigaction(config->signal, &action, NULL);
	}
	wake();
}

void snap__trigger_disarm(void)
{
	atomic_store(&armed, false);
	watch_level();
}

/* ---- asking ---------------------------------------------------------------------------------- */

static struct request *request_slot(void)
{
	for (struct request *r = requests; r < requests + MAX_REQUESTS; r++) {
		unsigned nobody = FREE;

		if (atomic_compare_exchange_strong(&r->state, &nobody, FILLING))
			return r;
	}
	return NULL;
}

/* The same, when so many threads ask at once that they have to queue. */
static struct request *wait_for_slot(void)
{
	struct request *r;

	for (unsigned i = 0; !(r = request_slot()) && i < SLOT_WAITS; i++)
		snap__os_sleep(STUCK_NS / SLOT_WAITS);
	return r;
}

/* Wait until the request is done; false if the helper makes no progress: it is then abandoned. */
static bool wait_for(struct request *r)
{
	uint64_t seen = snap__snapshot_progress(), since = snap__os_mono_ns();
	unsigned state;

	while ((state = atomic_load(&r->state)) != DONE) {
		snap__os_wait(&r->state, state, 100000000u);
		if (snap__snapshot_progress() != seen) {
			seen = snap__snapshot_progress();
			since = snap__os_mono_ns();
		}
		if (snap__os_mono_ns() - since < STUCK_NS)
			continue;
		if (state == ASKED && atomic_compare_exchange_strong(&r->state, &state, FREE))
			return false;
		if (state == SERVING &&
		    atomic_compare_exchange_strong(&r->state, &state, ABANDONED))
			return false;
	}
	return true;
}

static void copy_text(char *into, size_t size, const char *from)
{
	struct snap__text text = snap__text_in(into, size);

	snap__text_add(&text, from);
}

enum snap_status snap__trigger_take(enum snap__reason reason, const char *label, char *path,
				    size_t size)
{
	static char unused[SNAP__PATH_MAX];
	struct request *r = atomic_load(&running) ? wait_for_slot() : NULL;
	struct snap__order order = {reason, label, -1, false, true};
	enum snap_status st;

	if (r) {
		r->reason = reason;
		r->settled = snap__alone_settle(reason != SNAP__AT_REQUEST);
		copy_text(r->label, sizeof(r->label), label);
		atomic_store(&r->state, ASKED);
		wake();
		if (wait_for(r)) {
			st = r->status;
			if (path)
				copy_text(path, size, r->path);
			atomic_store(&r->state, FREE);
			return st;
		}
	}
	return take_here(&order, path ? path : unused, path ? size : sizeof(unused));
}

void snap__trigger_flush(void)
{
	/* What was asked for is either done before the lock is ours, or its asker still waits. */
	for (unsigned i = 0; i < 600 && atomic_load(&pending); i++)
		snap__os_wait(&pending, atomic_load(&pending), 100000000u);
	if (snap__lock_take(&taking))
		snap__lock_release(&taking);
}

void snap__trigger_after_fork(void)
{
	for (struct request *r = requests; r < requests + MAX_REQUESTS; r++)
		atomic_store(&r->state, FREE);
	atomic_store(&running, false);
	atomic_store(&threads, 0);
	for (size_t i = 0; i < COUNT(thread_ids); i++)
		atomic_store(&thread_ids[i], 0);
	atomic_store(&stopping, false);
	atomic_store(&pending, 0);
	directory = -1;
	snap__lock_reset(&starting);
	snap__lock_reset(&taking);
	begin_steps();
}
