/*
 * base/machine.h - the memory that we may use.
 */
#ifndef BASE_MACHINE_H
#define BASE_MACHINE_H

#include <stdint.h>

/** Bytes of the machine's memory, or of our cgroup's limit where that is less; 0 if unknown. */
uint64_t machine_memory(void);

#endif
