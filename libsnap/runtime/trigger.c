/*
 * runtime/trigger.c - when snapshots are taken, and which process or thread writes them.
 */
#include "arch/arch.h"
#include "runtime/trigger.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "runtime/alone.h"
#include "runtime/arena.h"
#include "runtime/filter.h"
#include "runtime/hello.h"
#include "runtime/helper.h"
#include "runtime/process.h"
#include "runtime/listener.h"
#include "runtime/lock.h"
#include "runtime/message.h"
#include "runtime/modules.h"
#include "runtime/os_linux.h"
#include "runtime/python/python.h"
#include "runtime/record.h"
#include "runtime/sandbox.h"
#include "runtime/text.h"
#include "runtime/hidden.h"
#include "write/sys.h"

#define MAX_REQUESTS 16
#define STUCK_NS     5000000000ull  /* a helper without progress is stuck */
#define LAST_NS      10000000000ull /* limit, if a signal ends the process */
#define HANG_SECONDS 600            /* longest time of a snapshot: after it the helper ends */
/* What snapshots of a kept peak may cost: this much, and a part of the process's CPU time. */
#define PEAK_FREE_NS    200000000ull
#define PEAK_PART       20u
#define KEPT_STEP       ((uint64_t)512 << 10)
#define START_PEAK_MOST ((uint64_t)16 << 20) /* of an interpreter that starts */
#define STOP_NS         1000000000ull
#define TURN_NS         1000000000ull
#define LEAVE_NS        200000000ull
#define SLOT_WAITS      1000
#define LARGEST_QUANTUM (64u * 1024)
#define LOOK_NS         50000000ull     /* a helper that cannot be woken looks this often */
#define IDLE_NS         10000000000ull  /* how often a helper checks that its host still exists */
#define SAFETY_MOST_NS  600000000000ull /* and at most a fourth of the process's age */
#define SAFETY_PART     100u            /* of the process's time, at most */
#define STACK_NEEDED    ((size_t)256 << 10)

/* Why a helper stays. */
enum stay { FOR_TIMER = 1, FOR_SIGNAL = 2, FOR_SOCKET = 4, FOR_CONFINED = 8 };

enum pending { PENDING_SIGNAL = 1 };
enum request_state { FREE, FILLING, ASKED, SERVING, DONE, ABANDONED };

/* A snapshot that a thread asked for and waits for. */
struct request {
	atomic_uint state; /* enum request_state; also what the asker sleeps on */
	enum snap__reason reason;
	char label[256];
	bool waits_outside; /* see alone.h */
	enum snap__holders holders;
	char path[SNAP__PATH_MAX];
	enum snap_status status;
};

static struct request requests[MAX_REQUESTS] SNAP__PAGES;
static struct snap__helper helper;
static atomic_uint stays, pending, unwritten;
static atomic_bool armed, stopping, leaving, door_waits, filtered, last_taken, helper_writes;
static atomic_uint is_ready; /* the helper has opened its files; threads wait on it */
static struct snap__lock starting, taking, at_level;
static int directory = -1, wake_fd = -1, hello_fd = -1; /* in the helper's own table */
static atomic_int turn_of;                              /* the thread that holds at_level */
static _Atomic uint64_t turn_ends; /* from then on nobody waits for it; 0: it has just begun */
static _Atomic uint64_t growth_base, peak_base;
static _Atomic uint64_t next_tick_ns;
static _Atomic uint64_t kept_bytes;  /* live when the kept peak was written */
static _Atomic uint64_t fallen_from; /* the last peak from which the heap has fallen */
static _Atomic uint64_t safety_ns;   /* when a safety snapshot is due; UINT64_MAX never */
static int last_signal;
static bool has_complained;
static bool can_compare; /* in the helper: it may ask whether the host is another program */
static bool is_copy;     /* libc's locks may be held by threads that do not exist in this child */

bool snap__trigger_is_running(void)
{
	return snap__helper_runs(&helper);
}

bool snap__trigger_is_filtered(void)
{
	return atomic_load_explicit(&filtered, memory_order_relaxed);
}

bool snap__trigger_is_silent(void)
{
	if (snap__trigger_is_filtered())
		return true;
	if (!snap__sandbox_was_entered())
		return false;
	/* A child of vfork() uses the parent's memory, but its filter is not the parent's.  A
	   filter may kill for getpid(), so prctl() is tried first. */
	if (!snap__process_is_no_thread() &&
	    (snap__process_has_thread_word() || snap__process_relation() == SNAP__OURS)) {
		atomic_fetch_or(&stays, FOR_CONFINED);
		atomic_store(&filtered, true);
	}
	return true;
}

void snap__trigger_child_unwritten(void)
{
	atomic_fetch_add(&unwritten, 1);
}

/* ---- taking ---------------------------------------------------------------------------------- */

