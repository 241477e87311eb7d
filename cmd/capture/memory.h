/*
 * capture/memory.h - how much memory the recorder may take by default.
 */
#ifndef CAPTURE_MEMORY_H
#define CAPTURE_MEMORY_H

#include <stdint.h>

/**
 * Bytes for the call stacks of each recorded process: a twentieth of what the machine or our cgroup
 * has, whichever is less; at least 64 MiB and at most 256 MiB.
 */
uint64_t memory_default(void);

#endif
