/*
 * render/html.h - a report as one self-contained HTML page.
 */
#ifndef RENDER_HTML_H
#define RENDER_HTML_H

#include <stdio.h>

#include "report/page.h"
#include "snap/status.h"

/**
 * Write the page.  It loads no other files.  Text from snapshots is escaped, or inside a compressed
 * block that scripts only show as text.  SNAP_ENOMEM, SNAP_ESYSTEM.
 */
enum snap_status html_write(const struct page *page, FILE *out);

#endif
