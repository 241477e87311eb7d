/*
 * supervise.c - pass signals on, follow stops, reap.
 *
 * All signals are blocked and taken one by one with sigwaitinfo(): nothing runs in a handler.
 * Signals that were ignored when we were started stay ignored, for us and for the command.  The
 * exception is INT and QUIT without a terminal.
 */
#include "capture/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

struct watch {
	pid_t command;
	int status;        /* of the command, once it has ended */
	bool ended;        /* it has */
	bool stop_came_on; /* we got a signal to stop, and passed it on */
	bool interrupted;  /* the terminal interrupted us and the command */
};

/* Is there a terminal that sends signals to our process group, and a shell that sees us stop? */
static bool has_terminal(void)
{
	int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/*
 * A shell without job control ignores these two for background commands, to protect them from the
 * terminal.  Without a terminal, such a signal is always meant for us.
 */
static bool is_ignored_for_terminal(int number)
{
	return (number == SIGINT || number == SIGQUIT) && !has_terminal();
}

/* As we were started: the command is to have these three. */
static struct sigaction of_children, of_large_files, of_pipes;

static bool stays_ignored(int number)
{
	struct sigaction action;

	if (number == SIGCHLD || sigaction(number, NULL, &action) != 0)
		return false;
	if (number == SIGPIPE)
		action = of_pipes;
	if (action.sa_handler != SIG_IGN)
		return false;
	if (!is_ignored_for_terminal(number))
		return true;
	action.sa_handler = SIG_DFL;
	return sigaction(number, &action, NULL) != 0;
}

/*
 * If SIGCHLD was ignored, the kernel would collect the command, and tell nobody.  A limit of the size of files is
 * meant for the command: our own writes fail and say so, and do not end us.  The same is true if nobody reads our
 * messages any more.
 */
static void set_own_dispositions(void)
{
	static bool are_set;

	if (!are_set) {
		sigaction(SIGCHLD, &(struct sigaction){.sa_handler = SIG_DFL}, &of_children);
		sigaction(SIGXFSZ, &(struct sigaction){.sa_handler = SIG_IGN}, &of_large_files);
		sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, &of_pipes);
	}
	are_set = true;
}

void supervise_begin(struct supervision *supervision)
{
	set_own_dispositions();
	sigfillset(&supervision->held);
	sigprocmask(SIG_BLOCK, &supervision->held, &supervision->before);
	for (int number = 1; number <= SIGRTMAX; number++)
		if (stays_ignored(number))
			sigdelset(&supervision->held, number);
	sigprocmask(SIG_SETMASK, &supervision->held, NULL);
}

void supervise_in_child(const struct supervision *supervision)
{
	/* This drops the signal of a message that nobody read. */
	sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
	sigaction(SIGPIPE, &of_pipes, NULL);
	sigaction(SIGCHLD, &of_children, NULL);
	sigaction(SIGXFSZ, &of_large_files, NULL);
	sigprocmask(SIG_SETMASK, &supervision->before, NULL);
}

/* A pending signal must not end us when it is unblocked. */
void supervise_end(const struct supervision *supervision)
{
	struct timespec now = {0};

	while (sigtimedwait(&supervision->held, NULL, &now) > 0)
		;
	sigprocmask(SIG_SETMASK, &supervision->before, NULL);
}

static bool is_stop_request(int number)
{
	return number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
}

/*
 * The terminal sends these to the command too, which is in our process group.  When it hangs up, it sends two of
 * them to the leader of the session alone.  What else comes from the kernel is meant for us, for example the end of a
 * timer that was set before we were started.
 */
static bool came_to_command_too(const siginfo_t *info)
{
	if (info->si_code != SI_KERNEL)
		return false;
	switch (info->si_signo) {
	case SIGHUP:
	case SIGCONT:
		return getsid(0) != getpid();
	case SIGINT:
	case SIGQUIT:
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
	case SIGWINCH:
		return true;
	default:
		return false;
	}
}

