/*
 * capture/control.h - talk to the libsnap inside a running process.
 *
 * The other end is the runtime's helper thread; include/snap/control.h has the protocol.
 */
#ifndef CAPTURE_CONTROL_H
#define CAPTURE_CONTROL_H

#include <stdint.h>

#include "base/fail.h"

/**
 * The pid that `who` names: a number, or a directory in which exactly one running process
 * records.  SNAP_ENOTFOUND: none does.  SNAP_EUSAGE: several do; `err` lists them.
 */
enum snap_status control_find(const char *who, uint64_t *pid, struct snap_error *err);

/**
 * Send one request line (without its newline) and return the whole answer, malloc'ed.
 * SNAP_ENOTFOUND: nothing there records.  SNAP_ESYSTEM: no answer within `timeout_ms`, or not
 * permitted.
 */
enum snap_status control_ask(uint64_t pid, const char *request, int timeout_ms, char **answer,
			     struct snap_error *err);

#endif