static void complain(enum snap_status st, int error)
{
	if (has_complained)
		return;
	has_complained = true;
	if (st == SNAP_ENOMEM)
		error = ENOMEM;
	/* Under `snapdiff run` the host's standard error stays as it would be. */
	if (snap__hello_is_wanted())
		snap__hello_refused("cannot write a snapshot to", snap__process_config()->out,
				    error);
	else
		snap__message("cannot write a snapshot to", snap__process_config()->out, error);
}

/* The lock guards against a helper that counted as stuck, but still runs. */
static enum snap_status take_here(const struct snap__order *order, char *path, size_t size,
				  int *error)
{
	uint64_t floats[2];
	enum snap_status st;

	*error = 0;
	if (!snap__lock_take(&taking))
		return SNAP_ESTATE;
	snap__arch_float_begin(floats);
	st = snap__snapshot_take(order, path, size, error);
	if (st == SNAP_ENOMEM && snap__reserve_use()) {
		st = snap__snapshot_take(order, path, size, error);
		snap__reserve_keep();
	}
	if (st == SNAP_OK && order->reason == SNAP__AT_EXIT)
		atomic_store(&last_taken, true);
	snap__arch_float_end(floats);
	snap__lock_release(&taking);
	return st;
}

/* For this reason, must the file survive a crash of the machine? */
static bool is_durable(enum snap__reason reason)
{
	return snap__process_config()->durable || reason == SNAP__AT_REQUEST ||
	       reason == SNAP__AT_API || reason == SNAP__AT_TIMER;
}

