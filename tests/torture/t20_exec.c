/*
 * t20: start another program in every way there is.
 * Stands for: programs below a recorded one that must not load us, and environments that a tracer
 * changed.
 *
 * t20_exec HOW PROGRAM [ARG]    t20_exec show: print the environment
 */
#include "torture.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

static void show(void)
{
	for (char **entry = environ; *entry; entry++)
		puts(*entry);
}

/* A great many variables: their list does not fit on the stack. */
static void fill_environment(void)
{
	for (int i = 0; i < 3000; i++) {
		char name[16];

		snprintf(name, sizeof(name), "V%d", i);
		NEED(setenv(name, "x", 1) == 0);
	}
}

static void become(const char *how, char *path, char *argument, char **environment)
{
	char *arguments[] = {path, argument, NULL};
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	if (strcmp(how, "execv") == 0)
		execv(path, arguments);
	else if (strcmp(how, "execvp") == 0)
		execvp(name, arguments);
	else if (strcmp(how, "execvpe") == 0)
		execvpe(name, arguments, environment);
	else if (strcmp(how, "execl") == 0)
		execl(path, path, argument, (char *)NULL);
	else if (strcmp(how, "execlp") == 0)
		execlp(name, path, argument, (char *)NULL);
	else if (strcmp(how, "execle") == 0)
		execle(path, path, argument, (char *)NULL, environment);
	else if (strcmp(how, "execveat") == 0)
		execveat(AT_FDCWD, path, arguments, environment, 0);
	else if (strcmp(how, "fexecve") == 0)
		fexecve(open(path, O_RDONLY | O_CLOEXEC), arguments, environment);
	else if (strcmp(how, "fexecve path") == 0)
		fexecve(open(path, O_PATH | O_CLOEXEC), arguments, environment);
	else
		execve(path, arguments, environment);
}

static int ends_with(pid_t pid)
{
	int status;

	NEED(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int spawn(const char *how, char *path, char *argument)
{
	char *arguments[] = {path, argument, NULL};
	const char *slash = strrchr(path, '/');
	pid_t pid = -1;
	int error;

	if (strcmp(how, "posix_spawnp") == 0)
		error = posix_spawnp(&pid, slash + 1, NULL, NULL, arguments, environ);
	else
		error = posix_spawn(&pid, path, NULL, NULL, arguments, environ);
	NEED(error == 0);
	return ends_with(pid);
}

/* After vfork() the parent's memory must be as it was. */
static int vforked(char *path, char *argument)
{
	char *arguments[] = {path, argument, NULL};
	volatile int canary = 17;
	pid_t pid = vfork();

	if (pid == 0) {
		execve("/nonexistent", arguments, environ);
		execve(path, arguments, environ);
		_exit(127);
	}
	NEED(canary == 17 && pid > 0);
	churn(20);
	return ends_with(pid);
}

/* The calls that fail say what they say without us. */
static int failing(char *path)
{
	char *arguments[] = {path, NULL};
	pid_t pid;

	execv("/nonexistent", arguments);
	printf("%d", errno);
	execv("/", arguments);
	printf(" %d", errno);
	execvp("no such program", arguments);
	printf(" %d", errno);
	execv("/etc/hostname", arguments);
	printf(" %d", errno);
	fexecve(-1, arguments, environ);
	printf(" %d", errno);
	printf(" %d\n", posix_spawn(&pid, "/nonexistent", NULL, NULL, arguments, environ));
	return 0;
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "show";
	char *path = argc > 2 ? argv[2] : NULL, *argument = argc > 3 ? argv[3] : NULL;

	churn(20);
	if (strcmp(how, "show") == 0) {
		show();
		return 0;
	}
	if (strcmp(how, "failing") == 0)
		return failing(argv[0]);
	NEED(path);
	if (strncmp(how, "posix_spawn", 11) == 0)
		return spawn(how, path, argument);
	if (strcmp(how, "vfork") == 0)
		return vforked(path, argument);
	if (strcmp(how, "many") == 0)
		fill_environment();
	if (strcmp(how, "popen") == 0 || strcmp(how, "system") == 0) {
		char line[4096];

		snprintf(line, sizeof(line), "%s %s", path, argument ? argument : "");
		if (strcmp(how, "system") == 0)
			return WEXITSTATUS(system(line));
		FILE *out = popen(line, "r");
		NEED(out);
		for (int c; (c = fgetc(out)) != EOF;)
			putchar(c);
		return WEXITSTATUS(pclose(out));
	}
	become(how, path, argument, environ);
	perror(how);
	return 127;
}
