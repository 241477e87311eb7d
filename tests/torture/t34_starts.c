/*
 * t34: what a program is started with, and what it did before libsnap came.
 *   pending       a signal that is blocked, ignored and pending survives the exec of another program
 *   moved LIBRARY the program's name was moved to memory that is gone; libsnap is loaded after that
 */
#include "torture.h"

#include <dlfcn.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>

static void take_signal(void)
{
	struct timespec long_enough = {60, 0};
	sigset_t only;

	sigemptyset(&only);
	sigaddset(&only, SIGUSR1);
	NEED(sigtimedwait(&only, NULL, &long_enough) == SIGUSR1);
}

static void leave_signal(char *name)
{
	char *const again[] = {name, "take", NULL};
	sigset_t only;

	sigemptyset(&only);
	sigaddset(&only, SIGUSR1);
	NEED(signal(SIGUSR1, SIG_IGN) != SIG_ERR);
	NEED(sigprocmask(SIG_BLOCK, &only, NULL) == 0);
	NEED(raise(SIGUSR1) == 0);
	execv("/proc/self/exe", again);
	NEED(!"started again");
}

static void move_name(char **argv)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	NEED(page != MAP_FAILED);
	argv[0] = page;
	NEED(munmap(page, 4096) == 0);
	NEED(dlopen(argv[2], RTLD_NOW));
}

int main(int argc, char **argv)
{
	NEED(argc > 1);
	if (strcmp(argv[1], "take") == 0)
		take_signal();
	if (strcmp(argv[1], "pending") == 0)
		leave_signal(argv[0]);
	if (strcmp(argv[1], "moved") == 0)
		move_name(argv);
	return 0;
}