/* If the directory was removed or moved, look up its path again, or make it again. */
static void open_directory(void)
{
	const char *path = snap__process_config()->out;

	if (directory >= 0)
		snap__sys_close(directory);
	snap__os_make_directory(path);
	directory = snap__sys_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
	if (directory < 0)
		directory = snap__sys_open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static bool directory_is_gone(void)
{
	return snap__sys_access(snap__process_config()->out, F_OK) != 0;
}

static bool call_in_helper(void (*fn)(void *argument), void *argument)
{
	return snap__helper_call(&helper, fn, argument);
}

/* In the helper. */
static enum snap_status helper_takes(enum snap__reason reason, const char *label,
				     enum snap__holders holders, enum snap__ask ask, char *path,
				     size_t size)
{
	struct snap__order order = {reason, last_signal,        label,   directory,
				    ask,    is_durable(reason), holders, call_in_helper};
	int error;
	enum snap_status st;

	atomic_store(&helper_writes, true);
	snap__helper_limit(HANG_SECONDS);
	st = take_here(&order, path, size, &error);
	if (st == SNAP_EIO && (directory < 0 || directory_is_gone())) {
		open_directory();
		order.directory = directory;
		if (directory >= 0)
			st = take_here(&order, path, size, &error);
	}
	snap__helper_limit(0);
	atomic_store(&helper_writes, false);
	if (st != SNAP_OK)
		complain(st, error);
	return st;
}

/* The settings for holders, for snapshots that no one requested. */
static enum snap__holders holders_of(enum snap__reason reason)
{
	const struct snap__config *config = snap__process_config();

	int native = reason == SNAP__AT_EXIT ? config->holders_at_exit : config->holders;

	return (enum snap__holders)(native | (config->census ? SNAP__CENSUS : 0));
}

/* A snapshot that no thread of the host waits for. */
static void takes_unasked(enum snap__reason reason, enum snap__ask ask)
{
	static char path[SNAP__PATH_MAX] SNAP__PAGES;

	helper_takes(reason, "", holders_of(reason), ask, path, sizeof(path));
}

/* ---- growth and peak: the thread that reaches the level asks for the snapshot ---------------- */

static void on_level(bool falls);
static enum snap_status take(enum snap__reason reason, const char *label,
			     enum snap__holders holders, bool outside, char *path, size_t size);
static bool waits_outside(void);

static uint64_t quantum_of(uint64_t step)
{
	return step / 16 < LARGEST_QUANTUM ? step / 16 : LARGEST_QUANTUM;
}

/* What a kept peak may miss: a 32nd, but at least KEPT_STEP, because an interpreter starts in many
 * small steps. */
static uint64_t kept_step(void)
{
	return peak_base / 32 > KEPT_STEP ? peak_base / 32 : KEPT_STEP;
}

/* By how much the peak must rise before it is checked. */
static uint64_t peak_step(void)
{
	const struct snap__config *config = snap__process_config();

	if (!config->keep_peak)
		return config->peak_bytes;
	return peak_base < config->peak_bytes ? config->peak_bytes - peak_base : kept_step() / 2;
}

/* Check the heap when it has fallen to this size, because its peak is not kept yet; 0: the peak is
   kept, or it is too late. */
static uint64_t low_level(void)
{
	const struct snap__config *config = snap__process_config();

	if (!config->keep_peak || peak_base < config->peak_bytes || peak_base == fallen_from ||
	    peak_base < kept_bytes + kept_step())
		return 0;
	return peak_base - kept_step() / 2;
}

/* Tell the record path at which level of the live heap it must call us. */
static void watch_level(void)
{
	const struct snap__config *config = snap__process_config();
	uint64_t level = UINT64_MAX, low = 0, quantum = LARGEST_QUANTUM;

	if (atomic_load(&armed) && config->growth_bytes) {
		level = growth_base + config->growth_bytes;
		quantum = quantum_of(config->growth_bytes);
	}
	if (atomic_load(&armed) && config->peak_bytes) {
		uint64_t peak_level = peak_base + peak_step();

		if (quantum_of(peak_step()) < quantum)
			quantum = quantum_of(peak_step());
		level = peak_level < level ? peak_level : level;
		low = low_level();
	}
	snap__record_watch(level, low, quantum, level == UINT64_MAX ? NULL : on_level);
}

/* Timer, growth and peak start here. */
static void begin_steps(void)
{
	growth_base = snap__record_live_bytes();
	peak_base = snap__record_peak_bytes();
	kept_bytes = peak_base; /* a child that is forked inherits one */
	fallen_from = 0;
	next_tick_ns = snap__os_mono_ns() + snap__process_config()->every_ns;
	atomic_store(&safety_ns, snap__process_config()->safety_ns
					 ? snap__os_mono_ns() + snap__process_config()->safety_ns
					 : UINT64_MAX);
	watch_level();
}

/* How many steps `now` is above `*base`, which moves up by them. */
static uint64_t steps_above(_Atomic uint64_t *base, uint64_t step, uint64_t now)
{
	uint64_t steps = step && now > *base ? (now - *base) / step : 0;

	*base += steps * step;
	return steps;
}

/*
 * A kept peak is written when the heap begins to fall from it, so that a heap that only grows is
 * not written again and again.  It is also written while the heap rises, in case the process is
 * killed then: at each step if the process has run long enough for that to be cheap, otherwise each
 * time that it has risen by a third.
 */
static bool kept_is_due(uint64_t peak, bool falls)
{
	uint64_t live = snap__record_live_bytes(), step = kept_step();
	bool leaps = peak > peak_base + 2 * step;
	bool is_fine = snap__snapshot_writing_ns() <= snap__process_age_ns() / PEAK_PART;

	falls = falls || live + step / 2 <= peak;
	if (peak > peak_base)
		peak_base = peak;
	if (falls)
		fallen_from = peak_base;
	if (peak < snap__process_config()->peak_bytes || peak < kept_bytes + step ||
	    live <= kept_bytes)
		return false;
	if (!falls && !leaps && !is_fine && peak < kept_bytes + peak / 3)
		return false;
	kept_bytes = live;
	return true;
}

static bool peak_is_due(bool falls)
{
	const struct snap__config *config = snap__process_config();
	uint64_t peak = snap__record_peak_bytes(), risen;

	if (!config->peak_bytes)
		return false;
	if (config->keep_peak)
		return kept_is_due(peak, falls);
	risen = steps_above(&peak_base, peak_step(), peak);
	if (risen > 1)
		snap__snapshot_count_merged(risen - 1);
	return risen > 0;
}

/* Is a snapshot due, and why?  Counts the steps that one snapshot covers. */
static bool level_is_due(bool falls, enum snap__reason *reason)
{
	const struct snap__config *config = snap__process_config();
	uint64_t grown = steps_above(&growth_base, config->growth_bytes, snap__record_live_bytes());
	bool is_peak = peak_is_due(falls);

	if (grown > 1)
		snap__snapshot_count_merged(grown - 1);
	*reason = grown ? SNAP__AT_GROWTH : SNAP__AT_PEAK;
	watch_level();
	return grown || is_peak;
}

/* Kept peaks are a default, so they must be cheap.  A delayed step is taken as soon as the cost
 * limit allows it, if the heap is still that large. */
static bool may_afford(void)
{
	return !snap__process_config()->keep_peak ||
	       snap__snapshot_writing_ns() <= PEAK_FREE_NS + snap__process_age_ns() / PEAK_PART;
}

/* An interpreter reaches many new peaks while it imports its own modules, which interest nobody.
   The first kept peak is one step above them. */
static bool is_peak_of_start(enum snap__reason reason)
{
	return reason == SNAP__AT_PEAK && snap__process_config()->keep_peak &&
	       snap__record_peak_bytes() < START_PEAK_MOST && snap__python_is_starting();
}

/* The same question as in level_is_due(), for a thread that may not move the levels. */
static bool next_level_is_reached(void)
{
	const struct snap__config *config = snap__process_config();

	return (config->growth_bytes &&
		snap__record_live_bytes() >= atomic_load(&growth_base) + config->growth_bytes) ||
	       (config->peak_bytes && may_afford() &&
		snap__record_live_bytes() >= atomic_load(&peak_base) + peak_step());
}

/* A thread waits only once for a turn that takes long: its later allocations go on.  This also
   covers a turn that never ends, because a signal handler left it by longjmp(). */
static bool waits_in_vain(uint64_t end)
{
	uint64_t now = snap__os_mono_ns(), turn_end = atomic_load(&turn_ends);

	return now >= end || (turn_end && now >= turn_end);
}

/* False: nothing is due for this thread, or it took too long.  A handler of signals may have
   interrupted the thread whose turn it is. */
static bool take_turn(void)
{
	int self = snap__os_thread_id();
	uint64_t end = snap__os_mono_ns() + TURN_NS;

	while (!snap__lock_try(&at_level)) {
		if (atomic_load(&turn_of) == self || !next_level_is_reached() || waits_in_vain(end))
			return false;
		snap__os_sleep(TURN_NS / 5000);
	}
	atomic_store(&turn_of, self);
	atomic_store(&turn_ends, snap__os_mono_ns() + TURN_NS);
	return true;
}

static void end_turn(void)
{
	atomic_store(&turn_of, 0);
	atomic_store(&turn_ends, 0);
	snap__lock_release(&at_level);
}

/*
 * Called in the thread whose allocation reached the level.  It waits for the snapshot: a peak may
 * be over as soon as it goes on.  For the same reason another thread that reaches the next level
 * meanwhile waits for its turn.
 */
static void on_level(bool falls)
{
	enum snap__reason reason;
	uint64_t mask;

	if (snap__trigger_is_silent() || snap__process_relation() != SNAP__OURS)
		return; /* a running helper checks the level itself */
	if (!take_turn())
		return;
	if (!may_afford()) {
		fallen_from = peak_base; /* do not check again at each free */
		watch_level();
	}
	if (may_afford() && level_is_due(falls, &reason) && !is_peak_of_start(reason)) {
		bool outside = waits_outside();

		snap__signals_block(&mask);
		if (take(reason, "", holders_of(reason), outside, NULL, 0) == SNAP_ESTATE)
			complain(SNAP_ESTATE, EAGAIN);
		snap__signals_restore(&mask);
	}
	end_turn();
}

/* The same in the helper, for a process whose threads must not make system calls for us. */
static void look_at_level(void)
{
	enum snap__reason reason;

	if (level_is_due(false, &reason))
		takes_unasked(reason, SNAP__ASK_NOBODY);
}

/* ---- the helper ------------------------------------------------------------------------------ */

static enum snap__ask ask_of(const struct request *r)
{
	return r->waits_outside ? SNAP__ASK_NOW : SNAP__ASK_NOBODY;
}

static void serve_requests(void)
{
	for (struct request *r = requests; r < requests + MAX_REQUESTS; r++) {
		unsigned asked = ASKED, serving = SERVING;

		if (!atomic_compare_exchange_strong(&r->state, &asked, SERVING))
			continue;
		r->status = helper_takes(r->reason, r->label, r->holders, ask_of(r), r->path,
					 sizeof(r->path));
		if (atomic_compare_exchange_strong(&r->state, &serving, DONE))
			snap__os_wake(&r->state);
		else
			atomic_store(&r->state, FREE); /* the thread that asked no longer waits */
	}
}

static bool somebody_asks(void)
{
	for (struct request *r = requests; r < requests + MAX_REQUESTS; r++)
		if (atomic_load(&r->state) == ASKED)
			return true;
	return atomic_load(&pending) != 0;
}

static void check_timer(void)
{
	uint64_t every = snap__process_config()->every_ns, now = snap__os_mono_ns();

	if (!every || now < next_tick_ns)
		return;
	takes_unasked(SNAP__AT_TIMER, SNAP__ASK_HOLDING);
	next_tick_ns += every;
	now = snap__os_mono_ns();
	if (next_tick_ns > now)
		return;
	snap__snapshot_count_merged(1 + steps_above(&next_tick_ns, every, now));
	next_tick_ns += every;
}

/* The time to the next one grows with the process's age and with the cost of this one. */
static void put_off_safety(uint64_t cost_ns)
{
	uint64_t gap = snap__process_age_ns() / 4;

	gap = gap < SAFETY_MOST_NS ? gap : SAFETY_MOST_NS;
	if (gap < snap__process_config()->safety_ns)
		gap = snap__process_config()->safety_ns;
	if (gap < SAFETY_PART * cost_ns)
		gap = SAFETY_PART * cost_ns;
	atomic_store(&safety_ns, snap__os_mono_ns() + gap);
}

static bool safety_is_due(void)
{
	uint64_t due = atomic_load_explicit(&safety_ns, memory_order_relaxed);

	return due != UINT64_MAX && snap__os_mono_ns() >= due;
}

static void check_safety(void)
{
	uint64_t before = snap__snapshot_writing_ns();

	if (!safety_is_due())
		return;
	takes_unasked(SNAP__AT_SAFETY, SNAP__ASK_NOBODY);
	put_off_safety(snap__snapshot_writing_ns() - before);
}

static void work(void)
{
	unsigned what = atomic_exchange(&pending, 0);

	serve_requests();
	if (!atomic_load(&armed))
		return;
	if (what & PENDING_SIGNAL) {
		takes_unasked(SNAP__AT_SIGNAL, SNAP__ASK_HOLDING);
		snap__alone_release(); /* if there was no need to hold it */
	}
	if (snap__trigger_is_filtered())
		look_at_level();
	check_timer();
	check_safety();
}

static uint64_t time_until(uint64_t due, uint64_t now, uint64_t longest)
{
	if (due <= now)
		return 0;
	return due - now < longest ? due - now : longest;
}

static uint64_t time_to_sleep(void)
{
	uint64_t now = snap__os_mono_ns(), longest = IDLE_NS;

	if (snap__trigger_is_filtered() || wake_fd < 0)
		longest = LOOK_NS;
	if (snap__listener_has_client())
		longest = LOOK_NS; /* the call may have to be abandoned */
	if (!atomic_load(&armed))
		return longest;
	longest = time_until(atomic_load(&safety_ns), now, longest);
	if (!snap__process_config()->every_ns)
		return longest;
	return time_until(next_tick_ns, now, longest);
}

/* Wait until a thread wakes us, a client connects, or the time is up. */
static void sleep_until_woken(void)
{
	struct pollfd waiting[1 + SNAP__LISTENER_FDS] = {{.fd = wake_fd, .events = POLLIN}};
	nfds_t count = 1 + (nfds_t)snap__listener_wants(waiting + 1);
	uint64_t ns = time_to_sleep();
	struct timespec timeout = {.tv_sec = (time_t)(ns / 1000000000u),
				   .tv_nsec = (long)(ns % 1000000000u)};
	struct signalfd_siginfo ignored;

	if (somebody_asks())
		return;
	syscall(SYS_ppoll, waiting, count, &timeout, NULL, 0);
	if (waiting[0].revents)
		snap__sys_read(wake_fd, &ignored, sizeof(ignored));
}

/* A client of the control socket asks for a snapshot. */
static enum snap_status take_for_client(const char *label, enum snap__holders holders, char *path,
					size_t size)
{
	return helper_takes(SNAP__AT_REQUEST, label, holders, SNAP__ASK_HOLDING, path, size);
}

static void open_all(void)
{
	const uint64_t wake = 1ull << (SNAP__HELPER_SIGNAL - 1);

	open_directory();
	if (hello_fd < 0)
		hello_fd = snap__hello_hold();
	if (atomic_load(&stays) && wake_fd < 0)
		wake_fd = (int)syscall(SYS_signalfd4, -1, &wake, sizeof(wake),
				       SFD_CLOEXEC | SFD_NONBLOCK);
}

static void close_all(void)
{
	snap__listener_close();
	snap__sys_close(directory);
	snap__sys_close(wake_fd);
	snap__sys_close(hello_fd);
	directory = wake_fd = hello_fd = -1;
}

/* The host has ended.  Its memory is still there, and nobody changes it any more. */
static void take_last_words(void)
{
	if (atomic_load(&unwritten))
		snap__hello_unwritten(atomic_load(&unwritten));
	if (snap__recording() && !atomic_load(&last_taken) &&
	    snap__process_config()->exit != SNAP_EXIT_NONE)
		takes_unasked(SNAP__AT_EXIT, SNAP__ASK_NOBODY);
}

static bool is_to_stay(void)
{
	return atomic_load(&stays) && !atomic_load(&stopping);
}

/* May the helper end?  A later request sees `leaving`, and starts another helper. */
static bool leaves(void)
{
	if (is_to_stay())
		return false;
	atomic_store(&leaving, true);
	if (!somebody_asks() && !is_to_stay())
		return true;
	atomic_store(&leaving, false);
	return false;
}

/* Some filters kill for this question.  Then the helper notices an exec that libsnap did not see
   only when the process ends. */
static bool host_has_left(void)
{
	return can_compare && snap__helper_host_left(&helper);
}

static int helper_main(void *unused)
{
	(void)unused;
	snap__message_defer();
	open_all();
	can_compare = snap__sandbox_survives_kcmp();
	atomic_store(&is_ready, 1);
	snap__os_wake(&is_ready);
	while (!snap__helper_host_ended(&helper)) {
		if (atomic_load(&stays) && wake_fd < 0)
			open_all();
		if (atomic_load(&stays) & FOR_SOCKET)
			snap__listener_open();
		work();
		snap__listener_serve(take_for_client);
		if (leaves() || host_has_left())
			break;
		sleep_until_woken();
	}
	if (snap__helper_host_ended(&helper) || host_has_left())
		take_last_words();
	close_all();
	return 0;
}

/* ---- starting and ending it ------------------------------------------------------------------ */

static bool can_be_asked(void)
{
	return snap__helper_runs(&helper) && !atomic_load(&leaving);
}

/* If the helper was killed, its descriptors went with it; the numbers would be those of other files in the table of
 * the next one.  If that was in the middle of a snapshot, it serves no request any more. */
static void bury(void)
{
	directory = wake_fd = hello_fd = -1;
	snap__listener_after_fork();
	if (!atomic_exchange(&helper_writes, false))
		return;
	snap__lock_reset(&taking);
	snap__reserve_forget(helper.thread_pointer);
	for (struct request *r = requests; r < requests + MAX_REQUESTS; r++) {
		unsigned serving = SERVING;

		r->status = atomic_load(&r->state) == SERVING ? SNAP_ESTATE : r->status;
		if (atomic_compare_exchange_strong(&r->state, &serving, DONE))
			snap__os_wake(&r->state);
	}
}

/* Is a snapshot with holders likely? */
static bool wants_holders(void)
{
	const struct snap__config *config = snap__process_config();
	bool wanted = config->holders || config->holders_at_exit || config->census ||
		      (atomic_load(&stays) & FOR_SOCKET);

	for (struct request *r = requests; r < requests + MAX_REQUESTS; r++)
		wanted |= atomic_load(&r->state) == ASKED && r->holders != SNAP__HOLDERS_NONE;
	return wanted;
}

/* If the Yama module restricts ptrace, a process must name the child that may stop it.  It can
 * name only one: if the host has named a debugger, our call would replace that. */
static void permit_tracing(void)
{
	char scope[16];

	if (wants_holders() &&
	    snap__os_read_file("/proc/sys/kernel/yama/ptrace_scope", scope, sizeof(scope)) > 0 &&
	    scope[0] == '1')
		syscall(SYS_prctl, PR_SET_PTRACER, helper.unreaped, 0, 0, 0);
}

/* Start a helper unless one runs that can be asked.  One caller at a time. */
static bool start_helper(void)
{
	int error;

	if (can_be_asked())
		return true;
	if (!snap__helper_reap(&helper, LEAVE_NS))
		return can_be_asked();
	bury();
	atomic_store(&leaving, false);
	atomic_store(&stopping, false);
	atomic_store(&is_ready, 0);
	error = snap__helper_start(&helper, helper_main, NULL);
	if (error == ENOMEM && snap__reserve_use()) {
		snap__helper_prepare(&helper);
		snap__reserve_keep(); /* the helper may need it at once */
		error = snap__helper_start(&helper, helper_main, NULL);
	}
	if (error == 0)
		permit_tracing();
	return error == 0;
}

/* A signal may ask for a helper while the interrupted thread, or another one, holds `starting`.
   The thread that releases this lock then starts the helper. */
static void release_starting(void)
{
	snap__lock_release(&starting);
	while (atomic_load(&door_waits) && snap__lock_try(&starting)) {
		if (atomic_exchange(&door_waits, false))
			start_helper();
		snap__lock_release(&starting);
	}
}

/* Make a helper look for work.  False if no helper can be started. */
static bool call_helper(void)
{
	uint64_t end = snap__os_mono_ns() + STOP_NS;
	bool called = can_be_asked();

	if (snap__trigger_is_filtered())
		return called;
	while (!called) {
		if (snap__lock_try(&starting)) {
			called = start_helper();
			release_starting();
			return called;
		}
		snap__os_sleep(50000);
		called = can_be_asked();
		if (snap__os_mono_ns() > end)
			break;
	}
	return called && snap__helper_wake(&helper);
}

/* Collect a helper that does not stay. */
static void collect(void)
{
	if (atomic_load(&stays) || snap__trigger_is_filtered() || !snap__lock_try(&starting))
		return;
	snap__helper_reap(&helper, LEAVE_NS);
	release_starting();
}

void snap__trigger_start(void)
{
	if (atomic_load(&stays) && !can_be_asked() && !snap__trigger_is_silent())
		call_helper();
}

static bool was_left(void)
{
	return helper.unreaped && !snap__helper_runs(&helper);
}

bool snap__trigger_tick_is_due(void)
{
	return (atomic_load(&stays) && !can_be_asked()) || was_left() || safety_is_due();
}

void snap__trigger_tick(void)
{
	snap__trigger_start();
	if (was_left())
		collect();
	if (!safety_is_due() || snap__helper_runs(&helper) || snap__trigger_is_silent())
		return;
	if (!call_helper())
		put_off_safety(0); /* no process can be started now */
}

static void wait_until_ready(void)
{
	uint64_t end = snap__os_mono_ns() + STOP_NS;

	while (atomic_load(&is_ready) == 0 && snap__helper_runs(&helper) &&
	       snap__os_mono_ns() < end)
		snap__os_wait(&is_ready, 0, STOP_NS / 10);
}

void snap__trigger_begin(void)
{
	snap__trigger_start();
	if (can_be_asked())
		wait_until_ready();
}

void snap__trigger_open_door(void)
{
	if (snap__trigger_is_silent())
		return;
	atomic_fetch_or(&stays, FOR_SOCKET);
	if (can_be_asked())
		snap__helper_wake(&helper);
	else {
		atomic_store(&door_waits, true);
		if (snap__lock_try(&starting))
			release_starting();
	}
}

/* If the filter that is about to be installed refuses it, the host's threads map no memory any more. */
static void seal(void)
{
	if (!snap__filter_seals() || snap__os_is_sealed())
		return;
	snap__pool_keep();
	snap__os_seal(helper.thread_pointer);
}

void snap__trigger_confine(bool by_filter)
{
	if (snap__trigger_is_silent() || !snap__recording() ||
	    snap__process_relation() != SNAP__OURS)
		return;
	atomic_fetch_or(&stays, FOR_CONFINED | (by_filter ? FOR_SOCKET : 0));
	if (call_helper())
		wait_until_ready();
	if (!by_filter)
		return;
	seal();
	atomic_store(&filtered, true);
}

void snap__trigger_confine_more(void)
{
	if (snap__trigger_is_filtered() && !snap__process_is_no_thread())
		seal();
}

struct snap__way snap__trigger_make_way(void)
{
	struct snap__way way = {false, false};

	if (snap__trigger_is_silent() || !snap__lock_take(&starting))
		return way;
	way.is_held = true;
	if (!helper.unreaped)
		return way;
	atomic_store(&stopping, true);
	snap__helper_wake(&helper);
	way.was_made = snap__helper_reap(&helper, STOP_NS);
	atomic_store(&stopping, false);
	return way;
}

void snap__trigger_free_way(struct snap__way way)
{
	if (way.is_held)
		release_starting();
}

bool snap__trigger_stop(void)
{
	struct snap__way way = snap__trigger_make_way();

	if (way.is_held)
		snap__lock_release(&starting);
	return way.is_held && !snap__helper_runs(&helper);
}

void snap__trigger_end(void)
{
	bool is_done = atomic_load(&last_taken) || snap__process_config()->exit == SNAP_EXIT_NONE;

	if (is_done && helper.unreaped)
		(void)snap__trigger_stop();
}

static void on_signal(int number, siginfo_t *info, void *context)
{
	bool silent = snap__trigger_is_silent();
	bool stays_here = !silent && !is_copy && can_be_asked() &&
			  snap__process_relation() == SNAP__OURS && snap__alone_offer(context);

	(void)number;
	(void)info;
	atomic_fetch_or(&pending, PENDING_SIGNAL);
	if (!silent)
		snap__helper_wake(&helper);
	if (stays_here)
		snap__alone_stay();
}

void snap__trigger_arm(void)
{
	const struct snap__config *config = snap__process_config();

	has_complained = false;
	atomic_store(&last_taken, false);
	atomic_store(&armed, true);
	begin_steps();
	if (config->every_ns)
		atomic_fetch_or(&stays, FOR_TIMER);
	if (config->signal) {
		struct sigaction action = {.sa_sigaction = on_signal,
					   .sa_flags = SA_RESTART | SA_SIGINFO};

		atomic_fetch_or(&stays, FOR_SIGNAL);
		sigaction(config->signal, &action, NULL);
	}
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

/* A thread of a process with a filter may not even make the system call to sleep. */
static void pause_for(struct request *r, unsigned state)
{
	if (!snap__trigger_is_filtered())
		snap__os_wait(&r->state, state, 100000000u);
}

/* Withdraw the request; false if it was already done. */
static bool withdraw(struct request *r)
{
	unsigned asked = ASKED, serving = SERVING;

	return atomic_compare_exchange_strong(&r->state, &asked, FREE) ||
	       atomic_compare_exchange_strong(&r->state, &serving, ABANDONED);
}

/* Wait until the request is done; false if that takes `limit_ns`, or the helper makes no progress.
   The helper goes on with a snapshot that it has begun, also after the end of the process. */
static bool wait_for(struct request *r, uint64_t limit_ns)
{
	uint64_t seen = snap__snapshot_progress(), began = snap__os_mono_ns(), since = began;
	unsigned state;

	while ((state = atomic_load(&r->state)) != DONE) {
		uint64_t now;

		pause_for(r, state);
		now = snap__os_mono_ns();
		if (snap__snapshot_progress() != seen) {
			seen = snap__snapshot_progress();
			since = now;
		}
		if ((state == ASKED || state == SERVING) && !snap__helper_runs(&helper) &&
		    !call_helper() && withdraw(r))
			return false;
		if ((now - since >= STUCK_NS || now - began >= limit_ns) && withdraw(r))
			return false;
	}
	return true;
}

static void copy_text(char *into, size_t size, const char *from)
{
	struct snap__text text = snap__text_in(into, size);

	snap__text_add(&text, from);
}

static enum snap_status ask(enum snap__reason reason, const char *label, enum snap__holders holders,
			    bool outside, uint64_t limit_ns, char *path, size_t size)
{
	struct request *r = wait_for_slot();
	enum snap_status st;

	if (!r)
		return SNAP_ESTATE;
	r->reason = reason;
	r->waits_outside = outside;
	r->holders = holders;
	copy_text(r->label, sizeof(r->label), label);
	atomic_store(&r->state, ASKED);
	if (!call_helper() && withdraw(r))
		return SNAP_ENOTFOUND;
	if (!wait_for(r, limit_ns))
		return SNAP_ESTATE;
	st = r->status;
	if (path)
		copy_text(path, size, r->path);
	atomic_store(&r->state, FREE);
	collect();
	snap__message_flush();
	return st;
}

/* ---- without a helper ------------------------------------------------------------------------ */

extern void *__libc_stack_end __attribute__((weak));

/* Does the calling thread run on the main thread's own stack, with plenty of room? */
static bool has_room_on_stack(void)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0), end;
	struct rlimit limit;

	if (!&__libc_stack_end)
		return false;
	end = (uintptr_t)__libc_stack_end;
	return here < end && end - here < STACK_NEEDED &&
	       syscall(SYS_prlimit64, 0, RLIMIT_STACK, NULL, &limit) == 0 &&
	       limit.rlim_cur >= 4 * STACK_NEEDED;
}

