/*
 * t20: what the process sees of itself.
 * Stands for: a helper that is the host's thread or child: calls that the kernel refuses, waits that
 * never end, a process that stays when its last thread has left.
 */
#include "torture.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static int threads_by_status(void)
{
	char line[256];
	FILE *file = fopen("/proc/self/status", "r");
	int count = 0;

	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "Threads: %d", &count);
	if (file)
		fclose(file);
	return count;
}

static int threads_by_task(void)
{
	DIR *tasks = opendir("/proc/self/task");
	int count = 0;

	for (struct dirent *entry; tasks && (entry = readdir(tasks));)
		count += entry->d_name[0] != '.';
	if (tasks)
		closedir(tasks);
	return count;
}

static int descriptors(void)
{
	DIR *files = opendir("/proc/self/fd");
	int count = 0;

	for (struct dirent *entry; files && (entry = readdir(files));)
		count += entry->d_name[0] != '.';
	if (files)
		closedir(files);
	return count;
}

static void look(void)
{
	int status;

	churn(2000);
	usleep(100000); /* a timer has its chance */
	printf("threads %d %d, descriptors %d\n", threads_by_status(), threads_by_task(),
	       descriptors());
	printf("wait: %d, %d\n", (int)waitpid(-1, &status, 0), errno);
	printf("wait without waiting: %d, %d\n", (int)waitpid(-1, &status, WNOHANG), errno);
}

static void *leave_raw(void *unused)
{
	usleep(100000);
	churn(100);
	NEED(write(STDOUT_FILENO, "last\n", 5) == 5);
	syscall(SYS_exit, 0);
	return unused;
}

static void *leave(void *unused)
{
	usleep(100000);
	churn(100);
	NEED(write(STDOUT_FILENO, "last\n", 5) == 5);
	return unused;
}

/* As the first process of a container does: reap every orphan, and know all of them. */
static void adopt(void)
{
	int status = 0;

	NEED(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	for (int i = 0; i < 3; i++) {
		pid_t child = fork();

		if (child == 0) {
			if (fork() == 0) {
				usleep(50000);
				churn(2000);
				exit(5);
			}
			churn(2000);
			_exit(4);
		}
		NEED(child > 0);
		while (waitpid(-1, &status, 0) > 0)
			printf("%d ", WEXITSTATUS(status));
	}
	puts("no more");
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	pthread_t thread;

	churn(2000);
	if (strcmp(how, "look") == 0) {
		look();
	} else if (strcmp(how, "raw_exit") == 0) {
		NEED(pthread_create(&thread, NULL, leave_raw, NULL) == 0);
		syscall(SYS_exit, 0);
	} else if (strcmp(how, "pthread_exit") == 0) {
		NEED(pthread_create(&thread, NULL, leave, NULL) == 0);
		pthread_exit(NULL);
	} else if (strcmp(how, "unshare") == 0) {
		usleep(50000);
		printf("%d\n", unshare(CLONE_NEWUSER) == 0);
		churn(2000);
	} else if (strcmp(how, "adopt") == 0) {
		adopt();
	} else if (strcmp(how, "fork") == 0) {
		for (int i = 0; i < 20; i++) {
			pid_t child = fork();
			int status = 0;

			if (child == 0) {
				churn(20);
				_exit(i);
			}
			NEED(waitpid(-1, &status, 0) == child);
			printf("%d ", WEXITSTATUS(status));
		}
		look();
	}
	return 0;
}
