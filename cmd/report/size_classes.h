/*
 * report/size_classes.h - the arenas and pools of CPython's small-object allocator, by size of
 * block.
 */
#ifndef REPORT_SIZE_CLASSES_H
#define REPORT_SIZE_CLASSES_H

#include "base/fail.h"
#include "report/report.h"

struct report *size_classes_report_new(void);

/**
 * A row for each size, from the text that the snapshot has of them (FORMAT.md).  SNAP_EUSAGE: it
 * has none (`text` is NULL); SNAP_ECORRUPT: the text is not as it should be.
 */
enum snap_status size_classes_fill(struct report *report, const char *text, struct snap_error *err);

#endif
