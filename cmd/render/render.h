/*
 * render/render.h - how a report looks; one file per format.
 */
#ifndef RENDER_RENDER_H
#define RENDER_RENDER_H

#include "render/renderer.h"

/** By name; NULL if there is none.  render_names() is a NULL-terminated list for help and messages.
 */
const struct renderer *render_find(const char *name);
const char *const *render_names(void);

/** "1.5 MiB", "12 B": buffers of 32 bytes are enough.  Exact integers below 1024. */
const char *render_bytes(int64_t bytes, bool sign, char buffer[32]);

/** "71.7 us", "19.1 s", "2.5 h"; and a number formatted by its `name`, which says whether it counts
 * nanoseconds, bytes or something else.  Buffers of 32 bytes are enough. */
const char *render_duration(uint64_t ns, char buffer[32]);
const char *render_fact(const char *name, int64_t number, char buffer[32]);

/** A time in ISO 8601 to the second, as people write it: "2026-01-02 03:04:05". */
#define RENDER_TIME_SIZE 20
const char *render_time(const char *iso, char buffer[RENDER_TIME_SIZE]);

#endif
