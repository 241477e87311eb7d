/*
 * render/renderer.h - what a renderer is, and how it is told to render.
 */
#ifndef RENDER_RENDERER_H
#define RENDER_RENDERER_H

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
	bool terminal;   /* the output goes to a terminal unchanged */
	bool raw_cells; /* csv and tsv: names that a spreadsheet takes for formulas stay as they are */
};

struct renderer {
	const char *name; /* as in cli/formats.def */
	/* SNAP_EUSAGE: the report is not of a kind that the format can show. */
	enum snap_status (*render)(const struct report *report, FILE *out,
				   const struct render_options *options);
};

#endif
