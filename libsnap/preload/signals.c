/*
 * preload/signals.c - signals that end the program: its last snapshot is taken first.
 *
 * A fatal signal whose disposition is the default one gets a handler of ours in the kernel.  The
 * program does not see that: what these functions tell it is SIG_DFL.  When the signal comes, the
 * dispositions of all these signals become the default ones, so that a second signal ends the
 * process at once; then the snapshot is taken; then the same signal is sent again, or the
 * instruction that raised it runs again.  Status and core dump are those of the signal.
 *
 * The program's own handlers replace ours, and ignored signals stay ignored.  But in two cases libc or the kernel sets
 * the default disposition itself: when a handler that is to run once (SA_RESETHAND) begins, and in abort() when the
 * handler of SIGABRT has returned.  There a handler of ours stands before the program's.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "preload/entry.h"
#include "preload/real.h"
#include "preload/signals.h"
#include "runtime/alone.h"
#include "runtime/helper.h"
#include "runtime/hidden.h"
#include "runtime/process.h"
#include "runtime/lifecycle.h"
#include "runtime/record.h"
#include "runtime/trigger.h"
#include "write/sys.h"

#define BIT(number)   ((uint64_t)1 << ((number)-1))
#define MOST          64 /* the last number of a signal */
#define FIRST_OF_REAL 34 /* of the real-time signals; those before it are libc's */

/* SIGSYS is left to filters. */
static const uint64_t fatal =
	BIT(SIGHUP) | BIT(SIGINT) | BIT(SIGQUIT) | BIT(SIGILL) | BIT(SIGTRAP) | BIT(SIGABRT) |
	BIT(SIGBUS) | BIT(SIGFPE) | BIT(SIGUSR1) | BIT(SIGSEGV) | BIT(SIGUSR2) | BIT(SIGPIPE) |
	BIT(SIGALRM) | BIT(SIGTERM) | BIT(SIGSTKFLT) | BIT(SIGXCPU) | BIT(SIGXFSZ) |
	BIT(SIGVTALRM) | BIT(SIGPROF) | BIT(SIGIO) | BIT(SIGPWR) | ~(BIT(FIRST_OF_REAL) - 1);

/* A flag that libc adds (SA_RESTORER) and shows to the program. */
#define OF_LIBC 0x04000000

static volatile sig_atomic_t is_watching;

/* The action that the program set, or found, for a signal that has our handler now; by the number
   of the signal. */
static struct sigaction asked[MOST + 1] SNAP__PAGES;

static int is_fatal(int number)
{
	return number > 0 && number <= MOST && (fatal & BIT(number)) != 0;
}

static void on_fatal(int number, siginfo_t *info, void *context);
static void on_once(int number, siginfo_t *info, void *context);
static void on_abort(int number, siginfo_t *info, void *context);

static int has_handler(const struct sigaction *action, void (*handler)(int, siginfo_t *, void *))
{
	return (action->sa_flags & SA_SIGINFO) && action->sa_sigaction == handler;
}

/* Does a handler of ours stand before the program's? */
static int is_before(const struct sigaction *action)
{
	return has_handler(action, on_once) || has_handler(action, on_abort);
}

static int is_ours(const struct sigaction *action)
{
	return has_handler(action, on_fatal) || is_before(action);
}

static void set_default(int number)
{
	struct sigaction plain;

	memset(&plain, 0, sizeof(plain));
	plain.sa_handler = SIG_DFL;
	snap__real.sigaction(number, &plain, NULL);
}

/* Give all signals that have our handler what the program set. */
static void give_back(void)
{
	struct sigaction now;

	if (snap__process_relation() != SNAP__BORROWED)
		is_watching = 0; /* a child of vfork() has its parent's memory */
	for (int n = 1; n <= MOST; n++) {
		if (!is_fatal(n) || snap__real.sigaction(n, NULL, &now) != 0)
			continue;
		if (has_handler(&now, on_fatal))
			set_default(n);
		else if (is_before(&now))
			snap__real.sigaction(n, &asked[n], NULL);
	}
}

