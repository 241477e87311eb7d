/*
 * browse/browse.h - look at a report and its call stacks on the terminal.
 */
#ifndef BROWSE_BROWSE_H
#define BROWSE_BROWSE_H

#include "browse/subject.h"

/** Take the terminal until the user leaves.  SNAP_ESYSTEM: it cannot be used; SNAP_ENOMEM; what the
 * first load() says. */
enum snap_status browse_run(const struct browse_source *source, int group, struct snap_error *err);

#endif