/* The calling thread writes it, because it is the only thread, or because no helper can be
 * started.  Our file descriptor is in the host's table, so no other thread may close it. */
static enum snap_status take_alone(enum snap__reason reason, const char *label, bool outside,
				   char *path, size_t size, int *error)
{
	struct snap__order order = {reason,
				    last_signal,
				    label,
				    -1,
				    outside ? SNAP__ASK_NOW : SNAP__ASK_NOBODY,
				    is_durable(reason),
				    SNAP__HOLDERS_NONE,
				    NULL};
	struct snap__quiet quiet;
	enum snap_status st;

	snap__quiet_begin(&quiet);
	st = take_here(&order, path, size, error);
	snap__quiet_end(&quiet);
	return st;
}

/* Try without messages; if it fails, the helper tries. */
static bool try_alone(enum snap__reason reason, bool outside)
{
	int error;

	return reason == SNAP__AT_EXIT && !is_durable(reason) && last_signal == 0 &&
	       holders_of(reason) == SNAP__HOLDERS_NONE && !snap__helper_runs(&helper) &&
	       snap__alone() && has_room_on_stack() &&
	       take_alone(reason, "", outside, NULL, 0, &error) == SNAP_OK;
}

static enum snap_status take(enum snap__reason reason, const char *label,
			     enum snap__holders holders, bool outside, char *path, size_t size)
{
	enum snap_status st;
	int error;