void snap__signals_leave(void)
{
	if (is_watching && snap__trigger_is_filtered())
		give_back();
}

static void on_fatal(int number, siginfo_t *info, void *context)
{
	int saved = errno, was_sent = info->si_code <= 0 || info->si_code == SI_KERNEL;

	(void)context;
	give_back();
	if (!snap__process_dies(number)) {
		errno = saved;
		return;
	}
	/* A fault happens again by itself.  A signal that was sent is sent again.  It arrives after
	   this handler has returned, at the same place of the program. */
	if (was_sent ||
	    (number != SIGSEGV && number != SIGBUS && number != SIGILL && number != SIGFPE))
		syscall(SYS_tgkill, snap__sys_getpid(), (int)syscall(SYS_gettid), number);
	errno = saved;
}

/* No signal is masked but the one that is handled: a second one of another kind ends the
 * process. */
static void fill_in(struct sigaction *action)
{
	memset(action, 0, sizeof(*action));
	action->sa_sigaction = on_fatal;
	action->sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
}

static int is_default(const struct sigaction *action)
{
	return !(action->sa_flags & SA_SIGINFO) && action->sa_handler == SIG_DFL;
}

/* Has it neither a flag nor a mask?  libc fills in no more of a mask than the kernel has. */
static int is_plain(const struct sigaction *action)
{
	uint64_t mask;

	memcpy(&mask, &action->sa_mask, sizeof(mask));
	return action->sa_flags == 0 && mask == 0;
}

/* If the disposition is the default one, install our handler.  `asks`: read the disposition
   first. */
static void watch_one(int number, const struct sigaction *ours, int asks)
{
	struct sigaction now;

	if (snap__real.sigaction(number, asks ? NULL : ours, &now) != 0)
		return;
	if (is_default(&now)) {
		if (asks)
			snap__real.sigaction(number, ours, NULL);
		if (!is_plain(&now)) /* a variable that is all zeros takes no page */
			asked[number] = now;
	} else if (!asks) {
		snap__real.sigaction(number, &now, NULL);
	}
}

/*
 * If a signal is ignored, setting any action drops a pending one.  Without blocked signals none is
 * pending.  While all signals are blocked here, the kernel drops an ignored one that comes, as it
 * would have done anyway, and any other waits.  So our handler can be installed at once, and the
 * old action put back if it was not the default: this halves the number of system calls.
 */
void snap__signals_watch(void)
{
	struct sigaction ours;
	uint64_t blocked;
	int masked, asks;

	/* The first process of a namespace is not ended by default dispositions. */
	if (!snap__real.sigaction || snap__sys_getpid() == 1 || !snap__recording() ||
	    snap__process_config()->exit == SNAP_EXIT_NONE)
		return;
	fill_in(&ours);
	is_watching = 1;
	masked = snap__signals_block(&blocked);
	asks = !masked || blocked != 0 || !snap__alone(); /* another thread blocks none of them */
	for (int n = 1; n <= MOST; n++)
		if (is_fatal(n))
			watch_one(n, &ours, asks);
	if (masked)
		snap__signals_restore(&blocked);
}

/* Is the default disposition of this signal to be ours?  A child of vfork() has nothing to leave, and
   what we know of the signals in its memory is its parent's. */
static int is_watched(int number)
{
	return is_watching && is_fatal(number) && !snap__trigger_is_silent() &&
	       snap__process_relation() != SNAP__BORROWED;
}

/* Does the program ask for the default disposition of a signal that we watch? */
static int becomes_default(int number, const struct sigaction *action)
{
	return is_default(action) && is_watched(number);
}

/* ---- before the program's handlers ------------------------------------------------------------- */

