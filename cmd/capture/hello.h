/*
 * capture/hello.h - what the processes of one `snapdiff run` report, and which files they leave.
 *
 * We do not assume that recording works: each process in which libsnap starts appends a line to a
 * file that we name (SNAP_HELLO; libsnap/runtime/hello.h writes it).  Programs that are not
 * recorded are named there, too, by the process that started them.
 */
#ifndef CAPTURE_HELLO_H
#define CAPTURE_HELLO_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

/** A program of which `count` processes were not recorded, or left nothing. */
struct hello_missed {
	char *program, *reason;
	size_t count;
};

/** A process in which recording started. */
struct hello_process {
	uint64_t pid; /* as it sees itself */
	char *program;
	size_t next;   /* index + 1 of an older one in the same bucket; 0: none */
	bool replaced; /* it became another program */
	bool wrote;    /* a snapshot */
	bool complained;
	bool has_nothing; /* forked to become another program, which could not be executed */
};

enum { HELLO_BUCKETS = 4096 };

/** Memory that libsnap could not see, in the process that had most of it. */
struct hello_unseen {
	size_t processes; /* in how many processes it was the larger part; 0: the other members are
			     unused */
	char program[256];
	uint64_t bytes, live_bytes; /* unseen; recorded at that moment */
};

/** What the Python interpreters reported. */
struct hello_python {
	size_t recorded;  /* processes whose lines are recorded */
	char version[32]; /* of one whose lines are not; "" if there was none */
	char problem[128];
};

struct hello {
	char path[PATH_MAX + 32]; /* of the file; "": there is none */
	FILE *file;               /* open from its creation on: its name may be gone later */
	struct timespec since;    /* when it was created */
	bool has_board;           /* see libsnap/format/board.h */
	size_t lines_lost;        /* that found no place on the board */
	struct hello_process *processes;
	size_t process_count, process_room,
		buckets[HELLO_BUCKETS]; /* by remainder of the pid: index + 1 of the newest */
	struct hello_missed *missed;
	size_t missed_count, missed_room;
	size_t missed_unlisted;    /* processes that were missed besides: the list is full, or
				      memory was out */
	size_t processes_unlisted; /* in which recording started; whether they left a snapshot is
				      not known, for the same reasons */
	struct hello_unseen unseen;
	uint64_t merged; /* due snapshots that were merged with others */
	struct hello_python python;
	char complaint[400]; /* what the runtime said when it could not record, "" if nothing */
	size_t snapshots;    /* files that these processes wrote */
	bool has_series;     /* three of them or more are one process's */
	char newest[NAME_MAX + 1]; /* name of the newest one, "" if none */
	struct timespec newest_time;
	bool was_lost;     /* somebody removed or renamed the file or its directory meanwhile */
	size_t unfinished; /* that were removed: their process was killed while it wrote them */
};

/** Create the file, in `dir` or, should that be full, elsewhere. */
void hello_create(struct hello *hello, const char *dir);

/** Read the lines, and remove the file.  Processes that have ended may still have a helper that
 * writes their last snapshot: it is waited for, up to a minute in all. */
void hello_collect(struct hello *hello);

/** Did recording start in process `pid`, and has it ended? */
bool hello_has_ended(const struct hello *hello, uint64_t pid);

/** Count the snapshots in `dir` that are not older than the file and that these processes wrote. */
void hello_count_snapshots(struct hello *hello, const char *dir);

/** The newest process that recording started in and that still runs, as a daemon does after its command has
 * ended; NULL: none.  `*count` is how many there are. */
const struct hello_process *hello_running(const struct hello *hello, size_t *count);

/** Add the processes that recorded, have ended and left no snapshot to those that were missed. */
void hello_miss_silent(struct hello *hello);

/** `count` more processes of `program` were missed, for `reason`. */
void hello_miss(struct hello *hello, const char *program, const char *reason, size_t count);

/** Replace the control characters of a line, but for tabs: others may have written it. */
void hello_make_printable(char *text);

/** Release everything but the struct itself. */
void hello_free(struct hello *hello);

#endif