	if (try_alone(reason, outside))
		return SNAP_OK;
	st = ask(reason, label, holders, outside, UINT64_MAX, path, size);
	if (st != SNAP_ENOTFOUND)
		return st;
	if (snap__trigger_is_filtered() || !has_room_on_stack())
		return SNAP_ESTATE;
	st = take_alone(reason, label, outside, path, size, &error);
	if (st != SNAP_OK)
		complain(st, error);
	return st;
}

/* May the asking thread wait for threads that hold the allocator's and the loader's locks? */
static bool waits_outside(void)
{
	return !is_copy && snap__alone_waits_outside();
}

enum snap_status snap__trigger_take(enum snap__reason reason, const char *label,
				    enum snap__holders holders, char *path, size_t size)
{
	bool outside = !snap__trigger_is_silent() && waits_outside();

	if (outside)
		snap__modules_refresh();
	return take(reason, label, holders, outside, path, size);
}

enum snap_status snap__trigger_take_last(int number)
{
	enum snap_status st;
	uint64_t mask;
	bool outside;

	last_signal = number;
	if (snap__trigger_is_silent())
		return SNAP_OK; /* the helper writes it after the end of the process */
	if (number != 0)
		return ask(SNAP__AT_EXIT, "", holders_of(SNAP__AT_EXIT), false, LAST_NS, NULL, 0);
	outside = waits_outside();
	if (outside)
		snap__modules_refresh();
	/* A signal that ends the process waits for the snapshot. */
	snap__signals_block(&mask);
	st = take(SNAP__AT_EXIT, "", holders_of(SNAP__AT_EXIT), outside, NULL, 0);
	snap__signals_restore(&mask);
	return st;
}

void snap__trigger_omit_last(void)
{
	atomic_store(&last_taken, true);
}

void snap__trigger_flush(void)
{
	/* By the time that we get the lock, each request is done, or its thread still waits. */
	for (unsigned i = 0; i < 600 && atomic_load(&pending); i++)
		snap__os_sleep(100000000u);
	if (snap__lock_take(&taking))
		snap__lock_release(&taking);
}

void snap__trigger_after_fork(bool by_libc)
{
	for (struct request *r = requests; r < requests + MAX_REQUESTS; r++)
		atomic_store(&r->state, FREE);
	snap__helper_after_fork(&helper);
	atomic_fetch_and(&stays, ~(unsigned)(FOR_SOCKET | FOR_CONFINED));
	atomic_store(&stopping, false);
	atomic_store(&leaving, false);
	atomic_store(&pending, 0);
	atomic_store(&last_taken, false);
	last_signal = 0;
	is_copy = !by_libc;
	directory = wake_fd = hello_fd = -1;
	snap__listener_after_fork();
	snap__lock_reset(&starting);
	atomic_store(&door_waits, false);
	snap__lock_reset(&taking);
	end_turn();
	begin_steps();
}