/* Is it about a message of ours that nobody read? */
static bool is_own_pipe(const siginfo_t *info)
{
	return info->si_signo == SIGPIPE && info->si_code == SI_USER && info->si_pid == getpid();
}

static void pass_on(struct watch *watch, const siginfo_t *info)
{
	if (came_to_command_too(info)) {
		watch->interrupted |= info->si_signo == SIGINT;
		return;
	}
	if (is_own_pipe(info))
		return;
	watch->stop_came_on = is_stop_request(info->si_signo);
	if (info->si_code == SI_QUEUE)
		sigqueue(watch->command, info->si_signo, info->si_value);
	else
		kill(watch->command, info->si_signo);
}

static bool take_pending(int number)
{
	struct timespec now = {0};
	sigset_t only;

	sigemptyset(&only);
	sigaddset(&only, number);
	return sigtimedwait(&only, NULL, &now) == number;
}

/* Stop by this signal, for which our parent may look, or by SIGSTOP, which cannot be ignored. */
static void stop_by(int number)
{
	struct sigaction action;
	sigset_t only;

	sigemptyset(&only);
	sigaddset(&only, number);
	if (sigaction(number, NULL, &action) != 0 || action.sa_handler != SIG_DFL)
		number = SIGSTOP;
	raise(number);
	sigprocmask(SIG_UNBLOCK, &only, NULL);
	sigprocmask(SIG_BLOCK, &only, NULL);
}

/*
 * The command stopped by the signal `number`: we stop too, so that our parent sees it, until we are continued.  But
 * if somebody stopped only the command, and no shell would continue us, we wait as usual.
 */
static void follow_stop(struct watch *watch, int number)
{
	if (!watch->stop_came_on && !has_terminal())
		return;
	watch->stop_came_on = false;
	stop_by(number);
	/* It continued us: passed on once more, it would undo a later stop.  Without it we did not stop: the kernel
	   stops no group that nobody could continue, and a command that goes on would only stop again. */
	if (take_pending(SIGCONT))
		kill(watch->command, SIGCONT);
}

/* Take note of every child that ended or stopped. */
static void look_after_children(struct watch *watch)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
		if (pid != watch->command)
			continue;
		if (WIFSTOPPED(status)) {
			follow_stop(watch, WSTOPSIG(status));
		} else {
			watch->status = status;
			watch->ended = true;
		}
	}
	/* Somebody else collected it: do not wait for ever. */
	if (pid < 0 && errno == ECHILD && !watch->ended) {
		watch->status = 125 << 8;
		watch->ended = true;
	}
}

/* Did the terminal interrupt us and the command, which died of it?  The kernel goes from process to process: we may
 * hear of the command's end before we get our signal. */
static bool was_interrupted(const struct watch *watch)
{
	struct timespec longest = {.tv_nsec = 100000000};
	siginfo_t info;
	sigset_t only;

	if (!WIFSIGNALED(watch->status) || WTERMSIG(watch->status) != SIGINT)
		return false;
	sigemptyset(&only);
	sigaddset(&only, SIGINT);
	return watch->interrupted ||
	       (sigtimedwait(&only, &info, &longest) == SIGINT && came_to_command_too(&info));
}

int supervise_wait(const struct supervision *supervision, pid_t command, bool *interrupted)
{
	struct watch watch = {.command = command};

	for (look_after_children(&watch); !watch.ended;) {
		siginfo_t info;
		int number = sigwaitinfo(&supervision->held, &info);

		if (number == SIGCHLD)
			look_after_children(&watch);
		else if (number > 0)
			pass_on(&watch, &info);
	}
	*interrupted = was_interrupted(&watch);
	return watch.status;
}

void supervise_die_interrupted(void)
{
	sigset_t only;

	sigemptyset(&only);
	sigaddset(&only, SIGINT);
	raise(SIGINT);
	sigprocmask(SIG_UNBLOCK, &only, NULL);
}