static void call(const struct sigaction *own, int number, siginfo_t *info, void *context)
{
	if (own->sa_flags & SA_SIGINFO)
		own->sa_sigaction(number, info, context);
	else if (own->sa_handler != SIG_IGN)
		own->sa_handler(number);
}

/* The handler ran once: the kernel has set the default disposition, which is to be ours. */
static void ran_once(int number)
{
	struct sigaction now, ours;

	if (!is_watched(number) || snap__real.sigaction(number, NULL, &now) != 0 ||
	    now.sa_handler != SIG_DFL)
		return;
	fill_in(&ours);
	asked[number].sa_handler = SIG_DFL;
	snap__real.sigaction(number, &ours, NULL);
}

static void on_once(int number, siginfo_t *info, void *context)
{
	const struct sigaction own = asked[number];
	int saved = errno;

	ran_once(number);
	errno = saved;
	call(&own, number, info, context);
}

static atomic_int in_abort; /* the thread that called abort(), from then on */

/*
 * When the program's handler has returned, abort() ends the program.  But the handler may leave abort() by a jump,
 * and other threads may get the signal, too: they live on.  So the program's action is back before its handler begins.
 */
static void on_abort(int number, siginfo_t *info, void *context)
{
	const struct sigaction own = asked[number];
	int saved = errno, is_last = atomic_load(&in_abort) == (int)syscall(SYS_gettid);

	if (own.sa_flags & (int)SA_RESETHAND)
		ran_once(number);
	else if (is_last)
		snap__real.sigaction(number, &own, NULL);
	errno = saved;
	call(&own, number, info, context);
	if (!is_last)
		return;
	saved = errno;
	set_default(number);
	give_back();
	snap__process_dies(number);
	errno = saved;
}

/* Is the program's own handler to run once? */
static int runs_once(int number, const struct sigaction *action)
{
	return (action->sa_flags & (int)SA_RESETHAND) && action->sa_handler != SIG_DFL &&
	       action->sa_handler != SIG_IGN && is_watched(number);
}

static void stand_before(struct sigaction *action, void (*handler)(int, siginfo_t *, void *))
{
	action->sa_sigaction = handler;
	action->sa_flags |= SA_SIGINFO;
}

/* ---- the functions of libc --------------------------------------------------------------------- */

/* An allocator in front of libsnap may get here while the real functions are looked up. */
static int set_early(int number, const struct sigaction *action, struct sigaction *before)
{
	int (*real)(int, const struct sigaction *, struct sigaction *);

	if (snap__real_one(&real, &snap__real.sigaction, "sigaction"))
		return real(number, action, before);
	errno = ENOSYS;
	return -1;
}

ENTRY int sigaction(int number, const struct sigaction *restrict action,
		    struct sigaction *restrict before)
{
	struct sigaction ours, hidden, wanted;
	int result, is_hidden;

	snap__real_find();
	if (!snap__real.sigaction)
		return set_early(number, action, before);
	hidden = number > 0 && number <= MOST ? asked[number] : (struct sigaction){0};
	is_hidden = action && (becomes_default(number, action) || runs_once(number, action));
	if (is_hidden) {
		wanted = ours = *action; /* `before` may be the same place */
		if (is_default(action))
			fill_in(&ours);
		else
			stand_before(&ours, on_once);
		action = &ours;
		asked[number] = wanted; /* the handler may be called at once */
	}
	result = snap__real.sigaction(number, action, before);
	if (result == 0 && before && is_ours(before))
		*before = hidden;
	if (result == 0 && is_hidden && snap__real.sigaction(number, NULL, &ours) == 0)
		asked[number].sa_flags |= ours.sa_flags & OF_LIBC;
	else if (result != 0 && is_hidden)
		asked[number] = hidden;
	return result;
}

/* The older functions set `handler` in ways of their own.  If that is the default one, install
   ours. */
