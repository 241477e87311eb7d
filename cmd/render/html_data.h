/*
 * render/html_data.h - the data of a page, as its scripts read them.  Private to render/.
 */
#ifndef RENDER_HTML_DATA_H
#define RENDER_HTML_DATA_H

#include <stdbool.h>
#include <stdio.h>

#include "report/page.h"
#include "snap/status.h"

/** JSON, gzip, base64, in an element that no browser runs.  SNAP_ENOMEM. */
enum snap_status html_data_write(const struct page *page, FILE *out);

/** True for the columns that the page's table has. */
bool html_shows_column(const struct column *column);

#endif
