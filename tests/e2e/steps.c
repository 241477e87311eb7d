/*
 * steps.c - allocates 1 MiB after a line "+", frees the newest after "-", works without keeping anything
 * after "*", takes a snapshot after "!"; answers each with a line.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern int snap_take(const char *label) __attribute__((weak));

static void *blocks[1024];
static int count;

__attribute__((noinline)) static void site_step(void)
{
	blocks[count++] = calloc(1, 1 << 20);
}

static void work(void)
{
	for (int i = 0; i < 5000; i++)
		free(malloc(100));
}

static int answer(void)
{
	return write(STDOUT_FILENO, ".\n", 2) == 2;
}

int main(void)
{
	char line[16];

	answer();
	while (read(STDIN_FILENO, line, sizeof(line)) > 0) {
		if (line[0] == '-')
			free(blocks[--count]);
		else if (line[0] == '*')
			work();
		else if (line[0] == '!' && snap_take)
			snap_take(NULL);
		else
			site_step();
		answer();
	}
	return 0;
}
