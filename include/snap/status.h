/*
 * snap/status.h - how libsnap and its readers say what went wrong.
 *
 * Every fallible function returns an enum snap_status for the program and, where
 * it takes a struct snap_error, a sentence for the person.  Numeric values are
 * part of the ABI: they are only added to, never renumbered.
 */
#ifndef SNAP_STATUS_H
#define SNAP_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

enum snap_status {
	SNAP_OK = 0,
	SNAP_EINVAL = 1,       /* an argument of the caller is invalid */
	SNAP_EIO = 2,          /* a file could not be opened, read or written */
	SNAP_ENOMEM = 3,       /* memory or a fixed table ran out */
	SNAP_EVERSION = 4,     /* written by a newer, incompatible version */
	SNAP_ECORRUPT = 5,     /* the bytes contradict the format */
	SNAP_ETRUNCATED = 6,   /* the file ends early; what precedes the tear is sound */
	SNAP_EUNSUPPORTED = 7, /* not possible here: platform, build or file kind */
	SNAP_ENOTFOUND = 8,    /* no such snapshot, process, label, table */
	SNAP_ESTATE = 9,       /* not now: not started, already stopped, busy */
	SNAP_ESYSTEM = 10,     /* a system call or the store failed */
};

/**
 * A status with its sentence.  Owned by the caller, usually on its stack; zero
 * it first.  `message` is UTF-8, one line, without a trailing full stop, and
 * names the file and, where it is known, the byte offset.
 */
struct snap_error {
	enum snap_status status;
	char message[508];
};

/** The name of a status ("corrupt", "truncated", ...); a static string, never NULL. */
const char *snap_status_name(enum snap_status st);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
