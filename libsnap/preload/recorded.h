/*
 * preload/recorded.h - the functions of fast.c, for calls that the recorder is to hear of.
 *
 * Only to be jumped to: the recorded stack begins at whoever called the function that did.
 */
#ifndef SNAP_PRELOAD_RECORDED_H
#define SNAP_PRELOAD_RECORDED_H

#include <stddef.h>

void *snap__recorded_malloc(size_t size);
void *snap__recorded_calloc(size_t count, size_t size);
void *snap__recorded_realloc(void *ptr, size_t size);
void snap__recorded_free(void *ptr);

#endif
