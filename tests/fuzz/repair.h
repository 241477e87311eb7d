/*
 * repair.h - make the checksums of a mutated snapshot true again, so that its rows are met.
 */
#ifndef FUZZ_REPAIR_H
#define FUZZ_REPAIR_H

#include <stddef.h>
#include <stdint.h>

/** Repair the checksums of header and chunks, front to back.  What is cut off stays as it is. */
void repair(uint8_t *data, size_t size);

#endif
