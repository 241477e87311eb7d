/*
 * render/html.h - a report as one self-contained HTML page.
 */
#ifndef RENDER_HTML_H
#define RENDER_HTML_H

#include <stdio.h>

#include "report/page.h"
#include "snap/status.h"

/**
 * Write the page.  It loads nothing from anywhere; what comes from snapshots stands in it as
 * escaped text, or inside a compressed block that scripts only ever show as text.
 * SNAP_ENOMEM, SNAP_ESYSTEM.
 */
enum snap_status html_write(const struct page *page, FILE *out);

#endif
