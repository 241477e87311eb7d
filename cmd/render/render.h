/*
 * render/render.h - how a report looks; one file per format.
 */
#ifndef RENDER_RENDER_H
#define RENDER_RENDER_H

#include <stdio.h>

#include "report/report.h"
#include "snap/status.h"

struct render_options {
	unsigned width; /* columns of the terminal; 0: do not shorten */
	bool color;
	bool unicode;    /* ellipses may be used */
	bool series;     /* people's formats: show series, as sparklines */
	bool exact;      /* people's formats too: bytes as integers, not "1.5 MiB" */
	unsigned height; /* lines of the screen: text that does not fit is left out; 0: any */
	bool quiet;      /* people's formats: without closing lines */
	bool terminal;   /* what is printed reaches a terminal as it is */
	bool raw_cells; /* csv and tsv: names that a spreadsheet takes for formulas stay as they are */
};

struct renderer {
	const char *name; /* "table", "json", "jsonl", "csv", "tsv", "markdown" */
	/* SNAP_EUSAGE: the report is not of a kind that the format can show. */
	enum snap_status (*render)(const struct report *report, FILE *out,
				   const struct render_options *options);
};

/** By name; NULL if there is none.  render_names() is a NULL-terminated list for help and messages.
 */
const struct renderer *render_find(const char *name);
const char *const *render_names(void);

/** "1.5 MiB", "12 B": buffers of 32 bytes are enough.  Exact integers below 1024. */
const char *render_bytes(int64_t bytes, bool sign, char buffer[32]);

/** "71.7 us", "19.1 s", "2.5 h"; and a number called `name` by what it counts: nanoseconds, bytes or
 * things.  Buffers of 32 bytes are enough. */
const char *render_duration(uint64_t ns, char buffer[32]);
const char *render_fact(const char *name, int64_t number, char buffer[32]);

#endif
