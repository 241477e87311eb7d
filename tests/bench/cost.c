/*
 * cost.c - run a command, and say what it cost.
 *
 *   cost SECONDS RESULT [NAME=VALUE]... COMMAND [ARGUMENT]...
 *
 * Writes `user_us system_us wall_us peak_kib status` to the file RESULT.  After SECONDS the command
 * and all of its process group are killed, and the status is -1.  None of its processes gets more
 * than half of the machine's memory, all of which one of the peers would take.  A small program of
 * its own, because Linux counts the memory of whoever calls exec() as the program's: started by a
 * Python, everything would seem to need a Python's memory.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t late;
static pid_t child;

static void on_alarm(int signal)
{
	(void)signal;
	late = 1;
	kill(-child, SIGKILL);
}

static long long now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

static void run(char **arguments)
{
	rlim_t half = (rlim_t)sysconf(_SC_PHYS_PAGES) / 2 * (rlim_t)sysconf(_SC_PAGESIZE);

	setpgid(0, 0);
	setrlimit(RLIMIT_AS, &(struct rlimit){half, half});
	for (; *arguments && strchr(*arguments, '='); arguments++)
		putenv(*arguments);
	if (*arguments)
		execvp(*arguments, arguments);
	_exit(127);
}

int main(int argc, char **argv)
{
	struct rusage used;
	long long start = now_us(), wall;
	int status;
	FILE *result;

	if (argc < 4)
		return 2;
	child = fork();
	if (child < 0)
		return 1;
	if (child == 0)
		run(argv + 3);
	setpgid(child, child);
	signal(SIGALRM, on_alarm);
	alarm((unsigned)strtoul(argv[1], NULL, 10));
	while (wait4(child, &status, 0, &used) < 0)
		if (errno != EINTR)
			return 1;
	wall = now_us() - start;
	kill(-child, SIGKILL); /* no process that is left over disturbs the next measurement */
	result = fopen(argv[2], "w");
	if (!result)
		return 1;
	fprintf(result, "%lld %lld %lld %ld %d\n",
		used.ru_utime.tv_sec * 1000000LL + used.ru_utime.tv_usec,
		used.ru_stime.tv_sec * 1000000LL + used.ru_stime.tv_usec, wall, used.ru_maxrss,
		late ? -1 : status);
	return fclose(result) != 0;
}
