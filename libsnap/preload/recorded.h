/*
 * preload/recorded.h - the functions of fast.c for calls that are recorded.
 *
 * Reach them only by a jump: the recorded stack begins at the caller of the function that jumped.
 */
#ifndef SNAP_PRELOAD_RECORDED_H
#define SNAP_PRELOAD_RECORDED_H

#include <stddef.h>

void *snap__recorded_malloc(size_t size);
void *snap__recorded_calloc(size_t count, size_t size);
void *snap__recorded_realloc(void *ptr, size_t size);
void snap__recorded_free(void *ptr);

#endif
