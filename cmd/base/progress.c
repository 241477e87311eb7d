/*
 * progress.c - one line on the terminal that says how far long work is, and how long it will take.
 */
#include "base/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define MILLISECOND UINT64_C(1000000)
#define SECOND      (1000 * MILLISECOND)

static const uint64_t quiet_ns = 500 * MILLISECOND; /* shorter work is not worth a line */
static const uint64_t between_ns = 100 * MILLISECOND;

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

void progress_left(char *out, size_t size, uint64_t elapsed_ns, uint64_t done, uint64_t total)
{
	double left;

	out[0] = '\0';
	if (done == 0 || done >= total || elapsed_ns < SECOND)
		return;
	left = (double)elapsed_ns / (double)SECOND * (double)(total - done) / (double)done;
	if (left < 1)
		snprintf(out, size, "; nearly done");
	else if (left < 90)
		snprintf(out, size, "; about %.0f s left", left);
	else if (left < 5400)
		snprintf(out, size, "; about %.0f min left", left / 60);
	else
		snprintf(out, size, "; about %.0f h left", left / 3600);
}

static void print_line(const struct progress *progress, uint64_t elapsed_ns, uint64_t total)
{
	char left[40];

	progress_left(left, sizeof(left), elapsed_ns, progress->done, total);
	fprintf(stderr, "\r\033[K%s %" PRIu64 " of %" PRIu64 "%s", progress->what, progress->done,
		total, left);
	fflush(stderr);
}

void progress_show(struct progress *progress, uint64_t done, uint64_t total)
{
	uint64_t now = now_ns();

	if (!progress->started_ns || done <= progress->done)
		progress->started_ns = now;
	progress->done = done;
	if (done >= total) {
		if (progress->visible)
			fputs("\r\033[K", stderr);
		progress->visible = false;
		progress->started_ns = 0;
	} else if (now - progress->started_ns >= quiet_ns &&
		   now - progress->shown_ns >= between_ns) {
		progress->visible = true;
		progress->shown_ns = now;
		print_line(progress, now - progress->started_ns, total);
	}
}
