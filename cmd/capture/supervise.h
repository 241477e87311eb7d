/*
 * capture/supervise.h - wait for a command without getting in its way.
 *
 * A signal that is sent to us is passed on.  When the command stops, so do we; when we are
 * continued, so is the command.  Children that we inherit are reaped, as the first process of a
 * container must.
 */
#ifndef CAPTURE_SUPERVISE_H
#define CAPTURE_SUPERVISE_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct supervision {
	sigset_t before; /* the mask that the command is to have */
	sigset_t held;   /* the signals that are passed on */
};

/** Block all signals before the command is started, so that none is lost or handled twice.  From here on this
 * process collects its children, and is not ended by SIGXFSZ or SIGPIPE, whatever it inherited; the command
 * inherits that. */
void supervise_begin(struct supervision *supervision);

/** In the child, before it becomes the command. */
void supervise_in_child(const struct supervision *supervision);

/** Wait until `command` ends; its wait status.  *interrupted: the terminal sent SIGINT to it and to us, and it died of
 * that. */
int supervise_wait(const struct supervision *supervision, pid_t command, bool *interrupted);

/** Handle signals normally again. */
void supervise_end(const struct supervision *supervision);

/** Die of SIGINT, as the command did: a shell ends its script only if it sees this. */
void supervise_die_interrupted(void);

#endif