static sighandler_t set_by(sighandler_t (*real)(int, sighandler_t), int number,
			   sighandler_t handler)
{
	struct sigaction now, ours;
	int was_ours;
	sighandler_t before, hidden;

	snap__real_find();
	if (!real) {
		errno = ENOSYS;
		return SIG_ERR;
	}
	was_ours = snap__real.sigaction && snap__real.sigaction(number, NULL, &now) == 0 &&
		   is_ours(&now);
	hidden = was_ours ? asked[number].sa_handler : SIG_DFL;
	before = real(number, handler);
	if (before == SIG_ERR)
		return before;
	if (handler == SIG_DFL && snap__real.sigaction && is_watched(number)) {
		fill_in(&ours);
		snap__real.sigaction(number, NULL, &asked[number]);
		snap__real.sigaction(number, &ours, NULL);
	}
	return was_ours && before != SIG_HOLD ? hidden
					      : before; /* sigset() says whether it was held */
}

/* In System V a handler runs once: signal() is this function where the language is C11 without extensions. */
static sighandler_t set_once(sighandler_t (*real)(int, sighandler_t), int number,
			     sighandler_t handler)
{
	struct sigaction action = {.sa_handler = handler,
				   .sa_flags = (int)SA_RESETHAND | SA_NODEFER},
			 before;

	if (handler == SIG_ERR || !runs_once(number, &action))
		return set_by(real, number, handler);
	return sigaction(number, &action, &before) == 0 ? before.sa_handler : SIG_ERR;
}

/* Some C libraries' headers do not declare all of them. */
sighandler_t bsd_signal(int number, sighandler_t handler);
sighandler_t ssignal(int number, sighandler_t handler);
sighandler_t sysv_signal(int number, sighandler_t handler);
sighandler_t __sysv_signal(int number, sighandler_t handler);
sighandler_t sigset(int number, sighandler_t handler);

ENTRY sighandler_t signal(int number, sighandler_t handler)
{
	return set_by(snap__real.signal, number, handler);
}

ENTRY sighandler_t bsd_signal(int number, sighandler_t handler)
{
	return set_by(snap__real.signal, number, handler);
}

ENTRY sighandler_t ssignal(int number, sighandler_t handler)
{
	return set_by(snap__real.signal, number, handler);
}

ENTRY sighandler_t sysv_signal(int number, sighandler_t handler)
{
	return set_once(snap__real.sysv_signal, number, handler);
}

ENTRY sighandler_t __sysv_signal(int number, sighandler_t handler)
{
	return set_once(snap__real.sysv_signal, number, handler);
}

ENTRY sighandler_t sigset(int number, sighandler_t handler)
{
	return set_by(snap__real.sigset, number, handler);
}

/* ---- abort() ----------------------------------------------------------------------------------- */

static void abort_begins(void)
{
	struct sigaction now, ours;

	snap__real_find();
	if (!snap__real.sigaction || !is_watched(SIGABRT) ||
	    snap__real.sigaction(SIGABRT, NULL, &now) != 0 || has_handler(&now, on_fatal))
		return;
	if (!is_ours(&now))
		asked[SIGABRT] = now;
	ours = now;
	if (now.sa_handler == SIG_DFL)
		fill_in(&ours);
	else
		stand_before(&ours, on_abort);
	atomic_store(&in_abort, (int)syscall(SYS_gettid));
	snap__real.sigaction(SIGABRT, &ours, NULL);
}

/* The header declares it only if assertions are compiled in. */
void __assert_fail(const char *assertion, const char *file, unsigned line, const char *function);

ENTRY void abort(void)
{
	void (*real)(void);

	abort_begins();
	if (snap__real_one(&real, &snap__real.abort, "abort"))
		real();
	for (;;)
		syscall(SYS_exit_group, 127);
}

ENTRY void __assert_fail(const char *assertion, const char *file, unsigned line,
			 const char *function)
{
	void (*real)(const char *, const char *, unsigned, const char *);

	abort_begins();
	if (snap__real_one(&real, &snap__real.assert_fail, "__assert_fail"))
		real(assertion, file, line, function);
	abort();
}
