/*
 * render/chart.h - charts of characters: bytes upwards, time to the right, bands stacked.
 */
#ifndef RENDER_CHART_H
#define RENDER_CHART_H

#include "render/formats.h"

/** What is drawn.  Make it with chart_of_row() or chart_of_process(), then give it a size. */
struct chart {
	double *values; /* [band * count + snapshot]; the lowest band first; NAN unknown */
	size_t bands, count;
	double *at;             /* per snapshot: from 0 to 1 */
	uint64_t span_ns;       /* from the first to the last; 0 unknown: then they stand evenly */
	size_t input;           /* the first of its snapshots among the inputs of the report */
	unsigned width, height; /* of the plot, without axes */
	double step;            /* bytes per line */
};

enum { CHART_LABEL = 10 }; /* columns of the labels at the left */

/** The series of a row; its cohorts are bands, if it has them.  False: there is no series, or
 * memory is out.  Release with chart_release(), also after false. */
bool chart_of_row(struct chart *chart, const struct report *report, size_t row);
/** A series of the process that the report is about: "recorded", "rss". */
bool chart_of_process(struct chart *chart, const struct report *report, const char *name);
void chart_release(struct chart *chart);

/** Set the columns available for the plot, and the most lines.  False: nothing to draw. */
bool chart_fit(struct chart *chart, unsigned width, unsigned most_lines);

/** A place of the plot: `line` 0 is the lowest. */
struct chart_cell {
	unsigned band;    /* from 1; 0: empty */
	unsigned eighths; /* how much of it is filled, from below */
};
struct chart_cell chart_cell(const struct chart *chart, unsigned line, unsigned column);
/** What to print for it. */
const char *chart_glyph(struct chart_cell cell, bool unicode);
/** The snapshot that is drawn in a column. */
size_t chart_snapshot(const struct chart *chart, unsigned column);

/** "240 KiB" at the upper end of a line, or "". */
const char *chart_label(const struct chart *chart, unsigned line, char buffer[32]);
/** The labels below the axis: "0", and at the right end the time or the number of snapshots. */
const char *chart_end(const struct chart *chart, char buffer[48]);

/** The process and the first row, for `growth --chart`. */
void chart_print(const struct report *report, const struct render_options *options, FILE *out);

#endif
